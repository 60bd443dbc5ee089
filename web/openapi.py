"""The OpenAPI 3.1 document of the JSON interface, made of the constants that read requests."""

from dataclasses import dataclass
from typing import Any

from index.categories import categories
from index.errors import BadParameter, CursorExpired, UnknownArticle
from search.parser import MAX_LENGTH
from search.request import COUNTABLE, MAX_WINDOW, SearchRequest
from web.api import FACET_LIMIT, RELATED
from web.draft_input import MAX_BODY, MAX_DRAFT, MAX_RELATED
from web.formats import FORMATS
from web.json_schema import Schema, array, integer, reference, string
from web.openapi_related import RELATED_SCHEMAS
from web.openapi_schemas import SCHEMAS
from web.params import CHOICES, DAY, EXCLUDABLE, MAX_SIZE, MONTH
from web.wire import error_object

__all__ = ["VERSION", "openapi_document"]

VERSION = "1.0"  # of the interface: the first number is that in its addresses

_SCHEMAS = SCHEMAS | RELATED_SCHEMAS
_DEFAULT = SearchRequest()
_CHOICES_TOLD = {
    "match": "auto：不够时列出缺一部分词的文章；all：从不",
    "sort": "排列；没有日期的文章在两种时间顺序里都排在最后",
    "duplicates": "fold：近似的文章合为一条；show：每篇一条",
    "format": "json：一页结果；其余：全部结果，作为文件",
    "explain": "1：说明检索式怎样读、得分怎样来",
    "correct": "0：照写检索，即使一无所获而另一种写法有结果",
    "periods": "0：最近一周、2024年4月 等不读作时间",
}
_DEFAULTS = {
    "match": _DEFAULT.match,
    "sort": _DEFAULT.sort,
    "duplicates": _DEFAULT.duplicates,
    "format": "json",
    "explain": "0",
    "correct": "1",
    "periods": "1",
}
_FILTERS = {
    "category": ("类别", categories()[0]),
    "organisation": ("机构，用它的任何名称", "微软"),
    "source": ("媒体", "嘶吼"),
}


