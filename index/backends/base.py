"""What every index offers to the code that fills it, whichever store stands behind it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from index.schema import IndexBatch

__all__ = ["NO_CLIENT", "Index", "IndexWriter", "OthersChange"]

NO_CLIENT = (
    "backend is opensearch, and its client is not installed. Run: pip install 'anwen[opensearch]'"
)


@dataclass(frozen=True, slots=True)
class OthersChange:
    """What another machine has written of an article: its record, None where it is gone.

    `removed` says that an operator has removed it for good; `cluster` is the label of its
    near-duplicates, empty where it has none.
    """

    id: str
    document: str | None
    removed: bool = False
    cluster: str = ""


class IndexWriter(Protocol):
    """Collects changes; they become visible together when its context ends without an error."""

    def update_documents(self, batch: IndexBatch) -> None:
        """Add documents, each in place of any with the same id from before this writer."""

    def delete_document(self, identifier: str, *, removed: bool = False) -> None:
        """Delete the document with that id from before this writer, if there is one.

        `removed` tells other machines that an operator has removed it for good.
        """


class Index(Protocol):
    """A derived index over the article store."""

    @property
    def is_shared(self) -> bool:
        """Whether other machines may write it too, each from a store of its own."""

    @property
    def generation(self) -> int:
        """The number of the live generation; 0 where there is none yet."""

    @property
    def revision(self) -> int:
        """The store's revision that the live generation has reached; 0 where there is none."""

    def damage(self, step: Callable[[], None] = ...) -> list[str]:
        """Read all of the live generation, and say what of it is damaged.

        `step` is called now and then.
        """

    def fault(self) -> str | None:
        """Say why the live generation does not open, None where it does or where there is none."""

    def ids(self) -> list[str]:
        """Return the id of each document of the live generation; raises IndexUnavailable."""

    def strays(self) -> list[Path]:
        """Return the files and folders that nothing of the index names."""

    def out_of_date(self) -> str | None:
        """Say why the live generation does not fit the running code, None where it does."""

    def turn(self, stages: str = "") -> AbstractContextManager[None]:
        """Wait until no other machine writes the index, and let none begin meanwhile.

        `stages` is what tells how this one reads pages; that others read them otherwise is logged.
        """

    def changes_of_others(self, *, everything: bool = False) -> Iterator[OthersChange]:
        """Give what other machines have written since this one's last commit, or ever.

        Whoever asks has the turn. Raises IndexUnavailable.
        """

    def unknown(self) -> set[str]:
        """Return the ids of what they have written since; raises IndexUnavailable."""

    def writer(
        self, revision: int, *, rebuild: bool = False, set_aside: bool = False
    ) -> AbstractContextManager[IndexWriter]:
        """Open a writer whose commit brings the index to `revision`.

        With `rebuild` it fills a new generation beside the live one, which takes its place at
        the commit; after an error the live one is as it was. With `set_aside` too the live one,
        found damaged, is then kept to be looked at. Raises IndexUnavailable where the index cannot
        be written.
        """
