"""Finding the names of the table in a text: longest match, borders, traps and weak names."""

import re
from collections.abc import Iterable, Iterator
from functools import cache

from index.document import OrganisationType
from index.entities.spans import Span
from index.entities.table import OrganisationTable
from index.entities.words import read_list

__all__ = ["SAID", "NameFinder", "fold_text", "has_borders"]

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_FULL_WIDTH_WORD = re.compile("[０-９Ａ-Ｚａ-ｚ]")

# A Latin name stands alone: not part of a word, an address, a path or a registry key.
_JOINS_LEFT = frozenset("_\\/@.-#=&%$:")
_JOINS_RIGHT = frozenset("_\\/@=")

SAID = (
    "宣布|表示|声称|宣称|回应|证实|承认|披露|指出|警告|声明|透露|起诉|收购|强调|确认|同意|拒绝|推出"
    "|公布|裁员|启动|发布了|修复了|封禁|解雇|遭到?罚款|攻击了|入侵了|窃取了"
)
_BEFORE_COMPANY = re.compile(
    r"(?:公司|厂商|巨头|企业|供应商|开发商|运营商|制造商|提供商|服务商|机构|平台商)"
    r"(?:名为|叫做)?\s?[“\"「『]?\s?$"
)
_AFTER_COMPANY = re.compile(
    r"\s?[”\"」』]?\s?(?:公司|集团|官方|研究人员|研究员|安全团队|威胁情报|发言人|首席|CEO|创始人|高管"
    rf"|(?:已经?|也|还|则|又|正|正在|日前|近日|今日|今天|昨日|昨天|方面|周[一二三四五六日])*(?:{SAID}))"
)
_BEFORE_GROUP = re.compile(
    r"(?:组织|团伙|帮派|集团|黑客|攻击者)(?:名为|叫做|自称)?\s?[“\"「『]?\s?$"
)
_AFTER_GROUP = re.compile(
    r"\s?[”\"」』]?\s?(?:(?:的新型)?(?:勒索|黑客|APT|攻击|犯罪|间谍|威胁|黑产|软件|病毒|即服务|\(RaaS\)|\s)*"
    r"(?:组织|团伙|帮派|集团|运营者|运营商|运营方|附属|成员|关联公司|黑客|行为者)"
    rf"|(?i:\s?(?:ransomware )?(?:group|gang|team)\b)"
    rf"|(?:也|还|则|随后|已经?|日前|近日)*(?:{SAID}))"
)
_BEFORE_MEDIA = re.compile(r"(?:据|援引|媒体|《)\s?$")
_AFTER_MEDIA = re.compile(r"\s?(?:》|报道|记者|新闻|商业频道|网站|援引|称|采访|专栏)")
_STUDENTS = re.compile("(?<=大学)生(?![命物态])")  # 北京大学生, not 北京大学生命科学学院
_DATE = re.compile(r"\d{1,2}月|20\d\d年")
# After a group's name: it is that of a malware here.
_MALWARE = re.compile(
    r" ?[”\"」』]? ?(?:木马|后门|远控|蠕虫|病毒(?!组织|团伙)"
    r"|(?:恶意|间谍)(?:软件|代码|程序)(?!组织|团伙))"
)
# After a number: what makes it a quantity, not the vendor 360.
_QUANTITY = re.compile(
    r"\s?[度°%％万亿千百个家条名人多余项款页行集分秒天年月种次元台位所部份处块KMG+×xX*]"
)


def fold_text(text: str) -> str:
    """Return `text` in the case and width in which names are compared, with the same length."""
    if _FULL_WIDTH_WORD.search(text):
        text = text.translate(_FULL_WIDTH)
    folded = text.lower()
    if len(folded) == len(text):
        return folded
    # İ becomes two characters; offsets must not move for it.
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


def has_borders(text: str, start: int, end: int) -> bool:
    """Say whether a name that begins or ends in Latin letters or digits is no part of a word."""
    if start and _is_latin(text[start]):
        before = text[start - 1]
        if _is_latin(before) or before in _JOINS_LEFT:
            return False
    if end < len(text) and _is_latin(text[end - 1]):
        after = text[end]
        # 据Foo12月16日消息: a date, not a part of the name.
        is_dated = text[end - 1].isalpha() and _DATE.match(text, end)
        if (_is_latin(after) and not is_dated) or after in _JOINS_RIGHT:
            return False
        if after in ".-'’" and end + 1 < len(text) and _is_latin(text[end + 1]):
            return after in "'’" and text[end + 1] == "s"
    return True


