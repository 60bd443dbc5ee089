"""Other machines that index for the same cluster: the articles that they have read.

These come from the index, and a data folder has a name by which it tells its own from them.

The index has these already. So their revisions are negative, and count as reached, until something
makes this store say otherwise: a name learnt, another cluster, a better copy of its own.
"""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from index.backends.base import OthersChange
from index.database import Database
from index.duplicates import Clusters
from index.durable import write_atomically
from index.learned_names import LearnedNames
from index.record import read_article, write_article

__all__ = ["ELSEWHERE", "INDEXER_FILE", "Elsewhere", "indexer_of", "name_indexer"]

INDEXER_FILE = "indexer"
"""The file with the name of a data folder among those that index for one cluster."""

ELSEWHERE = b""
"""In place of the digest of a page, which its own machine has."""


def indexer_of(folder: Path) -> str:
    """Return the name of a folder's indexer, empty before it has one."""
    try:
        return (folder / INDEXER_FILE).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def name_indexer(folder: Path) -> str:
    """Return the name of a folder's indexer, which it is given where it has none."""
    if not (name := indexer_of(folder)):
        name = uuid4().hex
        write_atomically(folder / INDEXER_FILE, f"{name}\n")
    return name


class Elsewhere:
    """Takes over what other machines have written, as part of the store's transactions."""

    def __init__(
        self,
        database: Database,
        names: LearnedNames,
        clusters: Clusters,
        next_revision: Callable[[], int],
    ) -> None:
        """Take the parts of the store, and what gives each change its revision."""
        self._database, self._names, self._clusters = database, names, clusters
        self._next = next_revision

    def take(self, change: OthersChange) -> None:
        """Take over a change, unless what is here is better: it is then to be written again."""
        if change.document is None:
            self._drop(change.id, for_good=change.removed)
        else:
            self._keep(change, change.document)

    def _keep(self, change: OthersChange, theirs: str) -> None:
        article = read_article(theirs)
        document = write_article(self._names.fold(article))
        fetched = article.fetched.isoformat() if article.fetched else ""
        length = len(article.body)
        kept = self._database.row(
            "SELECT fetched, length, document, removed FROM article WHERE id = ?", change.id
        )
        if kept and kept[3]:
            self._write_again(change.id)  # as removed
            return
        # What decides is the same on every machine, or each would undo what the other has done.
        ours = kept[:3] if kept and kept[2] is not None else None
        if ours is None or (fetched, length, document) > ours:
            self._put(change.id, fetched, length, document, revision=-self._next())
            self._names.define(article)
            self._clusters.renew(change.id)
            ours = (fetched, length, document)
        self._clusters.suppose(change.id, change.cluster or None)
        if ours[2] != theirs:
            self._write_again(change.id)

    def _drop(self, identifier: str, *, for_good: bool) -> None:
        kept = self._database.row(
            "SELECT digest, document, removed FROM article WHERE id = ?", identifier
        )
        if kept is None and not for_good:
            return
        if kept and kept[1] is None and bool(kept[2]) == for_good:
            return  # known already
        if for_good:
            self._database.write("UPDATE page SET raw = NULL WHERE article = ?", identifier)
        elif kept and kept[1] is not None and kept[0] != ELSEWHERE:
            self._write_again(identifier)  # there is a page of it here
            return
        elif kept and kept[2]:  # no longer removed: pages of it are to be read again
            self._database.write("DELETE FROM page WHERE article = ?", identifier)
        # The index may have it yet, a generation from before: it is deleted once more.
        self._put(identifier, "", 0, None, revision=self._next(), removed=for_good)
        self._names.forget(identifier)
        self._clusters.forget(identifier)

    def _write_again(self, identifier: str) -> None:
        self._database.write(
            "UPDATE article SET revision = ? WHERE id = ?", self._next(), identifier
        )

    def _put(
        self,
        identifier: str,
        fetched: str,
        length: int,
        document: str | None,
        *,
        revision: int,
        removed: bool = False,
    ) -> None:
        self._database.write(
            "INSERT OR REPLACE INTO article VALUES (?, ?, '', ?, ?, ?, ?, ?)",
            *(identifier, ELSEWHERE, fetched, length, revision, document, int(removed)),
        )
