"""The schema's byte code for lengths is Lucene's."""

from hypothesis import given
from hypothesis import strategies as st

from index.schema import decode_length, encode_length


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
