"""``/catalog`` and ``/.well-known/void``: the release in DCAT-AP and VoID, for people and in every RDF format."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from flask import Blueprint, Response
from markupsafe import Markup
from pyoxigraph import NamedNode

from kg import media, vocab
from kg.site.answers.address import FORMAT, here
from kg.site.answers.respond import Page, answer
from kg.site.components.citation import cite_dataset
from kg.site.components.drawing import date_in_words, place_in_words
from kg.site.data.metadata import Metadata, coverage, percent, required
from kg.site.languages import marked
from kg.site.lookups.labels import isolated
from kg.site.lookups.state import Site, current
from kg.site.templating import render

bp = Blueprint("catalog", __name__)

MOST_ROWS = 1_000
"""Classes, and properties, that the page of statistics lists; the data has all."""

_DCAT, _DCT, _VOID = vocab.DCAT, vocab.DCTERMS, vocab.VOID


class Counted(NamedTuple):
    """A class or property: how often it occurs, and the share of its triples about things that have a claim."""

    name: Markup
    number: int
    share: str


@bp.get("/catalog")
@bp.get(f"/catalog.{FORMAT}")
def catalog(extension: str | None = None) -> Response:
    """The catalogue: the dataset, its files, its endpoint."""
    site = current()
    return answer(_page(site, "catalog", "catalog", _catalog_html), extension)


@bp.get("/.well-known/void")
@bp.get(f"/.well-known/void.{FORMAT}")
def void(extension: str | None = None) -> Response:
    """The statistics, and how far the evidence reaches (https://www.w3.org/TR/void/, section 7.2)."""
    site = current()
    return answer(_page(site, ".well-known/void", "void", _void_html), extension)


def _page(site: Site, path: str, name: str, html: Callable[[Site, Metadata], str]) -> Page:
    found = required(site, name)
    prefixes = {**site.prefixes, **vocab.METADATA_PREFIXES}
    return Page(
        iri=site.base + path,
        address=lambda extension: f"{path}.{extension}" if extension else path,
        html=lambda: html(site, found),
        data=lambda format_: media.serialise(found.triples, format_, prefixes),
    )


def _catalog_html(site: Site, found: Metadata) -> str:
    root = here()
    linker = site.linker(root)
    dataset = site.names.dataset

    def value(subject: str, predicate: str) -> Markup | str:
        """A link with a name where there is one."""
        iri = found.value(subject, predicate)
        label = found.value(iri, vocab.SKOS_PREF_LABEL) or found.value(iri, vocab.VCARD + "fn")
        return label or (linker.node(NamedNode(iri)) if iri.startswith("http") else iri)

    contact = found.value(dataset, _DCAT + "contactPoint")
    period = found.value(dataset, _DCT + "temporal")
    place = found.value(dataset, _DCT + "spatial")
    rows = [
        (marked("Publisher"), site.release.manifest.publisher),
        (marked("Contact"), value(dataset, _DCAT + "contactPoint")),
        (marked("E-mail"), found.value(contact, vocab.VCARD + "hasEmail").removeprefix("mailto:")),
        (marked("Licence"), value(dataset, _DCT + "license") or site.release.manifest.license),
        (marked("Keywords"), ", ".join(found.values(dataset, _DCAT + "keyword"))),
        (
            marked("Themes"),
            ", ".join(found.value(t, vocab.SKOS_PREF_LABEL) for t in found.values(dataset, _DCAT + "theme")),
        ),
        (marked("First published"), date_in_words(found.value(dataset, _DCT + "issued"), site.language)),
        (marked("Last changed"), date_in_words(found.value(dataset, _DCT + "modified"), site.language)),
        (
            marked("About the days"),
            _days(site, found.value(period, _DCAT + "startDate"), found.value(period, _DCAT + "endDate")),
        ),
        (marked("About the place"), _box(site, found.box(place)) or place),
    ]
    return render(
        "catalog.html",
        root=root,
        rows=[(name, shown if isinstance(shown, Markup) else isolated(shown, "")) for name, shown in rows if shown],
        files=[
            (entry.path.removeprefix("dumps/"), entry, found.value(node, vocab.DCTERMS_DESCRIPTION))
            for entry in site.release.dumps()
            for node in (f"{site.names.catalog}#{entry.path.removeprefix('dumps/')}",)
        ],
        citation=cite_dataset(
            site,
            found.value(dataset, _DCT + "bibliographicCitation") or dataset,
            found.value(dataset, _DCT + "issued"),
        ),
        shares=shares(site),
        address=lambda extension: f"{root}catalog.{extension}",
    )


def _days(site: Site, first: str, last: str) -> str:
    first, last = date_in_words(first, site.language), date_in_words(last, site.language)
    return site.language.gettext("{first} to {last}").format(first=first, last=last) if first or last else ""


def _box(site: Site, box: tuple[str, ...]) -> str:
    if not box:
        return ""
    corners = zip((box[1], box[3]), (box[0], box[2]), strict=True)
    southwest, northeast = (place_in_words(float(lat), float(lon), site.language) for lat, lon in corners)
    return site.language.gettext("from {southwest} to {northeast}").format(southwest=southwest, northeast=northeast)


def _void_html(site: Site, found: Metadata) -> str:
    root = here()
    linker = site.linker(root)
    facts = site.names.void + "#default-graph"
    measured: dict[str, Any] = coverage(site) or {"classes": {}, "properties": {}}

    def parts(partition: str, term: str, count: str, figures: dict[str, dict[str, int]]) -> list[Counted]:
        nodes = found.values(facts, _VOID + partition)
        counted = [(found.value(n, _VOID + term), found.number(n, _VOID + count)) for n in nodes]
        return [
            Counted(linker.kind(iri) if term == "class" else linker.term(iri), n, percent(figures.get(iri)))
            for iri, n in sorted(counted, key=lambda pair: (-pair[1], pair[0]))
        ]

    counts = (
        ("triples", marked("triples")),
        ("entities", marked("things")),
        ("distinctSubjects", marked("different subjects")),
        ("distinctObjects", marked("different objects")),
        ("classes", marked("classes")),
        ("properties", marked("properties")),
    )
    links = [s for s in found.values(site.names.dataset, _VOID + "subset") if found.value(s, _VOID + "linkPredicate")]
    return render(
        "void.html",
        root=root,
        counts=[(said, found.number(facts, _VOID + name)) for name, said in counts],
        classes=parts("classPartition", "class", "entities", measured["classes"]),
        properties=parts("propertyPartition", "property", "triples", measured["properties"]),
        most=MOST_ROWS,
        vocabularies=found.values(site.names.dataset, _VOID + "vocabulary"),
        examples=[linker.link(iri) for iri in found.values(site.names.dataset, _VOID + "exampleResource")],
        links=[
            (
                linker.term(found.value(s, _VOID + "linkPredicate")),
                found.value(found.value(s, _VOID + "objectsTarget"), _VOID + "uriSpace"),
                found.number(s, _VOID + "triples"),
            )
            for s in links
        ],
        shares=shares(site),
        address=lambda extension: f"{root}.well-known/void.{extension}",
    )


def shares(site: Site) -> list[tuple[str, str, dict[str, int]]]:
    """The shares of the evidence for people: what, how much, and the counts."""
    found = coverage(site)
    names = (
        ("facts", marked("of the facts have a claim")),
        ("triples", marked("of the triples about things, names and notes included")),
        ("claims", marked("of the claims have every passage checked")),
        ("sentences", marked("of the sentences at hand have a claim")),
    )
    return [(site.language.gettext(text), percent(found[name]), found[name]) for name, text in names] if found else []
