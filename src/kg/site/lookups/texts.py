"""The documents' texts, where they may be shown: parsed once, and passages cut out of them."""

from __future__ import annotations

import re
import threading
from typing import NamedTuple

from markupsafe import Markup
from pyoxigraph import DefaultGraph, NamedNode

from kg import text, vocab
from kg.model import value_of
from kg.release import Release
from kg.site.lookups.evidence import Span
from kg.site.lookups.memo import per_site
from kg.site.lookups.state import Site


class Excerpt(NamedTuple):
    """A passage in its sentence; ``words`` is empty where the text may not be shown. ``lang``: an attribute for it."""

    span: Span
    before: str
    words: str
    after: str
    lang: Markup = Markup("")


ROOM = 8 * 2**20
"""Characters of documents that are kept parsed; each takes about ten bytes."""


class _Kept:
    """Texts by release and name, the oldest forgotten first. Thread-safe."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._size = 0
        self._texts: dict[tuple[Release, str], tuple[text.Text | None]] = {}
        self._lock = threading.Lock()

    def get(self, release: Release, name: str) -> text.Text | None:
        key = release, name
        kept = self._texts.get(key)
        if kept is not None:
            return kept[0]
        raw = release.document_text(name)
        found = None if raw is None else text.parse(raw)
        with self._lock:
            if key not in self._texts:
                self._texts[key] = (found,)
                self._size += _size(found)
            while self._size > self._room and len(self._texts) > 1:
                self._size -= _size(self._texts.pop(next(iter(self._texts)))[0])
        return found


def _size(found: text.Text | None) -> int:
    return 100 + (len(found.content) if found else 0)


_kept = _Kept(ROOM)


def parsed(release: Release, name: str) -> text.Text | None:
    """A document's text, if it may be shown."""
    return _kept.get(release, name)


def excerpt(site: Site, span: Span) -> Excerpt:
    """The passage with the rest of its sentence."""
    found = parsed(site.release, span.document)
    if found is None or span.end > len(found.content):
        return Excerpt(span, "", "", "")
    sentence = found.sentence_at(span.start, span.end)
    start, end = (sentence.start, sentence.end) if sentence else (span.start, span.end)
    content = found.content
    parts = content[start : span.start], content[span.start : span.end], content[span.end : end]
    return Excerpt(span, *parts, lang(site, span.document))


@per_site(1024)
def lang(site: Site, name: str) -> Markup:
    """The language of a document's text as an attribute: what its description says, else that of the release."""
    node, language = NamedNode(site.names.document(name)), NamedNode(vocab.DCTERMS + "language")
    said = min((value_of(q.object) for q in site.local.quads(node, language, None, DefaultGraph())), default="")
    # A tag as a literal, or the address of a language, whose last part is its code.
    code = said.rstrip("/").rpartition("/")[2]
    return Markup(' lang="{}"').format(
        code if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]+)*", code) else site.config.language
    )
