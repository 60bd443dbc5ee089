"""A server that is really started, in its own process, for tests of what it does under strain."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

_PROGRAM = "from web.cli import main\nmain()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A running server: its first process, its port, and the lines that it has logged."""

    process: subprocess.Popen[str]
    port: int
    lines: list[str]

    def get(self, path: str, timeout: float = 30) -> tuple[int, bytes]:
        """The status and the body of an answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def workers(self) -> list[int]:
        """The processes that the first one has started."""
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(each) for each in found.read_text(encoding="ascii").split()]


def free_port() -> int:
    """A port that nobody has: those that a server looks for itself others look for as well."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(data: Path, *, changed: str = "", **settings: object) -> Iterator[Served]:
    """Start a server over a data folder; it is stopped at the end.

    `changed` is a program that runs first in its process.
    """
    variables = {f"ANWEN_{name.upper()}": str(value) for name, value in settings.items()}
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"{changed}\n{_PROGRAM}",
            "--data",
            str(data),
            *("serve", "--port", str(free_port())),
        ],
        env=os.environ | variables,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines: list[str] = []
    ports: Queue[int] = Queue()

    def read() -> None:
        assert process.stderr
        for line in process.stderr:
            lines.append(line)
            if found := re.match(r"http://127\.0\.0\.1:(\d+)/", line):
                ports.put(int(found[1]))

    reader = Thread(target=read)
    reader.start()
    try:
        try:
            running = Served(process=process, port=ports.get(timeout=60), lines=lines)
        except Empty:
            raise AssertionError("".join(lines)) from None
        _wait_until_ready(running)
        yield running
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(60)
        finally:
            process.kill()
            reader.join(20)
            if process.stderr:
                process.stderr.close()


def _wait_until_ready(running: Served) -> None:
    """Wait for every process, each of which has connections of its own."""
    ready, until = 0, time.monotonic() + 60
    while ready < 20:
        assert time.monotonic() < until, "".join(running.lines)
        try:
            ready = ready + 1 if running.get("/readyz", timeout=10)[0] == 200 else 0
        except OSError:
            ready = 0
            time.sleep(0.1)
