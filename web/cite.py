"""References to an article: GB/T 7714, a plain line of Chinese text, and BibTeX."""

import re
from dataclasses import dataclass
from datetime import date, datetime

from index.document import BEIJING, Article
from web.markup import web_address
from web.plain import one_line

__all__ = ["References", "references", "today"]

_NAMED = 3  # authors; GB/T 7714-2015, 8.1.2: of more the first three, then “等”

_SEPARATORS = re.compile(r"\s*[、,，;；|]\s*|\s+(?:and|&)\s+")
_HAN_NAME = re.compile(r"[\u3400-\u9fff·]{2,4}")
_TEX = {
    "\\": r"\textbackslash{}",
    # Not \{ and \}: BibTeX counts braces before TeX sees the backslash.
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "$&#%_"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """One article as it is cited, each form in one piece, ready to be pasted."""

    gb_t_7714: str
    plain: str
    bibtex: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cited:
    """What of an article stands in a reference, in one line each."""

    title: str
    authors: tuple[str, ...]
    source: str
    day: date | None
    accessed: date
    address: str | None


def references(article: Article, accessed: date) -> References:
    """Return the references of an article that was looked at on a day.

    GB/T 7714-2015, 4.6.2, electronic resources: 主要责任者. 题名[文献类型标识/文献载体标识].
    出版地: 出版者, 出版年(更新或修改日期)[引用日期]. 获取和访问路径. The type of what is published
    on the web alone is EB, its carrier OL (annex B). An unknown place of publication is left out
    (8.4.1), an unknown author too, as the numeric system allows (8.1.3). Latin names stand as they
    are printed: which part is the family name, the page does not tell. In the plain form 《》
    inside 《》 becomes 〈〉 (GB/T 15834-2011, 4.15). BibTeX is an @online of biblatex, under a key
    that is the article's id and so never changes.
    """
    cited = _Cited(
        title=_title(article.title),
        authors=_authors(article),
        source=one_line(article.source),
        day=article.published.astimezone(BEIJING).date() if article.published else None,
        accessed=accessed,
        address=web_address(article.url),
    )
    return References(
        gb_t_7714=_gb_t_7714(cited), plain=_plain(cited), bibtex=_bibtex(article.id, cited)
    )


def today() -> date:
    """Return the day in Beijing on which a reader looks at an article now."""
    return datetime.now(BEIJING).date()


def _gb_t_7714(cited: _Cited) -> str:
    published = f", {cited.day.year}({cited.day})" if cited.day else ""
    parts = [
        _first_authors(cited.authors, ", "),
        f"{cited.title}[EB/OL]",
        f"{cited.source}{published}[{cited.accessed}]",
        cited.address,
    ]
    return "".join(f"{part}. " for part in parts if part).rstrip()


def _plain(cited: _Cited) -> str:
    day, inner = cited.day, cited.title.replace("《", "〈").replace("》", "〉")
    date_ = f"{day.year}年{day.month}月{day.day}日" if day else None
    authors = _first_authors(cited.authors, "、", "")
    parts = [f"《{inner}》", authors, cited.source, date_, cited.address]
    return "，".join(part for part in parts if part)


def _bibtex(identifier: str, cited: _Cited) -> str:
    heading = _tex(cited.title)
    fields = {
        "author": " and ".join(_tex_name(name) for name in cited.authors),
        # A second pair keeps styles from writing VMware ESXi in small letters.
        "title": f"{{{heading}}}" if re.search("[A-Z]", cited.title) else heading,
        "organization": _tex(cited.source),
        "date": cited.day.isoformat() if cited.day else "",
        "url": cited.address or "",  # verbatim in biblatex: nothing in it is escaped
        "urldate": cited.accessed.isoformat() if cited.address else "",
    }
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items() if value)
    return f"@online{{anwen-{identifier},\n{lines}\n}}"


def _authors(article: Article) -> tuple[str, ...]:
    """Return the authors one by one; none where the outlet is named in their place."""
    printed = one_line(article.author or "")
    if printed == one_line(article.source):
        return ()
    names = [name for name in _SEPARATORS.split(printed) if name]
    # 曹明 任望: a space parts Chinese names, and stands inside Latin ones.
    parted = [
        part
        for name in names
        for part in (name.split() if all(map(_HAN_NAME.fullmatch, name.split())) else [name])
    ]
    return tuple(dict.fromkeys(parted))


def _first_authors(authors: tuple[str, ...], separator: str, before_rest: str = ", ") -> str:
    if len(authors) <= _NAMED:
        return separator.join(authors)
    is_latin = all(name.isascii() for name in authors)
    rest = f"{before_rest or ' '}et al" if is_latin else f"{before_rest}等"
    return separator.join(authors[:_NAMED]) + rest


def _title(text: str) -> str:
    """Return a title in one line, without the mark that would stand before the form's own."""
    title = one_line(text)
    bare = title.rstrip("。，；：、,;: ")
    if bare.endswith(".") and not bare.endswith(".."):
        bare = bare[:-1]
    return bare or title


def _tex(text: str) -> str:
    return "".join(_TEX.get(sign, sign) for sign in text)


def _tex_name(name: str) -> str:
    """Return a name that BibTeX takes as it is: in braces, where it would read parts into it."""
    return f"{{{_tex(name)}}}" if re.search(r"[\s,]", name) else _tex(name)
