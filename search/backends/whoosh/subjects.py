"""What articles of one state name, and how new the newest article is that names it."""

from datetime import date, datetime
from typing import Literal

from index.document import BEIJING
from index.schema import UNDATED
from search.backends.whoosh.counting import Counted
from search.backends.whoosh.view import IndexView
from search.results import Subject

__all__ = ["list_subjects"]


def list_subjects(view: IndexView, name: Literal["organisation", "identifier"]) -> list[Subject]:
    """Return every value of a column that live articles have, in the order of `Counted`."""
    column = view.keywords[name]
    documents = view.everything().documents
    counted = Counted.of(column, column.counts(documents))
    newest = column.largest(documents, view.published[documents])
    numbers = counted.ranked()
    return [
        Subject(
            name=bucket.value,
            count=bucket.count,
            salient=bucket.salient,
            newest=_day(int(newest[number])),
        )
        for number, bucket in zip(numbers, counted.buckets(numbers), strict=True)
    ]


def _day(second: int) -> date | None:
    return None if second == UNDATED else datetime.fromtimestamp(second, BEIJING).date()
