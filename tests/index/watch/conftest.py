"""What the tests of following share."""

from pathlib import Path

import pytest

from tests.index.watch.followed import Followed, Indexers


@pytest.fixture
def indexers(monkeypatch: pytest.MonkeyPatch) -> Indexers:
    indexers = Indexers()
    monkeypatch.setattr("index.watch.watching.Indexer", indexers)
    return indexers


@pytest.fixture
def followed(tmp_path: Path, indexers: Indexers) -> Followed:
    return Followed(tmp_path, indexers)
