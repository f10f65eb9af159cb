"""``/document/NAME`` and ``/passage/DOC/A-B``: the sources, with the words where they may be shown.

Of a text that may not be shown a page has the skeleton: which claim stands in which paragraph and sentence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import NamedTuple

from flask import Blueprint, Response
from markupsafe import Markup
from pyoxigraph import DefaultGraph, NamedNode

from kg import text, vocab
from kg.site.answers.address import find, here, raw_path
from kg.site.answers.links import data_path, page_path, paths
from kg.site.answers.respond import Page, answer, not_found
from kg.site.components.nodes import Linker
from kg.site.components.rows import plain
from kg.site.data import describe
from kg.site.languages import marked
from kg.site.lookups.evidence import Source, Span
from kg.site.lookups.state import Site, current
from kg.site.lookups.texts import excerpt, lang, parsed
from kg.site.templating import render

bp = Blueprint("documents", __name__)

MOST_CLAIMS = 2_000
"""Claims that a document's page lists."""


class Piece(NamedTuple):
    """A run of a sentence; ``href`` leads to the shortest passage over it, if there is one. ``depth``: how many are."""

    text: str
    href: str
    depth: int


class Block(NamedTuple):
    """A paragraph: its sentences (number, pieces) where they may be shown, and its claims (gloss, evidence line)."""

    number: int | None
    sentences: tuple[tuple[int, tuple[Piece, ...]], ...]
    claims: tuple[tuple[Markup, Markup], ...]


@bp.get("/document/<path:name>")
def document(name: str) -> Response:
    """The page of a document, or the data about it."""
    site = current()
    iri, extension = _found(site, marked("This release has no document {name}."), name)
    return answer(_page(site, iri, lambda: _document_html(site, iri)), extension)


@bp.get("/passage/<path:name>")
def passage(name: str) -> Response:
    """The page of a passage, or the data about it."""
    site = current()
    iri, extension = _found(site, marked("This release has no passage {name}."), name)
    return answer(_page(site, iri, lambda: _passage_html(site, iri)), extension)


def _found(site: Site, missing: str, name: str) -> tuple[str, str | None]:
    found = find(site, raw_path()[1:])
    if found is None:
        raise not_found(missing, name=name)
    return found


def _page(site: Site, iri: str, html: Callable[[], str]) -> Page:
    local = site.names.local(iri) or ""
    return Page(
        iri=iri,
        address=paths(local),
        html=html,
        data=lambda format_: describe.thing(site, iri, graphs=format_.quads).serialise(format_),
        profiled=True,
    )


def _document_html(site: Site, iri: str) -> str:
    root = here()
    linker = site.linker(root)
    local = site.names.local(iri) or ""
    name = local.removeprefix("document/")
    order = site.evidence.of_document(name)
    sources = [s for c in order[:MOST_CLAIMS] if (s := site.evidence.claim(c)) is not None]
    found = parsed(site.release, name)
    return render(
        "document.html",
        root=root,
        iri=iri,
        name=name,
        title=site.labels[iri],
        summary=" ".join(site.labels.of(s.iri, s.glosses).text for s in sources[:3]),
        others=site.labels.all(iri)[1:],
        rows=plain(site, linker, iri),
        later=[linker.link(newer) for newer in site.evidence.later(name)],
        coverage=site.release.report["documents"].get(name),
        shown=found is not None,
        lang=lang(site, name),
        spans=() if found else sorted({span for s in sources for span in s.spans}, key=lambda s: (s.start, s.end)),
        blocks=_shown(linker, found, sources) if found else _skeleton(linker, sources),
        count=len(order),
        more=max(0, len(order) - MOST_CLAIMS),
        address=lambda extension: root + data_path(local, extension),
        history="history/" + page_path(local),
    )


def _line(linker: Linker, source: Source) -> tuple[Markup, Markup]:
    return linker.link(source.iri), linker.says(source)


def _skeleton(linker: Linker, sources: Iterable[Source]) -> list[Block]:
    """Claims by paragraph."""
    paragraphs: dict[int | None, list[Source]] = defaultdict(list)
    for source in sources:
        paragraphs[source.spans[0].paragraph if source.spans else None].append(source)
    numbered = sorted(paragraphs, key=lambda n: (n is None, n or 0))
    return [Block(n, (), tuple(_line(linker, s) for s in paragraphs[n])) for n in numbered]


def _shown(linker: Linker, found: text.Text, sources: list[Source]) -> list[Block]:
    """The text by paragraph, its passages marked, with the claims that rest on it."""
    spans = sorted({span for source in sources for span in source.spans}, key=lambda s: (s.start, s.end))
    by_sentence: dict[int, list[Span]] = defaultdict(list)
    claims: dict[int, list[Source]] = defaultdict(list)
    for span in spans:
        for sentence in found.sentences:
            if span.start < sentence.end and sentence.start < span.end:
                by_sentence[sentence.number].append(span)
    for source in sources:
        at = found.sentence_at(source.spans[0].start, source.spans[0].end) if source.spans else None
        claims[at.paragraph if at else 0].append(source)
    paragraphs: dict[int, list[tuple[int, tuple[Piece, ...]]]] = defaultdict(list)
    for sentence in found.sentences:
        cut = tuple(pieces(found.content, sentence.start, sentence.end, by_sentence[sentence.number], linker))
        paragraphs[sentence.paragraph].append((sentence.number, cut))
    return [
        Block(number, tuple(sentences), tuple(_line(linker, s) for s in claims[number]))
        for number, sentences in paragraphs.items()
    ]


def pieces(content: str, start: int, end: int, spans: list[Span], linker: Linker) -> Iterable[Piece]:
    """Cut a sentence where passages begin and end; overlapping ones give pieces of their own."""
    cuts = {start, end} | {p for s in spans for p in (s.start, s.end) if start < p < end}
    ordered = sorted(cuts)
    for left, right in pairwise(ordered):
        over = [s for s in spans if s.start <= left and right <= s.end]
        shortest = min(over, key=lambda s: s.end - s.start, default=None)
        yield Piece(content[left:right], (linker.href(shortest.iri) or "") if shortest else "", len(over))


def _passage_html(site: Site, iri: str) -> str:
    root = here()
    linker = site.linker(root)
    local = site.names.local(iri) or ""
    span = site.evidence.span(iri)
    targets = site.local.quads(None, NamedNode(vocab.OA_HAS_TARGET), NamedNode(iri), DefaultGraph())
    found = site.evidence.claims(q.subject.value for q in targets if isinstance(q.subject, NamedNode))
    return render(
        "passage.html",
        root=root,
        iri=iri,
        span=span,
        excerpt=excerpt(site, span),
        document=linker.link(site.names.document(span.document)),
        claims=[_line(linker, s) for s in found],
        rows=plain(site, linker, iri),
        address=lambda extension: root + data_path(local, extension),
    )
