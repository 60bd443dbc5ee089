"""Reading pages from folders, files and JSON lines, and what holds for archives too."""

import base64
import gzip
import json
import os
import random
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.corpus import MAX_PAGE_BYTES, Page, Unreadable, find_at, find_sources, read_pages
from index.errors import AnwenError
from tests.index.containers import container, packed, pages, problems, write, zipped

PAGE = "# 标题\n\n正文。".encode()
HUGE = b"x" * (MAX_PAGE_BYTES + 1)


# Folders and files


def test_a_folder_is_read_in_order_with_paths_below_it(tmp_path: Path) -> None:
    for name in ("b/2.html", "a.md", "b/1.markdown", "c.HTM", "notes.txt", ".hidden/x.md", ".x.md"):
        write(tmp_path / "crawl" / name, PAGE)
    entries = list(read_pages([tmp_path / "crawl"]))
    assert entries == [
        Page(path="a.md", raw=PAGE, format="md"),
        Page(path="c.HTM", raw=PAGE, format="html"),
        Page(path="b/1.markdown", raw=PAGE, format="md"),
        Page(path="b/2.html", raw=PAGE, format="html"),
    ]


def test_links_to_files_are_read_and_links_to_folders_are_not(tmp_path: Path) -> None:
    folder = tmp_path / "crawl"
    write(folder / "a.md", PAGE)
    (folder / "loop").symlink_to(folder)
    (folder / "b.md").symlink_to(write(tmp_path / "elsewhere.md", b"b"))
    assert pages(folder) == {"a.md": PAGE, "b.md": b"b"}
    (tmp_path / "latest").symlink_to(folder)
    assert list(pages(tmp_path / "latest")) == ["a.md", "b.md"]


def test_what_is_found_at_one_place_is_what_the_whole_folder_has_there(tmp_path: Path) -> None:
    folder = tmp_path / "crawl"
    for name in ("a.md", "b/c/d.html", "b/e.zip", "b/.f.md", ".g/h.md", "i.txt"):
        write(folder / name, PAGE)
    (folder / "b" / "loop").symlink_to(folder)
    (folder / "j.md").symlink_to(tmp_path / "nowhere")
    whole = list(find_sources(folder))
    assert [found.path.rpartition("/")[2] for found in whole] == ["a.md", "j.md", "e.zip", "d.html"]
    at_each = [
        found for path in folder.rglob("*") if not path.is_dir() for found in find_at(folder, path)
    ]
    assert sorted(map(repr, at_each)) == sorted(map(repr, whole))
    below = [found for found in whole if str(found.path).startswith("b/")]
    assert list(find_at(folder, folder / "b")) == below
    for nothing in ("gone.md", "b/loop", "b/loop/a.md", "b/loop/b/e.zip", ".g", ".g/h.md"):
        assert list(find_at(folder, folder / nothing)) == []
    assert list(find_at(folder, tmp_path / "other.md")) == []


def test_a_file_that_is_named_is_known_by_its_name(tmp_path: Path) -> None:
    assert pages(write(tmp_path / "x" / "one.md", PAGE)) == {"one.md": PAGE}


def test_an_archive_inside_a_folder_is_a_folder_of_its_pages(tmp_path: Path) -> None:
    inner = packed({"n.md": PAGE})
    write(tmp_path / "crawl" / "x" / "a.tar", packed({"1.md": b"a", "inner.tar": inner}))
    write(tmp_path / "crawl" / "b.zip", zipped({"1.md": b"b", "inner.zip": b"?"}))
    write(tmp_path / "crawl" / "c.jsonl", b'{"raw": "c"}')
    found = {"b.zip/1.md": b"b", "c.jsonl#1": b"c", "x/a.tar/1.md": b"a"}
    assert pages(tmp_path / "crawl") == found


