"""Hostile queries, by a grammar: what is typed, what is chosen beside it, and how it is asked.

    python -m tests.reliability.hostile_queries --data DIR [--queries N] [--seed N] [--slow S]

One in eight is drawn from the grammar; the others are made of two that were, cut and joined
anywhere. Seven in eight are asked of the searcher, which every page and route asks; the eighth as
an address or a body of the web application, any of its routes.
"""

import argparse
import gc
import json
import sys
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random
from time import perf_counter, thread_time
from typing import Any

from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from index.errors import QueryError
from index.settings import Settings
from search import Searcher, SearchRequest, open_searcher
from search.parser import MAX_DEPTH, MAX_LENGTH
from search.request import COUNTABLE
from search.syntax import FIELDS, OPERATORS, QUOTES
from web import create_app

__all__ = ["Figures", "HostileRequest", "ask", "hostile_requests"]

_CHOICES = 8 * 14  # of the numbers that choose a route, one in eight of the web application
_ROUND = 1_250  # examples of one run of hypothesis, which keeps all that it has drawn
_OF_EACH = 8  # requests for each that is drawn: to draw one takes longer than to answer it
_COLLECTED = 20_000  # requests after which what is in cycles is freed
_PARENTS = 64  # drawn before, of which others are made

_WORDS = """
勒索软件 漏洞 安全 网络 攻击 的 了 医院 衡岳智联 灰鹭 微软 ＡＰＴ 網絡 安 勒锁软件 漏动 ransomeware
CVE-2026-90001 CVE-2024-3400 T1486 CNVD-2024-12345 GHSA-aaaa-bbbb-cccc 最近一周 2024年4月 今年以来
2.17.1 1.2.3.4.5.6 evil[.]example hxxp://a[.]b/c http://[ a@b.c D-Link c++ .net struts2 a 1 𝐀 ㈱ ﷺ
"""
_DATES = "2024 2024-13 0001-01-01 9999-12-31 2024-02-30 2024..2023 .. x １"
_SIGNS = "🙂 %00 % \\ <script> ';-- ../ {} [] ^ & = ß İ ſ Å 한글 ا"
WORDS = (*_WORDS.split(), "Cobalt Strike", "Corvane Networks", "e\u0301")
DATES = _DATES.split()
ODD = (
    *("\x00", "\x1f\x7f", "\u202e", "\ufeff", "\ud800", "\udfff", "\U0010ffff", "\u200d", "\u3000"),
    *("\r\n", "\t", "ͪ" * 30, "\ue000", "\ufdfa", "\u0e33", "👩\u200d👩\u200d👧"),
    *_SIGNS.split(),
)
SIGNS = ("", "", "", "-", "+", "－", "NOT ", "--", "-+-", "!", "*", "~", "|")
FIELDED = ("", "", "", *(f"{name}{colon}" for name in FIELDS for colon in ":："), "title:title:")

_word = st.sampled_from(WORDS) | st.sampled_from(ODD) | st.sampled_from(DATES) | st.text(max_size=4)
# Most within what a query may have: what is refused at once shows little.
_times = st.sampled_from((*(1,) * 9, *(2, 3, 5, 8, 16, MAX_DEPTH + 1, 64), 300, MAX_LENGTH + 1))
_run = st.builds(lambda text, times: text * times, _word, _times)
_glued = st.lists(_word, min_size=2, max_size=4).map("".join)
_text = _word | _word | _glued | _run
_quoted = st.builds(
    lambda opening, text, closing, slop: f"{opening}{text}{closing}{slop}",
    st.sampled_from(sorted(QUOTES)),
    st.lists(_text, max_size=6).map(" ".join),
    st.sampled_from((*sorted(QUOTES), "")),
    st.sampled_from(("", "", "~0", "~5", "～100", "~9999", "~99999999999", "~-1")),
)
_wild = st.builds(
    lambda text, stars, rest: text + stars + rest,
    _text,
    st.sampled_from(("*", "＊", "**", "*" * 200, "?", "*?*")),
    st.sampled_from(("", "", "a", "漏洞", "*")),
)
_clause = st.builds(
    lambda sign, name, text: sign + name + text,
    st.sampled_from(SIGNS),
    st.sampled_from(FIELDED),
    _text | _text | _quoted | _wild,
)
_joints = st.sampled_from((" ", " ", "  ", "", "，", "、", *(f" {name} " for name in OPERATORS)))
_pairs = st.lists(st.tuples(_joints, _clause), min_size=1, max_size=7)
_row = _pairs.map(lambda pairs: "".join(joint + clause for joint, clause in pairs))
_bracketed = st.builds(
    lambda depth, inner, closing: "(" * depth + inner + closing * depth,
    st.sampled_from((1, 2, 8, MAX_DEPTH, MAX_DEPTH, MAX_DEPTH + 1)),
    _row,
    st.sampled_from((")", "）", "", " OR a)")),
)
_repeated = st.builds(
    lambda clause, joint, times: joint.join([clause] * times)[: MAX_LENGTH + 1],
    _clause,
    _joints,
    st.sampled_from((2, 8, 32, 63, 64, 65)),
)
_alternatives = st.builds(
    lambda words, joint, ending: joint.join(word + ending for word in words)[:MAX_LENGTH],
    st.lists(_glued, min_size=20, max_size=60),
    st.sampled_from((" OR ", " | ", " -", " +", " AND ")),
    st.sampled_from(("", "", "*", '"~9')),
)
_queries = st.one_of(_row, _row, _row, _clause, _bracketed, _repeated, st.text(max_size=60))
_queries = st.one_of(*(_queries,) * 7, _alternatives)

