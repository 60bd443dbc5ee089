"""tantivy, through tantivy-py: the same tokens in two views a field, words and units.

It takes text, not positions, so each view is a field of its own whose tokens are set apart by
spaces: in `words` all but single Han characters, in `units` what phrases are made of. Facet values
are numbers of a table beside the index: counting text values took three times as long.
"""

import json
import shutil
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import tantivy
from collection import Document
from engine import BOOSTS, FACET_SIZE, FACETS, Hit, Page, Stopwatch, folder_size
from queries import WORDS_KIND, PageQuery
from tokens import Batch

__all__ = ["Tantivy"]

_HEAP = 1_000_000_000  # a thread
_FIELDS = tuple(BOOSTS)
_MUST, _SHOULD = tantivy.Occur.Must, tantivy.Occur.Should


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    for name in _FIELDS:
        for view in ("words", "units"):
            builder.add_text_field(f"{name}_{view}", tokenizer_name="spaces")
    for name in ("category", "source"):
        builder.add_integer_field(name, stored=True, fast=True)
    builder.add_integer_field("organisation", stored=True, fast=True, indexed=True)
    builder.add_integer_field("published", stored=True, fast=True)
    builder.add_integer_field("month", fast=True)
    builder.add_integer_field("day_only", fast=True)
    return builder.build()


