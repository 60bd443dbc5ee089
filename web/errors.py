"""Errors in one shape: JSON under /api/, a page elsewhere; a bug stays loud in the log."""

import re
from collections.abc import Mapping
from http import HTTPStatus

from flask import Flask, Response, current_app, render_template, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from index.errors import (
    AnwenError,
    BadParameter,
    ClusterUnavailable,
    CursorExpired,
    IndexOutOfDate,
    IndexUnavailable,
    QueryError,
    QueryTooLong,
    StoreError,
    TimedOut,
    UnknownArticle,
    UnknownField,
)
from web.draft_input import MAX_DRAFT
from web.exchange import exchange_of
from web.plain import visible
from web.responses import json_response
from web.turns import AT_ONCE
from web.wire import error_object

__all__ = ["answer", "bad_query", "error_status", "register"]

_HEADINGS = {
    400: "请求有误",
    403: "没有权限",
    404: "没有找到",
    405: "方法不对",
    410: "已经过期",
    413: "内容太长",
    414: "地址太长",
    429: "请求太多",
    503: "暂时不能检索",
}

_MESSAGES = {
    400: "请求无法读懂，请检查地址。",
    403: "这里只向管理员指定的地址开放。",
    404: "没有这个页面，请检查地址，或从检索开始。",
    405: "这个地址不接受此种请求方法，请用 {methods}。",
    413: f"内容太长，标题与正文合计最多 {MAX_DRAFT:,} 字。",
    414: "地址太长，请缩短检索式。",
    429: "请求太多，请稍后再试。",
    500: "程序出错，已记入日志。请稍后再试。",
    503: "此刻请求太多，来不及回答。请稍后再试。",
}


def register(app: Flask) -> None:
    """Answer the project's errors and HTTP's own; every other exception becomes a logged 500."""
    for kind in (QueryError, UnknownArticle, IndexUnavailable, StoreError, TimedOut):
        app.register_error_handler(kind, _answer_anwen_error)
    app.register_error_handler(HTTPException, answer)


def error_status(error: AnwenError) -> int:
    """Return the HTTP status of an error."""
    match error:
        case CursorExpired():
            return HTTPStatus.GONE
        case QueryError():
            return HTTPStatus.BAD_REQUEST
        case UnknownArticle():
            return HTTPStatus.NOT_FOUND
        case IndexUnavailable() | StoreError() | TimedOut():
            return HTTPStatus.SERVICE_UNAVAILABLE
    return HTTPStatus.INTERNAL_SERVER_ERROR


def bad_query(error: QueryError) -> tuple[str, int]:
    """Return the page of a query that is refused; it leads a text that was pasted to the drafts."""
    page = render_template(
        "bad_query.html",
        typed=request.args.get("q", ""),
        message=str(error),
        is_long=isinstance(error, QueryTooLong),
    )
    return page, error_status(error)


def _answer_anwen_error(error: AnwenError) -> Response:
    status = error_status(error)
    detail: dict[str, object] = {}
    match error:
        case BadParameter():
            code, message = error.code, str(error)
            detail = {"name": error.name, "value": error.value}
        case UnknownField():
            code, message = error.code, str(error)
            detail = {"name": error.name, "known": list(error.known)}
        case QueryError():
            code, message = error.code, str(error)
        case UnknownArticle():
            code, message = "unknown_article", f"{error}。它可能已被撤下。"
        case TimedOut():
            code, message = "timed_out", str(error)
        case IndexOutOfDate():
            code = "index_out_of_date"
            message = "索引与当前程序不符。请管理员运行 anwen index --rebuild。"
        case ClusterUnavailable():
            code = "index_unavailable"
            message = "索引暂时没有应答，请稍后再试。管理员可运行 anwen info 查看原因。"
        case IndexUnavailable():
            code = "index_unavailable"
            message = (
                "没有可用的索引。请管理员运行 anwen info 查看原因，或用 anwen index 建立索引。"
            )
        case _:
            code = "store_unavailable"
            message = "文章库没有应答，请稍后再试。管理员可运行 anwen info 查看原因。"
    if status == HTTPStatus.SERVICE_UNAVAILABLE and not isinstance(error, TimedOut):
        # The operator's message names paths; it is for the log, not for readers.
        current_app.logger.error("%s: %s", type(error).__name__, visible(str(error)))
    return _response(status, code, message, detail)


def answer(error: HTTPException) -> Response:
    """Return the answer to an error of HTTP itself."""
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    code = re.sub(r"[^a-z]+", "_", error.name.lower())
    message = _MESSAGES.get(status, _MESSAGES[500 if status >= 500 else 400])
    if isinstance(error, MethodNotAllowed):
        methods = set(error.valid_methods or ()) - {"HEAD", "OPTIONS"}
        message = message.format(methods="、".join(sorted(methods)))
    response = _response(status, code, message, {})
    for name, value in error.get_headers():
        if name != "Content-Type":  # Allow, Retry-After
            response.headers[name] = value
    return response


def _response(status: int, code: str, message: str, detail: Mapping[str, object]) -> Response:
    if exchange := exchange_of(request.environ) if status >= 500 else None:
        # By this the operator finds what the log says of it.
        detail = {**detail, "request_id": exchange.id}
    if request.path.startswith("/api/") or request.path in AT_ONCE:
        return json_response(error_object(code, message, detail), status)
    page = render_template(
        "error.html",
        status=status,
        heading=_HEADINGS.get(status, "出错了"),
        message=message,
        typed=request.args.get("q", ""),
        request_id=detail.get("request_id"),
    )
    return Response(page, status, mimetype="text/html")
