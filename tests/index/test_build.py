"""The pipeline: pages in, store and index in step, whatever happens on the way."""

import os
import shutil
from pathlib import Path

import pytest

from index.build import build, remove
from index.errors import AnwenError, IndexOutOfDate, StoreError, StoreLocked, UnknownArticle
from index.lock import writing
from index.settings import Settings
from index.store import ArticleStore
from index.summary import Summary
from search import SearchRequest, open_searcher
from tests.reliability.checking import Silent

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("inline")]

PAGE = """---
title: {title}
url: https://paper.example/news/{number}
source: 听潮网安
date: 2026-03-19
fetch_date: 2026-03-20T10:00:00
---

# {title}

2026-03-18 09:36:00

{body}

位于槐州的电机制造商在事发当晚切断了与供应商之间的远程连接，第二天上午开始逐台恢复主机。

厂商随后发布公告，建议客户在升级之前停用批量下发功能，并核对三月以来新增的巡检脚本。
"""


def write_page(folder: Path, number: int, body: str, title: str = "") -> Path:
    path = folder / f"{number}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = PAGE.format(number=number, title=title or f"第{number}号稿件", body=body)
    path.write_text(text, encoding="utf-8")
    return path


def run(settings: Settings, *paths: Path, rebuild: bool = False) -> Summary:
    return build(settings, paths, rebuild=rebuild, jobs=1, progress=Silent())


def found(settings: Settings, query: str) -> list[str]:
    searcher = open_searcher(settings)
    try:
        return [hit.title for hit in searcher.search(SearchRequest(query=query)).hits]
    finally:
        searcher.close()


@pytest.fixture
def crawl(tmp_path: Path) -> Path:
    folder = tmp_path / "crawl"
    for number in range(1, 4):
        write_page(folder, number, f"灰鹭团伙的第{number}次勒索，赎金要求逐次提高。")
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data")


def test_a_page_that_prints_no_category_is_found_in_the_one_that_is_guessed(
    settings: Settings, tmp_path: Path
) -> None:
    body = "\n\n".join(
        (
            "第九届网络安全大会将于下月在杭州举办，大会由主论坛和五个分论坛组成，议程现已公布。",
            "与会嘉宾将围绕数据安全与人工智能发表主题演讲，现场还将举行颁奖典礼。",
            "报名通道现已开启，扫码即可报名，期待与您相聚。",
        )
    )
    folder = tmp_path / "events"
    folder.mkdir()
    for number, (title, byline) in enumerate(
        (
            ("议程公布！第九届网络安全大会报名开启", "2026-03-18 09:36"),
            (
                "对话大会主席",
                "作者：苏棠 | 分类：[专访](/category/people) | 2026-03-18 09:36 | 阅读 12",
            ),
        )
    ):
        text = f"# {title}\n\n{byline}\n\n{body}\n"
        (folder / f"{number}.md").write_text(text, encoding="utf-8")
    run(settings, folder)
    searcher = open_searcher(settings)
    try:
        results = searcher.search(SearchRequest(query="网络安全大会"))
    finally:
        searcher.close()
    hits = {hit.title[:2]: (hit.category, hit.category_predicted) for hit in results.hits}
    assert hits == {"议程": ("活动", True), "对话": ("访谈", False)}
    assert {bucket.value: bucket.count for bucket in results.facets["category"]} == {
        "活动": 1,
        "访谈": 1,
    }


def test_pages_become_searchable_and_a_second_run_changes_nothing(
    settings: Settings, crawl: Path
) -> None:
    first = run(settings, crawl)
    assert (first.pages, first.added) == (3, 3)
    assert len(found(settings, "灰鹭团伙")) == 3
    second = run(settings, crawl)
    assert (second.pages, second.unchanged) == (3, 3)
    assert second.generation == first.generation


def test_a_changed_page_replaces_its_former_self(settings: Settings, crawl: Path) -> None:
    run(settings, crawl)
    write_page(crawl, 2, "夜梭公布了另一批科研数据，校方称未涉密。")
    assert run(settings, crawl).updated == 1
    assert found(settings, "夜梭") == ["第2号稿件"]
    assert len(found(settings, "灰鹭团伙")) == 2


def test_bad_pages_are_counted_and_never_stop_a_run(settings: Settings, crawl: Path) -> None:
    (crawl / "empty.md").write_bytes(b"")
    (crawl / "broken.html").write_bytes(b"\xff\xfe\x00\xd8" + os.urandom(500))
    with (crawl / "huge.md").open("wb") as file:
        file.truncate(8 * 2**20 + 1)
    summary = run(settings, crawl)
    assert summary.added == 3
    assert summary.pages == 6
    problems = {Path(page).name: reason for page, _, reason in summary.problems}
    assert set(problems) == {"empty.md", "broken.html", "huge.md"}
    assert all(problems.values())


