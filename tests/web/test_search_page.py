"""The search page: its links do what they say, and its counts are those one gets."""

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from search import SearchRequest
from search.request import MAX_WINDOW
from search.results import FacetBucket, SearchResults
from tests.web.html import Page, count_in
from web.charts import histogram
from web.paging import pager
from web.params import query_url, search_url
from web.rewrite import alternatives, without_word, word_required


def test_the_heading_has_the_exact_total(search: Callable[..., Page]) -> None:
    assert search(query="勒索软件").total == 16
    assert search().total == 42


@pytest.mark.parametrize("query", ["", "勒索软件", "漏洞"])
@pytest.mark.parametrize("facet", ["category", "organisation", "source"])
def test_a_facets_count_is_the_total_after_choosing_it(
    visit: Callable[..., Page], search: Callable[..., Page], query: str, facet: str
) -> None:
    page = search(query=query)
    rows = facet_rows(page, facet)
    assert rows
    for name, (count, link) in rows.items():
        chosen = visit(link)
        assert chosen.total == count, name
        (chip,) = chosen.find("a", "chip")
        assert name in chip.text
        assert visit(chip.href).total == page.total
        again = next(
            e for e in chosen.find("a", "entry") if e.attributes.get("aria-current") == "true"
        )
        assert visit(again.href).total == page.total


def facet_rows(page: Page, facet: str) -> dict[str, tuple[int, str]]:
    """Names, counts and links of the open rows of a facet."""
    (block,) = [
        e for e in page.find("section") if e.attributes.get("aria-labelledby") == f"facet-{facet}"
    ]
    rows = {}
    for entry in (e for e in block.inside if "entry" in e.classes):
        name = next(e for e in entry.inside if "entry-name" in e.classes).text
        rows[name] = (count_in(entry), entry.href)
    return rows


def test_excluding_a_value_leaves_the_rest(
    visit: Callable[..., Page], search: Callable[..., Page]
) -> None:
    page = search(query="勒索软件")
    for link in page.find("a", "exclude"):
        name = link.text.removeprefix("不含")
        excluded = visit(link.href)
        if excluded.total:
            chosen = next(
                count
                for facet in ("category", "organisation", "source")
                for value, (count, _) in facet_rows(page, facet).items()
                if value == name
            )
            assert excluded.total == page.total - chosen
        (chip,) = excluded.find("a", "chip-out")
        assert name in chip.text


def test_a_month_of_the_histogram_can_be_chosen_and_taken_back(
    visit: Callable[..., Page], search: Callable[..., Page]
) -> None:
    page = search()
    bars = [e for e in page.find("svg", "histogram")[0].inside if e.tag == "a"]
    counts = [int(re.search(r"([\d,]+) 篇", bar.text)[1]) for bar in bars]  # type: ignore[index]
    assert sum(counts) == 41  # one article has no date
    for bar, count in zip(bars[:5], counts, strict=False):
        chosen = visit(bar.href)
        assert chosen.total == count
        (mine,) = chosen.find("rect", "bar-mine")
        back = next(e for e in chosen.find("a") if mine in e.inside)
        assert visit(back.href).total == 42
        assert chosen.find("path", "caliper")


def test_a_year_of_the_histogram_is_a_period(
    visit: Callable[..., Page], search: Callable[..., Page]
) -> None:
    page = search()
    years = [e for e in page.find("ul", "years")[0].inside if e.tag == "a"]
    totals = {}
    for year in years:
        chosen = visit(year.href)
        (chip,) = chosen.find("a", "chip")
        assert chip.text.startswith("去掉时间 " + year.text[:4])
        totals[year.text[:4]] = chosen.total
    assert totals == {"2023": 11, "2024": 12, "2025": 10, "2026": 8}


