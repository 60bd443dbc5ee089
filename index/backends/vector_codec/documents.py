"""What a segment holds of each document: columns, field lengths, stored fields, as flat arrays.

A column of numbers is one array. A column of byte strings is the distinct values and, a document,
the number of its value. Stored fields are such a column too, of JSON.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from whoosh import columns
from whoosh.codec import base
from whoosh.fields import FieldType

from index.backends.vector_codec.container import ContainerReader, ContainerWriter
from index.schema import decode_length, encode_length

__all__ = [
    "LENGTHS",
    "Documents",
    "Keywords",
    "VectorPerDocumentReader",
    "VectorPerDocumentWriter",
    "read_documents",
    "write_documents",
]

LENGTHS = np.array([decode_length(code) for code in range(256)], dtype=np.int64)
"""The field length that each byte stands for."""

_STORED = "_stored"


@dataclass(frozen=True, slots=True)
class Keywords:
    """A column of byte strings: the distinct values, and the number of each document's value.

    Values of one length, such as ids, are an array.
    """

    values: Sequence[bytes] | NDArray[np.bytes_]
    ordinals: NDArray[np.uint32]

    @staticmethod
    def of(values: Sequence[bytes]) -> "Keywords":
        """Return a column of the values of some documents."""
        numbers: dict[bytes, int] = {}
        ordinals = [numbers.setdefault(value, len(numbers)) for value in values]
        return Keywords(list(numbers), np.array(ordinals, np.uint32))

    def __getitem__(self, document: int) -> bytes:
        return bytes(self.values[int(self.ordinals[document])])


@dataclass(slots=True)
class Documents:
    """What a segment holds of its `size` documents, by name of the field.

    `lengths` are in the one-byte code of `index.schema.encode_length`, 0 where a document has not
    the field.
    """

    size: int
    numbers: dict[str, NDArray[Any]] = field(default_factory=dict)
    keywords: dict[str, Keywords] = field(default_factory=dict)
    lengths: dict[str, NDArray[np.uint8]] = field(default_factory=dict)

    @staticmethod
    def concatenate(
        parts: "Sequence[tuple[Documents, NDArray[np.bool_]]]", defaults: Mapping[str, Any]
    ) -> "Documents":
        """Join the documents that each part's mask keeps.

        Where a part has not a column that another has, its documents get the default.
        """
        joined = Documents(sum(int(kept.sum()) for _, kept in parts))
        for name in dict.fromkeys(name for part, _ in parts for name in part.numbers):
            kind = next(part.numbers[name].dtype for part, _ in parts if name in part.numbers)
            joined.numbers[name] = np.concatenate(
                [
                    part.numbers.get(name, np.full(part.size, defaults.get(name, 0), kind))[kept]
                    for part, kept in parts
                ]
            )
        for name in dict.fromkeys(name for part, _ in parts for name in part.lengths):
            joined.lengths[name] = np.concatenate(
                [
                    part.lengths.get(name, np.zeros(part.size, np.uint8))[kept]
                    for part, kept in parts
                ]
            )
        for name in dict.fromkeys(name for part, _ in parts for name in part.keywords):
            joined.keywords[name] = _joined_keywords(
                [(part.keywords.get(name), kept) for part, kept in parts], defaults.get(name, b"")
            )
        return joined


def _joined_keywords(
    parts: Sequence[tuple[Keywords | None, NDArray[np.bool_]]], default: bytes
) -> Keywords:
    numbers: dict[bytes, int] = {}
    ordinals = []
    for keywords, kept in parts:
        if keywords is None:
            ordinals.append(np.full(int(kept.sum()), numbers.setdefault(default, len(numbers))))
            continue
        own = keywords.ordinals[kept]
        used, places = np.unique(own, return_inverse=True)
        table = np.array(
            [
                numbers.setdefault(bytes(keywords.values[number]), len(numbers))
                for number in used.tolist()
            ],
            np.int64,
        )
        ordinals.append(table[places])
    return Keywords(list(numbers), np.concatenate(ordinals).astype(np.uint32))


def write_documents(path: Path, documents: Documents) -> None:
    """Write the file of a segment's documents."""
    container = ContainerWriter(path)
    try:
        _write_sections(container, documents)
    except BaseException:
        container.abandon()
        raise
    container.close()


