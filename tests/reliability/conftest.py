"""What the tests of durability share."""

from functools import cache

import pytest

import index.build
import index.stages
import index.workers
from index.analysis import Analyzer
from index.entities import OrganisationTable
from tests.reliability.recorded import InlinePool


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch, analyzer: Analyzer) -> None:
    """Runs do their work in this process, with what they load the same for all of them."""
    monkeypatch.setattr(index.workers, "ProcessPoolExecutor", InlinePool)
    monkeypatch.setattr(index.build, "Analyzer", lambda _: analyzer)
    monkeypatch.setattr(index.stages, "Analyzer", lambda _: analyzer)
    monkeypatch.setattr(OrganisationTable, "load", cache(OrganisationTable.load))
