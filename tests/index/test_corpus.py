"""Reading pages: every kind of container, and whatever is wrong with it."""

import base64
import gzip
import io
import json
import os
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.corpus import MAX_PAGE_BYTES, Page, Unreadable, read_pages
from index.errors import AnwenError

PAGE = "# 标题\n\n正文。".encode()


def read(*paths: Path) -> dict[str, Page | Unreadable]:
    entries = list(read_pages(paths))
    found = {entry.path: entry for entry in entries}
    assert len(found) == len(entries)
    return found


def reasons(*paths: Path) -> dict[str, str]:
    return {
        path: entry.reason for path, entry in read(*paths).items() if isinstance(entry, Unreadable)
    }


def tar(path: Path, mode: str, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return path


def test_a_folder_is_read_in_order_with_paths_below_it(tmp_path: Path) -> None:
    for name in ("b/2.html", "a.md", "b/1.markdown", "c.HTM", "notes.txt", ".hidden/x.md", ".x.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(PAGE)
    (tmp_path / "b" / "loop").symlink_to(tmp_path)
    entries = list(read_pages([tmp_path]))
    assert [entry.path for entry in entries] == ["a.md", "c.HTM", "b/1.markdown", "b/2.html"]
    assert [entry.format for entry in entries if isinstance(entry, Page)] == [
        *("md", "html", "md", "html")
    ]
    assert all(isinstance(entry, Page) and entry.raw == PAGE for entry in entries)


def test_a_file_that_is_named_is_known_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "one.md"
    path.write_bytes(PAGE)
    assert read(path) == {"one.md": Page(path="one.md", raw=PAGE, format="md")}


@pytest.mark.parametrize(
    ("name", "mode"),
    [("a.tar", "w"), ("a.tar.gz", "w:gz"), ("a.tgz", "w:gz"), ("a.tar.xz", "w:xz")],
)
def test_tar_archives_are_read(tmp_path: Path, name: str, mode: str) -> None:
    long = "很长的名字" * 60 + ".md"
    assert len(long.encode()) > 255
    members = {
        "x/1.md": PAGE,
        "x/2.html": b"<p>2</p>",
        long: PAGE,
        "x/inner.tar": b"?",
        ".y.md": b"y",
    }
    assert list(read(tar(tmp_path / name, mode, members))) == ["x/1.md", "x/2.html", long]


def test_names_that_lead_out_of_an_archive_stay_inside(tmp_path: Path) -> None:
    path = tar(tmp_path / "a.tar", "w", {"../../etc/1.md": PAGE, "/abs/2.md": PAGE, "./3.md": PAGE})
    assert list(read(path)) == ["etc/1.md", "abs/2.md", "3.md"]


def test_names_in_other_encodings_become_text_that_can_be_stored(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", encoding="gb18030", format=tarfile.GNU_FORMAT) as archive:
        header = tarfile.TarInfo("网安/第一篇.md")
        header.size = len(PAGE)
        archive.addfile(header, io.BytesIO(PAGE))
    assert list(read(path)) == ["网安/第一篇.md"]


def test_zip_archives_are_read_with_names_in_utf8_and_gbk(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("目录/1.md", PAGE)
        archive.writestr("2.txt", PAGE)
        name = zipfile.ZipInfo("网安.md".encode("gbk").decode("cp437"))
        archive.writestr(name, PAGE)
    # The writer marks every name that is no ASCII as UTF-8; old programs did not.
    raw = path.read_bytes()
    written = "网安.md".encode("gbk").decode("cp437").encode()
    assert raw.count(written) == 2
    plain = tmp_path / "plain.zip"
    with zipfile.ZipFile(plain, "w") as archive:
        archive.writestr("AAAA.md", PAGE)
    plain.write_bytes(plain.read_bytes().replace(b"AAAA.md", "网安".encode("gbk") + b".md"))
    assert list(read(path))[:1] == ["目录/1.md"]
    assert list(read(plain)) == ["网安.md"]


def test_json_lines_are_read_plain_and_compressed(tmp_path: Path) -> None:
    lines = [
        {"raw": "# 题\n正文"},
        {"raw": "<!DOCTYPE html><p>x</p>", "path": "x/2.html"},
        {
            "raw": base64.b64encode(b"\xcd\xf8\xb0\xb2").decode(),
            "encoding": "base64",
            "format": "html",
        },
    ]
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode() + b"\n\n"
    plain, packed = tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz"
    plain.write_bytes(text)
    packed.write_bytes(gzip.compress(text))
    found = list(read(plain).values())
    assert found == [
        Page(path="a.jsonl#1", raw="# 题\n正文".encode(), format="md"),
        Page(path="x/2.html", raw=b"<!DOCTYPE html><p>x</p>", format="html"),
        Page(path="a.jsonl#3", raw=b"\xcd\xf8\xb0\xb2", format="html"),
    ]
    assert list(read(packed)) == ["b.jsonl.gz#1", "x/2.html", "b.jsonl.gz#3"]


def test_bad_lines_are_named_by_their_number_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        'no json\n{"text": "x"}\n[1]\n{"raw": "?", "encoding": "base64"}\n{"raw": "# 题"}\n',
        encoding="utf-8",
    )
    found = reasons(path)
    assert {place: reason.partition(":")[0] for place, reason in found.items()} == {
        "a.jsonl#1": "no JSON",
        "a.jsonl#2": 'no field "raw"',
        "a.jsonl#3": 'no field "raw"',
        "a.jsonl#4": "no Base64",
    }
    assert isinstance(read(path)["a.jsonl#5"], Page)


def test_empty_and_huge_pages_are_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    huge = b"x" * (MAX_PAGE_BYTES + 1)
    (tmp_path / "empty.md").write_bytes(b" \n")
    (tmp_path / "huge.md").write_bytes(huge)
    (tmp_path / "fits.md").write_bytes(huge[1:])
    tar(tmp_path / "t.tar", "w", {"in-tar.md": huge})
    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("in-zip.md", huge)
    monkeypatch.setattr("index.corpus._MAX_LINE_BYTES", 1000)
    (tmp_path / "l.jsonl").write_bytes(
        json.dumps({"raw": "y" * 5000}).encode() + b'\n{"raw": "after", "path": "after.md"}\n'
    )
    assert reasons(tmp_path) == {
        "empty.md": "empty",
        "huge.md": "larger than 8 MiB",
        "in-tar.md": "larger than 8 MiB",
        "in-zip.md": "larger than 8 MiB",
        "l.jsonl#1": "larger than 8 MiB",
    }
    assert isinstance(read(tmp_path)["after.md"], Page)
    assert isinstance(read(tmp_path)["fits.md"], Page)


@pytest.mark.parametrize("name", ["a.tar.xz", "a.tar.gz", "a.tar", "a.zip", "a.jsonl.gz"])
def test_a_damaged_archive_gives_what_it_can_and_the_next_path_is_read(
    tmp_path: Path, name: str
) -> None:
    path, after = tmp_path / name, tmp_path / "after.md"
    after.write_bytes(PAGE)
    members = {f"{number}.md": os.urandom(20_000) for number in range(20)}
    if name.endswith("zip"):
        with zipfile.ZipFile(path, "w") as archive:
            for member, content in members.items():
                archive.writestr(member, content)
    elif "jsonl" in name:
        lines = [json.dumps({"raw": content.hex()}) for content in members.values()]
        path.write_bytes(gzip.compress("\n".join(lines).encode()))
    else:
        tar(path, {"xz": "w:xz", "gz": "w:gz"}.get(name[6:], "w"), members)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found = read(path, after)
    assert [reason.partition(":")[0] for reason in reasons(path).values()] == ["damaged archive"]
    assert isinstance(found["after.md"], Page)


def test_an_encrypted_member_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.md", PAGE)
    raw = bytearray(path.read_bytes())
    raw[6] |= 1  # the flag in the local header
    raw[raw.index(b"PK\x01\x02") + 8] |= 1  # and in the directory
    path.write_bytes(raw)
    assert reasons(path) == {"a.md": "encrypted"}


def test_a_path_that_cannot_be_read_is_told_before_the_first_page(tmp_path: Path) -> None:
    good = tmp_path / "a.md"
    good.write_bytes(PAGE)
    with pytest.raises(AnwenError, match=r"nowhere.*does not exist.*jsonl"):
        read_pages([good, tmp_path / "nowhere"])
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    with pytest.raises(AnwenError, match=r"a\.pdf is of no kind"):
        read_pages([good, tmp_path / "a.pdf"])


def test_progress_rises_from_nothing_to_all(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.md").write_bytes(PAGE * 100)
    tar(tmp_path / "a.tar.gz", "w:gz", {f"{n}.md": os.urandom(9000) for n in range(50)})
    shares: list[float] = []
    assert len(list(read_pages([tmp_path], shares.append))) == 55
    assert shares == sorted(shares)
    assert 0 <= shares[0] < 0.9
    assert shares[-1] == 1.0


def test_a_reader_that_stops_early_leaves_nothing_open(tmp_path: Path) -> None:
    path = tar(tmp_path / "a.tar.gz", "w:gz", {f"{n}.md": PAGE for n in range(9)})
    pages = read_pages([path])
    assert isinstance(next(pages), Page)
    pages.close()  # type: ignore[attr-defined]  # a leak would be a ResourceWarning, an error here


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".zip", ".jsonl", ".jsonl.gz"])
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(raw=st.binary(max_size=600), start=st.sampled_from([b"", b"PK\x03\x04", b"\x1f\x8b\x08"]))
def test_any_bytes_are_survived(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, raw: bytes, start: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / f"fuzz{suffix}"
    path.write_bytes(start + raw)
    for entry in read_pages([path]):
        assert isinstance(entry, Unreadable) or entry.raw


@pytest.mark.corpus
def test_the_archives_of_the_corpus_are_read_whole(corpus: Path) -> None:
    def count(name: str) -> int:
        return sum(isinstance(entry, Page) for entry in read_pages([corpus / name]))

    assert count("portals.tar.xz") == 14_991
    assert count("wechat.tar.xz") == 6_747
    assert count("html/pages.tar.xz") == 679
