"""Rows, bars and names as HTML: a page has a hundred, and a template takes ten times as long."""

from markupsafe import Markup, escape

from web.charts import Bar, Histogram
from web.facets import Row
from web.params import organisation_url
from web.plain import plain

__all__ = ["bar_link", "both", "counts", "entry", "named_in"]


def entry(row: Row) -> Markup:
    """Return a row as an item of a list: its link, its count, and the link that excludes it."""
    name = escape(plain(row.name))
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


def bar_link(bar: Bar, chart: Histogram) -> Markup:
    """Return a bar as the link that it is, as high as the chart, with its count for a pointer."""
    told = f"{escape(bar.label)}，{bar.count:,} 篇"
    main = ""
    if bar.main is not None:
        told += f"，主角 {bar.main:,} 篇"
    if bar.main:
        main = (
            f'<rect class="bar bar-main" x="{bar.x}" y="{chart.axis - bar.main_height}" '
            f'width="{bar.width}" height="{bar.main_height}"/>'
        )
    mine = " bar-mine" if bar.chosen else ""
    return Markup(  # noqa: S704  every text is escaped, the rest are numbers
        f'<a href="{escape(bar.url)}" tabindex="-1" rel="nofollow"><title>{told}</title>'
        f'<rect class="bar-area" x="{bar.x}" y="0" width="{bar.width + 1}" '
        f'height="{chart.height}"/><rect class="bar{mine}" x="{bar.x}" y="{bar.y}" '
        f'width="{bar.width}" height="{bar.height}"/>{main}</a>'
    )


def named_in(name: str, acts: bool) -> Markup:
    """Return an organisation that a hit names, with its page; those that do not act are told so."""
    kind = "" if acts else ' class="passing" title="旁及"'
    told = "" if acts else '<span class="visually-hidden">（旁及）</span>'
    return Markup(  # noqa: S704  name and address are escaped
        f'<li><a{kind} href="{escape(organisation_url(name))}">{escape(plain(name))}{told}</a></li>'
    )
