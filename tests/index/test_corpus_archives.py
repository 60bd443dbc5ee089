"""Reading tar and zip archives, and whatever is wrong with them."""

import bz2
import gzip
import io
import lzma
import random
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from index.corpus import Unreadable, read_pages
from tests.index.containers import container, packed, pages, problems, write, zipped

PAGE = "# 标题\n\n正文。".encode()
TARS = [("a.tar", "w"), ("a.tar.gz", "w:gz"), ("a.TGZ", "w:gz"), ("a.tar.xz", "w:xz")]
TARS += [("a.txz", "w:xz"), ("a.tar.bz2", "w:bz2")]


@pytest.mark.parametrize("name", ["a.tar.gz", "a.zip", "a.jsonl", "a.jsonl.gz"])
def test_what_the_system_cannot_read_for_now_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    archive = write(tmp_path / name, container(name, {"1.md": PAGE}))

    class Stale(io.FileIO):
        """A file that its server has lost."""

        def readinto(self, _: Any) -> int:
            raise OSError(116, "Stale file handle")

    monkeypatch.setattr(Path, "open", lambda path, *_: io.BufferedReader(Stale(path)))
    (found,) = list(read_pages([archive]))
    assert isinstance(found, Unreadable)
    assert found.may_pass
    assert found.reason == "cannot be read: Stale file handle"


# Tar archives


@pytest.mark.parametrize(("name", "mode"), TARS)
def test_tar_archives_are_read(tmp_path: Path, name: str, mode: str) -> None:
    long = "很长的名字" * 60 + ".md"
    assert len(long.encode()) > 255
    members = {"x/2.html": b"2", "x/1.md": PAGE, "logo.png": b"?", long: PAGE, ".y/h.md": b"y"}
    archive = write(tmp_path / name, packed(members, mode))
    assert pages(archive) == {"x/2.html": b"2", "x/1.md": PAGE, long: PAGE}
    assert problems(archive) == {}


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress, bz2.compress])
def test_a_tar_archive_that_was_compressed_in_parts_is_read_whole(
    tmp_path: Path, compress: Any
) -> None:
    tar = packed({f"{number}.md": PAGE for number in range(40)})
    parts = [compress(tar[start : start + 10_000]) for start in range(0, len(tar), 10_000)]
    archive = write(tmp_path / "a.tar", b"".join(parts))  # known by its bytes, not by its suffix
    assert len(pages(archive)) == 40
    assert problems(archive) == {}


def test_links_in_a_tar_archive_are_passed_over(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(write(tmp_path / "1.md", PAGE), "1.md")
        for kind in (tarfile.LNKTYPE, tarfile.SYMTYPE):
            link = tarfile.TarInfo(f"{kind.decode()}.md")
            link.type, link.linkname = kind, "1.md"
            archive.addfile(link)
    assert pages(tmp_path / "a.tar") == {"1.md": PAGE}
    assert problems(tmp_path / "a.tar") == {}


def test_names_that_lead_out_of_an_archive_stay_inside(tmp_path: Path) -> None:
    names = ["../../etc/1.md", "/abs/2.md", "./3.md", "x/../4.md", "..\\5.md"]
    members = dict.fromkeys(names, PAGE)
    inside = ["etc/1.md", "abs/2.md", "3.md", "4.md"]
    tar = write(tmp_path / "crawl" / "a.tar", packed(members))
    assert list(pages(tar)) == inside  # in tar, ..\5.md is a hidden file's name
    assert list(pages(write(tmp_path / "crawl" / "a.zip", zipped(members)))) == [*inside, "5.md"]
    assert sorted(tmp_path.rglob("*.md")) == []


def test_names_in_other_encodings_become_text_that_can_be_stored(tmp_path: Path) -> None:
    names = ["网安/第一篇.md".encode("gb18030"), "网安/".encode() + "二.md".encode("gb18030")]
    names.append(b"\xff\xff.md")
    members = {name.decode("utf-8", "surrogateescape"): PAGE for name in names}
    tar = packed(members, format=tarfile.GNU_FORMAT, errors="surrogateescape")
    expected = ["网安/第一篇.md", "网安/二.md", "\ufffd\ufffd.md"]
    assert list(pages(write(tmp_path / "a.tar", tar))) == expected
    folder = tmp_path / "crawl"
    for name in members:
        write(folder / name, PAGE)
    assert sorted(pages(folder)) == sorted(expected)


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".tar.xz", ".tar.bz2"])
def test_a_tar_archive_that_is_cut_short_gives_what_it_can_and_says_so(
    tmp_path: Path, suffix: str
) -> None:
    noise = random.Random(3)
    members = {f"{number}.md": noise.randbytes(3000) for number in range(8)}
    whole = container(suffix, members)
    # A member takes 3,584 bytes of a plain archive: some cuts fall between two, some in a header.
    cuts = [0, 1, 512, *range(3584, 8 * 3584, 1792), 3584 * 4 + 100]
    after = write(tmp_path / "after.md", PAGE)
    for cut in [c for c in cuts if c < len(whole) * 0.95]:
        archive = write(tmp_path / f"a{suffix}", whole[:cut])
        found = pages(archive, after)
        assert found.pop("after.md") == PAGE
        assert found.items() <= members.items()
        assert problems(archive) == {f"a{suffix}": "damaged archive"}
        if suffix == ".tar":
            assert len(found) == cut // 3584 + (cut % 3584 >= 3512)


