"""The schemas of related coverage and of drafts, as the OpenAPI document names them."""

from typing import get_args

from index.document import OrganisationType
from search.related import MAX_DRAFT, MAX_PARAGRAPHS, DraftMark, ReasonKind
from web.draft_input import MAX_RELATED, DraftInput
from web.json_schema import (
    BOOLEAN,
    NUMBER,
    Schema,
    array,
    described,
    integer,
    nullable,
    one_of,
    record,
    reference,
    string,
)
from web.openapi_schemas import HIT, RANGE, SHORT, SOMETIMES

__all__ = ["RELATED_SCHEMAS"]

RELATED_SCHEMAS: dict[str, Schema] = {
    "RelatedHit": record(
        "一篇相关文章",
        HIT
        | {
            "reasons": array(reference("Reason"), "相关的理由，最能说明问题的在前"),
            "same_event": described(BOOLEAN, "是否报道同一事件"),
        },
        SOMETIMES,
    ),
    "Report": record(
        "对一个事件的一次报道",
        HIT
        | {
            "lag_seconds": nullable(
                integer("比最早的报道晚几秒；最早的一篇，或只知道抓取日时为 null")
            )
        },
        SOMETIMES,
    ),
    "Related": record("相关文章", {"hits": array(reference("RelatedHit"))}),
    "Reason": record(
        "相关的理由",
        {
            "kind": one_of(ReasonKind, "种类"),
            "values": array(string(), "共同之处；同一事件（event）没有"),
            "text": string("写成一句话"),
        },
    ),
    "Coverage": record(
        "同一事件的报道，最早的在前",
        {
            "article": string("所问的文章"),
            "reports": array(reference("Report"), "其中也有所问的文章"),
        },
    ),
    "Draft": record(
        f"要比较的文字，标题与正文不能都空，合计最多 {MAX_DRAFT:,} 字、{MAX_PARAGRAPHS} 行",
        {
            "title": string("标题", maxLength=MAX_DRAFT),
            "text": string("正文", maxLength=MAX_DRAFT),
            "draft": described(BOOLEAN | {"default": DraftInput().draft}, "true：逐段与文库比较"),
            "size": integer(
                "最多几篇相关文章", minimum=1, maximum=MAX_RELATED, default=DraftInput().size
            ),
        },
        ("title", "text", "draft", "size"),
        anyOf=[{"required": ["title"]}, {"required": ["text"]}],
    ),
    "DraftReport": record(
        "一篇稿件与文库的比较",
        {
            "articles": integer("比较了几篇文章"),
            "took_ms": described(NUMBER, "用时，毫秒"),
            "paragraphs": array(reference("DraftParagraph")),
            "names": array(reference("DraftName"), "文库里也有的机构与编号"),
            "unseen": array(reference("UnseenName"), "文库里没有的名称"),
            "hits": array(reference("RelatedHit"), "相关文章"),
        },
    ),
    "DraftParagraph": record(
        "稿件的一段",
        {
            "number": integer("第几段", minimum=1),
            "text": string(),
            "mark": one_of(DraftMark, "new 新写，covered 已报，copied 雷同，short 太短"),
            "sources": array(reference("DraftSource"), "最接近的文章"),
            "others": integer("此外还有几篇"),
        },
    ),
    "DraftSource": record(
        "说过这一段的文章",
        SHORT
        | {
            "paragraphs": array(integer(minimum=1), "正文的哪几段"),
            "passages": array(reference("Passage")),
        },
    ),
    "Passage": record(
        "两边都有的一段文字",
        {
            "start": integer("在稿件这一段里的起点"),
            "end": integer("终点，不含"),
            "text": string("文章里的句子"),
            "highlight": described(RANGE, "句子里相同的部分"),
        },
    ),
    "DraftName": record(
        "稿件与文库都有的名称",
        {
            "name": string(),
            "type": {
                "type": ["string", "null"],
                "enum": [*get_args(OrganisationType), None],
                "description": "机构的类型；编号为 null",
            },
            "paragraphs": array(integer(minimum=1)),
            "count": integer("文章数"),
            "latest": record("最近的一篇", SHORT),
        },
    ),
    "UnseenName": record(
        "文库里没有的名称",
        {
            "name": string(),
            "paragraphs": array(integer(minimum=1)),
            "near": array(record("写法相近的名称", {"name": string(), "count": integer("文章数")})),
        },
    ),
}