def test_removed_articles_are_gone_from_both_and_stay_gone(settings: Settings, crawl: Path) -> None:
    run(settings, crawl)
    (identifier,) = remove(settings, ["http://paper.example/news/2/"])
    assert sorted(found(settings, "灰鹭团伙")) == ["第1号稿件", "第3号稿件"]
    assert run(settings, crawl).removed == 1
    assert len(found(settings, "灰鹭团伙")) == 2
    remove(settings, [identifier], undo=True)
    assert run(settings, crawl).added == 1
    assert len(found(settings, "灰鹭团伙")) == 3
    with pytest.raises(UnknownArticle):
        remove(settings, ["0" * 16])


def test_other_terms_ask_for_a_rebuild_and_the_rebuild_repairs(
    settings: Settings, crawl: Path, tmp_path: Path
) -> None:
    generation = run(settings, crawl).generation
    terms = tmp_path / "terms.txt"
    terms.write_text("灰鹭团伙\n", encoding="utf-8")
    changed = Settings(data=settings.data, terms=terms)
    with pytest.raises(IndexOutOfDate, match="anwen index --rebuild"):
        found(changed, "灰鹭")
    with pytest.raises(IndexOutOfDate, match="anwen index --rebuild"):
        run(changed, crawl)
    assert run(changed, rebuild=True).generation > generation
    assert len(found(changed, "灰鹭团伙")) == 3