class Tantivy:
    """An index of tantivy's; its writer keeps to the default merge policy."""

    version = f"tantivy {version('tantivy')}"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._create()
        self._writer: Any = None
        self._numbers: dict[str, dict[str, int]] = {name: {} for name in FACETS}
        self._texts: dict[str, list[str]] = {}
        self._aggregations = {
            # Of one segment the most frequent values are enough. Of several, such as updates
            # leave, counts would be exact only if each gave all of its values, at twice the time.
            name: {"terms": {"field": name, "size": size, "segment_size": size}}
            for name in FACETS
            for size in [1000 if name == "month" else FACET_SIZE]
        }

    def build(self, batches: Iterable[Batch], clock: Stopwatch) -> None:
        """Index all documents with two threads and with one; the clock shows the faster time.

        One thread leaves one segment, which answers faster than two: that one is asked.
        """
        # Its threads work while Python makes the next input, so all of that is made before.
        values = [values for batch in batches for values in self._values(batch)]
        times = []
        for threads in (2, 1):
            shutil.rmtree(self._folder)
            self._create()
            own = Stopwatch()
            with own.running():
                writer = self._index.writer(heap_size=_HEAP * threads, num_threads=threads)
                for value in values:
                    writer.add_document(tantivy.Document(**value))
                writer.commit()
                writer.wait_merging_threads()
            times.append(own.seconds)
        clock.seconds += min(times)
        table = {name: list(numbers) for name, numbers in self._numbers.items()}
        self._table.write_text(json.dumps(table), encoding="utf-8")

    def open(self) -> None:
        """Open a searcher, and read the table of facet values."""
        self._texts = json.loads(self._table.read_text(encoding="utf-8"))
        self._numbers = {
            name: {text: number for number, text in enumerate(texts)}
            for name, texts in self._texts.items()
        }
        self._index.config_reader("manual")
        self.refresh()

    def page(self, query: PageQuery) -> Page:
        """Answer in two passes, which is what tantivy-py offers: best hits, then facets."""
        compiled = self._compile(query)
        searcher = self._searcher
        result = searcher.search(compiled, limit=10, count=True)
        counted = searcher.aggregate(compiled, self._aggregations)
        hits = tuple(self._hit(score, searcher.doc(address)) for score, address in result.hits)
        facets = {
            name: {
                self._text(name, bucket["key"]): bucket["doc_count"]
                for bucket in counted[name]["buckets"]
            }
            for name in FACETS
        }
        return Page(total=result.count, hits=hits, facets=facets)

    def update(self, batch: Batch) -> None:
        """Replace documents; the writer stays open, as in a service."""
        if self._writer is None:
            self._writer = self._index.writer(heap_size=_HEAP, num_threads=1)
        for value in self._values(batch):
            self._writer.delete_documents_by_term("id", value["id"])
            self._writer.add_document(tantivy.Document(**value))
        self._writer.commit()

    def refresh(self) -> None:
        """Take a new searcher."""
        self._index.reload()
        self._searcher = self._index.searcher()

    def size(self) -> int:
        """Return the bytes of the index on disk."""
        return folder_size(self._folder)

    def close(self) -> None:
        """Finish the writer; Python closes the rest."""
        if self._writer is not None:
            self._writer.wait_merging_threads()

    def _compile(self, query: PageQuery) -> tantivy.Query:
        clauses: list[tuple[tantivy.Occur, tantivy.Query]] = [
            (_MUST, self._any_field(term.text)) for term in query.must
        ]
        if query.should:
            # One flat union: only that is walked with block maxima.
            any_of = tantivy.Query.boolean_query(
                [part for term in query.should for part in self._in_fields(term.text)]
            )
            clauses.append((_MUST, any_of))
        if query.kind == WORDS_KIND:
            clauses.append((_MUST, self._phrase("words", [(at, t.text) for at, t in query.words])))
        elif len(query.phrase) == 1:
            clauses.append((_MUST, self._any_field(query.phrase[0].text)))
        elif query.phrase:
            units: list[str | tuple[int, str]] = [term.text for term in query.phrase]
            clauses.append((_MUST, self._phrase("units", units)))
        if query.seconds:
            first, after = query.seconds
            within = tantivy.Query.range_query(
                self._schema,
                "published",
                tantivy.FieldType.Integer,
                first,
                after,
                include_upper=False,
            )
            clauses.append((_MUST, tantivy.Query.const_score_query(within, 0.0)))
        if query.organisation:
            number = self._numbers["organisation"].get(query.organisation, -1)
            named = tantivy.Query.term_query(self._schema, "organisation", number)
            clauses.append((_MUST, tantivy.Query.const_score_query(named, 0.0)))
        if not clauses:
            return tantivy.Query.all_query()
        return clauses[0][1] if len(clauses) == 1 else tantivy.Query.boolean_query(clauses)

    def _any_field(self, text: str) -> tantivy.Query:
        return tantivy.Query.boolean_query(self._in_fields(text))

    def _in_fields(self, text: str) -> list[tuple[tantivy.Occur, tantivy.Query]]:
        return [
            (
                _SHOULD,
                tantivy.Query.boost_query(
                    # Without positions: a term query need not read them.
                    tantivy.Query.term_query(self._schema, f"{name}_words", text, "freq"),
                    BOOSTS[name],
                ),
            )
            for name in _FIELDS
        ]

    def _phrase(self, view: str, words: list[str | tuple[int, str]]) -> tantivy.Query:
        phrases = [
            tantivy.Query.boost_query(
                tantivy.Query.phrase_query(self._schema, f"{name}_{view}", words), BOOSTS[name]
            )
            for name in _FIELDS
        ]
        return tantivy.Query.boolean_query([(_SHOULD, phrase) for phrase in phrases])

    def _hit(self, score: float, stored: tantivy.Document) -> Hit:
        category, source = stored.get_first("category"), stored.get_first("source")
        return Hit(
            id=stored.get_first("id"),
            score=score,
            published=stored.get_first("published"),
            category="" if category is None else self._text("category", category),
            source="" if source is None else self._text("source", source),
            organisations=tuple(
                self._text("organisation", number) for number in stored.get_all("organisation")
            ),
        )

    def _values(self, batch: Batch) -> list[dict[str, Any]]:
        """Return the field values of each document."""
        made = [self._own_values(record) for record in batch.documents]
        strings, is_character = batch.tokens.strings, batch.tokens.is_character
        for name, part in batch.fields.items():
            is_unit = part.is_unit
            for number, value in enumerate(made):
                own = slice(part.bounds[number], part.bounds[number + 1])
                terms = part.terms[own]
                value[f"{name}_words"] = " ".join(strings[terms[~is_character[terms]]])
                value[f"{name}_units"] = " ".join(strings[terms[is_unit[own]]])
        return made

    def _own_values(self, record: Document) -> dict[str, Any]:
        def number(name: str, text: str) -> int:
            numbers = self._numbers[name]
            return numbers.setdefault(text, len(numbers))

        values: dict[str, Any] = {"id": record.id, "day_only": int(record.day_only)}
        if record.published is not None:
            year, month = record.month.split("-")
            values |= {"published": record.published, "month": int(year) * 12 + int(month) - 1}
        if record.category:
            values["category"] = number("category", record.category)
        if record.source:
            values["source"] = number("source", record.source)
        if record.organisations:
            values["organisation"] = [number("organisation", name) for name in record.organisations]
        return values

    def _text(self, name: str, number: int) -> str:
        if name == "month":
            return f"{number // 12:04}-{number % 12 + 1:02}"
        return self._texts[name][number]

    def _create(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._schema = _schema()
        self._index = tantivy.Index(self._schema, path=str(self._folder))
        spaces = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
        self._index.register_tokenizer("spaces", spaces)

    @property
    def _table(self) -> Path:
        return self._folder / "values.json"
