"""Every kind of page with extreme data, as a real browser shows it: accessible, calm, and nothing of the data alive.

Each page is opened once and looked at in every width and scheme; each test then states one thing about all of them.
What one page has wrong is named by its address.
"""

from __future__ import annotations

import gzip
import html
import re
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Page
from tests.site import kinds
from tests.site.accessible import AXE, OF_LOOKS, RULES
from tests.site.slowly import slowly

pytestmark = pytest.mark.browser

VIEWS: tuple[tuple[str, int, list[str]], ...] = (
    ("light", 1280, RULES),
    ("dark", 360, OF_LOOKS),
    ("light", 320, []),
)
"""Scheme, width, and the rules that are run in it; 320 is the width that a page may be zoomed to (WCAG 2.2, 1.4.10)."""

MOST_SHIFT = 0.02
"""Cumulative layout shift; up to 0.1 counts as good (https://web.dev/articles/cls)."""

LARGEST = 30_000
"""Bytes of a page's HTML, compressed."""

SHIFT = """
window.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""

# Text in a script that is written from right to left stands in an element that names its language.
NAMELESS = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const holder = walker.currentNode.parentElement;
    if (!/[\\u0590-\\u06ff]/.test(walker.currentNode.data) || holder.closest("pre, code, option, script")) continue;
    const language = holder.closest("[lang]").getAttribute("lang");
    if (!/^(ar|he)$/.test(language)) found.push(walker.currentNode.data.slice(0, 40));
  }
  return found;
}"""

# Words of the page that stand behind text of the data run as they should, whatever that text does to directions.
TURNED = """() => [...document.querySelectorAll("bdi")].flatMap((bdi) => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  walker.currentNode = bdi;
  let text = walker.nextNode();
  while (text && (bdi.contains(text) || !/[a-z]{2}/.test(text.data))) text = walker.nextNode();
  if (!text || !text.parentElement.checkVisibility() || text.parentElement.closest("bdi, svg, option, pre")) return [];
  const at = text.data.search(/[a-z]{2}/);
  const [first, second] = [0, 1].map((n) => {
    const letter = document.createRange();
    letter.setStart(text, at + n);
    letter.setEnd(text, at + n + 1);
    return letter.getBoundingClientRect();
  });
  return first.top === second.top && first.left > second.left ? [text.data.slice(0, 40)] : [];
})"""

# What a browser would run, or fetch, or follow to something that runs.
ALIVE = """() => [...document.querySelectorAll("*")].flatMap((element) => {
  const tagName = element.tagName.toLowerCase();
  const found = [...element.attributes].filter(({ name }) => /^on|^style$|^srcdoc$/.test(name)).map(({ name }) => name);
  if (["img", "iframe", "object", "embed", "base", "video", "audio"].includes(tagName)) found.push(tagName);
  const href = element.getAttribute("href") ?? element.getAttribute("src") ?? "";
  if (/^[^/?#]*:/.test(href) && !/^(https?|mailto):/i.test(href)) found.push(href);
  return found.length && !element.closest(".movable, .cm-editor") ? [`${tagName}: ${found.join(", ")}`] : [];
})"""


@dataclass
class Faults:
    """What is wrong with a page; nothing, where all of it is empty."""

    axe: list[str] = field(default_factory=list)
    """Rules of WCAG 2.2, level AA, that it breaks, with the view and the element."""
    wide: dict[int, int] = field(default_factory=dict)
    """Pixels by which it is wider than the screen, by the screen's width."""
    alive: list[str] = field(default_factory=list)
    """Elements that the data has made: they run, fetch, or lead to what runs."""
    asked: set[str] = field(default_factory=set)
    """Other servers that it asks."""
    said: list[str] = field(default_factory=list)
    """What the browser complains of: errors of scripts, breaches of the policy, dialogs."""
    nameless: list[str] = field(default_factory=list)
    """Texts in another language that do not say which."""
    turned: list[str] = field(default_factory=list)
    """Our words that run backwards behind text of the data."""
    shift: float = 0.0
    """How far it moves while it loads, beyond what is allowed."""
    size: int = 0
    """Bytes of its HTML, compressed, where they are more than allowed."""


FOUND = {
    "releases.changes": ("releases/", r"changes\?[^\"]+"),
    "disagreements.comparison": ("page/north-pier", r"comparison/[^\"]+"),
    "anything.anything": ("page/hostile", r"\.well-known/genid/[^\"]+"),
}
"""Where links to the pages of :data:`kinds.FOUND` stand, and what they look like."""

PAGES = tuple(zip([*kinds.paths(kinds.EXTREME), *FOUND], cycle((360, 1280)), strict=False))
"""Every page, and the width of the screen that it is loaded on: a phone's and a desk's in turn."""


@pytest.fixture(scope="module")
def slow_address(extreme_address: str) -> Iterator[str]:
    """The extreme project over a slow line."""
    with slowly(extreme_address) as address:
        yield address


def first_link(address: str, page: str, pattern: str) -> str:
    """The address of the first link on a page that fits."""
    with urllib.request.urlopen(urljoin(address, page)) as answer:
        href = re.search(rf'href="([^"]*{pattern})"', answer.read().decode())
    assert href, page
    return urljoin(urljoin(address, page), html.unescape(href[1]))


