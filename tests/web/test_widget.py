"""The widget's script, its addresses, and who may ask the interface from another site."""

import gzip
import json
import sys
from base64 import b64encode
from hashlib import sha384

import pytest
from click.testing import CliRunner
from flask import Flask

from index.settings import Settings
from search import Searcher
from web import create_app
from web.cli import main
from web.widget import widget_script

MOST = 8_192  # bytes, gzipped, all told
ORIGIN = "https://portal.example"


@pytest.fixture(scope="module")
def open_site(site_searcher: Searcher) -> Flask:
    return create_app(Settings(allowed_origins=(ORIGIN,)), site_searcher)


def test_the_widget_is_small(capsys: pytest.CaptureFixture[str]) -> None:
    size = len(gzip.compress(widget_script().text.encode(), 9))
    with capsys.disabled():
        sys.stdout.write(f"\nwidget: {size:,} bytes gzipped\n")
    assert size <= MOST


def test_its_own_address_never_changes_and_any_site_may_check_its_hash(site: Flask) -> None:
    script = widget_script()
    response = site.test_client().get(f"/widget/{script.version}.js")
    assert response.status_code == 200
    assert response.mimetype == "text/javascript"
    assert response.cache_control.immutable
    assert response.cache_control.max_age == 31_536_000
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    digest = b64encode(sha384(response.data).digest()).decode()
    assert script.integrity == f"sha384-{digest}"
    assert site.test_client().get("/widget/0.0.0-none.js").status_code == 404


def test_the_newest_is_asked_for_again(site: Flask) -> None:
    client = site.test_client()
    response = client.get("/widget.js")
    assert response.data.decode() == widget_script().text
    assert not response.cache_control.immutable
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    again = client.get("/widget.js", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304


def test_the_script_evaluates_nothing_and_writes_no_markup() -> None:
    text = widget_script().text
    for word in (
        "eval(",
        "Function(",
        "innerHTML",
        "insertAdjacentHTML",
        "document.write",
        ".style",
    ):
        assert word not in text


@pytest.mark.parametrize("path", ["/api/v1/search?q=漏洞", "/api/v1/search?sort=x", "/api/v1/none"])
def test_only_named_sites_read_what_the_interface_answers(open_site: Flask, path: str) -> None:
    client = open_site.test_client()
    named = client.get(path, headers={"Origin": ORIGIN})
    assert named.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Origin" in named.vary
    other = client.get(path, headers={"Origin": "https://other.example"})
    assert "Access-Control-Allow-Origin" not in other.headers
    assert "Origin" in other.vary
    assert "Access-Control-Allow-Credentials" not in named.headers


def test_a_page_may_not_be_read_by_any_site(open_site: Flask) -> None:
    response = open_site.test_client().get("/search?q=漏洞", headers={"Origin": ORIGIN})
    assert "Access-Control-Allow-Origin" not in response.headers


def test_nobody_is_named_by_default(site: Flask) -> None:
    response = site.test_client().get("/api/v1/search", headers={"Origin": ORIGIN})
    assert "Access-Control-Allow-Origin" not in response.headers


def test_a_text_may_be_sent_after_asking(open_site: Flask) -> None:
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    response = open_site.test_client().options("/api/v1/related", headers=asked)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert "Content-Type" in response.headers["Access-Control-Allow-Headers"]


def test_a_star_lets_every_site_ask(site_searcher: Searcher) -> None:
    app = create_app(Settings(allowed_origins=("*",)), site_searcher)
    response = app.test_client().get("/api/v1/search", headers={"Origin": ORIGIN})
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_the_command_prints_the_tag_with_its_hash() -> None:
    command = ["widget", "--base-url", "https://news.example/"]
    printed = CliRunner().invoke(main, command)
    assert printed.exit_code == 0
    script = widget_script()
    assert f'src="https://news.example/widget/{script.version}.js"' in printed.stdout
    assert f'integrity="{script.integrity}" crossorigin="anonymous"' in printed.stdout
    assert "allowed_origins" in printed.stderr
    told = json.loads(CliRunner().invoke(main, [*command, "--json"]).stdout)
    assert told["integrity"] == script.integrity
    assert told["bytes"] == len(script.text.encode())


def test_the_command_must_know_the_address_of_the_site() -> None:
    for arguments in ([], ["--base-url", "news.example"], ["--base-url", 'https://x"y']):
        printed = CliRunner().invoke(main, ["widget", *arguments])
        assert printed.exit_code == 2
        assert "--base-url https://news.example" in printed.stderr
