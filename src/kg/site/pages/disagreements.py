"""``/disagreements``, ``/corroborations``: where sources differ, where they agree; ``/comparison/X``: one such case."""

from __future__ import annotations

from typing import NamedTuple

from flask import Blueprint, Response
from markupsafe import Markup
from pyoxigraph import DefaultGraph, NamedNode

from kg import vocab
from kg.model import value_of
from kg.site.answers.address import FORMAT, find, here, raw_path
from kg.site.answers.links import data_path, page_path, paths
from kg.site.answers.respond import Page, answer, not_found
from kg.site.components.compared import Compared, is_comparison, read, title
from kg.site.components.nodes import Linker, sort_key
from kg.site.components.paging import paged
from kg.site.data import describe
from kg.site.languages import marked
from kg.site.lookups.labels import Label
from kg.site.lookups.memo import per_site
from kg.site.lookups.state import Site, current
from kg.site.templating import render

bp = Blueprint("disagreements", __name__)

TITLES = {
    "disagreements": (
        "Disagreement",
        marked("Where sources differ"),
        marked("Claims that give different values of a property that can have only one. None of them is preferred."),
    ),
    "corroborations": (
        "Corroboration",
        marked("Where sources agree"),
        marked(
            "What independent documents state alike, each in its own voice. "
            "Those that derive from one another count once."
        ),
    ),
}
"""Path → class, title and what it means."""


MOST_CLAIMS = 3
"""Claims that a list names for each value; the page of the comparison has all of them."""


class Side(NamedTuple):
    """A value, and who gives it; ``more``: how many claims besides."""

    value: Markup
    evidence: Markup
    more: int


class Shown(NamedTuple):
    """A comparison on a page, which is at ``href``. ``independent`` counts documents, 0 for a disagreement."""

    href: str
    title: Label
    subject: Markup
    property: Markup
    sides: tuple[Side, ...]
    independent: int


@bp.get("/<any(disagreements,corroborations):name>")
@bp.get(f"/<any(disagreements,corroborations):name>.{FORMAT}")
def listing(name: str, extension: str | None = None) -> Response:
    """One page of a list."""
    site = current()
    found = paged(_members(site, TITLES[name][0]))
    page = Page(
        iri=site.base + name,
        address=lambda extension: found.address(f"{name}.{extension}" if extension else name),
        html=lambda: render(
            "compared.html",
            name=name,
            title=site.language.gettext(TITLES[name][1]),
            lead=site.language.gettext(TITLES[name][2]),
            list=found,
            items=[
                _shown(site, site.linker(here()), c, MOST_CLAIMS)
                for iri in found.items
                if (c := read(site, iri, ordered=False))
            ],
            address=lambda extension: here() + found.address(f"{name}.{extension}"),
        ),
        data=lambda format_: _data(site, tuple(found.items), graphs=format_.quads).serialise(format_),
    )
    return answer(page, extension)


@bp.get("/comparison/<path:name>")
def comparison(name: str) -> Response:
    """The page of a comparison, or the data about it."""
    site = current()
    found = find(site, raw_path()[1:])
    compared = read(site, found[0]) if found else None
    if found is None or compared is None:
        raise not_found(marked("This release has no comparison {name}."), name=name)
    iri, extension = found
    local = site.names.local(iri) or ""
    page = Page(
        iri=iri,
        address=paths(local),
        html=lambda: render(
            "comparison.html",
            iri=iri,
            item=_shown(site, site.linker(here()), compared),
            address=lambda extension: here() + data_path(local, extension),
        ),
        data=lambda format_: _data(site, (iri,), graphs=format_.quads).serialise(format_),
    )
    return answer(page, extension)


@per_site(8)
def _members(site: Site, kind: str) -> tuple[str, ...]:
    nodes = site.local.quads(None, NamedNode(vocab.RDF_TYPE), NamedNode(site.names.kg + kind), DefaultGraph())
    found = {value_of(q.subject) for q in nodes}
    return tuple(
        sorted((iri for iri in found if is_comparison(site, iri)), key=lambda iri: (site.labels[iri].key, iri))
    )


def _shown(site: Site, linker: Linker, compared: Compared, most: int | None = None) -> Shown:
    """``most``: how many claims of a value are shown, the first by IRI; ``None`` for all, the strongest first."""
    subject, predicate = NamedNode(compared.subject), NamedNode(compared.predicate)
    sides, among = [], set(compared.claims)
    for value in sorted(compared.values, key=lambda v: sort_key(v, site.labels)):
        graphs = {value_of(q.graph_name) for q in site.local.quads(subject, predicate, value)} & among
        sources = site.evidence.claims(sorted(graphs)[:most])
        sides.append(Side(linker.node(value), linker.evidence(sources, whole=True), len(graphs) - len(sources)))
    return Shown(
        linker.prefix + page_path(site.names.local(compared.iri) or ""),
        title(site, compared),
        linker.link(compared.subject),
        linker.term(compared.predicate),
        tuple(sides),
        compared.independent,
    )


def _data(site: Site, iris: tuple[str, ...], *, graphs: bool) -> describe.Description:
    """The comparisons, with the claims that they compare where a format can carry them."""
    found = describe.terms(site, iris, graphs=graphs)
    for iri in iris if graphs else ():
        compared = read(site, iri)
        for claim in compared.claims if compared else ():
            found.graph(claim)
    found.sources()
    found.names()
    return found
