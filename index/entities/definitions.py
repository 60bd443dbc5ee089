"""Names that an article gives an organisation for its own length: （以下简称“…”）, short forms."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache

from index.document import FieldName
from index.entities.names import has_borders
from index.entities.places import brands, countries, has_legal_form, place_end, without_place
from index.entities.spans import Span
from index.entities.table import OrganisationTable
from index.entities.words import HAN, is_generic

__all__ = ["defined_names", "find_local_bodies", "find_local_names", "local_names"]

_BRACKET = re.compile(r"\s?[（(](?P<inner>[^（()）\n]{2,80})[)）]")
_CALLED = re.compile(
    r"(?:以下|下文|下)?(?:统一)?(?:简称|统称|又称|下称|缩写|英文名?)(?:为|是|作)?[:：]?\s?"
)
_QUOTED = re.compile(r"[“\"「『《‘'](?P<name>[^”\"」』》’'“]{2,30})[”\"」』》’']")
_PLAIN = re.compile(rf"[{HAN}A-Za-z0-9&.·\-]{{2,20}}")
_ABBREVIATION = re.compile(r"[A-Z][A-Za-z]*[A-Z][A-Za-z]*(?:[/\-][A-Z]+)?")
# Said of many in one article: only where no other word leans on it is it the name.
_COMMON = frozenset(
    {
        "联盟",
        "协会",
        "学会",
        "公司",
        "集团",
        "中心",
        "研究所",
        "研究院",
        "实验室",
        "委员会",
        "基金会",
        "大学",
        "学院",
        "办公室",
        "本公司",
        "组织",
        "平台",
    }
)
_LOCAL_BODY = re.compile(
    rf"(?:^|(?<=[^{HAN}A-Za-z0-9])|(?<=[由和与及在向从])|(?<=联合|根据|按照))"
    rf"(?P<body>[市省区县](?:委(?:网信办|宣传部|政法委|组织部|统战部|办公厅|办公室|教育工委)|(?:公安|教育|司法|财政|商务|卫健|发改|经信|国资|教|网信|通信管理|市场监管"
    rf"|市场监督管理|大数据|数据|科技|科学技术|经济和信息化|发展和改革|政务服务|密码管理|保密)[{HAN}]{{0,6}}?"
    r"(?:局|委员会|委|办公室|办|厅|中心)))",
    re.MULTILINE,
)
# 美国司法部, but 司法部 alone: a ministry of the country that the article is about.
_MINISTRY = re.compile(
    f"(?:(?<![{HAN}])|(?<=[由与和对据被从向在及，、]))(?:司法|国防|能源|财政|商务|国土安全|内政|外交|国务|教育|农业|交通)部(?![{HAN}]?[长门署])"
)
_LEANS = re.compile(f"[{HAN}A-Za-z0-9]$")
_MAY_LEAN = re.compile("[的了在和与及由对将向是被从为给让使经以]$")


def local_names(
    text: str, spans: Iterable[Span], table: OrganisationTable
) -> Iterator[tuple[str, Span]]:
    """Yield names that `text` defines for the organisations at `spans`, each with its span."""
    for span in spans:
        surface = text[span.start : span.end]
        bracket = _BRACKET.match(text, span.end)
        if bracket:
            for name in _defined(bracket["inner"], known=table.find(surface) is not None):
                owner = table.find(name)
                if name != surface and (owner is None or owner.name == span.name):
                    yield name, span
                elif owner and table.find(surface) is None and owner.type == span.type:
                    # The table knows the short name only: the full one is of the same row.
                    yield surface, replace(span, name=owner.name)
        if span.type == "government":
            short = without_place(surface)
            if short and len(short) > 2:
                yield short, span
        elif span.type == "company" and has_legal_form(surface) and not table.find(surface):
            brand = list(brands(surface))[-1]
            if len(brand) > 2 and not table.find(brand) and not is_generic(brand):
                yield brand, span


def defined_names(text: str, span: Span, table: OrganisationTable) -> Iterator[str]:
    """Yield short names, in no table, that `text` gives the organisation at `span` in words."""
    bracket = _BRACKET.match(text, span.end)
    for name in _defined(bracket["inner"], known=True) if bracket else ():
        if name not in _COMMON and not is_generic(name) and table.find(name) is None:
            yield name


def _defined(inner: str, *, known: bool) -> Iterator[str]:
    called = _CALLED.search(inner)
    if called:
        rest = inner[called.end() :]
        quoted = [match["name"] for match in _QUOTED.finditer(rest)]
        if quoted:
            yield from quoted
        elif plain := _PLAIN.fullmatch(rest.strip()):
            yield plain[0]
    if not known:
        for part in re.split("[，,、;；]", inner):
            if abbreviation := _ABBREVIATION.fullmatch(part.strip()):
                yield abbreviation[0]


def find_local_names(text: str, names: dict[str, Span]) -> Iterator[Span]:
    """Yield the places in `text` of names that the article defined."""
    for name, owner in names.items():
        start = text.find(name)
        while start >= 0:
            end = start + len(name)
            if has_borders(text, start, end) and not (name in _COMMON and _is_part(text, start)):
                yield Span(start, end, owner.name, owner.type)
            start = text.find(name, end)


def find_local_bodies(texts: Mapping[FieldName, str], table: OrganisationTable) -> dict[str, Span]:
    """Return the names that leave out the place an article is about: 市公安局, 司法部."""
    text = "\n".join(texts.values())
    found = dict(_ministries(text, table))
    bodies = dict.fromkeys(match["body"] for match in _LOCAL_BODY.finditer(text))
    for rank in dict.fromkeys(body[0] for body in bodies):
        cities = Counter(city for city in _cities(text, rank))
        if not cities:
            continue
        city, _ = cities.most_common(1)[0]
        for body in bodies:
            if body[0] == rank:
                known = table.find(city + body)
                name = known.name if known else city + body
                found[body] = Span(0, 0, name, "government")
    return found


def _ministries(text: str, table: OrganisationTable) -> Iterator[tuple[str, Span]]:
    """Yield ministries without their country: that of the country named most which has one."""
    bodies = dict.fromkeys(match[0] for match in _MINISTRY.finditer(text))
    if bodies:
        named = Counter(match[0] for match in _countries().finditer(text))
        for body in bodies:
            rows = (table.find(country + body) for country, _ in named.most_common())
            if row := next((row for row in rows if row), None):
                yield body, Span(0, 0, row.name, row.type)


@cache
def _countries() -> re.Pattern[str]:
    return re.compile("|".join(sorted(countries(), key=len, reverse=True)))


def _cities(text: str, rank: str) -> Iterator[str]:
    """Yield the place before each `rank`, which is 市, 省, 区 or 县."""
    for match in re.finditer(rank, text):
        for length in (4, 3, 2):
            start = match.start() - length
            if start >= 0 and place_end(text, start, match.start()) == match.start():
                yield text[start : match.start()]
                break


def _is_part(text: str, start: int) -> bool:
    before = text[max(0, start - 1) : start]
    return bool(_LEANS.search(before)) and not _MAY_LEAN.search(before)
