"""Relevance: the searcher and the baselines on three sets of judgements, over the same articles.

portals   36 queries judged by reading, over 14,991 pages of portals
cve       153 titles of vulnerabilities; relevant is what names the CVE; with public accounts
news      262 questions over passages of general news; those too short for an article are left out
"""

import json
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from gzip import open as open_gzip
from io import BytesIO
from pathlib import Path

from index.build import build
from index.settings import Settings
from index.store import ArticleStore
from search import Searcher, open_searcher
from search.evaluation import Judgements, Run, evaluate, measure, one_of_copies, read_judgements
from web.progress import progress_on

__all__ = [
    "SETS",
    "Collection",
    "Requirement",
    "Text",
    "figures",
    "opened",
    "requirements",
    "run_baselines",
]

SETS = ("portals", "cve", "news")
_MIXED = 0.551  # what the judgements' README gives for the leading baseline
_ARCHIVES = {"portals": ("portals",), "cve": ("portals", "wechat"), "news": ("news",)}


@dataclass(frozen=True, slots=True)
class Text:
    """One article as the baselines index it."""

    id: str
    title: str
    body: str


@dataclass(frozen=True)
class Collection:
    """A set of judgements, and the data folder of its articles."""

    name: str
    settings: Settings
    judgements: Judgements

    def texts(self) -> list[Text]:
        """Return the articles as the baselines index them; passages have no title of their own."""
        with ArticleStore(self.settings.data / "articles.sqlite3", read_only=True) as store:
            return [
                Text(
                    article.id,
                    "" if self.name == "news" else article.title,
                    ("" if article.lead_is_repeated else article.lead + "\n") + article.body,
                )
                for article in store.articles()
            ]

    def run(self, searcher: Searcher | None = None) -> Run:
        """Ask the searcher, by default one that is opened for it."""
        if searcher is not None:
            return evaluate(searcher, self.judgements)
        own = open_searcher(self.settings)
        try:
            return evaluate(own, self.judgements)
        finally:
            own.close()


@dataclass(frozen=True)
class Requirement:
    """What a figure must be at least, as a share of another."""

    text: str
    value: float
    least: float


@contextmanager
def opened(name: str, corpus: Path, folder: Path) -> Iterator[Collection]:
    """Give a set with its articles indexed in a folder, where they may be already."""
    data = folder / name
    data.mkdir(parents=True, exist_ok=True)
    settings = Settings(data=data)
    judgements = _write_judgements(name, corpus, data / "judgements")
    if not (data / "index" / "current").exists():
        archives = [corpus / f"{archive}.tar.xz" for archive in _ARCHIVES[name]]
        if name == "news":
            archives = [_write_passages(corpus, data / "news.tar")]
        with progress_on(sys.stderr) as progress:
            build(settings, archives, progress=progress)
    with ArticleStore(data / "articles.sqlite3", read_only=True) as store:
        yield Collection(name, settings, read_judgements(judgements, store.find))


def run_baselines(collection: Collection) -> dict[str, Run]:
    """Return what each baseline makes of a set."""
    from baselines import BASELINES  # they need tantivy and bm25s, which nothing else does

    texts = collection.texts()
    titles = {text.id: text.title for text in texts}
    queries = {query.id: query.query for query in collection.judgements.queries}
    with closing(open_searcher(collection.settings)) as searcher:
        one = one_of_copies(searcher)
        return {
            name: measure(collection.judgements, baseline(texts, queries), titles, one)
            for name, baseline in BASELINES.items()
        }


def figures(name: str, run: Run) -> dict[str, float]:
    """Return the figures that have floors."""
    found = {
        f"{name}/{measure.lower()}": round(run.measures[measure], 4)
        for measure in ("nDCG@10", "MRR@10", "Recall@50", "Judged@10")
    }
    return found | {
        f"{name}/ndcg@10/{kind}": round(measures["nDCG@10"], 4)
        for kind, measures in run.kinds.items()
    }


def requirements(name: str, run: Run, baselines: Mapping[str, Run]) -> Iterator[Requirement]:
    """Give what a set is to show beside the best of the baselines."""

    def best(of: Callable[[Run], float]) -> float:
        return max(map(of, baselines.values()))

    if name == "portals":
        overall = best(lambda other: other.measures["nDCG@10"])
        ours = run.measures["nDCG@10"]
        yield Requirement("nDCG@10, 1.08 times the best baseline", ours, 1.08 * overall)
        leader = max(baselines.values(), key=lambda other: other.measures["nDCG@10"])
        mixed = max(leader.kinds["mixed"]["nDCG@10"], _MIXED)
        ours = run.kinds["mixed"]["nDCG@10"]
        yield Requirement("mixed, 1.3 times the best baseline", ours, 1.3 * mixed)
        for kind, measures in run.kinds.items():
            if sum(query.kind == kind for query in run.queries) >= 6:
                least = best(lambda other, kind=kind: other.kinds[kind]["nDCG@10"])  # type: ignore[misc]
                yield Requirement(f"{kind}, the best baseline", measures["nDCG@10"], least)
    elif name == "cve":
        for measured in ("Recall@50", "MRR@10"):
            least = 1.1 * best(lambda other, measured=measured: other.measures[measured])  # type: ignore[misc]
            text = f"{measured}, 1.1 times the best baseline"
            yield Requirement(text, run.measures[measured], least)
    else:
        least = best(lambda other: other.measures["nDCG@10"])
        yield Requirement("nDCG@10, the best baseline", run.measures["nDCG@10"], least)


def _write_judgements(name: str, corpus: Path, folder: Path) -> Path:
    """Return the folder of a set in the form of `anwen evaluate`."""
    source = corpus / "judgements"
    if name == "portals":
        return source / "relevance"
    folder.mkdir(exist_ok=True)
    queries: list[dict[str, str]] = []
    lines: list[str] = []
    if name == "cve":
        text = (source / "cve_titles.jsonl").read_text(encoding="utf-8")
        for number, title in enumerate(map(json.loads, text.splitlines())):
            queries.append({"id": f"c{number}", "query": title["query"]})
            lines += [f"c{number}\t{path}\t1" for path in title["relevant"]]
    else:
        text = (source / "news_questions" / "queries.jsonl").read_text(encoding="utf-8")
        queries = [
            {"id": question["id"], "query": question["text"]}
            for question in map(json.loads, text.splitlines())
        ]
        qrels = (source / "news_questions" / "qrels.tsv").read_text(encoding="utf-8")
        for line in qrels.splitlines():
            query, passage, grade = line.split("\t")
            lines.append(f"{query}\thttps://news.example/{passage}\t{grade}")
    written = "".join(json.dumps(query, ensure_ascii=False) + "\n" for query in queries)
    (folder / "queries.jsonl").write_text(written, encoding="utf-8")
    (folder / "qrels.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def _write_passages(corpus: Path, path: Path) -> Path:
    """Write the passages as pages, each with its id as title."""
    source = corpus / "judgements" / "news_questions" / "passages.jsonl.gz"
    with open_gzip(source, "rt", encoding="utf-8") as lines, tarfile.open(path, "w") as archive:
        for passage in map(json.loads, lines):
            name = passage["id"]
            head = f"---\ntitle: {name}\nurl: https://news.example/{name}\nsource: news\n---\n\n"
            raw = f"{head}{passage['text']}\n".encode()
            info = tarfile.TarInfo(f"news.example/{name}.md")
            info.size = len(raw)
            archive.addfile(info, BytesIO(raw))
    return path
