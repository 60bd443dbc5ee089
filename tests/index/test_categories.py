"""Categories: the scheme, its table, and the guess for pages that print none."""

import re
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from index.categories import (
    CategoryModel,
    categories,
    category_of,
    model_fingerprint,
    printed_names,
    with_category,
)
from index.categories.features import LATIN, WordCounter, normal_texts, shape
from index.categories.model import shipped_weights
from index.document import Article
from index.settings import Settings
from index.stages import stages_fingerprint

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "categories.md").read_text(encoding="utf-8")

ADVISORY = """近日，研究人员披露了某网关产品的一处远程代码执行漏洞，漏洞编号为 CVE-2026-90001。
攻击者可以利用该漏洞在未经授权的情况下执行任意代码。官方已发布补丁，建议用户尽快升级到最新版本。"""
GATHERING = """第九届网络安全大会将于下月在杭州举办。大会设主论坛和多个分论坛，议程现已公布，
报名通道开启。与会嘉宾将围绕数据安全与人工智能发表主题演讲，现场还将颁发奖项。欢迎报名参会。"""


@pytest.fixture(scope="module")
def model() -> CategoryModel:
    return CategoryModel.load()


def test_every_printed_name_belongs_to_one_of_nine() -> None:
    assert categories() == (
        *("新闻", "行业", "技术", "漏洞", "趋势", "访谈", "活动", "产品与工具", "其他"),
    )
    assert category_of("Web安全") == category_of(" web安全 ") == "技术"
    assert category_of("資訊") == category_of("新闻") == "新闻"
    assert category_of("The Gimp") == "其他"
    assert category_of("从未见过") is None
    assert category_of(None) is None
    names = [name for listed in printed_names().values() for name in listed]
    assert len(names) == len(set(names))


@pytest.mark.corpus
def test_every_name_that_a_portal_prints_is_known(corpus: Path) -> None:
    lines = (corpus / "labels" / "pages.tsv").read_text(encoding="utf-8").split("\n")
    column = lines[0].split("\t").index("category")
    printed = {line.split("\t")[column].partition("|")[0] for line in lines[1:] if line}
    assert {name for name in printed if name and category_of(name) is None} == set()


def test_the_page_on_categories_shows_the_whole_table() -> None:
    section = PAGE.partition("## The table")[2].partition("##")[0]
    rows = re.findall(r"^\| (\S+) \| [^|]+ \| ([^|]+) \|$", section, re.MULTILINE)
    shown = {category: tuple(names.strip().split(", ")) for category, names in rows[1:]}
    assert shown == printed_names()


def test_the_page_on_categories_tells_the_weights_by_their_checksum() -> None:
    assert sha256(shipped_weights()).hexdigest() in PAGE


def test_every_weight_is_of_a_single_word(model: CategoryModel) -> None:
    single = re.compile(r"[\u4e00-\u9fd5]{2,}")
    assert [w for w in model.words if not (single.fullmatch(w) or LATIN.fullmatch(w))] == []
    assert len(set(model.words)) == len(model.words)
    assert not {"freebuf", "嘶吼", "安全客", "solidot"} & set(model.words)


def test_the_weights_are_plain_arrays_and_written_the_same_way_again(model: CategoryModel) -> None:
    assert model.weights.shape == (3, len(model.words), len(model.targets))
    assert set(model.targets) == set(categories())
    assert len(shipped_weights()) < 2_000_000
    assert model.to_bytes() == shipped_weights()


@pytest.mark.parametrize(
    ("title", "body", "category"),
    [
        ("网关产品曝出远程代码执行漏洞（CVE-2026-90001）", ADVISORY, {"漏洞", "新闻"}),
        ("议程公布 | 第九届网络安全大会报名开启", GATHERING, {"活动", "行业"}),
    ],
    ids=["advisory", "gathering"],
)
def test_an_article_is_guessed_from_its_own_words(
    model: CategoryModel,
    article_maker: Callable[..., Article],
    title: str,
    body: str,
    category: set[str],
) -> None:
    assert model.guess(article_maker(title=title, body=body)).category in category


def test_neither_site_nor_author_nor_tags_change_the_guess(
    model: CategoryModel, article_maker: Callable[..., Article]
) -> None:
    plain = article_maker(title="第九届网络安全大会报名开启", body=GATHERING)
    dressed = article_maker(
        title=plain.title,
        body=plain.body,
        source="FreeBuf",
        url="https://www.freebuf.com/news/1.html",
        author="某人",
        tags=("漏洞",),
    )
    assert model.guess(dressed) == model.guess(plain) == model.guess(plain)


def test_a_printed_category_wins(
    model: CategoryModel, article_maker: Callable[..., Article]
) -> None:
    article = article_maker(body=GATHERING, category="访谈", category_printed="专访")
    assert with_category(article, model) is article


def test_an_unsure_guess_is_left_out_and_a_sure_one_marked(
    model: CategoryModel, article_maker: Callable[..., Article]
) -> None:
    article = article_maker(title="第九届网络安全大会报名开启", body=GATHERING)
    belief = model.guess(article).confidence
    unsure = with_category(article, with_threshold(model, np.nextafter(belief, 1)))
    assert (unsure.category, unsure.category_predicted) == (None, False)
    sure = with_category(article, with_threshold(model, belief))
    assert sure.category == model.guess(article).category
    assert (sure.category_printed, sure.category_predicted) == (None, True)


def with_threshold(model: CategoryModel, threshold: float) -> CategoryModel:
    return replace(model, threshold=float(threshold))


@pytest.mark.parametrize(
    "body",
    ["", "\n", "字", "a" * 20_000, "漏洞" * 20_000],
    ids=["empty", "line feed", "character", "one word", "one word often"],
)
def test_odd_texts_are_guessed_too(
    model: CategoryModel, article_maker: Callable[..., Article], body: str
) -> None:
    article = article_maker(title="标题", body=body)
    assert np.isfinite(shape(article)).all()
    assert 0 < model.guess(article).confidence <= 1


def test_a_lead_that_the_body_repeats_counts_once(article_maker: Callable[..., Article]) -> None:
    alone = article_maker(body="第一段。\n第二段。")
    led = article_maker(lead="第一段。", body=alone.body)
    assert normal_texts(led) == normal_texts(alone)
    assert normal_texts(article_maker(lead="导语。", body="正文。"))[1] == "导语。\n正文。"


def test_words_are_counted_wherever_they_are_visible() -> None:
    words = ["数据", "数据安全", "安全", "api", "漏洞"]
    text = "数据安全与数据，api 与 rapid、api_key" + "。" * 300 + "漏洞"
    counted = WordCounter(words).count("漏洞与 API".lower(), text)
    in_opening = {"数据": 2, "数据安全": 1, "安全": 1, "api": 1}
    assert [
        {words[number]: int(count) for number, count in zip(*view, strict=True)} for view in counted
    ] == [{"漏洞": 1, "api": 1}, in_opening, in_opening | {"漏洞": 1}]


def test_articles_are_read_again_when_the_weights_change(tmp_path: Path) -> None:
    assert stages_fingerprint(Settings(data=tmp_path)).endswith(f"-{model_fingerprint()}")
    assert re.fullmatch("[0-9a-f]{16}", model_fingerprint())
