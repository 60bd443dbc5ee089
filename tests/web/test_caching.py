"""Validators: what a reader has already is not searched for again, and no commit is missed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from index.build import build, remove
from index.settings import Settings
from search import open_searcher
from web import create_app

PAGE = """---
title: 第{number}条生产线停机
url: https://tingchao.example/news/{number}
source: 听潮网安
date: 2026-03-19
fetch_date: 2026-03-20T10:00:00
---

# 第{number}条生产线停机

2026-03-18 09:36:00

位于槐州的电机制造商在事发当晚切断了与供应商之间的远程连接，第{number}天上午开始逐台恢复主机。

厂商随后发布公告，建议客户在升级之前停用批量下发功能，并核对三月以来新增的巡检脚本。
"""


class Silent:
    """A progress nobody sees."""

    def stage(self, name: str, total: int | None) -> None: ...

    def advance(self, steps: int = 1, share: float | None = None) -> None: ...


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "1.md").write_text(PAGE.format(number=1), encoding="utf-8")
    build(Settings(data=tmp_path / "data"), [pages], jobs=1, progress=Silent())
    return tmp_path


@pytest.fixture
def changing(folder: Path) -> Iterator[Flask]:
    settings = Settings(data=folder / "data")
    searcher = open_searcher(settings)
    yield create_app(settings, searcher)
    searcher.close()


PATHS = [
    "/",
    "/search?q=漏洞",
    "/article/" + f"{7:016x}",
    "/organisation/青梧机电",
    "/organisations",
    "/api/v1/search?q=漏洞",
    "/api/v1/articles/" + f"{7:016x}",
    "/api/v1/articles/" + f"{7:016x}" + "/related",
]


@pytest.mark.parametrize("path", PATHS)
def test_an_answer_is_not_made_twice(site: Flask, path: str) -> None:
    client = site.test_client()
    first = client.get(path)
    assert first.headers["ETag"].startswith('W/"')
    assert first.cache_control.no_cache
    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Content-Security-Policy"]


def test_a_tag_is_of_one_address(site: Flask) -> None:
    client = site.test_client()
    tags = [client.get(path).headers["ETag"] for path in PATHS]
    assert len(set(tags)) == len(tags)
    other = client.get("/search?q=勒索软件", headers={"If-None-Match": ", ".join(tags)})
    assert other.status_code == 200


@pytest.mark.parametrize("path", ["/search?q=停机", "/api/v1/search?q=停机"])
def test_a_commit_is_seen_at_once(changing: Flask, folder: Path, path: str) -> None:
    client = changing.test_client()
    tag = client.get(path).headers["ETag"]
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 304
    (folder / "pages" / "2.md").write_text(PAGE.format(number=2), encoding="utf-8")
    build(Settings(data=folder / "data"), [folder / "pages"], jobs=1, progress=Silent())
    added = client.get(path, headers={"If-None-Match": tag})
    assert added.status_code == 200
    hits = client.get("/api/v1/search?q=停机&duplicates=show").get_json()["hits"]
    remove(Settings(data=folder / "data"), [hits[0]["id"]])
    removed = client.get(path, headers={"If-None-Match": added.headers["ETag"]})
    assert removed.status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/draft",
        "/api/v1/suggest?q=漏",
        "/api/v1/search?q=漏洞&format=csv",
        "/api/v1/search?sort=best",
        "/article/none",
        "/healthz",
    ],
)
def test_what_may_change_or_failed_has_no_tag(site: Flask, path: str) -> None:
    assert "ETag" not in site.test_client().get(path).headers


def test_any_tag_at_all_is_answered_in_full(site: Flask) -> None:
    headers = {"If-None-Match": "*"}
    assert site.test_client().get("/search?q=漏洞", headers=headers).status_code == 200


def test_another_day_is_another_answer(site: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import datetime, timedelta

    from web import caching

    class Tomorrow(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(days=1)  # type: ignore[arg-type]

    client = site.test_client()
    tag = client.get("/search?q=漏洞").headers["ETag"]
    monkeypatch.setattr(caching, "datetime", Tomorrow)
    assert client.get("/search?q=漏洞", headers={"If-None-Match": tag}).status_code == 200
