"""What goes wrong in somebody's first hour: each message says what, where, and what to do."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from kg import build
from kg.config import load
from kg.model import Severity

TEXT = "data/documents/about-kg.md"


def said(project: Path, severity: Severity = Severity.ERROR) -> list[str]:
    return [str(f) for f in build.check(load(project)).findings if f.severity is severity]


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
def test_a_text_in_utf_16_is_named_as_that(mark: bytes, starter: Path) -> None:
    (starter / TEXT).write_bytes(mark + "It rained.".encode("utf-16-le"))
    assert said(starter)[0] == (
        f"{TEXT}:1: error: the text of about-kg is UTF-16, and not UTF-8: save the file as UTF-8"
    )


@pytest.mark.parametrize("target", ["about-kg.md", "nowhere.md"], ids=["itself", "nowhere"])
def test_a_text_that_is_a_link_to_nowhere_is_named_as_that(target: str, starter: Path, kg) -> None:
    (starter / TEXT).unlink()
    (starter / TEXT).symlink_to(target)
    assert said(starter)[0] == f"{TEXT}: error: the text of about-kg is a link that leads nowhere"
    assert kg("cite", "about-kg", cwd=starter).stderr == f"kg: {TEXT}: is a link that leads nowhere\n"


@pytest.mark.parametrize("name", ["news", "news.html"])
def test_a_text_in_another_format_is_to_be_saved_as_plain_text(name: str, starter: Path, kg) -> None:
    (starter / "data/documents/news.html").write_text("<p>It rained.</p>")
    assert kg("cite", name, cwd=starter).stderr.endswith(": save the text of news.html as news.txt, in UTF-8\n")


def test_a_title_is_proposed_without_the_marks_of_markdown(starter: Path, kg) -> None:
    (starter / "data/documents/news.md").write_text("# A fine of **5 * 3** for the *Harbour* and `kg`\n\nIt rained.\n")
    assert '"A fine of 5 * 3 for the Harbour and kg"@en' in kg("cite", "news", cwd=starter).stdout
