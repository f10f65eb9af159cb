"""The documents' texts, where they may be shown: parsed once, and passages cut out of them."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from kg import text
from kg.release import Release
from kg.site.evidence import Span
from kg.site.state import Site


class Excerpt(NamedTuple):
    """A passage in its sentence; ``words`` is empty where the text may not be shown."""

    span: Span
    before: str
    words: str
    after: str


@lru_cache(maxsize=16)
def parsed(release: Release, name: str) -> text.Text | None:
    """A document's text, if it may be shown."""
    raw = release.document_text(name)
    return None if raw is None else text.parse(raw)


def excerpt(site: Site, span: Span) -> Excerpt:
    """The passage with the rest of its sentence."""
    found = parsed(site.release, span.document)
    if found is None or span.end > len(found.content):
        return Excerpt(span, "", "", "")
    sentence = found.sentence_at(span.start, span.end)
    start, end = (sentence.start, sentence.end) if sentence else (span.start, span.end)
    content = found.content
    return Excerpt(span, content[start : span.start], content[span.start : span.end], content[span.end : end])
