"""Hostile pages: those of a crawl, and invented ones, changed until they hurt.

    python -m tests.reliability.hostile_pages [--pages N] [--seed N] [--corpus DIR] [--slow SECONDS]

Each is read as `anwen index` reads it, in a process of its own and with its limit in time, and its
title and body are analysed as the index analyses them. Prints how many there were, how long they
took of a processor, and which ones failed.
"""

import argparse
import json
import os
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

from index import stages
from index.corpus import Page
from index.document import Article
from index.duplicates import fingerprints
from index.schema import index_batch
from index.settings import Settings
from index.workers import Workers

__all__ = ["Figures", "hostile_pages", "read_all"]

_MEGABYTE = 2**20
_LARGEST = 8 * _MEGABYTE
SAMPLE = Path(__file__).parents[2] / "web" / "sample"


def _pieces(text: str) -> tuple[str, ...]:
    """Part a text at its spaces; ␠ is one within a piece."""
    return tuple(piece.replace("␠", " ") for piece in text.split(" "))


# Pieces that patterns of the reading code begin with, each repeated until it fills a line. What
# would close it never comes.
TRAPS = _pieces(
    '[ ![ [[ ]( [a]( ![a](http://a [a](b␠" ( \\ \\[ ` ```␠` '
    "*a ** __ _a *a␠* "
    "< <a␠ <p <table </tr> & &lt &# &#x \ue000 "
    "| |␠ |- |␠---␠ -␠ *␠#␠ >␠ #␠ 1.␠ = ---\n a:\n ~~~\n "
    "http:// http://a. https://a/b?c= hxxp [.] a[.] a. a@ 1. 1.2.3. f "
    "0123456789abcdef CVE- CVE-2024- CNVD- T1 GHSA- a- 2024- 2024年 12: "
    "作者： 来源： 发布时间： 原文链接： （以下简称“ 以下简称 公司 某某科技有限公司 "
    "安全 漏洞 的 a ␠ \t "
    "\u3000 \u200b 。 ， 、 “ 《 (以下简称 e\u0301 "
    "🙂 \u0e33 ﷺ İ \x00 \r A Aa␠ 中a 1a "
    "中国 北京市 局 部 大学 组织 APT- APT Lazarus 简称 ”） 上海交通大学 国家互联网应急中心 a,b; …"
)
TAGS = _pieces("div span p b table td tr ul li a␠href=x blockquote font svg article")


def _nested(random: Random) -> bytes:
    tag = random.choice(TAGS)
    depth = random.choice((1000, 10_000, 100_000))
    end = f"</{tag.split()[0]}>" * (depth if random.random() < 0.5 else 0)
    text = random.choice(("正文正文", "正文，正文。<a href=b>链接</a>"))
    text *= random.choice((1, 100_000))
    return f"<title>标题标题</title><body>{f'<{tag}>' * depth}{text}{end}".encode()


def _attributes(random: Random) -> bytes:
    count = random.choice((1000, 100_000, 400_000))
    names = " ".join(f"{random.choice('abc')}{n}='{n}'" for n in range(count))
    return f"<title>标题标题</title><body {names}><p class='{'a ' * count}'>正文</p>".encode()


def _entities(random: Random) -> bytes:
    piece = random.choice(
        ("&lt;", "&#x4e00;", "&#9999999999;", "&amp;amp;", "&nbsp", "&" * 9, "&a;")
    )
    return f"<title>标题{piece}</title><p>{piece * random.choice((1000, 400_000))}</p>".encode()


def _elements(random: Random) -> bytes:
    piece = random.choice(
        (
            "<p>a</p>",
            "<br>",
            "<i></p>",
            "<meta name=a content=b>",
            "<article>a</article>",
            "<h1>a</h1>",
            "<script type=application/ld+json>[{}]</script>",
            "<table><tr><td>a",
            "<a href=b>c</a>",
            "<!--",
            "<img src=a>",
            "<li>a",
            "<time>2024</time>",
            "<div class='comment'>a</div>",
            "</p>",
            "<p>正文。</p>",
        )
    )
    size = random.choice((10_000, 100_000, _MEGABYTE))
    return f"<title>标题标题</title><h1>标题标题</h1>{piece * (size // len(piece))}".encode()


