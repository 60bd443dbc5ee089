"""`make bench`: speed beside named peers, measured in one run and printed as ratios.

Indexing: this project's analyzer and writer, beside Whoosh with jieba's own ChineseAnalyzer, and
SQLite FTS5 over character bigrams. Searching with three facets: beside FTS5 with the same facets.
The articles are generated from the bundled sample's, so that the run needs nothing else; machines
are noisy, so the ratios are the figures to read.
"""

import sqlite3
import statistics
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from time import perf_counter

from rich.console import Console
from rich.table import Table

from index.analysis import Analyzer, normalise
from index.backends.whoosh import WhooshIndex
from index.corpus import Unreadable, read_pages
from index.document import Article
from index.entities import OrganisationTable, annotate
from index.errors import NotAnArticle
from index.extract import extract
from index.schema import index_document
from index.settings import Settings
from index.store import ArticleStore, page_digest
from search import SearchRequest, open_searcher

ROOT = Path(__file__).parents[2]
QUERIES = [
    "勒索软件",
    "漏洞 补丁",
    "数据泄露 医院",
    "远程代码执行",
    "供应链攻击",
    "CVE",
    "网络安全",
]
ROUNDS = 5


def articles(count: int) -> list[Article]:
    """Return articles whose paragraphs are drawn from the sample's."""
    table = OrganisationTable.load()
    originals = []
    for page in read_pages([ROOT / "web" / "sample"]):
        if not isinstance(page, Unreadable):
            try:
                originals.append(annotate(extract(page), table))
            except NotAnArticle:
                continue
    paragraphs = [text for article in originals for text in article.body.split("\n")]
    random = Random(20260801)
    return [
        replace(
            random.choice(originals),
            id=f"{number:016x}",
            body="\n".join(random.choices(paragraphs, k=8)),
        )
        for number in range(count)
    ]


def bigrams(text: str) -> str:
    """Return the bigrams of a text, for FTS5."""
    text = "".join(normalise(text).text.split())
    return " ".join(f'"{text[at : at + 2]}"' for at in range(len(text) - 1)).replace('""', "")


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that `work` takes."""
    started = perf_counter()
    work()
    return perf_counter() - started


def index_ours(folder: Path, documents: list[Article], analyzer: Analyzer) -> None:
    """Store and index with this project."""
    with ArticleStore(folder / "articles.sqlite3") as store:
        for article in documents:
            raw = article.id.encode()
            store.put_article(page_digest(raw), article.id, "md", raw, "bench", article)
        store.commit()
        with WhooshIndex(folder / "index", analyzer.fingerprint).writer(store.revision) as writer:
            for article in documents:
                writer.update_document(index_document(article, analyzer))


def index_stock(folder: Path, documents: list[Article]) -> None:
    """Index with Whoosh and jieba's own analyzer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from jieba.analyse import ChineseAnalyzer
        from whoosh.fields import ID, TEXT, Schema
        from whoosh.index import create_in
    folder.mkdir()
    analyzer = ChineseAnalyzer()
    schema = Schema(id=ID(stored=True), title=TEXT(analyzer), body=TEXT(analyzer))
    writer = create_in(folder, schema).writer(limitmb=256)
    for article in documents:
        writer.add_document(id=article.id, title=article.title, body=article.body)
    writer.commit()


def index_fts(path: Path, documents: list[Article]) -> sqlite3.Connection:
    """Index with SQLite FTS5 over bigrams."""
    database = sqlite3.connect(path)
    database.execute("CREATE VIRTUAL TABLE text USING fts5(title, body)")
    database.execute("CREATE TABLE facet (category, source, month)")
    for article in documents:
        database.execute(
            "INSERT INTO text VALUES (?, ?)", (bigrams(article.title), bigrams(article.body))
        )
        month = article.published.strftime("%Y-%m") if article.published else None
        database.execute(
            "INSERT INTO facet VALUES (?, ?, ?)", (article.category, article.source, month)
        )
    database.commit()
    return database


def search_fts(database: sqlite3.Connection, query: str) -> None:
    """Find the ten best and count three facets."""
    match = " AND ".join(f"({bigrams(word)})" for word in query.split() if len(word) > 1)
    list(
        database.execute(
            "SELECT rowid FROM text WHERE text MATCH ? ORDER BY bm25(text, 3, 1) LIMIT 10", (match,)
        )
    )
    rows = database.execute(
        "SELECT facet.* FROM text JOIN facet ON facet.rowid = text.rowid WHERE text MATCH ?",
        (match,),
    ).fetchall()
    for column in range(3):
        Counter(row[column] for row in rows)


def main(count: int = 2000) -> None:
    """Measure and print."""
    documents, analyzer = articles(count), Analyzer()
    table = Table("what", "ours", "peer", "peer / ours")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = timed(lambda: index_ours(folder / "ours", documents, analyzer))
        stock = timed(lambda: index_stock(folder / "stock", documents))
        started = perf_counter()
        database = index_fts(folder / "fts.sqlite3", documents)
        fts = perf_counter() - started
        for peer, seconds in (("Whoosh with ChineseAnalyzer", stock), ("SQLite FTS5 bigrams", fts)):
            table.add_row(
                f"index {count} articles, beside {peer}",
                f"{count / ours:.0f}/s",
                f"{count / seconds:.0f}/s",
                f"{seconds / ours:.2f}",
            )
        searcher = open_searcher(Settings(data=folder / "ours"))
        for query in QUERIES:
            request = SearchRequest(query=query, match="all")
            mine = [timed(partial(searcher.search, request)) for _ in range(ROUNDS)]
            theirs = [timed(partial(search_fts, database, query)) for _ in range(ROUNDS)]
            a, b = statistics.median(mine), statistics.median(theirs)
            table.add_row(
                f"search {query}, beside FTS5",
                f"{a * 1e3:.1f} ms",
                f"{b * 1e3:.1f} ms",
                f"{b / a:.2f}",
            )
        searcher.close()
        database.close()
    Console().print(table)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
