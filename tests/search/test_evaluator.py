"""The evaluator: what Whoosh's matchers answer where they are right, else what brute force does."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from whoosh import fields, query
from whoosh.analysis import SpaceSeparatedTokenizer
from whoosh.filedb.filestore import FileStorage
from whoosh.searching import Searcher
from whoosh.writing import SegmentWriter

from index.backends.vector_codec import VectorCodec
from search import similarity
from search.backends.whoosh import segments
from search.backends.whoosh.cache import ByteCache
from search.backends.whoosh.evaluator import Evaluator
from search.backends.whoosh.matches import Accumulator, Matches, best
from search.backends.whoosh.queries import Near
from search.backends.whoosh.segments import OpenSegment
from search.backends.whoosh.view import SegmentsView
from search.backends.whoosh.weighting import LuceneBM25

WORDS = [f"w{number}" for number in range(12)]
SCHEMA = fields.Schema(
    id=fields.ID(unique=True, stored=True),
    text=fields.TEXT(analyzer=SpaceSeparatedTokenizer()),
    title=fields.TEXT(analyzer=SpaceSeparatedTokenizer()),
)


class Collection:
    """The same random documents in both codecs and as plain lists of words."""

    def __init__(self, folder: Path, seed: int) -> None:
        random = Random(seed)
        self.texts: list[dict[str, list[str]]] = []
        self.deleted: set[int] = set()
        indexes = [
            FileStorage(str(folder / f"{name}{seed}")).create().create_index(SCHEMA)
            for name in ("stock", "ours")
        ]
        for _ in range(random.randint(1, 4)):
            batch = [
                {
                    "text": random.choices(WORDS, k=random.randint(0, 10)),
                    "title": random.choices(WORDS[:6], k=random.randint(0, 4)),
                }
                for _ in range(random.randint(1, 25))
            ]
            gone = {number for number in range(len(self.texts)) if random.random() < 0.1}
            for index, codec in zip(indexes, (None, VectorCodec()), strict=True):
                writer = SegmentWriter(index, codec=codec, compound=False)
                for number in gone:
                    writer.delete_by_term("id", str(number))
                for number, document in enumerate(batch, len(self.texts)):
                    texts = {name: " ".join(words) for name, words in document.items() if words}
                    writer.add_document(id=str(number), **texts)
                writer.commit(merge=False)
            self.deleted |= gone
            self.texts += batch
        self.stock = indexes[0]
        toc = indexes[1]._read_toc()
        cache: ByteCache[Any] = ByteCache(1 << 20)
        codec = VectorCodec()
        opened = [
            (
                segment,
                OpenSegment(segment.segment_id(), codec.open(indexes[1].storage, segment), cache),
            )
            for segment in toc.segments
        ]
        self.view = SegmentsView(indexes[1].reader(), opened)
        self.evaluator = Evaluator(self.view, random.choice([1, 1 << 20]))

    def evaluated(self, wanted: query.Query) -> dict[int, float]:
        for _ in range(2):  # the second time from the cache
            matches = self.evaluator.evaluate(wanted).where(self.view.live)
        assert (np.diff(matches.documents) > 0).all()
        return dict(zip(matches.documents.tolist(), matches.scores.tolist(), strict=True))

    def by_whoosh(self, wanted: query.Query) -> dict[int, float]:
        with Searcher(self.stock.reader(), weighting=LuceneBM25(self.view)) as searcher:
            return {hit.docnum: hit.score for hit in searcher.search(wanted, limit=None)}

    def by_force(self, wanted: query.Query) -> dict[int, float]:
        """Score every document by itself."""
        scores = {}
        for number in range(len(self.texts)):
            if number not in self.deleted:
                score = self.score(wanted, number)
                if score is not None:
                    scores[number] = score
        return scores

    def score(self, wanted: query.Query, number: int) -> float | None:
        def of(part: query.Query) -> float | None:
            return self.score(part, number)

        match wanted:
            case query.Term():
                return self.weigh(wanted, [wanted.text], number)
            case query.Phrase():
                return self.weigh(wanted, wanted.words, number)
            case Near():
                words = list(dict.fromkeys(word for part in wanted.parts for word in part))
                together = partial(stand_together, parts=wanted.parts, slop=wanted.slop)

                def count(*given: Any) -> int:
                    return min(together(*given), 1)

                return self.weigh(wanted, words, number, count)
            case query.AndNot():
                return of(wanted.a) if of(wanted.b) is None else None
            case query.Require():
                return of(wanted.a) if of(wanted.b) is not None else None
            case query.DisjunctionMax():
                scores = [score for part in wanted.subqueries if (score := of(part)) is not None]
                rest = sum(scores) - max(scores, default=0)
                return max(scores) + wanted.tiebreak * rest if scores else None
            case query.Not():
                return 0.0 if of(wanted.query) is None else None
            case query.And():
                scores = [of(part) for part in wanted.subqueries]
                return None if None in scores else sum(filter(None, scores))
            case query.Or():
                scores = [of(part) for part in wanted.subqueries]
                held = [score for score in scores if score is not None]
                return sum(held) if len(held) >= max(wanted.minmatch, 1) else None
        raise AssertionError(wanted)

    def weigh(
        self,
        wanted: Any,
        words: list[str],
        number: int,
        occurrences: Callable[[list[str]], int] | None = None,
    ) -> float | None:
        """Lucene's BM25, spelt out; an idf counts deleted documents."""
        name = wanted.fieldname
        held = [document[name] for document in self.texts]
        of = held[number]
        count = occurrences(of) if occurrences else len(starts(of, words))
        if not count:
            return None
        documents = sum(bool(each) for each in held)
        average = sum(map(len, held)) / documents
        weight = sum(
            similarity.idf(documents, sum(word in each for each in held)) for word in words
        )
        length = len(of)
        norm = similarity.K1 * (1 - similarity.B + similarity.B * length / average)
        return wanted.boost * weight * count / (count + norm)


