"""In a real browser: nothing from elsewhere, nothing refused by the policy, readable on a phone and without a mouse."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


def test_no_page_asks_another_server_or_breaks_the_policy(tab: Page, address: str, pages: tuple[str, ...]) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("dialog", lambda dialog: complaints.append(dialog.message))
    for path in pages:
        tab.goto(urljoin(address, path))
    assert {urlsplit(url).netloc for url in asked} == {urlsplit(address).netloc}
    assert complaints == []


@pytest.mark.parametrize("width", [320, 360, 1280])
def test_no_page_is_wider_than_the_screen(width: int, browser: Browser, address: str, pages: tuple[str, ...]) -> None:
    tab = browser.new_page(viewport={"width": width, "height": 800})
    wide = {}
    for path in pages:
        tab.goto(urljoin(address, path))
        over = tab.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if over > 0:
            wide[path] = over
    tab.close()
    assert wide == {}


CONTRAST = """() => {
  const channel = v => (v /= 255, v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const light = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
  const behind = e => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const faults = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !e.checkVisibility()) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faults.add(`${e.tagName}.${e.className} ${ratio.toFixed(2)}`);
  }
  return [...faults];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(scheme: str, browser: Browser, address: str, pages: tuple[str, ...]) -> None:
    context = browser.new_context(color_scheme="dark" if scheme == "dark" else "light")
    tab = context.new_page()
    faults = {}
    for path in pages:
        tab.goto(urljoin(address, path))
        found = tab.evaluate(CONTRAST)
        if found:
            faults[path] = found
    context.close()
    assert faults == {}


def test_the_keyboard_reaches_the_content_first(tab: Page, address: str) -> None:
    tab.goto(address + "page/north-pier")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert tab.evaluate("document.activeElement.getBoundingClientRect().top >= 0")
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "main"


def test_pages_and_search_work_without_scripts(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(address)
    tab.get_by_role("searchbox").fill("north")
    tab.get_by_role("searchbox").press("Enter")
    tab.get_by_role("link", name="the north pier", exact=True).click()
    assert tab.get_by_role("heading", level=1).text_content() == "the north pier"
    tab.get_by_role("link", name="asserted · stated").first.click()
    assert "passage" in (tab.text_content("main") or "")
    context.close()


def test_an_address_can_be_copied(browser: Browser, address: str) -> None:
    context = browser.new_context()
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab = context.new_page()
    tab.goto(address + "page/north-pier")
    tab.get_by_role("button", name="Copy").first.click()
    tab.get_by_role("button", name="Copied").wait_for()
    assert tab.evaluate("navigator.clipboard.readText()") == "http://localhost:8000/id/north-pier"
    context.close()


COPY = "A header of another site\n\nCounting:\u00a0four\n cranes, all of them on the north pier.\n"


def test_a_reader_can_check_a_copy_and_nothing_is_sent(tab: Page, address: str) -> None:
    tab.goto(address + "document/closed", wait_until="networkidle")
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.get_by_label("its text, pasted").fill(COPY)
    tab.get_by_role("button", name="Compare").click()
    tab.get_by_text("1 of 1 passages verified in your copy").wait_for()
    assert tab.locator(".copy-text mark").all_text_contents() == ["four cranes"]
    tab.get_by_label("its text, pasted").fill(COPY.replace("four", "five"))
    tab.get_by_role("button", name="Compare").click()
    tab.get_by_text("0 of 1 passages verified in your copy").wait_for()
    assert asked == []


def test_a_text_that_is_shown_needs_no_copy(tab: Page, address: str) -> None:
    tab.goto(address + "document/gazette")
    assert tab.locator("[data-copy-check]").count() == 0
