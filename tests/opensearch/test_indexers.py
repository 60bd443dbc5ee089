"""Several indexers of one cluster: what each takes over, and whose turn it is."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import pytest
from opensearchpy import OpenSearch

from index.backends.opensearch.index import OpenSearchWriter
from index.backends.opensearch.lease import Lease
from index.backends.opensearch.others import Others
from index.backup import backup, restore
from index.build import build, open_index, remove, rollback
from index.corpus import Page, read_pages
from index.document import Article
from index.errors import IndexUnavailable
from index.schema import index_batch
from index.settings import Settings
from index.summary import Quiet, Summary
from index.verify import verify
from tests.opensearch.indexers import command, contents, run_killed, split
from tests.reliability.hostile_pages import SAMPLE

pytestmark = pytest.mark.opensearch

Indexer = Callable[..., Settings]


@pytest.fixture
def client(opensearch_url: str) -> Iterator[OpenSearch]:
    with OpenSearch(opensearch_url, timeout=60) as client:
        yield client


@pytest.fixture
def alias(client: OpenSearch) -> Iterator[str]:
    name = f"indexers-{uuid4().hex}"
    yield name
    client.indices.delete(index=f"{name}*", ignore_unavailable=True)


@pytest.fixture
def indexer(opensearch_url: str, tmp_path: Path, alias: str) -> Indexer:
    """A function from a name to the settings of an indexer with a data folder of that name."""

    def settings(name: str, index: str = alias) -> Settings:
        return Settings(
            data=tmp_path / "data" / name,
            backend="opensearch",
            opensearch_url=(opensearch_url,),
            opensearch_index=index,
            opensearch_replicas=0,
        )

    return settings


def run(settings: Settings, *paths: Path, rebuild: bool = False) -> Summary:
    return build(settings, paths, rebuild=rebuild, jobs=1, progress=Quiet())


def shares(tmp_path: Path) -> tuple[Path, Path, Path]:
    return split((each for each in read_pages([SAMPLE]) if isinstance(each, Page)), tmp_path)


@pytest.mark.usefixtures("inline")
def test_two_indexers_make_the_index_of_one(
    indexer: Indexer,
    tmp_path: Path,
    client: OpenSearch,
    alias: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    everything, one, other = shares(tmp_path)
    run(indexer("alone", f"{alias}-alone"), everything)
    wanted = contents(client, f"{alias}-alone")
    assert any(fields.get("cluster") for _, fields in wanted.values())
    run(indexer("one"), one)
    assert 0 < len(contents(client, alias)) < len(wanted)
    # What ends in the middle of its writing leaves the turn to others, and is made up for.
    with monkeypatch.context() as patched:
        patched.setattr(OpenSearchWriter, "_arrive", fails_after(1, OpenSearchWriter._arrive))
        with pytest.raises(ZeroDivisionError):
            run(indexer("other"), other)
    run(indexer("one"), one)
    run(indexer("other"), other)
    run(indexer("one"), one)
    assert contents(client, alias) == wanted
    for name in ("one", "other"):
        assert verify(indexer(name), Quiet()).is_sound
    # Once both know all, nothing more is written.
    run(indexer("other"), other)
    written = commit(client, alias)
    run(indexer("one"), one)
    run(indexer("other"), other)
    assert commit(client, alias) == written
    # A new generation has the articles of both, and so has a folder that begins with nothing.
    run(indexer("one"), rebuild=True)
    assert contents(client, alias) == wanted
    run(indexer("third"), one)
    assert contents(client, alias) == wanted
    assert verify(indexer("third"), Quiet()).articles == len(wanted)


def fails_after(calls: int, method: Callable[..., None]) -> Callable[..., None]:
    """Return a method that works so often, and no more."""
    left = [None] * calls

    def call(*arguments: Any) -> None:
        if not left:
            raise ZeroDivisionError
        left.pop()
        method(*arguments)

    return call


def commit(client: OpenSearch, alias: str) -> int:
    (found,) = client.indices.get_mapping(index=alias).values()
    return int(found["mappings"]["_meta"]["commit"])


@pytest.mark.usefixtures("inline")
def test_a_machine_with_other_tables_is_told_of(
    indexer: Indexer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _, one, other = shares(tmp_path)
    run(indexer("one"), one)
    run(indexer("other"), other)
    assert "other tables" not in caplog.text
    table = tmp_path / "denials.txt"
    table.write_text("*\t某某科技\n", encoding="utf-8")
    run(replace(indexer("third"), denials=table), other)
    assert "Another machine reads pages for this index with other code" in caplog.text


@pytest.mark.usefixtures("inline")
def test_what_one_removes_no_other_brings_back(
    indexer: Indexer, tmp_path: Path, client: OpenSearch, alias: str
) -> None:
    everything, one, _ = shares(tmp_path)
    run(indexer("one"), one)
    run(indexer("other"), everything)
    gone = min(contents(client, alias))
    assert remove(indexer("one"), [gone]) == [gone]
    assert gone not in contents(client, alias)
    run(indexer("other"), everything)  # hears of it when its pages are read
    assert run(indexer("other"), everything, rebuild=True).removed
    assert gone not in contents(client, alias)
    remove(indexer("other"), [gone], undo=True)
    run(indexer("other"), everything)
    assert gone in contents(client, alias)
    run(indexer("one"), one)
    assert gone in contents(client, alias)


@pytest.mark.usefixtures("inline")
def test_what_was_removed_since_a_rebuild_stays_removed_after_a_rollback(
    indexer: Indexer, tmp_path: Path, client: OpenSearch, alias: str
) -> None:
    everything, one, other = shares(tmp_path)
    run(indexer("one"), one)
    run(indexer("other"), other)
    run(indexer("one"), one, rebuild=True)
    before = set(contents(client, alias))
    gone = min(before)
    remove(indexer("one"), [gone])
    assert rollback(indexer("other")) == 1
    assert set(contents(client, alias)) == before - {gone}
    for name in ("one", "other", "one"):
        run(indexer(name), everything)
    assert gone not in contents(client, alias)
    for name in ("one", "other"):
        run(indexer(name), everything)
        assert verify(indexer(name), Quiet()).is_sound
    # What another machine has removed, and this one has not heard of yet, is no damage.
    remove(indexer("one"), [min(contents(client, alias))])
    verdict = verify(indexer("other"), Quiet())
    assert verdict.is_sound
    assert verdict.behind >= 1


@pytest.mark.usefixtures("inline")
def test_a_restored_folder_takes_over_what_it_had_written_itself(
    indexer: Indexer, tmp_path: Path, client: OpenSearch, alias: str
) -> None:
    everything, one, _ = shares(tmp_path)
    settings = indexer("one")
    run(settings, one)
    backup(settings, tmp_path / "backup", force=False, progress=Quiet())
    run(settings, everything)
    wanted = contents(client, alias)
    restore(settings, tmp_path / "backup", force=True)
    assert len(wanted) > run(settings, one).unchanged > 0
    assert contents(client, alias) == wanted
    assert verify(settings, Quiet()).is_sound


@pytest.mark.slow
@pytest.mark.parametrize("kills", [pytest.param(20, marks=pytest.mark.soak)])
def test_indexers_that_are_killed_make_it_too(
    kills: int, indexer: Indexer, tmp_path: Path, client: OpenSearch, alias: str
) -> None:
    everything, *parts = shares(tmp_path)
    settings = [indexer(name) for name in ("one", "other")]
    environment = {
        "ANWEN_BACKEND": "opensearch",
        "ANWEN_OPENSEARCH_URL": settings[0].opensearch_url[0],
        "ANWEN_OPENSEARCH_INDEX": alias,
        "ANWEN_OPENSEARCH_REPLICAS": "0",
    }
    commands = [command(each.data, part) for each, part in zip(settings, parts, strict=True)]
    assert run_killed(commands, environment, Random(kills), kills, 6.0) > 0
    for each in (*commands, *commands):
        run_killed([each], environment, Random(0), 0, 0)
    run_killed(
        [command(tmp_path / "alone", everything)],
        environment | {"ANWEN_OPENSEARCH_INDEX": f"{alias}-alone"},
        Random(0),
        0,
        0,
    )
    assert contents(client, alias) == contents(client, f"{alias}-alone")


@pytest.fixture
def lease(client: OpenSearch, alias: str) -> Callable[[], Lease]:
    others = Others(client, alias, replicas=0)
    others.make()
    others.make()  # as the next machine does
    return lambda: Lease(client, others.name)


def test_one_writes_after_the_other(lease: Callable[[], Lease]) -> None:
    first, second = lease(), lease()
    begun, may_end = Event(), Event()
    order: list[tuple[str, int]] = []

    def hold() -> None:
        with first.held(5):
            begun.set()
            may_end.wait()
            order.append(("first", first.number))

    thread = Thread(target=hold)
    thread.start()
    begun.wait()
    may_end.set()
    with second.held(1):
        order.append(("second", second.number))
    thread.join()
    assert order == [("first", 5), ("second", 6)]


def test_a_lease_that_nobody_renews_is_taken_and_its_holder_writes_no_more(
    lease: Callable[[], Lease],
    indexer: Indexer,
    analyzer: Any,
    article_maker: Callable[..., Article],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batch = index_batch([article_maker(id="a", body="正文")], analyzer, with_records=True)
    indexer("one").data.mkdir(parents=True)
    index = open_index(indexer("one"), analyzer)
    with index.writer(1) as writer:
        writer.update_documents(batch)
    # Halted, as a machine that sleeps: its lease is not renewed, and it does not know.
    monkeypatch.setattr(Lease, "_keep", lambda *_: None)
    monkeypatch.setattr("index.backends.opensearch.lease.LEASE_SECONDS", 1.5)

    def write_late() -> None:
        with index.writer(2) as writer:
            with lease().held(1000):
                index.client.index(
                    index=index.alias,
                    id="a",
                    body={"commit": 1000, "record": {"article": "", "cluster": ""}},
                    params={"version": 1000, "version_type": "external_gte"},
                )
            writer.update_documents(batch)

    with pytest.raises(IndexUnavailable, match="Another machine has begun to write"):
        write_late()
    assert index.revision == 1