def _write_sections(container: ContainerWriter, documents: Documents) -> None:
    container.add("", [], documents.size)
    for name, numbers in documents.numbers.items():
        kind = numbers.dtype.newbyteorder("<")
        container.add(name, [numbers.astype(kind)], ["numbers", kind.str])
    for name, codes in documents.lengths.items():
        container.add(name, [codes], ["lengths"])
    for name, keywords in documents.keywords.items():
        sizes = np.fromiter(map(len, keywords.values), "<u4", len(keywords.values))
        text = np.frombuffer(b"".join(map(bytes, keywords.values)), np.uint8)
        note = ["keywords", len(keywords.values)]
        container.add(name, [sizes, keywords.ordinals.astype("<u4"), text], note)


def read_documents(path: Path) -> Documents:
    """Read the file of a segment's documents; raises IndexDamaged where it is damaged."""
    container = ContainerReader(path)
    documents = Documents(container.sections[0].note)
    for place, section in enumerate(container.sections[1:], 1):
        data = container.bytes(place)
        kind = section.note[0]
        if kind == "numbers":
            documents.numbers[section.name] = np.frombuffer(data, section.note[1], documents.size)
        elif kind == "lengths":
            documents.lengths[section.name] = np.frombuffer(data, np.uint8, documents.size)
        else:
            documents.keywords[section.name] = _read_keywords(data, section.note[1], documents.size)
    return documents


