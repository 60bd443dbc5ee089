"""The figures as tables, for a terminal and for a page, and as JSON."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from editors import Copies, Editors
from end_to_end import EndToEnd
from features import Features
from front import Front
from measure import Answers, EngineFigures, ScaleFigures, percentiles
from queries import KINDS, WORDS_KIND
from recognition import Recognition
from rich.table import Table

__all__ = ["Report"]

_PEERS = ("tantivy", "fts", "stock")


@dataclass(frozen=True, slots=True)
class _Table:
    title: str
    header: tuple[str, ...]
    rows: list[tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that one run measured."""

    machine: dict[str, str]
    collection: str
    scales: list[ScaleFigures]
    end_to_end: EndToEnd | None

    def rich_tables(self) -> Iterator[Table]:
        """Give the tables for a terminal."""
        for each in self._tables():
            table = Table(title=each.title, title_justify="left")
            for number, name in enumerate(each.header):
                table.add_column(name, justify="left" if number < 2 else "right", no_wrap=True)
            for row in each.rows:
                table.add_row(*row)
            yield table

    def to_markdown(self) -> str:
        """Return the tables for docs/performance.md."""
        parts = []
        for table in self._tables():
            rows = [table.header, tuple("---" for _ in table.header), *table.rows]
            lines = ["| " + " | ".join(row) + " |" for row in rows]
            parts.append("\n".join([f"**{table.title}**", "", *lines]))
        return "\n\n".join(parts) + "\n"

    def to_json(self) -> dict[str, Any]:
        """Return every figure by name; milliseconds, megabytes, documents a second."""
        return {
            "machine": self.machine,
            "collection": self.collection,
            "scales": [_scale_json(figures) for figures in self.scales],
            "end_to_end": asdict(self.end_to_end) if self.end_to_end else None,
        }

    def _tables(self) -> Iterator[_Table]:
        yield self._queries("Page queries, warm: ms p50 / p95 / p99", "warm")
        yield self._queries("Page queries, first touch: ms p50 / p95 / p99", "first")
        yield self._indexes()
        if any(figures.updates for figures in self.scales):
            yield self._updates()
        if self.end_to_end:
            yield self._articles(self.end_to_end)
            if self.end_to_end.features:
                yield self._features(self.end_to_end.features)
            if self.end_to_end.editors:
                yield self._editors(self.end_to_end.editors)
            if self.end_to_end.front:
                yield self._front(self.end_to_end.front)
            yield self._recognition(self.end_to_end.recognition)
            yield self._copies(self.end_to_end.copies)
        yield self._agreement()
        rows = [*self.machine.items(), ("collection", self.collection)]
        yield _Table("Machine", ("what", "value"), rows)

    def _queries(self, title: str, which: str) -> _Table:
        peers = [name for name in _PEERS if any(name in each.engines for each in self.scales)]
        ratios = [f"ours / {name}" for name in peers]
        rows = []
        for figures in self.scales:
            for kind in KINDS:
                answers = {
                    name: engine.kinds[kind]
                    for name, engine in figures.engines.items()
                    if engine.kinds[kind].first
                }
                if not answers:
                    continue
                if kind == WORDS_KIND and "ours" in figures.engines:
                    answers["ours"] = figures.engines["ours"].kinds["phrase"]
                first = next(iter(answers.values()))
                times = {name: percentiles(getattr(each, which)) for name, each in answers.items()}
                rows.append(
                    (
                        f"{figures.documents:,}",
                        kind,
                        f"{first.matches / len(first.first):,.0f}",
                        *(_times(times.get(name)) for name in ("ours", *peers)),
                        *(_ratio(times.get("ours"), times.get(name)) for name in peers),
                    )
                )
        return _Table(title, ("documents", "query", "matches", "ours", *peers, *ratios), rows)

    def _indexes(self) -> _Table:
        header = (
            "documents",
            "engine",
            "MB on disk",
            "documents/s from tokens",
            "build peak MB",
            "opened in ms",
            "resident MB: before",
            "opened",
            "1,000 queries",
            "of it anonymous",
        )
        rows = []
        for figures in self.scales:
            for name, engine in figures.engines.items():
                memory = engine.memory
                last = memory["queried"]
                rows.append(
                    (
                        f"{figures.documents:,}",
                        f"{name} ({engine.version})",
                        f"{engine.built.size / 1e6:.1f}",
                        f"{figures.documents / engine.built.seconds:,.0f}",
                        f"{engine.built.memory.peak:.0f}",
                        f"{engine.opened * 1e3:.1f}",
                        f"{memory['before'].resident:.0f}",
                        f"{memory['opened'].resident:.0f}",
                        f"{last.resident:.0f}",
                        f"{last.anonymous:.0f}",
                    )
                )
            rows += [
                (f"{figures.documents:,}", f"{name}: {reason}", *[""] * (len(header) - 2))
                for name, reason in figures.missing.items()
            ]
        return _Table("Index: size, build, memory", header, rows)

    def _updates(self) -> _Table:
        header = (
            "documents",
            "engine",
            "s to searchable, median",
            "longest",
            "queries idle: ms",
            "beside a writer: ms",
            "p95 beside / idle",
            "slowest query ms",
        )
        rows = [
            (
                f"{figures.documents:,}",
                name,
                f"{median(each.searchable):.3f}",
                f"{max(each.searchable):.3f}",
                _times(each.idle),
                _times(each.beside),
                f"{each.beside['p95'] / each.idle['p95']:.2f}",
                f"{each.slowest * 1e3:.0f}",
            )
            for figures in self.scales
            for name, each in figures.updates.items()
        ]
        return _Table("Commits of 20 updates, one every 2 s beside queries", header, rows)

    def _articles(self, figures: EndToEnd) -> _Table:
        rows = [
            ("ours, from the article store", f"{figures.ours:,.0f} articles/s"),
            ("Whoosh with jieba's ChineseAnalyzer", f"{figures.stock:,.0f} articles/s"),
            ("ours / Whoosh", f"{figures.ours / figures.stock:.1f}"),
        ]
        if figures.pages is not None:
            rows.append(
                (f"ours, {figures.pages:,} pages of archives", f"{figures.pages_seconds:.0f} s")
            )
        return _Table("Indexing with analysis", ("what", "value"), rows)

    def _features(self, figures: Features) -> _Table:
        rows = [
            ("plain page query", f"{figures.plain:.2f} ms"),
            ("the same with everything on", f"{figures.selection:.2f} ms"),
            ("everything on / plain", f"{figures.selection / figures.plain:.1f}"),
            ("with articles and snippets", f"{figures.answer:.2f} ms"),
            ("suggestions, p95", f"{figures.suggestions:.2f} ms"),
        ]
        return _Table("Searching the pages, p50", ("what", "value"), rows)

    def _recognition(self, figures: Recognition) -> _Table:
        rows = [
            ("characters a second on one core", f"{figures.ours:,.0f}"),
            ("jieba's part-of-speech tagger", f"{figures.peer:,.0f}"),
            ("ours / jieba", f"{figures.ours / figures.peer:.1f}"),
        ]
        return _Table("Recognising organisations", ("what", "value"), rows)

    def _editors(self, figures: Editors) -> _Table:
        rows = [
            (
                "related articles, p50 / p95",
                f"{figures.related:.1f} / {figures.related_p95:.1f} ms",
            ),
            ("tantivy's MoreLikeThis, p50", f"{figures.peer:.1f} ms"),
            ("ours / tantivy", f"{figures.related / figures.peer:.2f}"),
            (
                "draft of 3,000 characters, p50 / p95",
                f"{figures.draft:.0f} / {figures.draft_p95:.0f} ms",
            ),
        ]
        return _Table("Editors' questions", ("what", "value"), rows)

    def _front(self, figures: Front) -> _Table:
        rows = [
            (
                f"{load.path}, requests a second; ms p50 / p99; errors",
                f"{load.per_second:,.0f}; {load.p50:.0f} / {load.p99:.0f}; {load.errors}",
            )
            for load in figures.loads
        ]
        key = f"{figures.key:.0f} / {figures.key_p95:.0f} ms"
        rows.append(("key until its results are seen, p50 / p95", key))
        return _Table("The front, 2 processes, 32 connections", ("what", "value"), rows)

    def _copies(self, figures: Copies) -> _Table:
        rows = [
            ("fingerprints a second on one core", f"{figures.ours:,.0f}"),
            ("rensa's signatures alone", f"{figures.peer:,.0f}"),
            ("ours / rensa", f"{figures.ours / figures.peer:.1f}"),
        ]
        return _Table("Finding copies", ("what", "value"), rows)

    def _agreement(self) -> _Table:
        rows = []
        for figures in self.scales:
            rows.append((f"{figures.documents:,}", f"{figures.compared} queries compared"))
            rows += [("", line) for line in figures.disagreements or ["no disagreement"]]
            if "tantivy" in figures.engines:
                kinds = figures.engines["tantivy"].kinds
                found, all_of = kinds[WORDS_KIND].matches, kinds["phrase"].matches
                rows.append(("", f"{WORDS_KIND}: {found:,} matches, over units: {all_of:,}"))
        return _Table("Totals and facet counts", ("documents", "agreement"), rows)


