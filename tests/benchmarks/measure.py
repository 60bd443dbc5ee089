"""The run: builds every engine's index, asks all of them in turn, and keeps what it saw."""

import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from agreement import differences
from queries import KINDS, WORDS_KIND, PageQuery
from worker import Built, Memory, Remote, Timed

__all__ = [
    "Answers",
    "EngineFigures",
    "Inputs",
    "ScaleFigures",
    "Updates",
    "measure_scale",
    "percentiles",
]

WARM_ROUNDS = 3
_BLOCK = 25  # queries of one kind that an engine answers before the next engine does
_UPDATE = 20  # documents in a commit
_UPDATES = 10
_PAUSE = 2.0  # seconds between commits
_SHOWN = 20  # disagreements that are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a run reads, and where it leaves the indexes."""

    articles: Path
    tokens: Path
    folder: Path
    queries: Sequence[PageQuery]
    log: Callable[[str], None]


@dataclass(slots=True)
class Answers:
    """Seconds of each query of a kind: the first time, and the median of later rounds."""

    first: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    matches: int = 0


@dataclass(slots=True, kw_only=True)
class EngineFigures:
    """What was measured of one engine at one scale.

    `memory` is before opening the index, opened, and queried: after the first touch of all queries,
    about a thousand.
    """

    version: str
    built: Built
    opened: float = 0.0
    memory: dict[str, Memory] = field(default_factory=dict)
    kinds: dict[str, Answers] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Updates:
    """Seconds of commits until a query sees them, and p95 of queries idle and beside a writer."""

    searchable: list[float]
    idle: dict[str, float]
    beside: dict[str, float]
    commits: list[float]
    slowest: float


