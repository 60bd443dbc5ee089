"""Near-duplicates: which texts are copies, and clusters that depend on the articles alone."""

import random
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.analysis import Analyzer
from index.build import build, open_index, remove
from index.document import BEIJING, Article
from index.duplicates import Fingerprint, agreement, fingerprints, is_duplicate
from index.settings import Settings
from index.store import ArticleStore, page_digest
from tests.reliability.checking import Silent

ArticleMaker = Callable[..., Article]

MONDAY = datetime(2024, 5, 6, 9, 30, tzinfo=BEIJING)
LETTERS = [chr(code) for code in range(0x4E00, 0x4E00 + 3000)]
FURNITURE = "听潮网安\n扫码关注\n点击上方蓝字订阅\n往期推荐\n本文转载自网络，版权归原作者所有\n"


def text(seed: int, size: int = 900) -> str:
    """A text of its own for each seed, in paragraphs of sentences."""
    source = random.Random(seed)
    letters = source.choices(LETTERS, k=size)
    for place in range(29, size, 30):
        letters[place] = "。\n" if place % 120 == 119 else "，"
    return "".join(letters)


@pytest.fixture
def printed(article_maker: ArticleMaker) -> Callable[..., Fingerprint]:
    def make(body: str, title: str = "槐州电机厂遭勒索", **values: object) -> Fingerprint:
        article = article_maker(body=body, title=title, **({"published": MONDAY} | values))
        return fingerprints([article])[0]

    return make


Printed = Callable[..., Fingerprint]


def share_a_band(one: Fingerprint, other: Fingerprint) -> bool:
    return not set(one.bands).isdisjoint(other.bands)


# Texts


@pytest.mark.parametrize(
    "written",
    [
        "槐州電機廠在當晚切斷遠程連接",
        "槐州电机厂在当晚，\n切断　远程连接。",
        "槐州电机厂\u200b在当晚切断远程连接",
    ],
)
def test_script_width_and_signs_make_no_difference(printed: Printed, written: str) -> None:
    plain = printed("槐州电机厂在当晚切断远程连接")
    assert printed(written).kept.tolist() == plain.kept.tolist()


