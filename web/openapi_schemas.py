"""The schemas of results, articles and errors, as the OpenAPI document names them."""

from typing import get_args

from index.categories import categories
from index.document import FieldName, IndicatorType, OrganisationType, Precision
from search.request import COUNTABLE, FACETS, MAX_WINDOW
from web.excerpt import MAX_EXTRACT
from web.json_schema import (
    BOOLEAN,
    NUMBER,
    Schema,
    array,
    described,
    integer,
    nullable,
    one_of,
    or_null,
    record,
    reference,
    string,
)
from web.params import MAX_SIZE

__all__ = ["HIT", "RANGE", "SCHEMAS", "SHORT", "SOMETIMES"]

_MOMENT = nullable(string("时间，北京时间；不知道时为 null", format="date-time"))
_PRECISION = {
    "type": ["string", "null"],
    "enum": [*get_args(Precision), None],
    "description": "day：只知道抓取的那一天",
}
RANGE = array(
    integer(), "起点与终点，以字符（Unicode 码点）计，含起点不含终点", minItems=2, maxItems=2
)
_STRINGS = array(string())
_DUPLICATES = array(reference("Copy"), "同一簇里的其他文章，最早的在前")

SHORT: Schema = {
    "id": string("文章的标识"),
    "url": nullable(string("原文地址，照页面所写；没有时为 null")),
    "title": string("标题"),
    "published": _MOMENT,
    "published_precision": _PRECISION,
    "source": string("媒体"),
}
_FIELDS: Schema = {
    "id": SHORT["id"],
    "url": SHORT["url"],
    "title": SHORT["title"],
    "title_highlights": array(RANGE, "标题里命中的各段"),
    "snippet": reference("Snippet"),
    "published": _MOMENT,
    "published_precision": _PRECISION,
    "category": {
        "type": ["string", "null"],
        "enum": [*categories(), None],
        "description": "类别；不知道时为 null",
    },
    "category_predicted": described(BOOLEAN, "类别是否由程序推测"),
    "source": SHORT["source"],
    "author": nullable(string("作者；没有时为 null")),
    "organisations": array(string(), "提到的机构，主角在前"),
    "identifiers": array(string(), "提到的编号，如 CVE-2024-3400"),
    "score": described(NUMBER, "得分"),
    "duplicate_count": integer("折叠在它后面的文章数"),
    "missing": array(string(), "它缺的检索词"),
}
HIT = _FIELDS | {"duplicates": _DUPLICATES}
SOMETIMES = ("duplicates", "explain", "groups_exact")

