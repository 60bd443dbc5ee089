"""Rows of an index as HTML: a page has a hundred, and a template takes ten times as long."""

from markupsafe import Markup, escape

from web.facets import Row

__all__ = ["both", "counts", "entry"]


def entry(row: Row) -> Markup:
    """Return a row as an item of a list: its link, its count, and the link that excludes it."""
    name = escape(row.name)
    kind = " entry-out" if row.is_excluded else ""
    current = ' aria-current="true"' if row.is_chosen or row.is_excluded else ""
    told = '<span class="visually-hidden">不含</span>' if row.is_excluded else ""
    exclude = (
        f'<a class="exclude" href="{escape(row.exclude_url)}" rel="nofollow">不含'
        f'<span class="visually-hidden">{name}</span></a>'
        if row.exclude_url
        else ""
    )
    return Markup(  # noqa: S704  every part is escaped above
        f'<li><a class="entry{kind}" href="{escape(row.url)}"{current}>'
        f'<span class="entry-name"><span>{told}{name}</span></span>'
        f'<span class="entry-count">{counts(row)}</span></a>{exclude}</li>'
    )


def counts(row: Row) -> Markup:
    """Return the count of a row, or two: those in which it acts, or those that are shared."""
    if row.count is None:
        return Markup("不含")
    if row.salient is not None:
        return both(row.salient, row.count, "主角", "共")
    if row.of:
        return both(row.count, row.of, "共同", "其全部")
    return escape(f"{row.count:,}")


def both(part: int, whole: int, name: str, other: str) -> Markup:
    """Return two counts, part / whole, with their names for those who hear them."""
    told = f"{name} {part:,} 篇，{other} {whole:,} 篇"
    return Markup(  # noqa: S704  numbers, and names that are ours
        f'<span title="{told}"><span aria-hidden="true"><b>{part:,}</b> / {whole:,}</span>'
        f'<span class="visually-hidden">{told}</span></span>'
    )
