"""No page ends the process that reads it, and none takes two seconds of a processor."""

import json
import sys
from itertools import islice
from pathlib import Path

import pytest

from index.stages import _PAGE_SECONDS
from tests.reliability.hostile_pages import hostile_pages, read_all

_GIVEN_UP = ("failed: took too long", "failed: worker died")


def read_many(pages: int, seed: int, corpus: Path | None) -> None:
    figures = read_all(islice(hostile_pages(seed, corpus), pages))
    told = figures.told()
    sys.stdout.write(f"{json.dumps(told, ensure_ascii=False)}\n")
    assert told["pages"] == pages
    assert max(figures.seconds) <= 2 * _PAGE_SECONDS
    # None of 600 was given up when this was written, but a machine may be half as fast.
    assert len(figures.failures) <= max(pages // 50, 1)
    # A worker that a page ends is told, and so is a page that is given up; nothing else fails.
    assert all(each.startswith(_GIVEN_UP) for each in figures.failures)


@pytest.mark.slow
def test_hostile_pages_are_read_or_given_up() -> None:
    read_many(40, 9, None)


@pytest.mark.soak
@pytest.mark.corpus
def test_twenty_thousand_hostile_pages_are_read_or_given_up(corpus: Path) -> None:
    read_many(20_000, 9, corpus)
