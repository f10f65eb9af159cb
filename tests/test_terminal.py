"""What others wrote commands no terminal, and is the same for another program."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kg.vocab import SKOS_ALT_LABEL

EVIL = "\x9b31m red \u202e turned"
NAME = "2026-01-01-\x1b[31m\x9b"
OBEYED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]|\x1b(?!\\[K)|\r(?![\n\x1b])"
)
"""All but what a line of progress is made of."""


def on_a_terminal(*arguments: str, cwd: Path) -> str:
    """What a terminal gets when a command runs in it."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "kg.cli", *arguments]
    with subprocess.Popen(command, cwd=cwd, stdin=theirs, stdout=theirs, stderr=theirs):
        os.close(theirs)
        found = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # as Linux says that nobody writes any more
                break
            if not piece:
                break
            found += piece
    os.close(ours)
    return found.decode("utf-8", "replace")


@pytest.fixture
def evil(built: Path) -> Path:
    """A project whose labels, releases and links have control characters, where those are allowed."""
    claims = built / "data/claims/about-kg.trig"
    claims.write_text(claims.read_text(encoding="utf-8").replace('rdfs:label "', f'rdfs:label "{EVIL}', 1), "utf-8")
    labels = built / "data/entities/labels.ttl"
    labels.write_text(labels.read_text(encoding="utf-8") + f':kg <{SKOS_ALT_LABEL}> "{EVIL}"@en .\n', encoding="utf-8")
    (built / "releases" / NAME).mkdir()
    (built / "releases" / NAME / "seal.json").write_text("{}")
    return built


QUERY = f"SELECT ?o {{ ?s <{SKOS_ALT_LABEL}> ?o }}"


def test_a_terminal_is_shown_what_it_would_obey(evil: Path, kg) -> None:
    first = str((evil / "releases/current").readlink())
    for arguments in (
        *(("build",), ("releases",), ("verify", "none"), ("review",), ("query", QUERY), ("diff", first)),
        *(("diff", first, "--format", "patch"), ("diff", first, "--format", "json")),
    ):
        shown = on_a_terminal(*arguments, cwd=evil)
        assert not OBEYED.search(shown), (arguments, shown)
    assert "\\x9b31m red \\u202e turned" in on_a_terminal("query", QUERY, cwd=evil)
    assert kg("query", QUERY, cwd=evil).stdout.splitlines()[1] == EVIL, "another program gets the value"
    (evil / "releases/current").unlink()
    (evil / "releases/current").symlink_to("\x1b]0;pwned\x07")
    for command in ("verify", "serve"):
        assert "\\x1b]0;pwned\\x07" in on_a_terminal(command, cwd=evil)
        assert "\\x1b]0;pwned\\x07" in kg(command, cwd=evil).stderr, "logs are read on terminals, too"


def test_the_line_of_progress_makes_room_for_what_was_found(built: Path) -> None:
    shown = on_a_terminal("check", cwd=built)
    assert "\x1b[K0 errors, 0 warnings" in shown
