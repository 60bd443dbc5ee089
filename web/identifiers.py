"""The page of an identifier: who reported it when, and what is named with it."""

import re
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from index.document import BEIJING
from search import Searcher, SearchRequest
from search.identifiers import read_identifier
from search.results import Hit
from web.charts import histogram
from web.facets import Row, rows
from web.markup import lag
from web.organisations import newest_article, together
from web.params import adding, changed, feed_url, query_url, search_url

__all__ = ["register"]

_NEWEST = 10
_OTHERS = 20  # identifiers named together with one
_NEAR = 12
_YEAR = re.compile(r"(?:CVE|CNVD|CNVD-C|CNNVD)-((?:19|20)\d\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An outlet's first report; `lag` says how long after the first of all that prints a time."""

    hit: Hit
    lag: str | None


def register(pages: Blueprint, searcher: Searcher) -> None:
    """Add the route to the pages."""

    @pages.get("/identifier/<path:identifier>")
    def identifier(identifier: str) -> str | Response | tuple[str, int]:
        canonical = read_identifier(identifier)
        if canonical is None:
            return render_template("unknown_identifier.html", name=identifier, near=()), 404
        if canonical != identifier:
            return redirect(url_for("pages.identifier", identifier=canonical), 301)
        asked = SearchRequest(query=f"编号:{canonical}", sort="newest", size=_NEWEST)
        results = searcher.search(asked)
        if not results.total:
            near = searcher.facet(SearchRequest(), "identifier", canonical[:-2], size=_NEAR)
            return render_template(
                "unknown_identifier.html",
                name=canonical,
                near=[bucket.value for bucket in near.buckets],
                text_url=query_url(f'"{canonical}"'),
            ), 404
        reports = searcher.first_reports(asked)
        plain = changed(asked, sort="relevance", size=SearchRequest().size)
        others = searcher.facet(asked, "identifier", size=_OTHERS + 1).buckets
        dated = [hit for hit in reports if hit.published]
        return render_template(
            "identifier.html",
            name=canonical,
            results=results,
            reports=_reports(dated),
            undated=[hit for hit in reports if not hit.published],
            undated_total=results.total - sum(b.count for b in results.facets["month"]),
            first=dated[0] if dated else None,
            last=newest_article(searcher, asked),
            year=_year(canonical),
            after=_after(canonical, dated[0]) if dated else None,
            all_url=search_url(plain),
            newest_url=search_url(changed(plain, sort="newest")),
            text_url=query_url(f'"{canonical}"'),
            feed=feed_url(plain),
            chart=histogram(results.facets["month"], plain, width=672, height=160, rounded=True),
            month_url=lambda month: search_url(adding(plain, "month", month)),
            together=together(searcher, asked),
            others=[
                Row(
                    name=bucket.value,
                    count=bucket.count,
                    url=url_for("pages.identifier", identifier=bucket.value),
                )
                for bucket in others
                if bucket.value != canonical
            ][:_OTHERS],
            categories=rows(results.facets["category"], plain, "category"),
        )


def _reports(dated: list[Hit]) -> list[Report]:
    """Return the first report of each outlet with its lag behind the first printed time of all.

    The crawl's day is no time of publication: no lag is reckoned from it or to it.
    """
    printed = [hit for hit in dated if hit.published_precision != "day"]
    start = printed[0].published if printed else None
    return [
        Report(
            hit=hit,
            lag=lag(hit.published - start)
            if start and hit.published and hit.published_precision != "day" and hit != printed[0]
            else None,
        )
        for hit in dated
    ]


def _year(identifier: str) -> int | None:
    """Return the year that an identifier has in it: that of its number, not of publication."""
    match = _YEAR.match(identifier)
    return int(match[1]) if match else None


def _after(identifier: str, first: Hit) -> str | None:
    """Say when in the years of its number an identifier is first reported."""
    year = _year(identifier)
    if year is None or first.published is None:
        return None
    day = first.published.astimezone(BEIJING).date()
    if day.year == year:
        return f"当年第 {day.timetuple().tm_yday} 天"
    return f"编号年份后第 {day.year - year} 年" if day.year > year else "早于编号年份"