@dataclass(slots=True, kw_only=True)
class ScaleFigures:
    """What was measured at one number of documents; `missing` says why an engine is not there."""

    documents: int
    engines: dict[str, EngineFigures] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    disagreements: list[str] = field(default_factory=list)
    compared: int = 0
    updates: dict[str, Updates] = field(default_factory=dict)


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Return p50, p95 and p99 in milliseconds."""
    shares = (50, 95, 99)
    values = np.percentile(np.array(seconds) * 1e3, shares)
    return {f"p{share}": float(value) for share, value in zip(shares, values, strict=True)}


def measure_scale(
    inputs: Inputs, count: int, engines: Sequence[str], *, updates: Sequence[str] = ()
) -> ScaleFigures:
    """Build, ask and update each engine at one number of documents."""
    figures = ScaleFigures(documents=count)
    with tempfile.TemporaryDirectory(dir=inputs.folder) as name, ExitStack() as stack:
        folder = Path(name)
        remotes: list[Remote] = []
        for engine in engines:
            try:
                figures.engines[engine] = _build(inputs, engine, folder / engine, count)
            except ModuleNotFoundError as error:
                if engine == "ours":
                    raise
                figures.missing[engine] = f"{error} (dependency group bench)"
                inputs.log(f"{count:,}: {engine} is left out: {error}")
        for engine in figures.engines:
            remote = Remote(engine, folder / engine)
            stack.callback(remote.close)
            remotes.append(remote)
        _ask(inputs, figures, remotes)
        for remote in remotes:
            if remote.name in updates:
                inputs.log(f"{count:,}: {remote.name} under updates")
                figures.updates[remote.name] = _update(inputs, remote, folder, count)
    return figures


def _build(inputs: Inputs, engine: str, folder: Path, count: int) -> EngineFigures:
    remote = Remote(engine, folder)
    try:
        built: Built = remote.call("build", inputs.articles, inputs.tokens, count)
    finally:
        remote.stop()
    inputs.log(
        f"{count:,}: {engine} built in {built.seconds:.1f} s, {built.size / 1e6:.0f} MB on disk"
    )
    return EngineFigures(version=remote.version, built=built)


def _ask(inputs: Inputs, figures: ScaleFigures, remotes: Sequence[Remote]) -> None:
    """Ask every query of all engines in turn: once, then in WARM_ROUNDS rounds."""
    for remote in remotes:
        own = figures.engines[remote.name]
        own.memory["before"] = remote.call("memory")
        own.opened = remote.call("open")
        own.memory["opened"] = remote.call("memory")
        own.kinds = {kind: Answers() for kind in KINDS}
    warm: dict[tuple[str, int], list[float]] = defaultdict(list)
    for turn in range(1 + WARM_ROUNDS):
        inputs.log(f"{figures.documents:,}: queries, round {turn + 1} of {1 + WARM_ROUNDS}")
        for place, block in enumerate(_blocks(inputs.queries)):
            queries = [inputs.queries[number] for number in block]
            asked = _in_turn(remotes, queries[0], place + turn)
            timed = {remote.name: remote.call("pages", queries, turn == 0) for remote in asked}
            if turn == 0:
                _take_first(figures, queries, timed)
                continue
            for name, answers in timed.items():
                for number, answer in zip(block, answers, strict=True):
                    warm[name, number].append(answer.seconds)
        if turn == 0:
            for remote in remotes:
                figures.engines[remote.name].memory["queried"] = remote.call("memory")
    for (name, number), took in warm.items():
        figures.engines[name].kinds[inputs.queries[number].kind].warm.append(median(took))
    if figures.disagreements:
        inputs.log(f"{figures.documents:,}: {len(figures.disagreements)} disagreements")
    del figures.disagreements[_SHOWN:]


def _take_first(
    figures: ScaleFigures, queries: Sequence[PageQuery], timed: Mapping[str, Sequence[Timed]]
) -> None:
    """Keep the times of first touch, and compare what the engines found."""
    for place, query in enumerate(queries):
        pages = {}
        for name, answers in timed.items():
            seconds, page = answers[place]
            if page is None:
                raise ValueError(f"{name} gave no page.")
            figures.engines[name].kinds[query.kind].first.append(seconds)
            figures.engines[name].kinds[query.kind].matches += page.total
            pages[name] = page
        if len(pages) > 1:
            figures.compared += 1
            figures.disagreements += differences(query, pages)


def _blocks(queries: Sequence[PageQuery]) -> list[list[int]]:
    """Return the numbers of the queries in blocks of one kind."""
    kinds: dict[str, list[int]] = defaultdict(list)
    for number, query in enumerate(queries):
        kinds[query.kind].append(number)
    return [
        numbers[start : start + _BLOCK]
        for numbers in kinds.values()
        for start in range(0, len(numbers), _BLOCK)
    ]


def _in_turn(remotes: Sequence[Remote], query: PageQuery, turn: int) -> list[Remote]:
    """Return who is asked, in an order that changes: the first after a pause pays for it."""
    start = turn % max(len(remotes), 1)
    return [
        remote
        for remote in (*remotes[start:], *remotes[:start])
        if query.kind != WORDS_KIND or remote.name == "tantivy"
    ]


def _update(inputs: Inputs, remote: Remote, folder: Path, count: int) -> Updates:
    """Commit updates into an index, then ask beside a process that goes on committing."""
    writer = Remote(remote.name, folder / remote.name)
    try:
        writer.call("open")
        writer.call("prepare_updates", inputs.articles, inputs.tokens, count, _UPDATE)
        searchable = [writer.call("update") for _ in range(_UPDATES)]
        seconds = _PAUSE * _UPDATES
        remote.call("page", inputs.queries[0], False, True)  # sees the commits
        idle = _asked_for(remote, inputs.queries, seconds)
        writer.send("keep_updating", _PAUSE, seconds)
        beside = _asked_for(remote, inputs.queries, seconds)
        commits = writer.receive()
    finally:
        writer.stop()
    return Updates(
        searchable=searchable,
        idle=percentiles(idle),
        beside=percentiles(beside),
        commits=commits,
        slowest=max(beside),
    )


def _asked_for(remote: Remote, queries: Sequence[PageQuery], seconds: float) -> list[float]:
    """Ask selective queries one after another for some time."""
    asked = [query for query in queries if query.kind not in ("all", WORDS_KIND)]
    took: list[float] = []
    until = perf_counter() + seconds
    while perf_counter() < until:
        took.append(remote.call("page", asked[len(took) * 7 % len(asked)], False, True).seconds)
    return took