def test_what_cannot_be_opened_is_counted(tmp_path: Path) -> None:
    folder = tmp_path / "crawl"
    gone = write(folder / "gone.md", PAGE)
    (folder / "broken.md").symlink_to(tmp_path / "nowhere")
    os.mkfifo(folder / "pipe.md")  # to open it would wait for ever
    entries = read_pages([folder])
    gone.unlink()
    assert {(Path(entry.path).name, getattr(entry, "reason", "")) for entry in entries} == {
        ("broken.md", "cannot be read: No such file or directory"),
        ("gone.md", "cannot be read: No such file or directory"),
        ("pipe.md", "cannot be read: not a regular file"),
    }


def test_closed_files_and_folders_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "crawl" / "closed.md", PAGE)
    write(tmp_path / "crawl" / "folder" / "inner.md", PAGE)

    # The mode of a file would not keep the superuser out, as whom these tests may run.
    def refuse(function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def refused(path: Any, *rest: Any) -> Any:
            if str(path).endswith(name):
                raise PermissionError(13, "Permission denied", str(path))
            return function(path, *rest)

        return refused

    monkeypatch.setattr(Path, "open", refuse(Path.open, "closed.md"))
    monkeypatch.setattr(os, "scandir", refuse(os.scandir, "folder"))
    found = problems(tmp_path / "crawl")
    assert found == {"crawl/closed.md": "cannot be read", "crawl/folder": "cannot be read"}


def test_a_path_that_cannot_be_read_is_told_before_the_first_page(tmp_path: Path) -> None:
    good = write(tmp_path / "a.md", PAGE)
    with pytest.raises(AnwenError, match=r"nowhere does not exist\. Name folders, \.md .*jsonl"):
        read_pages([good, tmp_path / "nowhere"])
    with pytest.raises(AnwenError, match=r"a\.pdf is of no kind that can be read\. Name folders"):
        read_pages([good, write(tmp_path / "a.pdf", b"%PDF")])
    with pytest.raises(AnwenError, match=r"b\.md cannot be read: Not a directory"):
        read_pages([good, good / "b.md"])


def test_empty_and_huge_pages_are_refused_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "crawl"
    every = {"empty.md": b" \n", "fits.md": HUGE[1:], "huge.md": HUGE}
    for name, content in every.items():
        write(folder / name, content)
    write(folder / "t.tar.gz", packed(every, "w:gz"))
    write(folder / "z.zip", zipped(every))
    lines = (json.dumps({"raw": content.decode()}) for content in every.values())
    write(folder / "l.jsonl", "\n".join(lines).encode())
    assert problems(folder) == {
        f"crawl/{place}": reason
        for place, reason in {
            "empty.md": "empty",
            "huge.md": "larger than 8 MiB",
            "l.jsonl#1": "empty",
            "l.jsonl#3": "larger than 8 MiB",
            "t.tar.gz/empty.md": "empty",
            "t.tar.gz/huge.md": "larger than 8 MiB",
            "z.zip/empty.md": "empty",
            "z.zip/huge.md": "larger than 8 MiB",
        }.items()
    }
    assert list(pages(folder)) == ["fits.md", "l.jsonl#2", "t.tar.gz/fits.md", "z.zip/fits.md"]


# JSON lines


def test_json_lines_are_read_plain_and_compressed(tmp_path: Path) -> None:
    gbk = base64.encodebytes("<p>网安</p>".encode("gbk") * 9).decode()  # in lines of its own
    lines: list[dict[str, Any]] = [
        {"raw": "# 题\n正文"},
        {"raw": "x", "path": "/x/../y/2.html", "format": "md"},
        {"raw": gbk, "encoding": "base64", "file": "3.html"},
        {"raw": "半个\ud83d字", "path": "4\udcff.md", "format": "HTML"},
    ]
    text = "\n".join(json.dumps(line) for line in lines).encode() + b"\r\n\n"
    expected = [
        Page(path="a.jsonl#1", raw="# 题\n正文".encode(), format="md"),
        Page(path="y/2.html", raw=b"x", format="md"),
        Page(path="3.html", raw="<p>网安</p>".encode("gbk") * 9, format="html"),
        Page(path="4\ufffd.md", raw="半个\ud83d字".encode("utf-8", "surrogatepass"), format="html"),
    ]
    assert list(read_pages([write(tmp_path / "a.jsonl", text)])) == expected
    found = pages(write(tmp_path / "b.jsonl.gz", gzip.compress(text)))
    assert list(found) == ["b.jsonl.gz#1", "y/2.html", "3.html", "4\ufffd.md"]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("\ufeff\n<!DOCTYPE html><title>x", "html"),
        ("<html lang=zh>", "html"),
        ("<!-- x --><p>x", "html"),
        ("<section\nclass=x>", "html"),
        ("<https://paper.example/1>", "md"),
        ("<person>", "md"),
        ("---\ntitle: x\n---\n<div>", "md"),
        ("# <html>", "md"),
    ],
)
def test_a_line_that_says_no_format_has_that_of_its_looks(
    tmp_path: Path, raw: str, expected: str
) -> None:
    path = write(tmp_path / "a.jsonl", json.dumps({"raw": raw}).encode())
    assert [getattr(entry, "format", None) for entry in read_pages([path])] == [expected]


