"""An index folder from elsewhere: nothing in it is run, and what is refused is named."""

import os
import pickle
import re
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from whoosh.columns import CompressedBlockColumn
from whoosh.filedb.compound import CompoundStorage
from whoosh.filedb.filetables import HashReader, HashWriter
from whoosh.filedb.structfile import StructFile
from whoosh.index import _CURRENT_TOC_VERSION

from index.analysis import Analyzer
from index.backends import whoosh as backend
from index.backends.vector_codec import VectorSegment
from index.backends.whoosh import WhooshIndex
from index.document import Article
from index.entities.tagging.tagger import Weights
from index.errors import IndexUnavailable
from index.schema import index_batch

_INT, _LONG, _FLOAT = (struct.calcsize(code) for code in "iqf")


class Bomb:
    """Makes a folder when it is unpickled by anything that is not careful."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"mkdir {self.path}",)


@pytest.fixture
def bomb(tmp_path: Path) -> Bomb:
    trial, bomb = Bomb(tmp_path / "trial"), Bomb(tmp_path / "executed")
    pickle.loads(pickle.dumps(trial))
    assert trial.path.is_dir()
    return bomb


@pytest.fixture
def index(tmp_path: Path, analyzer: Analyzer, article_maker: Callable[..., Article]) -> WhooshIndex:
    index = WhooshIndex(tmp_path / "index", analyzer.fingerprint)
    with index.writer(1) as writer:
        writer.update_documents(index_batch([article_maker(title="漏洞")], analyzer, {}))
    assert len(index.open_segments({})[1]) == 1
    return index


def toc_of(tmp_path: Path) -> Path:
    (path,) = (tmp_path / "index" / "000001").glob("*.toc")
    return path


def seal(path: Path, body: bytes) -> None:
    path.write_bytes(body + struct.pack("<I", zlib.crc32(body)))


def table(
    segments: bytes,
    schema: bytes = b"",
    *,
    version: int = _CURRENT_TOC_VERSION,
    generation: int = 1,
) -> bytes:
    """A table of contents as Whoosh writes it, of pickles that are ready."""
    stream = StructFile(BytesIO())
    for size in (_INT, _LONG, _FLOAT):
        stream.write_varint(size)
    stream.write_int(-12345)
    stream.write_int(version)
    for number in (2, 7, 4):
        stream.write_varint(number)
    stream.write_varint(len(schema))
    stream.write(schema)
    stream.write_int(generation)
    stream.write_int(0)
    stream.write(segments)
    return stream.file.getvalue()


def refuse(index: WhooshIndex, bomb: Bomb, name: str) -> None:
    """Neither a reader nor a writer opens the index, both name the file, and nothing has run."""
    with pytest.raises(IndexUnavailable, match=name):
        index.open_segments({})
    with pytest.raises(IndexUnavailable, match=name), index.writer(2):
        pass
    (damage,) = index.damage()  # so that the next run builds another
    assert re.search(name, damage)
    assert not bomb.path.exists()


def test_a_bomb_in_the_list_of_segments_is_refused(
    tmp_path: Path, index: WhooshIndex, bomb: Bomb
) -> None:
    path = toc_of(tmp_path)
    generation = int(path.stem.rpartition("_")[2])
    for version in (_CURRENT_TOC_VERSION, -110):  # Whoosh reads those of its former versions too
        seal(path, table(pickle.dumps([bomb]), version=version, generation=generation))
        refuse(index, bomb, f"{path.name} is refused: it names (posix|nt).system")


def test_a_bomb_in_place_of_the_schema_is_passed_over(
    tmp_path: Path, index: WhooshIndex, bomb: Bomb
) -> None:
    path = toc_of(tmp_path)
    generation = int(path.stem.rpartition("_")[2])
    _, ((segment, _),) = index.open_segments({})
    for version in (_CURRENT_TOC_VERSION, -110):
        seal(
            path,
            table(
                pickle.dumps([segment]), pickle.dumps(bomb), generation=generation, version=version
            ),
        )
        assert [each.segid for each, _ in index.open_segments({})[1]] == [segment.segid]
        assert not bomb.path.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"compound": True},  # Whoosh would unpickle the directory of a compound file
        {"segid": "../../elsewhere"},
        {"indexname": "../MAIN"},
        {"size": "1"},
        {"deleted": {-1}},
        {"deleted": {1}},
        {"field_lengths": {"title": []}},
        {"name": "../another"},
        {"codec": VectorSegment},
    ],
    ids=str,
)
def test_a_segment_that_is_not_as_we_write_them_is_refused(
    tmp_path: Path, index: WhooshIndex, bomb: Bomb, changes: dict[str, Any]
) -> None:
    path = toc_of(tmp_path)
    generation = int(path.stem.rpartition("_")[2])
    _, ((segment, _),) = index.open_segments({})
    changed = VectorSegment("MAIN")
    vars(changed).update(vars(segment) | changes)
    seal(path, table(pickle.dumps([changed]), generation=generation))
    refuse(index, bomb, f"{path.name} is refused")


def test_a_pickle_cannot_change_the_class_of_segments(
    tmp_path: Path, index: WhooshIndex, bomb: Bomb
) -> None:
    path = toc_of(tmp_path)
    generation = int(path.stem.rpartition("_")[2])
    name = f"{VectorSegment.__module__}\n{VectorSegment.__name__}\n".encode()
    # The class, then as its "state" a pair whose second part is set by setattr.
    pickled = b"c" + name + b"(N(S'is_compound'\nI1\ndtb."
    seal(path, table(pickled, generation=generation))
    before = VectorSegment.is_compound
    refuse(index, bomb, f"{path.name} is refused")
    assert VectorSegment.is_compound is before


@pytest.mark.parametrize("body", [b"", b"\x04", b"\xff" * 100, table(b"", generation=99)])
def test_a_sealed_table_that_is_none_is_refused(
    tmp_path: Path, index: WhooshIndex, bomb: Bomb, body: bytes
) -> None:
    seal(toc_of(tmp_path), body)
    refuse(index, bomb, "Run: anwen index --rebuild")


# The places of Whoosh that our codec never comes to


def storage(folder: Path) -> Any:
    return backend._Storage(str(folder))


def test_a_bomb_in_a_compound_files_directory_is_refused(tmp_path: Path, bomb: Bomb) -> None:
    for place in (0, 1):
        entries = pickle.dumps({}) * place + pickle.dumps(bomb)
        (tmp_path / "a.seg").write_bytes(struct.pack(">qi", 12, len(entries)) + entries)
        with pytest.raises(IndexUnavailable, match=r"a\.seg is refused"):
            CompoundStorage(storage(tmp_path).open_file("a.seg"))
    assert not bomb.path.exists()


def test_a_bomb_in_a_hash_tables_extras_is_refused(tmp_path: Path, bomb: Bomb) -> None:
    store = storage(tmp_path)
    writer = HashWriter(store.create_file("a.hash"))
    writer.add(b"key", b"value")
    writer.extras = {"a": bomb}
    writer.close()
    with pytest.raises(IndexUnavailable, match=r"a\.hash is refused"):
        HashReader.open(store, "a.hash")
    assert not bomb.path.exists()


def test_a_bomb_in_a_columns_header_is_refused(tmp_path: Path, bomb: Bomb) -> None:
    store = storage(tmp_path)
    (tmp_path / "a.col").write_bytes(pickle.dumps(bomb))
    size = (tmp_path / "a.col").stat().st_size
    with pytest.raises(IndexUnavailable, match=r"a\.col is refused"):
        CompressedBlockColumn().reader(store.open_file("a.col"), 0, size, 1)
    assert not bomb.path.exists()


def test_plain_values_are_unpickled_as_whoosh_wrote_them(tmp_path: Path) -> None:
    store = storage(tmp_path)
    with store.create_file("a") as file:
        file.write_pickle({"a": [1, (2.0, b"3")], "b": {4}})
    with store.open_file("a") as file:
        assert file.read_pickle() == {"a": [1, (2.0, b"3")], "b": {4}}


# Weights


def test_arrays_of_objects_in_the_taggers_weights_are_refused(tmp_path: Path, bomb: Bomb) -> None:
    path = tmp_path / "weights.npz"
    np.savez(path, scale=np.array([bomb], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        Weights.load(path)
    assert not bomb.path.exists()
