"""The pager: which pages a result list can be turned to."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from search.request import MAX_WINDOW, SearchRequest
from search.results import SearchResults
from web.params import changed, search_url

__all__ = ["Page", "Pager", "numbered", "pager"]

_AROUND = 2  # pages shown on either side of the current one


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page that the pager shows; without a number it stands for those left out."""

    number: int | None
    url: str
    is_current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pager:
    """The pages around the current one, and the steps before and after it.

    `last` is the last page that has hits, `ends_early` says that there are more hits than page
    numbers reach.
    """

    pages: tuple[Page, ...]
    previous: str | None
    following: str | None
    last: int
    last_url: str
    ends_early: bool


def pager(request: SearchRequest, results: SearchResults) -> Pager:
    """Return the pager of a result list."""
    reachable = min(results.pageable, MAX_WINDOW)
    last = max(1, min(-(-reachable // request.size), MAX_WINDOW // request.size))
    if request.cursor:
        # A cursor stands between page numbers: it leads on, and back to the beginning.
        following = results.next and search_url(replace(request, cursor=results.next))
        return Pager(
            pages=(),
            previous=search_url(changed(request)),
            following=following,
            last=last,
            last_url=_url(request, last),
            ends_early=False,
        )
    current = request.page
    return numbered(
        current,
        last,
        lambda page: _url(request, page),
        ends_early=current == last and results.pageable > last * request.size,
    )


def numbered(
    current: int, last: int, url: Callable[[int], str], *, ends_early: bool = False
) -> Pager:
    """Return the pager of a list whose pages have numbers, each with its address."""
    wanted = {1, last, *range(current - _AROUND, current + _AROUND + 1)}
    numbers = sorted(number for number in wanted if 1 <= number <= last)
    pages: list[Page] = []
    for at, number in enumerate(numbers):
        if at and number > numbers[at - 1] + 1:
            pages.append(Page(number=None, url=""))
        pages.append(Page(number=number, url=url(number), is_current=number == current))
    return Pager(
        pages=tuple(pages),
        previous=url(min(current - 1, last)) if current > 1 else None,
        following=url(current + 1) if current < last else None,
        last=last,
        last_url=url(last),
        ends_early=ends_early,
    )


def _url(request: SearchRequest, page: int) -> str:
    return search_url(replace(request, page=page, cursor=None))
