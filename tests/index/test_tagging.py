"""The sequence model for names on no list: its texts, its units, its training and what it finds."""

import re
from itertools import pairwise, product
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from index.analysis.segmenter import open_segmenter
from index.entities import OrganisationTable, recognise
from index.entities.tagging.features import UnitReader
from index.entities.tagging.tagger import TAGS, Weights, best_paths
from index.entities.tagging.texts import Names, read_texts, varied
from index.entities.tagging.train import train, write_weights

TABLE = OrganisationTable.load()
SEGMENTER = open_segmenter(())
WEIGHTS = Path("index/entities/data/tagger.npz")


def found(body: str) -> list[str]:
    return [mention.name for mention in recognise("", "", body, TABLE)]


# What it finds: invented names, in sentences that stand in no training text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Quorvane 周二表示，已经向监管机构通报了此次入侵。", "Quorvane"),
        ("研究人员向 Heltrix 报告了该漏洞，Heltrix 在两周后发布补丁。", "Heltrix"),
        ("医疗服务商 Brightmoor Health 遭到勒索软件攻击，患者受到影响。", "Brightmoor Health"),
        ("日前，檀石安全宣布完成数千万元融资，由老股东领投。", "檀石安全"),
        ("活动由滨江市网络空间协会与江州理工大学共同主办。", "江州理工大学"),
    ],
)  # fmt: skip
def test_a_name_on_no_list_is_found_by_its_context(text: str, name: str) -> None:
    assert TABLE.find(name) is None
    assert name in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "打开终端后输入命令，等待脚本执行完毕，再检查日志中是否有报错。",
        "该漏洞存在于解析器的缓冲区处理逻辑中，攻击者可以借此执行任意代码。",
        "使用 WinDbg 加载符号之后，可以看到函数的返回地址已经被覆盖。",
        "卫星通信与智能网联汽车的安全问题日益受到关注。",
        "卷积神经网络（Convolutional Neural Network）由若干层组成。",
    ],
)
def test_prose_without_organisations_names_none(text: str) -> None:
    assert found(text) == []


def test_a_name_is_weighed_over_all_its_places() -> None:
    assert found("日前，Quorvane 发布了季度报告。") == ["Quorvane"]
    used = "\n".join(f"第{number}步，输入 Quorvane -p 8080 并回车。" for number in range(9))
    assert found(f"日前，Quorvane 发布了季度报告。\n{used}") == []


# The texts


def test_every_mark_of_the_training_texts_is_whole_and_of_a_known_type() -> None:
    types = {"company", "government", "institute", "association", "media", "group", "other"}
    types |= {"product", "malware", "person", "place", "event"}
    articles = read_texts()
    assert len(articles) > 500
    for article in articles:
        text, spans = varied(article, Random(0), None)
        assert "[[" not in text, article[:80]
        assert article.count("[[") == len(spans), article[:80]
        assert all(text[start:end].strip() == text[start:end] for start, end, _ in spans)
        assert {mark[1] for mark in re.findall(r"\[\[([^\[\]|]+)\|(\w+)\]\]", article)} <= types


def test_names_are_replaced_by_others_at_all_their_places() -> None:
    names = Names(read_texts())
    article = "[[甲安全|company]]发布报告。[[甲安全|company]]称，[[某木马|malware]]仍在传播。"
    for seed in range(20):
        text, spans = varied(article, Random(seed), names)
        surfaces = [text[start:end] for start, end, _ in spans]
        assert surfaces[0] == surfaces[1]
        assert [type_ for *_, type_ in spans] == ["company", "company", "malware"]


# Units and paths


@given(st.text(alphabet=st.sampled_from("安闻微软 AbC12.-，\n—é😀"), max_size=40))
def test_units_cover_a_text_but_its_white_space(text: str) -> None:
    units = UnitReader(SEGMENTER).read(text)
    covered = {
        place
        for start, end in zip(units.starts.tolist(), units.ends.tolist(), strict=True)
        for place in range(start, end)
    }
    assert covered == {place for place, char in enumerate(text) if char == "\n" or char != " "}
    assert units.features.shape[0] == len(units.starts)


def test_features_do_not_depend_on_what_was_read_before() -> None:
    text = "安全厂商 Quorvane 发布报告，与微软合作。"
    fresh = UnitReader(SEGMENTER).read(text).features
    reader = UnitReader(SEGMENTER)
    reader.read("另一段文字 Quorvane，报告。")
    assert (reader.read(text).features == fresh).all()


@given(
    arrays.arrays(np.float32, (4, 3), elements=st.integers(-9, 9)),
    arrays.arrays(np.float32, (3, 3), elements=st.integers(-9, 9)),
)
def test_the_best_path_is_the_best_of_all(
    scores: np.ndarray[tuple[int, int], np.dtype[np.float32]],
    steps: np.ndarray[tuple[int, int], np.dtype[np.float32]],
) -> None:
    def value(path: tuple[int, ...]) -> float:
        chain = (0, *path, 0)
        jumps = sum(steps[a, b] for a, b in pairwise(chain))
        return float(jumps + sum(scores[place, tag] for place, tag in enumerate(path)))

    best = max(value(path) for path in product(range(3), repeat=4))
    assert value(tuple(best_paths(scores[None], steps)[0])) == best


def test_a_tag_that_continues_a_name_never_begins_one() -> None:
    size = len(TAGS)
    random = np.random.default_rng(7)
    scores = random.normal(size=(50, 6, size)).astype(np.float32)
    steps = Weights.load().transitions
    for path in best_paths(scores, steps).tolist():
        for former, tag in pairwise((0, *path)):
            assert tag % 2 or not tag or former in {tag, tag - 1}


# The weights


def test_the_weights_are_plain_arrays_of_at_most_five_megabytes() -> None:
    assert WEIGHTS.stat().st_size <= 5_000_000
    with np.load(WEIGHTS, allow_pickle=False) as file:
        keys = file["keys"]
        assert (np.diff(keys.astype(np.int64)) > 0).all()
        assert file["emissions"].shape == (len(keys), len(TAGS))
        assert file["emissions"].dtype == np.int8
        assert file["transitions"].shape == (len(TAGS), len(TAGS))


def _trained(folder: Path, count: int) -> bytes:
    articles = read_texts()[:count]
    texts = [[varied(article, Random(1), None)] for article in articles]
    path = folder / "weights.npz"
    write_weights(train(texts, SEGMENTER), path)
    return path.read_bytes()


def test_the_same_texts_give_the_same_bytes(tmp_path: Path) -> None:
    assert _trained(tmp_path, 6) == _trained(tmp_path, 6)
    assert _trained(tmp_path, 6) != _trained(tmp_path, 7)


def test_written_weights_come_back_within_a_step(tmp_path: Path) -> None:
    texts = [[varied(article, Random(1), None)] for article in read_texts()[:6]]
    weights = train(texts, SEGMENTER)
    write_weights(weights, tmp_path / "weights.npz")
    read = Weights.load(tmp_path / "weights.npz")
    kept = np.isin(weights.keys, read.keys)
    step = np.abs(weights.emissions).max() / 127
    assert np.abs(read.emissions - weights.emissions[kept]).max() <= step


@pytest.mark.soak
def test_training_gives_the_shipped_weights_byte_for_byte(tmp_path: Path) -> None:
    from index.entities.tagging.train import train_shipped

    train_shipped(tmp_path / "weights.npz")
    assert (tmp_path / "weights.npz").read_bytes() == WEIGHTS.read_bytes()