@given(bodies=st.lists(st.text("甲乙丙丁 ，x", max_size=40), min_size=1, max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_fingerprint_does_not_depend_on_the_texts_beside_it(
    article_maker: ArticleMaker, bodies: list[str]
) -> None:
    articles = [article_maker(body=body) for body in bodies]
    together = fingerprints(articles)
    for article, found in zip(articles, together, strict=True):
        alone = fingerprints([article])[0]
        assert (found.bands, found.kept.tolist()) == (alone.bands, alone.kept.tolist())


def test_short_texts_are_compared_exactly(printed: Printed) -> None:
    def shingles(body: str) -> set[str]:
        return {body[place : place + 5] for place in range(len(body) - 4)}

    source = random.Random(3)
    for _ in range(50):
        one = "".join(source.choices("甲乙", k=source.randrange(5, 60)))
        other = "".join(source.choices("甲乙", k=source.randrange(5, 60)))
        found = agreement(printed(one), printed(other))
        few, many = sorted((shingles(one), shingles(other)), key=len)
        assert found.containment == pytest.approx(len(few & many) / len(few))
        assert found.jaccard == pytest.approx(len(few & many) / len(few | many))


def test_long_texts_are_compared_by_a_sample(printed: Printed) -> None:
    whole = text(1, 12_000)
    found = agreement(printed(whole), printed(whole[:4_000]))
    assert found.containment == pytest.approx(1, abs=0.02)
    assert found.jaccard == pytest.approx(1 / 3, abs=0.05)


def test_nearly_all_pairs_that_half_agree_are_proposed(printed: Printed) -> None:
    proposed = 0
    for seed in range(500):
        shared = text(seed, 600)
        one, other = (
            printed(shared + text(seed + part, 300), title=f"{part}") for part in (1000, 2000)
        )
        proposed += share_a_band(one, other)
    assert proposed >= 495


def test_a_text_without_a_shingle_is_nobodys_copy(printed: Printed) -> None:
    assert not is_duplicate(printed("图"), printed("图"))
    assert not share_a_band(printed("", title=""), printed("", title=""))


# Copies


def cut(body: str) -> str:
    return body[: len(body) * 6 // 10] + "..."


def with_furniture(body: str) -> str:
    return FURNITURE + body + "\n" + FURNITURE


def without_sentences(body: str) -> str:
    sentences = body.split("，")
    return "，".join(each for number, each in enumerate(sentences) if number % 7)


def with_other_words(body: str) -> str:
    letters = list(body)
    for place in range(10, len(letters) - 1, 40):
        letters[place : place + 2] = "换词"
    return "".join(letters)


@pytest.mark.parametrize("edit", [cut, with_furniture, without_sentences, with_other_words])
@pytest.mark.parametrize("size", [300, 900, 6000])
@pytest.mark.parametrize(
    "title", ["槐州电机厂遭勒索", "【听潮】槐州电机厂遭勒索", "槐州一电机厂遭勒索"]
)
def test_an_edited_copy_is_proposed_and_found(
    printed: Printed, edit: Callable[[str], str], size: int, title: str
) -> None:
    original, copy = printed(text(1, size)), printed(edit(text(1, size)), title)
    assert share_a_band(original, copy)
    assert is_duplicate(original, copy)


def test_a_copy_under_another_title_is_found_at_another_outlet_only(printed: Printed) -> None:
    original = printed(text(1), "槐州电机厂遭勒索", source="听潮")
    assert is_duplicate(original, printed(text(1), "停产三天，损失几何", source="观澜"))
    assert not is_duplicate(original, printed(text(1), "停产三天，损失几何", source="听潮"))


def test_an_excerpt_is_found_by_its_headline(printed: Printed) -> None:
    original, digest = printed(text(1, 200)), printed(text(1, 200) + text(2, 3000))
    assert share_a_band(original, digest)
    assert is_duplicate(original, digest)


def test_a_digest_is_no_copy_of_what_it_quotes_under_other_headlines(printed: Printed) -> None:
    digest = printed(text(1, 300) + text(2, 300) + text(3, 300), "早报：槐州电机厂遭勒索等三则")
    for seed in (1, 2, 3):
        assert not is_duplicate(digest, printed(text(seed, 300), f"第{seed}则", source="观澜"))


def issue(number: int) -> str:
    """An issue of a column: two thirds are the same every week."""
    return text(0, 600) + text(number, 300)


def test_issues_of_a_column_are_not_copies(printed: Printed) -> None:
    one = printed(issue(1), "听潮周报")
    assert not is_duplicate(
        one, printed(issue(2), "听潮周报", published=MONDAY + timedelta(days=14))
    )
    one = printed(issue(1), "听潮周报第12期")
    assert not is_duplicate(one, printed(issue(2), "听潮周报第13期"))
    assert not is_duplicate(one, printed(text(1), "听潮周报第12期", published=MONDAY))


def test_notices_of_one_form_are_not_copies(printed: Printed) -> None:
    form = text(0, 800)
    one = printed(form + text(1, 60), "【漏洞预警】槐云 OA login 接口存在注入漏洞")
    other = printed(form + text(2, 60), "【漏洞预警】槐云 OA export 接口存在注入漏洞")
    assert not is_duplicate(one, other)
    assert not is_duplicate(one, replace(other, source="别家"))


@given(one=st.integers(0, 40), other=st.integers(0, 40), size=st.sampled_from([30, 500, 2000]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_agreement_does_not_depend_on_the_order(
    printed: Printed, one: int, other: int, size: int
) -> None:
    # Texts of one length: their samples are not of one size.
    prints = [printed(text(seed, size // 2) + text(100, size // 2)) for seed in (one, other)]
    assert agreement(*prints) == agreement(*reversed(prints))
    assert is_duplicate(*prints) == is_duplicate(*reversed(prints))


# Clusters


def kept(identifier: str, body: str, article_maker: ArticleMaker, **values: object) -> Article:
    defaults = {"url": f"https://paper.example/{identifier}", "published": MONDAY}
    return article_maker(id=identifier, body=body, **(defaults | values))


def put(store: ArticleStore, article: Article, version: str = "") -> None:
    raw = f"{article.id} {article.body} {version}".encode()
    store.put_article(page_digest(raw), f"{article.id}.md", "md", raw, "1", article)


def compare(store: ArticleStore) -> None:
    for identifier in store.without_fingerprint("1"):
        store.add_fingerprint(identifier, fingerprints([store.article(identifier)])[0])
    store.settle_clusters()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ArticleStore]:
    with ArticleStore(tmp_path / "articles.sqlite3") as opened:
        yield opened


def test_copies_share_the_least_of_their_ids(
    store: ArticleStore, article_maker: ArticleMaker
) -> None:
    for identifier, seed in (("c", 1), ("a", 1), ("b", 2), ("d", 1)):
        put(store, kept(identifier, text(seed), article_maker))
    compare(store)
    assert store.clusters(["a", "b", "c", "d", "x"]) == dict.fromkeys("acd", "a")


def test_an_article_whose_label_changes_has_a_new_revision_and_no_other(
    store: ArticleStore, article_maker: ArticleMaker
) -> None:
    for identifier in "bcd":
        put(store, kept(identifier, text(1 if identifier != "d" else 2), article_maker))
    compare(store)
    reached = store.revision
    compare(store)
    assert store.revision == reached
    put(store, kept("e", text(1), article_maker))
    compare(store)
    assert [identifier for identifier, _ in store.changes(reached)] == ["e"]
    reached = store.revision
    store.remove("b")
    assert store.clusters("bcde") == dict.fromkeys("ce", "c")
    assert [identifier for identifier, _ in store.changes(reached)] == ["b", "c", "e"]
    store.remove("c")
    assert store.clusters("bcde") == {}


def test_a_removed_article_leaves_no_fingerprint(
    store: ArticleStore, article_maker: ArticleMaker
) -> None:
    for identifier in "ab":
        put(store, kept(identifier, text(1), article_maker))
    compare(store)
    for identifier in "ab":
        store.remove(identifier)
    assert store.without_fingerprint("1") == []
    for table in ("fingerprint", "band", "duplicate", "cluster", "due", "unsettled"):
        assert store._database.count(f"SELECT count(*) FROM {table}") == 0


def test_an_article_between_two_connects_them_and_its_removal_parts_them(
    store: ArticleStore, article_maker: ArticleMaker
) -> None:
    put(store, kept("a", text(1, 900), article_maker))
    put(store, kept("c", text(2, 900), article_maker))
    put(store, kept("b", text(1, 900) + text(2, 900), article_maker))
    compare(store)
    assert store.clusters("abc") == dict.fromkeys("abc", "a")
    store.remove("b")
    assert store.clusters("abc") == {}


def test_fingerprints_of_other_code_are_made_again_and_clusters_stay(
    store: ArticleStore, article_maker: ArticleMaker
) -> None:
    for identifier in "ab":
        put(store, kept(identifier, text(1), article_maker))
    compare(store)
    reached = store.revision
    assert store.without_fingerprint("2") == ["a", "b"]
    for identifier in "ab":
        store.add_fingerprint(identifier, fingerprints([store.article(identifier)])[0])
    store.settle_clusters()
    assert store.without_fingerprint("2") == []
    assert store.clusters("ab") == dict.fromkeys("ab", "a")
    assert store.revision == reached


def test_what_was_not_settled_before_a_kill_is_settled_later(
    tmp_path: Path, article_maker: ArticleMaker
) -> None:
    with closing(ArticleStore(tmp_path / "s")) as store:
        for identifier in "abc":
            put(store, kept(identifier, text(1), article_maker))
        compare(store)
        store.commit()
        put(store, kept("a", text(2), article_maker))
        store.commit()
        store.add_fingerprint("a", fingerprints([store.article("a")])[0])
    with ArticleStore(tmp_path / "s") as store:
        assert store.without_fingerprint("1") == ["a"]
        compare(store)
        assert store.clusters("abc") == dict.fromkeys("bc", "b")


# What a store goes through: an article gets one of a few texts, or is removed.
BODIES = [text(1, 400), text(1, 400) + text(5, 150), cut(text(1, 400)), text(2, 400), text(3, 400)]
STEPS = st.lists(
    st.tuples(
        st.sampled_from("abcdef"), st.integers(0, len(BODIES) - 1) | st.none(), st.booleans()
    ),
    max_size=14,
)


@given(steps=STEPS)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_clusters_depend_on_the_articles_and_not_on_their_history(
    article_maker: ArticleMaker, steps: list[tuple[str, int | None, bool]]
) -> None:
    def made(identifier: str, body: int) -> Article:
        return kept(identifier, BODIES[body], article_maker)

    final: dict[str, int] = {}
    gone: set[str] = set()
    with TemporaryDirectory() as folder:
        with ArticleStore(Path(folder) / "one") as lived:
            for number, (identifier, body, at_once) in enumerate(steps):
                if identifier in gone:
                    continue
                if body is not None:
                    put(lived, made(identifier, body), str(number))
                    final[identifier] = body
                elif final.pop(identifier, None) is not None:
                    lived.remove(identifier)
                    gone.add(identifier)
                if at_once:
                    compare(lived)
            compare(lived)
            found = lived.clusters("abcdef")
        with ArticleStore(Path(folder) / "other") as fresh:
            for identifier, body in sorted(final.items(), reverse=True):
                put(fresh, made(identifier, body))
            compare(fresh)
            assert fresh.clusters("abcdef") == found


# The pipeline


PAGE = """---
title: {title}
url: https://{host}.example/news/1
source: {host}
date: 2026-03-19
fetch_date: 2026-03-20T10:00:00
---

# {title}

2026-03-18 09:36:00

位于槐州的电机制造商在事发当晚切断了与供应商之间的远程连接，第二天上午开始逐台恢复主机。

灰鹭团伙随后在自己的网站上公布了三份合同，并要求对方在周五之前支付赎金。{own}

厂商随后发布公告，建议客户在升级之前停用批量下发功能，并核对三月以来新增的巡检脚本。
"""


def indexed(settings: Settings) -> dict[str, list[str]]:
    """Labels of the live index, with the sources of their articles; "" is alone."""
    found: dict[str, list[str]] = {}
    _, opened = open_index(settings, Analyzer()).open_segments({})
    for segment, files in opened:
        columns = files.documents.keywords
        for number in range(files.documents.size):
            if not segment.is_deleted(number):
                label = columns["cluster"][number].decode()
                found.setdefault(label, []).append(columns["source"][number].decode())
    return {label: sorted(sources) for label, sources in found.items()}


@pytest.mark.slow
@pytest.mark.usefixtures("inline")
def test_the_index_follows_the_clusters(tmp_path: Path) -> None:
    crawl, settings = tmp_path / "crawl", Settings(data=tmp_path / "data")
    crawl.mkdir()

    def write(host: str, title: str = "槐州一电机厂遭勒索", own: str = "") -> None:
        page = PAGE.format(host=host, title=title, own=own)
        (crawl / f"{host}.md").write_text(page, encoding="utf-8")

    def run() -> None:
        build(settings, [crawl], jobs=1, progress=Silent())

    for host in ("chao", "lan"):
        write(host)
    run()
    assert list(indexed(settings).values()) == [["chao", "lan"]]
    write("shan")
    run()
    label, sources = next(iter(indexed(settings).items()))
    assert sources == ["chao", "lan", "shan"]
    remove(settings, [label])
    assert [len(sources) for sources in indexed(settings).values()] == [2]
    assert label not in indexed(settings)
    remove(settings, [label], undo=True)
    run()
    assert indexed(settings)[label] == ["chao", "lan", "shan"]
