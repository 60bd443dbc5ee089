"""Near-duplicates, measured on articles of one title under different addresses, and on own edits.

Two articles of one title agree when the shorter body's character 5-grams, spaces left out, stand in
the longer one to 0.8 and more, and differ below 0.3; what lies between decides nothing. "together"
is the share of agreeing pairs that the store has in one cluster, "apart" the share of differing
ones that it has not. All pages of the set are in one store.

Articles of the whole archive, about five hundred, are edited: cut at 60 %, with furniture around
the text, without one sentence in ten, with one word in twenty replaced, in the title too: there
Latin words and numbers stay, which tell one notice or issue from another. An edit is found when it
shares a band with its original, as it must to be looked at, and is judged to be its copy; "edits"
is the share of the kind that is found least. "combined" has all four at once.
"""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from zlib import crc32

from index.analysis.segmenter import open_segmenter
from index.corpus import Page, read_pages
from index.document import Article
from index.duplicates import fingerprints, fingerprints_version, is_duplicate
from index.errors import NotAnArticle
from index.extract import extract
from index.store import ArticleStore, page_digest

__all__ = ["measure"]

_AGREES, _DIFFERS = 0.8, 0.3
_EVERY = 44  # one page in so many is edited
_LEAST = 100  # characters of an article that is edited
_FURNITURE = (
    "首页\n快讯\n登录\n注册\n点击上方蓝字关注我们\n来源：本站编辑部　责任编辑：小安\n",
    "\n本文为转载，不代表本站立场，如有侵权请联系删除。\n分享到：微信　微博　QQ\n"
    "上一篇：没有了\n下一篇：没有了\n扫描二维码，进入读者交流群\n版权所有，未经许可不得镜像\n",
)

_RUN = re.compile(r"[\u4e00-\u9fff]+|[a-zA-Z0-9]+|[^\u4e00-\u9fffa-zA-Z0-9]+")


def measure(corpus: Path) -> dict[str, float]:
    """Return the figures, each a share from 0 to 1."""
    lines = (corpus / "judgements" / "reposts.jsonl").read_text(encoding="utf-8").splitlines()
    groups: list[list[str]] = [json.loads(line)["files"] for line in lines]
    judged = set(chain.from_iterable(groups))
    articles: dict[str, Article] = {}
    edited: list[Article] = []
    for file, article in _articles(corpus, judged):
        if file in judged:
            articles[file] = article
        if _is_drawn(file) and len(article.body) >= _LEAST:
            edited.append(article)
    figures = {f"duplicates/{name}": value for name, value in _pairs(groups, articles).items()}
    return figures | {f"duplicates/{name}": value for name, value in _edits(edited).items()}


def _is_drawn(file: str) -> bool:
    return crc32(file.encode()) % _EVERY == 0


def _articles(corpus: Path, judged: set[str]) -> Iterator[tuple[str, Article]]:
    for page, prefix in _pages(corpus):
        file = prefix + page.path.removeprefix(prefix)
        if file in judged or _is_drawn(file):
            try:
                yield file, extract(page)
            except NotAnArticle:
                continue


def _pages(corpus: Path) -> Iterator[tuple[Page, str]]:
    for name in ("portals", "wechat"):
        for page in read_pages([corpus / f"{name}.tar.xz"]):
            if isinstance(page, Page):
                yield page, f"{name}/"


def _pairs(groups: list[list[str]], articles: dict[str, Article]) -> dict[str, float]:
    together: list[bool] = []
    apart: list[bool] = []
    with (
        TemporaryDirectory() as folder,
        ArticleStore(Path(folder) / "articles.sqlite3") as store,
    ):
        for file, article in articles.items():
            raw = file.encode()
            store.put_article(page_digest(raw), file, "md", raw, "", article)
        due = store.without_fingerprint(fingerprints_version())
        for identifier in due:
            store.add_fingerprint(identifier, *fingerprints([store.article(identifier)]))
        store.settle_clusters()
        clusters = store.clusters(article.id for article in articles.values())
        for group in groups:
            read = [articles[file] for file in group if file in articles]
            for one, other in combinations(read, 2):
                if one.id == other.id:
                    continue
                is_together = one.id in clusters and clusters[one.id] == clusters.get(other.id)
                containment = _containment(one.body, other.body)
                if containment >= _AGREES:
                    together.append(is_together)
                elif containment < _DIFFERS:
                    apart.append(not is_together)
    return {"together": _share(together), "apart": _share(apart)}


def _containment(one: str, other: str) -> float:
    few, many = sorted((_shingles(one), _shingles(other)), key=len)
    return len(few & many) / len(few) if few else 0.0


def _shingles(body: str) -> set[str]:
    text = re.sub(r"\s", "", body)
    return {text[place : place + 5] for place in range(len(text) - 4)}


def _edits(articles: list[Article]) -> dict[str, float]:
    edits = _Edits(articles)
    kinds = {
        "cut": (edits.cut,),
        "furniture": (edits.furnish,),
        "sentences": (edits.drop,),
        "words": (edits.replace,),
        "combined": (edits.replace, edits.drop, edits.cut, edits.furnish),
    }
    originals = fingerprints(articles)
    found: dict[str, float] = {}
    for kind, steps in kinds.items():
        copies = []
        for article in articles:
            copy = article
            for step in steps:
                copy = step(copy)
            copies.append(copy)
        found[kind] = _share(
            [
                not set(one.bands).isdisjoint(other.bands) and is_duplicate(one, other)
                for one, other in zip(originals, fingerprints(copies), strict=True)
            ]
        )
    return {
        "edits": min(found[kind] for kind in ("cut", "furniture", "sentences", "words")),
        **{f"edits/{kind}": share for kind, share in found.items()},
    }


class _Edits:
    """What is done to an article; words come from the other articles."""

    def __init__(self, articles: list[Article]) -> None:
        self._random = random.Random(7)
        self._cut = open_segmenter(()).cut
        words = [word for article in articles for word in self._split(article.body[:500])]
        self._han = [word for word in words if _is_han(word) and len(word) > 1]
        self._latin = [word for word in words if word.isascii() and word.isalnum()]

    def cut(self, article: Article) -> Article:
        return replace(article, body=article.body[: len(article.body) * 6 // 10] + "...")

    def furnish(self, article: Article) -> Article:
        return replace(article, body=article.body.join(_FURNITURE))

    def drop(self, article: Article) -> Article:
        sentences = re.split(r"(?<=[。！？\n])", article.body)
        kept = [sentence for sentence in sentences if self._random.random() >= 0.1]
        return replace(article, body="".join(kept))

    def replace(self, article: Article) -> Article:
        return replace(
            article,
            title=self._with_others(article.title, latin=False),
            body=self._with_others(article.body),
        )

    def _with_others(self, text: str, *, latin: bool = True) -> str:
        return "".join(
            self._random.choice(self._han if _is_han(word) else self._latin)
            if word.isalnum() and self._random.random() < 0.05 and (latin or _is_han(word))
            else word
            for word in self._split(text)
        )

    def _split(self, text: str) -> Iterator[str]:
        for run in _RUN.findall(text):
            yield from self._cut(run) if _is_han(run) else (run,)


def _is_han(text: str) -> bool:
    return "\u4e00" <= text[0] <= "\u9fff"


def _share(counted: list[bool]) -> float:
    return sum(counted) / len(counted) if counted else 1.0
