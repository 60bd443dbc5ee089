"""Data folders of older programs: told what to do, brought up to date, nothing lost."""

import json
import sqlite3
import subprocess
import sys
import zlib
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner, Result
from whoosh import fields
from whoosh.index import create_in

from index.errors import StoreError
from index.identity import article_id, article_key
from index.store import SCHEMA_ROWS, STORE_VERSION, ArticleStore, page_digest, store_schema
from web.cli import main

ROOT = Path(__file__).parents[2]

# What the first version wrote, word by word: it must stay as it is when the program changes.
VERSION_1 = """
CREATE TABLE page (
    digest  BLOB PRIMARY KEY,   -- of the bytes
    path    TEXT NOT NULL,
    format  TEXT NOT NULL,
    raw     BLOB,               -- deflated; NULL once the article was removed
    stages  TEXT NOT NULL,      -- fingerprint of the code and tables that read it
    article TEXT,               -- its article's id; NULL where it holds none
    reason  TEXT                -- why it holds none
) WITHOUT ROWID;
CREATE INDEX page_article ON page (article);
CREATE TABLE article (
    id       TEXT PRIMARY KEY,
    digest   BLOB NOT NULL,     -- the page it was read from
    path     TEXT NOT NULL,
    fetched  TEXT NOT NULL,     -- ISO 8601, empty where unknown
    length   INTEGER NOT NULL,  -- of the body, in characters
    revision INTEGER NOT NULL,
    document TEXT,              -- JSON; NULL once removed, or once its page holds no article
    removed  INTEGER NOT NULL   -- 1 where an operator has removed it for good
) WITHOUT ROWID;
CREATE UNIQUE INDEX article_revision ON article (revision);
CREATE INDEX article_digest ON article (digest);
CREATE TABLE counter (revision INTEGER NOT NULL);
INSERT INTO counter VALUES (0);
PRAGMA user_version = 1;
"""
PAGE = """---
title: 第{number}号稿件
url: {url}
source: 听潮网安
date: 2026-03-19
fetch_date: 2026-03-20T10:00:00
---

# 第{number}号稿件

2026-03-18 09:36:00

灰鹭团伙的第{number}次勒索，赎金要求逐次提高，被攻击的系统存在漏洞 CVE-2026-9001{number}。

位于槐州的电机制造商在事发当晚切断了与供应商之间的远程连接，第二天上午开始逐台恢复主机。

厂商随后发布公告，建议客户在升级之前停用批量下发功能，并核对三月以来新增的巡检脚本。
"""
REMOVED = 4


def address(number: int) -> str:
    return f"https://paper.example/news/{number}"


def identifier(number: int) -> str:
    return article_id(article_key(address(number), ""))


def document(number: int) -> str:
    """The record of an article as the first version kept it: no indicators, no definitions."""
    text = PAGE.format(number=number, url=address(number))
    published = "2026-03-18T09:36:00+08:00"
    record = {
        "id": identifier(number), "url": address(number), "title": f"第{number}号稿件",
        "published": published, "published_precision": "minute", "category": None,
        "category_printed": None, "category_predicted": False, "source": "听潮网安",
        "author": None, "tags": [], "lead": "", "body": text[text.index("灰鹭") :],
        "views": None, "images": [], "truncated": False, "fetched": "2026-03-20T10:00:00+08:00",
        "mentions": [
            {
                "name": "灰鹭", "type": "group", "salient": True, "surfaces": ["灰鹭团伙"],
                "evidence": [{"field": "body", "start": 0, "end": 4, "text": "灰鹭团伙"}],
            }
        ],
        "identifiers": [f"CVE-2026-9001{number}"],
    }  # fmt: skip
    return json.dumps(record, ensure_ascii=False)


