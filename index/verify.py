"""Whether store, index and files of a data folder agree, down to the last byte."""

import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from index.analysis import Analyzer
from index.backends.base import Index
from index.build import open_index
from index.database import Database
from index.errors import AnwenError, IndexDamaged, IndexOutOfDate, IndexUnavailable, StoreError
from index.lock import without_writer
from index.record import read_article
from index.settings import Settings
from index.store import SCHEMA_ROWS, STORE_FILE, ArticleStore, page_bytes, page_digest, store_schema
from index.summary import Progress

__all__ = ["Difference", "Verdict", "verify"]

_REBUILD = "Run: anwen index --rebuild"
_RESTORE = "Restore a backup: anwen restore FILE --force"
_READ_AGAIN = (
    f"{_RESTORE}; without one, take the article out and read its page again: anwen remove ID, "
    "anwen remove --undo ID, anwen index PATH"
)
_STEPS = 1000  # rows between two reports

# What holds between the tables whatever a run has done so far, and what is wrong where a row of
# the query is found.
_CONSISTENT = (
    (
        "SELECT id FROM article WHERE document IS NOT NULL AND digest <> x'' AND NOT EXISTS "
        "(SELECT 1 FROM page WHERE page.digest = article.digest AND raw IS NOT NULL)",
        "article {} has no page",
    ),
    (
        "SELECT path FROM page WHERE article IS NOT NULL AND article NOT IN "
        "(SELECT id FROM article)",
        "page {} belongs to an article that is not there",
    ),
    (
        "SELECT path FROM page WHERE (article IS NULL) = (reason IS NULL)",
        "page {} has neither an article nor a reason, or both",
    ),
    (
        "SELECT id FROM article WHERE revision > (SELECT max(revision) FROM counter)",
        "article {} is of a revision that has not come yet",
    ),
    (
        "SELECT count(*) FROM counter HAVING count(*) <> 1",
        "the counter of revisions has {} rows",
    ),
    (
        "SELECT DISTINCT article FROM definition WHERE article NOT IN "
        "(SELECT id FROM article WHERE document IS NOT NULL)",
        "definitions are kept of article {}, which is not there",
    ),
    (
        "SELECT article FROM fingerprint WHERE article NOT IN "
        "(SELECT id FROM article WHERE document IS NOT NULL)",
        "a fingerprint is kept of article {}, which is not there",
    ),
    (
        "SELECT id FROM article WHERE document IS NOT NULL "
        "AND id NOT IN (SELECT article FROM fingerprint) AND id NOT IN (SELECT article FROM due) "
        "AND EXISTS (SELECT 1 FROM fingerprinting WHERE version <> '')",
        "article {} has no fingerprint and is not due for one",
    ),
    (
        "SELECT DISTINCT number FROM band WHERE number NOT IN (SELECT number FROM fingerprint)",
        "bands are kept of fingerprint {}, which is not there",
    ),
    (
        "SELECT number FROM duplicate WHERE number NOT IN (SELECT number FROM fingerprint) OR "
        "NOT EXISTS (SELECT 1 FROM duplicate AS back "
        "WHERE back.number = duplicate.other AND back.other = duplicate.number)",
        "a pair of duplicates of fingerprint {} has one side only",
    ),
    (
        "SELECT article FROM cluster WHERE article NOT IN (SELECT article FROM fingerprint) "
        "AND article NOT IN (SELECT article FROM unsettled)",
        "article {} is in a cluster and has no fingerprint",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something that is not as it must be: where, what, and how to mend it."""

    where: str
    what: str
    repair: str


@dataclass(slots=True, kw_only=True)
class Verdict:
    """What was checked, and what is not as it must be."""

    pages: int = 0
    articles: int = 0
    sections: int = 0
    behind: int = 0
    """Changes of the store that the index has yet to follow: the next run makes up for them."""
    differences: list[Difference] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


def verify(settings: Settings, progress: Progress) -> Verdict:
    """Read everything of the data folder, which may be served and written meanwhile.

    Nothing is written. Raises StoreError where there is no store.
    """
    verdict = Verdict()
    found = verdict.differences
    path = settings.data / STORE_FILE
    if not path.is_file():
        raise StoreError(f"There is no article store at {path}. Run: anwen index PATH")
    index = open_index(settings, Analyzer(settings.terms))
    # The index first: the store is never behind it, so whatever it holds is in a later snapshot.
    held, unknown, reached = _held(index, verdict, progress)
    try:
        ArticleStore(path, read_only=True).close()  # tells what cannot be read at all
        database = Database(path, read_only=True)
        try:
            database.write("BEGIN")
            found += _store_differences(database, path, verdict, progress)
            if held is not None and reached is not None:
                found += _ids_that_differ(database, held, unknown, reached, verdict)
        finally:
            database.close()
    except StoreError as error:
        what, _, repair = str(error).rpartition(". ")
        found.append(Difference(where=path.name, what=what, repair=repair))
    found += _strays(settings.data, index)
    return verdict


def _held(
    index: Index, verdict: Verdict, progress: Progress
) -> tuple[set[str] | None, set[str], int | None]:
    """Return the ids that the index holds, those of late by others, and the revision reached.

    None where it cannot be read.
    """
    progress.stage("reading the index", None)

    def step() -> None:
        verdict.sections += 1

    try:
        if not index.generation:
            _differs(verdict, "index", "there is no index", _REBUILD)
            return None, set(), None
        if reason := index.out_of_date():
            _differs(verdict, "index", reason, _REBUILD)
            return None, set(), None
        damage = index.damage(step)
        for each in damage:
            _differs(verdict, "index", each, _REBUILD)
        if damage:
            return None, set(), None
        reached = index.revision  # first: of what came later nothing is claimed
        ids = index.ids()
        twice = [identifier for identifier, count in Counter(ids).items() if count > 1]
        for identifier in twice:
            _differs(verdict, "index", f"article {identifier} is indexed more than once", _REBUILD)
        return set(ids), index.unknown(), reached
    except (IndexDamaged, IndexOutOfDate) as error:
        _differs(verdict, "index", str(error), _REBUILD)
    except IndexUnavailable as error:
        _differs(verdict, "index", str(error), "See who may read the data folder.")
    return None, set(), None


def _differs(verdict: Verdict, where: str, what: str, repair: str) -> None:
    what = what.removesuffix(repair).strip()  # messages of errors name it too
    verdict.differences.append(Difference(where=where, what=what, repair=repair))


def _store_differences(
    database: Database, path: Path, verdict: Verdict, progress: Progress
) -> Iterator[Difference]:
    def store(what: str, repair: str = _RESTORE) -> Difference:
        return Difference(where=path.name, what=what, repair=repair)

    progress.stage("checking the store", None)
    for said in database.faults():
        yield store(f"SQLite says: {said}")
    version = database.count("PRAGMA user_version")
    if sorted(database.rows(SCHEMA_ROWS)) != store_schema(version):
        yield store(f"its tables are not those of version {version}")
        return
    for statement, what in _CONSISTENT:
        for (name,) in database.rows(statement):
            yield store(what.format(name))
    progress.stage("reading pages", database.count("SELECT count(*) FROM page"))
    for digest, name, raw, article in database.rows("SELECT digest, path, raw, article FROM page"):
        verdict.pages += 1
        if raw is not None and not _is_page(digest, raw):
            repair = _READ_AGAIN.replace("ID", article) if article else _RESTORE
            yield store(f"the bytes of page {name} do not match their digest", repair)
        if not verdict.pages % _STEPS:
            progress.advance(_STEPS)
    progress.stage("reading articles", database.count("SELECT count(*) FROM article"))
    rows = database.rows("SELECT id, document FROM article WHERE document IS NOT NULL")
    for identifier, document in rows:
        verdict.articles += 1
        try:
            named = read_article(document).id
        except (AnwenError, AttributeError) as error:
            yield store(f"article {identifier} cannot be read: {error}")
        else:
            if named != identifier:
                yield store(f"article {identifier} is called {named} in its own record")
        if not verdict.articles % _STEPS:
            progress.advance(_STEPS)


def _is_page(digest: bytes, deflated: bytes) -> bool:
    try:
        return page_digest(page_bytes(deflated)) == digest
    except (zlib.error, TypeError):
        return False


def _ids_that_differ(
    database: Database, held: set[str], unknown: set[str], reached: int, verdict: Verdict
) -> Iterator[Difference]:
    """Compare what the index holds with the store as it was at the index's revision.

    What has changed since then may be in the index or not, and is counted as what it is behind; so
    is what other machines have written, which the next run takes over.
    """
    known: set[str] = set()
    for identifier, revision, is_live in database.rows(
        "SELECT id, revision, document IS NOT NULL FROM article"
    ):
        known.add(identifier)
        if revision > reached or identifier in unknown:
            verdict.behind += 1
        elif is_live and identifier not in held:
            yield Difference(
                where="index", what=f"article {identifier} is stored, not indexed", repair=_REBUILD
            )
        elif not is_live and identifier in held:
            yield Difference(
                where="index", what=f"article {identifier} is gone, still indexed", repair=_REBUILD
            )
    verdict.behind += len(unknown - known)
    for identifier in sorted(held - known - unknown):
        yield Difference(
            where="index", what=f"article {identifier} is indexed, not stored", repair=_REBUILD
        )


def _strays(data: Path, index: Index) -> Iterator[Difference]:
    """Name what killed processes have left, where no writer is at work whose it may be."""
    with without_writer(data) as is_idle:
        if not is_idle:
            return
        strays = [*data.glob("*.new"), *(data / "index").glob("*.new")]
        with suppress(IndexUnavailable):  # told already
            strays += index.strays()
        for path in sorted(strays):
            yield Difference(
                where=path.relative_to(data).as_posix(),
                what="was left by a process that was killed; nothing needs it",
                repair=f"Delete it, or run: {_REBUILD.removeprefix('Run: ')}",
            )
