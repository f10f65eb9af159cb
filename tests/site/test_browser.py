"""What readers do in a real browser, with scripts and without; :mod:`tests.site.test_kinds` looks at every page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.patience import until
from tests.site.accessible import AXE, RULES

pytestmark = pytest.mark.browser


def test_the_keyboard_reaches_the_content_first(tab: Page, address: str) -> None:
    tab.goto(address + "page/north-pier")
    tab.keyboard.press("Tab")
    focused = tab.locator(":focus")
    expect(focused).to_have_text("Skip to the content")
    assert focused.evaluate("element => element.getBoundingClientRect().top >= 0")
    tab.keyboard.press("Enter")
    expect(focused).to_have_id("main")


def test_pages_and_search_work_without_scripts(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(address)
    tab.get_by_role("searchbox").fill("north")
    tab.get_by_role("searchbox").press("Enter")
    tab.get_by_role("link", name="the north pier", exact=True).click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("the north pier")
    tab.get_by_role("link", name="asserted · stated").first.click()
    tab.wait_for_url("**/claim/**")
    expect(tab.get_by_role("main")).to_contain_text("passage")
    context.close()


def test_an_address_can_be_copied(browser: Browser, address: str) -> None:
    context = browser.new_context()
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab = context.new_page()
    tab.goto(address + "page/north-pier")
    # The button says so for two seconds, in which a busy machine may look the other way.
    tab.evaluate("""() => {
        window.said = [];
        const heard = new MutationObserver((changes) => said.push(...changes.map(({ target }) => target.textContent)));
        heard.observe(document.querySelector("button.copy"), { childList: true });
    }""")
    tab.get_by_role("button", name="Copy").first.click()
    until(lambda: "Copied" in tab.evaluate("window.said"))
    assert tab.evaluate("navigator.clipboard.readText()") == "http://localhost:8000/id/north-pier"
    context.close()


def test_each_button_that_copies_says_what(tab: Page, address: str) -> None:
    tab.goto(address + "claim/gazette/1")
    told = tab.locator("button.copy").evaluate_all("""buttons => buttons.map(
        (button) => document.getElementById(button.getAttribute("aria-describedby")).textContent)""")
    assert told[0] == "http://localhost:8000/claim/gazette/1"
    assert told[1] == "As RDF, a named graph"
    assert len(set(told)) == len(told) >= 4


COPY = "A header of another site\n\nCounting:\u00a0four\n cranes, all of them on the north pier.\n"


def test_a_reader_can_check_a_copy_and_nothing_is_sent(tab: Page, address: str) -> None:
    tab.goto(address + "document/closed", wait_until="networkidle")
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.get_by_label("its text, pasted").fill(COPY)
    tab.get_by_role("button", name="Compare").click()
    tab.get_by_text("1 of 1 passages verified in your copy").wait_for()
    expect(tab.locator(".copy-text mark")).to_have_text(["four cranes"])
    tab.get_by_label("its text, pasted").fill(COPY.replace("four", "five"))
    tab.get_by_role("button", name="Compare").click()
    tab.get_by_text("0 of 1 passages verified in your copy").wait_for()
    # The browser asks for the page's own picture whenever it likes.
    assert [url for url in asked if "favicon" not in url] == []


def test_a_text_that_is_shown_needs_no_copy(tab: Page, address: str) -> None:
    tab.goto(address + "document/gazette")
    assert tab.locator("[data-copy-check]").count() == 0


def test_paper_is_read_whatever_the_scheme_of_the_screen(tab: Page, address: str, axe: str) -> None:
    tab.emulate_media(media="print", color_scheme="dark")
    for path in ("page/north-pier", "timeline"):
        tab.goto(address + path)
        tab.evaluate(axe)
        assert tab.evaluate(AXE, ["color-contrast"]) == []


def test_on_a_phone_one_sees_that_the_navigation_goes_on_and_where_it_ends(tab: Page, address: str) -> None:
    tab.set_viewport_size({"width": 360, "height": 800})
    tab.goto(address + "?lang=de")
    navigation = tab.get_by_role("navigation", name="Website", exact=True)
    assert navigation.evaluate("nav => nav.scrollWidth > nav.clientWidth")
    fading = navigation.evaluate("nav => getComputedStyle(nav).maskImage")
    assert fading.startswith("linear-gradient(to left, rgba(0, 0, 0, 0)")
    # Moved to its end, it has nothing below what fades.
    navigation.evaluate("nav => nav.scrollLeft = nav.scrollWidth")
    left = navigation.evaluate("nav => innerWidth - nav.querySelector('li:last-child').getBoundingClientRect().right")
    fade = float(fading.rpartition(" ")[2].removesuffix("px)"))
    assert left == pytest.approx(fade, abs=1)


def test_a_page_of_a_kept_release_leads_to_the_same_page_now(tab: Page, address: str, axe: str) -> None:
    tab.goto(address + "releases/")
    tab.locator("main a[href*='/releases/2']").first.click()
    tab.goto(tab.url + "browse?show=claims&modality=ontology%23planned&lang=de")
    tab.evaluate(axe)
    assert tab.evaluate(AXE, RULES) == []
    tab.get_by_role("complementary", name="Ausgabe").get_by_role("link").click()
    assert tab.url == address + "browse?show=claims&modality=ontology%23planned&lang=de"


def test_links_beside_a_long_name_keep_their_room_on_a_phone(tab: Page, address: str, axe: str) -> None:
    tab.set_viewport_size({"width": 360, "height": 800})
    for path in ("document/gazette", "claim/gazette/1"):
        tab.goto(address + path)
        # A name that is as long as a line, whoever says it and whatever it is said of.
        tab.evaluate("""() => document.querySelectorAll(".who a, .sentences li > a:first-child").forEach((link) => {
            link.textContent = "the author of the report, whom nobody names";
        })""")
        tab.evaluate(axe)
        assert tab.evaluate(AXE, ["target-size"]) == []
