"""Charts of time and pictures: a click does what it says, and each part counts what it finds."""

import re
from collections.abc import Callable
from datetime import date
from itertools import pairwise

import pytest

from search import Searcher, SearchRequest
from search.results import FacetBucket
from tests.web.html import Element, Page, count_in
from web.charts import daily, histogram, places
from web.params import search_url
from web.pictures import companions, stack
from web.rewrite import settled
from web.spans import Span, chosen, clicked, in_force, month_span, narrowed, span_url

MONTHS = [month_span(f"2024-{month:02}") for month in range(1, 13)]


def buckets(*values: str) -> tuple[FacetBucket, ...]:
    return tuple(FacetBucket(value=value, count=2, selected=False) for value in values)


def after(*clicks: int) -> Span | None:
    """The span in force after clicks on months of 2024, from all time on."""
    request = SearchRequest()
    for at in clicks:
        request = narrowed(request, clicked(in_force(request), MONTHS, at))
    spans = in_force(request)
    return spans[0] if spans else None


@pytest.mark.parametrize(
    ("clicks", "first", "last"),
    [
        ((4,), 4, 4),
        ((4, 7), 4, 7),
        ((7, 4), 4, 7),
        ((4, 7, 9), 4, 9),
        ((4, 7, 7), 4, 4),
        ((4, 7, 4), 7, 7),
        ((4, 7, 5), 5, 5),
    ],
)
def test_a_first_click_chooses_and_a_second_closes_the_range(
    clicks: tuple[int, ...], first: int, last: int
) -> None:
    assert after(*clicks) == MONTHS[first].joined(MONTHS[last])


def test_a_click_on_the_only_bar_takes_it_back() -> None:
    assert after(4, 4) is None


def test_a_month_is_one_parameter_and_a_range_two() -> None:
    month = narrowed(SearchRequest(), MONTHS[4])
    assert search_url(month) == "/search?month=2024-05"
    ranged = narrowed(month, MONTHS[4].joined(MONTHS[10]))
    assert search_url(ranged) == "/search?from=2024-05-01&to=2024-11-30"
    assert search_url(narrowed(ranged, None)) == "/search"


def test_where_all_bars_are_in_force_none_is_marked() -> None:
    days = [Span(date(2024, 5, day), date(2024, 5, day)) for day in range(1, 32)]
    assert not any(chosen([month_span("2024-05")], days))
    assert clicked([month_span("2024-05")], days, 0) == days[0]
    assert clicked([days[0]], days, 0, out=month_span("2024-05")) == month_span("2024-05")


def test_the_last_month_there_is_has_an_end() -> None:
    assert month_span("9999-12") == Span(date(9999, 12, 1), date.max)


@pytest.mark.parametrize("steps", [12, 31, 42, 52, 61, 92])
def test_bars_fill_the_column_in_whole_pixels(steps: int) -> None:
    edges = places(steps, 210)
    widths = {right - left for left, right in pairwise(edges)}
    assert edges[-1] == 210
    assert max(widths) - min(widths) <= 1
    assert min(widths) >= 2


def test_days_of_two_months_have_their_months_below() -> None:
    window = month_span("2024-01").joined(month_span("2024-02"))
    chart = daily(buckets("2024-01-31", "2024-02-01"), SearchRequest(), window)
    assert chart is not None
    assert [tick.bars for tick in chart.years] == [31, 29]
    assert [bar.label for bar in chart.bars if bar.count] == ["2024-01-31", "2024-02-01"]
    assert chart.bars[30].url == "/search?from=2024-01-31&to=2024-01-31"
    assert daily((), SearchRequest(), window) is None


def test_the_months_of_a_year_are_a_window_of_a_long_chart() -> None:
    chart = histogram(
        buckets("2001-03", "2024-05"),
        SearchRequest(month=("2024-05",)),
        window=Span(date(2024, 1, 1), date(2024, 12, 31)),
    )
    assert chart is not None
    assert (len(chart.bars), sum(bar.count for bar in chart.bars)) == (12, 2)
    assert chart.bars[4].url == "/search?from=2024-01-01&to=2024-12-31"


# The search page


