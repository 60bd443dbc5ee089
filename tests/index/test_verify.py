"""Verification: a sound folder passes, also while it is written, and each difference is named."""

import shutil
import sqlite3
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from index.analysis import Analyzer
from index.backends.vector_codec import ContainerReader
from index.build import open_index
from index.document import Article
from index.errors import StoreError
from index.lock import writing
from index.schema import index_batch
from index.settings import Settings
from index.store import ArticleStore, page_digest
from index.verify import Verdict, verify
from tests.index.meanwhile import meanwhile
from tests.reliability.checking import Silent

TEXT = "位于槐州的电机制造商在事发当晚切断了与供应商之间的远程连接，第二天上午开始逐台恢复主机。"


@pytest.fixture(scope="module")
def filled(
    tmp_path_factory: pytest.TempPathFactory,
    fill_folder: Callable[..., Any],
    article_maker: Callable[..., Article],
) -> Path:
    """A folder of twenty articles, two of them near-duplicates."""
    articles = [
        article_maker(id=f"{number:016x}", title=f"第{number}号稿件", body=f"正文 n{number}")
        for number in range(18)
    ]
    articles += [
        article_maker(id=f"{number:016x}", title="电机厂遭勒索", body=TEXT, source=f"{number}报")
        for number in (18, 19)
    ]
    folder = tmp_path_factory.mktemp("filled")
    fill_folder(folder, articles).close()
    return folder


@pytest.fixture
def settings(filled: Path, tmp_path: Path, settings_for: Callable[[Path], Settings]) -> Settings:
    """Those of a copy of the folder; an index on a cluster is the same for all."""
    return replace(settings_for(filled), data=shutil.copytree(filled, tmp_path / "data"))


def checked(settings: Settings) -> Verdict:
    return verify(settings, Silent())


def test_a_sound_folder_passes_and_everything_is_read(settings: Settings) -> None:
    verdict = checked(settings)
    assert verdict.differences == []
    assert (verdict.pages, verdict.articles, verdict.behind) == (20, 20, 0)
    assert verdict.sections >= (15 if settings.backend == "whoosh" else 1)
    with ArticleStore(settings.data / "articles.sqlite3") as store:
        store.remove(f"{3:016x}")
    verdict = checked(settings)
    assert verdict.is_sound
    assert (verdict.pages, verdict.articles, verdict.behind) == (20, 19, 1)


ID = f"{7:016x}"
STORED = [
    ("UPDATE page SET raw = x'00' WHERE article = '{id}'", f"page {ID}.md do not match"),
    ("UPDATE page SET digest = x'00' WHERE article = '{id}'", f"article {ID} has no page"),
    ("UPDATE page SET raw = NULL WHERE article = '{id}'", f"article {ID} has no page"),
    ("UPDATE page SET article = 'x' WHERE article = '{id}'", f"page {ID}.md belongs to"),
    ("UPDATE page SET reason = 'shell' WHERE article = '{id}'", f"page {ID}.md has neither"),
    ("UPDATE article SET document = '{{' WHERE id = '{id}'", f"article {ID} cannot be read"),
    ("UPDATE article SET document = '[]' WHERE id = '{id}'", f"article {ID} cannot be read"),
    ("UPDATE article SET document = replace(document, '{id}', 'b') WHERE id = '{id}'", "called b"),
    ("UPDATE article SET revision = 999 WHERE id = '{id}'", f"article {ID} is of a revision"),
    ("INSERT INTO counter VALUES (5)", "counter of revisions has 2 rows"),
    ("INSERT INTO definition VALUES ('x', 's', 'n', 'company', x'00')", "definitions are kept"),
    ("DELETE FROM fingerprint WHERE article = '{id}'", f"article {ID} has no fingerprint"),
    ("UPDATE fingerprint SET article = 'x' WHERE article = '{id}'", "fingerprint is kept of"),
    ("INSERT INTO band VALUES (1, 999)", "bands are kept of fingerprint 999"),
    ("DELETE FROM duplicate WHERE number < other", "has one side only"),
    ("INSERT INTO cluster VALUES ('x', 'x')", "article x is in a cluster"),
    ("CREATE TABLE recipe (name TEXT)", "tables are not those of version"),
    ("CREATE TRIGGER t AFTER DELETE ON page BEGIN DELETE FROM article; END", "tables are not"),
    ("PRAGMA user_version = 2", "has version 2"),
    ("PRAGMA user_version = 9", "Install the version of anwen"),
]


@pytest.mark.parametrize(("statement", "said"), STORED)
def test_each_difference_of_the_store_is_named_with_its_repair(
    settings: Settings, statement: str, said: str
) -> None:
    with closing(sqlite3.connect(settings.data / "articles.sqlite3")) as database:
        database.execute(statement.format(id=ID))
        database.commit()
    verdict = checked(settings)
    assert not verdict.is_sound
    told = [each for each in verdict.differences if said in f"{each.what}. {each.repair}"]
    assert told, verdict.differences
    assert {each.where for each in verdict.differences} <= {"articles.sqlite3", "index"}
    assert all(each.repair for each in verdict.differences)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM article WHERE id = '{id}'", f"article {ID} is indexed, not stored"),
        (
            "UPDATE article SET document = NULL WHERE id = '{id}'",
            f"article {ID} is gone, still indexed",
        ),
        (
            "INSERT INTO article SELECT 'ffff', digest, path, fetched, length, 0, document, 0 "
            "FROM article WHERE id = '{id}'",
            "article ffff is stored, not indexed",
        ),
    ],
)
def test_an_article_that_one_of_store_and_index_lacks_is_named(
    settings: Settings, statement: str, said: str
) -> None:
    with closing(sqlite3.connect(settings.data / "articles.sqlite3")) as database:
        database.execute(statement.format(id=ID))
        database.commit()
    told = [each for each in checked(settings).differences if each.what == said]
    assert [(each.where, each.repair) for each in told] == [("index", "Run: anwen index --rebuild")]


