"""A searcher whose answers about related coverage are written by hand; the rest is a real one's."""

from datetime import datetime, timedelta
from typing import Any, cast

from index.document import BEIJING
from search import Searcher
from search.related import (
    Coverage,
    DraftMark,
    DraftName,
    DraftParagraph,
    DraftReport,
    DraftSource,
    Passage,
    Reason,
    RelatedHit,
    Report,
    UnseenName,
)
from search.results import Copy, Hit, Snippet

__all__ = ["COPIED", "DRAFT", "CraftedSearcher", "make_copy", "make_hit", "make_reports"]

COPIED = (
    "该平台的文件分发接口只校验文件扩展名，不校验上传者所属的租户，"
    "攻击者借此把一个伪装成巡检脚本的压缩包放进公共目录"
)
DRAFT = f"""六月的槐州已经很热，青梧机电总装车间的门口多了一道铁栅栏。班长周师傅说，没有人抱怨。
三个月前不是这样。3月17日夜里，四条产线在半个多小时内先后停机，勒索信的署名是“灰鹭”。
问题出在一个很小的地方：{COPIED}，其余的事由平台自己完成。
就是这样。
离开时已近黄昏，栅栏旁的登记簿翻到了第四十七页。<script>alert(1)</script>"""

_FIRST = datetime(2026, 3, 17, 23, 48, tzinfo=BEIJING)
_LAGS = (
    ("远舟平台疑似被利用，多家工厂产线停机", "析木社区", None, "minute"),
    ("灰鹭借远程运维平台漏洞投放勒索软件", "听潮网安", (0, 9, 48), "minute"),
    ("衡岳智联确认远舟平台存在越权上传漏洞", "关山安全", (0, 14, 17), "minute"),
    ("一个文件名引发的越权上传", "漏洞早报", None, "day"),
    ("三十七家企业停产名单之外：<b>供应商权限</b>谁来管", "数防周刊", (1, 8, 42), "minute"),
    ("青梧机电恢复两条产线", "澜江日报", (3, 7, 12), "minute"),
)


def make_hit(number: int, **values: Any) -> Hit:
    """A hit that leads to an article of the `site`."""
    defaults: dict[str, Any] = {
        "id": f"{number:016x}",
        "url": f"https://tingchao.example/p/{number}",
        "title": f"第{number}篇",
        "title_highlights": (),
        "snippet": Snippet(text="", highlights=()),
        "published": _FIRST + timedelta(days=number),
        "published_precision": "minute",
        "category": None,
        "category_predicted": False,
        "source": "听潮网安",
        "author": None,
        "organisations": (),
        "salient_count": 0,
        "identifiers": (),
        "score": 1.0,
        "duplicate_count": 0,
        "missing": (),
    }
    return Hit(**(defaults | values))


def make_copy(source: str, *, is_first: bool = False) -> Copy:
    """A repost in another outlet, or what was reposted."""
    return Copy(
        id=source,
        url=None,
        title=source,
        source=source,
        published=_FIRST,
        published_precision="minute",
        is_first=is_first,
    )


def make_reports() -> tuple[Report, ...]:
    """Six reports of one event: article 1 has three reposts, of article 3 only a day is known."""
    reports = []
    for number, (title, source, behind, precision) in enumerate(_LAGS):
        lag = timedelta(days=behind[0], hours=behind[1], minutes=behind[2]) if behind else None
        hit = make_hit(
            number,
            title=title,
            source=source,
            published=_FIRST + (lag or timedelta(days=number and 1)),
            published_precision=precision,
            duplicate_count=3 if number == 1 else 0,
            copies=tuple(map(make_copy, ("企安速递", "云汀科技", "工控圈"))) if number == 1 else (),
        )
        reports.append(Report(hit=hit, lag=lag))
    return tuple(reports)


def make_related() -> tuple[RelatedHit, ...]:
    """Related articles with every kind of reason; the first two belong to the event."""
    reasons: tuple[tuple[Reason, ...], ...] = (
        (Reason(kind="event"),),
        (Reason(kind="event"), Reason(kind="group", values=("灰鹭",))),
        (
            Reason(kind="identifier", values=("CVE-2026-31337",)),
            Reason(kind="organisation", values=("衡岳智联", "灰鹭")),
        ),
        (
            Reason(kind="group", values=("灰鹭",)),
            Reason(kind="organisation", values=("<i>海若物流</i>",)),
        ),
        (Reason(kind="words", values=("远程运维", "供应商", "巡检脚本")),),
    )
    return tuple(
        RelatedHit(hit=make_hit(number), reasons=why)
        for number, why in zip((0, 5, 20, 21, 22), reasons, strict=True)
    )


class CraftedSearcher:
    """Answers by hand what `related`, `related_to`, `coverage` and `check_draft` ask."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher
        self.reports = make_reports()
        self.asked: list[tuple[str, str, int]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._searcher, name)

    def as_searcher(self) -> Searcher:
        return cast("Searcher", self)

    def close(self) -> None:
        """Leave the real one open, which others use."""

    def related(self, article_id: str, *, size: int = 10) -> tuple[RelatedHit, ...]:
        self._searcher.article(article_id)
        return make_related()[:size]

    def related_to(self, title: str, text: str, *, size: int = 10) -> tuple[RelatedHit, ...]:
        self.asked.append((title, text, size))
        return make_related()[:size]

    def coverage(self, article_id: str) -> Coverage:
        self._searcher.article(article_id)
        return Coverage(article=article_id, reports=self.reports)

    def check_draft(self, title: str, text: str, *, size: int = 10) -> DraftReport:
        self.asked.append((title, text, size))
        lines = [line for line in text.split("\n") if line.strip()]
        return DraftReport(
            articles=42,
            took_ms=31.4,
            paragraphs=tuple(_paragraph(number, line) for number, line in enumerate(lines, 1)),
            names=(
                DraftName(
                    name="青梧机电", type="company", paragraphs=(1,), count=12, latest=make_hit(7)
                ),
                DraftName(
                    name="CVE-2026-90007", type=None, paragraphs=(3,), count=1, latest=make_hit(7)
                ),
            ),
            unseen=(
                UnseenName(
                    name="槐州市智造服务中心", paragraphs=(1, 4), near=(("槐州市中心医院", 6),)
                ),
                UnseenName(name="<b>远舟二代</b>", paragraphs=(), near=()),
            ),
            related=make_related()[:size],
        )


def _paragraph(number: int, text: str) -> DraftParagraph:
    mark: DraftMark = "new"
    sources: tuple[DraftSource, ...] = ()
    others = 0
    if (start := text.find(COPIED)) >= 0:
        mark, before = "copied", "入口是衡岳智联的远程运维平台<b>“远舟”</b>。"
        passage = Passage(
            start=start,
            end=start + len(COPIED),
            text=f"{before}{COPIED}，再由平台自带的批量下发功能推送。",
            highlight=(len(before), len(before) + len(COPIED)),
        )
        title = "灰鹭借远程运维平台漏洞投放勒索软件"
        sources = (DraftSource(hit=make_hit(1, title=title), paragraphs=(2,), passages=(passage,)),)
    elif text.startswith("三个月前"):
        mark, others = "covered", 6
        sources = (
            DraftSource(hit=make_hit(2, source="关山安全"), paragraphs=(1, 3), passages=()),
            DraftSource(hit=make_hit(3, published=None), paragraphs=(), passages=()),
        )
    elif len(text) < 10:
        mark = "short"
    return DraftParagraph(number=number, text=text, mark=mark, sources=sources, others=others)
