"""Pages take time as they are long, whatever they repeat: all patterns, passes and the analysis.

The patterns are measured where they are used. Many would take the square of the time on a long
text, and are only given a window or a short line.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from time import process_time

import pytest

from index import stages
from index.corpus import Page, PageFormat
from index.document import Article
from index.duplicates import fingerprints
from index.schema import index_batch
from index.settings import Settings
from tests.reliability.hostile_pages import TRAPS

_CHARACTERS = 20_000  # and twice as many
_LEAST = 0.02  # seconds, below which nothing is told from chance

_MORE_TRAPS = (
    *("a.a-", "ab.", "1-", "1:", "1.1a", "v1.1.", "%", " a.", "a_", "00:", "100,", "a b ", "// "),
    *(
        "http://(",
        "http://ab.",
        "://",
        "#",
        "+",
        '"',
        "'",
        "-- ",
        "\n\n",
        " \n",
        "a=b ",
        "正文正文\n",
    ),
    *(
        "（",
        "）",
        "【",
        "】",
        "年",
        "与",
        "等",
        "（a",
        "a）",
        "the ",
        "A B ",
        "为",
        "是",
        "域名",
        "版本 ",
    ),
    *("APT1 ", "T1059.001", "CVE-2024-1 ", "1.1.1.1 ", "::", "关注", "参考：", "声明：", "上海市"),
)
_PIECES = (
    *("<h1><b>a", "<tr><b>", "<table><tr><td>a", "<div class=share>a", "<b class=author>a", "<i>"),
    *(
        "<article>a",
        "<p>a</p>",
        "<a href=b>c",
        "<br>a",
        "<ul><li>a",
        "<p>正文，正文。",
        "<time>",
        "<td>",
        "<blockquote>正文，正文，正文，正文，正文。",
    ),
)
SHAPES: dict[str, tuple[PageFormat, str, tuple[str, ...], str]] = {
    "a line": ("md", "# 标题标题\n\n", (*TRAPS, *_MORE_TRAPS), ""),
    "a paragraph": ("html", "<title>标题标题</title><p>", (*TRAPS, *_MORE_TRAPS), "</p>"),
    "text": ("md", "# 标题标题\n\n正文，正文。\n\n", ("{}\n", "- {}\n", "{}。\n\n", "> {}\n"), ""),
    "elements": ("html", "<title>标题标题</title><table>", _PIECES, "<p>正文，正文。"),
}


@pytest.fixture(scope="module", autouse=True)
def worker() -> None:
    stages.start_worker(Settings(data=Path(os.devnull)))
    stages.warm_worker()


def seconds(page: Page) -> float:
    """Return the time of the processor that a page takes until it can be indexed."""
    started = process_time()
    result = stages._extract(page)
    if isinstance(result, Article):
        fingerprints([result])
        index_batch([result], stages._worker.analyzer, {})
    assert not isinstance(result, stages.Failure), result
    return process_time() - started


def more_than_linear(page: Callable[[int], Page]) -> str:
    """Return the times of a page and one twice as long, where that takes thrice as long."""
    once, twice = seconds(page(1)), seconds(page(2))
    for _ in range(3):  # a busy machine has moments
        if twice < _LEAST or twice <= 3 * once:
            return ""
        once, twice = max(once, seconds(page(1))), min(twice, seconds(page(2)))
    return f"{once * 1e3:.0f} ms, then {twice * 1e3:.0f}"


def pieces(shape: str) -> Iterator[str]:
    for piece in SHAPES[shape][2]:
        if "{}" in piece:
            yield from (piece.format(trap.replace("\n", " ") * 9) for trap in TRAPS)
        else:
            yield piece


@pytest.mark.soak
@pytest.mark.parametrize("shape", SHAPES)
def test_twice_the_page_takes_twice_the_time(shape: str) -> None:
    form, start, _, end = SHAPES[shape]
    slow = []
    for piece in dict.fromkeys(pieces(shape)):

        def page(times: int, piece: str = piece) -> Page:
            text = start + piece * (times * _CHARACTERS // len(piece)) + end
            return Page(path="a", raw=text.encode(), format=form)

        if times := more_than_linear(page):
            slow.append(f"{piece!r}: {times}")
    assert slow == []
