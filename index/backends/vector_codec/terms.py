"""The terms of a segment: Whoosh's field writer, terms reader and matcher over packed blocks."""

from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from whoosh.codec import base
from whoosh.fields import FieldType
from whoosh.formats import Existence, Format, Frequency, Positions
from whoosh.matching import LeafMatcher, NullMatcher, ReadTooFar
from whoosh.reading import TermInfo, TermNotFound
from whoosh.system import pack_uint

from index.backends.vector_codec.container import ContainerReader, ContainerWriter
from index.backends.vector_codec.documents import LENGTHS
from index.backends.vector_codec.postings import POSITION_BITS, Block, Postings, pack, starts

__all__ = ["FieldTerms", "VectorFieldWriter", "VectorTermsReader"]

# A block is read whole when a term in it is read first, so it must be small; each costs some
# hundred bytes of its own, so it must not be tiny.
_BLOCK_POSTINGS = 32_768
_BLOCK_TERMS = 1024


class VectorFieldWriter(base.FieldWriter):  # type: ignore[misc]
    """Writes the postings of a segment, field by field, terms in the order of their bytes.

    Whoosh gives postings one at a time (`start_term`, `add`), the batch writer arrays (`put`).
    """

    def __init__(self, path: Path) -> None:
        self._container = ContainerWriter(path)
        self._field = ""
        self._positions = False
        self._pending: list[Postings] = []
        self._size = 0
        self._format: Format = Existence()
        self._term: tuple[bytes, list[int], list[int], list[int]] = (b"", [], [], [])
        self.occurrences: dict[str, int] = {}
        self.is_closed = False

    def start_field(self, fieldname: str, fieldobj: FieldType) -> None:
        """Begin a field; raises ValueError for a format that the codec cannot keep."""
        form = fieldobj.format
        if type(form) not in {Existence, Frequency, Positions}:
            raise ValueError(
                f"Field {fieldname!r} has the format {type(form).__name__}; this codec keeps "
                "Existence, Frequency and Positions."
            )
        self._field = fieldname
        self._format = form
        self._positions = isinstance(form, Positions)
        self.occurrences[fieldname] = 0

    def put(self, postings: Postings) -> None:
        """Append the postings of further terms of the field."""
        if not postings.terms:
            return
        self.occurrences[self._field] += int(postings.frequencies.sum(dtype=np.int64))
        self._pending.append(postings)
        self._size += len(postings.documents)
        terms = sum(len(part.terms) for part in self._pending)
        if self._size >= _BLOCK_POSTINGS or terms >= _BLOCK_TERMS:
            self._write(last=False)

    def _write(self, *, last: bool) -> None:
        """Write what is pending in whole blocks, the rest too where it is the last of a field."""
        if not self._pending:
            return
        postings = Postings.concatenate(self._pending)
        ends = np.cumsum(postings.counts, dtype=np.int64)
        first = 0
        while first < len(postings.terms):
            before = int(ends[first - 1]) if first else 0
            fitting = int(np.searchsorted(ends, before + _BLOCK_POSTINGS, side="right"))
            after = min(max(fitting, first + 1), first + _BLOCK_TERMS)
            if after >= len(postings.terms) and not last:
                break
            after = min(after, len(postings.terms))
            block = postings.slice(first, after)
            note = [block.terms[0].decode("latin-1"), len(block.terms), self._positions]
            self._container.add(self._field, pack(block), note)
            first = after
        rest = postings.slice(first, len(postings.terms))
        self._pending = [rest] if rest.terms else []
        self._size = len(rest.documents)

    # Whoosh's own way, posting by posting

    def start_term(self, text: bytes) -> None:
        """Begin a term."""
        self._term = (text, [], [], [])

    def add(self, docnum: int, weight: float, vbytes: bytes, length: int) -> None:  # noqa: ARG002
        """Add a posting; raises ValueError for a weight that is no whole number."""
        if weight != int(weight):
            raise ValueError(f"Field {self._field!r}: a boost of single terms is not kept.")
        _, documents, frequencies, positions = self._term
        documents.append(docnum)
        frequencies.append(int(weight))
        if self._positions:
            places = self._format.decode_positions(vbytes)
            if len(places) != int(weight):
                raise ValueError(f"Field {self._field!r}: a boost of fields is not kept.")
            if places[-1] >= 1 << POSITION_BITS:
                raise ValueError(f"Field {self._field!r}: a text has more positions than are kept.")
            positions.extend(places)

    def finish_term(self) -> None:
        """End a term."""
        text, documents, frequencies, positions = self._term
        self.put(
            Postings(
                [text],
                np.array([len(documents)], np.uint32),
                np.array(documents, np.uint32),
                np.array(frequencies, np.uint32),
                np.array(positions, np.uint32) if self._positions else None,
            )
        )

    def finish_field(self) -> None:
        """End a field."""
        self._write(last=True)

    def close(self) -> None:
        """Complete the file."""
        if not self.is_closed:
            self.is_closed = True  # also where it fails, as on a full disk: the file is left then
            self._container.close()

    def abandon(self) -> None:
        """Leave the file incomplete."""
        self._container.abandon()
        self.is_closed = True