def look(tab: Page, address: str, first: int, axe: str) -> Faults:
    """Open a page on a screen of this width first, and look at it in every view."""
    faults = Faults()
    here = urlsplit(address).netloc

    def said(message: ConsoleMessage) -> None:
        # That an error page has the status of an error is no fault of the page.
        if not (message.text.startswith("Failed to load resource") and message.location["url"] == address):
            faults.said.append(message.text)

    tab.on("request", lambda request: faults.asked.update({urlsplit(request.url).netloc} - {here}))
    tab.on("console", said)
    tab.on("pageerror", lambda error: faults.said.append(str(error)))
    tab.on("dialog", lambda dialog: faults.said.append(f"dialog: {dialog.message}"))
    tab.add_init_script(SHIFT)
    tab.set_viewport_size({"width": first, "height": 900})
    answer = tab.goto(address)
    assert answer
    size = len(gzip.compress(answer.body()))
    if "/query" in address:
        tab.wait_for_load_state("networkidle")  # the editor asks what things are called, and draws its answer
    shift = tab.evaluate("window.shift")
    faults.size, faults.shift = (size if size > LARGEST else 0), (shift if shift > MOST_SHIFT else 0.0)
    faults.nameless, faults.turned, faults.alive = (tab.evaluate(script) for script in (NAMELESS, TURNED, ALIVE))
    tab.evaluate(axe)
    for scheme, width, rules in VIEWS:
        tab.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        tab.set_viewport_size({"width": width, "height": 900})
        over = tab.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        faults.wide |= {width: over} if over > 0 else {}
        faults.axe += [f"{scheme} {width}: {fault}" for fault in tab.evaluate(AXE, rules)] if rules else []
    return faults


def test_every_route_has_its_place_in_a_list(app: Flask) -> None:
    routes = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert routes == set(kinds.HARBOUR) | set(kinds.FOUND) | set(kinds.FOREIGN) | kinds.NO_PAGES
    assert set(kinds.EXTREME) == set(kinds.HARBOUR) | {"problems"}
    assert set(FOUND) == set(kinds.FOUND)


@pytest.mark.parametrize(("path", "width"), PAGES)
def test_a_page_of_any_kind_has_no_fault_whatever_the_data(
    path: str, width: int, tab: Page, axe: str, slow_address: str
) -> None:
    address = first_link(slow_address, *FOUND[path]) if path in FOUND else urljoin(slow_address, path)
    assert look(tab, address, width, axe) == Faults()


# By keyboard

# Everything that a reader can act on, in the order of the page; what is folded away is not shown.
REACHABLE = """() => [...document.querySelectorAll(
  "a[href], button, input:not([type=hidden]), select, textarea, summary, [contenteditable=true], [tabindex='0']")]
  .filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.disabled).length"""

# One step further with Tab: which element it is, and whether one sees that it has the focus.
FOCUSED = """async () => {
  const element = document.activeElement;
  if (element === document.body) return null;
  // The editor of queries notices its focus a little later.
  const editor = element.closest(".cm-editor");
  for (let looks = 0; looks < 200 && editor && !editor.matches(".cm-focused"); looks += 1) {
    await new Promise((noticed) => setTimeout(noticed, 100));
  }
  window.walked ??= new Map();
  // The editor of queries draws the line around itself, and not around its text alone.
  const parts = [element.closest(".cm-editor") ?? element, ...element.querySelectorAll("*")];
  const styles = parts.map((part) => getComputedStyle(part));
  const outlined = styles.some((style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2);
  const box = element.getBoundingClientRect();
  const inside = box.bottom > 0 && box.top < innerHeight;
  const known = window.walked.has(element);
  window.walked.set(element, true);
  const fault = !outlined ? "no outline" : !inside ? "out of sight" : "";
  return { known, name: element.outerHTML.slice(0, 120), fault };
}"""


@pytest.mark.parametrize("kind", sorted(kinds.HARBOUR))
def test_everything_is_reached_by_keyboard_with_the_focus_in_sight(kind: str, tab: Page, address: str) -> None:
    tab.emulate_media(reduced_motion="reduce")  # the page is where it scrolls to at once
    tab.goto(urljoin(address, kinds.HARBOUR[kind][0]))
    wanted = tab.evaluate(REACHABLE)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the content"
    reached, unseen = 0, []
    while (now := tab.evaluate(FOCUSED)) and not now["known"]:
        reached += 1
        unseen += [(now["name"], now["fault"])] if now["fault"] else []
        tab.keyboard.press("Tab")
    assert (reached, unseen) == (wanted, [])


def test_who_wants_no_motion_gets_none(browser: Browser, voyage_address: str) -> None:
    context = browser.new_context(reduced_motion="reduce")
    tab = context.new_page()
    tab.goto(voyage_address + "map")
    tab.get_by_role("button", name="Zoom in").click()
    moving = tab.evaluate("""() => [document.documentElement, ...document.querySelectorAll("*")].filter((element) => {
      const style = getComputedStyle(element);
      return style.animationName !== "none" || style.scrollBehavior === "smooth" || element.getAnimations().length;
    }).map((element) => element.outerHTML.slice(0, 100))""")
    context.close()
    assert moving == []
