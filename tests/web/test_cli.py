"""The command: its output, its exit status, and what it says of a mistake."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from time import sleep
from typing import Any
from urllib.parse import urlsplit

import click
import pytest
from click.testing import CliRunner, Result

from index.settings import Settings
from web.cli import _free_port, main


def anwen(*arguments: object, data: Path | None = None) -> Result:
    given = [] if data is None else ["--data", str(data)]
    return CliRunner().invoke(main, [*given, *map(str, arguments)])


@pytest.fixture(scope="module")
def demo(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(demo_folder, tmp_path_factory.mktemp("copy") / "demo")


def test_index_prints_a_summary_whose_pages_are_the_sum_of_the_rest(
    demo: Path, tmp_path: Path
) -> None:
    sample = Path(__file__).parents[2] / "web" / "sample"
    report = tmp_path / "report.tsv"
    result = anwen("index", sample, "--json", "--report", report, data=demo)
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    counted = sum(
        summary[name] for name in ("added", "updated", "unchanged", "repeated", "removed")
    )
    skipped = sum(summary["skipped"].values())
    assert summary["pages"] == counted + skipped + sum(summary["failed"].values())
    assert summary["unchanged"] >= 60
    assert summary["added"] == summary["updated"] == 0
    assert len(report.read_text(encoding="utf-8").splitlines()) == skipped


def test_search_prints_the_same_object_as_the_api(demo: Path) -> None:
    result = anwen("search", "勒索软件", "--json", "--size", 3, data=demo)
    answer = json.loads(result.stdout)
    assert list(answer)[:5] == ["query", "total", "groups", "widened", "page"]
    assert answer["total"] >= 8
    assert len(answer["hits"]) == 3
    assert {"category", "organisation", "source", "month"} == set(answer["facets"])
    plain = anwen("search", "勒索软件", data=demo)
    assert answer["hits"][0]["title"] in plain.output


def test_filters_narrow_a_search(demo: Path) -> None:
    answer = json.loads(
        anwen(
            "search", "", "--from", "2025-01-01", "--to", "2025-12-31", "--json", data=demo
        ).stdout
    )
    assert answer["total"] > 0
    assert {bucket["value"][:4] for bucket in answer["facets"]["month"]} == {"2025"}


def test_related_takes_an_id_an_address_or_a_text(demo: Path) -> None:
    found = json.loads(anwen("search", "CVE-2026-90017", "--json", data=demo).stdout)["hits"][0]
    by_id = anwen("related", found["id"], data=demo)
    assert by_id.exit_code == 0, by_id.output
    assert "同一编号 CVE-2026-90017" in by_id.stdout
    assert anwen("related", found["url"], data=demo).stdout == by_id.stdout
    text = "璇衡网络的网关漏洞 CVE-2026-90017 已被利用。\n用户应当尽快打补丁。"
    arguments = ["--data", str(demo), "related", "-", "--size", "2", "--json"]
    answer = CliRunner().invoke(main, arguments, input=text)
    hits = json.loads(answer.stdout)["hits"]
    assert len(hits) == 2
    assert all("CVE-2026-90017" in hit["identifiers"] for hit in hits)
    for empty in ("", " \n", "……"):
        refused = CliRunner().invoke(main, arguments, input=empty)
        assert refused.exit_code == 2
        assert "稿件" in refused.stderr


def test_extract_prints_one_object_a_page(demo: Path) -> None:
    sample = Path(__file__).parents[2] / "web" / "sample"
    result = anwen("extract", sample, "--json", data=demo)
    objects = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(objects) > 60
    assert {"file", "url", "title", "body", "organisations", "skipped"} <= set(objects[0])
    assert any(found["skipped"] for found in objects)


def test_analyze_shows_positions(demo: Path) -> None:
    tokens = json.loads(anwen("analyze", "CVE-2021-44228漏洞", "--json", data=demo).stdout)[
        "tokens"
    ]
    assert {"text": "44228", "start": 9, "end": 14, "position": 0} in tokens
    assert tokens[-1]["text"] == "洞"


def test_info_tells_what_is_stored(demo: Path) -> None:
    about = json.loads(anwen("info", "--json", data=demo).stdout)
    assert about["articles"] >= 60
    assert about["stale"] == 0
    assert about["out_of_date"] is None
    assert about["indexed_revision"] == about["revision"]


def test_info_tells_every_setting_and_where_it_came_from(
    demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANWEN_RATE_LIMIT", "60/minute")
    monkeypatch.setenv("ANWEN_TRUSTED_PROXIES", "10.0.0.0/8")
    monkeypatch.setenv("ANWEN_WORKER", "3")
    about = json.loads(anwen("info", "--json", data=demo).stdout)
    assert set(about["settings"]) == {field.name for field in fields(Settings)}
    assert about["settings"]["trusted_proxies"] == {
        "value": ["10.0.0.0/8"],
        "source": "ANWEN_TRUSTED_PROXIES",
    }
    assert about["settings"]["data"]["source"] == "command line"
    assert about["settings"]["cache"] == {"value": 96, "source": "default"}
    assert "Each process" in about["settings"]["rate_limit"]["note"]
    assert about["ignored_variables"] == ["ANWEN_WORKER"]
    text = anwen("info", data=demo).stdout
    assert "60/minute (ANWEN_RATE_LIMIT)" in text
    assert "ANWEN_WORKER is no setting" in text
    assert "2 processes allow a client up to 2 times as much" in text


def test_info_tells_the_settings_where_there_is_no_archive(tmp_path: Path) -> None:
    result = anwen("info", data=tmp_path)
    assert result.exit_code == 1
    assert "(command line)" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["index"], 2, "Name a PATH"),
        (["index", "nowhere"], 1, "nowhere"),
        (["search", "x"], 1, "anwen index PATH"),
        (["search", "x", "--from", "yesterday"], 2, "--from"),
        (["search", "x", "--from", "2024-05-01", "--to", "2024-04-30"], 2, "2024-05-01"),
        (["search", "x", "--page", "1001"], 2, "10,000"),
        (["search", "x", "--page", "101", "--size", "100"], 2, "10,000"),
        (["search", "x\udcff"], 2, "UTF-8"),
        (["search", "x", "--organisation", "\udcff"], 2, "UTF-8"),
        (["search", "x", "--from", "\udcff"], 2, "--from"),
        (["analyze", "x\udcff"], 2, "UTF-8"),
        (["extract", "x\udcff"], 1, "x\\udcff"),
        (["index", "x\udcff"], 1, "x\\udcff"),
        (["serve", "--host", "x\udcff"], 2, "--host"),
        (["serve", "--host", "x" * 70], 1, "x" * 70),
        (["search", "x" * 1001], 1, "anwen index PATH"),
        (["remove", "0123456789abcdef"], 1, "0123456789abcdef"),
        (["info"], 1, "anwen index PATH"),
        (["serve", "--port", "0"], 2, "--port"),
        (["sing"], 2, "sing"),
    ],
)
def test_a_mistake_is_told_in_one_line_and_by_the_exit_status(
    tmp_path: Path, arguments: list[str], status: int, message: str
) -> None:
    result = anwen(*arguments, data=tmp_path / "empty")
    assert result.exit_code == status, result.output
    assert message in result.output
    assert "Traceback" not in result.output


def test_a_folder_whose_name_is_no_utf_8_is_one_like_any_other(demo: Path, tmp_path: Path) -> None:
    data = tmp_path / "x\udcff"
    data.symlink_to(demo)
    assert anwen("search", "勒索软件", data=data).exit_code == 0
    assert json.loads(anwen("info", "--json", data=data).stdout)["data"].endswith("x\ufffd")
    unknown = anwen("remove", "x\udcff", data=data)
    assert unknown.exit_code == 1
    assert "没有这篇文章" in unknown.output


def test_the_cursor_of_an_answer_leads_on(demo: Path) -> None:
    first = json.loads(anwen("search", "", "--size", 3, "--json", data=demo).stdout)
    second = json.loads(
        anwen("search", "", "--size", 3, "--cursor", first["next"], "--json", data=demo).stdout
    )
    both = json.loads(anwen("search", "", "--size", 6, "--json", data=demo).stdout)
    assert first["hits"] + second["hits"] == both["hits"]


def test_a_wrong_setting_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "anwen.toml").write_text("speed = 3", encoding="utf-8")
    result = anwen("info", data=tmp_path)
    assert result.exit_code == 2
    assert "Unknown setting 'speed'" in result.output


def test_serve_tells_when_no_search_can_be_answered_and_serves_nevertheless(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[Path] = []
    monkeypatch.setattr("web.server.run", lambda settings, *_: served.append(settings.data))
    without_store = tmp_path / "without store"
    shutil.copytree(demo, without_store, ignore=shutil.ignore_patterns("*.sqlite3*"))
    for data in (demo, tmp_path / "empty", without_store):
        result = anwen("serve", data=data)
        assert result.exit_code == 0, result.output
        assert ("anwen index PATH" in result.stderr) == (data != demo)
        assert result.stdout == ""
    assert served == [demo, tmp_path / "empty", without_store]


def test_a_port_in_use_gives_way_to_the_next() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert _free_port("127.0.0.1", port, 20) > port
        with pytest.raises(click.ClickException, match=rf"Port {port} cannot be used .*in use"):
            _free_port("127.0.0.1", port, 1)


def test_a_port_that_is_named_and_in_use_is_an_error(demo: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = anwen("serve", "--port", str(taken.getsockname()[1]), data=demo)
    assert result.exit_code == 1
    assert "cannot be used" in result.output


def test_info_tells_of_an_index_that_is_missing_or_does_not_open(
    demo: Path, tmp_path: Path
) -> None:
    assert json.loads(anwen("info", "--json", data=demo).stdout)["fault"] is None
    shutil.copytree(demo, data := tmp_path / "data")
    next((data / "index").rglob("*.vpst")).unlink()
    result = anwen("info", data=data)
    assert ".vpst is missing. Run: anwen index --rebuild" in result.output
    shutil.rmtree(data / "index")
    assert "There is no index. Run: anwen index --rebuild" in anwen("info", data=data).output


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_served_address_may_have_chinese_characters_as_they_are_typed(
    demo: Path, name: str
) -> None:
    command = [sys.executable, "-c", "from web.cli import main; main()", "--data", str(demo)]
    command += ["serve", "--host", name]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as server:
        assert server.stderr
        try:
            said = next(line for line in server.stderr if line.startswith("http://"))
            host = urlsplit(said.strip()).netloc
            assert _asked(host, "/api/v1/search?q=勒索软件".encode())["total"] >= 8
        finally:
            os.killpg(server.pid, signal.SIGINT)  # as a terminal's Ctrl-C does
        assert server.wait(20) == 0


def _asked(host: str, address: bytes) -> Any:
    """Return the JSON of an address, sent byte for byte, from a server that is about to listen."""
    name, port = host.split(":")
    for _ in range(100):
        try:
            connection = socket.create_connection((name, int(port)), timeout=20)
            break
        except ConnectionRefusedError:
            sleep(0.1)
    else:
        pytest.fail(f"Nothing listens at {host}.")
    with connection, connection.makefile("rb") as answer:
        connection.sendall(b"GET " + address + b" HTTP/1.0\r\nHost: " + host.encode() + b"\r\n\r\n")
        head, _, body = answer.read().partition(b"\r\n\r\n")
    assert head.split()[1] == b"200", head
    return json.loads(body)
