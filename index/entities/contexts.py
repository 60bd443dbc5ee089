"""Finding Latin names and groups by the words beside them: 安全公司 Foo, Foo 勒索团伙, APT-C-00."""

import re
from collections.abc import Iterator

from index.document import OrganisationType
from index.entities.names import has_borders
from index.entities.places import has_legal_form
from index.entities.spans import Span
from index.entities.table import OrganisationTable
from index.entities.words import HAN, is_common_latin, is_generic

__all__ = ["find_by_context"]

_WORD = r"[A-Z][A-Za-z0-9&'’.\-]*[A-Za-z0-9]"
_LATIN = rf"{_WORD}(?: (?:of |and |& )?{_WORD}){{0,3}}"
_NAME = re.compile(_LATIN)

_COMPANY = "公司|厂商|供应商|开发商|运营商|制造商|提供商|服务商|巨头"
_GROUP = "黑客|勒索软件|勒索|APT|威胁|间谍|犯罪|攻击|黑产"
_FIRSTS = "".join(word[0] for word in f"{_COMPANY}|{_GROUP}".split("|"))
_AFTER_WORDS = re.compile(
    f"(?=[{_FIRSTS}])"  # spares most places the alternatives
    # A malware family is no gang: 勒索软件 X does not say who runs it.
    f"(?:(?P<company>{_COMPANY})|(?:{_GROUP})(?:组织|团伙|集团)(?:名为|自称)?)"
)
_QUOTED_NAME = re.compile(rf"[“\"「『]? ?(?P<name>{_LATIN})")

_COMPANY_FOLLOWS = re.compile(
    r"(?: ?的)? ?(?:公司|(?:安全|威胁|网络安全|高级|首席)?(?:研究人员|研究员|分析师)"
    r"|(?:安全|威胁情报|研究|威胁研究|应急响应)(?:研究)?团队"
    r"|首席[信息执行技术安全运营]{2,4}官|联合创始人|发言人)"
)
_CALLED = re.compile(
    r"(?:名为|名叫|叫做|昵称|化名|网名) ?[“\"「『]?$"
)  # 名为 X 的研究人员: a person
_TO_NUMBER = re.compile(r"(?<=APT)[ \-](?=\d)")  # APT-29 is APT29
_INSTITUTE = re.compile(r"University of [A-Z].+|(?:[A-Z].* )(?:University|Institute of Technology)")

# A paper or a site that is quoted: 据《某报》报道. Laws and reports stand in the same marks.
_QUOTED_MEDIA = re.compile(
    r"(?P<before>据|援引|引述|告诉|接受|登上)?(?:[^，。《》\n]{0,8})《(?P<name>[^《》\n]{2,24})》"
    r"(?P<after>\s?(?:报道|杂志|记者|网站|援引|采访|周二|周一|周三|周四|周五|周六|周日|的一?[篇份则]?报道|称，?))?"
)
_LAW = re.compile(
    r"(?:法|条例|规定|办法|通知|指南|标准|意见|规划|方案|公告|战略|报告|白皮书|指引|细则|要求|令|书|协议|条约|公约|计划"
    r"|规范|纲要|简报|手册|图谱|框架|期刊|学报|月刊|论文)$|[0-9]{4}"
)
_MEDIA_KIND = re.compile("杂志|周刊|时报|邮报|新闻网|新闻社|电视台|广播公司")
_LATIN_BEFORE = re.compile(rf"(?<![A-Za-z0-9]){_LATIN} ?$")