SCHEMAS: dict[str, Schema] = {
    "SearchResults": record(
        "一页检索结果",
        {
            "query": string("检索式，照输入所写"),
            "total": integer("含全部检索词的文章数，连同转载"),
            "groups": integer("这些文章折叠后的条数"),
            "groups_exact": described(BOOLEAN, "只在条数是估计时有，为 false"),
            "widened": integer("缺一部分词、排在后面的文章数"),
            "page": integer("第几页", minimum=1),
            "size": integer("每页几条", minimum=1, maximum=MAX_SIZE),
            "next": nullable(string(f"下一页的 cursor，可越过第 {MAX_WINDOW:,} 条；末页为 null")),
            "took_ms": described(NUMBER, "用时，毫秒"),
            "hits": array(reference("Hit")),
            "facets": record(
                "各个分面",
                {name: array(reference("FacetBucket")) for name in FACETS},
            ),
            "relaxed": array(string(), "本页有文章缺的检索词"),
            "did_you_mean": or_null("DidYouMean", "更可能的写法；没有时为 null"),
            "notices": array(reference("Notice"), "检索式里没有采用的部分"),
            "understood": array(reference("Period"), "从词语里读出的时间"),
            "explain": reference("QueryExplanation"),
        },
        SOMETIMES,
    ),
    "Hit": record(
        "结果里的一条；duplicates 只在 duplicate_count 不为 0 时有，explain 只在要求解释时有",
        HIT | {"explain": reference("HitExplanation")},
        SOMETIMES,
    ),
    "Article": record(
        "一篇文章可以公开的部分；正文归原媒体，不在其中",
        _FIELDS
        | {
            "category_printed": nullable(string("原页面所写的类别")),
            "lead": string("导语"),
            "tags": array(string(), "标签"),
            "extract": string(
                f"开头的几段，最多 {MAX_EXTRACT} 字，且不超过正文的三分之一", maxLength=MAX_EXTRACT
            ),
            "views": nullable(integer("原页面所写的阅读数")),
            "mentions": array(reference("Mention")),
            "duplicates": _DUPLICATES,
            "indicators": record(
                "攻击痕迹，已改写为不可点击的形式",
                dict.fromkeys(get_args(IndicatorType), _STRINGS),
            ),
            "citations": record(
                "可直接粘贴的引文，访问日期为今天",
                {"gb_t_7714": string("GB/T 7714"), "plain": string("一行文字"), "bibtex": string()},
            ),
        },
    ),
    "Snippet": record("摘要与其中命中的各段", {"text": string(), "highlights": array(RANGE)}),
    "Copy": record(
        "同一簇里的另一篇文章",
        {name: SHORT[name] for name in ("id", "url", "source", "published", "published_precision")},
    ),
    "FacetBucket": record(
        "分面的一个值",
        {
            "value": string(),
            "count": integer("文章数"),
            "selected": described(BOOLEAN, "是否已选"),
            "salient": integer("机构在其中是主角的文章数；其他分面没有"),
        },
        ("salient",),
    ),
    "FacetValues": record(
        "一个分面的值",
        {
            "name": string(enum=list(COUNTABLE)),
            "prefix": string("输入的文字"),
            "total": integer("符合的值有几个"),
            "values": array(reference("FacetValue")),
        },
    ),
    "FacetValue": record(
        "分面的一个值，与它通向的页面",
        {
            "value": string(),
            "count": integer("文章数"),
            "selected": described(BOOLEAN, "是否已选"),
            "salient": integer("机构在其中是主角的文章数；其他分面没有"),
            "url": string("选用或取消这个值的页面，本站路径"),
            "exclude_url": nullable(string("排除这个值的页面；不能排除时为 null")),
        },
        ("salient",),
    ),
    "DidYouMean": record(
        "更可能的写法",
        {
            "query": string(),
            "total": integer("它会找到的文章数"),
            "applied": described(BOOLEAN, "是否已按它检索"),
        },
    ),
    "Notice": record(
        "检索式里没有照写采用的部分",
        {
            "code": string(),
            "message": string(),
            "start": integer("从第几个字符起"),
            "end": integer("到第几个字符止，不含"),
        },
    ),
    "Period": record(
        "从词语里读出的时间",
        {
            "text": string("读出它的词语"),
            "field": string(),
            "from": nullable(string("第一天", format="date")),
            "to": nullable(string("最后一天", format="date")),
        },
    ),
    "QueryExplanation": record(
        "检索式是怎样读的",
        {
            "read_as": string("规范的写法"),
            "words": array(
                record(
                    "一个词",
                    {
                        "word": string(),
                        "variants": array(
                            record(
                                "算作这个词的写法",
                                {"text": string(), "weight": NUMBER, "origin": string()},
                            )
                        ),
                        "optional": BOOLEAN,
                        "articles": nullable(integer("含它的文章数")),
                        "idf": {"type": ["number", "null"]},
                    },
                )
            ),
            "ignored": array(string(), "不说明内容、没有计入的词"),
            "evaluation": array(string(), "各部分怎样求值、得到几篇"),
        },
    ),
    "HitExplanation": record(
        "得分的组成：(words + evidence + rest) × freshness",
        {
            "words": array(
                record(
                    "一个词的得分",
                    {
                        "word": string(),
                        **dict.fromkeys(("score", "idf", "frequency", "norm"), NUMBER),
                        "occurrences": array(
                            record(
                                "一种写法在一个字段里",
                                {
                                    "text": string(),
                                    "field": string(),
                                    "count": integer(),
                                    "weight": NUMBER,
                                },
                            )
                        ),
                    },
                )
            ),
            "coverage": described(NUMBER, "因缺词而打的折扣"),
            "evidence": array(
                {"type": "array", "prefixItems": [string(), NUMBER], "minItems": 2, "maxItems": 2},
                "名称与得分",
            ),
            "freshness": described(NUMBER, "因新近而乘的倍数"),
            "rest": described(NUMBER, "普通词语以外的条件"),
        },
    ),
    "Suggestions": record(
        "输入时的建议",
        {
            "query": string("输入的文字"),
            "groups": array(
                record(
                    "一类建议，至多五条",
                    {
                        "name": string(
                            enum=["query", "organisation", "identifier", "category", "title"]
                        ),
                        "suggestions": array(reference("Suggestion")),
                    },
                )
            ),
        },
    ),
    "Suggestion": record(
        "一条建议",
        {
            "text": string(),
            "count": nullable(integer("文章数；一篇文章的标题为 null")),
            "id": nullable(string("标题所属的文章；其他建议为 null")),
            "url": string("它通向的页面，本站路径"),
        },
    ),
    "Mention": record(
        "文中的一家机构",
        {
            "name": string("规范名称"),
            "type": one_of(OrganisationType, "类型"),
            "salient": described(BOOLEAN, "是主角，而不只是顺带提到"),
            "surfaces": array(string(), "文中的写法"),
            "evidence": array(
                record(
                    "提到它的一句",
                    {
                        "field": one_of(FieldName, "字段"),
                        "start": integer("名称在字段里的起点"),
                        "end": integer("终点，不含"),
                        "text": string("句子"),
                    },
                )
            ),
        },
    ),
    "Error": record(
        "所有错误的同一种形式",
        {
            "error": record(
                "错误",
                {
                    "code": string(
                        "给程序看的代码",
                        enum=[
                            *("bad_query", "bad_parameter", "bad_body", "unknown_field"),
                            *("bad_request", "unknown_article", "not_found", "method_not_allowed"),
                            *("cursor_expired", "request_entity_too_large", "request_uri_too_long"),
                            *("index_unavailable", "index_out_of_date", "store_unavailable"),
                            "service_unavailable",
                            "timed_out",
                            "too_many_requests",
                            "internal_server_error",
                        ],
                    ),
                    "message": string("给人看的说明，写明怎样改正", minLength=1),
                    "detail": {
                        "type": "object",
                        "description": "有关的参数或字段；没有时为空",
                        "properties": {
                            "name": string("参数或字段"),
                            "value": string("它的值"),
                            "known": array(string(), "可用的字段"),
                            "request_id": string("请求的编号，写在日志里"),
                        },
                    },
                },
            )
        },
    ),
}
