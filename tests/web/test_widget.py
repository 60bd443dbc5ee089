"""The widget's script and its addresses, the tag that embeds it, and who may ask the API."""

import gzip
import json
import re
from base64 import b64encode
from hashlib import sha384
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient

from index.settings import Settings
from search import Searcher
from web import create_app
from web.cli import main
from web.widget import create_demo, embed_object, make_bundle
from web.widget.bundle import minified_style

MOST = 8_192  # bytes, gzipped: what a page pays for the search of another site
PORTAL = "https://portal.example"
SERVER = "https://news.example"


@pytest.fixture(scope="module")
def open_client(site_searcher: Searcher) -> FlaskClient:
    """A client of a site whose API the pages of the portal may ask."""
    return create_app(Settings(allowed_origins=(PORTAL,)), site_searcher).test_client()


# The script


def test_the_widget_is_small() -> None:
    bundle = make_bundle()
    size = len(gzip.compress(bundle.script, 9))
    print(f"widget: {len(bundle.script):,} bytes, {size:,} gzipped")  # noqa: T201 - the figure of docs/widget.md
    assert size == len(bundle.compressed) <= MOST
    page = Path(__file__).parents[2] / "docs" / "widget.md"
    assert f"| `<anwen-search>` | {size / 1000:.1f} |" in page.read_text(encoding="utf-8")


def test_the_script_holds_its_stylesheet_and_nothing_that_a_strict_policy_refuses() -> None:
    script = make_bundle().script.decode()
    assert "@@CSS@@" not in script
    assert "--accent-wash:light-dark(" in script
    refused = r"\beval\b|new Function|innerHTML|outerHTML|insertAdjacent|document\.write|\.style\b"
    assert not re.search(refused, script)
    assert "/*" not in script


def test_a_stylesheet_loses_comments_and_space_and_keeps_its_selectors() -> None:
    css = "/* a\n b */\n.a :hover , b > c {\n  margin: 0 auto ;\n  width: calc(1px - 2px);\n}\n"
    assert minified_style(css) == ".a :hover,b > c{margin:0 auto;width:calc(1px - 2px)}"


# Its addresses


def test_a_version_never_changes_and_the_newest_is_asked_for_again(client: FlaskClient) -> None:
    bundle = make_bundle()
    fixed, newest = client.get(bundle.path), client.get("/widget.js")
    assert fixed.data == newest.data == bundle.script
    assert fixed.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert newest.cache_control.max_age == 600
    for response in (fixed, newest):
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"


def test_the_newest_answers_304_to_who_has_it(client: FlaskClient) -> None:
    tag = client.get("/widget.js").headers["ETag"]
    again = client.get("/widget.js", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["Access-Control-Allow-Origin"] == "*"


def test_the_script_is_sent_compressed_to_who_takes_it(client: FlaskClient) -> None:
    packed = client.get("/widget.js", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.data) == make_bundle().script
    plain = client.get("/widget.js", headers={"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in plain.headers
    assert plain.headers["ETag"] != packed.headers["ETag"]


@pytest.mark.parametrize("version", ["0.1.0", "0.1.0-000000000000", "widget", "标签"])
def test_a_version_that_is_not_this_one_is_unknown(client: FlaskClient, version: str) -> None:
    assert client.get(f"/widget/{version}.js").status_code == 404


# The command


def anwen(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_the_command_prints_a_tag_with_the_hash_of_what_is_served(client: FlaskClient) -> None:
    result = anwen("widget", "--base-url", SERVER + "/")
    assert result.exit_code == 0, result.output
    found = re.search(r'src="https://news\.example(\S+)" integrity="(\S+)"', result.stdout)
    assert found
    served = client.get(found[1]).data
    assert found[2] == "sha384-" + b64encode(sha384(served).digest()).decode()
    assert 'crossorigin="anonymous"' in result.stdout
    assert f'<form action="{SERVER}/search">' in result.stdout
    assert "allowed_origins" in result.stderr


def test_the_command_prints_the_parts_as_json() -> None:
    result = anwen("widget", "--base-url", SERVER, "--json")
    assert json.loads(result.stdout) == embed_object(SERVER)


def test_the_command_takes_the_address_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANWEN_BASE_URL", SERVER)
    assert f'src="{SERVER}/widget/' in anwen("widget").stdout


@pytest.mark.parametrize("arguments", [(), ("--base-url", "news.example")])
def test_the_command_says_what_to_do_without_an_address(arguments: tuple[str, ...]) -> None:
    result = anwen("widget", *arguments)
    assert result.exit_code == 2
    assert "https://news.example" in result.stderr


def test_the_page_of_the_demo_has_the_strictest_policy() -> None:
    answer = create_demo(SERVER).test_client().get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert policy == f"default-src 'self'; script-src {SERVER}; connect-src {SERVER}"
    assert "@@" not in answer.text
    assert " style=" not in answer.text


# Who may ask the API


@pytest.mark.parametrize(
    "path",
    ["/api/v1/search?q=漏洞", "/api/v1/search?size=0", "/api/v1/nothing", "/api/v1/articles"],
)
def test_an_allowed_site_may_read_answers_and_errors(open_client: FlaskClient, path: str) -> None:
    headers = open_client.get(path, headers={"Origin": PORTAL}).headers
    assert headers["Access-Control-Allow-Origin"] == PORTAL
    assert "ETag" in headers["Access-Control-Expose-Headers"]
    assert "Origin" in headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in headers


def test_another_site_may_not(open_client: FlaskClient) -> None:
    for origin in ("https://other.example", PORTAL + ".other.example", "null", ""):
        headers = open_client.get("/api/v1/search", headers={"Origin": origin}).headers
        assert "Access-Control-Allow-Origin" not in headers
        assert "Origin" in headers["Vary"]


def test_pages_are_nobody_elses_to_read(open_client: FlaskClient) -> None:
    for path in ("/", "/search", "/feed.atom"):
        headers = open_client.get(path, headers={"Origin": PORTAL}).headers
        assert "Access-Control-Allow-Origin" not in headers


def preflight(client: FlaskClient, origin: str) -> tuple[int, str | None]:
    answer = client.options(
        "/api/v1/related",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        },
    )
    if answer.headers.get("Access-Control-Allow-Origin"):
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]
        assert "Content-Type" in answer.headers["Access-Control-Allow-Headers"]
    return answer.status_code, answer.headers.get("Access-Control-Allow-Origin")


def test_an_allowed_site_may_send_a_text(open_client: FlaskClient) -> None:
    assert preflight(open_client, PORTAL) == (204, PORTAL)
    assert preflight(open_client, "https://other.example")[1] is None
    sent = open_client.post("/api/v1/related", json={"text": "漏洞"}, headers={"Origin": PORTAL})
    assert sent.status_code == 200
    assert sent.headers["Access-Control-Allow-Origin"] == PORTAL
    assert sent.headers["Cache-Control"] == "no-store"


def test_a_star_lets_every_site_ask(site_searcher: Searcher) -> None:
    client = create_app(Settings(allowed_origins=("*",)), site_searcher).test_client()
    answer = client.get("/api/v1/search", headers={"Origin": "https://other.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Origin" not in answer.vary
    assert preflight(client, "https://other.example") == (204, "*")


def test_without_the_setting_no_site_may_ask(site: Flask) -> None:
    client = site.test_client()
    answer = client.get("/api/v1/search", headers={"Origin": PORTAL})
    assert not [name for name in answer.headers.keys() if name.startswith("Access-Control")]  # noqa: SIM118
    assert preflight(client, PORTAL)[1] is None