def test_a_long_line_that_is_cut_in_a_string_is_looked_through_once(tmp_path: Path) -> None:
    # Each of its quotes could begin a string: days, if each were tried to the end.
    line = b'{"raw": "' + b'\\"' * 2**21
    path = write(tmp_path / "a.jsonl", b"\n".join([line, line + b"\\", b'{"raw": "a"}']))
    assert problems(path) == {"a.jsonl#1": "no JSON", "a.jsonl#2": "no JSON"}
    assert list(pages(path)) == ["a.jsonl#3"]


def test_bad_lines_are_named_by_their_number_and_the_rest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.corpus.jsonl._MAX_LINE_BYTES", 200_000)
    lines = [b"no json", b'{"text": "x"}', b"[1]", b'{"raw": 7}', b'{"raw": "\xff"}', b""]
    lines += [b'{"raw": "?", "encoding": "base64"}', b"[" * 99_999, b'{"raw": " "}']
    lines += [b'{"raw": "%s"}' % (b"y" * 400_000), b'{"raw": "%s"}' % (b"y" * 199_988)]
    path = write(tmp_path / "a.jsonl", b"\n".join([*lines, b'{"raw": "last"}']))
    assert problems(path) == {
        "a.jsonl#1": "no JSON",
        "a.jsonl#2": 'no field "raw"',
        "a.jsonl#3": 'no field "raw"',
        "a.jsonl#4": 'no field "raw"',
        "a.jsonl#5": "no JSON",
        "a.jsonl#7": "no Base64",
        "a.jsonl#8": "no JSON",
        "a.jsonl#9": "empty",
        "a.jsonl#10": "line larger than 17 MiB",
    }
    assert list(pages(path)) == ["a.jsonl#11", "a.jsonl#12"]
    assert problems(write(path, b"z" * 500_000)) == {"a.jsonl#1": "line larger than 17 MiB"}


