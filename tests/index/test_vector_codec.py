"""The vector codec: packing, damage, refusals, and the same answers as Whoosh's own codec."""

from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whoosh import columns, fields, formats, query
from whoosh.analysis import SpaceSeparatedTokenizer
from whoosh.filedb.filestore import FileStorage
from whoosh.writing import SegmentWriter

from index.analysis import FieldTokens
from index.backends.vector_codec import Documents, VectorCodec, VectorWriter
from index.backends.vector_codec.container import ContainerReader, ContainerWriter
from index.backends.vector_codec.merging import merge_postings
from index.backends.vector_codec.postings import Block, Postings, pack
from index.errors import IndexUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

# Packing


def postings_of(index: dict[bytes, dict[int, list[int]]]) -> Postings:
    """Postings of a dictionary: term, document, positions."""
    entries = [(term, sorted(index[term].items())) for term in sorted(index)]
    every = [entry for _, documents in entries for entry in documents]
    return Postings(
        [term for term, _ in entries],
        np.array([len(documents) for _, documents in entries], np.uint32),
        np.array([document for document, _ in every], np.uint32),
        np.array([len(positions) for _, positions in every], np.uint32),
        np.array([place for _, positions in every for place in positions], np.uint32),
    )


def index_of(postings: Postings) -> dict[bytes, dict[int, list[int]]]:
    """The inverse of `postings_of`."""
    assert postings.positions is not None
    documents = iter(zip(postings.documents.tolist(), postings.frequencies.tolist(), strict=True))
    places = iter(postings.positions.tolist())
    index = {}
    for term, count in zip(postings.terms, postings.counts.tolist(), strict=True):
        of_term = {}
        for _ in range(count):
            document, frequency = next(documents)
            of_term[document] = [next(places) for _ in range(frequency)]
        index[term] = of_term
    return index


numbers = st.integers(0, 300) | st.integers(0, 70_000) | st.integers(0, 2**22 - 1)
indexes = st.dictionaries(
    st.binary(max_size=5),
    st.dictionaries(numbers, st.lists(numbers, min_size=1, max_size=6).map(sorted), min_size=1),
    min_size=1,
    max_size=12,
)

# Few terms and documents, so that the parts of a merge have terms in common.
parts_of_a_merge = st.dictionaries(
    st.binary(max_size=1) | st.sampled_from([b"a", b"ab", b"abc", b"b", b"\xff\xff"]),
    st.dictionaries(
        numbers, st.lists(numbers, min_size=1, max_size=4).map(sorted), min_size=1, max_size=5
    ),
    min_size=1,
    max_size=8,
)


@given(indexes)
def test_a_block_gives_back_what_was_packed_whole_and_by_term(
    index: dict[bytes, dict[int, list[int]]],
) -> None:
    postings = postings_of(index)
    data = b"".join(array.tobytes() + bytes(-array.nbytes % 8) for array in pack(postings))
    block = Block(memoryview(data), positions=True)
    assert index_of(block.unpack()) == index
    for number, term in enumerate(postings.terms):
        assert block.term(block.find(term)) == term
        documents, frequencies = block.postings(number)
        assert documents.tolist() == sorted(index[term])
        assert frequencies.tolist() == [len(index[term][each]) for each in sorted(index[term])]
        places = [place for each in sorted(index[term]) for place in index[term][each]]
        assert block.positions(number).tolist() == places
        assert block.occurrences(number) == len(places)


@pytest.mark.slow
@given(st.lists(parts_of_a_merge, min_size=1, max_size=4), st.randoms())
def test_a_merge_holds_every_posting_once_in_order(
    parts: list[dict[bytes, dict[int, list[int]]]], random: Random
) -> None:
    expected: dict[bytes, dict[int, list[int]]] = {}
    streams = []
    for number, part in enumerate(parts):
        moved = {
            term: {document + number * 2**22: places for document, places in documents.items()}
            for term, documents in part.items()
        }
        for term, documents in moved.items():
            expected.setdefault(term, {}).update(documents)
        whole = postings_of(moved)
        cut = random.randint(0, len(whole.terms))
        pieces = [whole.slice(0, cut), whole.slice(cut, len(whole.terms))]
        streams.append(iter([piece for piece in pieces if piece.terms]))
    merged = Postings.concatenate(list(merge_postings(streams)))
    assert merged.terms == sorted(expected)
    assert index_of(merged) == expected


# Damage


@pytest.fixture
def container(tmp_path: Path) -> Path:
    writer = ContainerWriter(tmp_path / "file")
    writer.add("first", [np.arange(100, dtype="<u4")], {"note": 1})
    writer.add("second", [np.arange(10, dtype="<u8"), np.zeros(3, np.uint8)])
    writer.close()
    return tmp_path / "file"


