"""Reading a crawled page in Markdown: its front matter, and its lines as blocks.

The crawler's Markdown is not CommonMark: emphasis stands beside Chinese punctuation, where the
rules of flanking would leave it as it is, code has lost its indentation, and links run over lines.
So it is read line by line, each on its own.
"""

import html
import re
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate

from index.document import Image
from index.extract.blocks import GAP, Block, Kind, Link, tidy
from index.extract.bounds import MOST_BLOCKS

__all__ = ["read_markdown", "split_front_matter"]

_MATTER = re.compile(r"\A\ufeff?---\s*\n(?P<matter>.*?)\n---[^\S\n]*(?:\n|\Z)", re.DOTALL)
_MATTER_LINE = re.compile(r"(?P<name>[a-z_]+)\s*:\s*(?P<value>.*)")

# No part of a link is without end: a line of links would be read to its end from each of them.
_URL = r"(?P<url>(?:[^\s()\\]|\\.|\([^\s()]{0,200}\)){0,2000}+)"
_TITLE = r"""(?:\s{1,20}+(?P<title>"(?:[^"\\]|\\.){0,1000}+"|'(?:[^'\\]|\\.){0,1000}+'))?\s{0,20}"""
# Pictures of some topics have a space in their address.
_IMAGE = re.compile(
    rf"!\[(?P<alt>(?:[^\]\\]|\\.){{0,300}}+)\]\(\s{{0,20}}{_URL}(?: [^\s()\"']{{1,500}})?{_TITLE}\)"
)
_SAID = r"(?:[^\[\]\\]|\\.){0,300}+"
_LINK = re.compile(
    rf"\[(?P<text>(?:[^\[\]\\]|\\.){{0,1000}}+(?:\[{_SAID}\]{_SAID}){{0,10}}+)\]"
    rf"\(\s{{0,20}}{_URL}{_TITLE}\)"
)
# Without these and without "://", the text of a line is the line.
_MARKED = re.compile(r"[`\[<*_\\&\ue000-\ue003]")
_PRIVATE = re.compile("[\ue000-\ue003]")
_BARE_LINK = re.compile(r"<(?P<url>(?:https?|ftp|mailto):[^\s<>]+)>")
_ADDRESS = re.compile(r"https?://[^\s<>*`\u2018-\u201f\u3000-\uffef]+")
_TICKS = re.compile("`+")
_LINKED = re.compile("\ue002[^\ue003]*\ue003")
_KEPT = re.compile("\ue000(\\d+)\ue001")
_STRONG = re.compile(r"\*\*+|(?<!\w)__+|(?<!_)__+(?!\w)")
_EMPHASIS = re.compile(
    r"(?<![\w*\\])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])|(?<=[\u3000-\uffef])\*([^*\n]+?)\*"
)
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_TAG = re.compile(
    r"</?(?:br|p|div|span|font|b|i|em|strong|a|img|section|center|sup|sub|u)\b[^<>]*>", re.I
)

_FENCE = re.compile(r"\s{0,6}(?P<fence>```+|~~~+)\s*[\w+#.-]*\s*$")
_HEADING = re.compile(r"\s{0,3}(?P<marks>#{1,6})(?:\s+(?P<text>.*)|#*\s*)$")
_SHORT_LINE = 200  # longer ones are paragraphs, which do not repeat
_SHORT_TEXT = 40
_LONGEST_HEADING = 80  # a paragraph set as a heading is still a paragraph
_UNDERLINE = re.compile(r"\s{0,3}(?:={3,}|-{2,})\s*$")
_RULE = re.compile(r"\s{0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$")
_LINE_MARKS = "#>*+-•"  # first characters of headings, quotes and items
_ITEM = re.compile(r"\s*(?:[*+\-•]\s+)+(?P<text>.*)$")
_QUOTE = re.compile(r"(?:\s{0,3}>)+\s?(?P<text>.*)$")
_TABLE_LINE = re.compile(r"\s*\|.*\|\s*$")
_EMPTY_CELLS = re.compile(r"\|\s*\|\s*(?:\|\s*-{3,}\s*)+\|\s*\|?")
_TABLE_RULE = re.compile(r"[\s|:\-]+$")
_HTML_TABLE = re.compile(r"<table\b.*?(?:</table>|\Z)", re.DOTALL | re.I)
_ROW_END = re.compile(r"</tr>|<br\s*/?>", re.I)
_CELL_END = re.compile(r"</t[dh]>", re.I)
_ANY_TAG = re.compile(r"</?[a-z][^<>]*>", re.I)
_HAN = re.compile("[\u4e00-\u9fff]")
_CODE_SIGN = re.compile(r"[;{}()=<>/\\$|&\[\]_]")
_BROKEN_LINK = re.compile(
    r"\[(?:!\[[^\]\n]{0,200}\]\([^)\n]{0,500}\)|[^\[\]\n]){0,400}\n"
    r"(?:!\[[^\]\n]{0,200}\]\([^)\n]{0,500}\)|[^\[\]]){0,400}?\]\((?=[^\s)])"
)


