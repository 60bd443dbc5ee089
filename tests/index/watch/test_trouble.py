"""Following crawl folders: what goes wrong is told, and loses nothing."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from index.corpus import Page, Unreadable
from index.errors import (
    AnwenError,
    IndexDamaged,
    IndexOutOfDate,
    IndexUnavailable,
    SettingsError,
    StoreLocked,
)
from index.summary import Progress, Summary
from tests.index.watch.followed import Followed, Indexers


@contextmanager
def refused(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[None]:
    """Let a file not be opened meanwhile."""
    opened = Path.open

    def refuse(path: Path, *arguments: str, **options: str) -> object:
        if path.name == name and arguments == ("rb",):
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **options)  # type: ignore[call-overload]

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", refuse)
        yield


def test_errors_are_told_with_longer_and_longer_waits_and_lose_nothing(
    followed: Followed, indexers: Indexers
) -> None:
    indexers.errors = [
        *[StoreLocked("Another process is writing.")] * 4,
        *[OSError(28, "No space left on device")] * 4,
    ]
    followed.write("a.md")
    followed.pass_time(100)
    followed.write("b.md")
    followed.pass_time(100)
    assert [seconds for _, seconds in followed.log.waits] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert "Another process" in followed.log.waits[0][0]
    assert "No space left" in followed.log.waits[-1][0]
    assert followed.runs == [["a.md", "b.md"]]
    indexers.errors = [StoreLocked("Another process is writing.")]
    followed.write("c.md")
    followed.pass_time(5)
    assert followed.log.waits[-1][1] == 1  # counted anew


def test_a_page_that_ends_its_worker_is_left_out_and_tried_again(
    followed: Followed, indexers: Indexers
) -> None:
    for number in range(100):
        followed.write(f"{number:04}.md")
    indexers.poison = "0042.md"
    followed.pass_time(30)
    assert sorted(followed.read) == [f"{n:04}.md" for n in range(100) if n != 42]
    (told,) = followed.log.waits
    assert "0042.md" in told[0]
    followed.pass_time(600, step=5)
    assert len(followed.log.waits) == 1
    indexers.poison = ""
    followed.pass_time(3700, step=5)
    assert followed.runs[-1] == ["0042.md"]


def test_a_page_that_ended_its_worker_is_told_and_its_file_is_read_again_in_an_hour(
    followed: Followed, indexers: Indexers
) -> None:
    indexers.deadly = "b.md"
    followed.write("a.md")
    followed.write("b.md")
    followed.pass_time(600, step=5)
    (told,) = followed.log.commits
    assert [problem[0] for problem in told.problems] == ["b.md"]
    assert followed.runs == [["a.md"]]
    followed.start()  # what is kept does not say that it was read
    followed.pass_time(5)
    assert len(followed.log.commits) == 2
    indexers.deadly = ""
    followed.pass_time(3700, step=5)
    assert followed.runs[-1] == ["b.md"]


def test_a_broken_link_is_told_once_and_read_when_it_is_whole(
    followed: Followed, tmp_path: Path
) -> None:
    (followed.crawl / "a.md").symlink_to(tmp_path / "later.md")
    followed.pass_time(300, step=1)
    (told,) = followed.log.commits
    assert told.problems[0][0].endswith("a.md")
    (tmp_path / "later.md").write_text("甲", encoding="utf-8")
    followed.pass_time(70)
    assert followed.runs[-1] == ["a.md"]


def test_a_page_that_may_not_be_read_is_told_once_and_read_when_it_may(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    with refused(monkeypatch, "a.md"):
        followed.write("a.md")
        followed.write("b.md")
        followed.pass_time(300, step=1)
    assert followed.runs == [["b.md"]]
    (told,) = followed.log.commits
    assert told.problems[0][2] == "cannot be read: Permission denied"
    followed.pass_time(130)
    assert followed.runs == [["b.md"], ["a.md"]]


def test_a_page_whose_rights_are_mended_is_read_when_the_system_tells_of_it(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    with refused(monkeypatch, "a.md"):
        path = followed.write("a.md")
        followed.pass_time(5)
    assert followed.read == []
    followed.watcher.notice(path)
    followed.pass_time(3)
    assert followed.read == ["a.md"]


def test_a_folder_that_goes_and_comes_back_is_told_and_not_read_again(followed: Followed) -> None:
    followed.write("a.md")
    followed.pass_time(3)
    away = followed.crawl.with_name("away")
    followed.crawl.rename(away)
    followed.pass_time(3)
    assert "does not exist" in followed.log.notes[0]
    (away / "b.md").write_text("乙", encoding="utf-8")
    away.rename(followed.crawl)
    followed.pass_time(3)
    assert "there again" in followed.log.notes[1]
    assert len(followed.log.notes) == 2
    assert followed.runs == [["a.md"], ["b.md"]]


def test_a_folder_that_never_was_is_refused_and_one_that_was_is_waited_for(
    followed: Followed,
) -> None:
    followed.write("a.md")
    followed.pass_time(3)
    away = followed.crawl.with_name("away")
    followed.crawl.rename(away)
    followed.start()
    followed.crawl = followed.crawl.with_name("misspelt")
    with pytest.raises(AnwenError, match=r"misspelt does not exist"):
        followed.start()


def test_an_index_of_other_code_is_built_anew_at_the_start_and_not_later(
    followed: Followed, indexers: Indexers
) -> None:
    indexers.errors = [IndexOutOfDate("The index is out of date.")]
    followed.start()
    followed.write("a.md")
    followed.pass_time(5)
    assert indexers.rebuilds == 1
    assert followed.runs == [["a.md"]]
    indexers.errors = [IndexOutOfDate("The index is out of date.")]
    followed.write("b.md")
    with pytest.raises(IndexOutOfDate, match="start anwen watch anew"):
        followed.pass_time(5)


def test_a_damaged_index_is_built_anew_at_any_time(followed: Followed, indexers: Indexers) -> None:
    followed.pass_time(5)
    indexers.errors = [IndexDamaged("The index is damaged. Run: anwen index --rebuild")]
    followed.write("a.md")
    followed.pass_time(5)
    assert indexers.rebuilds == 1
    assert followed.log.waits == [("The index is damaged. It is built anew.", 1)]
    assert followed.runs == [["a.md"]]


def test_an_index_that_cannot_be_written_for_now_is_not_built_anew(
    followed: Followed, indexers: Indexers
) -> None:
    followed.pass_time(5)
    indexers.errors = [IndexUnavailable("The index cannot be written: No space left on device.")]
    followed.write("a.md")
    followed.pass_time(5)
    assert indexers.rebuilds == 0
    assert "No space left" in followed.log.waits[0][0]
    assert followed.runs == [["a.md"]]


def test_tables_that_cannot_be_read_while_a_bad_page_is_looked_for_are_waited_for(
    followed: Followed, indexers: Indexers, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed.pass_time(5)

    def refuse(*_: object, **__: object) -> None:
        raise SettingsError("terms.txt cannot be read.")

    indexers.poison = "a.md"
    with monkeypatch.context() as patched:
        patched.setattr("index.watch.watching.Indexer", refuse)
        followed.write("a.md")
        followed.write("b.md")
        followed.pass_time(2)
    assert followed.log.waits[0] == ("terms.txt cannot be read.", 1)
    indexers.poison = ""
    followed.pass_time(5)
    assert sorted(followed.read) == ["a.md", "b.md"]


def test_a_bug_that_no_page_explains_stays_loud(followed: Followed, indexers: Indexers) -> None:
    indexers.errors = [TypeError("a bug")]
    with pytest.raises(TypeError):
        followed.start()


def test_where_the_system_tells_nothing_folders_are_looked_through(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "OS file watch limit reached.")

    monkeypatch.setattr("index.watch.notices.watch", refuse)
    followed.start(poll=False)
    assert "limit reached" in followed.log.notes[0]
    assert "max_user_watches" in followed.log.notes[0]
    (followed.crawl / "a.md").write_text("甲", encoding="utf-8")
    followed.pass_time(5)
    assert followed.runs == [["a.md"]]


def test_what_is_told_to_stop_ends_a_long_commit_undone(
    followed: Followed, indexers: Indexers, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 1000, 3))
    monkeypatch.setattr("index.watch.watching.monotonic", lambda: float(next(clock)))
    run = indexers.run
    advanced = 0

    def slow(
        pages: Iterable[Page | Unreadable], *, progress: Progress, **options: object
    ) -> Summary:
        nonlocal advanced
        followed.stop.set()
        for _ in range(100):
            progress.advance()
            advanced += 1
        return run(pages, progress=progress, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(indexers, "run", slow)
    followed.write("a.md")
    followed.pass_time(1)
    assert advanced == 2  # five seconds
    assert followed.runs == []
    assert followed.log.waits == []
