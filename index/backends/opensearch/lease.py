"""Whose turn it is to write: a lease on the cluster, held by one machine at a time.

Clocks of different machines are not compared. The holder changes the lease every few seconds;
another takes it once it has seen no change for LEASE_SECONDS by its own clock. Each lease has a
greater number than the one before, which documents carry as their version: what a former holder,
halted and come back, still sends is refused where a later one has written.
"""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

from opensearchpy import OpenSearch
from opensearchpy.exceptions import ConflictError, NotFoundError, OpenSearchException

from index.errors import IndexUnavailable

__all__ = ["LEASE_SECONDS", "Lease"]

LEASE_SECONDS = 30.0
"""How long a lease is left alone that its holder does not change."""

_LOOKS = 1.0  # seconds from one look at another's lease to the next
_CHANGES = 6  # of a lease within LEASE_SECONDS
_ID = "lease"

_log = logging.getLogger(__name__)


class Lease:
    """The lease in one index of the cluster, for one process."""

    def __init__(self, client: OpenSearch, index: str) -> None:
        """Take the index in which the lease is a document; nothing is asked of it yet."""
        self._client, self._index = client, index
        self._found: dict[str, Any] = {}  # as it was written or read last
        self._lost = False
        self.number = 0
        """The number of the lease that is held; 0 where none is."""

    @contextmanager
    def held(self, least: int) -> Iterator[None]:
        """Wait for the lease and hold it, with a `number` of `least` or greater.

        Raises what the client raises.
        """
        self._lost = False
        self.number = self._take(least)
        ended = Event()
        keeper = Thread(target=self._keep, args=(ended,), name="lease", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            ended.set()
            keeper.join()
            if not self._lost:
                self._release()
            self.number = 0

    def lose(self) -> None:
        """Note that another machine has a later lease."""
        self._lost = True

    def check(self) -> None:
        """Raise IndexUnavailable where another machine has taken the lease meanwhile."""
        if self._lost:
            raise IndexUnavailable(
                "Another machine has begun to write the index, for this one was halted for longer "
                f"than {LEASE_SECONDS:g} seconds. Nothing is lost: run it again."
            )

    def _take(self, least: int) -> int:
        since, told = monotonic(), False
        seen: tuple[int, int] | None = None
        while True:
            found = self._read()
            place = (found["_seq_no"], found["_primary_term"]) if found else None
            is_free = found is None or not found["_source"]["held"]
            if place != seen:
                seen, since = place, monotonic()
            if is_free or monotonic() - since > LEASE_SECONDS:
                number = max(least, 1 + (found["_source"]["number"] if found else 0))
                if self._write(number, is_held=True, after=place):
                    return number
                continue
            if not told and found:
                _log.warning("Waiting for %s, which writes the index.", found["_source"]["holder"])
                told = True
            sleep(_LOOKS)

    def _keep(self, ended: Event) -> None:
        while not ended.wait(LEASE_SECONDS / _CHANGES):
            try:
                kept = self._write(self.number, is_held=True, after=self._place())
            except OpenSearchException as error:
                # Others cannot take it either, while the cluster does not answer.
                _log.warning("The lease could not be renewed: %s", type(error).__name__)
                continue
            if not kept and not self._is_ours():
                self.lose()
                return

    def _is_ours(self) -> bool:
        """Say whether a change that was refused was our own, sent twice."""
        try:
            found = self._read()
        except OpenSearchException:
            return True  # the next change tells
        if found is None or found["_source"]["number"] != self.number:
            return False
        self._found = found
        return True

    def _release(self) -> None:
        try:
            self._write(self.number, is_held=False, after=self._place())
        except OpenSearchException as error:  # it ends by itself
            _log.warning("The lease could not be given back: %s", type(error).__name__)

    def _place(self) -> tuple[int, int]:
        return self._found["_seq_no"], self._found["_primary_term"]

    def _read(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._client.get(index=self._index, id=_ID)
        except NotFoundError:
            return None
        return found

    def _write(self, number: int, *, is_held: bool, after: tuple[int, int] | None) -> bool:
        """Write the lease, unless somebody has since the state that is named; say whether."""
        options: dict[str, Any] = {"op_type": "create"}
        if after:
            options = {"if_seq_no": after[0], "if_primary_term": after[1]}
        holder = f"process {os.getpid()} on {socket.gethostname()}"
        body = {"number": number, "held": is_held, "holder": holder}
        try:
            self._found = self._client.index(index=self._index, id=_ID, body=body, params=options)
        except ConflictError:
            return False
        return True