def _trap(random: Random) -> bytes:
    trap = random.choice(TRAPS)
    if random.random() < 0.5:
        trap += random.choice(TRAPS)
    size = random.choice((2000, 20_000, 200_000, _MEGABYTE, _LARGEST - 1000))
    line = trap * (size // len(trap.encode()))
    shape = random.randrange(5)
    if shape == 0:
        return f"# {line[:3000]}\n\n正文正文".encode()
    if shape == 1:
        return f"---\ntitle: 标题\nsource: {line[:3000]}\n---\n\n{line}".encode()
    if shape == 2:
        return f"<title>标题标题</title><p>{line}</p>".encode()
    if shape == 3:
        return (
            "# 标题标题\n\n" + "\n".join(line[at : at + 60] for at in range(0, len(line), 60))
        ).encode()
    return f"# 标题标题\n\n{line}".encode()


def _mutated(raw: bytes, random: Random) -> bytes:
    data = bytearray(raw)
    for _ in range(random.choice((1, 1, 2, 5))):
        start, end = sorted(random.choices(range(len(data) + 1), k=2))
        match random.randrange(7):
            case 0:
                for _ in range(random.choice((1, 30, 1000))):
                    if data:
                        data[random.randrange(len(data))] = random.randrange(256)
            case 1:
                piece = data[start : min(end, start + 2000)]
                data[start:start] = piece * random.choice((2, 100, 1000))
            case 2:
                del data[start:end]
            case 3:
                data[start:start] = f"<{random.choice(TAGS)}>".encode() * 10_000
            case 4:
                data = data.replace(b"\n", b" ") * random.choice((1, 20))
            case 5:
                data[start:start] = random.choice(TRAPS).encode() * random.choice((100, 20_000))
            case 6:
                data[start:start] = random.randbytes(random.choice((10, 10_000)))
        del data[_LARGEST:]
    return bytes(data)


def _whole_pages(corpus: Path | None) -> Iterator[Page]:
    """Real pages where they are at hand, those of the sample elsewhere; without end."""
    kept: list[Page] = []
    if corpus is None:
        for path in sorted(SAMPLE.rglob("*")):
            if path.suffix in {".md", ".html"}:
                form = "md" if path.suffix == ".md" else "html"
                kept.append(Page(path=path.name, raw=path.read_bytes(), format=form))
    else:
        for name, most in (
            ("portals.tar.xz", 1500),
            ("wechat.tar.xz", 700),
            ("html/pages.tar.xz", 679),
        ):
            with tarfile.open(corpus / name) as archive:
                members = (member for member in archive if member.isfile())
                for member in islice(members, most):
                    content = archive.extractfile(member)
                    form = "md" if member.name.endswith(".md") else "html"
                    if content:
                        kept.append(Page(path=member.name, raw=content.read(), format=form))
    Random(9).shuffle(kept)
    yield from cycle(kept)


def hostile_pages(seed: int, corpus: Path | None = None) -> Iterator[Page]:
    """Give hostile pages without end, the same for a seed; three in four are changed real ones."""
    random, whole = Random(seed), _whole_pages(corpus)
    made = (_nested, _attributes, _entities, _elements, _trap, _trap, _trap)
    for number in range(2**40):
        if random.random() < 0.75:
            page = next(whole)
            raw, form = _mutated(page.raw, random), page.format
            name = f"{page.path} changed"
        else:
            make = random.choice(made)
            raw, form = make(random)[:_LARGEST], random.choice(("md", "html"))
            name = make.__name__
        yield Page(path=f"{number} {name}", raw=raw, format=form)  # type: ignore[arg-type]


@dataclass(slots=True)
class Figures:
    """How many pages were read, how long each took, and what became of them."""

    seconds: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    slow: list[tuple[float, str]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        ordered = sorted(self.seconds)
        return {
            "pages": len(ordered),
            "median_ms": round(ordered[len(ordered) // 2] * 1000, 1),
            "p99_ms": round(ordered[len(ordered) * 99 // 100] * 1000),
            "slowest_ms": round(ordered[-1] * 1000),
            "over_2_s": sum(each > 2 for each in ordered),
            "outcomes": dict(self.outcomes.most_common()),
        }


def read_all(pages: Iterator[Page], slow: float = 2.0) -> Figures:
    """Read pages in a worker process, and analyse what is found in them."""
    figures = Figures()
    with Workers(1, stages.start_worker, (Settings(data=Path(os.devnull)),)) as workers:
        for page in pages:
            task = workers.submit(_read, [page])
            ((outcome, took, analysed),) = workers.results(task, _died)
            figures.seconds.append(took)
            figures.outcomes[outcome] += 1
            told = f"{page.path}, {page.format}, {len(page.raw):,} bytes"
            if outcome.startswith("failed"):
                figures.failures.append(f"{outcome}: {told}")
            if took + analysed > slow:
                start = page.raw[:40].decode("utf-8", "replace")
                sys.stderr.write(f"{took:.2f} + {analysed:.2f} s: {outcome}: {told} {start!r}\n")
    return figures


def _read(pages: list[Page]) -> list[tuple[str, float, float]]:
    """Return what became of each page, and the seconds of extraction and of analysis."""
    stages._worker.load()
    index_batch([], stages._worker.analyzer, {})
    found = []
    for page in pages:
        started = process_time()
        (result,) = stages.extract_pages([page])
        extracted = process_time()
        if isinstance(result, Article):
            fingerprints([result])
            index_batch([result], stages._worker.analyzer, {})
            outcome = "article"
        else:
            outcome = result if isinstance(result, str) else f"failed: {result.message}"
        found.append((outcome, extracted - started, process_time() - extracted))
    return found


def _died(page: Page) -> tuple[str, float, float]:
    failure = stages.worker_died(page)
    assert isinstance(failure, stages.Failure)
    return f"failed: {failure.message}", 2 * stages._PAGE_SECONDS, 0.0


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pages", type=int, default=20_000)
    options.add_argument("--seed", type=int, default=9)
    options.add_argument("--corpus", type=Path)
    options.add_argument("--slow", type=float, default=2.0, help="seconds from which one is shown")
    given = options.parse_args()
    figures = read_all(islice(hostile_pages(given.seed, given.corpus), given.pages), given.slow)
    sys.stdout.write(f"{json.dumps(figures.told(), ensure_ascii=False, indent=1)}\n")
    sys.stdout.writelines(f"{failure}\n" for failure in figures.failures[:50])


if __name__ == "__main__":
    main()
