"""The rules that axe-core knows (WCAG 2.2, level AA, and good practice), and how pages are held against them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OF_LOOKS = ["color-contrast", "link-in-text-block", "target-size"]
"""The rules that another scheme or width can change."""

# Marks on a map lie where the places do, and the list beside it leads to the same: WCAG 2.2, 2.5.8, "essential".
AXE = """(rules) => axe.run(document, { runOnly: rules, resultTypes: ["violations"], preload: false }).then((found) =>
  found.violations.flatMap((violation) => violation.nodes.map((node) => `${violation.id} ${node.target.join(" ")}`))
    .filter((fault) => !/^target-size .*(pin-holder|spot)/.test(fault)))"""


def read_axe() -> str:
    """axe-core's script; on a person's machine without it, what needs it is skipped."""
    script = Path(sys.prefix) / "clients/node_modules/axe-core/axe.min.js"
    if not script.is_file():
        message = "axe-core is not installed here: make clients"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return script.read_text(encoding="utf-8")
