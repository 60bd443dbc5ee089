"""Pages as elements: what the tests of the pages read."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from flask.testing import FlaskClient

__all__ = ["Element", "Page", "count_in", "get_page"]

VOID = {"meta", "link", "input", "img", "br", "wbr", "hr"}


@dataclass
class Element:
    """An element of a page, with the text inside it."""

    tag: str
    attributes: dict[str, str | None]
    text: str = ""
    inside: list["Element"] = field(default_factory=list)

    @property
    def classes(self) -> set[str]:
        return set((self.attributes.get("class") or "").split())

    @property
    def href(self) -> str:
        return self.attributes["href"] or ""


class Page(HTMLParser):
    """A page as elements; refuses one whose elements are not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(html)
        self.close()
        assert not self._open, [element.tag for element in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        self.elements.append(element)
        for outer in self._open:
            outer.inside.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].tag == tag, (tag, self._open[-1].tag)
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def find(self, tag: str, class_: str | None = None) -> list[Element]:
        return [
            element
            for element in self.elements
            if element.tag == tag and (class_ is None or class_ in element.classes)
        ]

    @property
    def heading(self) -> str:
        return self.find("h1")[0].text.strip()

    @property
    def total(self) -> int:
        """The number of articles in the heading; 0 on the page that found none."""
        match = re.search(r"共 ([\d,]+) 篇", self.heading)
        return int(match[1].replace(",", "")) if match else 0


def count_in(row: Element) -> int:
    """The number of articles that a row of an index leads to; beside it may stand another one."""
    text = next(e for e in row.inside if "entry-count" in e.classes).text
    found = re.search(r"，共 ([\d,]+) 篇|共同 ([\d,]+) 篇|([\d,]+)\s*$", text)
    assert found, text
    return int((found[1] or found[2] or found[3]).replace(",", ""))


def get_page(client: FlaskClient, url: str, status: int = 200) -> Page:
    answer = client.get(url)
    assert answer.status_code == status, url
    assert answer.mimetype == "text/html"
    return Page(answer.get_data(as_text=True))