def bars(page: Page, at: int) -> dict[str, tuple[int, str]]:
    """Labels, counts and links of the bars of one of the page's charts."""
    found = {}
    for link in page.find("svg", "histogram")[at].inside:
        if link.tag == "a":
            label, count = re.split("，", link.text, maxsplit=1)
            found[label] = (number(count), link.href)
    return found


def number(text: str) -> int:
    match = re.search(r"([\d,]+) 篇", text)
    assert match, text
    return int(match[1].replace(",", ""))


def ways_out(page: Page) -> dict[str, str]:
    links = (e for p in page.find("p", "zoom-out") for e in p.inside if e.tag == "a")
    return {link.text.removeprefix("← "): link.href for link in links}


@pytest.mark.parametrize("query", ["", "漏洞"])
def test_each_bar_of_each_grain_counts_what_it_finds(
    visit: Callable[..., Page], search: Callable[..., Page], query: str
) -> None:
    page = search(query=query)
    label, (count, url) = next(iter(bars(page, 0).items()))
    page = visit(url)
    assert page.total == count
    days = bars(page, -1)
    assert len(page.find("svg", "histogram")) == 2
    assert sum(found for found, _ in days.values()) == count
    day, (count, url) = next(iter(days.items()))
    assert day.startswith(label)
    page = visit(url)
    assert page.total == count
    assert day in page.find("a", "chip")[0].text
    assert len(bars(page, -1)) == len(days)
    back = bars(page, -1)[day][1]
    assert visit(back).total == sum(found for found, _ in days.values())
    out = ways_out(page)
    assert list(out) == ["全部时间", f"{day[:4]} 年", f"{int(day[5:7])} 月"]
    assert not ways_out(visit(out["全部时间"]))


def test_a_range_of_months_is_closed_by_a_second_bar(
    visit: Callable[..., Page], search: Callable[..., Page]
) -> None:
    page = search()
    found = bars(page, 0)
    page = visit(found["2024-02"][1])
    page = visit(bars(page, 0)["2024-06"][1])
    expected = sum(n for name, (n, _) in found.items() if "2024-02" <= name <= "2024-06")
    assert page.total == expected
    (chip,) = page.find("a", "chip")
    assert "2024-02 至 2024-06" in chip.text
    assert bars(page, 0).keys() >= found.keys()
    assert visit(chip.href).total == 42
    (clear,) = [link for link in page.find("a") if link.text == "全部清除"]
    assert clear.href == "/search"


def test_a_period_read_from_words_is_marked_and_zoomed_into(
    visit: Callable[..., Page], search: Callable[..., Page]
) -> None:
    page = search(query="漏洞 2024年6月")
    assert page.total
    assert sum(count for count, _ in bars(page, -1).values()) == page.total
    assert len(page.find("rect", "bar-mine")) == 1
    out = ways_out(page)
    assert visit(out["全部时间"]).total == search(query="漏洞").total
    label, (_, url) = next(iter(bars(page, 0).items()))
    first, last = month_span(label).first, date(2024, 6, 30)
    assert visit(url).total == search(query="漏洞", first=first, last=last).total


def test_clear_takes_a_period_out_of_the_words_too(search: Callable[..., Page]) -> None:
    page = search(query="漏洞 2024年6月")
    (clear,) = [link for link in page.find("a") if link.text == "全部清除"]
    assert clear.href == search_url(SearchRequest(query="漏洞"))


def test_the_numbers_of_a_chart_are_a_list_of_links(search: Callable[..., Page]) -> None:
    page = search()
    (details,) = [e for e in page.find("details") if "逐月数字" in e.text]
    links = [e for e in details.inside if e.tag == "a"]
    assert [(e.text, e.href) for e in links] == [
        (label, url) for label, (_, url) in bars(page, 0).items()
    ]


# Pictures


