"""The article store: which copy of an article is kept, what stays removed, how it fails."""

import random
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from index.corpus import MAX_PAGE_BYTES
from index.document import BEIJING, Article, Indicator, Mention, OrganisationType
from index.duplicates import fingerprints
from index.entities import Denials, Organisation, OrganisationTable
from index.errors import StoreError, UnknownArticle
from index.identity import article_id, article_key
from index.store import ArticleStore, page_bytes, page_digest

URL = "https://news.example/posts/1"
ID = article_id(article_key(URL, ""))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ArticleStore]:
    with ArticleStore(tmp_path / "articles.sqlite3") as opened:
        yield opened


@pytest.fixture
def put(
    store: ArticleStore, article_maker: Callable[..., Article]
) -> Callable[..., tuple[str, Article]]:
    def put(
        raw: str, path: str = "a.md", stages: str = "1", **values: object
    ) -> tuple[str, Article]:
        article = article_maker(**({"id": ID, "url": URL} | values))
        data = raw.encode()
        return store.put_article(page_digest(data), path, "md", data, stages, article), article

    return put


def day(number: int) -> datetime:
    return datetime(2024, 5, number, tzinfo=BEIJING)


def test_an_article_comes_back_as_it_went_in(
    store: ArticleStore, put: Callable[..., tuple[str, Article]]
) -> None:
    outcome, article = put("x", published=day(1), tags=("甲", "乙"), body="正文", fetched=day(2))
    assert outcome == "added"
    assert store.article(ID) == article


def test_an_article_comes_back_with_its_indicators_and_from_before_there_were_any(
    store: ArticleStore, put: Callable[..., tuple[str, Article]], tmp_path: Path
) -> None:
    known = (Indicator(type="domain", value="lanting.top"),)
    put("x", indicators=known)
    store.commit()
    assert store.article(ID).indicators == known
    with closing(sqlite3.connect(tmp_path / "articles.sqlite3")) as database:
        database.execute("UPDATE article SET document = json_remove(document, '$.indicators')")
        database.commit()
    assert store.article(ID).indicators == ()


def test_the_newer_crawl_wins_then_the_longer_body(
    store: ArticleStore, put: Callable[..., tuple[str, Article]]
) -> None:
    put("1", "a.md", fetched=day(2), body="二")
    assert put("2", "b.md", fetched=day(1), body="更长的正文")[0] == "repeated"
    assert put("3", "c.md", fetched=day(2), body="短")[0] == "repeated"
    assert put("4", "d.md", fetched=day(2), body="更长")[0] == "updated"
    assert put("5", "e.md", fetched=day(3), body="")[0] == "updated"
    assert store.article(ID).body == ""


def test_a_page_that_changed_under_its_own_path_replaces_its_former_self(
    store: ArticleStore, put: Callable[..., tuple[str, Article]]
) -> None:
    put("long", body="很长的正文")
    assert put("short", body="短")[0] == "updated"
    assert store.article(ID).body == "短"


def test_the_same_page_read_again_changes_nothing_unless_extraction_did(
    store: ArticleStore, put: Callable[..., tuple[str, Article]]
) -> None:
    put("x", body="正文")
    revision = store.revision
    assert put("x", body="正文", stages="2")[0] == "unchanged"
    assert store.revision == revision
    assert put("x", body="更好的正文", stages="3")[0] == "updated"
    assert store.revision > revision


def test_a_page_without_an_address_under_another_path_repeats_its_article(
    put: Callable[..., tuple[str, Article]],
) -> None:
    first = article_id(article_key(None, "a.md"))
    second = article_id(article_key(None, "b.md"))
    assert put("x", "a.md", id=first, url=None)[0] == "added"
    assert put("x", "b.md", id=second, url=None)[0] == "repeated"


def test_a_whole_page_replaces_what_was_read_of_it_before_it_was_written(
    store: ArticleStore, put: Callable[..., tuple[str, Article]]
) -> None:
    half = article_id(article_key(None, "a.md"))
    assert put("# 标题", id=half, url=None)[0] == "added"
    store.add_fingerprint(half, fingerprints([store.article(half)])[0])
    revision = store.revision
    assert put("# 标题，以及其余")[0] == "added"
    assert [article.id for article in store.articles()] == [ID]
    assert (half, None) in store.changes(revision)
    # Neither a rebuild nor another run reads the part again.
    assert store.statistics("2")["stale"] == 1
    store.settle_clusters()