def starts(text: list[str], words: Sequence[str]) -> list[int]:
    places = range(len(text) - len(words) + 1)
    return [place for place in places if text[place : place + len(words)] == list(words)]


def stand_together(text: list[str], parts: Sequence[Sequence[str]], slop: int) -> int:
    """How often the last places of all parts so far have at most `slop` words between them."""
    lasts: dict[int, int] = {}
    count = 0
    for place, number in sorted(
        (place, number) for number, part in enumerate(parts) for place in starts(text, part)
    ):
        lasts[number] = place
        if len(lasts) == len(parts):
            end = max(start + len(parts[each]) for each, start in lasts.items())
            count += end - min(lasts.values()) - sum(map(len, parts)) <= slop
    return count


def leaf(random: Random) -> query.Query:
    name = random.choice(["text", "title"])
    if random.random() < 0.25:
        return query.Phrase(name, random.choices(WORDS[:6], k=random.randint(2, 3)))
    return query.Term(name, random.choice([*WORDS, "none"]), boost=random.choice([1.0, 3.0]))


def check_whoosh(collection: Collection, random: Random) -> None:
    parts = [leaf(random) for _ in range(3)]
    terms = [part for part in parts if isinstance(part, query.Term)] or [query.Term("text", "w1")]
    for wanted in (
        *terms,
        query.And(terms),
        query.Or(terms),
        query.AndMaybe(terms[0], query.Or(terms)),
        query.Every(),
        query.ConstantScoreQuery(query.Or(terms), 2.0),
        query.Wildcard("text", "w?"),  # Whoosh's own matchers, over arrays
        query.TermRange("text", "w1", "w3"),
    ):
        ours, theirs = collection.evaluated(wanted), collection.by_whoosh(wanted)
        assert ours == pytest.approx(theirs, rel=1e-6), wanted
    # Whoosh's score of a prefix depends on how many terms it stands for in each segment.
    prefix = query.Prefix("text", "w1", boost=2.0)
    assert collection.evaluated(prefix) == dict.fromkeys(collection.by_whoosh(prefix), 2.0)


def check_force(collection: Collection, random: Random) -> None:
    parts = [leaf(random) for _ in range(3)]
    for wanted in (
        *parts,
        query.And(parts[:2]),
        query.Or(parts),
        query.Or(parts, minmatch=2),  # Whoosh leaves minmatch out of account
        query.And([parts[0], query.Not(parts[1])]),  # Whoosh adds 1 to the score
        query.AndNot(parts[0], parts[1]),
        query.Require(query.Or(parts[:2]), parts[2]),
        query.DisjunctionMax(parts),
        query.DisjunctionMax(parts, tiebreak=0.3),
        query.Or([query.AndNot(parts[0], parts[1]), query.And(parts[1:])]),
    ):
        ours, expected = collection.evaluated(wanted), collection.by_force(wanted)
        assert ours == pytest.approx(expected, rel=1e-6), wanted


