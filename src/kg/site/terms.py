"""``/ontology``, ``/ontology/MODULE``, ``/shapes``: the vocabulary and the rules, for people and as RDF.

``/ontology`` has every term of the release; a module has its own. Their RDF is what the release says of these terms.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from flask import Blueprint, Response
from markupsafe import Markup
from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad

from kg import media, vocab
from kg.site import describe
from kg.site.address import EXTENSIONS, here, raw_path, spellings
from kg.site.links import data_path
from kg.site.nodes import Linker
from kg.site.respond import Page, answer, not_found
from kg.site.rows import Row, rows_of
from kg.site.state import Site, current
from kg.site.templating import render

bp = Blueprint("terms", __name__)

HEADINGS = (
    "Ontologies",
    "Classes",
    "Properties",
    "Concepts and individuals",
    "Terms of other vocabularies",
    "Versions",
)
_MEANINGS = (vocab.SKOS_DEFINITION, vocab.RDFS_COMMENT, vocab.DCTERMS_DESCRIPTION)
_DEFAULT = DefaultGraph()


class Term(NamedTuple):
    """A term on the ontology page. ``used``: a class with instances has its own page."""

    anchor: str
    iri: str
    label: Markup
    meaning: Markup | str
    rows: tuple[Row, ...]
    below: tuple[Markup, ...]
    instances: str


@bp.get("/ontology")
@bp.get("/ontology.<any(html,ttl,nt,rdf,jsonld,trig,nq):extension>")
def ontology(extension: str | None = None) -> Response:
    """Every term, with an anchor for each."""
    site = current()
    return answer(_page(site, "ontology", site.names.ontology, sorted(site.schema.terms)), extension)


@bp.get("/ontology/<path:name>")
def module(name: str) -> Response:
    """One module's terms."""
    site = current()
    sent = raw_path()[1:]
    stem, _, extension = sent.rpartition(".")
    for local, wanted in ((sent, None), (stem, extension if extension in EXTENSIONS else "")):
        for spelling in spellings(local) if wanted != "" else ():
            iri = site.base + spelling
            terms = sorted(t for t in site.schema.terms if t == iri or t.startswith((iri + "#", iri + "/")))
            if terms:
                return answer(_page(site, spelling, iri, terms), wanted)
    raise not_found(f"ontology module {name}")


@bp.get("/shapes")
@bp.get("/shapes.<any(html,ttl,nt,rdf,jsonld,trig,nq):extension>")
def shapes(extension: str | None = None) -> Response:
    """The SHACL shapes that the data was checked with."""
    site = current()
    page = Page(
        iri=site.names.shapes,
        address=lambda extension: f"shapes.{extension}" if extension else "shapes",
        html=lambda: _shapes_html(site),
        data=lambda format_: _shapes_data(site, format_),
    )
    return answer(page, extension)


def _page(site: Site, local: str, iri: str, terms: list[str]) -> Page:
    return Page(
        iri=iri,
        address=lambda extension: data_path(local, extension) if extension else local,
        html=lambda: _html(site, local, iri, terms),
        data=lambda format_: describe.terms(site, [iri, *terms], graphs=format_.quads).serialise(format_),
    )


def _html(site: Site, local: str, iri: str, terms: list[str]) -> str:
    root = here()
    linker = site.linker(root)
    groups: dict[str, list[Term]] = defaultdict(list)
    for term in sorted(terms, key=lambda t: site.labels[t].key):
        if term != iri:
            groups[site.schema.kind(term)].append(_term(site, linker, term))
    return render(
        "ontology.html",
        root=root,
        iri=iri,
        title=site.labels[iri],
        meaning=_meaning(site, linker, iri),
        rows=rows_of(site, linker, _described(site, iri)),
        groups=[(heading, groups[heading]) for heading in HEADINGS if heading in groups],
        count=len(terms),
        address=lambda extension: root + data_path(local, extension),
    )


def _term(site: Site, linker: Linker, iri: str) -> Term:
    local = site.names.local(iri)
    anchor = local.partition("#")[2] if local is not None else ""
    node = NamedNode(iri)
    uses = site.store.quads(None, NamedNode(vocab.RDF_TYPE), node)
    kind = site.schema.kind(iri)
    below = sorted(site.schema.children.get(iri, ()), key=lambda t: site.labels[t].key)
    return Term(
        anchor=anchor or site.labels.curie(iri) or iri,
        iri=iri,
        label=site.labels[iri].html,
        meaning=_meaning(site, linker, iri),
        rows=rows_of(site, linker, _described(site, iri)),
        below=tuple(linker.term(t) for t in below),
        instances=linker.class_href(iri) if kind != "Properties" and next(iter(uses), None) else "",
    )


def _described(site: Site, iri: str) -> list[Quad]:
    """What is said of a term, besides what it means and where it is defined."""
    hidden = {*_MEANINGS, vocab.RDFS + "isDefinedBy"}
    quads = site.store.quads(NamedNode(iri), None, None, _DEFAULT)
    return [q for q in quads if q.predicate.value not in hidden]


def _meaning(site: Site, linker: Linker, iri: str) -> Markup | str:
    for predicate in _MEANINGS:
        for q in site.store.quads(NamedNode(iri), NamedNode(predicate), None, _DEFAULT):
            if isinstance(q.object, Literal):
                return linker.node(q.object)
    return ""


def _shapes_html(site: Site) -> str:
    root = here()
    linker = site.linker(root)
    by_subject: dict[NamedNode | BlankNode, list[Quad]] = defaultdict(list)
    for q in site.schema.shapes:
        if isinstance(q.subject, NamedNode | BlankNode):
            by_subject[q.subject].append(q)
    found = []
    for subject in sorted((s for s in by_subject if isinstance(s, NamedNode)), key=lambda s: s.value):
        anchor = (site.names.local(subject.value) or subject.value).removeprefix("shapes#")
        rows = [
            (linker.term(q.predicate.value), _nested(linker, q.object, by_subject, 0))
            for q in sorted(by_subject[subject], key=lambda q: (q.predicate.value, str(q.object)))
            if q.predicate.value != vocab.RDFS_LABEL
        ]
        labels = [q.object for q in by_subject[subject] if q.predicate.value == vocab.RDFS_LABEL]
        label = linker.node(labels[0]) if labels and isinstance(labels[0], Literal) else anchor
        found.append((anchor, subject.value, label, rows))
    return render("shapes.html", root=root, shapes=found, address=lambda extension: f"{root}shapes.{extension}")


def _nested(linker: Linker, node: object, by_subject: dict[NamedNode | BlankNode, list[Quad]], depth: int) -> Markup:
    """A value of a shape, with what hangs from it if it has no name."""
    if isinstance(node, BlankNode) and depth < 6:
        items = Markup("").join(
            Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(
                linker.term(q.predicate.value), _nested(linker, q.object, by_subject, depth + 1)
            )
            for q in sorted(by_subject.get(node, ()), key=lambda q: (q.predicate.value, str(q.object)))
        )
        return Markup('<dl class="parts">{}</dl>').format(items)
    return linker.node(node) if isinstance(node, NamedNode | BlankNode | Literal) else Markup("")


def _shapes_data(site: Site, format_: media.RdfMedia) -> bytes:
    return media.serialise((q.triple for q in site.schema.shapes), format_, site.prefixes)
