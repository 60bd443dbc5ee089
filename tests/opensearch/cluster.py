"""A real OpenSearch cluster on loopback for tests: one JVM a node, each of which can be killed.

    python -m tests.opensearch.cluster FOLDER [--nodes 3] [--port 9211]

Java 21 or newer runs it; Maven fetches its 118 jars (71 MB) once, into `.opensearch/`.
"""

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from filelock import FileLock

__all__ = ["Cluster", "Unavailable", "fetch_jars", "find_java", "free_port"]

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]
_JARS = _ROOT / ".opensearch"
_LEAST_JAVA = 21
_PATIENCE = 120.0  # seconds until a cluster answers
_HEAP = "1g"
_TRANSPORT = 100  # ports between that of HTTP and that of the nodes among themselves


class Unavailable(Exception):
    """This machine cannot run a node; the message says what it lacks."""


def find_java() -> Path:
    """Return a Java that is new enough; raises Unavailable."""
    named = [os.environ.get("ANWEN_TEST_JAVA"), os.environ.get("JAVA_HOME")]
    found = [Path(named[0])] if named[0] else []
    found += [Path(named[1]) / "bin" / "java"] if named[1] else []
    found += sorted(Path("/usr/lib/jvm").glob("*/bin/java"), reverse=True)
    found += [Path(path)] if (path := shutil.which("java")) else []
    for java in found:
        with suppress(OSError):
            told = subprocess.run([java, "-version"], capture_output=True, text=True).stderr
            version = re.search(r'version "(\d+)', told)
            if version and int(version[1]) >= _LEAST_JAVA:
                return java
    raise Unavailable(f"Java {_LEAST_JAVA} or newer")


def fetch_jars(folder: Path = _JARS) -> Path:
    """Return a folder with the jars of a node, fetched where they are not there; or Unavailable."""
    jars, mark = folder / "lib", folder / "lib" / ".complete"
    jars.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        if not mark.exists():
            maven = shutil.which("mvn")
            if not maven:
                raise Unavailable("Maven")
            options = ["-DincludeScope=runtime", f"-DoutputDirectory={jars}"]
            command = [maven, "-q", "-B", "-f", _HERE / "pom.xml"]
            fetched = subprocess.run(
                [*command, "dependency:copy-dependencies", *options], capture_output=True, text=True
            )
            if fetched.returncode:
                raise Unavailable(f"the jars of OpenSearch (Maven: {fetched.stdout[-300:]})")
            mark.touch()
    return jars


def free_port() -> int:
    """Return a port that is free for HTTP, and the one of its transport too."""
    while True:
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
            with suppress(OSError, OverflowError):
                other.bind(("127.0.0.1", port + _TRANSPORT))
                return port


class Cluster:
    """Nodes in one folder; HTTP on `port` and the ports that follow, transport 100 above."""

    def __init__(self, folder: Path, *, nodes: int = 1, port: int = 9211) -> None:
        """Start all nodes and wait for them; raises Unavailable."""
        self._java, self._jars = find_java(), fetch_jars()
        self._folder, self._first = folder, port
        self._count = nodes
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        (folder / "snapshots").mkdir(parents=True, exist_ok=True)
        for number in range(nodes):
            self.start(number)
        try:
            self.wait()
        except BaseException:
            self.stop()
            raise

    @property
    def urls(self) -> list[str]:
        """The address of each node."""
        return [f"http://127.0.0.1:{self._first + number}" for number in range(self._count)]

    @property
    def pids(self) -> list[int]:
        """The processes of the nodes that run."""
        return [process.pid for process in self._processes.values()]

    def start(self, number: int) -> None:
        """Start a node, on the data that it may have."""
        seeds = [f"127.0.0.1:{self._first + _TRANSPORT + each}" for each in range(self._count)]
        with (self._folder / f"node{number}.log").open("ab") as log:
            self._processes[number] = subprocess.Popen(
                [
                    *(self._java, f"-Xms{_HEAP}", f"-Xmx{_HEAP}", "-XX:+UseSerialGC"),
                    "-Dfile.encoding=UTF-8",
                    "--add-opens=java.base/java.nio.channels=ALL-UNNAMED",
                    "--enable-native-access=ALL-UNNAMED",
                    *("-cp", f"{self._jars}/*", _HERE / "Node.java"),
                    *(f"node{number}", str(self._first + number), seeds[number].split(":")[1]),
                    self._folder / f"node{number}",
                    ",".join(seeds),
                    ",".join(f"node{each}" for each in range(self._count)),
                    self._folder / "snapshots",
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def wait(self, nodes: int | None = None) -> None:
        """Wait until so many nodes have found each other, by default all; or raise Unavailable."""
        wanted = self._count if nodes is None else nodes
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            if any(process.poll() is not None for process in self._processes.values()):
                break
            for url in self._running():
                with suppress(URLError, OSError):
                    urlopen(f"{url}/_cluster/health?wait_for_nodes={wanted}&timeout=2s").close()
                    return
            time.sleep(0.5)
        logs = "\n".join(path.read_text()[-2000:] for path in self._folder.glob("node*.log"))
        raise Unavailable(f"an OpenSearch that starts: {logs}")

    def _running(self) -> Iterator[str]:
        for number, process in self._processes.items():
            if process.poll() is None:
                yield self.urls[number]

    def kill(self, number: int, how: signal.Signals = signal.SIGKILL) -> None:
        """End a node at once."""
        process = self._processes.pop(number)
        process.send_signal(how)
        process.wait()

    def leave(self) -> None:
        """Let the nodes run on; whoever knows their `pids` is to end them."""
        for process in self._processes.values():
            process.returncode = 0  # else it warns of them when this process ends

    def stop(self) -> None:
        """End all nodes."""
        for number in list(self._processes):
            self.kill(number)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--nodes", type=int, default=1)
    options.add_argument("--port", type=int, default=9211)
    given = options.parse_args()
    cluster = Cluster(given.folder, nodes=given.nodes, port=given.port)
    sys.stdout.write(f"{' '.join(cluster.urls)}\nEnter ends it.\n")
    try:
        sys.stdin.readline()
    finally:
        cluster.stop()


if __name__ == "__main__":
    main()
