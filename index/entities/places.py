"""Full names of bodies: the place they begin with, the form and trade they end with."""

import re
from collections.abc import Iterator
from functools import cache

from index.entities.words import read_list

__all__ = [
    "LEGAL_FORMS",
    "brands",
    "countries",
    "has_legal_form",
    "is_in_china",
    "place_end",
    "without_place",
]

LEGAL_FORMS = ("股份有限公司", "有限责任公司", "有限公司")

_FORM = re.compile(
    f"(?:{'|'.join(LEGAL_FORMS)}|公司"
    r"|(?<=[A-Za-z0-9]),? (?:(?:Pte|Pty|Co)\.?,? )?"
    r"(?:Inc|Corp|Ltd|LLC|GmbH|Corporation|Limited)\.?)$"
)
_BRACKET = re.compile(r"[（(][^（()）]*[)）]")
_TRADE = re.compile(
    "(?:网络安全|信息安全|数据安全|安全|信息|网络|数据|科技|技术|软件|计算机|电子|通信|通讯|数码"
    "|数字|智能|系统|服务|发展|工程|咨询|实业|集团|控股|云计算|互联网|文化|传媒|产业|投资|开发"
    "|集成|测评|检测|评估)$"
)
_RANK = re.compile(
    "(?:特别行政区|(?:壮族|回族|维吾尔)?自治区|自治[州县]|新区|高新区|经济技术开发区|开发区"
    "|[省市区县州])?"
)


def place_end(text: str, start: int, limit: int) -> int | None:
    """Return where the place that begins at `start` ends, 省 or 市 included, or None."""
    for name in _places().get(text[start : start + 2], ()):
        if text.startswith(name, start) and start + len(name) <= limit:
            rank = _RANK.match(text, start + len(name), limit)
            return rank.end() if rank else start + len(name)
    return None


def without_place(name: str) -> str | None:
    """Return what follows the place that `name` begins with: 市公安局 of 上海市公安局, or None."""
    for place in _places().get(name[:2], ()):
        if name.startswith(place):
            return name.removeprefix(place) or None
    return None


def has_legal_form(name: str) -> bool:
    """Say whether a name ends like a company's full name: 有限公司, 公司, Inc."""
    return _FORM.search(name) is not None


def brands(name: str) -> Iterator[str]:
    """Yield a company's name without legal form and place, then without its trade, word by word.

    北京某某网络科技有限公司 → 某某网络科技, 某某网络, 某某; Foo Inc. → Foo.
    """
    brand = _BRACKET.sub("", _FORM.sub("", name))
    place = place_end(brand, 0, len(brand))
    if place:
        brand = brand[place:]
    yield brand
    while (trade := _TRADE.search(brand)) and trade.start() > 1:
        brand = brand[: trade.start()]
        yield brand


def is_in_china(place: str) -> bool:
    """Say whether a place, as `place_end` bounds it, is one in China or China itself."""
    return not place.startswith(countries())


@cache
def countries() -> tuple[str, ...]:
    """Return the names of countries other than China."""
    lines = (line.partition(":") for line in read_list("regions.txt"))
    return tuple(name for kind, _, names in lines if kind == "country" for name in names.split())


@cache
def _places() -> dict[str, tuple[str, ...]]:
    """Return the places by their first two characters, the longest first."""
    names = {name for line in read_list("regions.txt") for name in line.partition(":")[2].split()}
    starts: dict[str, list[str]] = {}
    for name in sorted(names, key=lambda name: (-len(name), name)):
        starts.setdefault(name[:2], []).append(name)
    return {start: tuple(group) for start, group in starts.items()}
