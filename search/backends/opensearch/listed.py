"""Articles as the cluster lists them: an id, a score, the columns that put them in order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from index.document import BEIJING
from search.results import Copy

__all__ = ["COLUMNS", "OF_COPIES", "Cluster", "Listed"]

COLUMNS = ("oldest_first", "newest_first", "published", "fold", "cluster", "size")
"""What is asked of each article that is listed."""

OF_COPIES = (*COLUMNS, "headline", "url", "source", "day_only")
"""What is asked of each article of a cluster."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A match; its columns are those of COLUMNS."""

    id: str
    score: float
    columns: Mapping[str, Any]

    @classmethod
    def of(cls, hit: Mapping[str, Any]) -> "Listed":
        """Return a hit of the cluster's answer."""
        columns = {name: values[0] for name, values in hit["fields"].items()}
        return cls(hit["_id"], float(hit.get("_score") or 0.0), columns)

    @property
    def fold(self) -> str:
        """What copies of one another share; the id where there are none."""
        return str(self.columns["fold"])

    @property
    def in_time(self) -> tuple[int, int, str]:
        """What makes one of a cluster canonical: the earliest, then the longest."""
        return int(self.columns["oldest_first"]), -int(self.columns["size"]), self.id

    @property
    def by_score(self) -> tuple[float, int, str]:
        """What orders a list by relevance: equal scores newest first, then by id."""
        return -self.score, int(self.columns["newest_first"]), self.id


@dataclass(slots=True)
class Cluster:
    """The articles of a cluster of near-duplicates: all, and those that match each list, by id."""

    members: list[Listed] = field(default_factory=list)
    matching: list[dict[str, Listed]] = field(default_factory=list)

    def shown_for(self, hit: Listed, ranked: Mapping[str, Listed]) -> Listed:
        """Return what is shown for a hit: the canonical article where its list has it.

        `ranked` are the hits that have their last score.
        """
        if len(self.members) < 2:
            return hit
        canonical = min(self.members, key=lambda each: each.in_time)
        for part in self.matching:
            if hit.id in part:
                found = part.get(canonical.id, hit)
                return ranked.get(found.id, found)
        return hit

    def behind(self, hit: Listed) -> list[Listed]:
        """Return the matches of whichever list that are folded behind a hit, earliest first."""
        found = {each.id: each for part in self.matching for each in part.values()}
        found.pop(hit.id, None)
        return sorted(found.values(), key=lambda each: each.in_time)

    def others(self, identifier: str) -> list[Listed]:
        """Return all articles but one, earliest first."""
        rest = (each for each in self.members if each.id != identifier)
        return sorted(rest, key=lambda each: each.in_time)

    def copies(self, listed: Sequence[Listed]) -> tuple[Copy, ...]:
        """Return some of the members as copies."""
        times = [int(each.columns["oldest_first"]) for each in self.members]
        earliest = min(times, default=0)
        is_sole = times.count(earliest) == 1
        return tuple(
            _copy(each, is_first=is_sole and int(each.columns["oldest_first"]) == earliest)
            for each in listed
        )


def _copy(listed: Listed, *, is_first: bool) -> Copy:
    columns = listed.columns
    seconds = columns.get("published")
    return Copy(
        id=listed.id,
        url=columns.get("url"),
        title=columns["headline"],
        source=columns.get("source", ""),
        published=None if seconds is None else datetime.fromtimestamp(seconds, BEIJING),
        published_precision=None if seconds is None else "day" if columns["day_only"] else "minute",
        is_first=is_first,
    )
