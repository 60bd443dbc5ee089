"""Archives made to hurt: each is refused by name, in bounded memory and time."""

import bz2
import gzip
import io
import json
import lzma
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.index.containers import pages, problems, write

ROOT = Path(__file__).parents[2]
PAGE = "# 标题\n\n正文。".encode()
GIGABYTE = 2**30

_READ = """
import json, sys
from pathlib import Path
from time import process_time
from index.corpus import Page, read_pages
pages = read_pages([Path(sys.argv[1])])
found = list({type(entry).__name__ + " " + getattr(entry, "reason", "") for entry in pages})
(peak,) = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(json.dumps([found, int(peak) // 1024, process_time()]))
"""


def read_apart(path: Path) -> list[str]:
    """What a process of its own reads of an archive; it stays under 200 MB and 15 s of CPU."""
    answer = subprocess.run(
        [sys.executable, "-c", _READ, str(path)],
        capture_output=True,
        check=True,
        cwd=ROOT,
        timeout=200,
    )
    found, megabytes, seconds = json.loads(answer.stdout)
    assert megabytes < 200
    assert seconds < 15
    return sorted(found)


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.type = size, kind
    return member.tobuf(tarfile.GNU_FORMAT)


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 512)


def compressed(path: Path, pieces: Iterator[bytes], opened: Any) -> Path:
    with opened(path) as file:
        for piece in pieces:
            file.write(piece)
    return path


def gz(path: Path) -> Any:
    return gzip.open(path, "wb", compresslevel=1)


def xz(path: Path) -> Any:
    return lzma.open(path, "wb", preset=0)


def bz2_file(path: Path) -> Any:
    return bz2.BZ2File(path, "wb", compresslevel=1)


