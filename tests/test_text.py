"""Normalised text, sentences and fingerprints, by vectors that another implementation can run as well."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg import text
from kg.errors import PassageError

FIXTURE = json.loads((Path(__file__).parent / "fixtures/text-vectors.json").read_text(encoding="utf-8"))
VECTORS = FIXTURE["vectors"]
REPORT = Path(__file__).resolve().parents[2] / "shared/source/us-army-iraq-bases.txt"

signs = [*text.WHITE_SPACE, *text.TERMINATORS, *"".join(text.WIDE_BRACKETS), *"U.S[]()#\"'3\u201e\u201c"]
anything = st.text(st.one_of(st.characters(), st.sampled_from(signs)))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_a_vector_gives_its_text_sentences_and_fingerprints(vector) -> None:
    parsed = text.parse(vector["raw"])
    assert parsed.content == vector["content"]
    assert parsed.sha256 == vector["sha256"]
    found = [[s.paragraph, s.number, parsed.content[s.start : s.end]] for s in parsed.sentences]
    assert found == vector["sentences"]
    for span in vector["spans"]:
        assert parsed.find(span["words"]) == (span["start"], span["end"])
        assert text.sha256(span["words"]) == span["sha256"]
        assert text.rolling_hash(span["words"]) == span["rolling_hash"]


def test_the_vectors_cover_every_white_space_and_nothing_else_is_white_space() -> None:
    assert sorted(map(ord, text.WHITE_SPACE)) == FIXTURE["white_space"]
    names = {vector["name"] for vector in VECTORS}
    assert all({f"white space U+{c:04X}", f"line end U+{c:04X}"} & names for c in FIXTURE["white_space"])


@given(anything)
def test_normalising_twice_changes_nothing(raw: str) -> None:
    once = text.normalise(raw)
    assert text.normalise(once) == once


@given(anything)
def test_the_text_is_that_of_all_paragraphs_and_sentences_fill_it(raw: str) -> None:
    parsed = text.parse(raw)
    at = 0
    for sentence in parsed.sentences:
        # Between two of them is a space, or nothing behind a stop that is written without one.
        assert parsed.content[at : sentence.start] == (" " if at and parsed.content[at] == " " else "")
        assert sentence.start < sentence.end
        at = sentence.end
    assert at == len(parsed.content)
    assert [s.number for s in parsed.sentences if s.number] == list(
        range(1, 1 + sum(s.number > 0 for s in parsed.sentences))
    )


@given(anything)
def test_without_a_title_parsing_only_normalises(raw: str) -> None:
    parsed = text.parse(raw)
    if not any(s.number == 0 for s in parsed.sentences) and "](" not in raw:
        assert parsed.content == text.normalise(raw)


@given(st.text(min_size=1), st.text())
def test_the_rolling_hash_of_a_span_follows_from_the_hashes_around_it(span: str, before: str) -> None:
    # What a browser relies on: the hash can be rolled along a text without looking at the span again.
    prefix = int(text.rolling_hash(before), 16)
    whole = int(text.rolling_hash(before + span), 16)
    rolled = (whole - prefix * pow(text.ROLLING_BASE, len(span), 2**32)) % 2**32
    assert format(rolled, "08x") == text.rolling_hash(span)


def test_words_that_stand_twice_or_never_are_refused_with_their_places() -> None:
    parsed = text.parse("Two by two. Two by two.")
    with pytest.raises(PassageError, match="stand 2 times in the document, at 0-10, 12-22: cite a few more"):
        parsed.find("Two by two")
    with pytest.raises(PassageError, match="do not stand in the document") as absent:
        parsed.find("three")
    assert absent.value.positions == ()
    with pytest.raises(PassageError, match="no words"):
        parsed.find(" \u3000")


def test_overlapping_occurrences_are_all_found() -> None:
    assert text.occurrences("aaaa", "aa") == (0, 1, 2)


def test_words_are_found_whatever_white_space_and_composition_they_are_asked_with() -> None:
    assert text.parse("Le caf\u00e9 noir.").find("cafe\u0301\n  noir") == (3, 12)


def test_a_long_text_is_read_in_linear_time() -> None:
    # Quadratic sentence splitting would take minutes here, and pytest's timeout would end it.
    parsed = text.parse("A. " * 200_000 + "[" * 50_000 + "(" * 50_000)
    assert len(parsed.content) > 600_000


def test_the_report_has_a_title_and_seventeen_sentences() -> None:
    if not REPORT.exists():
        pytest.skip("the report is not at hand: its text is not ours to republish")
    parsed = text.parse(REPORT.read_text(encoding="utf-8"))
    assert [s.number for s in parsed.sentences] == list(range(18))
    assert unicodedata.is_normalized("NFC", parsed.content)
    assert len(parsed.content) == 2744
