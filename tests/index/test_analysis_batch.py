"""Field tokens: a batch of texts has the tokens that each text has alone."""

import pickle
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from index.analysis import Analyzer, FieldTokens, normalise
from index.analysis.charfilter import normalise_batch
from index.analysis.segmenter import (
    JiebaSegmenter,
    RustJiebaSegmenter,
    Segmenter,
    dictionary_words,
)
from index.analysis.trie import WordTrie
from index.corpus import Page, read_pages

PIECES = [
    *"网络安全一段简单的龙網絡馬克思主義农业发展银行大数据零日漏洞奇安信〇々〆",
    *"かガｶー゛한ㄅ𠀀龦鿕鿖",
    *"abchtv0129-./:@#+&_,()[]{} \n'\"|<>%=?~$!*;\\\t\r\x00\x1c\u2028，。",
    *"éßΣİǅйﬁ№①…℃㈱ＡＢ１．／：（）！𝐀٣३🙂",
    *"\u0301\u3099\uff9e\u200b\u200d\ufe0f\ufeff\u2060\ud800\udc00\udfff\uffff\U0010ffff",
    *("http://", "https://", "http:[//]", "hxxp", "h**ps", "://", "[:]//", "[.]", "(dot)", "[点]"),
    *("[@]", "cve-2021-44228", "192.168.1.1", "v2.17", "1.0.2k", "fe80::1", "t1059.001", "1,234"),
    *("2024-04-30", "a.b.com", "x@b.com", "att&ck", "c++", "c#", ".net", "log4j-2.17.1", "cobalt"),
    *(" strike", "x&y", "(a)", "{x}", "a|b", "网a络", "玄圃实验室", "安全漏洞库"),
]
TEXTS = st.lists(
    st.lists(st.sampled_from(PIECES) | st.characters(), max_size=30).map("".join), max_size=6
)
TERMS = "玄圃实验室\nX&Y\ncobalt strike\n(a)\n{x}\na|b\n网a络\né\nab\n安全漏洞库\n龙𠀀\n鿕鿖\n零\n"


def alone(analyzer: Analyzer, text: str) -> Counter[tuple[str, int]]:
    return Counter((token.text, token.position) for token in analyzer.tokens(text))


def together(tokens: FieldTokens, texts: Sequence[str]) -> list[Counter[tuple[str, int]]]:
    found: list[Counter[tuple[str, int]]] = [Counter() for _ in texts]
    for term, document, position in zip(
        tokens.terms.tolist(), tokens.documents.tolist(), tokens.positions.tolist(), strict=True
    ):
        found[document][tokens.vocabulary[term], position] += 1
    return found


def check(analyzer: Analyzer, texts: Sequence[str]) -> None:
    tokens = analyzer.field_tokens(texts)
    assert together(tokens, texts) == [alone(analyzer, text) for text in texts]
    assert tokens.lengths.tolist() == [len(analyzer.units(text)[0]) for text in texts]
    assert len(set(tokens.vocabulary)) == len(tokens.vocabulary)
    assert set(tokens.terms.tolist()) == set(range(len(tokens.vocabulary)))
    assert (np.diff(tokens.documents.astype(np.int64)) >= 0).all()


@settings(max_examples=400, deadline=None, derandomize=True)
@given(texts=TEXTS)
@example(texts=[])
@example(texts=["", "", "零"])
@example(texts=["a", "\u0301b", "\u3099", "か", "\u3099"])
@example(texts=["http", "://a.b", "网络", "安全", "c", "++"])
def test_a_text_has_the_same_tokens_in_a_batch(analyzer: Analyzer, texts: list[str]) -> None:
    check(analyzer, texts)