def test_every_chip_takes_its_own_filter_back(
    visit: Callable[..., Page], search: Callable[..., Page]
) -> None:
    filters = {
        "category": ("漏洞", "新闻"),
        "organisation": ("青梧机电",),
        "exclude_source": ("数防周刊",),
        "month": ("2024-01", "2024-02", "2024-05"),
        "match": "all",
    }
    page = search(query="漏洞", **filters)
    chips = page.find("a", "chip")
    assert [re.sub(r"\s+", " ", chip.text.removeprefix("去掉")) for chip in chips] == [
        "类别 漏洞",
        "类别 新闻",
        "机构 青梧机电",
        "不含来源 数防周刊",
        "月份 2024-01 至 2024-02",
        "月份 2024-05",
        "须含 全部词",
    ]
    for chip in chips:
        assert len(visit(chip.href).find("a", "chip")) == len(chips) - 1
    (clear,) = [link for link in page.find("a") if link.text == "全部清除"]
    assert not visit(clear.href).find("a", "chip")


def test_the_order_is_a_link_and_marked(
    visit: Callable[..., Page], search: Callable[..., Page]
) -> None:
    page = search(query="勒索软件")
    orders = {e.text: e for e in page.find("nav", "switch")[0].inside if e.tag == "a"}
    assert [name for name, e in orders.items() if "aria-current" in e.attributes] == ["相关"]
    days = [time.text for time in visit(orders["最早"].href).find("time")]
    assert days == sorted(days)


def test_without_words_the_order_is_newest_and_says_so(search: Callable[..., Page]) -> None:
    orders = search().find("nav", "switch")[0].inside
    assert [(e.text, e.attributes.get("aria-current")) for e in orders] == [
        ("最新", "true"),
        ("最早", None),
    ]


def test_forms_keep_the_rest_of_the_request(search: Callable[..., Page]) -> None:
    page = search(query="漏洞", category=("新闻",), sort="newest", first=None)
    forms = [form for form in page.find("form") if form.attributes["action"] != "/export"]
    fields = [
        {e.attributes["name"]: e.attributes.get("value") for e in form.inside if e.tag == "input"}
        for form in forms
    ]
    assert fields == [
        {"q": "漏洞", "category": "新闻", "sort": "newest"},
        {"q": "漏洞", "category": "新闻", "sort": "newest", "from": None, "to": None},
        {"q": "漏洞", "category": "新闻", "sort": "newest", "find": ""},
    ]


def test_pages_lead_through_every_hit_once(visit: Callable[..., Page]) -> None:
    found: list[str] = []
    url: str | None = "/search?size=20"
    while url:
        page = visit(url)
        found += [
            link.href
            for title in page.find("h2", "hit-title")
            for link in title.inside
            if link.tag == "a"
        ]
        following = [e for e in page.find("a") if e.attributes.get("rel") == "next"]
        url = following[0].href if following else None
    assert len(found) == len(set(found)) == 42


def test_a_page_beyond_the_last_says_so(visit: Callable[..., Page]) -> None:
    page = visit("/search?page=9")
    (notice,) = page.find("p", "notice")
    assert "这一页没有结果" in notice.text
    last = next(e for e in notice.inside if e.tag == "a")
    assert len(visit(last.href).find("li", "hit")) == 2


def test_the_pager_stops_at_the_deepest_page() -> None:
    results = SearchResults(
        query="",
        total=MAX_WINDOW + 5,
        groups=MAX_WINDOW + 5,
        widened=0,
        pageable=MAX_WINDOW + 5,
        page=100,
        size=100,
        next=None,
        took_ms=0,
        hits=(),
        facets={},
        relaxed=(),
        did_you_mean=None,
        notices=(),
        understood=(),
    )
    request = SearchRequest(page=100, size=100)
    shown = pager(request, results)
    assert (shown.last, shown.following, shown.ends_early) == (100, None, True)
    before = pager(replace(request, page=99), results)
    assert before.following == "/search?page=100&size=100"
    assert not before.ends_early


# Where the list widens


def test_the_page_shows_where_the_list_widens(search: Callable[..., Page]) -> None:
    page = search(query="勒索软件 私钥 槐州")
    assert re.search(r"篇只含部分词", page.heading)
    (notice,) = page.find("div", "notice")
    assert "以下只含部分词" in notice.text
    lists = page.find("ol", "hits")
    lacking = lists[-1]
    assert all(
        any("missing" in e.classes for e in item.inside)
        for item in lacking.inside
        if "hit" in item.classes
    )
    assert not any("missing" in e.classes for whole in lists[:-1] for e in whole.inside)


