"""``/class/PREFIX:LOCAL``: the instances of a class, each with who says that it is one.

A class without a short name is at ``/class/?iri=…``. ``/class/`` lists the classes that have instances.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import islice
from urllib.parse import quote, unquote

from flask import Blueprint, Response, request
from markupsafe import Markup
from pyoxigraph import DefaultGraph, NamedNode

from kg import vocab
from kg.site.answers.address import EXTENSIONS, here, raw_path, spellings
from kg.site.answers.links import encode
from kg.site.answers.respond import Page, answer, html, not_found
from kg.site.components import columns
from kg.site.components.nodes import Linker
from kg.site.components.paging import Listing, paged
from kg.site.data import describe
from kg.site.languages import marked
from kg.site.lookups import index
from kg.site.lookups.memo import per_site
from kg.site.lookups.state import Site, current
from kg.site.templating import render

bp = Blueprint("classes", __name__)

MOST = 100_000
"""Instances of one class that are counted and sorted."""

_A = NamedNode(vocab.RDF_TYPE)


@bp.get("/class/<path:curie>")
@bp.get("/class/")
def instances(curie: str = "") -> Response:
    """One page of a class's instances."""
    site = current()
    if not curie and "iri" not in request.args:
        return html(lambda: _list(site))
    iri, address, extension = _class(site)
    members = _members(site, iri) if iri else ()
    if iri is None or (not members and not site.schema.knows(iri)):
        raise not_found(marked("This release has no class {name}."), name=curie or request.args.get("iri", ""))
    found, kind = paged(members), iri
    page = Page(
        iri=kind,
        address=lambda extension: found.address(f"{address}.{extension}" if extension else address),
        html=lambda: _html(site, kind, found),
        data=lambda format_: describe.instances(site, kind, found.items, graphs=format_.quads).serialise(format_),
    )
    return answer(page, extension)


@per_site()
def classes(site: Site) -> list[tuple[str, int]]:
    """Classes of things with the number of their instances in the default graph, the largest first."""
    counts: Mapping[str, int] | None = site.release.report.get("classes")
    if site.foreign:
        return list((counts or {}).items())
    if counts is None:  # built before the report had them
        counts = _looked_at(site)
    return sorted(counts.items(), key=lambda pair: (-pair[1], site.labels[pair[0]].key))


def _looked_at(site: Site) -> Mapping[str, int]:
    counts: Counter[str] = Counter()
    things = site.names.id
    for q in islice(site.local.quads(None, _A, None, DefaultGraph()), MOST * 10):
        if isinstance(q.object, NamedNode) and isinstance(q.subject, NamedNode) and q.subject.value.startswith(things):
            counts[q.object.value] += 1
    return counts


def _list(site: Site) -> str:
    root = here()
    linker = site.linker(root)
    return render("classes.html", root=root, classes=[(linker.kind(iri), count) for iri, count in classes(site)])


def _class(site: Site) -> tuple[str | None, str, str | None]:
    """The class that was asked for, its address here, and the extension."""
    sent = raw_path().removeprefix("/class/")
    if not sent:
        iri = request.args.get("iri", "")
        return iri or None, f"class/?iri={quote(iri, safe='')}", "html"
    stem, _, extension = sent.rpartition(".")
    for local, wanted in ((sent, None), (stem, extension)):
        for spelling in spellings(local):
            kind = site.labels.expand(spelling)
            if kind is None or (wanted is not None and wanted not in EXTENSIONS):
                continue
            if site.schema.knows(kind) or has_instances(site, kind):
                return kind, f"class/{encode(spelling)}", wanted
    return site.labels.expand(unquote(sent)), f"class/{sent}", None


def has_instances(site: Site, iri: str) -> bool:
    """Whether anything is, or is said to be, an instance of a class."""
    if site.foreign:
        return iri in site.release.report["classes"]
    try:
        return next(iter(site.local.quads(None, _A, NamedNode(iri))), None) is not None
    except ValueError:
        return False


@per_site(64)
def _members(site: Site, iri: str) -> tuple[str, ...]:
    """Instances of a class and of those below it, by label: also those that somebody only says are instances."""
    if site.foreign:
        return tuple(index.of_kind(site, site.schema.below(iri), MOST))
    members: set[str] = set()
    try:
        for kind in site.schema.below(iri):
            quads = islice(site.local.quads(None, _A, NamedNode(kind)), MOST)
            members.update(q.subject.value for q in quads if isinstance(q.subject, NamedNode))
    except ValueError:  # not an IRI
        return ()
    return tuple(sorted(members, key=lambda member: (site.labels[member].key, member)))


@per_site(64)
def _table(site: Site, iri: str) -> str:
    """The query that makes a table of a class; of somebody else's store, each look would be a question to it."""
    return "" if site.foreign else columns.query(site, iri, _members(site, iri))


def _item(site: Site, linker: Linker, member: str, iri: str, kinds: set[str]) -> tuple[Markup, list[Markup], Markup]:
    """An instance, which of the classes below ``iri`` it is said to be, and who says so."""
    types: set[str] = set()
    graphs: set[str] = set()
    if site.foreign:
        types.update(kinds.intersection(index.kinds(site, member)))
        return linker.link(member), [linker.kind(t) for t in sorted(types - {iri})], Markup("")
    for q in site.local.quads(NamedNode(member), _A):
        if isinstance(q.object, NamedNode) and q.object.value in kinds:
            types.add(q.object.value)
            if isinstance(q.graph_name, NamedNode):
                graphs.add(q.graph_name.value)
    evidence = linker.evidence(site.evidence.claims(graphs)[:3])
    return linker.link(member), [linker.kind(t) for t in sorted(types - {iri})], evidence


def _html(site: Site, iri: str, found: Listing[str]) -> str:
    root = here()
    linker = site.linker(root)
    kinds = site.schema.below(iri)
    above = sorted(site.schema.parents.get(iri, ()), key=lambda t: site.labels[t].key)
    below = sorted(site.schema.children.get(iri, ()), key=lambda t: site.labels[t].key)
    return render(
        "class.html",
        root=root,
        iri=iri,
        title=site.labels[iri],
        term=linker.term(iri),
        above=[linker.kind(t) for t in above],
        below=[linker.kind(t) for t in below],
        items=[_item(site, linker, member, iri, kinds) for member in found.items],
        list=found,
        table=_table(site, iri),
        address=lambda extension: root + found.address(f"class/{encode(site.labels.curie(iri) or '')}.{extension}"),
        has_data=site.labels.curie(iri) is not None,
    )
