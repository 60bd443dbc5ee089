"""Related articles and the coverage of an event: which ones, in which order, and why."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from index.document import BEIJING, Article, Mention, OrganisationType
from index.errors import BadParameter, UnknownArticle
from search import Searcher
from search.related import Reason

ArticleMaker = Callable[..., Article]
NIGHT = datetime(2026, 3, 17, 22, 10, tzinfo=BEIJING)

ATTACK = (
    "青梧机电的四条产线夜里先后停机，勒索信署名灰鹭。攻击者从供应商衡岳智联的远程运维平台进来，"
    "把伪装成巡检脚本的压缩包放进公共目录，再由平台的批量下发功能推送到各家客户的代理端。"
)
ELSEWHERE = (
    "石桥疾控中心给基层卫生院配发了磁带机，每周日由两名值班员轮流换带，带子锁在防火柜里，"
    "抽查时随机恢复三个文件，恢复不出来的当月绩效扣减。"
)


def named(name: str, type_: OrganisationType = "company", *, salient: bool = True) -> Mention:
    return Mention(name=name, type=type_, salient=salient, surfaces=(name,), evidence=())


@pytest.fixture(scope="module")
def archive(
    fill_folder: Callable[..., Searcher],
    tmp_path_factory: pytest.TempPathFactory,
    article_maker: ArticleMaker,
) -> Iterator[Searcher]:
    """The first report of an attack, a repost, others on the same event, and other news."""

    def make(identifier: str, title: str, body: str, hours: float, **values: object) -> Article:
        published = NIGHT + timedelta(hours=hours)
        defaults: dict[str, object] = {"source": f"{identifier}报", "published": published}
        return article_maker(id=identifier, title=title, body=body, **(defaults | values))

    names = (named("青梧机电"), named("衡岳智联"), named("灰鹭", "group"))
    articles = [
        make(
            "first",
            "青梧机电遭灰鹭勒索，四条产线停机",
            f"{ATTACK}\n漏洞编号CVE-2026-31337，越权上传，影响远舟平台。",
            0,
            mentions=names,
            identifiers=("CVE-2026-31337",),
        ),
        make(
            "copy",
            "青梧机电遭灰鹭勒索，四条产线停机",
            f"{ATTACK}\n漏洞编号CVE-2026-31337，越权上传，影响远舟平台。\n本文转载自甲报。",
            9,
            mentions=names,
            identifiers=("CVE-2026-31337",),
        ),
        make(
            "second",
            "青梧机电停产：灰鹭从衡岳智联远程运维平台进入",
            "供应商衡岳智联的远程运维平台被攻击者利用，伪装成巡检脚本的压缩包经批量下发到达客户的"
            "代理端，青梧机电的产线停机，灰鹭留下勒索信。越权上传漏洞CVE-2026-31337已有补丁。",
            9.8,
            mentions=names,
            identifiers=("CVE-2026-31337",),
        ),
        make(
            "crawled",
            "青梧机电等厂停机，远程运维平台被灰鹭利用",
            "青梧机电产线停机，攻击者借衡岳智联远程运维平台批量下发压缩包，代理端执行巡检脚本，"
            "勒索信署名灰鹭。",
            25.83,  # the following midnight: only the crawl's day is known
            mentions=names,
            published_precision="day",
        ),
        make(
            "later",
            "灰鹭又见：海若物流转运中心改用手工面单",
            "海若物流的分拣系统被加密，勒索信署名灰鹭，转运中心改用手工面单，批量下发已经停用。",
            24 * 120,
            mentions=(named("海若物流"), named("灰鹭", "group")),
        ),
        make(
            "twin",
            "玄圃路由器越权上传漏洞通告",
            "玄圃路由器的网页端不校验上传者，CVE-2026-40001，厂商已发布补丁，请尽快升级固件。",
            30,
            mentions=(named("玄圃"),),
            identifiers=("CVE-2026-40001",),
        ),
        *(
            make(
                f"tape{number}",
                f"磁带备份手记之{number}",
                ELSEWHERE.replace("三个", f"{number}个"),
                24 * 200 + number,
            )
            for number in range(4, 8)
        ),
        make("rumour", "青梧机电遭灰鹭勒索的传闻", ATTACK[:60], 5, mentions=names),
    ]
    folder = tmp_path_factory.mktemp("related")
    searcher = fill_folder(folder, articles, {"first": "first", "copy": "first"})
    yield searcher
    searcher.close()


def ids(searcher: Searcher, article: str, size: int = 10) -> list[str]:
    return [found.hit.id for found in searcher.related(article, size=size)]


def test_what_shares_the_event_comes_first_and_what_shares_a_group_later(archive: Searcher) -> None:
    found = ids(archive, "first")
    assert set(found[:2]) <= {"second", "crawled", "rumour"}
    assert found.index("later") > found.index("second")
    assert not {"tape4", "tape5"} & set(found)


@pytest.mark.parametrize("article", ["first", "copy"])
def test_neither_the_article_nor_its_repost_is_related_to_it(
    archive: Searcher, article: str
) -> None:
    assert not {"first", "copy"} & set(ids(archive, article))


def test_of_reposts_one_is_shown_and_tells_of_the_others(archive: Searcher) -> None:
    shown = [found.hit for found in archive.related("second") if found.hit.id in {"first", "copy"}]
    (hit,) = shown
    assert hit.duplicate_count == 1
    assert [copy.id for copy in hit.copies] == [({"first", "copy"} - {hit.id}).pop()]


def test_reasons_are_told_in_their_order(archive: Searcher) -> None:
    found = {each.hit.id: each for each in archive.related("first")}
    kinds = [reason.kind for reason in found["second"].reasons]
    assert kinds[:4] == ["event", "identifier", "group", "organisation"]
    assert found["second"].same_event
    by_kind = {reason.kind: reason.values for reason in found["second"].reasons}
    assert by_kind["identifier"] == ("CVE-2026-31337",)
    assert by_kind["group"] == ("灰鹭",)
    assert set(by_kind["organisation"]) == {"青梧机电", "衡岳智联"}
    assert Reason(kind="group", values=("灰鹭",)) in found["later"].reasons
    assert not found["later"].same_event


def test_words_that_are_a_reason_stand_in_both(archive: Searcher) -> None:
    for found in archive.related("first"):
        body = archive.article(found.hit.id).body
        for reason in found.reasons:
            if reason.kind == "words":
                assert all(word in body.lower() for word in reason.values)


def test_the_coverage_goes_by_time_with_the_lag_behind_the_first(archive: Searcher) -> None:
    coverage = archive.coverage("second")
    assert coverage.article == "second"
    order = [report.hit.id for report in coverage.reports]
    assert order[0] == "first"
    assert "copy" not in order  # it is behind the first
    lags = {report.hit.id: report.lag for report in coverage.reports}
    assert lags["first"] is None
    assert lags["second"] == timedelta(hours=9, minutes=48)


def test_no_lag_is_told_where_only_the_day_is_known(archive: Searcher) -> None:
    reports = {report.hit.id: report for report in archive.coverage("first").reports}
    assert reports["crawled"].lag is None


def test_a_repost_has_its_original_in_the_coverage_and_itself(archive: Searcher) -> None:
    order = [report.hit.id for report in archive.coverage("copy").reports]
    assert order.index("first") < order.index("copy")


def test_another_vulnerability_is_another_event(archive: Searcher) -> None:
    assert [report.hit.id for report in archive.coverage("twin").reports] == ["twin"]


def test_reposts_alone_are_no_event(
    fill_folder: Callable[..., Searcher], tmp_path: Path, article_maker: ArticleMaker
) -> None:
    same = [article_maker(id=name, body=ATTACK, published=NIGHT) for name in ("one", "two")]
    searcher = fill_folder(tmp_path, same, {"one": "one", "two": "one"})
    assert [report.hit.id for report in searcher.coverage("two").reports] == ["two"]
    searcher.close()


def test_the_next_issue_of_a_column_is_no_report_of_the_event(
    fill_folder: Callable[..., Searcher], tmp_path: Path, article_maker: ArticleMaker
) -> None:
    issues = [
        article_maker(
            id=f"issue{number}",
            title=f"漏洞周报第{number}期",
            body=ATTACK + ELSEWHERE[number:],
            published=NIGHT + timedelta(days=7 * number),
            mentions=(named("青梧机电"),),
        )
        for number in range(3)
    ]
    searcher = fill_folder(tmp_path, issues, {})
    assert [report.hit.id for report in searcher.coverage("issue1").reports] == ["issue1"]
    searcher.close()


def test_a_text_finds_what_an_article_of_it_would(archive: Searcher) -> None:
    article = archive.article("second")
    found = [each.hit.id for each in archive.related_to(article.title, article.body)]
    assert found[0] in {"first", "copy", "crawled"}
    assert "second" not in found  # it is the same text


def test_the_first_line_of_a_text_may_be_its_title(archive: Searcher) -> None:
    article = archive.article("second")
    with_title = archive.related_to(article.title, article.body)
    in_text = archive.related_to("", f"{article.title}\n{article.body}")
    assert with_title[0].hit.id == in_text[0].hit.id
    assert {each.hit.id for each in with_title} == {each.hit.id for each in in_text}


@pytest.mark.parametrize("text", ["", "  \n", "？！……"])
def test_a_text_without_a_word_is_refused(archive: Searcher, text: str) -> None:
    with pytest.raises(BadParameter):
        archive.related_to("", text)


def test_an_unknown_article_is_told(archive: Searcher) -> None:
    with pytest.raises(UnknownArticle):
        archive.related("nothing")
    with pytest.raises(UnknownArticle):
        archive.coverage("nothing")


def test_no_more_are_given_than_are_asked_for(archive: Searcher) -> None:
    assert len(archive.related("first", size=2)) == 2
    assert ids(archive, "first", 2) == ids(archive, "first")[:2]


def test_an_archive_of_one_article_has_nothing_related(
    fill_folder: Callable[..., Searcher], tmp_path: Path, article_maker: ArticleMaker
) -> None:
    searcher = fill_folder(tmp_path, [article_maker(id="only", title="独一份", body=ATTACK)])
    assert searcher.related("only") == ()
    assert [report.hit.id for report in searcher.coverage("only").reports] == ["only"]
    searcher.close()


def test_of_one_story_two_versions_come_before_other_things(
    fill_folder: Callable[..., Searcher], tmp_path: Path, article_maker: ArticleMaker
) -> None:
    """An article on a subject is not answered with five reports of the week's loudest story."""
    story = [
        article_maker(
            id=f"story{number}",
            title=f"海若物流面单泄露，{word}",
            body="海若物流的电子面单被人批量导出，面单号段可以猜出。" + ELSEWHERE[number:][:30],
            published=NIGHT + timedelta(hours=number),
            source=f"报{number}",
        )
        for number, word in enumerate(("监管约谈", "公司致歉", "网点自查", "用户投诉", "股价下跌"))
    ]
    other = article_maker(
        id="other",
        title="电子面单怎样脱敏：一份给快递网点的说明",
        body="电子面单上的手机号应当隐去中间四位，面单号段不要连续，网点批量导出需要双人审批。",
        published=NIGHT - timedelta(days=200),
        source="别报",
    )
    source = article_maker(
        id="source",
        title="电子面单的安全标准征求意见",
        body="征求意见稿要求电子面单脱敏，批量导出需要审批，面单号段不得猜出，快递网点每年自查。",
        published=NIGHT - timedelta(days=90),
        source="标准报",
    )
    rest = [
        article_maker(
            id=f"rest{number}", title=f"磁带{number}", body=ELSEWHERE, source=f"带{number}"
        )
        for number in range(30)
    ]
    searcher = fill_folder(tmp_path, [*story, other, source, *rest], {})
    found = ids(searcher, "source")
    searcher.close()
    assert found.index("other") <= 2
    assert {f"story{number}" for number in range(5)} <= set(found)
