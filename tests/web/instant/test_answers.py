"""Results in place in Chromium: what one types, what one follows, and the way back."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.web.browsing import PHONE, WIDE
from tests.web.instant.following import choose, close_suggestions, reach, settle, state, stays

pytestmark = pytest.mark.browser


def test_results_follow_what_is_typed_and_the_address_with_them(page: Page) -> None:
    page.goto("/search?q=私钥")
    is_same = stays(page)
    first, entries = state(page), page.evaluate("history.length")
    field = page.locator("#q")
    field.fill("")
    field.press_sequentially("勒索软件", delay=60)
    page.wait_for_url("**q=%E5%8B%92%E7%B4%A2%E8%BD%AF%E4%BB%B6")
    settle(page)
    typed = state(page)
    assert typed[1].startswith("勒索软件 · ")
    assert "共 16 篇" in typed[2]
    # All of it is one entry, and Enter makes no second one of it.
    assert page.evaluate("history.length") == entries + 1
    assert page.evaluate("document.activeElement.id") == "q"
    field.press("Enter")
    settle(page)
    assert page.evaluate("history.length") == entries + 1
    assert state(page) == typed
    field.press("End")
    field.press_sequentially(" 衡岳智联")
    page.wait_for_url("**E8%81%94")
    settle(page)
    narrower = state(page)
    assert page.evaluate("history.length") == entries + 2
    assert is_same()

    page.go_back()
    reach(page, typed)
    page.go_back()
    reach(page, first)
    page.go_forward()
    reach(page, typed)
    page.go_forward()
    reach(page, narrower)
    assert is_same()
    page.reload()
    reach(page, narrower)


def test_what_is_typed_just_before_an_answer_is_asked_too(page: Page) -> None:
    page.goto("/search?q=私钥")
    page.evaluate("""() => {
      const field = document.getElementById("q"), real = window.fetch;
      window.fetch = async (...asked) => {
        const answer = await real(...asked);
        if (field.value === "勒索") {
          field.value = "勒索软件";
          field.dispatchEvent(new InputEvent("input", { bubbles: true }));
        }
        return answer;
      };
    }""")
    page.locator("#q").fill("勒索")
    page.wait_for_url("**q=%E5%8B%92%E7%B4%A2%E8%BD%AF%E4%BB%B6")


def test_enter_before_the_answer_makes_one_entry(page: Page) -> None:
    page.goto("/search?q=私钥")
    entries = page.evaluate("history.length")
    page.locator("#q").fill("勒索软件")
    page.locator("#q").press("Enter")
    page.wait_for_url("**BB%B6")
    settle(page)
    assert page.evaluate("history.length") == entries + 1


def test_typed_and_followed_states_are_exact_on_the_way_back(page: Page) -> None:
    page.goto("/search?q=私钥")
    is_same = stays(page)
    states = [state(page)]

    def step(does: Callable[[], object]) -> None:
        before = page.url
        does()
        page.wait_for_url(lambda url: url != before)
        settle(page)
        states.append(state(page))

    step(lambda: page.locator("#q").fill("勒索软件"))
    page.locator("#q").press("Enter")
    close_suggestions(page)
    step(lambda: page.locator(".results-head .switch a", has_text="最新").click())
    step(lambda: page.locator(".pager a", has_text="下一页").click())
    step(lambda: page.locator("[aria-label=每页条数] a", has_text="20").click())
    if page.viewport_size == PHONE:
        page.locator(".filter-open").click()
        states.append(state(page))
    step(lambda: choose(page, "category", "漏洞"))
    if page.viewport_size == PHONE:
        page.get_by_text("看 4 篇").click()
        page.wait_for_url("**#main")
        states.append(state(page))
    step(lambda: page.locator(".chip").first.click())
    assert len({each[0] for each in states}) == len(states) - 1  # the last is an earlier one again
    for before in reversed(states[:-1]):
        page.go_back()
        reach(page, before)
    for after in states[1:]:
        page.go_forward()
        reach(page, after)
    assert is_same()
    page.go_back()
    reach(page, states[-2])
    page.reload()
    reach(page, states[-2])


def test_a_page_change_leads_to_the_top_and_back_to_the_place(page: Page) -> None:
    page.goto("/search?q=勒索软件")
    page.locator(".pager a", has_text="下一页").scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    place = page.evaluate("scrollY")
    assert place > 200
    page.locator(".pager a", has_text="下一页").evaluate("link => link.click()")  # where it is
    page.wait_for_url("**page=2")
    settle(page)
    assert page.evaluate("scrollY") < 200
    assert page.evaluate("document.activeElement.id") == "main"
    page.go_back()
    page.wait_for_url("**BB%B6")
    settle(page)
    assert page.evaluate("scrollY") == place
    page.wait_for_timeout(300)
    page.reload()
    assert page.evaluate("scrollY") == place


def test_from_an_article_the_way_back_leads_to_the_typed_state(page: Page) -> None:
    page.goto("/search?q=私钥")
    page.locator("#q").fill("勒索软件")
    page.wait_for_url("**BB%B6")
    settle(page)
    close_suggestions(page)
    typed = state(page)
    hit = page.locator(".hit-title a").last
    hit.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    place = page.evaluate("scrollY")
    hit.click()
    page.wait_for_url("**/article/*")
    page.go_back()
    page.wait_for_url(typed[0])
    # The hit is marked as read now; all else is as it was.
    settle(page)
    assert state(page) == typed
    assert page.evaluate("scrollY") == place


def test_modified_clicks_open_another_tab(page: Page) -> None:
    page.goto("/search?q=勒索软件")
    before = page.url
    with page.context.expect_page() as opened:
        page.locator(".results-head .switch a", has_text="最新").click(modifiers=["Control"])
    opened.value.wait_for_url("**sort=newest")
    assert page.url == before


def test_an_answer_that_comes_late_changes_nothing(page: Page) -> None:
    page.add_init_script(
        """const real = fetch, late = [];  // deaf to its signal; for one word it waits for a call
        window.held = () => late.length;
        window.release = () => late.splice(0).forEach((done) => done());
        window.fetch = async (url) => {
            const answer = await real(url);
            if (decodeURIComponent(url).endsWith("/search?q=私钥"))
                await new Promise((done) => late.push(done));
            return answer;
        };"""
    )

    def type_and_wait() -> None:
        page.locator("#q").fill("私钥")
        for _ in range(500):
            if page.evaluate("held()"):
                return
            page.wait_for_timeout(10)
        pytest.fail("The answer was never asked for.")

    page.goto("/search?q=漏洞")
    type_and_wait()
    assert page.locator("main").get_attribute("aria-busy") == "true"
    assert "共 9 篇" in page.locator("h1").inner_text()
    page.locator("#q").fill("勒索软件")
    page.wait_for_url("**BB%B6")
    settle(page)
    newer = state(page)
    page.evaluate("release()")
    page.wait_for_timeout(300)
    assert state(page) == newer
    # Back to what is shown, before the slow answer: nothing is left to wait for.
    type_and_wait()
    page.locator("#q").fill("勒索软件")
    page.wait_for_timeout(200)
    page.evaluate("release()")
    page.wait_for_timeout(300)
    assert state(page) == newer
    # And an answer that is waited for does not follow one who goes back.
    type_and_wait()
    page.go_back()
    page.wait_for_url("**9E")
    page.evaluate("release()")
    page.wait_for_timeout(300)
    assert "共 9 篇" in page.locator("h1").inner_text()
    assert page.locator("#q").input_value() == "漏洞"


def test_the_old_answer_stays_dimmed_and_in_its_place(page: Page) -> None:
    page.goto("/search?q=勒索软件")
    held: list[Route] = []
    page.route("**/search?q=*", lambda route: held.append(route))
    place = page.locator(".hits").first.bounding_box()
    page.locator("#q").fill("私钥")
    page.wait_for_timeout(400)
    assert len(held) == 1
    assert page.locator(".hits").first.bounding_box() == place
    assert page.locator(".hits").first.evaluate("one => getComputedStyle(one).opacity") == "0.55"
    held[0].continue_()
    page.wait_for_url("**A5")
    assert page.locator("[aria-busy]").count() == 0


def test_the_count_is_announced_once_it_has_settled(page: Page) -> None:
    page.goto("/search?q=私钥")
    page.evaluate(
        """() => {
            const region = document.querySelector("body > [role=status]");
            window.told = [];
            new MutationObserver(() => told.push(region.textContent))
                .observe(region, {childList: true, characterData: true, subtree: true});
        }"""
    )
    page.locator("#q").press("End")
    page.locator("#q").press_sequentially(" 勒索软件", delay=150)
    page.wait_for_timeout(1_200)
    told = page.evaluate("told")
    assert len(told) == 1, told
    assert "“私钥 勒索软件”的检索结果" in told[0]
    assert page.locator("main [role=status], main [role=alert]").count() == 0


def test_errors_stand_in_place_and_go_away_again(page: Page) -> None:
    page.goto("/search?q=漏洞&category=漏洞")
    is_same = stays(page)
    page.locator("#q").fill("长" * 801)
    page.locator(".notice-error").wait_for()
    assert "800" in page.locator(".notice-error").inner_text()
    assert page.locator("#q").input_value() == "长" * 801
    assert page.locator("#filters").count() == 0
    page.locator("#q").fill("漏洞 ")
    page.locator(".hit").first.wait_for()
    assert page.locator("#filters").count() == 1
    assert page.locator(".chip b").all_inner_texts() == ["漏洞"]
    page.route(
        "**/search?q=*",
        lambda route: route.fulfill(
            status=503,
            content_type="text/html",
            body="<title>暂时不能检索</title><main id='main'><h1>暂时不能检索</h1></main>",
        ),
    )
    page.locator("#q").fill("私钥")
    expect(page.locator("h1")).to_have_text("暂时不能检索")
    assert page.title() == "暂时不能检索"
    assert is_same()


def test_where_nothing_answers_typing_is_told_and_links_are_followed(page: Page) -> None:
    page.goto("/search?q=漏洞")

    def refuse(route: Route) -> None:
        if route.request.resource_type == "fetch":
            route.abort()
        else:
            route.continue_()

    page.route("**/search?*", refuse)
    before, is_same = page.url, stays(page)
    page.locator("#q").fill("私钥")
    page.locator(".unanswered").wait_for()
    assert page.url == before
    assert page.locator(".hit").count() == 9
    assert page.locator("#q").input_value() == "私钥"
    assert page.locator("[aria-busy]").count() == 0
    page.locator("#q").fill("漏洞")
    page.locator(".unanswered").wait_for(state="detached")
    close_suggestions(page)
    page.locator(".results-head .switch a", has_text="最新").click()
    page.wait_for_url("**sort=newest")
    assert not is_same()


def test_an_answer_without_a_main_part_is_not_taken(page: Page) -> None:
    page.goto("/search?q=漏洞")
    is_same = stays(page)

    def other(route: Route) -> None:
        if route.request.resource_type == "fetch":
            route.fulfill(status=200, content_type="text/html", body="<p>Please log in")
        else:
            route.continue_()

    page.route("**/search?*", other)
    page.locator(".results-head .switch a", has_text="最新").click()
    page.wait_for_url("**sort=newest")
    page.locator(".hit").first.wait_for()
    assert not is_same()


def test_without_a_script_the_field_waits_for_enter(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport=WIDE, java_script_enabled=False, base_url=address)
    page = context.new_page()
    page.goto("/search?q=私钥")
    before = page.url
    page.locator("#q").fill("漏洞")
    page.wait_for_timeout(200)
    assert page.url == before
    page.locator("#q").press("Enter")
    page.wait_for_url("**9E")
    page.locator(".results-head .switch a", has_text="最新").click()
    page.wait_for_url("**sort=newest")
    page.go_back()
    page.wait_for_url("**9E")
    assert "共 9 篇" in page.locator("h1").inner_text()
    context.close()
