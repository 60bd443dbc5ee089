"""Organisations measured against articles whose every organisation was labelled by reading.

The title, lead and body of the gold set are recognised as they stand there, so that extraction
plays no part. A mention and a labelled organisation are the same when the mention's name is the
label's name or one of its surfaces; all names are first folded through the table, so that 微步 and
微步在线 are one, and labels of an article whose names fold to one name are one label. Within an
article each mention counts for one label at most and each label for one mention: a second mention
of an organisation already found is wrong, and so is one of nothing labelled. Counts are summed over
all articles before they are divided.

Surfaces are the distinct strings of an article that name an organisation, compared letter by
letter. "unlisted" are the figures of a table without the rows that the gold set names, and the
recall of what no row of the whole table names. An alias pair, a full and a short name, is resolved
when a sentence that defines one by the other brings both under one name; the full name may lose
what the list has wrongly before it.
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


Gold = tuple[str, str, str, tuple[Labelled, ...]]
"""Title, lead, body and organisations of a labelled article."""


@dataclass(frozen=True)
class Measured:
    """What recognition made of one article."""

    right: tuple[tuple[Labelled, Mention], ...]
    missed: tuple[Labelled, ...]
    wrong: tuple[Mention, ...]


def measure(corpus: Path) -> dict[str, float]:
    """Return the figures of organisations, each a share from 0 to 1."""
    table = OrganisationTable.load()
    gold = list(read_gold(corpus))
    named = {name for *_, labels in gold for label in labels for name in label.surfaces}
    rows = {table.resolve(name) for name in named}
    rest = OrganisationTable([row for row in table if row.name not in rows])
    figures = _figures("organisations", gold, table, table)
    figures |= _figures("unlisted", gold, rest, table)
    figures["organisations/seed_f1"] = _figures("seed", gold[:1], table, table)["seed/f1"]
    figures["organisations/no_list_recall"] = _no_list_recall(gold, table)
    figures["organisations/alias_pairs"] = _alias_pairs(corpus, table)
    return {name: round(value, 4) for name, value in figures.items()}


def _figures(
    name: str, gold: Iterable[Gold], table: OrganisationTable, whole: OrganisationTable
) -> dict[str, float]:
    """Return the figures of a table; names are compared through the whole one."""
    articles: list[Measured] = []
    found: set[tuple[int, str]] = set()
    wanted: set[tuple[int, str]] = set()
    for number, (title, lead, body, labels) in enumerate(gold):
        mentions = recognise(title, lead, body, table)
        articles.append(compare(labels, mentions, whole))
        text = "\n".join((title, lead, body))
        surfaces = (surface for label in labels for surface in label.surfaces)
        wanted.update((number, surface) for surface in surfaces if surface in text)
        found.update((number, surface) for each in mentions for surface in each.surfaces)
    right = sum(len(article.right) for article in articles)
    missed = sum(len(article.missed) for article in articles)
    wrong = sum(len(article.wrong) for article in articles)
    pairs = [pair for article in articles for pair in article.right]
    salient_found = sum(label.salient for label, _ in pairs)
    salient_missed = sum(label.salient for article in articles for label in article.missed)
    return {
        f"{name}/precision": right / (right + wrong),
        f"{name}/recall": right / (right + missed),
        f"{name}/f1": 2 * right / (2 * right + wrong + missed),
        f"{name}/salient_recall": salient_found / (salient_found + salient_missed),
        f"{name}/surfaces_f1": 2 * len(found & wanted) / (len(found) + len(wanted)),
        f"{name}/salience": sum(label.salient == each.salient for label, each in pairs) / right,
    }


def _no_list_recall(gold: Iterable[Gold], table: OrganisationTable) -> float:
    """Return the recall of organisations that the table has under none of their names."""
    found = missed = 0
    for title, lead, body, labels in gold:
        new = {
            label.name for label in labels if not any(table.find(each) for each in label.surfaces)
        }
        measured = compare(labels, recognise(title, lead, body, table), table)
        found += sum(label.name in new for label, _ in measured.right)
        missed += sum(label.name in new for label in measured.missed)
    return found / (found + missed)


def _alias_pairs(corpus: Path, table: OrganisationTable) -> float:
    lines = (corpus / "entities" / "alias_pairs.tsv").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("\t")[:2] for line in lines[1:]]
    resolved = 0
    for full, short in pairs:
        text = f"近日，{full}（以下简称“{short}”）发布年度报告。\n{short}表示，报告已经公开。"
        resolved += any(
            short in mention.surfaces
            and any(full.endswith(surface) for surface in mention.surfaces if surface != short)
            for mention in recognise("", "", text, table)
        )
    return resolved / len(pairs)


def read_gold(corpus: Path) -> Iterable[Gold]:
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
