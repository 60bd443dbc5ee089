"""Following crawl folders: what is read when, driven by a clock of the tests."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from index.corpus import Page, Unreadable
from index.errors import IndexOutOfDate
from index.settings import Settings
from index.summary import Summary
from tests.index.watch.followed import Followed, Indexers

# When files are read


def test_a_page_is_read_once_it_rests_and_only_once(followed: Followed) -> None:
    followed.write("a.md")
    followed.pass_time(0.25)
    assert followed.runs == []
    followed.pass_time(0.5)
    assert followed.runs == [["a.md"]]
    followed.watcher.notice(followed.crawl / "a.md")
    followed.pass_time(120)
    assert followed.runs == [["a.md"]]


def test_a_page_that_is_being_written_waits_for_its_end(followed: Followed) -> None:
    for length in range(1, 9):
        followed.write("a.md", "字" * length)
        followed.pass_time(0.25)
    assert followed.runs == []
    followed.pass_time(0.5)
    assert followed.runs == [["a.md"]]


def test_a_page_whose_changes_are_not_told_waits_for_its_end_too(followed: Followed) -> None:
    path = followed.write("a.md", "半")
    followed.pass_time(0.25)
    path.write_text("半页之后", encoding="utf-8")  # and nobody notices
    followed.pass_time(0.25)
    assert followed.runs == []
    followed.pass_time(0.5)
    assert followed.runs == [["a.md"]]


def test_half_a_page_that_was_read_is_read_again_when_it_is_complete(followed: Followed) -> None:
    followed.write("a.md", "半")
    followed.pass_time(1)
    followed.write("a.md", "半页之后")
    followed.pass_time(3)
    assert followed.runs == [["a.md"], ["a.md"]]


def test_a_page_that_changes_while_it_is_read_is_read_again(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = followed.write("a.md", "一")
    run = followed.indexers.run

    def write_meanwhile(pages: Iterable[Page | Unreadable], **options: object) -> Summary:
        summary = run(pages, **options)  # type: ignore[arg-type]
        path.write_text("一二三", encoding="utf-8")
        followed.watcher.notice(path)
        monkeypatch.setattr(followed.indexers, "run", run)
        return summary

    monkeypatch.setattr(followed.indexers, "run", write_meanwhile)
    followed.pass_time(4)
    assert followed.runs == [["a.md"], ["a.md"]]


def test_a_thousand_files_are_one_commit(followed: Followed) -> None:
    for number in range(1000):
        followed.write(f"{number:04}.md")
        if number % 100 == 0:
            followed.pass_time(0.1, step=0.1)
    followed.pass_time(10)
    assert [len(run) for run in followed.runs] == [1000]


def test_a_steady_trickle_is_a_commit_every_interval(followed: Followed) -> None:
    for number in range(80):
        followed.write(f"{number:04}.md")
        followed.pass_time(0.25)
    followed.pass_time(5)
    assert 7 <= len(followed.runs) <= 11  # in 20 seconds, at two seconds each
    assert followed.read == [f"{number:04}.md" for number in range(80)]


def test_an_archive_that_is_copied_waits_longer_and_holds_up_no_page(followed: Followed) -> None:
    followed.write("a.jsonl", "{}\n")
    followed.write("a.md")
    followed.pass_time(1)
    assert followed.runs == [["a.md"]]
    followed.pass_time(3)
    assert followed.runs == [["a.md"], ["a.jsonl"]]


def test_lines_that_never_rest_are_read_now_and_then(followed: Followed) -> None:
    for number in range(280):
        followed.write("a.jsonl", "{}\n" * (number + 1))
        followed.pass_time(0.25)
    assert len(followed.runs) == 2  # in 70 seconds
    followed.pass_time(10)
    assert len(followed.runs) == 3


# What is found


def test_what_is_in_a_new_folder_and_what_comes_into_it_is_read(followed: Followed) -> None:
    folder = followed.crawl / "2026" / "03"
    folder.mkdir(parents=True)
    (folder / "a.md").write_text("甲", encoding="utf-8")
    followed.watcher.notice(followed.crawl / "2026")  # all that the system tells
    followed.pass_time(0.5)
    followed.write("2026/03/b.md")
    followed.pass_time(2)
    assert followed.runs == [["a.md", "b.md"]]


def test_a_file_or_folder_renamed_into_place_is_read(followed: Followed, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.md").write_text("甲", encoding="utf-8")
    (followed.crawl / ".b.md.part").write_text("乙", encoding="utf-8")
    (tmp_path / "elsewhere").rename(followed.crawl / "moved")
    (followed.crawl / ".b.md.part").rename(followed.crawl / "b.md")
    for name, is_gone in ((".b.md.part", True), ("b.md", False), ("moved", False)):
        followed.watcher.notice(followed.crawl / name, is_gone=is_gone)
    followed.pass_time(3)
    assert sorted(followed.read) == ["a.md", "b.md"]


def test_hidden_files_and_linked_folders_are_passed_over_and_linked_files_read(
    followed: Followed, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in ("a.md", "b.md"):
        (outside / name).write_text(name, encoding="utf-8")
    (followed.crawl / "link").symlink_to(outside)
    (followed.crawl / "linked.md").symlink_to(outside / "b.md")
    followed.write(".hidden/c.md")
    followed.write(".d.md")
    followed.write("e.pdf")
    for name in ("link", "link/a.md", "linked.md"):
        followed.watcher.notice(followed.crawl / name)
    followed.pass_time(120)
    assert followed.runs == [["linked.md"]]
    (outside / "b.md").write_text("另一版", encoding="utf-8")  # where no notices come from
    followed.pass_time(120)
    assert followed.runs == [["linked.md"], ["linked.md"]]


def test_what_the_system_did_not_tell_is_found_within_a_minute(followed: Followed) -> None:
    followed.start(poll=False)
    (followed.crawl / "a.md").write_text("甲", encoding="utf-8")
    followed.pass_time(63)
    assert followed.runs == [["a.md"]]


def test_polling_finds_a_page_within_seconds(followed: Followed) -> None:
    (followed.crawl / "a.md").write_text("甲", encoding="utf-8")
    followed.pass_time(5)
    assert followed.runs == [["a.md"]]


def test_a_page_that_goes_before_it_was_read_is_no_problem(followed: Followed) -> None:
    followed.write("a.md").unlink()
    followed.pass_time(70)
    assert followed.runs == []
    assert followed.log.commits == []


# The place


def test_after_a_restart_only_what_is_new_or_changed_is_read(followed: Followed) -> None:
    for name in ("a.md", "b.md", "c.md"):
        followed.write(name)
    followed.pass_time(1)
    (followed.crawl / "b.md").write_text("另一版", encoding="utf-8")
    (followed.crawl / "d.md").write_text("新的", encoding="utf-8")
    followed.start()
    followed.pass_time(3)
    assert followed.runs[1:] == [["b.md", "d.md"]]


def test_other_code_or_tables_read_all_again(followed: Followed) -> None:
    followed.write("a.md")
    followed.pass_time(1)
    followed.indexers.stages = "two"
    followed.start()
    followed.pass_time(3)
    assert followed.runs == [["a.md"], ["a.md"]]


def test_a_changed_table_is_taken_up_without_a_restart(
    followed: Followed, tmp_path: Path, indexers: Indexers
) -> None:
    table = tmp_path / "entities.tsv"
    table.write_text("", encoding="utf-8")
    followed.settings = Settings(data=followed.settings.data, entities=table)
    followed.start()
    followed.write("a.md")
    followed.pass_time(3)
    made = indexers.made
    table.write_text("某公司\tcompany\n", encoding="utf-8")
    indexers.stages = "two"
    indexers.errors = [IndexOutOfDate("by other terms")]
    followed.write("b.md")
    followed.pass_time(10)
    assert indexers.made == made + 1
    assert indexers.rebuilds == 1
    assert sorted(followed.read[1:]) == ["a.md", "b.md"]


def test_a_store_from_a_backup_is_given_what_it_lacks(followed: Followed) -> None:
    followed.write("a.md")
    followed.pass_time(1)
    store = followed.settings.data / "articles.sqlite3"
    backup = store.read_bytes()
    followed.write("b.md")
    followed.pass_time(3)
    other = store.with_name("backup")
    other.write_bytes(backup)
    other.replace(store)
    followed.pass_time(3)
    assert followed.runs == [["a.md"], ["b.md"], ["b.md"]]
    assert "another than before" in followed.log.notes[0]


def test_a_file_whose_name_is_no_text_has_its_place_too(followed: Followed) -> None:
    name = os.fsdecode("新闻.md".encode("gb18030"))
    followed.write(name)
    followed.pass_time(1)
    followed.start()
    followed.pass_time(3)
    assert followed.runs == [[name]]