def _read_keywords(data: memoryview, count: int, size: int) -> Keywords:
    sizes = np.frombuffer(data, "<u4", count)
    offset = 4 * count + -4 * count % 8
    ordinals = np.frombuffer(data, "<u4", size, offset)
    text = bytes(data[offset + 4 * size + -4 * size % 8 :])
    if count > 1 and sizes[0] and (sizes == sizes[0]).all():
        fixed = np.frombuffer(text, f"S{sizes[0]}", count)
        # NumPy drops zero bytes at the end of a string.
        if not (fixed.view(np.uint8).reshape(count, -1)[:, -1] == 0).any():
            return Keywords(fixed, ordinals)
    ends = np.cumsum(sizes, dtype=np.int64).tolist()
    values = [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    return Keywords(values, ordinals)


class VectorPerDocumentWriter(base.PerDocumentWriter):  # type: ignore[misc]
    """Collects documents as Whoosh gives them, one value at a time."""

    def __init__(self, path: Path, segment: Any) -> None:
        self._path, self._segment = path, segment
        self._size = 0
        self._lengths: dict[str, dict[int, int]] = {}
        self._values: dict[str, tuple[Any, dict[int, Any]]] = {}
        self._stored: dict[str, Any] = {}
        self.is_closed = False

    def start_doc(self, docnum: int) -> None:
        """Begin a document."""
        self._size = docnum + 1
        self._stored = {}

    def add_field(self, fieldname: str, fieldobj: FieldType, value: Any, length: int) -> None:  # noqa: ARG002
        """Take the stored value and the length of a field."""
        if value is not None:
            self._stored[fieldname] = value
        if length:
            self._lengths.setdefault(fieldname, {})[self._size - 1] = length

    def add_column_value(self, fieldname: str, columnobj: Any, value: Any) -> None:
        """Take the value of a column."""
        self._values.setdefault(fieldname, (columnobj, {}))[1][self._size - 1] = value

    def add_vector_items(self, fieldname: str, fieldobj: FieldType, items: Any) -> None:  # noqa: ARG002
        """Refuse term vectors."""
        raise ValueError(f"Field {fieldname!r}: this codec keeps no term vectors.")

    def finish_doc(self) -> None:
        """End a document."""
        if self._stored:
            try:
                text = json.dumps(self._stored, ensure_ascii=False, separators=(",", ":"))
            except TypeError as error:
                raise ValueError(f"Stored fields are kept as JSON: {error}.") from error
            self.add_column_value(_STORED, columns.VarBytesColumn(), text.encode())

    def close(self) -> None:
        """Write the file."""
        if self.is_closed:
            return
        self.is_closed = True
        documents = Documents(self._size)
        for name, lengths in self._lengths.items():
            codes = np.zeros(self._size, np.uint8)
            codes[list(lengths)] = [encode_length(length) for length in lengths.values()]
            documents.lengths[name] = codes
        self._segment.field_lengths = {
            name: sum(lengths.values()) for name, lengths in self._lengths.items()
        }
        for name, (column, values) in self._values.items():
            every = [values.get(number, column.default_value()) for number in range(self._size)]
            if isinstance(column, columns.NumericColumn):
                documents.numbers[name] = np.array(every, np.dtype(column._typecode))
            elif isinstance(column, columns.BitColumn):
                documents.numbers[name] = np.array(every, np.bool_)
            elif isinstance(column, columns.VarBytesColumn | columns.RefBytesColumn):
                documents.keywords[name] = Keywords.of(every)
            else:
                kind = type(column).__name__
                raise TypeError(f"Column {name!r}: this codec keeps no {kind}.")
        write_documents(self._path, documents)


class VectorPerDocumentReader(base.PerDocumentReader):  # type: ignore[misc]
    """Whoosh's view of a segment's documents."""

    def __init__(self, documents: Documents, segment: Any) -> None:
        self.documents = documents
        self._segment = segment

    def doc_count(self) -> int:
        return int(self._segment.doc_count())

    def doc_count_all(self) -> int:
        return self.documents.size

    def has_deletions(self) -> bool:
        return bool(self._segment.has_deletions())

    def is_deleted(self, docnum: int) -> bool:
        return bool(self._segment.is_deleted(docnum))

    def deleted_docs(self) -> Any:
        return self._segment.deleted_docs()

    def supports_columns(self) -> bool:
        return True

    def has_column(self, fieldname: str) -> bool:
        return fieldname in self.documents.numbers or fieldname in self.documents.keywords

    def column_reader(self, fieldname: str, column: Any) -> "_ColumnReader":
        return _ColumnReader(self.documents, fieldname, column)

    def doc_field_length(self, docnum: int, fieldname: str, default: int = 0) -> int:
        codes = self.documents.lengths.get(fieldname)
        return int(LENGTHS[codes[docnum]]) if codes is not None and codes[docnum] else default

    def field_length(self, fieldname: str) -> int:
        return int(self._segment.field_lengths.get(fieldname, 0))

    def min_field_length(self, fieldname: str) -> int:
        codes = self.documents.lengths.get(fieldname)
        return int(LENGTHS[codes].min()) if codes is not None else 0

    def max_field_length(self, fieldname: str) -> int:
        codes = self.documents.lengths.get(fieldname)
        return int(LENGTHS[codes].max()) if codes is not None else 0

    def stored_fields(self, docnum: int) -> dict[str, Any]:
        stored = self.documents.keywords.get(_STORED)
        text = stored[docnum] if stored else b""
        return dict(json.loads(text)) if text else {}


class _ColumnReader(columns.ColumnReader):  # type: ignore[misc]
    """Whoosh's view of a column."""

    def __init__(self, documents: Documents, name: str, column: Any) -> None:
        self._doccount = documents.size
        self._default = column.default_value()
        self._reverse = False
        numbers = documents.numbers.get(name)
        self._values: Any = documents.keywords[name] if numbers is None else numbers

    def __getitem__(self, docnum: int) -> Any:
        value = self._values[docnum]
        return value if isinstance(value, bytes) else value.item()

    def sort_key(self, docnum: int) -> Any:
        value = self[docnum]
        return -value if self._reverse else value

    def __iter__(self) -> Iterator[Any]:
        return (self[number] for number in range(self._doccount))

    def default_value(self, reverse: bool = False) -> Any:
        return -self._default if reverse else self._default

    def set_reverse(self) -> None:
        self._reverse = True
