"""The engines that the ranking is compared with, over the same articles, title and text.

- SQLite FTS5 over character bigrams: Latin words whole, title weighted 3 to 1.
- tantivy over the words of jieba's search mode, title boosted 2 to 1.
- BM25 over jieba's words and characters, the title three times.

Every one takes any word of the query; punctuation is no word.
"""

import re
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import cache

import bm25s
import rjieba
import tantivy
from ranking import Text

__all__ = ["BASELINES", "DEPTH", "Baseline", "cut_words"]

DEPTH = 100  # hits a query; near-duplicates among them are one, and 50 are measured

_PIECE = re.compile("[\u4e00-\u9fff]+|[a-z0-9]+(?:[-._][a-z0-9]+)*")
_WORD = re.compile(r"\w")


Baseline = Callable[[Sequence[Text], dict[str, str]], dict[str, list[str]]]
"""From articles and queries by id to the ids found for each query, best first."""


def fts_bigrams(texts: Sequence[Text], queries: dict[str, str]) -> dict[str, list[str]]:
    """SQLite FTS5, its own BM25."""
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE page USING fts5(title, body, tokenize='ascii')")
    database.executemany(
        "INSERT INTO page (rowid, title, body) VALUES (?, ?, ?)",
        (
            (number, _spelt(_bigrams(text.title)), _spelt(_bigrams(text.body)))
            for number, text in enumerate(texts)
        ),
    )
    found = {}
    for name, query in queries.items():
        wanted = " OR ".join(f'"{token}"' for token in _spelt(_bigrams(query)).split())
        rows = database.execute(
            "SELECT rowid FROM page WHERE page MATCH ? ORDER BY bm25(page, 3.0, 1.0) LIMIT ?",
            (wanted, DEPTH),
        )
        found[name] = [texts[number].id for (number,) in rows] if wanted else []
    database.close()
    return found


def tantivy_words(texts: Sequence[Text], queries: dict[str, str]) -> dict[str, list[str]]:
    """Tantivy's BM25 over two fields."""
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("number", stored=True)
    for field in ("title", "body"):
        builder.add_text_field(field, tokenizer_name="spaces")
    index = tantivy.Index(builder.build())
    spaces = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
    index.register_tokenizer("spaces", spaces)
    writer = index.writer(heap_size=200_000_000, num_threads=1)
    for number, text in enumerate(texts):
        words = {"title": " ".join(cut_words(text.title)), "body": " ".join(cut_words(text.body))}
        writer.add_document(tantivy.Document(number=number, **words))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    searcher = index.searcher()
    found = {}
    for name, query in queries.items():
        parts = [
            (tantivy.Occur.Should, tantivy.Query.boost_query(term, boost))
            for word in cut_words(query)
            for field, boost in (("title", 2.0), ("body", 1.0))
            for term in [tantivy.Query.term_query(index.schema, field, word)]
        ]
        hits = searcher.search(tantivy.Query.boolean_query(parts), limit=DEPTH).hits
        found[name] = [texts[searcher.doc(address)["number"][0]].id for _, address in hits]
    return found


def bm25_words(texts: Sequence[Text], queries: dict[str, str]) -> dict[str, list[str]]:
    """BM25 of Lucene's form over one field."""

    def tokens(text: str) -> list[str]:
        characters = [character for character in text.lower() if "\u4e00" <= character <= "\u9fff"]
        return [*cut_words(text), *characters]

    retriever = bm25s.BM25(method="lucene")
    retriever.index(
        [3 * tokens(text.title) + tokens(text.body) for text in texts], show_progress=False
    )
    found = {}
    for name, query in queries.items():
        wanted = [tokens(query)]
        numbers, scores = retriever.retrieve(wanted, k=min(DEPTH, len(texts)), show_progress=False)
        found[name] = [
            texts[number].id
            for number, score in zip(numbers[0], scores[0], strict=True)
            if score > 0
        ]
    return found


BASELINES: dict[str, Baseline] = {
    "FTS5 bigrams": fts_bigrams,
    "tantivy": tantivy_words,
    "BM25 words and characters": bm25_words,
}


def _bigrams(text: str) -> Iterable[str]:
    for piece in _PIECE.findall(text.lower()):
        if piece[0] < "\u4e00" or len(piece) == 1:
            yield piece
        else:
            yield from (piece[at : at + 2] for at in range(len(piece) - 1))


def _spelt(tokens: Iterable[str]) -> str:
    """Write tokens with letters and digits only, which FTS5 takes apart at nothing else."""
    return " ".join(token.encode().hex() for token in tokens)


def cut_words(text: str) -> list[str]:
    """Return the words of jieba's search mode."""
    words = _segmenter().cut_for_search(text.lower())
    return [word for word in words if _WORD.search(word)]


@cache
def _segmenter() -> rjieba.Jieba:
    return rjieba.Jieba()
