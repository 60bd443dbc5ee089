"""The draft check: marks of paragraphs, passages, names; and thirty drafts written before it."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.document import Article
from index.errors import BadParameter
from index.settings import Settings
from search import Searcher, open_searcher
from search.backends.letters import Letters, common_runs
from search.related import DraftParagraph

ROOT = Path(__file__).parents[2]
DRAFTS = sorted((ROOT / "tests" / "data" / "drafts").glob("*.txt"))

SOURCE = (
    "入口是衡岳智联的远程运维平台“远舟”。该平台的文件分发接口只校验文件扩展名，不校验上传者所属的"
    "租户，攻击者借此把一个伪装成巡检脚本的压缩包放进公共目录，再由批量下发功能推送到代理端。\n"
    "衡岳智联于18日凌晨2时发布公告，确认存在越权上传问题，并提供修补程序4.6.3。"
)
COPIED = "问题出在一个很小的地方：" + SOURCE[20:80] + "，其余的事由平台自己完成。"
COVERED = (
    "据了解，黑客是从衡岳智联的远程运维平台“远舟”进来的：文件分发时只看扩展名，没有核对上传者属于"
    "哪个租户，于是一个假冒巡检脚本的压缩包进了公共目录，随批量下发到了代理端。"
)
NEW = (
    "离开时已近黄昏，栅栏旁的登记簿翻到了第四十七页，最新一行写着更换伺服驱动器固件，来人两名，"
    "保安老周把茶缸搁在窗台上，说今年的桂花开得比往年都早。"
)


@pytest.fixture(scope="module")
def archive(
    fill_folder: Callable[..., Searcher],
    tmp_path_factory: pytest.TempPathFactory,
    article_maker: Callable[..., Article],
) -> Iterator[Searcher]:
    others = [
        article_maker(
            id=f"other{number}",
            title=f"周报第{number}期",
            body=f"本周收录{number}条消息，涉及网关、邮箱和备份一体机，请各单位按时升级并留存日志。",
        )
        for number in range(12)
    ]
    source = article_maker(
        id="source", title="远舟平台越权上传漏洞", body=SOURCE, source="听潮网安"
    )
    searcher = fill_folder(tmp_path_factory.mktemp("drafts"), [source, *others], {})
    yield searcher
    searcher.close()


@pytest.fixture(scope="module")
def sample(demo_folder: Path) -> Iterator[Searcher]:
    searcher = open_searcher(Settings(data=demo_folder))
    yield searcher
    searcher.close()


def marked(searcher: Searcher, *paragraphs: str) -> tuple[DraftParagraph, ...]:
    return searcher.check_draft("稿件", "\n".join(paragraphs)).paragraphs


def test_paragraphs_are_marked_by_what_the_archive_has(archive: Searcher) -> None:
    found = marked(archive, COPIED, COVERED, NEW, "漏洞详情")
    assert [paragraph.mark for paragraph in found] == ["copied", "covered", "new", "short"]
    assert [paragraph.number for paragraph in found] == [1, 2, 3, 4]
    assert [paragraph.text for paragraph in found] == [COPIED, COVERED, NEW, "漏洞详情"]
    assert found[0].sources[0].hit.id == found[1].sources[0].hit.id == "source"
    assert found[2].sources == ()


def test_a_passage_is_shown_on_both_sides(archive: Searcher) -> None:
    (paragraph,) = marked(archive, COPIED)
    (passage,) = paragraph.sources[0].passages
    ours = COPIED[passage.start : passage.end]
    theirs = passage.text[slice(*passage.highlight)]
    assert ours == theirs
    assert ours in SOURCE
    assert len(ours) >= 55
    assert paragraph.sources[0].paragraphs == (1,)


def test_a_passage_shows_little_of_the_article_beside_it(archive: Searcher) -> None:
    (paragraph,) = marked(archive, COPIED)
    (passage,) = paragraph.sources[0].passages
    start, end = passage.highlight
    assert start <= 40
    assert len(passage.text) - end <= 40


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("，", ",").replace("。", "."),
        lambda text: text.replace("，", "， "),
        lambda text: text.replace("个", "個").replace("压", "壓"),
        str.upper,
    ],
    ids=["half-width", "spaces", "traditional", "upper case"],
)
def test_a_copy_is_found_whatever_its_signs_and_script(
    archive: Searcher, change: Callable[[str], str]
) -> None:
    (paragraph,) = marked(archive, change(COPIED))
    assert paragraph.mark == "copied"


def test_a_copy_with_words_changed_is_a_copy(archive: Searcher) -> None:
    changed = SOURCE.split("\n")[0]
    for word, other in (("校验", "检查"), ("借此", "趁机"), ("推送", "分发")):
        changed = changed.replace(word, other)
    (paragraph,) = marked(archive, changed)
    assert paragraph.mark == "copied"
    assert len(paragraph.sources[0].passages) > 1


def test_names_and_titles_of_laws_are_not_copied_by_being_named(
    fill_folder: Callable[..., Searcher], tmp_path: Path, article_maker: Callable[..., Article]
) -> None:
    law = "《槐州市关键信息基础设施供应商远程维护安全管理暂行办法》"
    archive = [
        article_maker(id="law", title="办法发布", body=f"{law}自七月起施行，共五章三十一条。"),
        *(
            article_maker(id=f"o{n}", title=f"其他{n}", body=f"消息{n}，" + NEW[n:])
            for n in range(5)
        ),
    ]
    searcher = fill_folder(tmp_path, archive, {})
    text = f"车间主任说，{law}贴在门背后三个月了，真正照做的只有登记簿那一页，别的都还在商量。"
    (paragraph,) = marked(searcher, text)
    searcher.close()
    assert paragraph.mark != "copied"


def test_names_come_with_their_latest_coverage_and_unseen_ones_apart(archive: Searcher) -> None:
    report = archive.check_draft(
        "稿件", f"{COVERED}漏洞编号CVE-2026-99999，公司还答应推出“远舟二代”。"
    )
    unseen = {name.name: name for name in report.unseen}
    assert "CVE-2026-99999" in unseen
    assert unseen["远舟二代"].near == (("远舟", 1),)
    assert unseen["远舟二代"].paragraphs == (1,)
    assert report.articles == 13


def test_what_is_related_is_not_the_copied_text_itself(archive: Searcher) -> None:
    report = archive.check_draft("远舟平台越权上传漏洞", SOURCE)
    assert "source" not in {found.hit.id for found in report.related}
    assert {paragraph.mark for paragraph in report.paragraphs} == {"copied"}


@pytest.mark.parametrize("text", ["", "\n \n", "——"])
def test_an_empty_draft_is_refused(archive: Searcher, text: str) -> None:
    with pytest.raises(BadParameter):
        archive.check_draft("", text)


@pytest.mark.parametrize(
    "text",
    ["\ud800" * 30 + "字", "\x00" * 30 + "字", "a" * 20_000, "甲\n" * 300, "《" * 9000 + "字"],
    ids=["surrogates", "NUL", "one word", "short lines", "brackets"],
)
def test_odd_drafts_are_marked_all_the_same(archive: Searcher, text: str) -> None:
    paragraphs = archive.check_draft("", text).paragraphs
    assert [paragraph.number for paragraph in paragraphs] == list(range(1, len(paragraphs) + 1))
    assert len(paragraphs) == len(text.split())


@pytest.mark.parametrize("text", ["字" * 20_001, "甲\n" * 301])
def test_a_draft_that_is_too_long_is_refused_and_not_quoted(archive: Searcher, text: str) -> None:
    with pytest.raises(BadParameter) as raised:
        archive.check_draft("", text)
    assert text[:5] not in str(raised.value)


def test_many_names_on_many_lines_are_looked_up(archive: Searcher) -> None:
    """Eight hundred names once took most of a minute; a limit of the run would tell."""
    text = "\n".join(
        f"第{number}号有限公司、编号CVE-2026-{10000 + number}" for number in range(290)
    )
    report = archive.check_draft("", text)
    assert len(report.paragraphs) == 290
    assert len(report.unseen) <= 200


def test_a_first_line_is_a_paragraph_too(archive: Searcher) -> None:
    first, *_ = archive.check_draft("", f"{COPIED.rstrip('。')}\n{NEW}").paragraphs
    assert first.mark == "copied"


def test_an_identifier_is_told_where_it_stands_and_not_where_a_longer_one_does(
    archive: Searcher,
) -> None:
    report = archive.check_draft(
        "稿件", "先是CVE-2021-40444被人利用。\n后来又有CVE-2021-4044，写法相近。"
    )
    assert {name.name: name.paragraphs for name in report.unseen} == {
        "CVE-2021-40444": (1,),
        "CVE-2021-4044": (2,),
    }


def test_pieces_of_every_sentence_do_not_draw_an_article_out(
    fill_folder: Callable[..., Searcher], tmp_path: Path, article_maker: Callable[..., Article]
) -> None:
    body = "\n".join(
        f"第{number}段是旧话，{SOURCE[number : number + 18]}，{number}号人员在会上补充了看法。"
        for number in range(40)
    )
    filler = [article_maker(id=f"o{n}", title=f"题{n}", body=NEW[n:]) for n in range(5)]
    searcher = fill_folder(tmp_path, [article_maker(id="long", body=body), *filler], {})
    pasted = "\n".join(f"{SOURCE[number : number + 18]}，{number}号人员" for number in range(40))
    report = searcher.check_draft("稿件", pasted)
    searcher.close()
    shown: set[int] = set()
    for paragraph in report.paragraphs:
        for source in paragraph.sources:
            for passage in source.passages:
                start, end = passage.highlight
                for text in (passage.text[:start], passage.text[end:]):
                    place = body.find(text) if text else -1
                    shown |= set(range(place, place + len(text))) if place >= 0 else set()
    assert len(shown) <= len(body) / 3


def test_nine_of_ten_paragraphs_of_the_thirty_drafts_are_marked_right(sample: Searcher) -> None:
    counted: Counter[tuple[str, str]] = Counter()
    found_source = 0
    for path in DRAFTS:
        title, _, *lines = path.read_text(encoding="utf-8").splitlines()
        labelled = [line.split("\t") for line in lines if line]
        report = sample.check_draft(title, "\n".join(text for _, text, *_ in labelled))
        for (label, _, *addresses), paragraph in zip(labelled, report.paragraphs, strict=True):
            counted[label, paragraph.mark] += 1
            if label == paragraph.mark == "copied":
                shown = {source.hit.url for source in paragraph.sources}
                found_source += bool(shown & set(addresses[0].split(",")))
    assert len(DRAFTS) == 30
    right = sum(count for (label, mark), count in counted.items() if label == mark)
    assert right / counted.total() >= 0.9, counted
    assert found_source >= 0.95 * counted["copied", "copied"]


LETTERS = st.text(alphabet="甲乙丙丁ab，。 ", max_size=60)


@given(LETTERS, LETTERS)
def test_runs_stand_in_both_texts_and_no_long_one_is_missed(ours: str, theirs: str) -> None:
    letters = Letters.of(ours)
    own = "".join(character for character in ours if character.isalnum())
    other = "".join(character for character in theirs if character.isalnum())
    assert letters.text == own
    ((runs,),) = common_runs([letters], [theirs])
    for run in runs:
        assert own[run.start : run.end] in other
        start, end = letters.span(ours, run)
        assert "".join(filter(str.isalnum, ours[start:end])) == own[run.start : run.end]
    longest = max((run.weight for run in runs), default=0.0)
    size = 12  # of Han characters, which weigh one each
    shared = [own[at : at + size] for at in range(len(own) - size + 1)]
    if any(part in other and not part.isascii() and not set(part) & set("ab") for part in shared):
        assert longest >= size / 2