class FieldTerms:
    """The terms of one field: its blocks, and where each begins."""

    def __init__(self, container: ContainerReader) -> None:
        self._container = container
        self._sections: list[int] = []
        self._firsts: list[bytes] = []
        self._blocks: dict[int, Block] = {}
        self.has_positions = False

    def append(self, section: int, note: Any) -> None:
        """Take a further block of the directory."""
        self._sections.append(section)
        self._firsts.append(note[0].encode("latin-1"))
        self.has_positions = note[2]

    def block(self, number: int) -> Block:
        """Return a block, checked and mapped."""
        block = self._blocks.get(number)
        if block is None:
            data = self._container.bytes(self._sections[number])
            block = self._blocks[number] = Block(data, positions=self.has_positions)
        return block

    def find(self, text: bytes) -> tuple[Block, int] | None:
        """Return the block of a term and its number there."""
        place = bisect_right(self._firsts, text) - 1
        if place < 0:
            return None
        block = self.block(place)
        number = block.find(text)
        return (block, number) if number < len(block) and block.term(number) == text else None

    def walk(self, text: bytes = b"") -> Iterator[tuple[Block, int]]:
        """Give each term from `text` on."""
        place = max(bisect_right(self._firsts, text) - 1, 0)
        for number in range(place, len(self._sections)):
            block = self.block(number)
            for term in range(block.find(text) if number == place else 0, len(block)):
                yield block, term

    def unpack(self) -> Iterator[Postings]:
        """Give all postings, block by block."""
        for number in range(len(self._sections)):
            yield Block(
                self._container.bytes(self._sections[number]), positions=self.has_positions
            ).unpack()


class VectorTermsReader(base.TermsReader):  # type: ignore[misc]
    """Whoosh's view of the terms of a segment."""

    def __init__(self, path: Path, lengths: dict[str, NDArray[np.uint8]]) -> None:
        """Open the file; `lengths` has the code of each document's length in each field."""
        self.container = ContainerReader(path)
        self.fields: dict[str, FieldTerms] = {}
        self._lengths = lengths
        for number, section in enumerate(self.container.sections):
            field = self.fields.setdefault(section.name, FieldTerms(self.container))
            field.append(number, section.note)

    def __contains__(self, term: tuple[str, bytes]) -> bool:
        return self._find(*term) is not None

    def _find(self, fieldname: str, text: bytes) -> tuple[Block, int] | None:
        field = self.fields.get(fieldname)
        return field.find(text) if field else None

    def indexed_field_names(self) -> list[str]:
        """Return the names of the fields that have terms."""
        return list(self.fields)

    def cursor(self, fieldname: str, fieldobj: FieldType) -> "_Cursor":
        """Return a cursor over the terms of a field."""
        return _Cursor(self.fields.get(fieldname), fieldobj)

    def terms(self) -> Iterator[tuple[str, bytes]]:
        """Give every field and term in order."""
        for name in sorted(self.fields):
            for block, number in self.fields[name].walk():
                yield name, block.term(number)

    def terms_from(self, fieldname: str, prefix: bytes) -> Iterator[tuple[str, bytes]]:
        """Give the terms from `prefix` on, those of later fields too."""
        for name in sorted(self.fields):
            if name >= fieldname:
                start = prefix if name == fieldname else b""
                for block, number in self.fields[name].walk(start):
                    yield name, block.term(number)

    def items(self) -> Iterator[tuple[tuple[str, bytes], TermInfo]]:
        """Give every term with its statistics."""
        for term in self.terms():
            yield term, self.term_info(*term)

    def items_from(
        self, fieldname: str, prefix: bytes
    ) -> Iterator[tuple[tuple[str, bytes], TermInfo]]:
        """Give the terms from `prefix` on with their statistics."""
        for term in self.terms_from(fieldname, prefix):
            yield term, self.term_info(*term)

    def term_info(self, fieldname: str, text: bytes) -> TermInfo:
        """Return the statistics of a term; raises TermNotFound."""
        found = self._find(fieldname, text)
        if found is None:
            raise TermNotFound(f"No term {fieldname}:{text!r}")
        block, number = found
        documents, frequencies = block.postings(number)
        codes = self._lengths.get(fieldname)
        held = LENGTHS[codes[documents]] if codes is not None else np.zeros(1, np.int64)
        return TermInfo(
            weight=float(block.occurrences(number)),
            df=block.count(number),
            minlength=int(held.min()),
            maxlength=int(held.max()),
            maxweight=float(frequencies.max()),
            minid=int(documents[0]),
            maxid=int(documents[-1]),
        )

    def frequency(self, fieldname: str, text: bytes) -> float:
        """Return how often a term occurs; 0 where it does not."""
        found = self._find(fieldname, text)
        return float(found[0].occurrences(found[1])) if found else 0.0

    def doc_frequency(self, fieldname: str, text: bytes) -> int:
        """Return how many documents hold a term; 0 where none does."""
        found = self._find(fieldname, text)
        return found[0].count(found[1]) if found else 0

    def matcher(
        self, fieldname: str, text: bytes, format_: Format, scorer: Any = None
    ) -> "VectorMatcher":
        """Return a matcher over the postings of a term; raises TermNotFound."""
        found = self._find(fieldname, text)
        if found is None:
            raise TermNotFound(f"No term {fieldname}:{text!r}")
        info = self.term_info(fieldname, text)
        return VectorMatcher(*found, (fieldname, text), format_, scorer, info)

    def close(self) -> None:
        """Do nothing: the file stays mapped until the last array over it is gone."""


