"""What a run reports: how far it is, and in the end what it did."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

__all__ = ["Progress", "Quiet", "Summary"]


@dataclass(slots=True, kw_only=True)
class Summary:
    """What a run did. `pages` is the sum of the rest; `problems` names the pages behind it."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    repeated: int = 0
    removed: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    generation: int = 0
    problems: list[tuple[str, str, str]] = field(default_factory=list)
    """Page, "skipped" or "failed", and the reason."""

    @property
    def pages(self) -> int:
        """All pages that were met."""
        counts = (self.added, self.updated, self.unchanged, self.repeated, self.removed)
        return sum(counts) + self.skipped.total() + self.failed.total()

    def count(self, outcome: str) -> None:
        """Count one page under an outcome of the store."""
        setattr(self, outcome, getattr(self, outcome) + 1)

    def skip(self, page: str, reason: str) -> None:
        """Count a page that holds no article."""
        self.skipped[reason] += 1
        self.problems.append((page, "skipped", reason))

    def fail(self, page: str, reason: str, kind: str) -> None:
        """Count a page that could not be read, under the first words of the reason."""
        self.failed[kind] += 1
        self.problems.append((page, "failed", reason))


class Progress(Protocol):
    """Where a run reports how far it is."""

    def stage(self, name: str, total: int | None) -> None:
        """Begin a stage of `total` steps, None where only a share is known."""

    def advance(self, steps: int = 1, share: float | None = None) -> None:
        """Report steps done, and the share of the input that is read, from 0 to 1."""


class Quiet:
    """Progress of what is too short to be watched."""

    def stage(self, name: str, total: int | None) -> None:
        """Report nothing."""

    def advance(self, steps: int = 1, share: float | None = None) -> None:
        """Report nothing."""
