"""The hostile texts, and articles and addresses that carry them."""

import json
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import get_args
from urllib.parse import quote

from index.document import BEIJING, Article, Evidence, Image, Indicator, Mention, OrganisationType
from web.params import REPEATED

__all__ = [
    "ADDRESSES",
    "FILLING",
    "HEADERS",
    "PAYLOADS",
    "Payload",
    "ask",
    "encoded",
    "hostile_articles",
    "hostile_pages",
    "some",
]

FILLING = "恢复从离线备份开始。" * 8
_TYPES = get_args(OrganisationType)


@dataclass(frozen=True, slots=True)
class Payload:
    """A hostile text, its class, and its number among all."""

    number: int
    kind: str
    text: str

    @property
    def article_id(self) -> str:
        return f"{self.number:016x}"


def _read() -> Iterator[tuple[str, str]]:
    file = Path(__file__).with_name("payloads.toml")
    for kind, texts in tomllib.loads(file.read_text(encoding="utf-8")).items():
        for text in texts:
            yield kind, json.loads(f'"{text}"') if kind == "halves" else text


PAYLOADS = tuple(Payload(number, kind, text) for number, (kind, text) in enumerate(_read()))
EVERY = 20  # of them, in a short form


def some(step: int = EVERY, start: int = 0) -> tuple[Payload, ...]:
    """Every so-manyth payload; from different starts different ones."""
    return PAYLOADS[start % step :: step]


def encoded(text: str) -> str:
    """The text in an address; halves of pairs as the bytes that would be theirs."""
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def hostile_articles(make: Callable[..., Article]) -> list[Article]:
    """An article for each payload, which every field of it carries."""
    start = datetime(2023, 1, 9, 9, 36, tzinfo=BEIJING)
    articles = []
    for payload in PAYLOADS:
        text, at = payload.text, payload.number
        body = (
            f"{text}漏洞{text}\n第{at}号通报说，网关固件的签名私钥外泄。"
            + "恢复从离线备份开始。" * 8
        )
        evidence = Evidence(field="body", start=0, end=len(text), text=f"{text}漏洞{text}")
        articles.append(
            make(
                id=payload.article_id,
                url=text if at % 2 else f"https://tingchao.example/{text}",
                title=text,
                published=start + timedelta(days=3 * at) if at % 11 else None,
                category=text if at % 3 else "漏洞",
                category_printed=text,
                category_predicted=at % 5 == 0,
                source=text,
                author=text,
                tags=(text, "勒索"),
                lead=f"{text}导语" if at % 4 else "",
                body=body,
                views=at,
                images=(Image(url=text, caption=text),),
                mentions=(
                    Mention(
                        name=text,
                        type=_TYPES[at % len(_TYPES)],
                        salient=at % 2 == 0,
                        surfaces=(text,),
                        evidence=(evidence,),
                        defined=(text,),
                    ),
                    Mention(
                        name="衡岳智联",
                        type="company",
                        salient=True,
                        surfaces=("衡岳智联",),
                        evidence=(Evidence(field="title", start=0, end=1, text=text),),
                    ),
                ),
                identifiers=(text, "CVE-2026-31337"),
                indicators=tuple(
                    Indicator(type=kind, value=value)
                    for kind, value in (
                        ("url", f"http://huilu.example/{text}"),
                        ("domain", "c2.huilu.example"),
                        ("ip", "203.0.113.7"),
                        ("hash", text),
                    )
                ),
            )
        )
    return articles


_FRONT_MATTER = """---
title: {line}
url: {url}
source: {line}
author: {line}
category: {line}
published: 2026-03-18 09:36
---
# {text}

{text}网关固件的签名私钥外泄，影响的设备已经断开，公告见{text}。

![{text}]({text})

恢复从离线备份开始，预计还要两天；在此之前，业务改用手工登记。{text}
运维人员随后核对了全部巡检脚本，并停用了批量下发的功能，第{number}号通报说。

```
{text}
```
"""
_HTML = """<!doctype html><html><head><meta charset="utf-8"><title>{text}</title>
<meta name="author" content="{text}"><meta property="og:site_name" content="{text}">
<meta name="description" content="{text}"><link rel="canonical" href="{url}">
<script type="application/ld+json">{{"headline": "{text}", "author": "{text}"}}</script></head>
<body><nav>首页</nav><article><h1>{text} 网关固件私钥外泄第{number}号通报</h1>
<p>2026-03-18 09:36 {text}</p>
<p>{text}网关固件的签名私钥外泄，影响的设备已经断开，衡岳智联公司在通报中说，公告见{text}。</p>
<img src="{text}" alt="{text}">
<p>恢复从离线备份开始，预计还要两天；在此之前，业务改用手工登记。{text}</p>
<p>运维人员随后核对了全部巡检脚本，并停用了批量下发的功能。CVE-2026-31337 的利用代码已经出现。</p>
</article><footer>版权所有</footer></body></html>
"""


