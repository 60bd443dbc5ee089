"""Following crawl folders: what is read when, driven by a clock of the tests."""

import os
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from threading import Event

import pytest

from index.build import Progress, Summary
from index.corpus import FileState, Page, Unreadable
from index.errors import AnwenError, IndexOutOfDate, IndexUnavailable, StoreLocked, WorkerLost
from index.settings import Settings
from index.store import ArticleStore
from index.watch import Watcher


class Log:
    """What a watcher has reported."""

    def __init__(self) -> None:
        self.commits: list[Summary] = []
        self.waits: list[tuple[str, float]] = []
        self.notes: list[str] = []

    def committed(self, summary: Summary) -> None:
        self.commits.append(summary)

    def waiting(self, reason: str, seconds: float) -> None:
        self.waits.append((reason, seconds))

    def noted(self, message: str) -> None:
        if not message.startswith("Following"):
            self.notes.append(message)


class Indexers:
    """Stands in for the indexer: records runs, keeps the place, and fails as it is told."""

    def __init__(self) -> None:
        self.runs: list[list[str]] = []
        self.rebuilds = 0
        self.made = 0
        self.stages = "one"
        self.errors: list[Exception] = []
        self.poison = ""

    def __call__(self, settings: Settings, *, jobs: int | None = None) -> "Indexers":
        self.settings, self.jobs = settings, jobs
        self.made += 1
        return self

    def warm(self) -> None: ...
    def close(self) -> None: ...

    def run(
        self,
        pages: Iterable[Page | Unreadable],
        *,
        rebuild: bool = False,
        followed: Mapping[Path, FileState],
        progress: Progress,
    ) -> Summary:
        progress.stage("reading", None)
        if self.errors:
            raise self.errors.pop(0)
        summary = Summary(generation=1)
        for page in pages:
            if isinstance(page, Unreadable):
                summary.fail(page.path, page.reason, "")
            elif self.poison and page.path.endswith(self.poison):
                raise WorkerLost("A process ended.")
            else:
                summary.count("added")
        self.rebuilds += rebuild
        with ArticleStore(self.settings.data / "articles.sqlite3") as store:
            store.followed.put(followed, self.stages)
        if summary.pages:
            self.runs.append(sorted(path.name for path in followed))
        return summary


class Followed:
    """A crawl folder, and a watcher over it whose time is `now`."""

    def __init__(self, folder: Path, indexers: Indexers) -> None:
        self.settings = Settings(data=folder / "data")
        self.crawl = folder / "crawl"
        self.crawl.mkdir()
        self.indexers, self.log, self.stop = indexers, Log(), Event()
        self.now = 1000.0
        self.start()

    def start(self, **options: bool) -> None:
        self.watcher = Watcher(
            self.settings,
            [self.crawl],
            stop=self.stop,
            reporter=self.log,
            clock=lambda: self.now,
            **({"poll": True} | options),
        )
        self.watcher.step()

    def write(self, name: str, text: str = "第一版") -> Path:
        path = self.crawl / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        self.watcher.notice(path)
        return path

    def pass_time(self, seconds: float, step: float = 0.25) -> None:
        end = self.now + seconds
        while self.now < end and not self.stop.is_set():
            self.now += step
            self.watcher.step()

    @property
    def read(self) -> list[str]:
        return list(chain.from_iterable(self.runs))

    @property
    def runs(self) -> list[list[str]]:
        return self.indexers.runs


@pytest.fixture
def indexers(monkeypatch: pytest.MonkeyPatch) -> Indexers:
    indexers = Indexers()
    monkeypatch.setattr("index.watch.watching.Indexer", indexers)
    return indexers


@pytest.fixture
def followed(tmp_path: Path, indexers: Indexers) -> Followed:
    return Followed(tmp_path, indexers)


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


# What goes wrong


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
    opened = Path.open

    def refuse(path: Path, *arguments: str, **options: str) -> object:
        if path.name == "a.md" and arguments == ("rb",):
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **options)  # type: ignore[call-overload]

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", refuse)
        followed.write("a.md")
        followed.write("b.md")
        followed.pass_time(300, step=1)
    assert followed.runs == [["b.md"]]
    (told,) = followed.log.commits
    assert told.problems[0][2] == "cannot be read: Permission denied"
    followed.pass_time(130)
    assert followed.runs == [["b.md"], ["a.md"]]


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
    indexers.errors = [IndexUnavailable("The index is damaged. Run: anwen index --rebuild")]
    followed.write("a.md")
    followed.pass_time(5)
    assert indexers.rebuilds == 1
    assert followed.log.waits == [("The index is damaged. It is built anew.", 1)]
    assert followed.runs == [["a.md"]]


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
