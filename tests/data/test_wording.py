"""The report's text is somebody else's: facts are taken from it, sentences are not."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from kg import text

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = ROOT.parent / "shared/source"
REPORT = SOURCES / "us-army-iraq-bases.txt"
RUN = 6


def words(content: str) -> list[str]:
    """Words in lower case; markup, quotation marks and hyphens do not hide a run."""
    return re.findall(r"[^\W_]+", content.lower().replace("'", "").replace("\u2019", ""))


def runs(content: str) -> set[tuple[str, ...]]:
    found = words(content)
    return {tuple(found[i : i + RUN]) for i in range(len(found) - RUN + 1)}


def report_runs() -> set[tuple[str, ...]]:
    """Runs of six words of the body; the title is a name and may be given."""
    parsed = text.parse(REPORT.read_text(encoding="utf-8"))
    title, *body = parsed.sentences
    content = " ".join(parsed.content[s.start : s.end] for s in body)
    return runs(content) - runs(parsed.content[title.start : title.end])


def committed() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    return [name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def test_no_six_words_in_a_row_are_the_reports() -> None:
    """No text file in the repository repeats six words of the report in a row."""
    if not REPORT.exists():
        pytest.skip("the report's text is not at hand: nothing to compare with")
    if not (names := committed()):
        pytest.skip("not a git checkout: there is no list of files")
    forbidden = report_runs()
    copied = {}
    for name in names:
        try:
            content = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if same := runs(content) & forbidden:
            copied[name] = sorted(" ".join(run) for run in same)
    assert copied == {}


def test_markup_does_not_hide_a_run() -> None:
    """Quotation marks, hyphens and line ends between words change nothing."""
    assert words("It\u2019s a \u201cwell-known\u201d\nfact_") == ["its", "a", "well", "known", "fact"]
