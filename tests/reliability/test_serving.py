"""The server under strain: clients that stall, a stop, a reload, a first process that is killed."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Event, Thread

import pytest

from index.document import Article
from search import Searcher
from tests.reliability.served import Served, free_port, served

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux shows them"),
]

_ARTICLES = 3000
_CLIENTS = 20


@pytest.fixture(scope="module")
def data(
    tmp_path_factory: pytest.TempPathFactory,
    fill_folder: Callable[..., Searcher],
    article_maker: Callable[..., Article],
) -> Path:
    """An archive whose list is longer than what waits on its way to a client that does not read."""
    folder = tmp_path_factory.mktemp("strained")
    articles = [
        article_maker(
            id=f"{number:016x}",
            url=f"https://tingchao.example/{number}/" + "a" * 1500,
            title=f"第{number}号通报",
            body=f"设备{number}已经断开。",
        )
        for number in range(_ARTICLES)
    ]
    clusters = {article.id: article.id for article in articles}
    fill_folder(folder, articles, clusters).close()
    return folder


def stalled(server: Served, head: str) -> socket.socket:
    """A connection that sends this much and reads nothing."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(60)
    connection.connect(("127.0.0.1", server.port))
    connection.sendall(head.replace("\n", "\r\n").encode())
    return connection


def slowest(server: Served, count: int) -> float:
    """The seconds of the slowest of some searches, one after another, all answered."""
    found = []
    for number in range(count):
        begun = time.monotonic()
        status, _ = server.get(f"/api/v1/search?q={number}")
        assert status == 200
        found.append(time.monotonic() - begun)
    return max(found)


