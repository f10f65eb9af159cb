"""The editor at ``/query``, as somebody uses it."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect
from tests.patience import until

COMPLAIN = """
  window.complaints = [];
  addEventListener("securitypolicyviolation", (event) => complaints.push(`${event.violatedDirective} ${event.sample}`));
  addEventListener("error", (event) => complaints.push(event.message));
"""


class Editor:
    """The page, as somebody uses it."""

    def __init__(self, tab: Page, root: str) -> None:
        self.tab = tab
        self.root = root
        self.content = tab.get_by_role("textbox", name="A question in SPARQL 1.1")
        self.status = tab.locator(".query-status")
        self.answer = tab.locator(".answers")
        self.options = tab.get_by_role("listbox", name="Completions").get_by_role("option")

    def open(self, path: str = "query") -> Editor:
        self.tab.goto(self.root + path)
        expect(self.content).to_be_visible()
        return self

    @property
    def text(self) -> str:
        found: str = self.tab.evaluate("document.querySelector('#query').value")
        return found

    def write(self, text: str) -> None:
        """Put a text in place of the one that stands there."""
        self.content.focus()
        self.tab.keyboard.press("ControlOrMeta+a")
        self.tab.keyboard.insert_text(text)

    def choose(self, typed: str, name: str) -> None:
        """Type, and take a suggestion by the keyboard."""
        self.tab.keyboard.type(typed, delay=5)
        wanted = self.options.filter(has_text=name)
        expect(wanted.first).to_be_visible()
        labels: list[str] = []
        # Others may still be on their way, and move those that are there.
        while labels != (labels := self.options.all_text_contents()):
            self.tab.wait_for_timeout(300)
        for _ in range(next(i for i, label in enumerate(labels) if name in label)):
            self.tab.keyboard.press("ArrowDown")
        expect(wanted.first).to_have_attribute("aria-selected", "true")
        # CodeMirror takes no suggestion that appeared under a finger on its way to another key.
        self.tab.wait_for_timeout(100)
        before = self.text
        self.tab.keyboard.press("Enter")
        # There may be options again: behind a prefix the names that it has are offered at once.
        until(lambda: self.text != before)

    def run(self, text: str = "") -> None:
        if text:
            self.write(text)
        self.content.press("ControlOrMeta+Enter")
        expect(self.status).not_to_have_text(re.compile("^(Running.*)?$"))

    def rows(self) -> list[list[str]]:
        return [row.locator("td").all_text_contents() for row in self.answer.locator("tbody tr").all()]

    def view(self, name: str) -> Locator:
        self.tab.get_by_role("tab", name=name).click()
        return self.tab.get_by_role("tabpanel", name=name)