def hostile_pages(folder: Path, every: int) -> int:
    """Write crawled pages with each so-manyth payload, as they are, in both formats; their number.

    In HTML the payload stands both as markup, as a hostile site would write it, and as text.
    """
    chosen = PAYLOADS[::every]
    for payload in chosen:
        for form, page in (("md", _FRONT_MATTER), ("html", _HTML)):
            for way in ("raw", "escaped") if form == "html" else ("raw",):
                text = payload.text
                if way == "escaped":
                    text = text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
                name = f"{payload.number}-{way}.{form}"
                whole = page.format(
                    text=text,
                    line=" ".join(text.split()),
                    url=f"https://tingchao.example/{form}/{way}/{payload.number}?{text}",
                    number=payload.number,
                )
                (folder / name).write_bytes(whole.encode("utf-8", "surrogatepass"))
    return 3 * len(chosen)


_VALUES = ("from", "to", "match", "sort", "duplicates", "page", "size", "cursor", "explain")
_SWITCHED = ("correct", "periods", "format")

# Every way in: by endpoint, the addresses in which {} is a payload.
ADDRESSES: dict[str, tuple[str, ...]] = {
    "static": ("/static/{}", "/static/site.css?v={}"),
    "pages.home": ("/?{}={}",),
    "pages.search": (
        *("/search?q={}", "/search?q=漏洞+{}&duplicates=show&sort=newest", "/search?{}={}"),
        *(f"/search?q=漏洞&{name}={{}}" for name in (*REPEATED, *_VALUES, *_SWITCHED)),
        *("/search?find={}", "/search?find=a&facet={}", "/search?q=a&q={}&category=a&category={}"),
    ),
    "pages.article": ("/article/{}",),
    "pages.analyze": ("/analyze?q={}",),
    "pages.help_query": ("/help/query?{}",),
    "health.is_alive": ("/healthz?{}",),
    "health.is_ready": ("/readyz?{}",),
    "metrics.show": ("/metrics?{}",),
    "pages.draft": ("/draft?title={}&text={}",),
    "pages.organisation": (
        "/organisation/{}",
        "/organisation/{}?latest={}",
        "/organisation/衡岳智联?latest={}",
    ),
    "pages.organisations": tuple(
        f"/organisations?{name}={{}}" for name in ("prefix", "type", "page")
    ),
    "pages.identifier": ("/identifier/{}", "/identifier/cve-2026-31337{}"),
    "pages.feed": ("/feed.atom?q={}", "/feed.atom?q=漏洞&source={}&size=5", "/feed.atom?size={}"),
    "pages.export": ("/export?id={}", "/export?id=0000000000000001&format={}"),
    "pages.opensearch": ("/opensearch.xml?{}",),
    "pages.suggest": ("/suggest.json?q={}",),
    "pages.robots": ("/robots.txt?{}",),
    "pages.sitemap": ("/sitemap.xml?{}",),
    "pages.sitemap_part": ("/sitemap/{}.xml", "/sitemap/1.xml?{}"),
    "pages.trends": ("/trends?q={}", "/trends?q=漏洞&organisation={}", "/trends?category={}"),
    "pages.openapi": ("/openapi.json?{}",),
    "pages.docs": ("/docs?{}",),
    "api.search": (
        *("/api/v1/search?q={}", "/api/v1/search?q={}&explain=1", "/api/v1/search?{}={}"),
        *(f"/api/v1/search?q=漏洞&{name}={{}}" for name in (*REPEATED, *_VALUES, *_SWITCHED)),
        *(f"/api/v1/search?q={{}}&format={form}" for form in ("csv", "jsonl", "md")),
    ),
    "api.suggest": ("/api/v1/suggest?q={}",),
    "api.facet": (
        "/api/v1/facets/{}",
        "/api/v1/facets/organisation?prefix={}",
        "/api/v1/facets/source?q={}",
        "/api/v1/facets/identifier?limit={}",
    ),
    "api.article": ("/api/v1/articles/{}",),
    "api.related": (
        "/api/v1/articles/{}/related",
        "/api/v1/articles/0000000000000001/related?size={}",
    ),
    "api.coverage": ("/api/v1/articles/{}/coverage",),
    "api.article_by_url": ("/api/v1/articles?url={}", "/api/v1/articles?url=https://a.example/{}"),
    "widget.newest": ("/widget.js?{}",),
    "widget.fixed": ("/widget/{}.js",),
    "pages.check_draft": ("/draft",),  # these take a body, not an address
    "api.related_to": ("/api/v1/related",),
}

# Headers that a reader or a machine in between may send; a server refuses line ends in them.
HEADERS = (
    *("User-Agent", "Referer", "Host", "Accept", "Accept-Encoding", "Accept-Language", "Cookie"),
    *("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix", "Origin"),
    *("Forwarded", "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "X-Request-ID"),
    *("If-None-Match", "If-Modified-Since", "Range", "Authorization", "Content-Type"),
    *("Access-Control-Request-Method", "Access-Control-Request-Headers"),
)


def ask(template: str, payload: Payload) -> str:
    """The address that a template of ADDRESSES makes of a payload."""
    return template.replace("{}", encoded(payload.text))
