"""Full disks, folders that may not be written, files that are gone or damaged: told by name.

Whatever is wrong, a command ends with a line that says what and how to mend it, never with a
traceback; and what was there before answers, or says why it does not.
"""

import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import cycle
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner, Result

from index.analysis import Analyzer
from index.identity import article_id, article_key
from index.settings import Settings
from tests.inline import InlinePool
from tests.reliability.checking import indexed_titles, stored_articles
from tests.reliability.pages import page_url, write_pages
from web import create_app, metrics  # noqa: F401  # read now: later as nobody, who may not
from web.cli import main

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("inline")]

PAGES = 6
_NOBODY = 65534
_WRITING = {
    "index": ("index", "--jobs", "1", "CRAWL"),
    "rebuild": ("index", "--jobs", "1", "--rebuild"),
    "remove": ("remove", page_url(1)),
}
_READING = {"search": ("search", "灰鹭团伙"), "info": ("info",)}
_COMMANDS = _WRITING | _READING


def run(data: Path, *arguments: str) -> Result:
    crawl = str(data.parent / "crawl")
    given = [crawl if each == "CRAWL" else each for each in arguments]
    return CliRunner().invoke(main, ["--data", str(data), *given])


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user may enter, which those of pytest are not."""
    path = Path(tempfile.mkdtemp(prefix="anwen-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def fill(data: Path) -> None:
    """Make a data folder of six articles, in two generations and several segments."""
    crawl = data.parent / "crawl"
    write_pages(crawl, range(PAGES - 1))
    for arguments in (_WRITING["index"], _WRITING["rebuild"]):
        assert run(data, *arguments).exit_code == 0
    write_pages(crawl, [PAGES - 1])
    assert run(data, *_WRITING["index"]).exit_code == 0
    write_pages(crawl, range(PAGES, PAGES + 2), length=200)  # to be read by what follows


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data and crawl, of which each test has a copy."""
    path = tmp_path_factory.mktemp("filled")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("index.workers.ProcessPoolExecutor", InlinePool)
        fill(path / "data")
    return path


@pytest.fixture
def data(filled: Path, folder: Path) -> Path:
    shutil.copytree(filled / "crawl", folder / "crawl")
    return shutil.copytree(filled / "data", folder / "data")


def assert_told(done: Result, *names: str) -> None:
    """Assert that a command failed, and that its message names one of these."""
    assert isinstance(done.exception, SystemExit), repr(done.exception)
    assert done.exit_code in (1, 2)
    assert "Error: " in done.stderr
    assert any(name in done.stderr for name in names), done.stderr


def assert_answers(data: Path, analyzer: Analyzer, count: int = PAGES) -> None:
    """Assert that commands, pages and every block of the index still answer."""
    settings = Settings(data=data)
    assert len(stored_articles(settings)) >= count
    assert len(indexed_titles(settings, analyzer)) >= count
    assert page(data) == 200
    done = run(data, *_READING["search"])
    assert done.exit_code == 0, done.output


def page(data: Path) -> int:
    """Return the status of a page of results."""
    return create_app(Settings(data=data)).test_client().get("/search?q=灰鹭团伙").status_code


# A full disk


@contextmanager
def full_disk(folder: Path, room: int) -> Iterator[None]:
    """Fill a mounted disk but for `room` bytes; where there is none, forbid larger files."""
    if folder.is_mount():
        ballast = folder / "ballast"
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(4096)) == 4096:
                pass
        os.truncate(ballast, max(ballast.stat().st_size - room, 0))
        yield
        ballast.unlink()
    else:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
        yield
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def disk(folder: Path) -> Iterator[Path]:
    """A file system of 16 MB, or a folder where none may be mounted (EFBIG instead of ENOSPC)."""
    path = folder / "disk"
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=16m", "anwen-tests", str(path)]
    mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    yield path
    if mounted:
        subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_full_disk_is_told_and_the_old_state_answers(disk: Path, analyzer: Analyzer) -> None:
    data = disk / "data"
    fill(data)
    told, removed = 0, article_id(article_key(page_url(1), ""))
    for room in (0, 8 << 10, 36 << 10, 80 << 10, 150 << 10, 300 << 10):
        for arguments in _WRITING.values():
            before = stored_articles(Settings(data=data))
            with full_disk(disk, room):
                done = run(data, *arguments)
                if done.exit_code and "没有这篇文章" not in done.stderr:  # removed already
                    told += 1
                    assert_told(done, str(data))
                    assert any(word in done.stderr for word in ("disk", "No space", "too large"))
                    # Of a removal the store's part may be done; the index follows.
                    after = stored_articles(Settings(data=data))
                    assert before.keys() - after.keys() <= {removed}
                assert_answers(data, analyzer, PAGES - 1)
    assert told >= 6
    assert run(data, *_WRITING["index"]).exit_code == 0
    assert_answers(data, analyzer, PAGES + 1)


# Folders and files that may not be read or written


