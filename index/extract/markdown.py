"""Reading a crawled page in Markdown: its front matter, and its lines as blocks.

The crawler's Markdown is not CommonMark: emphasis stands beside Chinese punctuation, where the
rules of flanking would leave it as it is, code has lost its indentation, and links run over lines.
So it is read line by line, each on its own.
"""

import html
import re
from dataclasses import replace

from index.document import Image
from index.extract.blocks import GAP, Block, Kind, Link, tidy

__all__ = ["read_markdown", "split_front_matter"]

_MATTER = re.compile(r"\A\ufeff?---\s*\n(?P<matter>.*?)\n---[^\S\n]*(?:\n|\Z)", re.DOTALL)
_MATTER_LINE = re.compile(r"(?P<name>[a-z_]+)\s*:\s*(?P<value>.*)")

_URL = r"(?P<url>(?:[^\s()\\]|\\.|\([^\s()]{0,200}\)){0,2000})"
_TITLE = r"""(?:\s+(?P<title>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))?\s*"""
# Pictures of some topics have a space in their address.
_IMAGE = re.compile(
    rf"!\[(?P<alt>(?:[^\]\\]|\\.){{0,300}})\]\(\s*{_URL}(?: [^\s()\"']+)?{_TITLE}\)"
)
_LINK = re.compile(
    rf"\[(?P<text>(?:[^\[\]\\]|\\.|\[(?:[^\[\]\\]|\\.){{0,300}}\]){{0,1000}})\]\(\s*{_URL}{_TITLE}\)"
)
_BARE_LINK = re.compile(r"<(?P<url>(?:https?|ftp|mailto):[^\s<>]+)>")
_ADDRESS = re.compile(r"https?://[^\s<>*`\u2018-\u201f\u3000-\uffef]+")
_CODE_SPAN = re.compile(r"(?P<ticks>`+)(?P<code>.+?)(?P=ticks)(?!`)")
_LINKED = re.compile("\ue002[^\ue003]*\ue003")
_KEPT = re.compile("\ue000(\\d+)\ue001")
_STRONG = re.compile(r"\*\*+|(?<![\w])__+|__+(?![\w])")
_EMPHASIS = re.compile(
    r"(?<![\w*\\])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])|(?<=[\u3000-\uffef])\*([^*\n]+?)\*"
)
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_TAG = re.compile(
    r"</?(?:br|p|div|span|font|b|i|em|strong|a|img|section|center|sup|sub|u)\b[^<>]*>", re.I
)

_FENCE = re.compile(r"\s{0,6}(?P<fence>```+|~~~+)\s*[\w+#.-]*\s*$")
_HEADING = re.compile(r"\s{0,3}(?P<marks>#{1,6})(?:\s+(?P<text>.*?))?\s*#*\s*$")
_SHORT_LINE = 40
_LONGEST_HEADING = 80  # a paragraph set as a heading is still a paragraph
_UNDERLINE = re.compile(r"\s{0,3}(?:={3,}|-{2,})\s*$")
_RULE = re.compile(r"\s{0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$")
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
        if fence is not None:
            if line.strip().startswith(fence):
                blocks += _fenced(fenced)
                fence, fenced = None, []
            elif line.strip():
                fenced.append(line.rstrip())
            follows = False
            continue
        if opened := _FENCE.match(line):
            fence = opened["fence"]
            continue
        if not line.strip():
            follows = False
            continue
        if _UNDERLINE.match(line) and follows and blocks and blocks[-1].kind == "text":
            last = blocks.pop()
            blocks.append(Block("heading", last.text, last.links, last.images, level=2))
            follows = False
            continue
        if _RULE.match(line):
            blocks.append(Block("rule", ""))
            follows = False
            continue
        block = _read_line(line, follows=follows)
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


def _read_line(line: str, *, follows: bool) -> Block | None:
    kind: Kind = "text"
    level = 0
    if heading := _HEADING.match(line):
        kind, level, line = "heading", len(heading["marks"]), heading["text"] or ""
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
                line = inner["text"] or ""
        elif inner := _HEADING.match(line):
            kind, level, line = "heading", len(inner["marks"]), inner["text"] or ""
    block = _inline(line, kind, level, follows=follows)
    if kind == "heading" and len(block.text) > _LONGEST_HEADING:
        return replace(block, kind="text", level=0)
    return block


def _inline(line: str, kind: Kind, level: int, *, follows: bool) -> Block:
    links: list[Link] = []
    images: list[Image] = []
    alternatives: list[str] = []
    kept: list[str] = []

    def keep(text: str) -> str:
        kept.append(text)
        return f"\ue000{len(kept) - 1}\ue001"

    def restore(text: str) -> str:
        return _KEPT.sub(lambda match: kept[int(match[1])], text)

    def image(match: re.Match[str]) -> str:
        # A picture whose address the crawler did not see is still one.
        images.append(Image(url=_ESCAPE.sub(r"\1", match["url"].strip()), caption=""))
        alternatives.append(match["alt"])
        return " "

    def link(match: re.Match[str]) -> str:
        text = restore(_plain(match["text"])).strip()
        # A link that is a picture says in its alternative text what a reader sees.
        said = text or (_plain(alternatives[0]) if alternatives else "")
        links.append(Link(tidy(said), _ESCAPE.sub(r"\1", match["url"])))
        return f"\ue002{keep(text)}\ue003"

    # What is kept from further reading stands in the line as a number between two private
    # characters, a link's text between two more.
    line = line.translate(dict.fromkeys(range(0xE000, 0xE004)))
    line = _CODE_SPAN.sub(lambda match: keep(match["code"].strip()), line)
    line = _IMAGE.sub(image, line)
    line = _LINK.sub(link, line)
    line = _BARE_LINK.sub(lambda match: keep(match["url"]), line)
    line = _ADDRESS.sub(lambda match: keep(_ESCAPE.sub(r"\1", match[0])), line)
    line = _plain(line)
    text = tidy(restore(line.translate({0xE002: None, 0xE003: None})), gap=GAP)
    unlinked = tidy(restore(_LINKED.sub("", line))) if links else ""
    return Block(kind, text, tuple(links), tuple(images), level, follows, unlinked)


def _plain(text: str) -> str:
    text = _TAG.sub("", text)
    text = _STRONG.sub("", text)
    text = _EMPHASIS.sub(lambda match: match[1] or match[2], text)
    if text.count("*") == 1 and len(text) < _SHORT_LINE:
        text = text.strip("* ")  # emphasis that runs over lines
    return html.unescape(_ESCAPE.sub(r"\1", text))