def _is_latin(char: str) -> bool:
    return char.isalnum() and char < "\u0370"


class NameFinder:
    """Finds the names of a table, and the traps, in one pass over a text."""

    def __init__(self, table: OrganisationTable) -> None:
        """Arrange the names by their first three characters, the longest first."""
        forms: dict[str, list[tuple[str, str, Span]]] = {}
        for form in sorted(_forms(table), key=lambda form: -len(form[0])):
            forms.setdefault(form[0][:3], []).append(form)
        for start, group in forms.items():
            if len(start) > 2:  # a name of two characters stands behind those that begin with it
                group += forms.get(start[:2], ())
        self._forms = forms
        # Most characters begin no name, and a Latin name begins no name inside a word: the regular
        # expression passes over them several times as fast as a look-up for each character.
        first = _one_of(start[0] for start in forms)
        second = _one_of(start[1] for start in forms)
        latin = _one_of(start[0] for start in forms if start[0].isascii())
        self._starts = re.compile(f"{first}(?<![a-z0-9]{latin})(?={second})")

    def find(self, text: str, folded: str) -> Iterator[Span]:
        """Yield the names in `text`; they may overlap. `folded` is `fold_text(text)`."""
        forms = self._forms
        for match in self._starts.finditer(folded):
            start = match.start()
            three, two = folded[start : start + 3], folded[start : start + 2]
            for form, written, pattern in forms.get(three) or forms.get(two) or ():
                if folded.startswith(form, start):
                    span = self._accept(text, folded, start, start + len(form), written, pattern)
                    if span:
                        yield span
                        break

    @staticmethod
    def _accept(
        text: str, folded: str, start: int, end: int, written: str, pattern: Span
    ) -> Span | None:
        if pattern.name is None:
            return Span(start, end, None)
        if not has_borders(folded, start, end) or _STUDENTS.match(text, end):
            return None
        surface = text[start:end]
        # Capitals make the name: "meta" and "orange" are words, "GOOGLE" is a company.
        if surface != written and written.isascii() and (len(written) < 4 or surface.islower()):
            return None
        if pattern.type in {"company", "media"} and _product_follows(folded, end):
            return Span(start, end, None)
        if pattern.type == "group" and _MALWARE.match(text, end):
            return Span(start, end, None)
        weak = pattern.weak and not _is_supported(text, start, end, pattern.type)
        if weak and written.isdigit() and _QUANTITY.match(text, end):
            return None
        return Span(start, end, pattern.name, pattern.type, weak)


def _is_supported(text: str, start: int, end: int, type_: OrganisationType) -> bool:
    """Say whether the words beside a weak name make it an organisation."""
    before = text[max(0, start - 12) : start]
    if type_ == "group":
        return bool(_BEFORE_GROUP.search(before) or _AFTER_GROUP.match(text, end))
    if type_ == "media":
        return bool(_BEFORE_MEDIA.search(before) or _AFTER_MEDIA.match(text, end))
    return bool(_BEFORE_COMPANY.search(before) or _AFTER_COMPANY.match(text, end))


@cache
def _products() -> re.Pattern[str]:
    words = sorted(read_list("products.txt"), key=len, reverse=True)
    latin = "|".join(re.escape(word.lower()) for word in words if word.isascii())
    han = "|".join(word for word in words if not word.isascii())
    return re.compile(rf"\s?(?:{han}|(?:{latin})(?![a-z0-9]))")


def _product_follows(folded: str, end: int) -> bool:
    return _products().match(folded, end) is not None


def _one_of(chars: Iterable[str]) -> str:
    """Return a regular expression for one of some characters."""
    return f"[{re.escape(''.join(sorted(set(chars))))}]"


def _forms(table: OrganisationTable) -> Iterable[tuple[str, str, Span]]:
    for organisation in table:
        for name in organisation.names:
            if len(name) > 1:
                weak = name in organisation.weak
                pattern = Span(0, 0, organisation.name, organisation.type, weak)
                yield fold_text(name), name, pattern
    for trap in read_list("traps.txt"):
        yield fold_text(trap), trap, Span(0, 0, None)