def test_a_damaged_file_of_the_store_is_named(settings: Settings) -> None:
    path = settings.data / "articles.sqlite3"
    sound = path.read_bytes()
    pages = range(0, len(sound), 4096)
    assert len(pages) > 10
    for place in pages[:10]:
        path.write_bytes(sound[:place] + b"\xaa" * 4096 + sound[place + 4096 :])
        assert "articles.sqlite3" in {each.where for each in checked(settings).differences}
    path.unlink()
    with pytest.raises(StoreError, match="anwen index PATH"):
        checked(settings)


def flip(path: Path, place: int) -> None:
    changed = bytearray(path.read_bytes())
    changed[place] ^= 1
    path.write_bytes(changed)


@pytest.mark.parametrize("backend", ["whoosh"], indirect=True, scope="session")
def test_every_damaged_section_of_the_index_is_named(settings: Settings) -> None:
    (live,) = (settings.data / "index").glob("0*")
    places = [
        (path, section.offset + section.size // 2, section.name)
        for path in (*live.glob("*.vdoc"), *live.glob("*.vpst"))
        for section in ContainerReader(path).sections
        if section.size
    ]
    for path, place, name in places:
        flip(path, place)
        (told,) = checked(settings).differences
        assert f"{path.name} is damaged: section {name}" in told.what
        assert told.repair == "Run: anwen index --rebuild"
        flip(path, place)
    for path, place, _ in places[-2:]:
        flip(path, place)
    assert len(checked(settings).differences) == 2


@pytest.mark.parametrize("backend", ["whoosh"], indirect=True, scope="session")
@pytest.mark.parametrize(
    ("name", "said"),
    [("current", "there is no index"), ("000001/anwen.json", "is missing")],
)
def test_a_missing_file_of_the_index_is_named(settings: Settings, name: str, said: str) -> None:
    (settings.data / "index" / name).unlink()
    (settings.data / "index" / "000001" / "anwen.json").unlink(missing_ok=True)
    assert said in checked(settings).differences[0].what


def test_an_index_that_does_not_fit_is_named(settings: Settings, tmp_path: Path) -> None:
    terms = tmp_path / "terms.txt"
    terms.write_text("电机厂\n", encoding="utf-8")
    (told,) = checked(replace(settings, terms=terms)).differences
    assert "another list of terms" in told.what


@pytest.mark.parametrize("backend", ["whoosh"], indirect=True, scope="session")
def test_what_killed_processes_leave_is_named_unless_a_writer_is_at_work(
    settings: Settings,
) -> None:
    index = settings.data / "index"
    left = [
        index / "000001" / "MAIN_x0x0x0.vdoc",
        index / "000002" / "MAIN_x0x0x0.vpst",
        index / "current.new",
    ]
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (index / "000000.damaged").mkdir()
    (settings.data / "operators own.txt").touch()
    with writing(settings.data):
        assert checked(settings).is_sound
    told = {each.where for each in checked(settings).differences}
    assert told == {"index/000001/MAIN_x0x0x0.vdoc", "index/000002", "index/current.new"}


@pytest.fixture
def writer(
    settings: Settings, analyzer: Analyzer, article_maker: Callable[..., Article]
) -> Iterator[list[int]]:
    """Stores, removes and indexes in a thread; the count of its commits."""

    def write() -> Generator[None, None, None]:
        index = open_index(settings, analyzer)
        for number in count(1001):
            with writing(settings.data), ArticleStore(settings.data / "articles.sqlite3") as store:
                raw = b"%d" % number
                article = article_maker(id=f"{number:016x}", title=f"第{number}号", body="正文")
                store.put_article(page_digest(raw), f"{number}.md", "md", raw, "1", article)
                if number > 1003:
                    store.remove(f"{number - 3:016x}")
                store.commit()
                changed = dict(store.changes(index.revision))
                rebuild = number % 7 == 0
                with index.writer(store.revision, rebuild=rebuild) as opened:
                    kept = list(store.articles()) if rebuild else [article]
                    opened.update_documents(index_batch(kept, analyzer, {}))
                    for identifier, document in changed.items():
                        if document is None and not rebuild:
                            opened.delete_document(identifier)
            yield

    with meanwhile(write()) as commits:
        yield commits


@pytest.mark.parametrize("backend", ["whoosh"], indirect=True, scope="session")
def test_a_folder_that_is_written_passes_in_every_moment(
    settings: Settings, writer: list[int]
) -> None:
    # As many as it takes: on a busy machine the writer commits seldom.
    seen = set()
    checks = 0
    while checks < 25 or len(seen) <= 5:
        assert checks < 1000
        verdict = checked(settings)
        assert verdict.differences == []
        seen.add(writer[0])
        checks += 1
