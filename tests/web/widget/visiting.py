"""A page of another origin that shows the widget, and what a reader does there."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import Locator, Page, Request, Route, expect

__all__ = [
    "INLINE",
    "LINK",
    "LOOK",
    "MODAL",
    "RELATED",
    "TEXT",
    "Foreign",
    "Visit",
    "Visiting",
    "combobox",
    "fail_with",
    "listen",
    "search",
    "told",
]

INLINE = '<anwen-search lang="zh"></anwen-search>'
MODAL = '<p><a href="#">首页</a></p><anwen-search mode="modal" lang="zh"></anwen-search>'
RELATED = '<anwen-search mode="related" lang="zh" size="3"></anwen-search>'
LOOK = (
    ":root { color-scheme: light dark } body { background: light-dark(#fff, #10151f);"
    " color: light-dark(#111, #eee) }"
)
LINK = '<link rel="stylesheet" href="look.css">'
TEXT = (
    "<h1>关于排查远程运维平台的通知</h1><p>勒索软件借远程运维平台漏洞扩散，衡岳智联已发布说明，"
    "编号CVE-2026-90001。请各单位停用批量下发的功能，并核对全部巡检脚本。</p>"
)


@dataclass(frozen=True, slots=True)
class Foreign:
    """A site that is not ours: it shows a body under the strict policy, and the widget."""

    address: str
    server: str
    page: dict[str, str]

    def show(self, body: str, script: str | None = None, look: str = "") -> str:
        """Return the address of a page with a body; a look is another thing for its head."""
        tag = f'<script src="{self.server}/widget.js" async></script>'
        self.page["html"] = (
            '<!doctype html><html lang="zh-Hans"><head><meta charset="utf-8"><title>通知</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"{look}{tag if script is None else script}</head>"
            f"<body><main>{body}</main></body></html>"
        )
        return self.address


@dataclass(slots=True)
class Visit:
    """A page, what it asked for, and what its console and its policy complained of."""

    page: Page
    requests: list[Request] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def asked(self, path: str) -> list[list[tuple[str, str]]]:
        """The parameters of each request for a path of the API."""
        parts = (urlsplit(request.url) for request in self.requests if request.method != "OPTIONS")
        return [parse_qsl(part.query) for part in parts if part.path == f"/api/v1/{path}"]


Visiting = Callable[..., Visit]
"""From a body, and what else a visit has, to the visit."""


def combobox(page: Page) -> Locator:
    return page.get_by_role("combobox")


def search(page: Page, query: str) -> Locator:
    """Type a query; the options that come of it."""
    combobox(page).fill(query)
    options = page.get_by_role("option")
    expect(options.first).to_be_visible()
    expect(page.locator("[aria-busy]")).to_have_count(0)
    return options


def listen(page: Page) -> None:
    """Note the events that reach the page's document."""
    page.evaluate("""() => {
      window.told = [];
      for (const name of ["search", "results", "select"])
        document.addEventListener(`anwen:${name}`, (e) => window.told.push([name, e.detail]));
    }""")


def told(page: Page) -> list[Any]:
    events: list[Any] = page.evaluate("window.told")
    return events


def fail_with(status: int, message: str = "") -> Callable[[Route], None]:
    body = json.dumps({"error": {"code": "x", "message": message, "detail": {}}})
    headers = {"Access-Control-Allow-Origin": "*"}
    return lambda route: route.fulfill(status=status, body=body, headers=headers)
