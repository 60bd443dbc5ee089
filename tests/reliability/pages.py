"""Invented pages for the tests of durability: each says its number and its edition."""

from collections.abc import Iterable
from pathlib import Path

__all__ = ["page_url", "write_pages"]

_PAGE = """---
title: 第{number}号稿件第{edition}版
url: {url}
source: 听潮网安
date: 2026-03-19
fetch_date: 2026-03-{day}T10:00:00
---

# 第{number}号稿件第{edition}版

2026-03-18 09:36:00

灰鹭团伙的第{number}次勒索，赎金要求第{edition}次提高，编号为n{number}e{edition}。{more}

位于槐州的电机制造商在事发当晚切断了与供应商之间的远程连接，第二天上午开始逐台恢复主机。

厂商随后发布公告，建议客户在升级之前停用批量下发功能，并核对三月以来新增的巡检脚本。
"""


def page_url(number: int) -> str:
    return f"https://paper.example/news/{number}"


def write_pages(folder: Path, numbers: Iterable[int], *, edition: int = 1, length: int = 1) -> None:
    """Write pages of numbered articles; of two editions the higher is the newer crawl."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        more = "".join(f"第{number * 7 + each}台主机已恢复。" for each in range(length))
        text = _PAGE.format(
            number=number, edition=edition, url=page_url(number), day=10 + edition, more=more
        )
        (folder / f"{number}.md").write_text(text, encoding="utf-8")