def _times(found: dict[str, float] | None) -> str:
    return " / ".join(f"{value:.2f}" for value in found.values()) if found else ""


def _ratio(ours: dict[str, float] | None, peer: dict[str, float] | None) -> str:
    if not ours or not peer:
        return ""
    found = (ours[share] / peer[share] for share in ("p50", "p95"))
    return " / ".join(f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.3f}" for ratio in found)


def _scale_json(figures: ScaleFigures) -> dict[str, Any]:
    return {
        "documents": figures.documents,
        "engines": {name: _engine_json(each) for name, each in figures.engines.items()},
        "missing": figures.missing,
        "compared": figures.compared,
        "disagreements": figures.disagreements,
        "updates": {name: asdict(each) for name, each in figures.updates.items()},
    }


def _engine_json(engine: EngineFigures) -> dict[str, Any]:
    return {
        "version": engine.version,
        "build_seconds": engine.built.seconds,
        "build_peak_mb": engine.built.memory.peak,
        "bytes": engine.built.size,
        "open_seconds": engine.opened,
        "memory": {moment: memory._asdict() for moment, memory in engine.memory.items()},
        "queries": {
            kind: _answers_json(answers) for kind, answers in engine.kinds.items() if answers.first
        },
    }


def _answers_json(answers: Answers) -> dict[str, Any]:
    return {
        "queries": len(answers.first),
        "matches": answers.matches,
        "first": percentiles(answers.first),
        "warm": percentiles(answers.warm),
    }