_values = st.lists(_text, max_size=2).map(tuple)
_many = st.builds(lambda text, times: tuple(f"{text}{n}" for n in range(times)), _word, _times)
_none: st.SearchStrategy[tuple[str, ...]] = st.just(())
_choice = st.one_of(*(_none,) * 12, *(_values,) * 2, _many)
_months = st.one_of(
    _none, _none, st.lists(st.dates().map(lambda day: f"{day:%Y-%m}"), max_size=9).map(tuple)
)
_days = st.one_of(*(st.none(),) * 7, st.dates(date.min, date.max))


@dataclass(frozen=True, slots=True, kw_only=True)
class HostileRequest:
    """A query, the parameters beside it by name, and the number that chooses how it is asked."""

    query: str
    parameters: dict[str, Any]
    route: int


hostile_requests = st.builds(
    lambda query, route, **parameters: HostileRequest(
        query=query, parameters=parameters, route=route
    ),
    query=_queries,
    route=st.integers(0, _CHOICES - 1),
    category=_choice,
    organisation=_choice,
    source=_choice,
    exclude_organisation=_choice,
    exclude_source=_choice,
    month=_months,
    first=_days,
    last=_days,
    match=st.sampled_from(("auto", "auto", "all")),
    sort=st.sampled_from(("relevance", "relevance", "newest", "oldest")),
    duplicates=st.sampled_from(("fold", "fold", "show")),
    page=st.sampled_from((1,) * 60 + (2, 2, 99, 100, 10_000, 10**9)),
    size=st.sampled_from((10, 10, 10, 1, 100)),
    cursor=st.sampled_from((None,) * 60 + ("x", "\x00", "A" * 900)),
    explain=st.sampled_from((False,) * 9 + (True,)),
)


@dataclass(slots=True)
class Figures:
    """How many were asked, of what, how long each took, and what went wrong."""

    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")
    asked: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    failures: list[str] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """What is printed."""
        ordered = sorted(self.seconds)
        share = {name: ordered[int(len(ordered) * part)] for name, part in _SHARES.items()}
        return {
            "queries": len(ordered),
            **{name: round(value * 1000, 2) for name, value in share.items()},
            "slowest_ms": round(ordered[-1] * 1000, 1),
            "over_2_s": sum(value > 2 for value in ordered),
            "slowest_cpu_ms": round(max(self.cpu_seconds) * 1000, 1),
            "refused": self.refused,
            "failures": len(self.failures),
            "asked": dict(self.asked.most_common()),
        }


_SHARES = {"median_ms": 0.5, "p99_ms": 0.99}


def _address(hostile: HostileRequest) -> dict[str, Any]:
    """The parameters as an address has them, in which a lone surrogate is three bytes."""
    names = {"first": "from", "last": "to"}
    given = {names.get(name, name): value for name, value in hostile.parameters.items() if value}
    given["explain"] = "1" if given.pop("explain", False) else "0"
    return {
        name: [_sendable(str(each)) for each in value]
        if isinstance(value, tuple)
        else _sendable(str(value))
        for name, value in {"q": hostile.query, **given}.items()
    }


def _sendable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _by_address(path: str) -> Callable[[FlaskClient, HostileRequest], int]:
    return lambda client, hostile: client.get(path, query_string=_address(hostile)).status_code


def _named(path: str) -> Callable[[FlaskClient, HostileRequest], int]:
    """Ask for what a part of an address names."""

    def ask_for(client: FlaskClient, hostile: HostileRequest) -> int:
        from urllib.parse import quote

        name = quote(_sendable(hostile.query), safe="")
        return client.get(path + name).status_code

    return ask_for


def _facet(client: FlaskClient, hostile: HostileRequest) -> int:
    name = COUNTABLE[len(hostile.query) % len(COUNTABLE)]
    given = {**_address(hostile), "prefix": _sendable(hostile.query)}
    return client.get(f"/api/v1/facets/{name}", query_string=given).status_code


def _draft(client: FlaskClient, hostile: HostileRequest) -> int:
    text = "".join(value for value in hostile.parameters.values() if isinstance(value, str))
    body = {"title": hostile.query, "text": text, "draft": len(hostile.query) % 2 == 0}
    return client.post("/api/v1/related", json=body).status_code