def read_all(path: Path) -> list[bytes]:
    reader = ContainerReader(path)
    return [bytes(reader.bytes(number)) for number in range(len(reader.sections))]


def test_every_changed_byte_is_noticed_by_name(container: Path) -> None:
    sound = container.read_bytes()
    before = read_all(container)
    for place in range(len(sound)):
        changed = bytearray(sound)
        changed[place] ^= 1 << place % 8
        container.write_bytes(changed)
        if 12 <= place < 16:  # the unused bytes of the header
            assert read_all(container) == before
            continue
        with pytest.raises(IndexUnavailable, match="anwen index --rebuild") as caught:
            read_all(container)
        assert str(container) in str(caught.value)


def test_every_shorter_file_is_refused(container: Path) -> None:
    sound = container.read_bytes()
    for length in range(len(sound)):
        container.write_bytes(sound[:length])
        with pytest.raises(IndexUnavailable, match="damaged"):
            ContainerReader(container)


def test_a_merge_keeps_the_default_of_a_column_that_a_segment_lacks(tmp_path: Path) -> None:
    column = fields.COLUMN(columns.NumericColumn("q", default=-5))
    index = FileStorage(str(tmp_path)).create_index(fields.Schema(id=fields.ID, number=column))
    for values in ({"id": "a", "number": 7}, {"id": "b"}):
        writer = VectorWriter(index, 1 << 20)
        writer.add_document(**values)
        writer.commit(merge=False)
    with index.reader() as reader:
        leaves = [leaf for leaf, _ in reader.leaf_readers()]
        assert [leaf.column_reader("number")[0] for leaf in leaves] == [7, -5]
    VectorWriter(index, 1 << 20).commit(optimize=True)
    with index.reader() as reader:
        ((leaf, _),) = reader.leaf_readers()
        assert list(leaf.column_reader("number")) == [7, -5]


def test_a_file_of_another_version_is_refused(container: Path) -> None:
    content = bytearray(container.read_bytes())
    content[8] = 9
    container.write_bytes(content)
    with pytest.raises(IndexUnavailable, match="version 9, this program reads 1"):
        ContainerReader(container)


# What it refuses


@pytest.mark.parametrize(
    ("field", "values", "message"),
    [
        (fields.TEXT(chars=True), {"text": "alfa"}, "format Characters"),
        (fields.TEXT(), {"text": "alfa", "_text_boost": 1.5}, "boost"),
        (fields.TEXT(vector=formats.Frequency()), {"text": "alfa"}, "term vectors"),
    ],
)
def test_what_the_arrays_cannot_hold_is_refused(
    tmp_path: Path, field: fields.FieldType, values: dict[str, Any], message: str
) -> None:
    index = FileStorage(str(tmp_path)).create_index(fields.Schema(text=field))
    writer = SegmentWriter(index, codec=VectorCodec(), compound=False)
    with pytest.raises(ValueError, match=message):  # noqa: PT012
        writer.add_document(**values)
        writer.commit()
    writer.cancel()


# The same answers as Whoosh's own codec

WORDS = [f"w{number}" for number in range(25)]
SCHEMA = fields.Schema(
    id=fields.ID(unique=True, stored=True),
    text=fields.TEXT(analyzer=SpaceSeparatedTokenizer()),
    other=fields.TEXT(analyzer=SpaceSeparatedTokenizer()),
    kind=fields.KEYWORD(sortable=True, stored=True),
    number=fields.NUMERIC(sortable=True),
)


def build(folder: Path, codec: Any, seed: int) -> Any:
    """A random index of several segments, with deletions, some of them merged."""
    random = Random(seed)
    index = FileStorage(str(folder)).create().create_index(SCHEMA)
    written: list[str] = []
    for _ in range(random.randint(1, 4)):
        writer = SegmentWriter(index, codec=codec, compound=False)
        for identifier in random.sample(written, min(len(written), 3)):
            writer.delete_by_term("id", identifier)
        for _ in range(random.randint(1, 30)):
            written.append(f"d{len(written)}")
            document: dict[str, Any] = {"id": written[-1]}
            if random.random() < 0.9:
                # Up to ten words both codecs keep a field's length exactly.
                document["text"] = " ".join(random.choices(WORDS, k=random.randint(1, 10)))
            if random.random() < 0.5:
                document["other"] = " ".join(random.choices(WORDS[:5], k=random.randint(1, 5)))
            if random.random() < 0.7:
                document["kind"] = random.choice("abc")
                document["number"] = random.randint(-5, 300)
            writer.add_document(**document)
        writer.commit(optimize=random.random() < 0.3, merge=False)
    return index


