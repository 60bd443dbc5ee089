"""Indicators: which traces of an attack a text names, how they are written, and which are none."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.document import Indicator
from index.entities import MOST_INDICATORS, defang, identifiers, indicators
from index.entities.candidates import HASH_LENGTHS
from index.entities.defang import COLON, DOT, refang

DATA = Path(__file__).parent.parent / "data"
FLOOR = 0.99

Named = tuple[str, str]


def values(text: str) -> list[str]:
    return [indicator.value for indicator in indicators(text)]


def named(text: str) -> set[Named]:
    """Return what is found in a line, each with its type."""
    return {(_scheme(name), name) for name in identifiers(text)} | {
        (indicator.type, indicator.value) for indicator in indicators(text)
    }


def _scheme(identifier: str) -> str:
    return identifier.split("-")[0] if "-" in identifier else "ATT&CK"


def _labelled() -> Iterator[tuple[str, set[Named]]]:
    names = ("identifiers.tsv", "identifiers_later.tsv")
    for line in "".join((DATA / name).read_text("utf-8") for name in names).splitlines():
        if not line.startswith("#"):
            text, _, expected = line.partition("\t")
            pairs = (tuple(pair.split("=", 1)) for pair in expected.split())
            yield text, {(_scheme(v), v) if kind == "id" else (kind, v) for kind, v in pairs}


def test_precision_and_recall_on_labelled_lines_hold_for_every_type() -> None:
    right, wrong, missed = Counter[str](), Counter[str](), Counter[str]()
    told = []
    for text, expected in _labelled():
        found = named(text)
        right.update(kind for kind, _ in found & expected)
        wrong.update(kind for kind, _ in found - expected)
        missed.update(kind for kind, _ in expected - found)
        if found != expected:
            told.append(f"{text}: wrong {found - expected}, missed {expected - found}")
    for kind in right.keys() | wrong.keys() | missed.keys():
        assert right[kind] >= FLOOR * (right[kind] + wrong[kind]), "\n".join(told)
        assert right[kind] >= FLOOR * (right[kind] + missed[kind]), "\n".join(told)
    assert right.total() > 200


# A list of an article


def test_a_heading_says_what_the_lines_below_are() -> None:
    lines = "a1.lanting.top\nhttps://lanting.top/login"
    assert values(f"IOCs\n{lines}\n以上。") == ["a1.lanting.top", "https://lanting.top/login"]
    assert values(f"参考链接\n{lines}\n以上。") == []
    assert values(f"友情提示\n{lines}\n以上。") == []


def test_indicators_in_a_list_speak_for_those_that_follow() -> None:
    assert values("结果如下\n45.134.26.120\na1.lanting.top") == ["45.134.26.120", "a1.lanting.top"]


def test_what_an_article_calls_a_key_is_no_hash_where_it_is_repeated() -> None:
    digest = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
    assert values(f"样本 MD5：{digest}") == [digest]
    assert values(f"token={digest}\n样本里也有 {digest}") == []


def test_indicators_are_given_once_in_their_order() -> None:
    assert indicators("C2 b.lanting.top，IP 45.134.26.120，又见 B[.]lanting[.]top") == (
        Indicator(type="domain", value="b.lanting.top"),
        Indicator(type="ip", value="45.134.26.120"),
    )


def test_an_article_has_no_more_indicators_than_can_be_shown() -> None:
    lines = (
        f"{number // 250 + 11}[.]7[.]8[.]{number % 250}" for number in range(2 * MOST_INDICATORS)
    )
    assert len(indicators("\n".join(lines))) == MOST_INDICATORS


# Defanging

_LABELS = st.from_regex(r"[a-z][a-z0-9]{3,8}", fullmatch=True)
_HOSTS = st.builds("{}.{}.top".format, _LABELS, _LABELS)
_ADDRESSES = st.builds("45.{}.{}.{}".format, *[st.integers(61, 254)] * 3)
_ADDRESSES_6 = st.builds("2a0e:{:x}::{:x}".format, st.integers(1, 0xFFFF), st.integers(1, 0xFFFF))
_URLS = st.builds(
    "http{}://{}/{}.php".format, st.sampled_from(("", "s")), _HOSTS | _ADDRESSES, _LABELS
)


@given(_HOSTS | _ADDRESSES | _ADDRESSES_6 | _URLS)
def test_what_is_defanged_is_found_again(value: str) -> None:
    assert defang(value) != value
    assert values(f"见 {defang(value)} 。") == [value]


@given(
    st.sampled_from(sorted(HASH_LENGTHS)).flatmap(lambda n: st.text("0123456789abcdef", min_size=n))
)
def test_a_hash_is_not_changed_by_defanging(value: str) -> None:
    assert defang(value) == value


@given(
    st.text() | st.lists(st.sampled_from("a1.[]():/点hxtp@ \n：。．[.]"), max_size=60).map("".join)
)
def test_refanging_twice_changes_nothing_that_is_text(text: str) -> None:
    once = refang(text)
    assert len(once) <= len(text)
    assert COLON not in refang(once)
    assert DOT not in refang(once)


# Whatever the text

_PIECES = st.sampled_from(
    [
        *("1.2.3.4", "45.134.26.119", "[.]", "hxxp://", "https://", "a.top", "::", "2001:", "C2 "),
        *("版本 ", "0f1e2d3c" * 4, "/", ":", "@", "[", "]", "(", ")", "。", "\n", "点", "T1059"),
    ]
)


@given(st.text() | st.lists(_PIECES | st.text(max_size=4), max_size=30).map("".join))
def test_any_text_has_well_formed_indicators_or_none(text: str) -> None:
    identifiers(text)
    found = indicators(text)
    assert len(set(found)) == len(found)
    for indicator in found:
        assert not {DOT, COLON, "[.]", " "} & set(indicator.value)
        assert values(f"IOC：{defang(indicator.value)}")[:1] in ([indicator.value], [])


@pytest.mark.parametrize(
    "piece",
    [
        *("a.", "[.]", "1.", "http://", "a-", "f", ":", "2001:", "hxxp[:]//", "(((([", ".", "a@b."),
        *(
            "1[.]2[.]3[.]4 ",
            "evil.top ",
            "版本 1.2.3.4、",
            "http://a.top/)",
            ".)",
            "a [.] ",
            "1[.]2",
        ),
        *("http://a.top/x ", "CVE-2024-", "S0154 ", "cafe::"),
    ],
)
def test_a_long_row_of_anything_takes_no_time_to_speak_of(piece: str) -> None:
    text = "http://a.top/" + piece * (200_000 // len(piece))
    indicators(text)
    identifiers(text)
