"""The text of headlines answers as reading all of it would."""

import re
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from search.headlines import HeadlineText

_lines = st.lists(st.text("漏洞补丁aA1 𠀀", max_size=12), max_size=8)
_short = st.text("漏洞补丁a", min_size=1, max_size=4)


def _places(lines: list[str], text: str) -> list[tuple[int, int]]:
    return [
        (number, at)
        for number, line in enumerate(lines)
        for at in range(len(line))
        if line.startswith(text, at)
    ]


@given(lines=_lines, text=_short)
def test_places_are_counted_also_where_they_overlap(lines: list[str], text: str) -> None:
    assert HeadlineText(lines).count(text) == len(_places(lines, text))


@given(lines=_lines, left=_short, right=_short, size=st.integers(1, 3))
def test_what_stands_between_two_texts_is_counted(
    lines: list[str], left: str, right: str, size: int
) -> None:
    headlines = HeadlineText(lines)
    assert headlines.between(left, right, size) == _between(lines, left, right, size)
    assert headlines.between("", right, size) == _between(lines, "", right, size)
    assert headlines.between(left, "", size) == _between(lines, left, "", size)


def _between(lines: list[str], left: str, right: str, size: int) -> Counter[str]:
    pattern = re.compile(f"(?={left}([\u4e00-\u9fff]{{{size}}}){right})")
    return Counter(match[1] for line in lines for match in pattern.finditer(line))