def test_a_whole_page_without_an_article_drops_that_of_its_beginning(
    store: ArticleStore, put: Callable[..., tuple[str, Article]]
) -> None:
    put("# 标题", id=article_id(article_key(None, "a.md")), url=None)
    raw = "# 标题，以及其余".encode()
    store.put_skipped(page_digest(raw), "a.md", "md", raw, "1", "links")
    assert list(store.articles()) == []
    assert store.statistics("2")["pages"] == 1


@pytest.mark.parametrize("path", ["a.md", "b.md"])
def test_another_page_under_the_path_of_a_page_without_an_address_leaves_its_article(
    store: ArticleStore, put: Callable[..., tuple[str, Article]], path: str
) -> None:
    first = article_id(article_key(None, "a.md"))
    put("# 标题", "a.md", id=first, url=None)
    put("# 别的" if path == "a.md" else "# 标题，以及其余", path)
    assert {article.id for article in store.articles()} == {first, ID}


def test_removed_stays_removed_until_undone(
    store: ArticleStore, put: Callable[..., tuple[str, Article]]
) -> None:
    put("x", body="正文")
    store.remove(ID)
    with pytest.raises(UnknownArticle):
        store.article(ID)
    assert put("x")[0] == "removed"
    assert put("another version")[0] == "removed"
    assert list(store.changes(1)) == [(ID, None)]
    before = store.revision
    store.undo_remove(ID)
    assert put("x")[0] == "added"
    assert [identifier for identifier, article in store.changes(before) if article] == [ID]


def test_the_page_of_a_live_article_is_not_given_to_a_removed_one(
    store: ArticleStore, put: Callable[..., tuple[str, Article]]
) -> None:
    here, gone = (article_id(article_key(None, path)) for path in ("a.md", "b.md"))
    put("other", path="b.md", id=gone, url=None)
    store.remove(gone)
    put("same", path="a.md", id=here, url=None)
    # Other code reads them again, and meets the bytes at the removed one's path first.
    assert put("same", path="b.md", stages="2", id=gone, url=None)[0] == "repeated"
    page = store.page(page_digest(b"same"))
    assert page is not None
    assert page.article == here
    assert list(store.stale_pages("2")) == [("a.md", "md", b"same")]


def test_removing_leaves_no_text_behind(
    store: ArticleStore, put: Callable[..., tuple[str, Article]]
) -> None:
    put("原始页面", body="正文")
    store.remove(ID)
    assert store.page(page_digest("原始页面".encode())) is not None
    assert list(store.stale_pages("other")) == []


def test_an_article_whose_page_no_longer_holds_one_is_dropped(
    store: ArticleStore, put: Callable[..., tuple[str, Article]]
) -> None:
    put("x", body="正文")
    store.put_skipped(page_digest(b"x"), "a.md", "md", b"x", "2", "shell")
    with pytest.raises(UnknownArticle):
        store.article(ID)
    assert list(store.changes(1)) == [(ID, None)]
    assert put("y", body="新的正文")[0] == "added"


def test_stale_pages_are_those_of_other_code(
    store: ArticleStore, put: Callable[..., tuple[str, Article]]
) -> None:
    put("x", stages="1")
    assert [(path, raw) for path, _, raw in store.stale_pages("2")] == [("a.md", b"x")]
    assert list(store.stale_pages("1")) == []


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param(zlib.compress(b"a" * (MAX_PAGE_BYTES + 1)), id="too large"),
        pytest.param(zlib.compress(b"a" * 1000)[:-5], id="cut"),
        pytest.param(b"abcd", id="no page"),
        pytest.param(b"", id="empty"),
    ],
)
def test_a_page_that_expands_too_far_or_is_cut_is_damaged(
    tmp_path: Path, store: ArticleStore, put: Callable[..., tuple[str, Article]], kept: bytes
) -> None:
    put("原文")
    store.commit()
    with closing(sqlite3.connect(tmp_path / "articles.sqlite3")) as database:
        database.execute("UPDATE page SET raw = ?", (kept,))
        database.commit()
    with pytest.raises(StoreError, match=r"cut short or too large|incorrect header"):
        list(store.stale_pages("2"))


def test_the_largest_page_comes_back_whole() -> None:
    raw = b"a" * MAX_PAGE_BYTES
    assert page_bytes(zlib.compress(raw, 3)) == raw


def test_an_article_is_found_by_any_form_of_its_address(
    store: ArticleStore, put: Callable[..., tuple[str, Article]]
) -> None:
    put("x")
    for form in (ID, URL, "http://NEWS.example/posts/1/?utm_source=a#top"):
        assert store.resolve(form) == ID
    with pytest.raises(UnknownArticle):
        store.resolve("https://news.example/posts/2")


def test_a_missing_store_names_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="anwen index PATH"):
        ArticleStore(tmp_path / "none.sqlite3", read_only=True)


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "articles.sqlite3"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError, match=r"not a database.*anwen index PATH"):
        ArticleStore(path)