def split_front_matter(text: str) -> tuple[dict[str, str], str]:
    """Return the front matter's values and the rest of the text.

    The front matter is no YAML: titles hold colons, quotes and brackets as they are. Each line is
    split at its first colon.
    """
    match = _MATTER.match(text)
    if match is None:
        return {}, text
    values: dict[str, str] = {}
    for line in match["matter"].split("\n"):
        if found := _MATTER_LINE.fullmatch(line.strip()):
            values.setdefault(found["name"], found["value"].strip())
    # "---" also rules a page that has no front matter.
    return (values, text[match.end() :]) if values else ({}, text)


def read_markdown(text: str) -> list[Block]:
    """Return the blocks of a page without its front matter, in order."""
    blocks: list[Block] = []
    follows = False
    fence: str | None = None
    fenced: list[str] = []
    text = _HTML_TABLE.sub(_rows, _BROKEN_LINK.sub(_on_one_line, text))
    for line in text.splitlines():
        if len(blocks) + len(fenced) >= MOST_BLOCKS:
            break
        if fence is not None:
            if line.strip().startswith(fence):
                blocks += _fenced(fenced)
                fence, fenced = None, []
            elif line.strip():
                fenced.append(line.rstrip())
            follows = False
            continue
        # A look at the first character spares most lines the patterns.
        mark = line.lstrip()[:1]
        if not mark:
            follows = False
            continue
        if mark in "`~" and (opened := _FENCE.match(line)):
            fence = opened["fence"]
            continue
        if mark in "=-" and follows and blocks[-1].kind == "text" and _UNDERLINE.match(line):
            last = blocks.pop()
            blocks.append(Block("heading", last.text, last.links, last.images, level=2))
            follows = False
            continue
        if mark in "-*_" and _RULE.match(line):
            blocks.append(Block("rule", ""))
            follows = False
            continue
        block = (_short_line if len(line) <= _SHORT_LINE else _read_line)(line, follows)
        if block is not None:
            blocks.append(block)
            follows = True
    return blocks + _fenced(fenced)


def _fenced(lines: list[str]) -> list[Block]:
    """Return the blocks of a fenced piece; public accounts also decorate captions so."""
    joined = "".join(lines)
    is_prose = _HAN.search(joined) and not _CODE_SIGN.search(joined)
    return [Block("text" if is_prose else "code", line) for line in lines]


def _rows(match: re.Match[str]) -> str:
    """Return the rows of a table in HTML, which the crawler leaves where Markdown has no words."""
    lines = _ROW_END.sub("\n", _CELL_END.sub(GAP, " ".join(match[0].split())))
    return "\n\n" + html.unescape(_ANY_TAG.sub("", lines)) + "\n\n"


def _on_one_line(match: re.Match[str]) -> str:
    return " ".join(map(str.strip, match[0].split("\n")))


def _read_line(line: str, follows: bool) -> Block | None:
    if line.lstrip()[:1] not in _LINE_MARKS and "|" not in line:
        return _inline(line, "text", 0, follows)
    kind: Kind = "text"
    level = 0
    if heading := _HEADING.match(line):
        kind, level, line = "heading", len(heading["marks"]), _heading_text(heading)
    elif _TABLE_LINE.match(line) and line.count("|") > 2:
        if _TABLE_RULE.match(line):
            return None
        cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
        line, kind = " ".join(filter(None, (cell.strip() for cell in cells))), "table"
    else:
        line = _EMPTY_CELLS.sub("", line)
        if quote := _QUOTE.match(line):
            kind, line = "quote", quote["text"]
        if item := _ITEM.match(line):
            kind, line = "item", item["text"]
            if inner := _HEADING.match(line):  # "* ##### [title](…)" in lists of related articles
                line = _heading_text(inner)
        elif inner := _HEADING.match(line):
            kind, level, line = "heading", len(inner["marks"]), _heading_text(inner)
    block = _inline(line, kind, level, follows)
    if kind == "heading" and len(block.text) > _LONGEST_HEADING:
        return replace(block, kind="text", level=0)
    return block