@contextmanager
def as_nobody() -> Iterator[None]:
    """Do as a user without rights; root may write anywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.setegid(_NOBODY)
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def test_a_folder_that_may_only_be_read_is_told_and_answers(data: Path, analyzer: Analyzer) -> None:
    for path in (data, *data.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    with as_nobody():
        for arguments in _WRITING.values():
            assert_told(run(data, *arguments), str(data))
        assert_answers(data, analyzer)
        assert run(data, "info").exit_code == 0


def test_a_server_that_may_only_read_sees_what_others_write(data: Path) -> None:
    for path in (data, *data.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    client = create_app(Settings(data=data)).test_client()
    query = "/api/v1/search?q=灰鹭团伙"
    with as_nobody():
        assert client.get(query).get_json()["total"] == PAGES
    run(data, *_WRITING["index"])
    for path in data.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    with as_nobody():
        found = client.get(f"{query}&sort=newest&duplicates=show").get_json()
        assert found["total"] == len(found["hits"]) == PAGES + 2
        for hit in found["hits"]:
            assert client.get(f"/article/{hit['id']}").status_code == 200


_CLOSED = (
    *("articles.sqlite3", "writer.lock", "index", "index/current", "index/LIVE"),
    *("index/LIVE/anwen.json", "index/LIVE/*.toc", "index/LIVE/*.vdoc", "anwen.toml"),
)


@pytest.mark.parametrize("name", _CLOSED)
def test_a_file_that_may_not_be_opened_is_named(data: Path, analyzer: Analyzer, name: str) -> None:
    close_and_open(data, analyzer, name, ["index", "search"])


@pytest.mark.soak
@pytest.mark.parametrize("name", _CLOSED)
def test_every_command_names_a_file_that_may_not_be_opened(
    data: Path, analyzer: Analyzer, name: str
) -> None:
    close_and_open(data, analyzer, name, list(_COMMANDS))


def close_and_open(data: Path, analyzer: Analyzer, name: str, kinds: list[str]) -> None:
    """Take the rights to a file, run commands as somebody who has none, and give them back."""
    (data / "anwen.toml").touch()
    target = found(data, name)
    for path in (data, *data.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    mode = target.stat().st_mode
    target.chmod(0)
    with as_nobody():
        for kind in kinds:
            done = run(data, *_COMMANDS[kind])
            if done.exit_code:
                assert_told(
                    done, *(str(path) for path in (target, *target.parents) if path >= data)
                )
            assert page(data) in (200, 503)
            assert kind != "index" or done.exit_code or name != "writer.lock"
    target.chmod(mode)
    assert run(data, *_WRITING["rebuild"]).exit_code == 0
    assert_answers(data, analyzer, PAGES - 1)


def found(data: Path, name: str) -> Path:
    """Return the file of a kind, in the live generation."""
    live = f"{int((data / 'index' / 'current').read_text()):06}"
    return sorted(data.glob(name.replace("LIVE", live)))[-1]


# Files that are gone or damaged


def _gone(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _noise(path: Path) -> None:
    path.write_bytes(Random(3).randbytes(max(path.stat().st_size, 64)))


def _flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    random = Random(5)
    for _ in range(max(len(content) // 400, 1)):
        content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    path.write_bytes(content)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


_FILES = (
    *("articles.sqlite3", "index/current", "index/LIVE/anwen.json", "index/LIVE/*.toc"),
    *("index/LIVE/*.vdoc", "index/LIVE/*.vpst"),
)
_DAMAGES = (_gone, _empty, _cut, _noise, _flipped)
_REPLACED = ("index/current", "index/LIVE/anwen.json", "index/LIVE/*.vdoc", "index/LIVE/*.vpst")


@pytest.mark.parametrize("name", [*_FILES, "index/LIVE"])
def test_a_file_that_is_gone_or_damaged_is_told_and_mended(
    data: Path, analyzer: Analyzer, name: str
) -> None:
    kinds = cycle(_COMMANDS)
    damage_and_mend(data, analyzer, name, lambda: [next(kinds)], (_gone, _cut, _flipped))


@pytest.mark.soak
@pytest.mark.parametrize("name", [*_FILES, "index/LIVE"])
def test_every_command_tells_every_damage_of_a_file(
    data: Path, analyzer: Analyzer, name: str
) -> None:
    damage_and_mend(data, analyzer, name, lambda: list(_COMMANDS), _DAMAGES)


def damage_and_mend(
    data: Path,
    analyzer: Analyzer,
    name: str,
    kinds: Callable[[], list[str]],
    damages: tuple[Callable[[Path], None], ...],
) -> None:
    """Damage a file in some ways, and run those commands on it that are named for each."""
    sound = data.parent / "sound"
    shutil.copytree(data, sound)
    if name == "index/LIVE":
        damages = (_gone,)
    if name in _REPLACED:
        damages += (_folder,)
    for damage in damages:
        for kind in kinds():
            arguments = _COMMANDS[kind]
            target = found(data, name)
            damage(target)
            done = run(data, *arguments)
            said = f"{kind} with {target.name} {damage.__name__}: {done.stderr}"
            if done.exit_code:
                assert_told(done, *(str(each) for each in (target, target.parent)))
                assert "anwen index" in done.stderr or "See w" in done.stderr, said
            else:
                # It was not needed, or what was there before has taken its place.
                assert done.exception is None, said
            assert page(data) in (200, 503), said
            if name == "articles.sqlite3":  # what a backup is for
                assert done.exit_code, said
                target.unlink(missing_ok=True)
                shutil.copy(sound / name, target)
            mended = run(data, "index", "--rebuild", "CRAWL")
            assert mended.exit_code == 0, said + mended.output
            assert_answers(data, analyzer, PAGES + 1)
            shutil.rmtree(data)
            shutil.copytree(sound, data)


@pytest.mark.parametrize("name", ["terms", "synonyms", "entities", "denials", "config"])
def test_a_file_of_the_operator_that_is_wrong_is_named(
    data: Path, analyzer: Analyzer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # tables are what is loaded here
    path = data.parent / f"{name}.txt"
    monkeypatch.setenv(f"ANWEN_{name.upper()}", str(path))
    for damage in (None, _noise, _folder):
        if damage:
            path.touch() if damage is _noise else None
            damage(path)
        done = run(data, "search", "灰鹭团伙") if name != "denials" else run(data, "info")
        assert_told(done, str(path))
    monkeypatch.delenv(f"ANWEN_{name.upper()}")
    assert_answers(data, analyzer)
