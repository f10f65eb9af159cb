"""The documents' texts, where they may be shown: parsed once, and passages cut out of them."""

from __future__ import annotations

import re
from typing import NamedTuple

from markupsafe import Markup
from pyoxigraph import DefaultGraph, NamedNode

from kg import text, vocab
from kg.caches import Bounded
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


def _size(_key: tuple[Release, str], kept: tuple[text.Text | None]) -> int:
    (found,) = kept
    return 100 + (len(found.content) if found else 0)


_kept = Bounded[tuple[Release, str], tuple[text.Text | None]](ROOM, _size)


def parsed(release: Release, name: str) -> text.Text | None:
    """A document's text, if it may be shown."""
    kept = _kept.get((release, name))
    if kept is None:
        raw = release.document_text(name)
        kept = (None if raw is None else text.parse(raw),)
        _kept.put((release, name), kept)
    return kept[0]


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
