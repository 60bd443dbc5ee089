"""Whoosh as it comes: stock codec, stock matchers, facets counted from values held in lists."""

import logging
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from heapq import nsmallest
from importlib.metadata import version
from pathlib import Path
from typing import Any

from engine import BOOSTS, FACET_SIZE, FACETS, Hit, Page, Stopwatch, folder_size
from queries import PageQuery, Term
from tokens import Batch

from index.document import Article

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # whoosh 2.7.4 spells regular expressions in plain strings
    from whoosh import analysis, columns, fields, formats, query
    from whoosh.filedb.filestore import FileStorage
    from whoosh.index import create_in

__all__ = ["Stock", "build_with_jieba"]

_POOL_MB = 512
_SEPARATOR = "\n"
_UNDATED = -(2**62)


class _TermsField(fields.FieldType):  # type: ignore[misc]
    """A field whose terms and positions come ready."""

    def __init__(self) -> None:
        super().__init__(formats.Positions(), analyzer=None, scorable=True)

    def index(self, value: Any, **_: object) -> Iterator[tuple[bytes, int, float, bytes]]:
        """Give term, frequency, weight and encoded positions."""
        for term, positions in value.items():
            frequency = len(positions)
            yield term.encode(), frequency, float(frequency), self.format.encode(positions)


def _schema() -> fields.Schema:
    return fields.Schema(
        id=fields.ID(unique=True, stored=True),
        published=fields.NUMERIC(int, bits=64, stored=True),
        published_column=fields.COLUMN(columns.NumericColumn("q", default=_UNDATED)),
        month=fields.COLUMN(columns.VarBytesColumn()),
        category=fields.ID(stored=True, sortable=True),
        source=fields.ID(stored=True, sortable=True),
        organisation=fields.KEYWORD(
            stored=True, sortable=True, analyzer=analysis.RegexTokenizer(r"[^\n]+")
        ),
        **{name: _TermsField() for name in BOOSTS},
    )


class Stock:
    """A Whoosh index in a folder."""

    version = f"Whoosh {version('whoosh')}"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def build(self, batches: Iterable[Batch], clock: Stopwatch) -> None:
        """Index all documents with the stock writer."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with clock.running():
            writer = create_in(self._folder, _schema()).writer(limitmb=_POOL_MB)
        for batch in batches:
            rows = _rows(batch)
            with clock.running():
                for row in rows:
                    writer.add_document(**row)
        with clock.running():
            writer.commit(optimize=True)

    def open(self) -> None:
        """Open a searcher and read the facets' values into lists."""
        self._searcher = FileStorage(str(self._folder)).open_index(schema=_schema()).searcher()
        reader = self._searcher.reader()
        count = reader.doc_count_all()
        self._values: dict[str, list[tuple[str, ...]]] = {}
        for name in FACETS:
            column = reader.column_reader(name, translate=False)
            texts = [column[number].decode() for number in range(count)]
            self._values[name] = [tuple(filter(None, text.split(_SEPARATOR))) for text in texts]

    def page(self, asked: PageQuery) -> Page:
        """Walk the matches once; this is faster than Whoosh's own `groupedby`."""
        searcher = self._searcher
        matcher = self._compile(asked).matcher(searcher)
        found: list[tuple[float, int]] = []
        while matcher.is_active():
            found.append((-matcher.score(), matcher.id()))
            matcher.next()
        counts: dict[str, Counter[str]] = {name: Counter() for name in FACETS}
        for name, values in self._values.items():
            counter = counts[name]
            for _, number in found:
                counter.update(values[number])
        facets = {
            name: dict(counter.most_common(None if name == "month" else FACET_SIZE))
            for name, counter in counts.items()
        }
        hits = tuple(self._hit(number, -score) for score, number in nsmallest(10, found))
        return Page(total=len(found), hits=hits, facets=facets)

    def refresh(self) -> None:
        """Do nothing: no document is replaced here."""

    def size(self) -> int:
        """Return the bytes of the index on disk."""
        return folder_size(self._folder)

    def close(self) -> None:
        """Close the searcher."""
        self._searcher.close()

    def _compile(self, asked: PageQuery) -> query.Query:
        parts = [_in_fields(term) for term in asked.must]
        if asked.should:
            parts.append(query.Or([part for term in asked.should for part in _in_fields(term)]))
        if asked.phrase:
            units = [term.text for term in asked.phrase]
            parts.append(
                query.Or([query.Phrase(name, units, boost=BOOSTS[name]) for name in BOOSTS])
            )
        if asked.seconds:
            first, after = asked.seconds
            within = query.NumericRange("published", first, after, endexcl=True)
            parts.append(query.ConstantScoreQuery(within, 0.0))
        if asked.organisation:
            named = query.Term("organisation", asked.organisation)
            parts.append(query.ConstantScoreQuery(named, 0.0))
        if not parts:
            return query.Every()
        return parts[0] if len(parts) == 1 else query.And(parts)

    def _hit(self, number: int, score: float) -> Hit:
        stored = self._searcher.stored_fields(number)
        return Hit(
            id=stored["id"],
            score=score,
            published=stored.get("published"),
            category=stored.get("category", ""),
            source=stored.get("source", ""),
            organisations=self._values["organisation"][number],
        )


def _in_fields(term: Term) -> query.Or:
    return query.Or([query.Term(name, term.text, boost=BOOSTS[name]) for name in BOOSTS])


def _rows(batch: Batch) -> list[dict[str, Any]]:
    """Return the field values of each document."""
    rows: list[dict[str, Any]] = []
    vocabulary = batch.tokens.vocabulary
    for number, record in enumerate(batch.documents):
        row: dict[str, Any] = {"id": record.id, "month": record.month.encode()}
        if record.published is not None:
            row["published"] = row["published_column"] = record.published
        if record.category:
            row["category"] = record.category
        if record.source:
            row["source"] = record.source
        if record.organisations:
            row["organisation"] = _SEPARATOR.join(record.organisations)
        for name, part in batch.fields.items():
            own = slice(part.bounds[number], part.bounds[number + 1])
            places: dict[str, list[int]] = {}
            for term, position in zip(
                part.terms[own].tolist(), part.positions[own].tolist(), strict=True
            ):
                places.setdefault(vocabulary[term], []).append(position)
            row[name] = places
        rows.append(row)
    return rows


def build_with_jieba(folder: Path, articles: Iterable[Article], clock: Stopwatch) -> None:
    """Index articles the way Whoosh's documentation does for Chinese: jieba's ChineseAnalyzer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jieba
        from jieba.analyse import ChineseAnalyzer
    jieba.setLogLevel(logging.WARNING)  # it prints its loading time otherwise
    list(ChineseAnalyzer()("词典"))  # loads the dictionary outside the measured time
    analyzer = ChineseAnalyzer()
    text = {name: fields.TEXT(analyzer) for name in BOOSTS}
    keywords = {name: fields.ID(stored=True, sortable=True) for name in ("category", "source")}
    schema = fields.Schema(
        id=fields.ID(stored=True, unique=True),
        published=fields.NUMERIC(int, bits=64, stored=True, sortable=True),
        organisation=fields.KEYWORD(stored=True, commas=True),
        **text,
        **keywords,
    )
    folder.mkdir(parents=True)
    with clock.running():
        writer = create_in(folder, schema).writer(limitmb=_POOL_MB)
        for article in articles:
            published = article.published
            writer.add_document(
                id=article.id,
                published=int(published.timestamp()) if published else None,
                category=article.category,
                source=article.source,
                organisation=",".join(article.organisations),
                title=article.title,
                lead=article.lead,
                body=article.body,
            )
        writer.commit()
