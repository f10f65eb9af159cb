"""``/claim/DOC/N``: what is claimed, in words and as RDF, where it stands, who says it, and what was checked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from flask import Blueprint, Response
from markupsafe import Markup
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad

from kg import media, vocab
from kg.model import value_of
from kg.site.answers.address import find, here, raw_path
from kg.site.answers.links import anchor, data_path, page_path, paths
from kg.site.answers.respond import Page, answer, not_found
from kg.site.components import compared
from kg.site.components.checks import checks
from kg.site.components.citation import cite, report_link
from kg.site.components.nodes import Linker, place, sort_key
from kg.site.components.rows import plain, types_of
from kg.site.data import describe
from kg.site.languages import marked
from kg.site.lookups.evidence import Source, Span
from kg.site.lookups.labels import shorten
from kg.site.lookups.schema import UNSHAPED, Shown
from kg.site.lookups.state import Site, current
from kg.site.lookups.texts import Excerpt, excerpt, parsed
from kg.site.pages.term import meaning
from kg.site.templating import render

bp = Blueprint("claims", __name__)

MOST_ASIDES = 10
"""Other claims on the same that a claim's page lists; the comparison has all of them."""

MOST_SENTENCES = 200
"""Triples of a claim that its page reads out; the data formats have all of them."""

LONGEST_RDF = 20_000
"""Characters of a claim's graph that its page shows."""

_NOTE = vocab.SKOS + "changeNote"
_CREATED = vocab.DCTERMS + "created"
_SHOWN_ALREADY = (
    *("speaker", "modality", "basis", "reviewedBy", "reviewedOn", "reviewedContent"),
    *("disagreesWith", "corroborates"),
)


class PassageInContext(NamedTuple):
    """A passage in its place: the sentences around its own, and where the document's page has it."""

    excerpt: Excerpt
    before: str
    after: str
    href: str


class Done(NamedTuple):
    """Who did something, and when; either may be unknown."""

    by: tuple[Markup, ...]
    on: str


class Aside(NamedTuple):
    """What other claims say of the same: ``independent`` counts documents, 0 where they differ."""

    title: Markup
    independent: int
    claims: tuple[tuple[Markup, Markup], ...]


class Sentence(NamedTuple):
    """A triple to read from left to right."""

    subject: Markup
    predicate: Markup
    object: Markup


@bp.get("/claim/<path:name>")
def claim(name: str) -> Response:
    """The page of a claim, or its data: its graph, its description, its passages."""
    site = current()
    found = find(site, raw_path()[1:])
    withdrawn = found is not None and _is_withdrawn(site, found[0])
    source = site.evidence.claim(found[0]) if found and not withdrawn else None
    if found is None or (source is None and not withdrawn):
        raise not_found(marked("This release has no claim {name}."), name=name)
    iri, extension = found
    local = site.names.local(iri) or ""
    page = Page(
        iri=iri,
        address=paths(local),
        html=lambda: _html(site, source) if source else _withdrawn_html(site, iri),
        data=lambda format_: describe.claim(site, iri, graphs=format_.quads).serialise(format_),
        profiled=source is not None,
    )
    response = answer(page, extension)
    if source is None and response.status_code == 200:
        # Gone, with a stone that says what stood here (RFC 9110, section 15.5.11).
        response.status_code = 410
    return response


def _is_withdrawn(site: Site, iri: str) -> bool:
    kind = NamedNode(site.names.kg + "WithdrawnClaim")
    return next(iter(site.store.quads(NamedNode(iri), NamedNode(vocab.RDF_TYPE), kind)), None) is not None


def _withdrawn_html(site: Site, iri: str) -> str:
    root = here()
    return render(
        "withdrawn.html",
        root=root,
        iri=iri,
        gloss=site.labels[iri],
        rows=plain(site, site.linker(root), iri, without=frozenset({vocab.RDF_TYPE})),
        history="history/" + page_path(site.names.local(iri) or ""),
    )


def _html(site: Site, source: Source) -> str:
    root = here()
    linker = site.linker(root)
    local = site.names.local(source.iri) or ""
    graph = sorted(site.store.quads(None, None, None, NamedNode(source.iri)), key=str)
    order = site.evidence.of_document(source.document)
    at = order.index(source.iri)
    kg = site.names.kg
    shown = {kg + name for name in _SHOWN_ALREADY}
    shown |= {vocab.RDF_TYPE, vocab.OA_HAS_TARGET, vocab.DCTERMS_CREATOR, _CREATED, vocab.PROV_PRIMARY_SOURCE, _NOTE}
    return render(
        "claim.html",
        root=root,
        history="history/" + page_path(local),
        source=source,
        gloss=site.labels[source.iri],
        summary=_summary(site, source),
        document=linker.link(site.names.document(source.document)),
        sentences=sentences(site, linker, graph),
        more=max(0, len(graph) - MOST_SENTENCES),
        said_in=_said_in(site, source),
        later=[linker.link(newer) for newer in site.evidence.later(source.document)],
        definitions={iri: meaning(site, linker, iri) for iri in (source.modality, source.basis) if iri},
        passages=[_passage(site, linker, span) for span in source.spans],
        corrections=_notes(site, linker, source.iri),
        encoded=_done(site, linker, source.iri, vocab.DCTERMS_CREATOR, _CREATED),
        reviewed=_done(site, linker, source.iri, kg + "reviewedBy", kg + "reviewedOn") if source.reviewed else None,
        asides=_asides(site, linker, source, graph),
        checks=checks(site, source.iri, graph),
        citation=cite(site, source),
        report=report_link(site, source),
        rdf=rdf(site, graph),
        rows=plain(site, linker, source.iri, without=frozenset(shown)),
        number=at + 1,
        count=len(order),
        before=order[at - 1] if at else None,
        after=order[at + 1] if at + 1 < len(order) else None,
        address=lambda extension: root + data_path(local, extension),
    )


