"""Organisations measured against articles whose every organisation was labelled by reading.

The title, lead and body of the gold set are recognised as they stand there, so that extraction
plays no part. A mention and a labelled organisation are the same when the mention's name is the
label's name or one of its surfaces; all names are first folded through the table, so that 微步 and
微步在线 are one, and labels of an article whose names fold to one name are one label. Within an
article each mention counts for one label at most and each label for one mention: a second mention
of an organisation already found is wrong, and so is one of nothing labelled. Counts are summed over
all articles before they are divided.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from index.document import Mention
from index.entities import OrganisationTable, recognise

__all__ = ["Labelled", "Measured", "compare", "measure", "read_gold"]


@dataclass(frozen=True)
class Labelled:
    """An organisation that the gold set names in an article; the name is among the surfaces."""

    name: str
    surfaces: tuple[str, ...]
    salient: bool


@dataclass(frozen=True)
class Measured:
    """What recognition made of one article."""

    right: tuple[tuple[Labelled, Mention], ...]
    missed: tuple[Labelled, ...]
    wrong: tuple[Mention, ...]


def measure(corpus: Path) -> dict[str, float]:
    """Return precision, recall and F1 of organisations, and the recall of the salient ones."""
    table = OrganisationTable.load()
    articles = [
        compare(labels, recognise(title, lead, body, table), table)
        for title, lead, body, labels in read_gold(corpus)
    ]
    right = sum(len(article.right) for article in articles)
    missed = sum(len(article.missed) for article in articles)
    wrong = sum(len(article.wrong) for article in articles)
    salient_found = sum(label.salient for article in articles for label, _ in article.right)
    salient_missed = sum(label.salient for article in articles for label in article.missed)
    return {
        "organisations/precision": round(right / (right + wrong), 4),
        "organisations/recall": round(right / (right + missed), 4),
        "organisations/f1": round(2 * right / (2 * right + wrong + missed), 4),
        "organisations/salient_recall": round(salient_found / (salient_found + salient_missed), 4),
    }


def read_gold(corpus: Path) -> Iterable[tuple[str, str, str, tuple[Labelled, ...]]]:
    """Yield title, lead, body and organisations of each labelled article."""
    gold = corpus / "entities" / "organisations" / "gold.jsonl"
    for line in gold.read_text(encoding="utf-8").splitlines():
        article = json.loads(line)
        labels = tuple(
            Labelled(label["name"], (label["name"], *label["surfaces"]), label["salient"])
            for label in article["organisations"]
        )
        yield article["title"], article["lead"], article["body"], labels


def compare(
    labels: Iterable[Labelled], mentions: Iterable[Mention], table: OrganisationTable
) -> Measured:
    """Pair the organisations of an article with its mentions, equal names before other surfaces."""

    def fold(name: str) -> str:
        return table.resolve(name) or name.casefold()

    by_name: dict[str, Labelled] = {}
    for label in labels:
        same = by_name.get(fold(label.name), Labelled(label.name, (), salient=False))
        by_name[fold(label.name)] = Labelled(
            same.name, same.surfaces + label.surfaces, same.salient or label.salient
        )
    missed, wrong = list(by_name.values()), list(mentions)
    right: list[tuple[Labelled, Mention]] = []
    for only_names in (True, False):
        for label in tuple(missed):
            wanted = {fold(name) for name in ((label.name,) if only_names else label.surfaces)}
            found = next((mention for mention in wrong if fold(mention.name) in wanted), None)
            if found:
                right.append((label, found))
                missed.remove(label)
                wrong.remove(found)
    return Measured(tuple(right), tuple(missed), tuple(wrong))
