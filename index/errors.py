"""The exceptions of the project.

AnwenError
├── SettingsError          a setting that cannot be used
├── NotAnArticle           a page that holds no article; its reason is counted, never fatal
├── StoreError             the article store cannot be read or written
│   └── StoreLocked        another process is writing
├── WorkerLost             a worker process was ended from outside, for want of memory perhaps
├── IndexUnavailable       no index, or one that does not answer
│   ├── IndexDamaged       files of the index are missing or do not match their checksums
│   └── IndexOutOfDate     the index was built by other code or tables; names the repair
├── BackupError            a backup that cannot be written, or must not be restored
├── JudgementsError        judgements or a run that cannot be used; names file and line
├── TimedOut               an answer that takes longer than a request may (HTTP 503)
├── UnknownArticle         an id or address that is not in the store
└── QueryError             a reader's mistake (HTTP 400)
    ├── BadParameter       a request parameter that cannot be read
    ├── BadBody            a request's body that cannot be read
    ├── UnknownField       a field name that does not exist
    └── CursorExpired      a cursor of an index that has changed since (HTTP 410)
"""

from collections.abc import Iterable
from pathlib import Path

__all__ = [
    "AnwenError",
    "BackupError",
    "BadBody",
    "BadParameter",
    "CursorExpired",
    "IndexDamaged",
    "IndexOutOfDate",
    "IndexUnavailable",
    "JudgementsError",
    "NotAnArticle",
    "QueryError",
    "QueryTooLong",
    "SettingsError",
    "StoreError",
    "StoreLocked",
    "TimedOut",
    "UnknownArticle",
    "UnknownField",
    "WorkerLost",
]


class AnwenError(Exception):
    """The base of every error that this project raises on purpose."""


class SettingsError(AnwenError):
    """A setting that cannot be used."""


class NotAnArticle(AnwenError):
    """A page that holds no article.

    `reason` is one short English word or phrase, such as "shell": a key of the run's summary.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"The page holds no article: {reason}.")
        self.reason = reason


class JudgementsError(AnwenError):
    """Judgements or a run that cannot be read or written; `line` is 0 for the whole file."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        place = f"{path}, line {line}" if line else str(path)
        super().__init__(f"{place}: {reason}.")
        self.path, self.line, self.reason = path, line, reason


class StoreError(AnwenError):
    """The article store cannot be read or written."""


class StoreLocked(StoreError):
    """Another process is writing to the data folder."""


class WorkerLost(AnwenError):
    """A worker process was ended from outside; what was stored before is kept."""


class IndexUnavailable(AnwenError):
    """There is no index, or it does not answer."""


class ClusterUnavailable(IndexUnavailable):
    """The cluster that has the index does not answer, or not wholly."""


class IndexDamaged(IndexUnavailable):
    """Files of the index are missing or do not match their checksums."""


class IndexOutOfDate(IndexUnavailable):
    """The index was built by other code, schema or tables than those running."""


class BackupError(AnwenError):
    """A backup that cannot be written, or one that must not be restored."""


class TimedOut(AnwenError):
    """An answer takes longer than the setting request_seconds allows."""

    def __init__(self) -> None:
        super().__init__("这次检索花的时间太长，已经停下。请缩小范围再试。")


class UnknownArticle(AnwenError):
    """An id or address that is not in the store."""

    def __init__(self, wanted: str) -> None:
        super().__init__(f"没有这篇文章：{wanted}")
        self.wanted = wanted


class QueryError(AnwenError):
    """A reader's mistake; the message is fit to be shown."""

    code = "bad_query"


class QueryTooLong(QueryError):
    """A query string of too many characters or words: often a text that was pasted."""


class BadParameter(QueryError):
    """A request parameter that cannot be read."""

    code = "bad_parameter"

    def __init__(self, name: str, value: str, expected: str) -> None:
        super().__init__(f"参数 {name} 的值“{value}”无效：{expected}")
        self.name = name
        self.value = value


class BadBody(QueryError):
    """A request's body that cannot be read; the message quotes nothing of it but a key."""

    code = "bad_body"


class UnknownField(QueryError):
    """A field name that does not exist."""

    code = "unknown_field"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.known = tuple(known)
        super().__init__(f"没有字段“{name}”。可用的字段：{'、'.join(self.known)}")


class CursorExpired(QueryError):
    """A cursor that belongs to an index that has changed since."""

    code = "cursor_expired"

    def __init__(self) -> None:
        super().__init__("翻页标记已过期：索引在此期间有更新。请从第一页重新检索。")
