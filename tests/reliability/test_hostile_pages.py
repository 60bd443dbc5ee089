"""No page ends the process that reads it, and none takes two seconds of a processor."""

import json
import sys
from itertools import islice
from pathlib import Path

import pytest

from tests.reliability.hostile_pages import hostile_pages, read_all


def read_many(pages: int, seed: int, corpus: Path | None) -> None:
    figures = read_all(islice(hostile_pages(seed, corpus), pages))
    told = figures.told()
    sys.stdout.write(f"{json.dumps(told, ensure_ascii=False)}\n")
    assert told["pages"] == pages
    assert max(figures.seconds) < 2.5  # where one is given up, which the system tells in steps
    assert [each for each in figures.failures if not each.startswith("took too long")] == []


@pytest.mark.slow
def test_hostile_pages_are_read_or_given_up() -> None:
    read_many(200, 9, None)


@pytest.mark.soak
@pytest.mark.corpus
def test_twenty_thousand_hostile_pages_are_read_or_given_up(corpus: Path) -> None:
    read_many(20_000, 9, corpus)