def _heading_text(heading: re.Match[str]) -> str:
    """Return a heading's text without the marks that may close it."""
    # A pattern for the end takes the cube of the time where hundreds of spaces stand there.
    return (heading["text"] or "").rstrip().rstrip("#").rstrip()


# Two lines in five are furniture that the pages before had too.
_short_line = lru_cache(maxsize=4096)(_read_line)


def _inline(line: str, kind: Kind, level: int, follows: bool) -> Block:
    if "://" not in line and not _MARKED.search(line):
        return Block(kind, tidy(line, gap=GAP), level=level, follows=follows)
    links: list[Link] = []
    images: list[Image] = []
    alternatives: list[str] = []
    kept: list[str] = []

    def keep(text: str) -> str:
        kept.append(text)
        return f"\ue000{len(kept) - 1}\ue001"

    def restore(text: str) -> str:
        if "\ue000" not in text:
            return text
        return _KEPT.sub(lambda match: kept[int(match[1])], text)

    def image(match: re.Match[str]) -> str:
        # A picture whose address the crawler did not see is still one.
        images.append(Image(url=_unescaped(match["url"].strip()), caption=""))
        alternatives.append(match["alt"])
        return " "

    def link(match: re.Match[str]) -> str:
        text = restore(_plain(match["text"])).strip()
        # A link that is a picture says in its alternative text what a reader sees.
        said = text or (_plain(alternatives[0]) if alternatives else "")
        links.append(Link(tidy(said), _unescaped(match["url"])))
        return f"\ue002{keep(text)}\ue003"

    # What is kept from further reading stands in the line as a number between two private
    # characters, a link's text between two more.
    line = _PRIVATE.sub("", line)
    if "`" in line:
        line = _keep_code(line, keep)
    if "](" in line:
        line = _LINK.sub(link, _IMAGE.sub(image, line))
    if "<" in line:
        line = _BARE_LINK.sub(lambda match: keep(match["url"]), line)
    if "://" in line:
        line = _ADDRESS.sub(lambda match: keep(_unescaped(match[0])), line)
    line = _plain(line)
    text = tidy(restore(line.replace("\ue002", "").replace("\ue003", "")), gap=GAP)
    unlinked = tidy(restore(_LINKED.sub("", line))) if links else ""
    return Block(kind, text, tuple(links), tuple(images), level, follows, unlinked)


def _keep_code(line: str, keep: Callable[[str], str]) -> str:
    """Return a line with what `keep` gives for its pieces of code, which stand between back ticks.

    A piece begins with as many ticks as close it anywhere behind, and the first that do close it: a
    pattern with a back reference finds the same, but takes the cube of the time on a row of ticks.
    """
    runs = [match.span() for match in _TICKS.finditer(line)]
    widths = [end - start for start, end in runs]
    widest = [*accumulate(reversed(widths), max, initial=0)][-2::-1]  # of those after each run
    pieces: list[str] = []
    number = at = 0
    while number < len(runs):
        start, end = runs[number]
        own = (widths[number] - 1) // 2  # a row of ticks can hold ticks as its code
        ticks = max(own, min(widths[number], widest[number]))
        if not ticks:
            break
        if ticks > own:
            number = next(n for n in range(number + 1, len(runs)) if widths[n] >= ticks)
            end = runs[number][1]
        pieces += line[at:start], keep(line[start + ticks : end - ticks].strip())
        number, at = number + 1, end
    return "".join(pieces) + line[at:]


def _plain(text: str) -> str:
    if "<" in text:
        text = _TAG.sub("", text)
    if "**" in text or "__" in text:
        text = _STRONG.sub("", text)
    if "*" in text:
        text = _EMPHASIS.sub(lambda match: match[1] or match[2], text)
        if text.count("*") == 1 and len(text) < _SHORT_TEXT:
            text = text.strip("* ")  # emphasis that runs over lines
    return html.unescape(_unescaped(text))


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(r"\1", text) if "\\" in text else text
