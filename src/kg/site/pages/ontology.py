"""``/ontology``, ``/ontology/MODULE``: the vocabulary in one document, for people, for paper, and as RDF.

``/ontology`` has every term of the release; a module has its own. Each term has an anchor there, to which its IRI
leads, and a page of its own (:mod:`kg.site.pages.term`). The RDF is what the release says of these terms.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from flask import Blueprint, Response
from markupsafe import Markup
from pyoxigraph import DefaultGraph, NamedNode, Quad

from kg import vocab
from kg.site.answers.address import EXTENSIONS, FORMAT, here, raw_path, spellings
from kg.site.answers.links import data_path
from kg.site.answers.respond import Page, answer, not_found
from kg.site.components import constraints
from kg.site.components.nodes import Linker
from kg.site.components.rows import Row, rows_of
from kg.site.data import describe
from kg.site.languages import marked
from kg.site.lookups.state import Site, current
from kg.site.pages.classes import has_instances
from kg.site.pages.term import MEANINGS, meaning
from kg.site.templating import render

bp = Blueprint("ontology", __name__)

HEADINGS = (
    "Ontologies",
    "Classes",
    "Properties",
    "Concepts and individuals",
    "Terms of other vocabularies",
    "Versions",
)
"""As :meth:`kg.site.lookups.schema.Schema.kind` gives them."""

_DEFAULT = DefaultGraph()


class Term(NamedTuple):
    """A term in the document: ``page`` leads to its own, ``instances`` to those of a class that has any.

    ``shapes``: in words, what is checked of it.
    """

    anchor: str
    iri: str
    page: str
    label: Markup
    meaning: Markup | str
    rows: tuple[Row, ...]
    below: tuple[Markup, ...]
    shapes: tuple[constraints.Shape, ...]
    instances: str


@bp.get("/ontology")
@bp.get(f"/ontology.{FORMAT}")
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
    raise not_found(marked("This release has no ontology module {name}."), name=name)


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
    site.local.expect((iri, *terms))
    groups: dict[str, list[Term]] = defaultdict(list)
    for term in sorted(terms, key=lambda t: site.labels[t].key):
        if term != iri:
            groups[site.schema.kind(term)].append(_term(site, linker, term))
    return render(
        "ontology.html",
        root=root,
        iri=iri,
        title=site.labels[iri],
        meaning=meaning(site, linker, iri),
        rows=rows_of(site, linker, _described(site, iri)),
        groups=[(site.language.gettext(heading), groups[heading]) for heading in HEADINGS if heading in groups],
        count=len(terms),
        address=lambda extension: root + data_path(local, extension),
    )


def _term(site: Site, linker: Linker, iri: str) -> Term:
    local = site.names.local(iri)
    anchor = local.partition("#")[2] if local is not None else ""
    kind = site.schema.kind(iri)
    below = sorted(site.schema.children.get(iri, ()), key=lambda t: site.labels[t].key)
    return Term(
        anchor=anchor or site.labels.curie(iri) or iri,
        iri=iri,
        page=linker.term_href(iri) if site.schema.is_term(iri) else "",
        label=site.labels[iri].html,
        meaning=meaning(site, linker, iri),
        rows=rows_of(site, linker, _described(site, iri)),
        below=tuple(linker.term(t) for t in below),
        shapes=tuple(constraints.about(site, linker, iri)) if site.schema.is_term(iri) else (),
        instances=linker.class_href(iri) if kind != "Properties" and has_instances(site, iri) else "",
    )


def _described(site: Site, iri: str) -> list[Quad]:
    """What is said of a term, besides what it means and where it is defined."""
    hidden = {*MEANINGS[:3], vocab.RDFS + "isDefinedBy"}
    quads = site.local.quads(NamedNode(iri), None, None, _DEFAULT)
    return [q for q in quads if q.predicate.value not in hidden]
