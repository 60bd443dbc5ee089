"""Names found by how they are written, by pinyin and by its initials."""

import pytest

from search.names import NameIndex

NAMES = NameIndex(
    {
        "奇安信": ("奇安信", "QiAnXin"),
        "微步在线": ("微步在线", "ThreatBook", "微步"),
        "北京奇安信科技": ("北京奇安信科技",),
        "Trend Micro": ("Trend Micro", "趋势科技"),
        "重庆大学": ("重庆大学",),
    }
)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("奇安信", {"奇安信": 0, "北京奇安信科技": 2}),
        ("奇", {"奇安信": 1, "北京奇安信科技": 2}),
        ("ThreatBook", {"微步在线": 0}),
        ("ＴＨＲＥＡＴ", {"微步在线": 1}),
        ("book", {"微步在线": 2}),
        ("trend  micro", {"Trend Micro": 0}),
        ("qushi", {"Trend Micro": 1}),
        ("qax", {"奇安信": 0, "北京奇安信科技": 2}),
        ("qi an xin", {"奇安信": 0, "北京奇安信科技": 2}),
        ("wbzx", {"微步在线": 0}),
        ("chongqing", {"重庆大学": 1}),
        ("cq", {"重庆大学": 1}),
        ("in", {"奇安信": 2}),
        ("", {}),
        ("没有", {}),
    ],
)
def test_a_name_is_found_by_what_is_typed(typed: str, expected: dict[str, int]) -> None:
    assert NAMES.find(typed) == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("奇安新", "奇安信"), ("Trend Micor", "Trend Micro"), ("微布在线", "微步在线")],
)
def test_the_nearest_name_comes_first(typed: str, expected: str) -> None:
    assert NAMES.near(typed, 3)[0] == expected


def test_nothing_is_near_to_what_is_like_nothing() -> None:
    assert NAMES.near("槐州市中心医院第二分院", 3) == []
