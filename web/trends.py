"""The page of pictures of what a search finds."""

from flask import Blueprint, render_template, request

from index.errors import QueryError
from search import Searcher
from web.errors import bad_query
from web.facets import chips, understood_chips
from web.params import changed, pairs, read_request, search_url
from web.pictures import companions, stack
from web.rewrite import settled

__all__ = ["register"]


def register(pages: Blueprint, searcher: Searcher) -> None:
    """Add the route to the pages."""

    @pages.get("/trends")
    def trends() -> str | tuple[str, int]:
        try:
            asked = read_request(request.args)
            results = searcher.search(changed(asked, size=1))
        except QueryError as error:
            return bad_query(error)
        plain = settled(asked, results)
        return render_template(
            "trends.html",
            results=results,
            typed=asked.query,
            kept=pairs(changed(asked, query="")),
            chips=[*understood_chips(asked, results), *chips(asked)],
            back_url=search_url(changed(asked)),
            picture=stack(searcher, plain),
            together=companions(searcher, plain),
        )