def test_a_relaxed_word_can_be_required_or_dropped(
    visit: Callable[..., Page], search: Callable[..., Page]
) -> None:
    page = search(query="勒索软件 私钥")
    (relaxed,) = page.find("ul", "relaxed")
    links = [e for e in relaxed.inside if e.tag == "a"]
    queries = [parse_qs(urlsplit(link.href).query)["q"][0] for link in links]
    assert queries == ['"勒索软件" 私钥', "私钥"]
    for link in links:
        visit(link.href)


def test_the_reader_may_ask_for_full_matches_alone(
    visit: Callable[..., Page], search: Callable[..., Page]
) -> None:
    page = search(query="勒索软件 间歇 衡岳")
    strict = next(e for e in page.find("a") if e.text == "只看含全部词的")
    shown = visit(strict.href)
    assert shown.total == page.total
    assert not shown.find("p", "missing")
    assert [chip.text for chip in shown.find("a", "chip")] == ["去掉须含 全部词"]


# Nothing found


def test_a_search_without_results_offers_ways_out_with_their_counts(
    client: FlaskClient, search: Callable[..., Page]
) -> None:
    page = search(query='勒索软件 "没有这回事"', category=("漏洞",))
    assert page.heading == "没有符合这些词与筛选的文章"
    ways = [e for e in page.find("a", "entry") if "去掉" in e.text]
    assert ways
    assert all("仍为 0" in e.text for e in page.find("span", "entry-none"))
    for way in ways:
        count = int(re.search(r"([\d,]+) 篇$", way.text)[1])  # type: ignore[index]
        assert count > 0
        answer = client.get(way.href.replace("/search", "/api/v1/search"))
        assert answer.json["total"] == count
    assert any('"没有这回事"' in way.text for way in ways)


def test_where_all_words_are_demanded_that_may_be_lifted(
    client: FlaskClient, search: Callable[..., Page]
) -> None:
    page = search(query="勒索软件 鲸鱼", match="all")
    (way,) = (e for e in page.find("a", "entry") if e.text.startswith("不再须含 全部词"))
    assert "match=" not in way.href
    count = int(re.search(r"(\d+) 篇$", way.text)[1])  # type: ignore[index]
    assert client.get(way.href.replace("/search", "/api/v1/search")).json["total"] == count > 0


def test_where_nothing_helps_the_page_says_so(search: Callable[..., Page]) -> None:
    page = search(query="没有这回事")
    assert page.heading == "没有文章含有这些词"
    assert "/help/query" in {link.href for link in page.find("main")[0].inside if link.tag == "a"}


def test_at_most_ten_searches_look_for_alternatives() -> None:
    asked = []

    class Counting:
        def search(self, request: SearchRequest) -> object:
            asked.append(request)
            return type("Results", (), {"total": 0})

    request = SearchRequest(query="一 二 三 四 五 六 七 八", category=("a",), source=("b",))
    ways = alternatives(Counting(), request)  # type: ignore[arg-type]
    assert len(asked) == len(ways) == 10
    assert not any(way.total for way in ways)


@pytest.mark.parametrize(
    ("query", "word", "required", "dropped"),
    [
        ("勒索软件 供应链", "供应链", '勒索软件 "供应链"', "勒索软件"),
        ("勒索软件供应链", "勒索软件", '"勒索软件" 供应链', "供应链"),
        ("“漏洞” 漏洞 -漏洞", "漏洞", '“漏洞” "漏洞" -漏洞', "“漏洞” -漏洞"),
        ("标题:漏洞 漏洞", "漏洞", '标题:漏洞 "漏洞"', "标题:漏洞"),
        (r"a\\1 b", "b", r'a\\1 "b"', r"a\\1"),
    ],
)
def test_a_word_is_required_or_dropped_where_it_stands_plain(
    query: str, word: str, required: str, dropped: str
) -> None:
    assert word_required(query, word) == required
    assert without_word(query, word) == dropped