def test_a_rebuild_reads_stale_pages_again_from_the_store(
    settings: Settings, crawl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(settings, crawl)
    for path in crawl.iterdir():
        path.unlink()
    monkeypatch.setattr("index.build.stages_fingerprint", lambda _: "newer")
    run(settings, rebuild=True)
    assert len(found(settings, "灰鹭团伙")) == 3
    with ArticleStore(settings.data / "articles.sqlite3", read_only=True) as store:
        assert store.statistics("newer")["stale"] == 0


def test_two_writers_take_turns_and_the_second_says_who_is_the_first(
    settings: Settings, crawl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.lock._SECONDS", 0.1)
    with writing(settings.data), pytest.raises(StoreLocked, match=f"process {os.getpid()} on "):
        run(settings, crawl)


def test_an_open_searcher_sees_the_next_commit(settings: Settings, crawl: Path) -> None:
    run(settings, crawl)
    searcher = open_searcher(settings)
    assert searcher.search(SearchRequest(query="灰鹭团伙")).total == 3
    write_page(crawl, 4, "灰鹭团伙又一次得手。")
    run(settings, crawl)
    assert searcher.search(SearchRequest(query="灰鹭团伙")).total == 4
    run(settings, rebuild=True)
    assert searcher.search(SearchRequest(query="灰鹭团伙")).total == 4
    searcher.close()


@pytest.mark.parametrize("suffix", [".json", ".toc", ".vdoc", ".vpst"])
def test_the_next_run_sets_a_damaged_index_aside_and_builds_it_anew_by_itself(
    settings: Settings, crawl: Path, caplog: pytest.LogCaptureFixture, suffix: str
) -> None:
    run(settings, crawl)
    (path,) = (settings.data / "index" / "000001").glob(f"*{suffix}")
    damaged = bytearray(path.read_bytes())
    damaged[100 if suffix[1] == "v" else 20] ^= 1
    path.write_bytes(damaged)
    write_page(crawl, 4, "灰鹭团伙又一次得手。")
    if suffix == ".toc":  # whichever command writes next
        remove(settings, ["https://paper.example/news/1"])
    summary = run(settings, crawl)
    assert (summary.added, summary.generation) == (1, 2)
    assert len(found(settings, "灰鹭团伙")) == (3 if suffix == ".toc" else 4)
    assert path.name in caplog.text
    assert "built anew from the article store" in caplog.text
    assert (settings.data / "index" / "000001.damaged" / path.name).read_bytes() == damaged
    caplog.clear()
    assert run(settings, crawl).generation == 2
    assert not caplog.text


def test_a_page_that_changes_back_is_read_again_and_a_rebuild_keeps_the_newest(
    settings: Settings, crawl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for body in ("夜梭的第一版说明。", "夜梭的第二版说明。", "夜梭的第一版说明。"):
        write_page(crawl, 2, body)
        run(settings, crawl)
        assert len(found(settings, f"“{body}”")) == 1
    monkeypatch.setattr("index.build.stages_fingerprint", lambda _: "newer")
    run(settings, rebuild=True)
    assert len(found(settings, "“夜梭的第一版说明”")) == 1
    assert found(settings, "“夜梭的第二版说明”") == []


def test_a_path_that_does_not_exist_leaves_nothing_behind(settings: Settings) -> None:
    with pytest.raises(AnwenError, match="does not exist"):
        run(settings, settings.data / "nowhere")
    assert not settings.data.exists()


def test_a_data_folder_that_cannot_be_made_is_named(crawl: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    impossible = Settings(data=tmp_path / "file" / "data")
    with pytest.raises(StoreError, match="cannot be written"):
        run(impossible, crawl)
    with pytest.raises(StoreError, match="cannot be written"):
        remove(impossible, ["x"])


def behind(settings: Settings, crawl: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Index three pages, then store two more as a run does that is killed before it indexes."""
    run(settings, crawl)
    for number in (8, 9):
        write_page(crawl, number, "灰鹭团伙再次得手，索要的赎金又有提高。")

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("index.build._catch_up", killed)
        with pytest.raises(KeyboardInterrupt):
            run(settings, crawl)


def test_a_removal_leaves_an_index_that_is_behind_to_be_caught_up(
    settings: Settings, crawl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind(settings, crawl, monkeypatch)
    remove(settings, ["https://paper.example/news/1"])
    assert len(found(settings, "灰鹭团伙")) == 2
    run(settings, crawl)
    assert len(found(settings, "灰鹭团伙")) == 4


def test_a_removal_does_not_hide_an_index_that_no_longer_fits(
    settings: Settings, crawl: Path, tmp_path: Path
) -> None:
    run(settings, crawl)
    terms = tmp_path / "terms.txt"
    terms.write_text("灰鹭团伙\n", encoding="utf-8")
    with pytest.raises(IndexOutOfDate, match="anwen index --rebuild"):
        remove(Settings(data=settings.data, terms=terms), ["https://paper.example/news/1"])
    assert len(found(settings, "灰鹭团伙")) == 3


def test_a_removal_undone_before_the_index_followed_leaves_no_ghost(
    settings: Settings, crawl: Path
) -> None:
    run(settings, crawl)
    with ArticleStore(settings.data / "articles.sqlite3") as store:
        identifier = store.resolve("https://paper.example/news/1")
        store.remove(identifier)  # and then the process is killed
    remove(settings, [identifier], undo=True)
    (crawl / "1.md").unlink()
    run(settings, crawl)
    searcher = open_searcher(settings)
    assert searcher.search(SearchRequest(query="灰鹭团伙")).total == 2
    searcher.close()


def test_half_a_character_in_a_pages_data_does_not_end_the_run(
    settings: Settings, crawl: Path
) -> None:
    data = '{"@type": "NewsArticle", "author": {"name": "张\\ud83d三"}}'
    (crawl / "half.html").write_text(
        f'<title>半个字符</title><script type="application/ld+json">{data}</script>'
        "<h1>半个字符</h1><p>厂商随后发布公告，建议客户在升级之前停用批量下发功能，并核对脚本。</p>"
        "<p>位于槐州的电机制造商在事发当晚切断了与供应商之间的远程连接。</p>",
        encoding="utf-8",
    )
    assert run(settings, crawl).added == 4
    assert found(settings, "半个字符") == ["半个字符"]


@pytest.mark.parametrize("size", [None, 0])
def test_a_store_that_is_gone_beside_an_index_is_told_and_the_index_stays(
    tmp_path: Path, size: int | None
) -> None:
    settings = Settings(data=tmp_path / "data")
    text = "某医院遭到勒索软件攻击，业务已经恢复。" * 9
    (tmp_path / "a.md").write_text(f"# 勒索软件\n\n{text}\n", encoding="utf-8")
    build(settings, [tmp_path / "a.md"], jobs=1, progress=Silent())
    store = settings.data / "articles.sqlite3"
    store.unlink()
    if size is not None:
        store.touch()
    with pytest.raises(StoreError, match=r"There is an index, and .* anwen restore FILE"):
        build(settings, [tmp_path / "a.md"], jobs=1, progress=Silent())
    if size is None:
        assert not store.exists()
        with pytest.raises(StoreError, match="to build an index from"):
            build(settings, [], rebuild=True, jobs=1, progress=Silent())
    shutil.rmtree(settings.data / "index")  # as the message says
    assert build(settings, [tmp_path / "a.md"], jobs=1, progress=Silent()).added == 1
