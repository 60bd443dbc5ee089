"""The index on an OpenSearch cluster: each generation is an index of its own, one has the alias.

What happens to a document until the commit is on the cluster already, and nobody sees it: the index
refreshes itself never, the writer does once. Machines write one after the other, see `lease`; each
first takes over what the others have written.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from opensearchpy import OpenSearch
from opensearchpy.exceptions import (
    AuthenticationException,
    AuthorizationException,
    NotFoundError,
    OpenSearchException,
)
from opensearchpy.helpers import BulkIndexError, ScanError, scan, streaming_bulk

from index.backends.base import OthersChange
from index.backends.opensearch.documents import documents
from index.backends.opensearch.lease import Lease
from index.backends.opensearch.mapping import MAPPING_VERSION, index_body
from index.backends.opensearch.others import Others
from index.elsewhere import indexer_of, name_indexer
from index.errors import ClusterUnavailable, IndexUnavailable
from index.schema import SCHEMA_VERSION, IndexBatch

__all__ = ["OpenSearchIndex", "OpenSearchWriter", "answering"]

_CHUNK_BYTES = (
    4 << 20
)  # of one bulk request; nodes refuse more than 100 MB, or less by their memory
_CHUNK = 500  # documents
_RETRIES = 8  # of documents that a busy cluster refuses, after 1, 2, 4, … seconds
_LONGEST_WAIT = 30  # seconds
_SLOW = 300  # seconds that a bulk or a refresh may take
_SCANNED = 5000  # ids of one answer
_TOLD = 3  # refused documents that are told one by one
_MISSING, _CONFLICT = 404, 409
_NOTHING: dict[str, Any] = {"generation": 0, "commit": 0, "indexers": {}}

_log = logging.getLogger(__name__)


class OpenSearchWriter:
    """Sends changes to one index, in requests of bounded size, while the next are made.

    One batch is on its way at most: changes arrive in their order.
    """

    def __init__(self, client: OpenSearch, index: str, others: Others, lease: Lease) -> None:
        """Take the index to write; the lease is held as long as the writer is used."""
        self._client, self._index = client, index
        self._others, self._lease = others, lease
        self._deleted: list[tuple[str, bool]] = []
        self._sender = ThreadPoolExecutor(1, thread_name_prefix="bulk")
        self._sending: Future[None] | None = None
        self._version = {"version": lease.number, "version_type": "external_gte"}
        self.added = 0
        """How many documents were sent."""

    def update_documents(self, batch: IndexBatch) -> None:
        """Add documents; see `IndexWriter.update_documents`.

        Raises IndexUnavailable where those of the batch before could not be added.
        """
        if self._deleted:
            self.flush()  # a document that is deleted and added again is there in the end
        commit = {"commit": self._lease.number}
        made = [
            {**self._operation("index", document["id"]), "_source": document | commit}
            for document in documents(batch)
        ]
        self._arrive()
        self.added += len(made)
        self._sending = self._sender.submit(self._send, made)

    def delete_document(self, identifier: str, *, removed: bool = False) -> None:
        """Delete a document; see `IndexWriter.delete_document`."""
        self._deleted.append((identifier, removed))

    def flush(self) -> None:
        """Send what is to be deleted, and wait for all; raises IndexUnavailable."""
        self._arrive()
        deleted, self._deleted = self._deleted, []
        if deleted:
            self._send(self._operation("delete", identifier) for identifier, _ in deleted)
            self._send(self._others.deletions(deleted, self._lease.number))

    def close(self) -> None:
        """Wait for what is on its way: late, it would make anew an index that is deleted."""
        self._sender.shutdown()

    def _arrive(self) -> None:
        sending, self._sending = self._sending, None
        if sending:
            sending.result()

    def _operation(self, kind: str, identifier: str) -> dict[str, Any]:
        return {"_op_type": kind, "_id": identifier, **self._version}

    def _send(self, actions: Iterable[dict[str, Any]]) -> None:
        refused: list[str] = []
        self._lease.check()
        with answering():
            for is_done, answer in streaming_bulk(
                self._client,
                actions,
                index=self._index,
                chunk_size=_CHUNK,
                max_chunk_bytes=_CHUNK_BYTES,
                max_retries=_RETRIES,
                initial_backoff=1,
                max_backoff=_LONGEST_WAIT,
                raise_on_error=False,
                request_timeout=_SLOW,
            ):
                ((operation, told),) = answer.items()
                if is_done or (operation == "delete" and told["status"] == _MISSING):
                    continue
                if told["status"] == _CONFLICT:
                    self._lease.lose()
                refused.append(f"{told['_id']}: {_reason(told)}")
        self._lease.check()
        if refused:
            more = f" and {len(refused) - _TOLD} more" if len(refused) > _TOLD else ""
            raise IndexUnavailable(
                f"OpenSearch has refused {'; '.join(refused[:_TOLD])}{more}. Nothing of this run "
                "is visible yet; mend what the reason says, and run it again."
            )


class OpenSearchIndex:
    """The index that an alias of a cluster names; its generations are called ALIAS-NUMBER."""

    def __init__(
        self,
        client: OpenSearch,
        alias: str,
        analyzer_fingerprint: str,
        *,
        shards: int = 1,
        replicas: int = 1,
        folder: Path | None = None,
    ) -> None:
        """Take a client and the alias; shards and replicas are those of new generations.

        Who writes has a data folder, which is called by a name of its own among all that do.
        """
        self.client, self.alias = client, alias
        self._fingerprint = analyzer_fingerprint
        self._shards, self._replicas = shards, replicas
        self._folder, self._stages = folder, ""
        self._others = Others(client, alias, replicas=replicas)
        self._lease = Lease(client, self._others.name)

    @property
    def is_shared(self) -> bool:
        """True: other machines may write it too, and it has the articles whole."""
        return True

    @property
    def generation(self) -> int:
        """The number of the live generation; 0 where there is none yet."""
        return int(self.about()["generation"])

    @property
    def revision(self) -> int:
        """The revision of this folder's store that the live generation has reached; 0 for none."""
        return int(self._reached(self.about())["revision"])

    @property
    def others(self) -> int:
        """How many other folders have written the live generation."""
        return len(self._indexers(self.about()).keys() - {self._name})

    @property
    def _name(self) -> str:
        return indexer_of(self._folder) if self._folder else ""

    def _indexers(self, about: dict[str, Any]) -> dict[str, dict[str, Any]]:
        return dict(about.get("indexers", {}))

    def _reached(self, about: dict[str, Any]) -> dict[str, Any]:
        return self._indexers(about).get(self._name, {"commit": 0, "revision": 0})

    def about(self, *, of_node: bool = False) -> dict[str, Any]:
        """Return what the live generation says of itself; zeros where there is none.

        `of_node` is content with what the node knows that is asked, which may be a moment old; it
        answers while no manager is elected. Raises IndexUnavailable.
        """
        with answering():
            try:
                params = {"local": "true"} if of_node else {}
                (found,) = self.client.indices.get_mapping(index=self.alias, params=params).values()
            except NotFoundError:
                return _NOTHING
        return dict(found["mappings"]["_meta"])

    @property
    def committed(self) -> datetime | None:
        """When the live generation was last committed to; None before there is one."""
        told = self.about(of_node=True).get("committed")
        return datetime.fromisoformat(told) if told else None

    @property
    def size(self) -> int:
        """The bytes of the live generation on disk, without copies of shards.

        Shards whose first copy is lost do not count until another is named.
        """
        with answering():
            told = self.client.indices.stats(index=self.alias, metric="store")
        return int(told["_all"]["primaries"].get("store", {}).get("size_in_bytes", 0))

    def damage(self, step: Callable[[], None] = lambda: None) -> list[str]:
        """Return the shards that no node has; what a node has, it checks by itself."""
        step()
        with answering():
            try:
                shards = self.client.cat.shards(index=self.alias, format="json")
            except NotFoundError:
                return []
        lost = [each for each in shards if each["prirep"] == "p" and each["state"] != "STARTED"]
        return [
            f"Shard {each['shard']} of {each['index']} is {each['state'].lower()}: no node has it. "
            "Bring its node back, restore a snapshot, or run: anwen index --rebuild"
            for each in lost
        ]

    def fault(self) -> str | None:
        """Say why the live generation cannot be searched, None where it can or there is none."""
        return next(iter(self.damage()), None)

    def ids(self) -> list[str]:
        """Return the id of each document of the live generation; raises IndexUnavailable."""
        with answering():
            hits = scan(self.client, index=self.alias, query={"_source": False}, size=_SCANNED)
            return [hit["_id"] for hit in hits]

    def strays(self) -> list[Path]:
        """Return nothing: the index leaves no file on this machine."""
        return []

    def out_of_date(self) -> str | None:
        """Say why the live generation does not fit the running code, None where it does."""
        return self.misfit(self.about())

    def misfit(self, about: dict[str, Any]) -> str | None:
        """Say why a generation does not fit the running code, from what it says of itself."""
        versions = about.get("schema"), about.get("mapping")
        if versions != (SCHEMA_VERSION, MAPPING_VERSION):
            return (
                f"its schema and mapping are versions {versions[0]} and {versions[1]}, this "
                f"program's {SCHEMA_VERSION} and {MAPPING_VERSION}"
            )
        if about.get("analyzer") != self._fingerprint:
            return "its terms were made by another version of the analyzer or another list of terms"
        return None

    @contextmanager
    def turn(self, stages: str = "") -> Iterator[None]:
        """Wait until no other machine writes; see `Index.turn`. Raises IndexUnavailable."""
        if self._lease.number:  # of a writer within the turn of its run
            yield
            return
        with answering():
            self._others.make()
            with self._lease.held(int(self.about()["commit"]) + 1):
                self._stages = stages
                self._tell_of_others()
                yield

    def _tell_of_others(self) -> None:
        """Tell the operator where another machine reads pages otherwise than this one."""
        indexers = self._indexers(self.about())
        theirs = {each["stages"] for name, each in indexers.items() if name != self._name}
        if self._stages and theirs - {self._stages, ""}:
            _log.warning(
                "Another machine reads pages for this index with other code or other tables "
                "(entities, denials). Use the same everywhere, then run: anwen index --rebuild"
            )

    def changes_of_others(self, *, everything: bool = False) -> Iterator[OthersChange]:
        """Give what other machines have written; see `Index.changes_of_others`."""
        about = self.about()
        if about["generation"]:
            since = 0 if everything else int(self._reached(about)["commit"])
            with answering():
                yield from self._others.changes(self.name(about["generation"]), since)

    def unknown(self) -> set[str]:
        """Return the ids of articles that other machines have written since the last commit."""
        about = self.about()
        with answering():
            return set(self._others.ids(self.alias, self._reached(about)["commit"]))

    @contextmanager
    def writer(
        self, revision: int, *, rebuild: bool = False, set_aside: bool = False
    ) -> Iterator[OpenSearchWriter]:
        """Open a writer whose commit brings the index to `revision`; see `Index.writer`.

        What went before is kept as long as the next generation is live. With `set_aside` other
        machines write again what they have, for it could not be read. After an error in an index
        that is live, changes that were sent become visible with the next commit, which makes them
        again.
        """
        with self.turn():
            about = self.about()
            fresh = rebuild or not about["generation"]
            number = self._begin() if fresh else int(about["generation"])
            name = self.name(number)
            try:
                with closing(self._writer(name)) as writer:
                    yield writer
                    writer.flush()
                with answering():
                    self.client.indices.refresh(index=name, request_timeout=_SLOW)
                    if fresh:
                        self._check_holds(number, writer.added)
                    found = self._meta(name)
                    self._lease.check()
                    reached = {
                        "commit": self._lease.number,
                        "committed": datetime.now(UTC).isoformat(timespec="seconds"),
                        "indexers": ({} if set_aside else self._indexers(about))
                        | self._own(revision),
                    }
                    self.client.indices.put_mapping(index=name, body={"_meta": found | reached})
                    if fresh:
                        self._point_at(number)
            except BaseException:
                # An error may come after the alias was moved: what is live is never deleted.
                if fresh and self.generation != number:
                    with answering():
                        self.client.indices.delete(index=name, ignore_unavailable=True)
                raise
            if fresh:
                self._drop_all_but(number, int(about["generation"]))

    def _writer(self, name: str) -> OpenSearchWriter:
        return OpenSearchWriter(self.client, name, self._others, self._lease)

    def _own(self, revision: int) -> dict[str, dict[str, Any]]:
        name = name_indexer(self._folder) if self._folder else ""
        stages = self._stages or self._reached(self.about()).get("stages", "")
        return {name: {"commit": self._lease.number, "revision": revision, "stages": stages}}

    def rollback(self) -> int:
        """Give the alias back to the generation before the live one; return its number.

        What was deleted since is deleted there too, what was added comes with the next runs. Raises
        IndexUnavailable where there is none.
        """
        with self.turn():
            live = self.generation
            former = [number for number in self._numbers() if number < live]
            if not former:
                raise IndexUnavailable(f"There is no generation before {live} to go back to.")
            name = self.name(former[-1])
            with answering(), closing(self._writer(name)) as writer:
                for change in self._others.gone(int(self._meta(name)["commit"])):
                    writer.delete_document(change.id, removed=change.removed)
                writer.flush()
                self.client.indices.refresh(index=name, request_timeout=_SLOW)
                self._point_at(former[-1])
        return former[-1]

    def _meta(self, name: str) -> dict[str, Any]:
        (found,) = self.client.indices.get_mapping(index=name).values()
        return dict(found["mappings"]["_meta"])

    def _begin(self) -> int:
        number = max(self._numbers(), default=0) + 1
        body = index_body(self._fingerprint, number, shards=self._shards, replicas=self._replicas)
        with answering():
            self.client.indices.create(index=self.name(number), body=body)
        return number

    def _check_holds(self, number: int, wanted: int) -> None:
        held = int(self.client.count(index=self.name(number))["count"])
        if held != wanted:
            raise IndexUnavailable(
                f"The new index {self.name(number)} holds {held} of {wanted} articles; the former "
                "one goes on answering. See the cluster's log, and run it again."
            )

    def _drop_all_but(self, *kept: int) -> None:
        try:
            for number in self._numbers():
                if number not in kept:
                    with answering():
                        self.client.indices.delete(index=self.name(number))
        except IndexUnavailable as error:  # the next rebuild tries again
            _log.warning("A former generation of the index is still there: %s", error)

    def _point_at(self, number: int) -> None:
        """Move the alias in one step: every search is answered by one generation or the other."""
        actions = [
            {"remove": {"index": f"{self.alias}-*", "alias": self.alias, "must_exist": False}},
            {"add": {"index": self.name(number), "alias": self.alias}},
        ]
        self.client.indices.update_aliases(body={"actions": actions})

    def _numbers(self) -> list[int]:
        """Return the numbers of all generations, live or not, ascending."""
        with answering():
            names = self.client.indices.get_alias(index=f"{self.alias}-*")
        ends = (name.removeprefix(f"{self.alias}-") for name in names)
        return sorted(int(end) for end in ends if end.isdecimal())

    def name(self, number: int) -> str:
        """Return what the cluster calls a generation."""
        return f"{self.alias}-{number:06}"


@contextmanager
def answering() -> Iterator[None]:
    """Turn what the client raises into ClusterUnavailable, with what can be done."""
    try:
        yield
    except (AuthenticationException, AuthorizationException) as error:
        raise ClusterUnavailable(
            f"OpenSearch refuses who asks ({error.status_code}): see user, password and role."
        ) from error
    except (BulkIndexError, ScanError, OpenSearchException) as error:
        raise ClusterUnavailable(
            f"OpenSearch does not answer ({type(error).__name__}: {_short(error)}). "
            "See whether its nodes run and can be reached."
        ) from error


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else "no reason given"


def _reason(told: dict[str, Any]) -> str:
    error = told.get("error", "no reason given")
    return str(error.get("reason", error)) if isinstance(error, dict) else str(error)