def random_query(random: Random, depth: int = 2) -> query.Query:
    """A query of the kinds that Whoosh answers rightly."""
    leaves: list[Callable[[], query.Query]] = [
        lambda: query.Term("text", random.choice(WORDS), boost=random.choice([1.0, 2.5])),
        lambda: query.Term("other", random.choice(WORDS[:6])),
        lambda: query.Prefix("text", random.choice(["w", "w1", "w2", "x"])),
        lambda: query.Phrase("text", random.choices(WORDS[:8], k=2)),
        lambda: query.Wildcard("text", "w?3"),
        lambda: query.FuzzyTerm("text", "w12"),
        lambda: query.TermRange("text", "w1", "w2"),
        lambda: query.NumericRange("number", 10, 200),
        lambda: query.Every(),
    ]
    if depth == 0 or random.random() < 0.3:
        return random.choice(leaves)()
    parts = [random_query(random, depth - 1) for _ in range(random.randint(2, 3))]
    kind = random.randrange(3)
    if kind == 0:
        return query.And(parts)
    if kind == 1:
        return query.Or(parts)
    return query.AndMaybe(parts[0], parts[1])


def answers(index: Any, wanted: query.Query) -> list[tuple[str, float]]:
    with index.searcher() as searcher:
        return sorted(
            (hit["id"], round(hit.score, 9)) for hit in searcher.search(wanted, limit=None)
        )


def compare(folder: Path, seed: int) -> None:
    stock = build(folder / f"stock{seed}", None, seed)
    ours = build(folder / f"ours{seed}", VectorCodec(), seed)
    random = Random(seed)
    for _ in range(12):
        wanted = random_query(random)
        assert answers(ours, wanted) == answers(stock, wanted), wanted
    with stock.searcher() as theirs, ours.searcher() as mine:
        terms = list(theirs.reader().all_terms())
        assert list(mine.reader().all_terms()) == terms
        for name, text in terms:
            a, b = theirs.term_info(name, text), mine.term_info(name, text)
            assert (a.weight(), a.doc_frequency()) == (b.weight(), b.doc_frequency())
        for name in ("kind", "number"):
            ordered = [
                [hit["id"] for hit in each.search(query.Every(), sortedby=[name, "id"], limit=None)]
                for each in (theirs, mine)
            ]
            assert ordered[0] == ordered[1]


@pytest.mark.slow
def test_whoosh_reads_from_it_what_it_reads_from_its_own_codec(tmp_path: Path) -> None:
    for seed in range(12):
        compare(tmp_path, seed)


@pytest.mark.soak
def test_whoosh_reads_the_same_at_length(tmp_path: Path) -> None:
    for seed in range(1000, 1500):
        compare(tmp_path, seed)


# Batches


def tokens_of(texts: list[str]) -> FieldTokens:
    """Words of some texts, as the analyzer would give them."""
    vocabulary: dict[str, int] = {}
    rows = [
        (vocabulary.setdefault(word, len(vocabulary)), document, position)
        for document, text in enumerate(texts)
        for position, word in enumerate(text.split())
    ]
    terms, documents, positions = np.array(rows, np.uint32).reshape(-1, 3).T
    lengths = np.array([len(text.split()) for text in texts], np.uint32)
    return FieldTokens(list(vocabulary), terms, documents, positions, lengths)


@settings(max_examples=30, deadline=None)
@given(
    batches=st.lists(
        st.lists(st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join), max_size=6),
        min_size=1,
        max_size=6,
    ),
    memory=st.sampled_from([1, 400, 1 << 20]),
)
def test_batches_make_the_index_that_single_documents_make(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[str]], memory: int
) -> None:
    folder = tmp_path_factory.mktemp("batches")
    schema = fields.Schema(text=fields.TEXT(analyzer=SpaceSeparatedTokenizer()))
    single = FileStorage(str(folder / "single")).create().create_index(schema)
    batched = FileStorage(str(folder / "batched")).create().create_index(schema)
    one_by_one = SegmentWriter(single, codec=VectorCodec(), compound=False)
    for text in [text for batch in batches for text in batch]:
        one_by_one.add_document(text=text)
    one_by_one.commit()
    writer = VectorWriter(batched, memory)
    for batch in batches:
        field = tokens_of(batch)
        documents = Documents(len(batch), lengths={"text": field.lengths.astype(np.uint8)})
        writer.add_batch(documents, {"text": field})
    writer.commit()
    with single.searcher() as a, batched.searcher() as b:
        assert a.doc_count_all() == b.doc_count_all()
        for word in WORDS:
            found = [
                [
                    (hit.docnum, hit.score)
                    for hit in each.search(query.Term("text", word), limit=None)
                ]
                for each in (a, b)
            ]
            assert found[0] == found[1]
            if found[0]:
                matchers = [each.postings("text", word) for each in (a.reader(), b.reader())]
                assert [m.value_as("positions") for m in matchers] == [
                    matchers[0].value_as("positions")
                ] * 2
