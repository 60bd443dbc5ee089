"""The collection that every engine indexes: real articles, extracted once and kept in the cache.

21,247 articles of ../shared/corpus and 111,816 vulnerability records beside them, in one random
order, so that the first 10,000 are a sample of all. Where there is no corpus, articles made from
the bundled sample's paragraphs stand in. Larger collections repeat the articles under other ids
and with other dates.
"""

import gzip
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from functools import cache
from hashlib import blake2b
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

from index.corpus import Page, Unreadable, read_pages
from index.document import BEIJING, Article, Mention
from index.entities import OrganisationTable, annotate
from index.errors import NotAnArticle
from index.extract import extract
from index.identity import article_id

__all__ = ["CORPUS", "Document", "documents", "first_articles", "prepare_articles", "repeated"]

ROOT = Path(__file__).parents[2]
CORPUS = ROOT.parent / "shared" / "corpus"
SEED = 20260801

_GENERATED = 20_000  # articles made from the sample where there is no corpus
_CHUNK = 64
_SHIFT_DAYS = 61  # between one repetition of the articles and the next


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What an index holds of an article beside its text; `published` is in seconds since 1970."""

    id: str
    published: int | None
    day_only: bool
    month: str
    category: str
    source: str
    organisations: tuple[str, ...]


def prepare_articles(folder: Path, *, jobs: int) -> Path:
    """Return the file of articles in the cache, made first where it is missing."""
    kind = "corpus" if CORPUS.is_dir() else "sample"
    path = folder / f"articles-{kind}.jsonl.gz"
    if not path.exists():
        found = list(_corpus_articles(jobs) if kind == "corpus" else _generated())
        Random(SEED).shuffle(found)
        folder.mkdir(parents=True, exist_ok=True)
        scratch = path.with_suffix(".new")
        with gzip.open(scratch, "wt", encoding="utf-8", compresslevel=3) as file:
            for article in found:
                file.write(_to_json(article) + "\n")
        scratch.replace(path)
    return path


def first_articles(path: Path, count: int | None = None) -> Iterator[Article]:
    """Give the articles of a file in order, all or the first of them."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in islice(file, count):
            yield _from_json(line)


def documents(articles: Iterable[Article]) -> Iterator[Document]:
    """Give each article's document."""
    for article in articles:
        published = article.published
        yield Document(
            id=article.id,
            published=int(published.timestamp()) if published else None,
            day_only=article.published_precision == "day",
            month=published.astimezone(BEIJING).strftime("%Y-%m") if published else "",
            category=article.category or "",
            source=article.source,
            organisations=article.organisations,
        )


def repeated(document: Document, repetition: int) -> Document:
    """Return the document as it stands in a repetition: another id, earlier dates."""
    if not repetition:
        return document
    digest = blake2b(f"{document.id} {repetition}".encode(), digest_size=8).hexdigest()
    if document.published is None:
        return replace(document, id=digest)
    second = document.published - repetition * _SHIFT_DAYS * 86_400
    month = datetime.fromtimestamp(second, BEIJING).strftime("%Y-%m")
    return replace(document, id=digest, published=second, month=month)


def _corpus_articles(jobs: int) -> Iterator[Article]:
    """Give the articles of the portals, of WeChat and of the vulnerability records."""
    seen: set[str] = set()
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        pages = read_pages([CORPUS / "portals.tar.xz", CORPUS / "wechat.tar.xz"])
        with gzip.open(CORPUS / "scale" / "cnvd.jsonl.gz", "rt", encoding="utf-8") as records:
            made = chain(
                pool.map(_extracted, _chunks(pages)),
                pool.map(_vulnerabilities, _chunks(records)),
            )
            for article in chain.from_iterable(made):
                if article.id not in seen:
                    seen.add(article.id)
                    yield article


def _chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    source = iter(items)
    while chunk := list(islice(source, _CHUNK)):
        yield chunk


@cache
def _table() -> OrganisationTable:
    return OrganisationTable.load()


def _extracted(pages: list[Page | Unreadable]) -> list[Article]:
    articles = []
    for page in pages:
        if not isinstance(page, Unreadable):
            try:
                articles.append(annotate(extract(page), _table()))
            except NotAnArticle:
                continue
    return articles


def _vulnerabilities(lines: list[str]) -> list[Article]:
    return [annotate(_vulnerability(json.loads(line)), _table()) for line in lines]


def _vulnerability(record: dict[str, Any]) -> Article:
    """Return a record of the vulnerability database as an article."""
    texts = (record["description"], record.get("formalWay"), "\n".join(record.get("products", ())))
    day = date.fromisoformat(record["openTime"]) if record["openTime"] else None
    return Article(
        id=article_id(f"path:{record['number']}"),
        url=None,
        title=record["title"],
        published=datetime.combine(day, time(), BEIJING) if day else None,
        published_precision="day" if day else None,
        category="漏洞",
        category_printed=record["isEvent"],
        source="CNVD",
        author=None,
        tags=(),
        lead="",
        body="\n".join(line for text in texts if text for line in text.splitlines() if line),
        views=None,
        images=(),
        truncated=False,
        fetched=None,
    )


def _generated() -> Iterator[Article]:
    """Give articles whose titles and paragraphs are drawn from the bundled sample's."""
    originals = [
        article for page in read_pages([ROOT / "web" / "sample"]) for article in _extracted([page])
    ]
    paragraphs = [text for article in originals for text in article.body.split("\n")]
    random = Random(SEED)
    for number in range(_GENERATED):
        first, second = random.sample(originals, 2)
        title = f"{first.title}，{second.title}"
        body = "\n".join(random.choices(paragraphs, k=8))
        yield replace(first, id=f"{number:016x}", title=title, body=body)


def _to_json(article: Article) -> str:
    return json.dumps(
        {
            "id": article.id,
            "title": article.title,
            "lead": article.lead,
            "body": article.body,
            "published": article.published.isoformat() if article.published else None,
            "precision": article.published_precision,
            "category": article.category,
            "source": article.source,
            "mentions": [
                [mention.name, mention.type, mention.salient] for mention in article.mentions
            ],
        },
        ensure_ascii=False,
    )


def _from_json(line: str) -> Article:
    values = json.loads(line)
    return Article(
        id=values["id"],
        url=None,
        title=values["title"],
        published=datetime.fromisoformat(values["published"]) if values["published"] else None,
        published_precision=values["precision"],
        category=values["category"],
        category_printed=None,
        source=values["source"],
        author=None,
        tags=(),
        lead=values["lead"],
        body=values["body"],
        views=None,
        images=(),
        truncated=False,
        fetched=None,
        mentions=tuple(
            Mention(name=name, type=kind, salient=salient, surfaces=(), evidence=())
            for name, kind, salient in values["mentions"]
        ),
    )