def write_first_store(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.executescript("PRAGMA journal_mode = WAL;" + VERSION_1)
        for number in range(1, 6):
            raw = PAGE.format(number=number, url=address(number)).encode()
            kept = None if number == REMOVED else zlib.compress(raw, 3)
            database.execute(
                "INSERT INTO page VALUES (?, ?, 'md', ?, 'first', ?, NULL)",
                (page_digest(raw), f"{number}.md", kept, identifier(number)),
            )
            database.execute(
                "INSERT INTO article VALUES (?, ?, ?, '2026-03-20T10:00:00+08:00', 150, ?, ?, ?)",
                (
                    identifier(number), page_digest(raw), f"{number}.md", number,
                    None if number == REMOVED else document(number), number == REMOVED,
                ),
            )  # fmt: skip
        raw = "# 请输入验证码\n\n请输入验证码后继续访问".encode()
        database.execute(
            "INSERT INTO page VALUES (?, 'captcha.md', 'md', ?, 'first', NULL, 'captcha')",
            (page_digest(raw), zlib.compress(raw, 3)),
        )
        database.execute("UPDATE counter SET revision = 5")
        database.commit()


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A data folder of the first version: store version 1, an index of schema 1."""
    data = tmp_path / "data"
    generation = data / "index" / "000001"
    generation.mkdir(parents=True)
    write_first_store(data / "articles.sqlite3")
    index = create_in(generation, fields.Schema(id=fields.ID(unique=True), title=fields.TEXT))
    writer = index.writer()
    for number in range(1, 4):
        writer.add_document(id=identifier(number), title=f"第{number}号稿件")
    writer.commit()
    about = {"schema": 1, "analyzer": "0123456789abcdef", "revision": 5}
    (generation / "anwen.json").write_text(json.dumps(about), encoding="utf-8")
    (data / "index" / "current").write_text("1", encoding="utf-8")
    return data


def anwen(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--data", str(data), *arguments])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::SyntaxWarning")  # of Whoosh's own codec
def test_a_folder_of_the_first_version_is_brought_up_to_date_by_a_rebuild(first: Path) -> None:
    before = {each: each.read_bytes() for each in first.rglob("*") if each.suffix != ".sqlite3-shm"
              and each.is_file()}  # fmt: skip
    for reading in (["search", "灰鹭团伙"], ["info"], ["related", identifier(1)]):
        refused = anwen(first, *reading)
        assert refused.exit_code == 1, refused.output
        assert "anwen index --rebuild" in refused.stderr
        assert "Traceback" not in refused.output
    assert {each: each.read_bytes() for each in before} == before
    assert anwen(first, "index", str(first)).exit_code == 1
    built = anwen(first, "index", "--rebuild", "--jobs", "1")
    assert built.exit_code == 0, built.output
    about = json.loads(anwen(first, "info", "--json").stdout)
    assert (about["articles"], about["removed"], about["pages"], about["stale"]) == (4, 1, 6, 0)
    assert about["indexed_revision"] == about["revision"] >= 5
    assert about["out_of_date"] is None
    hits = json.loads(anwen(first, "search", "灰鹭团伙", "--json").stdout)["hits"]
    assert {hit["id"] for hit in hits} == {identifier(each) for each in (1, 2, 3, 5)}
    with ArticleStore(first / "articles.sqlite3", read_only=True) as store:
        assert store.source_of(identifier(REMOVED)) == (
            page_digest(PAGE.format(number=REMOVED, url=address(REMOVED)).encode()),
            True,
        )
        article = store.article(identifier(2))
    assert article.identifiers == ("CVE-2026-90012",)
    assert article.published is not None


def test_the_first_step_of_the_store_is_still_the_first_version(tmp_path: Path) -> None:
    write_first_store(tmp_path / "first.sqlite3")
    with closing(sqlite3.connect(tmp_path / "first.sqlite3")) as database:
        assert sorted(database.execute(SCHEMA_ROWS)) == store_schema(1)


MIGRATING = """
import os, signal, sqlite3, sys
from pathlib import Path
from index.store import ArticleStore

connect, left = sqlite3.connect, int(sys.argv[2])

def count():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

def counting(*arguments, **options):
    connection = connect(*arguments, **options)
    connection.set_progress_handler(count, 1)  # between any two steps of SQLite's machine
    return connection

sqlite3.connect = counting
ArticleStore(Path(sys.argv[1])).close()
"""


@pytest.mark.slow
@pytest.mark.parametrize("from_nothing", [False, True])
def test_a_kill_in_an_upgrade_leaves_a_whole_version(tmp_path: Path, from_nothing: bool) -> None:
    path = tmp_path / "articles.sqlite3"
    random = Random(9)
    seen, moment = set(), 0
    for _ in range(40):
        moment += random.randint(60, 240)
        for each in tmp_path.iterdir():
            each.unlink()
        if not from_nothing:
            write_first_store(path)
        process = subprocess.run(
            [sys.executable, "-c", MIGRATING, str(path), str(moment)],
            capture_output=True, text=True, cwd=ROOT, check=False,
        )  # fmt: skip
        if process.returncode == 0:
            break
        assert process.returncode == -9, process.stderr
        with closing(sqlite3.connect(path)) as database:
            (version,) = database.execute("PRAGMA user_version").fetchone()
            assert sorted(database.execute(SCHEMA_ROWS)) == store_schema(version)
            seen.add(version)
            if not from_nothing:
                assert database.execute("SELECT count(*) FROM page").fetchone() == (6,)
        with ArticleStore(path) as store:
            assert len(list(store.articles())) == (0 if from_nothing else 4)
    assert process.returncode == 0  # every moment was tried, in steps
    assert len(seen) >= STORE_VERSION - (not from_nothing) - 1


def test_a_store_of_a_later_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "articles.sqlite3"
    ArticleStore(path).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {STORE_VERSION + 1}")
    before = path.read_bytes()
    for read_only in (True, False):
        with pytest.raises(StoreError, match="Install the version of anwen that wrote it"):
            ArticleStore(path, read_only=read_only)
    assert path.read_bytes() == before


def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "articles.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        database.executescript("PRAGMA journal_mode = WAL; CREATE TABLE recipe (name TEXT);")
    for read_only in (True, False):
        with pytest.raises(StoreError, match="is no article store"):
            ArticleStore(path, read_only=read_only)
    with closing(sqlite3.connect(path)) as database:
        assert [name for _, name, _ in database.execute(SCHEMA_ROWS)] == ["recipe"]
