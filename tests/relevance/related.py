"""Related articles, measured on twenty sources whose candidates were graded by reading.

The candidates of one source are graded 0 to 3, or R where they are its repost, which is never to be
shown. Articles that are near-duplicates or have one title count once, with the best grade of them,
on the list and in the ideal one; an article that nobody judged counts as 0. "p@5" is the share of
the first five that are graded 2 or 3, over the sources that have five of those.

The baseline is the cosine of sublinear tf-idf vectors of words, the title counted twice, of words
in two articles and in at most 30 % of all; its list is folded as ours is.
"""

from collections.abc import Callable, Sequence
from math import log2
from pathlib import Path
from statistics import mean

import numpy as np
from ranking import Collection, Text
from rich.console import Console
from rich.table import Table

from index.store import ArticleStore
from search import open_searcher

__all__ = ["LEAST_GAIN", "LEAST_P5", "measure"]

LEAST_GAIN = 1.08  # times the baseline's nDCG@10
LEAST_P5 = 0.8

_DEPTH = 10
_FIRST = 5
_ASKED = 30  # articles of a list, of which some are folded away

Grades = dict[str, dict[str, str]]
"""The grade of each judged candidate of each source, all by id."""


class _Folding:
    """Which articles count as one: those of a cluster, and those of one title."""

    def __init__(self, titles: dict[str, str], clusters: dict[str, str]) -> None:
        self._titles, self._clusters = titles, clusters

    def same(self, one: str, other: str) -> bool:
        if self._titles[one] == self._titles[other]:
            return True
        label = self._clusters.get(one)
        return label is not None and label == self._clusters.get(other)

    def folded(self, source: str, listed: Sequence[str]) -> list[list[str]]:
        """Return a list without the source and its copies, each group where its first stands."""
        groups: list[list[str]] = []
        for each in listed:
            if each == source or self.same(each, source):
                continue
            group = next((group for group in groups if self.same(group[0], each)), None)
            if group is None:
                groups.append([each])
            else:
                group.append(each)
        return groups


def measure(
    collection: Collection, corpus: Path, console: Console, *, baseline: bool = True
) -> tuple[dict[str, float], int]:
    """Return the figures and how many requirements are missed; print them beside the baseline's."""
    texts = collection.texts()
    titles = {text.id: text.title.strip() for text in texts}
    with ArticleStore(collection.settings.data / "articles.sqlite3", read_only=True) as store:
        grades = _read(corpus / "judgements" / "relevance" / "related.tsv", store.find)
        folding = _Folding(titles, store.clusters(titles))
    searcher = open_searcher(collection.settings)
    try:
        lists = {
            source: [found.hit.id for found in searcher.related(source, size=_ASKED)]
            for source in grades
        }
    finally:
        searcher.close()
    runs = {"Anwen": _figures(grades, lists, folding)}
    if baseline:
        runs["TF-IDF cosine"] = _figures(grades, _cosine(texts, list(grades)), folding)
    table = Table("related", *runs["Anwen"])
    for name, figures in runs.items():
        table.add_row(name, *(f"{value:.4f}" for value in figures.values()))
    console.print(table)
    ours = runs["Anwen"]
    needs = [
        ("P@5", ours["p@5"], LEAST_P5),
        ("shown articles that are no repost", 1 - ours["reposts"], 1.0),
    ]
    if baseline:
        least = LEAST_GAIN * runs["TF-IDF cosine"]["ndcg@10"]
        needs.append((f"nDCG@10, {LEAST_GAIN} times the cosine", ours["ndcg@10"], least))
    for text, value, wanted in needs:
        style = "bold red" if value < wanted else ""
        console.print(f"{text}: {value:.4f} of {wanted:.4f}", style=style)
    found = {f"related/{name}": round(ours[name], 4) for name in ("ndcg@10", "p@5", "judged@10")}
    found["related/no_reposts"] = 1 - ours["reposts"]
    return found, sum(value < wanted for _, value, wanted in needs)


def _read(path: Path, find: Callable[[str], str | None]) -> Grades:
    grades: Grades = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        source, candidate, grade = line.split("\t")
        known, other = find(source), find(candidate)
        if known is not None and other is not None:
            grades.setdefault(known, {})[other] = grade
    return grades


def _figures(grades: Grades, lists: dict[str, list[str]], folding: _Folding) -> dict[str, float]:
    ndcg, precision, judged, reposts = [], [], [], 0
    for source, graded in grades.items():
        groups = folding.folded(source, lists[source])[:_DEPTH]
        shown = [_best(group, graded) for group in groups]
        ideal = sorted(
            (_best(group, graded) for group in folding.folded(source, list(graded))), reverse=True
        )
        ndcg.append(_dcg(shown) / _dcg(ideal[:_DEPTH]))
        judged.append(mean(any(each in graded for each in group) for group in groups))
        # What the folding above forgives, a reader would see.
        reposts += sum(graded.get(each) == "R" for each in lists[source][:_DEPTH])
        if sum(grade >= 2 for grade in ideal) >= _FIRST:
            precision.append(sum(grade >= 2 for grade in shown[:_FIRST]) / _FIRST)
    return {
        "ndcg@10": mean(ndcg),
        "p@5": mean(precision),
        "judged@10": mean(judged),
        "reposts": float(reposts),
    }


def _best(group: Sequence[str], graded: dict[str, str]) -> int:
    return max(int(grade) if (grade := graded.get(each, "0")) != "R" else 0 for each in group)


def _dcg(grades: Sequence[int]) -> float:
    return sum(grade / log2(place + 2) for place, grade in enumerate(grades))


def _cosine(texts: Sequence[Text], sources: Sequence[str]) -> dict[str, list[str]]:
    from baselines import cut_words  # it needs packages that nothing else does
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(analyzer=cut_words, sublinear_tf=True, min_df=2, max_df=0.3)
    vectors = vectorizer.fit_transform(f"{text.title}\n{text.title}\n{text.body}" for text in texts)
    places = {text.id: place for place, text in enumerate(texts)}
    found = {}
    for source in sources:
        scores = (vectors @ vectors[places[source]].T).toarray().ravel()
        best = np.argsort(-scores, kind="stable")[: _ASKED + 1]
        # The source's own copies are left out of ours, so they are left out here.
        found[source] = [texts[place].id for place in best.tolist()]
    return found