def _summary(site: Site, source: Source) -> str:
    """What stands beside a link to it: the line of evidence, as text."""
    labels = site.labels
    document = labels[site.names.document(source.document)].text
    where = ", ".join([document, *(place(span, site.language) for span in source.spans[:1])])
    return " · ".join([*(labels[iri].text for iri in (source.modality, source.basis, source.speaker)), where])


def _passage(site: Site, linker: Linker, span: Span) -> PassageInContext:
    """A passage with the sentences before and after its own in its paragraph, where the text may be shown."""
    found = parsed(site.release, span.document)
    sentence = found.sentence_at(span.start, span.end) if found else None
    if found is None or sentence is None:
        return PassageInContext(excerpt(site, span), "", "", "")
    near = {s.number: found.content[s.start : s.end] for s in found.sentences if s.paragraph == sentence.paragraph}
    return PassageInContext(
        excerpt(site, span),
        near.get(sentence.number - 1, ""),
        near.get(sentence.number + 1, ""),
        f"{linker.href(site.names.document(span.document))}#s{sentence.number}",
    )


def _notes(site: Site, linker: Linker, iri: str) -> list[Markup]:
    """What was corrected in a claim, and why."""
    quads = site.store.quads(NamedNode(iri), NamedNode(_NOTE), None, DefaultGraph())
    return [linker.node(value) for value in sorted((q.object for q in quads if isinstance(q.object, Literal)), key=str)]


def _done(site: Site, linker: Linker, iri: str, by: str, on: str) -> Done:
    def values(predicate: str) -> list[str]:
        quads = site.store.quads(NamedNode(iri), NamedNode(predicate), None, DefaultGraph())
        return sorted(q.object.value for q in quads if isinstance(q.object, NamedNode | Literal))

    return Done(tuple(map(linker.link, values(by))), next(iter(values(on)), ""))


def _asides(site: Site, linker: Linker, source: Source, graph: list[Quad]) -> list[Aside]:
    quads = site.store.quads(None, NamedNode(site.names.kg + "compares"), NamedNode(source.iri), DefaultGraph())
    sides = (compared.read(site, iri) for iri in sorted(value_of(q.subject) for q in quads))
    found = []
    for side in filter(None, sides):
        alike = {
            other.iri
            for q in graph
            if (value_of(q.subject), q.predicate.value) == (side.subject, side.predicate)
            for other in site.evidence.of(q)
        }
        # Those that differ are all but those that say the same; those that agree are all but this one.
        others = [iri for iri in side.claims if iri != source.iri and (side.independent or iri not in alike)]
        if others:
            claims = site.evidence.claims(others[:MOST_ASIDES])
            lines = tuple((linker.claim(s), linker.says(s)) for s in claims)
            href = linker.prefix + page_path(site.names.local(side.iri) or "")
            found.append(Aside(anchor(href, compared.title(site, side).html), side.independent, lines))
    return found


def sentences(site: Site, linker: Linker, graph: list[Quad]) -> list[Sentence]:
    """The first triples of a graph in reading order: each subject's type first, what hangs from it after."""
    by_subject: dict[str, list[Quad]] = defaultdict(list)
    for q in graph:
        if isinstance(q.subject, NamedNode):
            by_subject[q.subject.value].append(q)
    values = {q.object.value for q in graph if isinstance(q.object, NamedNode)}
    # A subject that is nobody's value begins the sentence.
    subjects = sorted(by_subject, key=lambda iri: (iri in values, site.labels[iri].key, iri))
    found = []
    for iri in subjects:
        quads = by_subject[iri]
        order = site.schema.order(types_of(quads))
        for q in sorted(quads, key=lambda q, order=order: _place(site, q, order)):  # type: ignore[misc]
            value = q.object
            if not isinstance(value, NamedNode | Literal):
                continue
            is_type = q.predicate.value == vocab.RDF_TYPE and isinstance(value, NamedNode)
            html = linker.kind(value.value) if is_type and isinstance(value, NamedNode) else linker.node(value)
            found.append(Sentence(linker.link(iri), linker.term(q.predicate.value), html))
        if len(found) >= MOST_SENTENCES:
            break
    return found[:MOST_SENTENCES]


def _place(site: Site, q: Quad, order: Mapping[str, Shown]) -> tuple[object, ...]:
    predicate, value = q.predicate.value, q.object
    rank = order.get(predicate, UNSHAPED)
    last = sort_key(value, site.labels) if isinstance(value, NamedNode | Literal) else (3, 0.0, "")
    return predicate != vocab.RDF_TYPE, rank, predicate, last


def rdf(site: Site, graph: list[Quad]) -> str:
    """A claim's graph as TriG, without the prefix declarations that its download has, as far as a page shows it."""
    text = media.serialise(graph[:MOST_SENTENCES], media.RDF_BY_EXTENSION["trig"], site.prefixes).decode()
    lines = (line for line in text.splitlines() if not line.startswith("@prefix"))
    return shorten("\n".join(lines).replace("\t", "    "), LONGEST_RDF)


def _said_in(site: Site, source: Source) -> list[Source]:
    """The claims that say that this was said: those whose graphs have this claim as a value."""
    quads = site.store.quads(None, None, NamedNode(source.iri))
    return site.evidence.claims({q.graph_name.value for q in quads if isinstance(q.graph_name, NamedNode)})