_GROUP_KINDS = r"(?:APT|黑客|勒索|黑产|间谍|威胁|网络犯罪|犯罪|攻击|威胁行为|挖矿|软件|病毒| ){0,6}"
_GROUP_FOLLOWS = re.compile(rf" ?[”\"」』]? ?(?:的新型)?{_GROUP_KINDS}(?:组织|团伙|帮派)")
_HAN_GROUP = re.compile(rf"[“「](?P<name>[{HAN}]{{2,6}})[”」]{_GROUP_KINDS}(?:组织|团伙)")
_GROUP_HAN = re.compile(
    rf"(?:黑客|勒索|APT|间谍|黑产)(?:组织|团伙)[“「](?P<name>[{HAN}]{{2,6}})[”」]"
)
# Groups that vendors number, and those they name by a scheme: Volt Typhoon, Fancy Bear.
_NUMBERED = re.compile(
    r"(?=[ACDFSTUs])"  # their first letters, which spare most places the alternatives
    r"(?:T-?APT-\d\d|APT-[CQK]-\d{1,3}|APT[ \-]?\d{1,3}|UNC\d{3,4}|FIN\d{1,2}|UAC-\d{4}"
    r"|TA(?!00)\d{3,4}|[Ss]torm-\d{4}|STORM-\d{4}|DEV-\d{4}|TAG-\d{2,3}|UTG-Q-\d{3}|UAT-\d{4,5}"
    r"|CL-STA-\d{4})"
)
_SCHEME = re.compile(
    r"[A-Z][a-z]+ (?:Panda|Bear|Kitten|Chollima|Spider|Typhoon|Blizzard|Sleet|Sandstorm|Tempest"
    r"|Tsunami|Jackal|Buffalo|Taurus|Ursa|Serpens|Pisces|Libra|Scorpius)(?![A-Za-z])"
)
_NO_NAME = re.compile(
    r"(?:CVE|MS|KB|RFC|GB|ISO|Windows|Android|Linux|Black Hat|C[EFTOIS]O|CISO)\b", re.ASCII
)


def find_by_context(text: str, table: OrganisationTable) -> Iterator[Span]:
    """Yield Latin names that the words beside them make organisations, and groups of all kinds."""
    for match in _NAME.finditer(text):
        surface, end = match[0], match.end()
        if _GROUP_FOLLOWS.match(text, end):
            yield from _span(text, match.start(), end, "group", table)
        elif has_legal_form(surface):
            yield from _span(text, match.start(), end + text.startswith(".", end), "company", table)
        elif _COMPANY_FOLLOWS.match(text, end) and not _is_called(text, match.start()):
            yield from _span(text, match.start(), end, "company", table)
        elif _INSTITUTE.fullmatch(surface):
            yield from _span(text, match.start(), end, "institute", table)
    for match in _AFTER_WORDS.finditer(text):
        if name := _QUOTED_NAME.match(text, match.end()):
            type_: OrganisationType = "company" if match["company"] else "group"
            yield from _span(text, *name.span("name"), type_, table)
    for match in _QUOTED_MEDIA.finditer(text):
        before, after = match["before"], match["after"] or ""
        is_source = after.strip().startswith(("报道", "记者", "援引", "采访", "的")) or (
            before == "据" and after
        )
        if (is_source or "杂志" in after) and not _LAW.search(match["name"]):
            yield from _span(text, *match.span("name"), "media", table)
    for match in _MEDIA_KIND.finditer(text):
        if name := _LATIN_BEFORE.search(text, max(0, match.start() - 40), match.start()):
            yield from _span(text, name.start(), match.end(), "media", table)
    for pattern, part in ((_HAN_GROUP, "name"), (_GROUP_HAN, "name"), (_NUMBERED, 0), (_SCHEME, 0)):
        for match in pattern.finditer(text):
            if not is_generic(match[part]):
                yield from _span(text, *match.span(part), "group", table)


def _is_called(text: str, start: int) -> bool:
    return _CALLED.search(text, max(0, start - 6), start) is not None


def _span(
    text: str, start: int, end: int, type_: OrganisationType, table: OrganisationTable
) -> Iterator[Span]:
    surface = text[start:end]
    if not has_borders(text, start, end):
        return
    known = table.find(surface) or table.find(_TO_NUMBER.sub("", surface))
    if known:
        yield Span(start, end, known.name, known.type)
    elif (
        not is_common_latin(surface)
        and not _NO_NAME.match(surface)
        and not any(table.find(word) for word in surface.split(" "))
    ):
        yield Span(start, end, surface, type_)