@pytest.mark.parametrize(
    "request_",
    [
        SearchRequest(),
        SearchRequest(query="勒索软件", exclude_category=("趋势",)),
        SearchRequest(query="漏洞 2024年"),
        SearchRequest(category=("漏洞", "新闻"), month=("2024-01", "2024-02", "2024-05")),
        SearchRequest(organisation=("青梧机电", "灰鹭"), first=date(2023, 5, 20)),
        SearchRequest(organisation=("Corvane Networks",), query="Corvanne"),
        SearchRequest(query="勒索软件 私钥 槐州"),
    ],
    ids=range(7),
)
def test_each_part_of_a_picture_counts_what_it_finds(
    site_searcher: Searcher, visit: Callable[..., Page], request_: SearchRequest
) -> None:
    plain = settled(request_, site_searcher.search(request_))
    total = site_searcher.search(request_).total
    picture = stack(site_searcher, plain)
    assert picture is not None
    parts = [(part.count, part.url) for part in picture.segments]
    parts += [(row.count, row.url) for row in picture.rows]
    parts += [cell for row in picture.rows for cell in row.cells if cell]
    parts += [(row.count or 0, row.url) for row in companions(site_searcher, plain)]
    assert sum(row.count for row in picture.rows) == sum(layer.count for layer in picture.layers)
    assert sum(row.count for row in picture.rows) <= total
    for count, url in dict.fromkeys(parts):
        shown = visit(url)
        assert number(shown.heading) == count, url


def test_the_pictures_lead_back_and_are_not_indexed(visit: Callable[..., Page]) -> None:
    page = visit("/search?q=漏洞&category=漏洞")
    (link,) = [e for e in page.find("a") if e.text == "图览"]
    pictures = visit(link.href)
    assert pictures.total == page.total
    (robots,) = [e for e in pictures.find("meta") if e.attributes.get("name") == "robots"]
    assert robots.attributes["content"] == "noindex"
    (back,) = [e for e in pictures.find("a") if "回到结果" in e.text]
    assert visit(back.href).total == page.total
    assert not [e for e in pictures.elements if "style" in e.attributes]
    assert all(count_in(row) for row in pictures.find("a", "entry"))


def test_layers_are_told_apart_by_their_patterns(visit: Callable[..., Page]) -> None:
    page = visit("/trends")
    layers = [swatch(e) for e in page.find("ul", "layers")[0].inside if e.tag == "rect"]
    assert len(layers) == len(set(layers)) == 4
    drawn = {swatch(e) for e in page.find("svg", "stack")[0].inside if e.tag == "rect"}
    assert drawn == set(layers)


def swatch(element: Element) -> str:
    return element.attributes["class"] or ""


def test_pictures_of_nothing_say_so(visit: Callable[..., Page]) -> None:
    page = visit("/trends?q=没有这回事")
    assert "没有文章可画" in page.find("p", "notice")[0].text
    assert not page.find("svg", "stack")
    visit("/trends?month=x", 400)


# Facets and nothing found


def test_a_search_that_is_cut_into_words_offers_to_drop_each(
    visit: Callable[..., Page], search: Callable[..., Page]
) -> None:
    page = search(query="间歇加密固件签名不存在的词", match="all")
    assert not page.total
    words = page.find("a", "word")
    assert len(words) > 2
    for word in words:
        assert visit(word.href).total == number(word.text)
    ways = [e for e in page.find("a", "entry") if "去掉" in e.text]
    for way in ways:
        assert visit(way.href).total == number(way.text)
    assert [e for e in page.find("a") if e.text == "订阅此检索"]


def test_a_slip_beside_a_phrase_is_offered_with_its_count(
    visit: Callable[..., Page], search: Callable[..., Page]
) -> None:
    page = search(query='Corvanne "固件签名"')
    assert not page.total
    (link,) = [e for p in page.find("p", "suggestion") for e in p.inside if e.tag == "a"]
    assert link.text.lower() == 'corvane "固件签名"'
    assert visit(link.href).total > 0


@pytest.mark.parametrize(
    "request_",
    [
        SearchRequest(),
        SearchRequest(query="漏洞 & 补丁", page=3),
        SearchRequest(query="漏洞", month=("2024-04",), sort="newest", exclude_source=("听潮",)),
        SearchRequest(category=("新闻",), first=date(2023, 5, 2), size=50, corrects=False),
    ],
)
def test_the_addresses_of_spans_are_those_of_the_requests_for_them(request_: SearchRequest) -> None:
    url = span_url(request_)
    days = Span(date(2024, 2, 3), date(2024, 5, 6))
    for span in (None, *MONTHS, days, MONTHS[0].joined(MONTHS[2]), Span(date.min, date.max)):
        assert url(span) == search_url(narrowed(request_, span))
