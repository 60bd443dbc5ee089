"""Extraction measured against what pages print and against bodies cut by hand.

Labels are compared where they hold a value, after HTML unescaping, NFKC and the removal of
zero-width characters; times to the minute. Bodies are compared by F1 over multisets of character
trigrams, white space removed. "generic/…" are the same figures with every site read as one that
has no rules of its own.
"""

import html
import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from statistics import mean

from index.corpus import Page, Unreadable, read_pages
from index.document import Article
from index.errors import NotAnArticle
from index.extract import extract

__all__ = [
    "FIELDS",
    "Label",
    "Measured",
    "Page",
    "labelled_pages",
    "measure",
    "measure_page",
    "read_labels",
    "same",
    "summarise",
    "trigram_f1",
]

FIELDS = ("title", "published", "category", "author", "lead")
_ZERO_WIDTH = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_SIDE_LIST = re.compile(
    r"^[#*\s]*(?:你可能感兴趣的|最新文章|相关热文|相关文章|相关推荐|推荐阅读|热门文章)\s*$",
    re.MULTILINE,
)
_SIDE_TITLE = re.compile(r"^\s*[*+-]\s.*?([^\[\]\n]{10,})\]\((?!#)", re.MULTILINE)
_CHUNK = 64


@dataclass(frozen=True)
class Label:
    """What a page prints: its site's name for the figures, and a value a field."""

    site: str
    values: dict[str, str]


@dataclass(frozen=True)
class Measured:
    """What extraction made of one labelled page."""

    label: Label
    right: dict[str, bool]
    body_f1: float | None
    strangers: int
    """Titles of other articles, from the side lists, that stand in the body."""


def measure(corpus: Path) -> dict[str, float]:
    """Return every figure, on all labelled pages of the corpus."""
    labels = read_labels(corpus)
    figures: dict[str, float] = {}
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        chunks = list(_chunks(labelled_pages(corpus, labels)))
        for prefix, own_rules in (("extraction", True), ("generic", False)):
            parts = pool.map(measure_chunk, chunks, [own_rules] * len(chunks))
            figures |= summarise(prefix, [measured for part in parts for measured in part])
    return figures


def read_labels(corpus: Path) -> dict[str, Label]:
    """Return the labels by the file's name in the corpus."""
    labels: dict[str, Label] = {}
    for row in _rows(corpus / "labels" / "pages.tsv"):
        site = row["host"].removeprefix("www.")
        labels[row["file"]] = Label(site, {field: row[field] for field in FIELDS})
    for row in _rows(corpus / "labels" / "wechat.tsv"):
        values = {"title": row["title"], "account": row["account"], "published": row["published"]}
        labels[row["file"]] = Label("wechat", values)
    for row in _rows(corpus / "html" / "labels.tsv"):
        values = {name: row[name] for name in ("title", "author", "published")}
        labels[row["file"]] = Label("html", values)
    gold = corpus / "entities" / "organisations" / "gold.jsonl"
    for line in gold.read_text(encoding="utf-8").splitlines():
        article = json.loads(line)
        known = labels.get(article["file"], Label("other", {}))
        labels[article["file"]] = Label(known.site, known.values | {"body": article["body"]})
    return labels


def _rows(path: Path) -> Iterator[dict[str, str]]:
    lines = path.read_text(encoding="utf-8").split("\n")
    names = lines[0].split("\t")
    for line in filter(None, lines[1:]):
        yield dict(zip(names, line.split("\t"), strict=True))


def labelled_pages(corpus: Path, labels: dict[str, Label]) -> Iterator[tuple[Page, Label]]:
    """Give the pages of the corpus that have a label, each with it."""
    for name, prefix in (
        ("portals.tar.xz", "portals/"),
        ("wechat.tar.xz", "wechat/"),
        ("html/pages.tar.xz", ""),
    ):
        path = corpus / name
        for page in read_pages([path]):
            if isinstance(page, Unreadable):
                continue
            label = labels.get(prefix + page.path.removeprefix(prefix))
            if label:
                yield page, label


def _chunks(items: Iterator[tuple[Page, Label]]) -> Iterator[list[tuple[Page, Label]]]:
    while chunk := list(islice(items, _CHUNK)):
        yield chunk


def measure_chunk(chunk: list[tuple[Page, Label]], own_rules: bool) -> list[Measured]:
    """Extract labelled pages and compare; runs in a worker process."""
    return [measure_page(page, label, own_rules=own_rules) for page, label in chunk]


def measure_page(page: Page, label: Label, *, own_rules: bool = True) -> Measured:
    """Extract one labelled page and compare."""
    try:
        article = extract(page, own_rules=own_rules)
    except NotAnArticle:
        right = {name: False for name, value in label.values.items() if value and name != "body"}
        return Measured(label, right, 0.0 if "body" in label.values else None, 0)
    right = {
        name: _is_right(name, value, article)
        for name, value in label.values.items()
        if value and name != "body"
    }
    body = label.values.get("body")
    f1 = None if body is None else trigram_f1(article.body, body)
    return Measured(label, right, f1, _strangers(page, article))


def _is_right(name: str, value: str, article: Article) -> bool:
    match name:
        case "published":
            printed = datetime.strptime(value.replace("/", "-")[:16], "%Y-%m-%d %H:%M")
            found = article.published
            return found is not None and f"{found:%Y-%m-%d %H:%M}" == f"{printed:%Y-%m-%d %H:%M}"
        case "category":
            return same(article.category_printed or "", value.partition("|")[0])
        case "account":
            return same(article.source, value)
        case _:
            return same(getattr(article, name) or "", value)


def same(found: str, printed: str) -> bool:
    """Say whether two values are equal as the labels are to be compared."""
    return _comparable(found) == _comparable(printed)


def _comparable(text: str) -> str:
    return _ZERO_WIDTH.sub("", unicodedata.normalize("NFKC", html.unescape(text))).strip()


def trigram_f1(found: str, wanted: str) -> float:
    """Return F1 over multisets of character trigrams, white space removed."""
    a, b = _trigrams(found), _trigrams(wanted)
    common = (a & b).total()
    return 2 * common / (a.total() + b.total()) if common else 0.0


def _trigrams(text: str) -> Counter[str]:
    dense = "".join(text.split())
    return Counter(dense[at : at + 3] for at in range(len(dense) - 2))


def _strangers(page: Page, article: Article) -> int:
    if page.format != "md":
        return 0
    text = page.raw.decode("utf-8", "replace")
    side = _SIDE_LIST.search(text)
    if side is None:
        return 0
    titles = {title.strip() for title in _SIDE_TITLE.findall(text, side.end())}
    lines = set(article.body.split("\n"))
    return len((titles & lines) - {article.title})


def summarise(prefix: str, measured: list[Measured]) -> dict[str, float]:
    """Return the share of right values a site and field, and the figures of the bodies."""
    rights: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for page in measured:
        for name, is_right in page.right.items():
            rights[page.label.site, name].append(is_right)
            if page.label.site not in {"wechat", "html"}:
                rights["overall", name].append(is_right)
    figures = {
        f"{prefix}/{site}/{name}": round(mean(values), 4)
        for (site, name), values in sorted(rights.items())
    }
    bodies = [page.body_f1 for page in measured if page.body_f1 is not None]
    return figures | {
        f"{prefix}/body/f1": round(mean(bodies), 4),
        f"{prefix}/body/lowest": round(min(bodies), 4),
        f"{prefix}/body/without_strangers": round(
            mean(page.strangers == 0 for page in measured), 4
        ),
    }
