"""The twin of ``kg.text`` in a real browser, held to the same vectors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page

from kg import text

ROOT = Path(__file__).resolve().parents[2]
FIXTURE = json.loads((ROOT / "tests/fixtures/text-vectors.json").read_text(encoding="utf-8"))

pytestmark = pytest.mark.browser


@pytest.fixture
def twin(tab: Page, web: str) -> Page:
    """A page in which ``window.twin`` is the module."""
    tab.goto(web + "favicon.svg")
    tab.evaluate(f"import('{web}lib/text.js').then((module) => {{ window.twin = module; }})")
    return tab


def test_every_vector_gives_its_text_sentences_and_hashes(twin: Page) -> None:
    answers = twin.evaluate(
        """(vectors) => vectors.map((vector) => {
            const { characters, sentences } = twin.parse(vector.raw);
            return {
                content: characters.join(""),
                sentences: sentences.map((s) => [s.paragraph, s.number, characters.slice(s.start, s.end).join("")]),
                spans: vector.spans.map((span) => [
                    characters.slice(span.start, span.end).join(""),
                    twin.rollingHash(characters.slice(span.start, span.end)).toString(16).padStart(8, "0"),
                ]),
            };
        })""",
        FIXTURE["vectors"],
    )
    for vector, answer in zip(FIXTURE["vectors"], answers, strict=True):
        assert answer == {
            "content": vector["content"],
            "sentences": vector["sentences"],
            "spans": [[span["words"], span["rolling_hash"]] for span in vector["spans"]],
        }, vector["name"]


def test_a_text_without_its_sentences_is_the_same_text(twin: Page) -> None:
    answers = twin.evaluate(
        """(vectors) => vectors.map(({ raw }) => {
            const { characters, starts } = twin.content(raw);
            return { content: characters.join(""), starts };
        })""",
        FIXTURE["vectors"],
    )
    for vector, answer in zip(FIXTURE["vectors"], answers, strict=True):
        assert answer["content"] == vector["content"], vector["name"]
        sentences = text.parse(vector["raw"]).sentences
        first = {sentence.paragraph: sentence.start for sentence in reversed(sentences)}
        assert answer["starts"] == sorted(first.values()), vector["name"]


def test_white_space_is_the_same_set(twin: Page) -> None:
    assert twin.evaluate("Array.from(twin.WHITE_SPACE, (c) => c.codePointAt(0))") == FIXTURE["white_space"]


def test_candidates_are_every_place_with_the_hash_and_no_other(twin: Page) -> None:
    content = "a\U0001f680ba\U0001f680b\u00e9" * 30
    found = twin.evaluate(
        """([content, length, hash]) => {
            const offsets = [];
            const codePoints = Uint32Array.from(content, (c) => c.codePointAt(0));
            twin.candidates(codePoints, length, new Set([parseInt(hash, 16)]), (_, at) => offsets.push(at));
            return offsets;
        }""",
        [content, 3, text.rolling_hash("a\U0001f680b")],
    )
    assert tuple(found) == text.occurrences(content, "a\U0001f680b")
    assert len(found) == 60