@pytest.mark.parametrize("whole", [0, 5000])  # documents up to which a term's places are kept
def test_what_stands_together_is_what_a_walk_over_the_words_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: int
) -> None:
    monkeypatch.setattr(segments, "_WHOLE", whole)
    for seed in range(4):
        random = Random(seed)
        collection = Collection(tmp_path, seed)
        for _ in range(15):
            parts = [
                random.choices([*WORDS[:5], "none"], [9, 9, 9, 9, 9, 1], k=random.choice([1, 1, 2]))
                for _ in range(random.randint(1, 4))
            ]
            name = random.choice(["text", "title"])
            phrase = query.Phrase(name, random.choices(WORDS[:3], k=random.randint(2, 4)))
            for wanted in (Near(name, parts, random.randint(0, 5)), phrase):
                ours, expected = collection.evaluated(wanted), collection.by_force(wanted)
                assert ours == pytest.approx(expected, rel=1e-6), wanted


@pytest.mark.slow
def test_scores_are_those_of_whoosh_and_of_brute_force(tmp_path: Path) -> None:
    for seed in range(15):
        random = Random(seed)
        collection = Collection(tmp_path, seed)
        for _ in range(6):
            check_whoosh(collection, random)
            check_force(collection, random)


@pytest.mark.soak
def test_scores_are_the_same_at_length(tmp_path: Path) -> None:
    for seed in range(1000, 1600):
        random = Random(seed)
        collection = Collection(tmp_path, seed)
        for _ in range(6):
            check_whoosh(collection, random)
            check_force(collection, random)


def test_what_is_not_there_is_not_looked_for_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection = Collection(tmp_path, 3)
    absent = query.Phrase("text", ["w1", "none"])
    assert not len(collection.evaluator.evaluate(absent))
    monkeypatch.setattr(Evaluator, "_compute", None)
    assert not len(collection.evaluator.evaluate(absent))


def test_scale_and_minmatch_are_not_taken_from_the_cache(tmp_path: Path) -> None:
    collection = Collection(tmp_path, 3)
    terms = [query.Term("text", word) for word in WORDS[:3]]
    plain = collection.evaluated(query.Or(terms))
    assert collection.evaluated(query.Or(terms, minmatch=2)).keys() < plain.keys()
    assert collection.evaluated(query.Or(terms, scale=0.9)) != plain


def test_more_parts_than_a_byte_counts_are_counted() -> None:
    part = Matches(np.array([3], np.int64), np.ones(1, np.float32))
    assert Accumulator(5).any_of([part] * 300, least=257).documents.tolist() == [3]


def test_explain_names_what_whoosh_had_to_answer(tmp_path: Path) -> None:
    collection = Collection(tmp_path, 3)
    lines = collection.evaluator.explain(
        query.And([query.Term("text", "w1"), query.Wildcard("text", "w?")])
    )
    assert len(lines) == 3
    assert "arrays" in lines[0]
    assert "arrays" in lines[1]
    assert "Whoosh's matchers" in lines[2]


rows = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 50)), max_size=40)


@given(rows, st.integers(1, 50))
def test_the_best_are_the_first_of_all_in_order(
    rows: list[tuple[int, int, int]], count: int
) -> None:
    rows = list(dict.fromkeys(rows))
    columns = [np.array([row[key] for row in rows], np.int64) for key in range(3)]
    keys = [lambda places, column=column: column[places] for column in columns]
    places = best(count, len(rows), keys)
    assert [rows[place] for place in places] == sorted(rows)[:count]


lists = st.lists(st.dictionaries(st.integers(0, 99), st.integers(1, 9), max_size=60), min_size=1)


@given(lists)
def test_unions_and_intersections_add_scores_up(lists: list[dict[int, int]]) -> None:
    parts = [
        Matches(np.array(sorted(each), np.int64), np.array([each[n] for n in sorted(each)], "f4"))
        for each in lists
    ]
    accumulator = Accumulator(100)
    for matches, holds in (
        (accumulator.any_of(parts), any),
        (accumulator.all_of(parts), all),
    ):
        expected = {
            number: float(sum(each.get(number, 0) for each in lists))
            for number in range(100)
            if holds(number in each for each in lists)
        }
        assert (
            dict(zip(matches.documents.tolist(), matches.scores.tolist(), strict=True)) == expected
        )