@pytest.mark.parametrize("wanted", ["x\udcff", "https://news.example/\udcff", "\ud800", "\x00", ""])
def test_what_no_article_can_be_called_is_unknown(store: ArticleStore, wanted: str) -> None:
    for look_up in (store.resolve, store.article, store.remove, store.undo_remove):
        with pytest.raises(UnknownArticle):
            look_up(wanted)
    assert store.source_of(wanted) is None


READINGS: dict[str, Callable[[ArticleStore], object]] = {
    "article": lambda store: store.article(f"{7:016x}"),
    "articles": lambda store: list(store.articles()),
    "changes": lambda store: list(store.changes(0)),
    "page": lambda store: store.page(page_digest(b"7")),
    "resolve": lambda store: store.resolve(URL),
    "revision": lambda store: store.revision,
    "stale_pages": lambda store: list(store.stale_pages("other")),
    "statistics": lambda store: store.statistics("1"),
}


@pytest.fixture
def full_store(tmp_path: Path, article_maker: Callable[..., Article]) -> Path:
    """The path of a store of fifty articles, which nobody has open."""
    path = tmp_path / "full.sqlite3"
    with ArticleStore(path) as store:
        for number in range(50):
            raw = str(number).encode()
            article = article_maker(id=f"{number:016x}", body=f"{number}" * 1000)
            store.put_article(page_digest(raw), f"{number}.md", "md", raw, "1", article)
    return path


@pytest.mark.parametrize("reading", READINGS)
def test_a_damaged_file_is_a_store_error_that_names_the_repair(
    full_store: Path, reading: str
) -> None:
    with full_store.open("r+b") as file:
        file.seek(4096)  # behind the page that says what tables there are
        file.write(b"\xee" * (full_store.stat().st_size - 4096))
    with (
        closing(ArticleStore(full_store, read_only=True)) as store,
        pytest.raises(StoreError, match=r"full\.sqlite3.*backup.*anwen index PATH"),
    ):
        READINGS[reading](store)


@pytest.mark.parametrize(
    ("reading", "statement"),
    [
        ("article", "UPDATE article SET document = '{'"),
        ("changes", "UPDATE article SET document = CAST(x'ff' AS TEXT)"),
        ("stale_pages", "UPDATE page SET raw = x'ff'"),
    ],
)
def test_a_damaged_record_is_a_store_error_too(
    full_store: Path, reading: str, statement: str
) -> None:
    with closing(sqlite3.connect(full_store)) as database:
        database.execute(statement)
        database.commit()
    with (
        closing(ArticleStore(full_store, read_only=True)) as store,
        pytest.raises(StoreError, match="backup"),
    ):
        READINGS[reading](store)


def test_a_locked_store_says_to_wait(full_store: Path) -> None:
    with closing(sqlite3.connect(full_store)) as other, closing(ArticleStore(full_store)) as store:
        store._database.run("PRAGMA busy_timeout = 0")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"locked.*Wait"):
            store.remove(f"{7:016x}")
        other.rollback()
        store.remove(f"{7:016x}")


def test_a_full_disk_is_a_store_error_and_loses_nothing_that_was_kept(full_store: Path) -> None:
    noise = random.Random(1).randbytes(100_000)
    with closing(ArticleStore(full_store)) as store:
        store._database.run("PRAGMA max_page_count = 1")  # as many as there are
        with pytest.raises(StoreError, match=r"full.*disk"):
            store.put_skipped(b"digest", "a.md", "md", noise, "1", "shell")
    with closing(ArticleStore(full_store, read_only=True)) as store:
        assert len(list(store.articles())) == 50


def test_a_mistake_of_the_program_stays_loud(full_store: Path) -> None:
    store = ArticleStore(full_store, read_only=True)
    store.close()
    with pytest.raises(sqlite3.ProgrammingError):
        store.article(f"{7:016x}")


def named(name: str, *defined: str, type_: OrganisationType = "company") -> Mention:
    return Mention(
        name=name, type=type_, salient=True, surfaces=(name,), evidence=(), defined=defined
    )


def names(store: ArticleStore, url: str) -> list[str]:
    return [mention.name for mention in store.article(url).mentions]


TABLE = OrganisationTable(())
FULL, SHORT = "海宁岫云科技有限公司", "岫云%"


@pytest.fixture
def define(put: Callable[..., tuple[str, Article]]) -> Callable[..., None]:
    def define(count: int, full: str = FULL, prefix: str = "d", body: str = "正文") -> None:
        for number in range(count):
            put(
                f"{prefix}{number}",
                f"{prefix}{number}.md",
                id=f"{prefix}{number}",
                url=None,
                body=f"{body}{number}" if body else "同文",
                mentions=(named(full, SHORT),),
            )

    return define