class VectorMatcher(LeafMatcher):  # type: ignore[misc]
    """Whoosh's view of the postings of a term: a place in their arrays."""

    def __init__(
        self,
        block: Block,
        number: int,
        term: tuple[str, bytes],
        format_: Format,
        scorer: Any,
        info: TermInfo,
    ) -> None:
        self._block, self._number, self._term = block, number, term
        self.format, self.scorer, self._info = format_, scorer, info
        self._documents, self._frequencies = block.postings(number)
        self._places: tuple[NDArray[np.uint32], NDArray[np.int64]] | None = None
        self._at = 0

    def is_active(self) -> bool:
        return self._at < len(self._documents)

    def reset(self) -> None:
        self._at = 0

    def copy(self) -> "VectorMatcher":
        other = VectorMatcher.__new__(VectorMatcher)
        other.__dict__.update(self.__dict__)
        return other

    def replace(self, minquality: float = 0) -> Any:
        if not self.is_active() or (minquality and self.max_quality() < minquality):
            return NullMatcher()
        return self

    def id(self) -> int:
        return int(self._documents[self._at])

    def next(self) -> None:
        if not self.is_active():
            raise ReadTooFar
        self._at += 1

    def skip_to(self, id: int) -> None:  # noqa: A002
        if not self.is_active():
            raise ReadTooFar
        self._at += int(np.searchsorted(self._documents[self._at :], id))

    def all_ids(self) -> Iterator[int]:
        return iter(self._documents.tolist())

    def weight(self) -> float:
        return float(self._frequencies[self._at])

    def _positions(self) -> list[int]:
        if self._places is None:
            self._places = self._block.positions(self._number), starts(self._frequencies)
        positions, begins = self._places
        begin = int(begins[self._at])
        places: list[int] = positions[begin : begin + int(self._frequencies[self._at])].tolist()
        return places

    def value(self) -> bytes:
        if isinstance(self.format, Positions):
            encoded = self.format.encode(self._positions())
        elif isinstance(self.format, Frequency):
            encoded = pack_uint(int(self._frequencies[self._at]))  # as Frequency reads it
        else:
            encoded = b""
        return bytes(encoded)

    def value_as(self, astype: str) -> Any:
        if astype == "positions":
            return self._positions()
        return super().value_as(astype)

    def skip_to_quality(self, minquality: float) -> int:
        # The whole list is one block, so it is worth reading or all of it is not.
        if self.block_quality() > minquality:
            return 0
        self._at = len(self._documents)
        return 1

    def block_min_length(self) -> int:
        return int(self._info.min_length())

    def block_max_length(self) -> int:
        return int(self._info.max_length())

    def block_max_weight(self) -> float:
        return float(self._info.max_weight())


class _Cursor(base.FieldCursor):  # type: ignore[misc]
    """Walks over the terms of a field; Whoosh's fuzzy queries jump about with it."""

    def __init__(self, field: FieldTerms | None, fieldobj: FieldType) -> None:
        self._field, self._fieldobj = field, fieldobj
        self._walk: Iterator[tuple[Block, int]] = iter(())
        self._here: tuple[Block, int] | None = None
        self.first()

    def first(self) -> str | None:
        return self.find(b"")

    def find(self, term: bytes | str) -> str | None:
        text = term if isinstance(term, bytes) else self._fieldobj.to_bytes(term)
        self._walk = self._field.walk(text) if self._field else iter(())
        return self.next()

    def next(self) -> str | None:
        self._here = next(self._walk, None)
        return self.text()

    def text(self) -> str | None:
        if self._here is None:
            return None
        block, number = self._here
        text: str = self._fieldobj.from_bytes(block.term(number))
        return text

    def is_valid(self) -> bool:
        return self._here is not None