def test_lines_before_the_damage_of_a_compressed_file_are_read(tmp_path: Path) -> None:
    noise = random.Random(5)
    lines = [json.dumps({"raw": noise.randbytes(500).hex()}) for _ in range(200)]
    raw = gzip.compress("\n".join(lines).encode())
    path = write(tmp_path / "a.jsonl.gz", raw[: len(raw) // 2])
    assert 80 <= len(pages(path)) <= 110
    assert problems(path) == {"a.jsonl.gz": "damaged archive"}


# What holds for every kind


def test_progress_rises_from_nothing_to_all(tmp_path: Path) -> None:
    noise = random.Random(4)
    members = {f"{number}.md": noise.randbytes(9000) for number in range(60)}
    write(tmp_path / "a.tar.xz", packed(members, "w:xz"))
    write(tmp_path / "b.zip", zipped(members))
    write(tmp_path / "c.md", PAGE * 100)
    shares: list[float] = []
    assert len(list(read_pages([tmp_path], shares.append))) == 121
    assert shares == sorted(shares)
    assert shares[0] < 0.05
    assert shares[-1] == 1.0
    assert max(after - before for before, after in pairwise(shares)) < 0.05
    assert len(shares) <= 1001


def test_an_empty_folder_is_read_to_the_end(tmp_path: Path) -> None:
    shares: list[float] = []
    assert list(read_pages([tmp_path], shares.append)) == []
    assert shares == [1.0]


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


@pytest.mark.parametrize(
    "name", ["a.tar", "a.tar.gz", "a.tar.xz", "a.zip", "a.jsonl", "a.jsonl.gz"]
)
def test_a_reader_that_stops_early_leaves_nothing_open(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, container(name, dict.fromkeys(["1.md", "2.md", "3.md"], PAGE)))
    before = open_files()
    entries = read_pages([path])
    assert isinstance(next(entries), Page)
    assert open_files() == before + 1
    entries.close()
    assert open_files() == before


@pytest.mark.parametrize("name", ["a.tar.gz", "a.zip", "a.jsonl.gz"])
def test_an_archive_is_never_held_in_memory(tmp_path: Path, name: str) -> None:
    raw = container(name, {f"{number}.md": b"x" * 2**20 for number in range(24)})
    path = write(tmp_path / name, raw)
    del raw
    tracemalloc.start()
    try:
        assert sum(len(entry.raw) for entry in read_pages([path]) if isinstance(entry, Page)) == (
            24 * 2**20
        )
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()


KINDS = [".tar", ".tar.gz", ".tar.xz", ".zip", ".jsonl", ".jsonl.gz"]


@pytest.mark.parametrize("suffix", KINDS)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    raw=st.binary(max_size=600),
    start=st.sampled_from([b"", b"PK\x03\x04", b"\x1f\x8b\x08", b"\xfd7zXZ\0", b"BZh9"]),
)
def test_random_bytes_give_problems_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, raw: bytes, start: bytes
) -> None:
    path = write(tmp_path_factory.getbasetemp() / f"random{suffix}", start + raw)
    entries = list(read_pages([path]))
    assert all(isinstance(entry, Unreadable) for entry in entries)
    assert entries or not (start + raw).strip(b"\0\t\n\r\x0b\x0c ")


@pytest.mark.parametrize("suffix", KINDS)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(cut=st.integers(0, 3000), flips=st.lists(st.tuples(st.integers(0), st.integers(1, 255))))
def test_damaged_archives_are_survived(
    tmp_path_factory: pytest.TempPathFactory,
    suffix: str,
    cut: int,
    flips: list[tuple[int, int]],
) -> None:
    members = {f"{'很长的名字' * 40}{n}.md": PAGE * (n + 1) for n in range(4)}
    raw = bytearray(container(suffix, members))[: cut or None]
    for place, bits in flips:
        raw[place % len(raw)] ^= bits
    path = write(tmp_path_factory.getbasetemp() / f"damaged{suffix}", bytes(raw))
    for entry in read_pages([path]):
        assert entry.path.encode()
        assert entry.raw if isinstance(entry, Page) else entry.reason


@pytest.mark.corpus
def test_the_archives_of_the_corpus_are_read_whole(corpus: Path) -> None:
    for name, count in (
        ("portals.tar.xz", 14_991),
        ("wechat.tar.xz", 6_747),
        ("html/pages.tar.xz", 679),
    ):
        assert sum(isinstance(entry, Page) for entry in read_pages([corpus / name])) == count
        assert problems(corpus / name) == {}
