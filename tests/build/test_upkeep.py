"""After a document changed: what moved is rewritten, what changed is named with its nearest match."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg import build
from kg.build.cite import cite, passage_trig
from kg.config import load

TEXT = "data/documents/about-kg.md"
CLAIMS = "data/claims/about-kg.trig"


@pytest.fixture
def cited(starter: Path) -> Path:
    """The starter project with its first claim's words cited by position, as a hidden text's would be."""
    config = load(starter)
    claims = starter / CLAIMS
    source = claims.read_text(encoding="utf-8")
    for words in ("kg is written in Python", "plan to let readers check"):
        passage, _, shown = cite(config, "about-kg", words, [])
        source += f"\n{passage_trig(passage, quote=shown)}\n"
        source += f"claim:1 oa:hasTarget <{passage.iri.removeprefix(config.base)}> .\n"
    claims.write_text("@prefix oa: <http://www.w3.org/ns/oa#> .\n" + source, encoding="utf-8")
    release, findings = build.build(config)
    assert release is not None, findings
    return starter


def change(project: Path, old: str, new: str) -> None:
    path = project / TEXT
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def test_passages_that_moved_are_rewritten_and_the_build_passes_again(cited: Path, kg) -> None:
    before = (cited / CLAIMS).read_text(encoding="utf-8")
    change(cited, "kg is written", "First of all. kg is written")
    assert kg("check", cwd=cited).returncode == 1
    fixed = kg("check", "--fix", cwd=cited)
    assert fixed.returncode == 0, fixed.stdout + fixed.stderr
    assert "passage/about-kg/11-34 is now 25-48, sentence 1" in fixed.stderr
    assert "document/about-kg has its new fingerprint" in fixed.stderr
    after = (cited / CLAIMS).read_text(encoding="utf-8")
    assert len(after.splitlines()) == len(before.splitlines()), "nothing but numbers changes"
    assert kg("build", cwd=cited).returncode == 0


@pytest.mark.parametrize("everywhere", [True, False])
def test_a_passage_that_is_written_with_a_prefix_is_rewritten_too(everywhere: bool, cited: Path, kg) -> None:
    claims = cited / CLAIMS
    source = claims.read_text(encoding="utf-8")
    short = source.replace("<passage/about-kg/11-34>", "p:11-34", -1 if everywhere else 1)
    assert short != source
    claims.write_text("@prefix p: <passage/about-kg/> .\n" + short, encoding="utf-8")
    assert kg("build", cwd=cited).returncode == 0
    change(cited, "kg is written", "First of all. kg is written")
    assert kg("check", "--fix", cwd=cited).returncode == 0
    assert kg("build", cwd=cited).returncode == 0


def test_a_passage_that_moved_is_said_once_with_the_command_that_mends_it(cited: Path) -> None:
    change(cited, "kg is written", "First of all. kg is written")
    messages = [f.message for f in build.check(load(cited)).findings if f.severity == "error"]
    moved = sorted(m.partition(":")[0] for m in messages if m.startswith("passage/"))
    assert moved == sorted(set(moved)) != []
    assert all("kg check --fix" in m for m in messages)


def test_numbers_of_sentences_that_stayed_at_their_place_are_rewritten_too(cited: Path, kg) -> None:
    change(cited, "kg is written in Python.\nIts", "kg is written in Python;\nits")
    claims = cited / CLAIMS
    source = claims.read_text(encoding="utf-8")
    claims.write_text(source.replace('kg:quote "Its', 'kg:quote "its'), encoding="utf-8")
    assert "kg:sentence is 2, but the span stands in 1: kg check --fix writes it" in kg("check", cwd=cited).stdout
    fixed = kg("check", "--fix", cwd=cited)
    assert fixed.returncode == 0, fixed.stdout + fixed.stderr
    assert "is now in sentence 1" in fixed.stderr
    assert kg("build", cwd=cited).returncode == 0


def test_fixing_twice_changes_nothing_more(cited: Path) -> None:
    change(cited, "kg is written", "First of all. kg is written")
    assert build.fix(load(cited)) != []
    before = (cited / CLAIMS).read_bytes()
    assert build.fix(load(cited)) == []
    assert (cited / CLAIMS).read_bytes() == before


def test_a_passage_may_move_to_where_another_one_stood(cited: Path) -> None:
    path = cited / TEXT
    path.write_text(
        "# About kg\n\nIts authors plan to let readers check a passage against their own copy of a document.\n"
        "kg is written in Python.\n",
        encoding="utf-8",
    )
    assert len(build.fix(load(cited))) == 3
    assert not build.check(load(cited)).failed


def test_words_that_changed_are_not_rewritten_and_the_nearest_are_named(cited: Path) -> None:
    before = (cited / CLAIMS).read_bytes()
    change(cited, "kg is written in Python", "kg was written in Python")
    assert build.fix(load(cited)) == ["passage/about-kg/48-73 is now 49-74, sentence 2"]
    assert (cited / CLAIMS).read_bytes() != before
    messages = [f.message for f in build.check(load(cited)).findings if f.severity == "error"]
    assert any('its words were changed; nearest: "kg was written in Python." at 11-36' in m for m in messages), messages
    assert any("the quote 'kg is written in Python' does not stand" in m for m in messages)
    assert any(m.startswith("wrong fingerprint: the text of about-kg") for m in messages), "the encoder decides"


def test_words_that_stand_twice_now_are_left_to_the_encoder(cited: Path) -> None:
    change(cited, "kg is written in Python.", "So. kg is written in Python. And kg is written in Python.")
    done = build.fix(load(cited))
    assert not any("11-34" in line for line in done)
    messages = " ".join(f.message for f in build.check(load(cited)).findings)
    assert "they moved to 15-38 or 44-67" in messages


def test_sources_that_cannot_be_read_are_not_rewritten(cited: Path) -> None:
    change(cited, "kg is written", "First of all. kg is written")
    with (cited / CLAIMS).open("a") as file:
        file.write("claim:9 {")
    before = (cited / CLAIMS).read_bytes()
    assert build.fix(load(cited)) == []
    assert (cited / CLAIMS).read_bytes() == before