def test_a_short_name_that_three_articles_define_alike_holds_in_all(
    store: ArticleStore,
    put: Callable[..., tuple[str, Article]],
    define: Callable[..., None],
) -> None:
    put("0", "0.md", id="before", mentions=(named(SHORT, type_="other"), named("微软")))
    define(2)
    assert store.learn(TABLE) == {}
    assert names(store, "before") == [SHORT, "微软"]
    put("3", "3.md", id="a3", body="第三", mentions=(named(FULL, SHORT), named(SHORT)))
    revision = store.revision
    assert store.learn(TABLE) == {SHORT: (FULL, "company")}
    assert names(store, "before") == [FULL, "微软"]
    assert store.article("before").mentions[0].type == "company"
    assert names(store, "a3") == [FULL]
    assert {article for article, _ in store.changes(revision)} == {"before", "a3"}
    put("4", "4.md", id="after", mentions=(named(SHORT),))
    assert names(store, "after") == [FULL]
    assert store.learn(TABLE) == {}


def test_copies_of_one_text_agree_on_nothing(
    store: ArticleStore, define: Callable[..., None]
) -> None:
    define(5, body="")
    assert store.learn(TABLE) == {}


def test_a_short_name_of_two_organisations_is_not_learned(
    store: ArticleStore, define: Callable[..., None]
) -> None:
    define(3)
    define(1, full="乙省岫云有限公司", prefix="other")
    assert store.learn(TABLE) == {}


def test_a_name_that_the_table_knows_is_not_learned(
    store: ArticleStore, define: Callable[..., None]
) -> None:
    define(3)
    row = Organisation(name=SHORT, type="group", aliases=(), weak=frozenset(), source="")
    assert store.learn(OrganisationTable([row])) == {}


def test_what_holds_no_longer_is_unlearned_and_its_articles_are_read_again(
    store: ArticleStore,
    put: Callable[..., tuple[str, Article]],
    define: Callable[..., None],
) -> None:
    define(3)
    store.learn(TABLE)
    put("x", "x.md", id="x", mentions=(named(SHORT),))
    assert store.statistics("1")["stale"] == 0
    store.remove("d1")
    assert store.learn(TABLE) == {}
    assert {path for path, *_ in store.stale_pages("1")} == {"d0.md", "d2.md", "x.md"}
    put("y", "y.md", id="y", mentions=(named(SHORT),))
    assert names(store, "y") == [SHORT]


def test_what_is_denied_does_not_come_back_by_a_learned_name(
    tmp_path: Path, define: Callable[..., None], store: ArticleStore
) -> None:
    define(3)
    store.learn(TABLE)
    store.commit()
    denials = Denials(everywhere=frozenset({FULL}))
    with ArticleStore(tmp_path / "articles.sqlite3", denials=denials) as denying:
        article = replace(denying.article("d0"), id="z", mentions=(named(SHORT), named("微软")))
        denying.put_article(b"z", "z.md", "md", b"z", "1", article)
        assert names(denying, "z") == ["微软"]


def test_half_of_a_character_in_a_definition_stops_nothing(
    store: ArticleStore, put: Callable[..., tuple[str, Article]]
) -> None:
    assert put("s", mentions=(named(FULL, "岫\ud800云"),))[0] == "added"
    assert store.learn(TABLE) == {}


SINCE_2 = ("definition", "learned")
SINCE_3 = ("fingerprint", "band", "duplicate", "cluster", "due", "unsettled", "fingerprinting")
SINCE_4 = ("followed",)


@pytest.mark.parametrize(
    ("version", "missing"),
    [(1, SINCE_2 + SINCE_3 + SINCE_4), (2, SINCE_3 + SINCE_4), (3, SINCE_4)],
)
def test_a_store_of_an_older_version_is_brought_up_to_date(
    tmp_path: Path, article_maker: Callable[..., Article], version: int, missing: tuple[str, ...]
) -> None:
    path = tmp_path / "articles.sqlite3"
    with ArticleStore(path) as store:
        store.put_article(b"1", "a.md", "md", b"", "1", article_maker(id=ID))
    with closing(sqlite3.connect(path)) as database:
        for table in missing:
            database.execute(f"DROP TABLE {table}")
        database.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(StoreError, match="Run: anwen index --rebuild"):
        ArticleStore(path, read_only=True)
    with ArticleStore(path) as store:
        assert store.learn(TABLE) == {}
        assert store.without_fingerprint("1") == [ID]