def openapi_document(base_url: str | None = None, site_name: str = "安闻") -> dict[str, Any]:
    """Return the document, for a site at an address or at whatever address it is asked."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{site_name} HTTP API",
            "version": VERSION,
            "summary": "检索中文网络安全新闻",
            "description": (
                "不需要密钥。回答是 UTF-8 的 JSON；时间、日期与月份都按北京时间。"
                "空的参数与不认识的参数都不计。错误都是同一种形式（Error）。"
                "GET 的回答带有 ETag：以 If-None-Match 送回，若其间没有变化，得到 304。"
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": base_url.rstrip("/") if base_url else "/"}],
        "tags": [{"name": name} for name in ("检索", "文章", "相关报道")],
        "paths": _paths(),
        "components": {
            "schemas": _SCHEMAS,
            "parameters": _parameters(),
            "headers": {
                "ETag": {
                    "description": "这个地址在文库此刻状态下的标记（弱）",
                    "schema": string(),
                },
                "CacheControl": {
                    "description": "no-cache：可以存，用前先问；no-store：不可存",
                    "schema": string(),
                },
                "Allow": {"description": "可用的方法", "required": True, "schema": string()},
                "RetryAfter": {"description": "多少秒后再试", "schema": integer(minimum=0)},
                "ContentDisposition": {"description": "文件名", "schema": string()},
            },
            "responses": _responses(),
        },
    }


def _paths() -> dict[str, Any]:
    article = _parameter(
        "article_id", "文章的标识", string(), place="path", example="f4e6a0a2c4ed5d02"
    )
    return {
        "/api/v1/search": {
            "get": _get(
                "search",
                "检索",
                "检索文章",
                f"page × size 最多 {MAX_WINDOW:,}，再往后用上一页的 next 作 cursor。"
                "cursor 只在索引没有变化时有效，变化之后回答 410。"
                "format 为 csv、jsonl 或 md 时，一次给出全部结果。",
                _search_parameters(("cursor", "format", "explain")),
                _found() | _refused(400, 410),
            )
        },
        "/api/v1/suggest": {
            "get": _get(
                "suggest",
                "检索",
                "输入时的建议",
                "词语、机构、编号、类别与标题，每类至多五条；拼音与首字母也可以。",
                [_parameter("q", "已输入的文字", string(maxLength=MAX_LENGTH), example="qax")],
                _answered("Suggestions") | _refused(400),
            )
        },
        "/api/v1/facets/{name}": {
            "get": _get(
                "facet",
                "检索",
                "一个分面的全部值",
                "在检索结果的范围内查找；sort、page、size、format 与 cursor 不起作用，"
                "但写法须有效。",
                [
                    _parameter(
                        "name",
                        "分面",
                        string(enum=list(COUNTABLE)),
                        place="path",
                        example="organisation",
                    ),
                    _parameter(
                        "prefix",
                        "名称的开头或其中一段；机构可用任何名称，也可用拼音与首字母",
                        string(maxLength=MAX_LENGTH),
                        example="weir",
                    ),
                    _parameter("limit", "最多几个值", _number(MAX_SIZE, FACET_LIMIT)),
                    *_search_parameters(("cursor", "format", "explain")),
                ],
                _answered("FacetValues") | _refused(400, 404),
            )
        },
        "/api/v1/articles": {
            "get": _get(
                "articleByUrl",
                "文章",
                "按地址取一篇文章",
                "地址的协议、主机大小写、末尾斜杠、参数顺序与跟踪参数都不计。",
                [
                    _parameter(
                        "url",
                        "文章的地址",
                        string(minLength=1),
                        is_required=True,
                        example="https://www.4hou.com/posts/jgxv",
                    )
                ],
                _answered("Article") | _refused(400, 404),
            )
        },
        "/api/v1/articles/{article_id}": {
            "get": _get(
                "article",
                "文章",
                "取一篇文章",
                "",
                [article],
                _answered("Article") | _refused(404),
            )
        },
        "/api/v1/articles/{article_id}/related": {
            "get": _get(
                "related",
                "相关报道",
                "与一篇文章相关的文章",
                "不含它的转载。",
                [article, _parameter("size", "最多几篇", _number(MAX_RELATED, RELATED))],
                _answered("Related") | _refused(400, 404),
            )
        },
        "/api/v1/articles/{article_id}/coverage": {
            "get": _get(
                "coverage",
                "相关报道",
                "谁报道了同一事件",
                "",
                [article],
                _answered("Coverage") | _refused(404),
            )
        },
        "/api/v1/related": {"post": _post_related()},
    }


def _post_related() -> dict[str, Any]:
    answer = {
        "description": "相关文章；draft 为 true 时是稿件与文库的比较",
        "headers": {"Cache-Control": reference("CacheControl", "headers")},
        "content": {
            "application/json": {
                "schema": {"oneOf": [reference("Related"), reference("DraftReport")]}
            }
        },
    }
    return _operation(
        "relatedToText",
        "相关报道",
        "与一段文字相关的文章，或逐段检查稿件",
        "文字比较之后即忘：不存，不记日志，回答不可缓存。",
        {"200": answer} | _refused(400, 413),
    ) | {
        "requestBody": {
            "required": True,
            "description": f"最多 {MAX_BODY:,} 字节。不认识的键是错误。",
            "content": {
                "application/json": {
                    "schema": reference("Draft"),
                    "example": {"title": "", "text": "勒索软件借远程运维平台扩散", "draft": True},
                }
            },
        }
    }


# Parameters


def _parameters() -> dict[str, Any]:
    """Return the parameters that `web.params.read_request` reads, under their names."""
    made = [
        _parameter("q", "检索式；空：全部文章", string(maxLength=MAX_LENGTH), example="勒索软件")
    ]
    made += [
        _parameter(name, f"{told}；重复：任何一个", array(string()), example=[example])
        for name, (told, example) in _FILTERS.items()
    ]
    month = string(pattern=f"^{MONTH.pattern}$")
    made.append(_parameter("month", "月份；重复：任何一个", array(month), example=["2024-04"]))
    made += [
        _parameter(f"exclude_{name}", f"排除这些{_FILTERS[name][0]}", array(string()))
        for name in EXCLUDABLE
    ]
    day = string(format="date", pattern=f"^{DAY.pattern}$")
    made.append(_parameter("from", "从这一天起，含当天", day, example="2024-04-01"))
    made.append(_parameter("to", "到这一天止，含当天；不能早于 from", day, example="2024-04-30"))
    made += [
        _parameter(name, told, string(enum=list(CHOICES[name]), default=_DEFAULTS[name]))
        for name, told in _CHOICES_TOLD.items()
    ]
    made.append(
        _parameter("page", f"第几页；page × size 最多 {MAX_WINDOW:,}", _number(MAX_WINDOW, 1))
    )
    made.append(_parameter("size", "每页几条", _number(MAX_SIZE, _DEFAULT.size)))
    made.append(_parameter("cursor", "上一页的 next，代替 page，可以任意深", string()))
    return {each["name"]: each for each in made}


def _search_parameters(last: tuple[str, ...]) -> list[Schema]:
    names = [name for name in _parameters() if name not in last]
    return [reference(name, "parameters") for name in (*names, *last)]


def _number(most: int, default: int) -> Schema:
    return integer(minimum=1, maximum=most, default=default)


def _parameter(
    name: str,
    told: str,
    schema: Schema,
    *,
    place: str = "query",
    is_required: bool = False,
    example: Any = None,
) -> dict[str, Any]:
    required = {"required": True} if is_required or place == "path" else {}
    shown = {} if example is None else {"example": example}
    return {"name": name, "in": place, "description": told, **required, "schema": schema, **shown}


# Operations and their responses


def _get(
    name: str,
    tag: str,
    summary: str,
    told: str,
    parameters: list[dict[str, Any]],
    responses: dict[str, Any],
) -> dict[str, Any]:
    unchanged = {"304": reference("Unchanged", "responses")}
    return _operation(name, tag, summary, told, responses | unchanged) | {"parameters": parameters}


def _operation(
    name: str, tag: str, summary: str, told: str, responses: dict[str, Any]
) -> dict[str, Any]:
    every = responses | _refused(405, 429, 503)
    return {
        "operationId": name,
        "tags": [tag],
        "summary": summary,
        **({"description": told} if told else {}),
        "responses": {status: every[status] for status in sorted(every)},
    }


def _headers(*names: str) -> dict[str, Any]:
    return {name: reference(name.replace("-", ""), "headers") for name in names}


def _answered(name: str) -> dict[str, Any]:
    return {
        "200": {
            "description": _SCHEMAS[name]["description"],
            "headers": _headers("ETag", "Cache-Control"),
            "content": {"application/json": {"schema": reference(name)}},
        }
    }


def _found() -> dict[str, Any]:
    found = _answered("SearchResults")["200"]
    told = {
        "csv": "RFC 4180，首行是列名，带字节顺序标记",
        "jsonl": "每行一个 Hit",
        "md": "可直接粘贴的列表",
    }
    files = {form.mimetype: {"schema": string(told[name])} for name, form in FORMATS.items()}
    found["content"] |= files
    found["headers"] |= _headers("Content-Disposition")
    return {"200": found}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    """How a status is described, and an error that has it."""

    name: str
    told: str
    code: str
    message: str


_REFUSALS = {
    400: _Refusal(
        name="BadRequest",
        told="请求有误；message 写明怎样改正",
        code="bad_parameter",
        message=str(BadParameter("page", "0", "须为从 1 起的整数")),
    ),
    404: _Refusal(
        name="NotFound",
        told="没有这篇文章，或没有这个地址",
        code="unknown_article",
        message=f"{UnknownArticle('0123456789abcdef')}。它可能已被撤下。",
    ),
    405: _Refusal(
        name="MethodNotAllowed",
        told="这个地址不接受此种请求方法",
        code="method_not_allowed",
        message="这个地址不接受此种请求方法，请用 GET。",
    ),
    410: _Refusal(
        name="Gone",
        told="cursor 已过期：索引其间有更新",
        code="cursor_expired",
        message=str(CursorExpired()),
    ),
    413: _Refusal(
        name="TooLarge",
        told=f"文字太长：最多 {MAX_DRAFT:,} 字",
        code="request_entity_too_large",
        message=f"内容太长，标题与正文合计最多 {MAX_DRAFT:,} 字。",
    ),
    429: _Refusal(
        name="TooManyRequests",
        told="请求太多：管理员为每个客户端设了上限；Retry-After 写明多少秒后再试",
        code="too_many_requests",
        message="请求太多，请稍后再试。",
    ),
    503: _Refusal(
        name="Unavailable",
        told="索引或文章库没有应答，或此刻来不及回答；后者的 Retry-After 写明多少秒后再试",
        code="store_unavailable",
        message="文章库没有应答，请稍后再试。管理员可运行 anwen info 查看原因。",
    ),
}


_TOLD = {405: ("Allow",), 429: ("Retry-After",), 503: ("Retry-After",)}


def _refused(*statuses: int) -> dict[str, Any]:
    return {str(status): reference(_REFUSALS[status].name, "responses") for status in statuses}


def _responses() -> dict[str, Any]:
    refusals = {}
    for status, refusal in _REFUSALS.items():
        error = error_object(refusal.code, refusal.message, {})
        refusals[refusal.name] = {
            "description": refusal.told,
            **({"headers": _headers(*_TOLD[status])} if status in _TOLD else {}),
            "content": {"application/json": {"schema": reference("Error"), "example": error}},
        }
    unchanged = {
        "description": "与 If-None-Match 所指的回答相同，没有内容",
        "headers": _headers("ETag", "Cache-Control"),
    }
    return {"Unchanged": unchanged} | refusals