ROUTES: dict[str, Callable[[FlaskClient, HostileRequest], int]] = {
    "/search": _by_address("/search"),
    "/api/v1/search": _by_address("/api/v1/search"),
    "/api/v1/suggest": _by_address("/api/v1/suggest"),
    "/api/v1/facets": _facet,
    "/api/v1/related": _draft,
    "/api/v1/articles": _by_address("/api/v1/articles"),
    "/feed.atom": _by_address("/feed.atom"),
    "/export": _by_address("/export"),
    "/trends": _by_address("/trends"),
    "/analyze": _by_address("/analyze"),
    "/suggest.json": _by_address("/suggest.json"),
    "/organisations": _by_address("/organisations"),
    "/organisation": _named("/organisation/"),
    "/identifier": _named("/identifier/"),
}


def ask(searcher: Searcher, client: FlaskClient, hostile: HostileRequest, figures: Figures) -> None:
    """Ask once, and count what came of it."""
    number, of_client = divmod(hostile.route, 8)
    name = "searcher" if of_client else list(ROUTES)[number]
    started, cpu = perf_counter(), thread_time()
    try:
        if of_client:
            searcher.search(SearchRequest(query=hostile.query, **hostile.parameters))
            status = 200
        else:
            status = ROUTES[name](client, hostile)
    except QueryError:
        status = 400
    except Exception as error:  # whatever it is, the figures tell it
        status = 500
        figures.failures.append(f"{type(error).__name__}: {error}: {name} {hostile}")
    took = perf_counter() - started
    figures.seconds.append(took)
    figures.cpu_seconds.append(thread_time() - cpu)
    if took > figures.slowest[0]:
        figures.slowest = took, f"{name} {hostile}"
    figures.asked[name] += 1
    figures.refused += 400 <= status < 500
    if status >= 500 and not of_client:
        figures.failures.append(f"{status}: {name} {hostile}")


def joined(one: HostileRequest, other: HostileRequest, random: Random) -> HostileRequest:
    """Make a request of two: the queries are cut anywhere, each parameter is of one of them."""
    start, end = (random.randint(0, len(each.query)) for each in (one, other))
    parameters = {
        name: random.choice((value, other.parameters[name]))
        for name, value in one.parameters.items()
    }
    query = one.query[:start] + other.query[end:]
    return HostileRequest(query=query, parameters=parameters, route=random.randrange(_CHOICES))


def run(
    searcher: Searcher, client: FlaskClient, queries: int, first_seed: int, slow: float = 2.0
) -> Figures:
    """Ask so many, drawn from the grammar round by round, and those that are made of them."""
    figures = Figures()
    random = Random(first_seed)
    drawn: deque[HostileRequest] = deque(maxlen=_PARENTS)

    def ask_one(hostile: HostileRequest) -> None:
        ask(searcher, client, hostile, figures)
        if len(figures.seconds) % _COLLECTED == 0:
            gc.collect()
        if figures.seconds[-1] > slow:
            name = list(ROUTES)[hostile.route // 8] if hostile.route % 8 == 0 else "searcher"
            took, cpu = figures.seconds[-1], figures.cpu_seconds[-1]
            told = f"{took:.2f} s, {cpu:.2f} of CPU: {name} {hostile}"
            sys.stderr.write(f"{told[:1000]}\n")

    while len(figures.seconds) < queries:
        wanted = min(_ROUND, -((len(figures.seconds) - queries) // _OF_EACH))

        @seed(first_seed + len(figures.seconds))
        @hypothesis_settings(
            max_examples=wanted,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(hostile=hostile_requests)
        def ask_round(hostile: HostileRequest) -> None:
            drawn.append(hostile)
            ask_one(hostile)
            for _ in range(_OF_EACH - 1):
                ask_one(joined(hostile, random.choice(drawn), random))

        before = len(figures.seconds)
        ask_round()
        if len(figures.seconds) == before:
            raise RuntimeError("The grammar gives nothing more.")
        sys.stderr.write(f"{len(figures.seconds):,} of {queries:,}\n")
    return figures


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--queries", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=9)
    options.add_argument("--slow", type=float, default=2.0, help="seconds from which one is shown")
    given = options.parse_args()
    settings = Settings(data=given.data)
    searcher = open_searcher(settings)
    app = create_app(settings, searcher)
    app.config["PROPAGATE_EXCEPTIONS"] = False  # as in production: a bug becomes a 500
    searcher.suggest("a")  # what a server makes before a reader waits for it
    # Hypothesis keeps all that it has drawn: the collector looked through it in the midst of
    # answers, for a second and more.
    gc.disable()
    figures = run(searcher, app.test_client(), given.queries, given.seed, given.slow)
    sys.stdout.write(f"{json.dumps(figures.told(), ensure_ascii=False, indent=1)}\n")
    sys.stdout.write(f"slowest: {figures.slowest[0]:.3f} s: {figures.slowest[1][:2000]}\n")
    sys.stdout.writelines(f"{failure}\n" for failure in figures.failures[:20])
    searcher.close()


if __name__ == "__main__":
    main()