# The histogram


def months(*values: str) -> tuple[FacetBucket, ...]:
    return tuple(FacetBucket(value=value, count=2, selected=False) for value in values)


@pytest.mark.parametrize(
    ("first", "last", "bars", "label"),
    [
        ("2024-05", "2024-05", 12, "2024-05"),
        ("2020-01", "2024-04", 52, "2024-04"),
        ("2020-01", "2024-05", 18, "2024-04 至 2024-06"),
        ("2005-02", "2024-05", 20, "2024-01 至 2024-12"),
        ("0001-01", "0001-02", 12, "0001-02"),
    ],
)
def test_a_long_span_is_drawn_by_quarters_or_years(
    first: str, last: str, bars: int, label: str
) -> None:
    chart = histogram(months(first, last), SearchRequest())
    assert chart is not None
    assert len(chart.bars) == bars
    assert [bar.label for bar in chart.bars if bar.count][-1] == label
    assert sum(bar.count for bar in chart.bars) == sum(2 for _ in {first, last})
    assert sum(year.bars for year in chart.years) == bars
    assert max(bar.height for bar in chart.bars) == chart.axis - 4
    assert chart.bars[-1].x + chart.bars[-1].width < chart.width <= 210


def test_a_quarter_chooses_its_three_months() -> None:
    chart = histogram(months("2014-01", "2024-05"), SearchRequest())
    assert chart is not None
    chosen = parse_qs(urlsplit(chart.bars[-1].url or "").query)
    assert chosen == {"from": ["2024-04-01"], "to": ["2024-06-30"]}


def test_jaws_stand_around_each_run_of_chosen_months() -> None:
    buckets = months(*(f"2024-{month:02}" for month in range(1, 13)))
    chart = histogram(buckets, SearchRequest(month=("2024-02", "2024-03", "2024-07")))
    assert chart is not None
    assert [bar.label for bar in chart.bars if bar.chosen] == ["2024-02", "2024-03", "2024-07"]
    assert chart.caliper.count("V64") == 4


def test_without_a_dated_article_there_is_no_histogram() -> None:
    assert histogram((), SearchRequest()) is None


def test_a_period_read_from_words_is_a_chip_that_can_be_taken_back(
    visit: Callable[..., Page],
) -> None:
    page = visit("/search?q=漏洞 2024年")
    assert page.find("a", "chip") == []
    page = visit("/search?q=漏洞 2024年6月")
    (chip,) = page.find("a", "chip")
    assert "读自“2024年6月”" in chip.text
    assert "2024-06" in chip.text
    assert chip.href == search_url(SearchRequest(query="漏洞"))


def test_a_slip_is_offered_with_the_number_of_articles(visit: Callable[..., Page]) -> None:
    page = visit("/search?q=漏洞 勒锁软件")
    assert "您是不是要找" in page.find("body")[0].text
    assert query_url("漏洞 勒索软件") in {link.href for link in page.find("a")}


def test_an_applied_correction_leads_back_to_what_was_typed(visit: Callable[..., Page]) -> None:
    page = visit("/search?q=Corvanne")
    assert "已按“corvane”检索" in page.find("body")[0].text
    back = search_url(SearchRequest(query="Corvanne", corrects=False))
    assert back in {link.href for link in page.find("a")}
    page = visit("/search?q=Corvanne&correct=0")
    assert "没有文章" in page.find("body")[0].text
    assert "您是不是要找" in page.find("body")[0].text


def test_the_page_of_explanations_tells_words_synonyms_and_scores(
    visit: Callable[..., Page],
) -> None:
    page = visit("/analyze?q=勒索病毒的漏洞 2024年6月")
    for words in ("勒索软件", "不计的词", "的", "读作", "date:2024-06-01..2024-06-30"):
        assert words in page.find("body")[0].text
    page = visit("/analyze?q=勒索病毒")
    assert "标题 勒索软件" in page.find("body")[0].text
    assert "得分" in page.find("body")[0].text
    assert "检索的读法" in visit("/analyze").find("body")[0].text
