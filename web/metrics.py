"""Metrics for Prometheus: requests, their latency and queue, the index, caches and processes.

Labels hold names of endpoints, methods and statuses, never what a reader sends.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from importlib.metadata import version
from ipaddress import ip_network
from pathlib import Path
from platform import python_version
from threading import Lock
from time import time
from typing import Literal

from flask import Blueprint, Response, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector
from werkzeug.exceptions import Forbidden

from index.errors import AnwenError
from index.lock import is_running
from index.settings import Network, Settings
from search import CacheUsage, Searcher
from web.folder import FOLDER_VARIABLE
from web.proxies import DIRECT, address_of

__all__ = ["Metrics", "blueprint"]

_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)  # seconds
_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1"))


class Metrics:
    """The metrics of one process; with the shared folder, of all processes of the server."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher
        self._folder = os.environ.get(FOLDER_VARIABLE)
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "anwen_requests",
            "Requests answered.",
            ("endpoint", "method", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "anwen_request_seconds",
            "Time until an answer was made, waiting included.",
            ("endpoint",),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._under_way = self._gauge("requests_under_way", "Requests answered or waiting.")
        self._waiting = self._gauge("requests_waiting", "Requests that wait for their turn.")
        self._cached = self._gauge("cache_bytes", "Bytes that caches hold.")
        self._cacheable = self._gauge("cache_limit_bytes", "Bytes that caches may hold.")
        self._resident = self._gauge("process_resident_bytes", "Memory of a process.", "liveall")
        self._open = self._gauge("process_open_descriptors", "Files of a process.", "liveall")
        self._lookups = Counter(
            "anwen_cache_lookups", "Questions to caches.", ("result",), registry=registry
        )
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._begun = 0
        self._lock = Lock()
        self._counted = CacheUsage(size=0, limit=0, hits=0, misses=0)
        self.waiting: Callable[[], int] = lambda: 0
        """How many requests wait for their turn; whoever lets them wait says so."""

    def _gauge(
        self, name: str, told: str, mode: Literal["livesum", "liveall"] = "livesum"
    ) -> Gauge:
        return Gauge(f"anwen_{name}", told, multiprocess_mode=mode, registry=self._registry)

    def began(self) -> None:
        """Count a request that has come."""
        with self._lock:
            self._begun += 1

    def ended(self, endpoint: str, method: str, status: int, seconds: float) -> None:
        """Count a request that is answered."""
        if method not in _METHODS:
            method = "other"
        key = endpoint, method, status
        with self._lock:
            self._begun -= 1
            children = self._children.get(key)
            if children is None:
                children = self._children[key] = (
                    self._requests.labels(endpoint, method, str(status)),
                    self._seconds.labels(endpoint),
                )
        children[0].inc()
        children[1].observe(seconds)

    def look(self) -> None:
        """Bring up to date what is told of this process; to be called every second or so."""
        with self._lock:
            usage, before = self._searcher.cache_usage(), self._counted
            self._counted = usage
            self._under_way.set(self._begun)
            self._waiting.set(self.waiting())
            self._cached.set(usage.size)
            self._cacheable.set(usage.limit)
            for name, now, then in (
                ("hit", usage.hits, before.hits),
                ("miss", usage.misses, before.misses),
            ):
                self._lookups.labels(name).inc(now - then if now >= then else now)
            with suppress(OSError):  # there on Linux
                pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
                self._resident.set(pages * os.sysconf("SC_PAGE_SIZE"))
                self._open.set(sum(1 for _ in Path("/proc/self/fd").iterdir()))

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        self.look()
        if not self._folder:
            return generate_latest(self._registry) + generate_latest(self._of_the_index())
        for path in Path(self._folder).glob("gauge_live*_*.db"):
            process = int(path.stem.rpartition("_")[2])
            if not is_running(process):
                with suppress(FileNotFoundError):  # somebody else asks at the same time
                    mark_process_dead(process, self._folder)  # type: ignore[no-untyped-call]
        registry = self._of_the_index()
        MultiProcessCollector(registry, self._folder)  # type: ignore[no-untyped-call]
        return generate_latest(registry)

    def _of_the_index(self) -> CollectorRegistry:
        registry = CollectorRegistry()
        registry.register(_Index(self._searcher))
        return registry


class _Index(Collector):
    """What is told of the index and the program, the same in every process."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher

    def collect(self) -> Iterable[Metric]:
        yield InfoMetricFamily(
            "anwen_build",
            "The program.",
            {"version": version("anwen"), "python": python_version()},
        )
        try:
            usage = self._searcher.index_usage()
        except AnwenError:
            usage = None
        yield GaugeMetricFamily("anwen_index_up", "Whether the index answers.", bool(usage))
        if usage is None:
            return
        for name, told, value in (
            ("generation", "The number of the live generation.", usage.generation),
            ("articles", "Articles in the index.", usage.articles),
            ("bytes", "Bytes of the live generation on disk.", usage.size),
        ):
            yield GaugeMetricFamily(f"anwen_index_{name}", told, value)
        if usage.committed:
            age = time() - usage.committed.timestamp()
            yield GaugeMetricFamily("anwen_index_age_seconds", "Time since the last commit.", age)


def blueprint(settings: Settings, metrics: Metrics) -> Blueprint:
    """Return the route of the metrics."""
    operations = Blueprint("metrics", __name__)

    @operations.get("/metrics")
    def show() -> Response:
        if not _may_read(settings.metrics_readers):
            raise Forbidden
        return Response(metrics.text(), content_type=CONTENT_TYPE_LATEST)

    return operations


def _may_read(readers: Sequence[Network]) -> bool:
    # Whoever comes through a proxy that nobody has named has the address of that proxy.
    if not request.environ.get(DIRECT, True):
        return False
    address = address_of(request.remote_addr or "")
    return address is not None and any(address in each for each in (*_LOOPBACK, *readers))
