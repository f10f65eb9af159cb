"""Every other IRI of the release: nameless nodes, named graphs, and whatever else stands under the base.

This comes last: it answers only for IRIs that occur in the release, and is the 404 of everything else.
"""

from __future__ import annotations

from itertools import islice

from flask import Blueprint, Response
from pyoxigraph import NamedNode

from kg.site.answers.address import find, here, raw_path
from kg.site.answers.links import data_path, paths
from kg.site.answers.respond import Page, answer, not_found
from kg.site.data import describe
from kg.site.languages import marked
from kg.site.lookups.state import Site, current
from kg.site.pages.claims import sentences
from kg.site.pages.things import thing_html
from kg.site.templating import render

bp = Blueprint("anything", __name__)

MOST = 1_000
"""Triples of a named graph that a page shows."""


@bp.get("/graph/<path:name>")
def graph(name: str) -> Response:
    """A named graph that is no claim."""
    site = current()
    found = find(site, raw_path()[1:])
    if found is None:
        raise not_found(marked("This release has no graph {name}."), name=name)
    iri, extension = found
    local = site.names.local(iri) or ""
    page = Page(
        iri=iri,
        address=paths(local),
        html=lambda: _graph_html(site, iri, local),
        data=lambda format_: describe.graph(site, iri, graphs=format_.quads).serialise(format_),
    )
    return answer(page, extension)


@bp.get("/<path:name>")
def anything(name: str) -> Response:
    """Whatever else the release speaks of under its base."""
    site = current()
    found = find(site, raw_path()[1:])
    if found is None:
        raise not_found(marked("This release has no page /{name}."), name=name[:200])
    iri, extension = found
    local = site.names.local(iri) or ""
    page = Page(
        iri=iri,
        address=paths(local),
        html=lambda: thing_html(site, iri),
        data=lambda format_: describe.thing(site, iri, graphs=format_.quads).serialise(format_),
        profiled=not site.foreign,
    )
    return answer(page, extension)


def _graph_html(site: Site, iri: str, local: str) -> str:
    root = here()
    linker = site.linker(root)
    quads = list(islice(site.store.quads(None, None, None, NamedNode(iri)), MOST + 1))
    lines = []
    for q in sorted(quads[:MOST], key=str):
        says = [linker.says(source) for source in site.evidence.of(q)]
        lines += [(sentence, says) for sentence in sentences(site, linker, [q])]
    return render(
        "graph.html",
        root=root,
        iri=iri,
        title=site.labels[iri],
        lines=lines,
        more=len(quads) > MOST,
        address=lambda extension: root + data_path(local, extension),
    )
