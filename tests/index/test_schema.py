"""What the schema writes of an article: its columns, and lengths in Lucene's byte code."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from index.analysis import Analyzer
from index.document import Article, Mention
from index.schema import Naming, decode_length, encode_length, index_batch


def test_what_is_written_of_an_organisation_is_read_again() -> None:
    for naming in (
        Naming("某机构", "company", salient=True),
        Naming("A\tB  C", "group", salient=False),
        Naming("", "other", salient=True),
    ):
        assert Naming.read(str(naming)) == naming


def test_an_organisation_is_indexed_once_whatever_its_case_and_first_where_it_acts(
    analyzer: Analyzer, article_maker: Callable[..., Article]
) -> None:
    def mention(name: str, *, salient: bool) -> Mention:
        return Mention(name=name, type="company", salient=salient, surfaces=(name,), evidence=())

    mentions = (
        mention("Trend micro", salient=False),
        mention("乙", salient=False),
        mention("Trend Micro", salient=True),
    )
    article = article_maker(mentions=mentions, identifiers=("CVE-2024-3400",))
    (document,) = index_batch([article], analyzer).documents
    assert [(n.name, n.salient) for n in document.organisations] == [
        ("Trend Micro", True),
        ("乙", False),
    ]
    assert document.identifiers == ("CVE-2024-3400",)


def test_short_lengths_are_exact() -> None:
    assert [decode_length(encode_length(length)) for length in range(41)] == list(range(41))


def test_known_values_of_lucene() -> None:
    # SmallFloat.byte4ToInt of the codes that follow: 42, 44 … then steps of four, and the last.
    assert [decode_length(code) for code in (40, 41, 47, 48, 49, 255)] == [
        40, 42, 54, 56, 60, 2013265944,
    ]  # fmt: skip


@given(st.integers(0, 2_000_000))
def test_a_code_stands_for_the_greatest_length_not_above(length: int) -> None:
    code = encode_length(length)
    assert decode_length(code) <= length
    assert code == 255 or decode_length(code + 1) > length