def test_damage_inside_a_tar_archive_is_no_good_end(tmp_path: Path) -> None:
    whole = bytearray(packed({"1.md": b"1", "2.md": b"2", "3.md": b"3"}))
    whole[1024:1034] = b"?" * 10  # the header of the second
    archive = write(tmp_path / "a.tar", bytes(whole))
    assert pages(archive) == {"1.md": b"1"}
    assert problems(archive) == {"a.tar": "damaged archive"}
    twice = packed({"1.md": b"1"}) + packed({"2.md": b"2"})
    assert problems(write(archive, twice)) == {"a.tar": "damaged archive"}
    zeroed = packed({"1.md": b"1"}, "w:gz")
    zeroed = zeroed[:-8] + bytes(8)  # the checksum
    assert pages(write(archive, zeroed)) == {"1.md": b"1"}
    assert problems(archive) == {"a.tar": "damaged archive"}


def test_a_tar_header_that_promises_too_much_ends_at_once(tmp_path: Path) -> None:
    for name, kind in (("1.md", tarfile.REGTYPE), ("1.bin", tarfile.REGTYPE), ("x", b"x")):
        header = tarfile.TarInfo(name)
        header.type, header.size = kind, 2**60
        raw = header.tobuf(tarfile.GNU_FORMAT)
        found = list(problems(write(tmp_path / "a.tar", raw + PAGE)).values())
        assert found == ["larger than 8 MiB"] * (name == "1.md") + ["damaged archive"]


# Zip archives


@pytest.mark.parametrize(
    "compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_zip_archives_are_read(tmp_path: Path, compression: int) -> None:
    members = {"目录/2.md": PAGE, "1.html": b"1" * 9000, "x.md/": b"", "2.txt": b"?"}
    members |= {"__MACOSX/._1.html": b"?"}
    archive = write(tmp_path / "a.zip", zipped(members, compression))
    assert pages(archive) == {"目录/2.md": PAGE, "1.html": b"1" * 9000}
    assert problems(archive) == {}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("网安".encode("gbk"), "网安"),
        ("网安".encode(), "网安"),
        (b"caf\x82.", "café."),
        (b"dir\\no", "dir/no"),
    ],
)
def test_zip_names_without_a_declared_encoding_are_read_sensibly(
    tmp_path: Path, raw: bytes, expected: str
) -> None:
    placeholder = b"A" * len(raw)
    archive = zipped({f"{placeholder.decode()}.md": PAGE}).replace(placeholder, raw)
    assert list(pages(write(tmp_path / "a.zip", archive))) == [f"{expected}.md"]


def test_a_zip_name_may_come_from_the_unicode_extension(tmp_path: Path) -> None:
    member = zipfile.ZipInfo("plain.md")
    body = struct.pack("<BL", 1, 0x7C67DC23) + "网安.md".encode()
    member.extra = struct.pack("<HH", 0x7075, len(body)) + body
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(member, PAGE)
    assert list(pages(tmp_path / "a.zip").values()) == [PAGE]


def test_bad_members_of_a_zip_are_named_and_the_others_are_read(tmp_path: Path) -> None:
    raw = bytearray(zipped({f"{n}.md": f"page {n}".encode() for n in range(5)}, 0))
    start = [raw.index(b"PK\x03\x04" + raw[4:6])] + [0] * 4
    entry = [raw.index(b"PK\x01\x02")] + [0] * 4
    for n in range(1, 5):
        start[n] = raw.index(b"PK\x03\x04", start[n - 1] + 1)
        entry[n] = raw.index(b"PK\x01\x02", entry[n - 1] + 1)
    raw[start[0] + 6] |= 1  # encrypted: in the member's header and in the directory
    raw[entry[0] + 8] |= 1
    raw[raw.index(b"page 1")] ^= 1
    raw[start[2] + 8] = raw[entry[2] + 10] = 97  # a way of compression that is not known
    raw[start[3]] = 0
    archive = write(tmp_path / "a.zip", bytes(raw))
    assert problems(archive) == {
        "a.zip/0.md": "encrypted",
        "a.zip/1.md": "damaged",
        "a.zip/2.md": "cannot be read",
        "a.zip/3.md": "damaged",
    }
    assert pages(archive) == {"4.md": b"page 4"}


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_bomb_is_not_expanded(tmp_path: Path, compression: int) -> None:
    raw = zipped({"1.md": bytes(64 * 2**20)}, compression)
    size, lie = struct.pack("<L", 64 * 2**20), struct.pack("<L", 1000)
    assert raw.count(size) == 2
    archive = write(tmp_path / "a.zip", raw.replace(size, lie))
    # Of bzip2 as much is expanded as a page may have; of the others, as the header says.
    reason = "larger than 8 MiB" if compression == zipfile.ZIP_BZIP2 else "damaged"
    assert problems(archive) == {"a.zip/1.md": reason}
    assert problems(write(archive, raw)) == {"a.zip/1.md": "larger than 8 MiB"}


def test_a_zip_archive_that_is_cut_short_is_told(tmp_path: Path) -> None:
    raw = zipped({"1.md": PAGE, "2.md": PAGE})
    after = write(tmp_path / "after.md", PAGE)
    for cut in (0, 10, len(raw) // 2, len(raw) - 1):
        archive = write(tmp_path / "a.zip", raw[:cut])
        assert problems(archive, after) == {"a.zip": "damaged archive"}
        assert pages(archive, after) == {"after.md": PAGE}
