"""Extraction on real pages: what the figures of `make eval` must never fall below."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import extraction

LEAST = {
    "title": 0.99,
    "published": 0.98,
    "category": 0.98,
    "author": 0.95,
    "lead": 0.95,
    "account": 0.95,
    "body/f1": 0.95,
    "body/lowest": 0.6,
    "body/without_strangers": 0.999,
}
LEAST_IN_GENERAL = {"title": 0.95, "published": 0.90, "body/f1": 0.85}
EVERY = 8  # a page in so many is read in the short form


def pages(corpus: Path, every: int) -> Iterator[tuple[extraction.Page, extraction.Label]]:
    labels = extraction.read_labels(corpus)
    labelled = extraction.labelled_pages(corpus, labels)
    for number, (page, label) in enumerate(labelled):
        # Of the saved HTML there are few: one in eight would let two pages decide.
        step = min(every, 2) if label.site == "html" else every
        if number % step == 0 or "body" in label.values:
            yield page, label


def check(corpus: Path, every: int, least: dict[str, float], *, own_rules: bool) -> None:
    measured = [
        extraction.measure_page(page, label, own_rules=own_rules)
        for page, label in pages(corpus, every)
    ]
    figures = extraction.summarise("", measured)
    assert len(measured) > 10_000 / every
    for name, floor in least.items():
        # Of the fields the overall figure: the sample holds too few pages of a site for its own.
        found = {k: v for k, v in figures.items() if k.endswith(f"/{name}") and _is_asked(k)}
        assert found, name
        assert min(found.values()) >= floor, found


def _is_asked(name: str) -> bool:
    return name.split("/")[1] in {"overall", "wechat", "html", "body"}


@pytest.mark.corpus
def test_real_pages_are_read_as_they_are_printed(corpus: Path) -> None:
    check(corpus, EVERY, LEAST, own_rules=True)


@pytest.mark.corpus
def test_the_way_for_unknown_sites_reads_the_portals_too(corpus: Path) -> None:
    check(corpus, EVERY, LEAST_IN_GENERAL, own_rules=False)


@pytest.mark.corpus
@pytest.mark.soak
def test_all_real_pages_are_read_as_they_are_printed(corpus: Path) -> None:
    check(corpus, 1, LEAST, own_rules=True)
    check(corpus, 1, LEAST_IN_GENERAL, own_rules=False)