def test_searches_are_answered_while_clients_stall_and_those_are_cut(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with served(data, workers=2, request_seconds=3) as server, ExitStack() as opened:
        idle = slowest(server, 20)
        lists = [
            opened.enter_context(
                stalled(server, "GET /api/v1/search?format=jsonl HTTP/1.1\nHost: x\n\n")
            )
            for _ in range(_CLIENTS)
        ]
        texts = [
            opened.enter_context(
                stalled(
                    server,
                    "POST /api/v1/related HTTP/1.1\nHost: x\nContent-Type: application/json\n"
                    'Content-Length: 500\n\n{"text": ',
                )
            )
            for _ in range(_CLIENTS)
        ]
        time.sleep(1)
        busy = slowest(server, 20)
        assert server.get("/healthz")[0] == 200
        with capsys.disabled():
            sys.stdout.write(
                f"\n{_CLIENTS} lists and {_CLIENTS} texts stalled: the slowest of 20 searches took "
                f"{busy * 1000:.0f} ms, {idle * 1000:.0f} ms before\n"
            )
        assert busy < 3
        until = time.monotonic() + 20  # twice the limit, and what the watchdog needs
        while (cut := sum("A connection was cut" in line for line in server.lines)) < len(
            [*lists, *texts]
        ):
            assert time.monotonic() < until, cut
            time.sleep(0.2)
        time.sleep(2)  # until the other process has looked at itself
        assert "\nanwen_requests_under_way 1.0\n" in server.get("/metrics")[1].decode()
        assert server.get("/api/v1/search?format=jsonl")[1].count(b"\n") == _ARTICLES


def test_a_stop_lets_what_is_under_way_come_to_its_end(data: Path) -> None:
    with served(data, workers=2) as server:
        with stalled(server, "GET /api/v1/search?format=jsonl HTTP/1.1\nHost: x\n\n") as reader:
            time.sleep(1)
            server.process.send_signal(signal.SIGTERM)
            time.sleep(1)
            received = b""
            while not received.endswith(b"0\r\n\r\n"):
                piece = reader.recv(1 << 16)
                assert piece, "cut off"
                received += piece
        assert server.process.wait(40) == 0
        assert received.count(b'"id":"') == _ARTICLES


def test_a_server_that_is_to_stop_says_so_and_answers_meanwhile(data: Path) -> None:
    with served(data, workers=2, drain_seconds=30) as server:
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        for _ in range(10):  # both processes
            status, body = server.get("/readyz")
            assert (status, json.loads(body)) == (503, {"status": "stopping"})
            assert server.get("/api/v1/search?q=a")[0] == 200
        server.process.send_signal(signal.SIGTERM)  # ends the wait
        assert server.process.wait(20) == 0


def test_a_reload_fails_no_request(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answered: Counter[str] = Counter()
    with served(data, workers=2) as server:
        before, over = server.workers(), Event()

        def ask() -> None:
            while not over.is_set():
                try:
                    answered[str(server.get("/api/v1/search?q=a")[0])] += 1
                except OSError as error:
                    answered[type(error).__name__] += 1

        readers = [Thread(target=ask) for _ in range(8)]
        for reader in readers:
            reader.start()
        server.process.send_signal(signal.SIGHUP)
        until = time.monotonic() + 60
        while set(before) & set(server.workers()) and time.monotonic() < until:
            time.sleep(0.2)
        time.sleep(1)
        over.set()
        for reader in readers:
            reader.join(30)
        after = server.workers()
    with capsys.disabled():
        sys.stdout.write(f"\n{answered.total():,} requests during a reload: {dict(answered)}\n")
    assert not set(before) & set(after)
    assert len(after) == 2
    assert set(answered) == {"200"}


def test_processes_do_not_outlive_a_first_process_that_is_killed(data: Path) -> None:
    with served(data, workers=2) as server:
        workers = server.workers()
        assert len(workers) == 2
        server.process.kill()
        server.process.wait(20)
        until = time.monotonic() + 20
        while any(is_running(each) for each in workers):
            assert time.monotonic() < until
            time.sleep(0.1)


def test_processes_do_not_outlive_a_first_process_that_is_killed_while_they_begin(
    data: Path,
) -> None:
    # Each opens the index for a while before anything watches it.
    slow = "import time, web.server as s\no = s.open_searcher\n"
    slow += "s.open_searcher = lambda settings: time.sleep(2) or o(settings)\n"
    program = f"{slow}from web.cli import main\nmain()"
    command = [sys.executable, "-c", program, "--data", str(data), "serve"]
    command += ["--port", str(free_port())]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    until = time.monotonic() + 60
    while not (workers := children.read_text(encoding="ascii").split()):
        assert time.monotonic() < until
        time.sleep(0.02)
    time.sleep(1)
    process.kill()
    process.wait(20)
    try:
        while any(is_running(int(each)) for each in workers):
            assert time.monotonic() < until
            time.sleep(0.1)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2]
    except OSError:
        return False
    return state.split()[0] != "Z"


def test_metrics_are_of_all_processes_and_their_folder_goes_with_them(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with served(data, workers=2) as server:
        for _ in range(20):
            server.get("/api/v1/search?q=a")
        time.sleep(1.5)
        text = server.get("/metrics")[1].decode()
        counted = re.search(r'requests_total\{endpoint="api.search".*"200"\} (\S+)', text)
        assert counted
        assert float(counted[1]) == 20
        processes = re.findall(r'anwen_process_resident_bytes\{pid="(\d+)"\} (\S+)', text)
        assert {int(process) for process, _ in processes} == set(server.workers())
        [folder] = tmp_path.iterdir()
        assert any(folder.iterdir())
    assert list(tmp_path.iterdir()) == []


def test_a_start_removes_what_a_killed_server_has_left(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with served(data, workers=2) as server:
        for process in (server.process.pid, *server.workers()):
            os.kill(process, signal.SIGKILL)
        server.process.wait(20)
    [left] = tmp_path.iterdir()
    assert any(left.iterdir())
    with served(data, workers=2):
        [folder] = tmp_path.iterdir()
        assert folder != left
    assert list(tmp_path.iterdir()) == []


_STUCK = """
from threading import Event
from search.backends.whoosh.searcher import WhooshSearcher
from web import watchdog
watchdog._STUCK = 1
WhooshSearcher.organisation = lambda *_: Event().wait()
"""


def test_a_process_whose_answer_never_ends_is_replaced(data: Path) -> None:
    with served(data, changed=_STUCK, workers=1, request_seconds=1) as server:
        [before] = server.workers()
        with pytest.raises(ConnectionError):  # the connection ends with its process
            server.get("/organisation/x")
        until = time.monotonic() + 60  # on a busy machine the first answers of the next are late
        while server.get("/api/v1/search?q=a")[0] != 200:
            assert time.monotonic() < until
        [after] = server.workers()
        assert after != before
    [told] = [json.loads(line) for line in server.lines if "another begins" in line]
    assert told["level"] == "critical"
    assert "pages.organisation" in told["message"]
    assert "in <lambda>" in told["message"]  # the place


def test_the_log_of_a_server_is_json_and_nothing_else(data: Path) -> None:
    with served(data, workers=2) as server:
        server.get("/search?q=secretword")
        server.get("/nowhere%0a%0d")
        os.kill(server.workers()[0], signal.SIGKILL)
        time.sleep(2)
    lines = [line for line in server.lines if not line.startswith("http://")]
    found = [json.loads(line) for line in lines]
    assert {each["level"] for each in found} >= {"info", "error"}
    assert "secretword" not in "".join(lines)
    told = [each["message"] for each in found if each.get("logger") == "anwen.processes"]
    assert [message.split()[0] for message in told] == ["Serving", "Stopping", "Stopped"]