def zeros(size: int) -> Iterator[bytes]:
    piece = bytes(2**20)
    yield from (piece for _ in range(size // len(piece)))


MUCH = "Unreadable expands too much: what is in it is more than 200 times its size"


@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "opened"), [("xz", xz), ("bz2", bz2_file)])
def test_a_compressed_tar_that_expands_without_end_is_left(
    tmp_path: Path, suffix: str, opened: Any
) -> None:
    def bomb() -> Iterator[bytes]:
        yield header("0.md", len(PAGE)) + padded(PAGE)
        yield header("1.bin", GIGABYTE // 2)  # what is passed over is expanded too
        yield from zeros(GIGABYTE // 2)

    path = compressed(tmp_path / f"a.tar.{suffix}", bomb(), opened)
    assert read_apart(path) == ["Page ", MUCH]


@pytest.mark.slow
def test_lies_about_sizes_in_a_zip_expand_nothing(tmp_path: Path) -> None:
    for kind in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        buffer = io.BytesIO()
        with (
            zipfile.ZipFile(buffer, "w", kind) as archive,
            archive.open("1.md", "w", force_zip64=True) as member,
        ):
            for piece in zeros(GIGABYTE // 4):
                member.write(piece)
        raw = bytearray(buffer.getvalue())
        honest = write(tmp_path / f"honest{kind}.zip", bytes(raw))
        assert read_apart(honest) == ["Unreadable larger than 8 MiB"]
        entry = raw.rindex(b"PK\x01\x02")
        raw[entry + 24 : entry + 28] = struct.pack("<L", 1000)
        (found,) = read_apart(write(tmp_path / f"lie{kind}.zip", bytes(raw)))
        assert found.startswith(("Unreadable damaged: ", "Unreadable larger than 8 MiB"))


def test_a_zip_member_of_bzip2_is_compared_with_its_checksum(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("1.md", PAGE)
    raw = bytearray(buffer.getvalue())
    assert pages(write(tmp_path / "a.zip", bytes(raw))) == {"1.md": PAGE}
    for at in (raw.index(b"PK\x03\x04") + 14, raw.index(b"PK\x01\x02") + 16):
        raw[at] ^= 1
    assert problems(write(tmp_path / "a.zip", bytes(raw))) == {"a.zip/1.md": "damaged"}


def test_members_that_share_their_bytes_expand_no_further_than_the_archive_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.corpus.source._ALWAYS_FREE", 2**20)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(40):
            archive.writestr(f"{number}.md", b"a" * 2**20)
    path = write(tmp_path / "a.zip", buffer.getvalue())
    assert problems(path) == {"a.zip": "expands too much"}


@pytest.mark.slow
def test_a_zip_with_a_million_members_is_refused(tmp_path: Path) -> None:
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", *[0] * 9, 4, *[0] * 6) + b"1.md"
    for members, reason in ((250_000, "more than 200,000; several"), (1_000_000, "a directory of")):
        directory = entry * members
        end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, len(directory), 0, 0)
        (found,) = read_apart(write(tmp_path / "a.zip", directory + end))
        assert found.startswith(f"Unreadable too many members: {reason}")


@pytest.mark.slow
def test_many_empty_members_of_a_tar_are_told_one_by_one(tmp_path: Path) -> None:
    members = (header(f"{number}.md", 0) for number in range(100_000))
    path = compressed(tmp_path / "a.tar.gz", members, gz)
    assert read_apart(path) == [
        "Unreadable damaged archive: it ends without an end mark",
        "Unreadable empty",
    ]


def record(key: str, value: str) -> bytes:
    text = f" {key}={value}\n"
    size = len(text) + 1
    while len(f"{size}{text}") != size:
        size = len(f"{size}{text}")
    return f"{size}{text}".encode()


@pytest.mark.slow
def test_headers_of_a_tar_cannot_fill_the_memory(tmp_path: Path) -> None:
    long = record("comment", "a" * 60_000)
    chain = header("x", len(long), tarfile.XGLTYPE) + padded(long)
    keys = b"".join(record(f"k{number}", "v") for number in range(5_000))
    wide = header("x", len(keys), tarfile.XGLTYPE) + padded(keys)
    sparse = b"".join(
        record(f"GNU.sparse.{key}", value)
        for key, value in (("major", "1"), ("minor", "0"), ("name", "1.md"), ("realsize", "9"))
    )
    numbers = b"90000000\n" + b"1\n" * 10_000_000
    cases = {
        "chain": (chain * 5_000, "damaged archive: more than 8 headers for one member"),
        "long": (header("x", 2**28, tarfile.GNUTYPE_LONGNAME), "damaged archive: a header of"),
        "wide": (wide + header("1.bin", 0) * 5_000, "damaged archive: it ends without"),
        "sparse": (
            header("x", len(sparse), tarfile.XHDTYPE)
            + padded(sparse)
            + header("1.md", len(numbers))
            + padded(numbers),
            "damaged archive: a sparse file",
        ),
        "old": (header("1.md", 0, tarfile.GNUTYPE_SPARSE), "damaged archive: a sparse file"),
    }
    for name, (content, reason) in cases.items():
        path = compressed(tmp_path / f"{name}.tar.gz", iter([content]), gz)
        (found,) = read_apart(path)
        assert found.startswith(f"Unreadable {reason}"), name


def test_an_xz_file_that_asks_for_a_large_dictionary_is_refused(tmp_path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 2**29}]
    raw = header("1.md", len(PAGE)) + padded(PAGE) + bytes(1024)
    small = lzma.compress(raw)
    # The size stands as one byte in the header of the block, which a checksum follows.
    content = lzma.compress(raw, filters=[{**filters[0], "dict_size": 2**20}])
    assert pages(write(tmp_path / "a.tar.xz", small)) == {"1.md": PAGE}
    assert pages(write(tmp_path / "a.tar.xz", content)) == {"1.md": PAGE}
    head = bytearray(content[12:24])
    at = head.index(b"\x21\x01") + 2
    head[at] = 34  # 512 MiB
    head[8:12] = struct.pack("<L", zlib.crc32(bytes(head[:8])))
    path = write(tmp_path / "a.tar.xz", content[:12] + bytes(head) + content[24:])
    assert problems(path) == {"a.tar.xz": "damaged archive"}


def test_devices_pipes_and_links_in_a_tar_are_passed_over(tmp_path: Path) -> None:
    kinds = (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE)
    raw = b"".join(header(f"{kind.decode()}.md", 0, kind) for kind in kinds)
    raw += header("9.md", len(PAGE)) + padded(PAGE) + bytes(1024)
    path = write(tmp_path / "a.tar", raw)
    assert pages(path) == {"9.md": PAGE}
    assert problems(path) == {}


def test_a_symbolic_link_in_a_zip_is_no_page(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        link = zipfile.ZipInfo("1.md")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("2.md", PAGE)
    assert pages(tmp_path / "a.zip") == {"2.md": PAGE}


def test_archives_in_archives_are_not_opened(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("1.md", PAGE)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("inner.zip", inner.getvalue())
        archive.writestr("2.md", PAGE)
    assert pages(tmp_path / "a.zip") == {"2.md": PAGE}


@pytest.mark.slow
def test_lines_of_json_cannot_fill_the_memory(tmp_path: Path) -> None:
    half, wide = 2**23, "larger than 8 MiB"
    lines = {
        "lists": (b'{"raw": "a", "n": [' + b"[]," * (half // 2) + b"1]}", "too many values"),
        "strings": (b'{"raw": "a", "n": [' + b'"",' * (half // 2) + b"1]}", "too many values"),
        "wide": (b'{"raw": "' + "🙂".encode() + b"a" * 2 * half + b'"}', "larger than 8 MiB"),
        "escapes": (b'{"raw": "' + b"\\u0001" * (half // 4) + b'"}', ""),
        "base64": (
            b'{"encoding": "base64", "raw": "' + b"AAAA" * (half // 2) + b'"}',
            "larger than 8 MiB",
        ),
        "deep": (b"[" * 2 * half, "too many values"),
        "spaces": (b'{"encoding": "base64", "raw": "' + b"AA A" * (half // 4) + b'"}', ""),
        "besides": (b'{"raw": "a", "n": "' + b"\\ud83d\\ude42" + b"a" * 2 * half + b'"}', wide),
        "two": (
            b'{"raw": "\\ud83d\\ude42'
            + b"a" * (half - 99)
            + b'", "n": "'
            + "🙂".encode()
            + b"a" * half
            + b'"}',
            wide,
        ),
        "digits": (b'{"raw": "a", "n": ' + b"9" * 2 * half + b"}", "too many values"),
    }
    for name, (line, reason) in lines.items():
        (found,) = read_apart(write(tmp_path / f"{name}.jsonl", b"\n".join([line] * 3)))
        assert found == f"Unreadable {reason}" if reason else found == "Page ", name
    long = iter([b'{"raw": "', *zeros(GIGABYTE), b'"}\n', b'{"raw": "# a"}'])
    path = compressed(tmp_path / "long.jsonl.gz", long, gz)
    found = read_apart(path)
    assert found[-1] in {"Unreadable line larger than 17 MiB", MUCH}


def test_what_a_crawl_becomes_is_never_too_much(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(9):
            archive.writestr(f"{number}.md", PAGE + b"\n" * 7 * 2**20)
    assert len(pages(tmp_path / "a.zip")) == 9
