"""A claim counts as reviewed only while it says what the reviewer read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.build.changes import replaced

from kg import build
from kg.config import load

CLAIMS = "data/claims/about-kg.trig"


@pytest.fixture
def reviewed(starter: Path, kg) -> Path:
    """The starter project with a review of its first claim, pasted as `kg review` prints it."""
    printed = kg("review", "claim/about-kg/1", "--by", "kg-authors", cwd=starter, env={"SOURCE_DATE_EPOCH": "0"})
    assert printed.returncode == 0, printed.stderr
    assert 'kg:reviewedOn "1970-01-01"' in printed.stdout
    with (starter / CLAIMS).open("a", encoding="utf-8") as file:
        file.write(printed.stdout)
    return starter


def test_the_claims_that_wait_for_a_reader_are_listed(starter: Path, reviewed: Path, kg) -> None:
    lines = kg("review", cwd=reviewed).stdout.splitlines()
    assert len(lines) == 2
    assert "claim/about-kg/2: nobody has reviewed it: The makers of kg" in lines[0]
    assert lines[1] == "1 of 2 claims wait for a reader"
    assert kg("build", cwd=reviewed).returncode == 0


@pytest.mark.parametrize(
    "change",
    [
        replaced(CLAIMS, "The program kg is made", "The programme kg is made"),
        replaced(CLAIMS, "schema:programmingLanguage :python", "schema:programmingLanguage :kg"),
        replaced(CLAIMS, "kg:modality kg:asserted", "kg:modality kg:expected"),
        replaced(CLAIMS, '"kg is written in Python"', '"written in Python"'),
    ],
    ids=["gloss", "triples", "modality", "passage"],
)
def test_a_claim_that_was_changed_after_its_review_is_an_error(change: Callable[[Path], None], reviewed: Path) -> None:
    change(reviewed)
    messages = [f.message for f in build.check(load(reviewed)).findings if f.rule == "review"]
    (message,) = messages
    assert message.startswith("claim/about-kg/1 was changed after its review of 1970-01-01: remove the review, or")


def test_a_review_holds_under_another_base_and_where_only_the_layout_changed(reviewed: Path) -> None:
    replaced(CLAIMS, "schema:programmingLanguage :python", "\n  schema:programmingLanguage  :python")(reviewed)
    assert not build.check(load(reviewed, base="https://elsewhere.example/facts/")).failed


def test_half_a_review_is_refused_by_its_shape(starter: Path) -> None:
    with (starter / CLAIMS).open("a", encoding="utf-8") as file:
        file.write("claim:1 kg:reviewedBy :kg-authors .\n")
    findings = " ".join(f.message for f in build.check(load(starter)).findings)
    assert "A review has kg:reviewedBy, kg:reviewedOn and kg:reviewedContent" in findings


def test_a_claim_that_is_not_there_is_named(starter: Path, kg) -> None:
    done = kg("review", "claim/about-kg/9", cwd=starter)
    assert done.returncode == 1
    assert done.stderr == "kg: data/claims: there is no claim/about-kg/9\n"
    assert kg("review", "--by", "x", cwd=starter).returncode == 2