@pytest.mark.parametrize("rjieba_is_installed", [True, False])
def test_a_batch_has_the_same_tokens_with_a_file_of_terms(
    rjieba_is_installed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not rjieba_is_installed:
        monkeypatch.setitem(sys.modules, "rjieba", None)
    path = tmp_path / "terms.txt"
    path.write_text(TERMS, encoding="utf-8")
    analyzer = Analyzer(path)

    @settings(max_examples=300, deadline=None, derandomize=True)
    @given(texts=TEXTS)
    @example(texts=["玄圃实验室的安全漏洞库", "由X&Y与cobalt strike,(a)(ab){x}a|b"])
    def same(texts: list[str]) -> None:
        check(analyzer, texts)

    same()


@pytest.mark.parametrize("open_segmenter", [JiebaSegmenter, RustJiebaSegmenter])
def test_the_trie_finds_the_words_that_jieba_finds(
    open_segmenter: Callable[[list[str]], Segmenter],
) -> None:
    words = dictionary_words()
    segmenter, trie = open_segmenter([]), WordTrie(words)
    assert trie.size == sum(len(word) > 1 and is_han(word) for word in set(words))
    runs = ["".join(filter(is_han, words[at : at + 40 : 8])) for at in range(0, len(words), 40)]
    text = "\n".join(runs) + "\n"
    base, expected = 0, Counter[tuple[str, int]]()
    for run in runs:
        expected.update((word, base + offset) for word, offset in segmenter.cut_all(run))
        base += len(run) + 1
    codes = np.array(list(map(ord, text)), np.uint32)
    places, lengths, numbers = (array.tolist() for array in trie.find(codes))
    found = [text[at : at + size] for at, size in zip(places, lengths, strict=True)]
    assert Counter(zip(found, places, strict=True)) == expected
    assert len(set(zip(found, numbers, strict=True))) == len(set(found)) == len(set(numbers))


def is_han(word: str) -> bool:
    return all("\u4e00" <= character <= "\u9fd5" for character in word)


def test_a_trie_of_no_words_finds_none() -> None:
    codes = np.array(list(map(ord, "网络安全\n")), np.uint32)
    for words in ([], ["网"], ["a网络", "", "网\u3400"]):
        assert WordTrie(words).size == 0
        assert not any(array.size for array in WordTrie(words).find(codes))


@settings(max_examples=400, deadline=None, derandomize=True)
@given(texts=TEXTS)
@example(texts=["a", "\u0301b", "\n\u0301", "\u200b\u0301", "見http:[//]A", "hxxp", "://"])
def test_a_text_has_the_same_normal_form_in_a_batch(texts: list[str]) -> None:
    batch = normalise_batch(texts)
    found = [
        "".join(map(chr, batch.codes[start : end - 1]))
        for start, end in zip(batch.bounds[:-1], batch.bounds[1:], strict=True)
    ]
    assert found == [normalise(text).text for text in texts]


def test_field_tokens_cross_a_process_border(analyzer: Analyzer) -> None:
    tokens = analyzer.field_tokens(["网络安全法 CVE-2021-44228", "", "安全"])
    copy = pickle.loads(pickle.dumps(tokens))
    assert type(copy.vocabulary) is list
    assert {type(term) for term in copy.vocabulary} == {str}
    assert copy.vocabulary == tokens.vocabulary
    for name in ("terms", "documents", "positions", "lengths"):
        array = getattr(copy, name)
        assert array.dtype == np.uint32
        assert array.flags.c_contiguous
        assert array.tolist() == getattr(tokens, name).tolist()


@pytest.mark.corpus
def test_real_pages_have_the_same_tokens_in_a_batch(analyzer: Analyzer, corpus: Path) -> None:
    for archive in ("portals.tar.xz", "wechat.tar.xz"):
        entries = islice(read_pages([corpus / archive]), 0, 1600, 16)
        pages = [entry for entry in entries if isinstance(entry, Page)]
        assert len(pages) > 75
        # As they are saved, markup and all: more kinds of text than their articles have.
        texts = [page.raw.decode("utf-8", "replace")[:5000] for page in pages]
        for at in range(0, len(texts), 32):
            check(analyzer, texts[at : at + 32])
