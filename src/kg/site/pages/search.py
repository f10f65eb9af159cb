"""``/search``: names in every language, notes, descriptions and glosses, by the words they begin with.

A page or JSON (``.json``, or by ``Accept``). ``/search/suggest`` answers as browsers' address bars ask (OpenSearch
Suggestions 1.0), ``/opensearch.xml`` tells them so (OpenSearch 1.1).
"""

from __future__ import annotations

import json
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from flask import Blueprint, Response, request
from markupsafe import Markup
from pyoxigraph import DefaultGraph, Literal, NamedNode

from kg import vocab, words
from kg.site.answers import variants
from kg.site.answers.address import here
from kg.site.answers.respond import conditional, cors
from kg.site.components import facets
from kg.site.components.drawing import year_name
from kg.site.components.paging import PER_PAGE, Listing, paged
from kg.site.components.rows import kinds_of
from kg.site.languages import marked
from kg.site.lookups import index
from kg.site.lookups.index import ALIKE, SOME, Filters, Found, Hit
from kg.site.lookups.labels import LABELS, isolated, shorten
from kg.site.lookups.memo import per_site
from kg.site.lookups.state import Site, current
from kg.site.templating import render

bp = Blueprint("search", __name__)

KINDS = {
    "thing": marked("Things"),
    "claim": marked("Claims"),
    "document": marked("Documents"),
    "term": marked("Terms"),
}
ONE = {
    "thing": marked("Thing"),
    "claim": marked("Claim"),
    "document": marked("Document"),
    "term": marked("Term"),
}
LONGEST = 400
"""Characters of a search that are read."""

MOST_CHOICES = 100
"""Documents and years that the form offers."""

_OTHER_NAMES = (
    *(p.value for p in LABELS),
    vocab.SKOS_ALT_LABEL,
    vocab.SCHEMA + "alternateName",
    vocab.DCTERMS + "alternative",
)


@bp.get("/search")
@bp.get("/search.<any(html,json):extension>")
def search(extension: str | None = None) -> Response:
    """The form and what was found."""
    made = (variants.page(_html), variants.in_json("json", _json))
    return variants.respond("search", made, extension)


@bp.get("/search/suggest")
def suggest() -> Response:
    """What was typed, and names that it may become, with their addresses."""

    def make() -> bytes:
        site = current()
        text = request.args.get("q", "")[:LONGEST]
        found = index.search(site, text, limit=8)
        labels = [site.labels[hit.iri].text for hit in found.hits]
        kinds = [site.language.gettext(ONE[hit.kind]) for hit in found.hits]
        pages = [site.base + _path(site, hit) for hit in found.hits]
        return json.dumps([text, labels, kinds, pages], ensure_ascii=False).encode()

    response = conditional(current(), "suggest", make, spoken=True)
    response.content_type = "application/x-suggestions+json"
    return cors(response)


@bp.get("/opensearch.xml")
def opensearch() -> Response:
    """The description by which browsers offer to search this site; its addresses start with the base."""
    site = current()
    title = site.release.manifest.title

    def make() -> bytes:
        urls = (
            ("text/html", "search?q={searchTerms}"),
            ("application/json", "search.json?q={searchTerms}"),
            ("application/x-suggestions+json", "search/suggest?q={searchTerms}"),
        )
        lines = [
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">',
            f"<ShortName>{escape(shorten(title, 16))}</ShortName>",
            f"<LongName>{escape(shorten(title, 48))}</LongName>",
            f"<Description>{escape(shorten('Search: ' + title, 1024))}</Description>",
            f'<Image width="16" height="16" type="image/svg+xml">{escape(site.base)}favicon.svg</Image>',
            *(f"<Url type={quoteattr(kind)} template={quoteattr(site.base + path)}/>" for kind, path in urls),
            "<InputEncoding>UTF-8</InputEncoding>",
            "</OpenSearchDescription>",
        ]
        return ("\n".join(lines) + "\n").encode()

    response = conditional(site, "opensearch", make)
    response.content_type = "application/opensearchdescription+xml"
    return response


def _asked(site: Site) -> tuple[str, Filters]:
    """Words and filters of the request; what is not known filters nothing."""
    args = request.args
    kind, year = args.get("kind", ""), args.get("year", "")
    modality = facets.full(site, "modality", args.get("modality", "")[:LONGEST])
    document = args.get("document", "")[:LONGEST]
    return args.get("q", "")[:LONGEST], Filters(
        kind=kind if kind in KINDS else "",
        document=facets.full(site, "document", document) if document else "",
        modality=modality if modality.removeprefix(site.names.kg) in vocab.MODALITIES else "",
        year=year if year.removeprefix("-").isdecimal() and len(year) < 9 else "",
    )


def _found(site: Site, size: int = PER_PAGE) -> tuple[str, Filters, Found, Listing[Hit]]:
    text, filters = _asked(site)
    found = index.search(site, text, filters)
    return text, filters, found, paged(found.hits, size)


def _html() -> str:
    site, root = current(), here()
    text, filters, found, listing = _found(site)
    return render(
        "search.html",
        root=root,
        q=text,
        filters=filters,
        kinds=[(kind, site.language.gettext(name)) for kind, name in KINDS.items()],
        documents=_documents(site, filters.document),
        years=_years(site, filters.year),
        modalities=[(name, site.labels[site.names.kg + name].text) for name in vocab.MODALITIES],
        items=[_item(site, root, hit, text) for hit in listing.items],
        list=listing,
        cut=found.cut,
        alike=bool(found.hits) and all(hit.step == ALIKE for hit in found.hits),
        some=bool(found.hits) and found.hits[0].step == SOME,
    )


def _item(site: Site, root: str, hit: Hit, text: str) -> dict[str, Any]:
    """A hit as a page shows it."""
    linker = site.linker(root)
    source = site.evidence.claim(hit.iri) if hit.kind == "claim" else None
    types: list[Markup] = []
    if hit.kind == "thing":
        found = kinds_of(site, hit.iri)
        types = [linker.kind(t) for t in sorted(found, key=lambda t: site.labels[t].key)]
    other = _other_name(site, hit, text)
    return {
        "link": linker.term(hit.iri) if hit.kind == "term" else linker.link(hit.iri),
        "other": isolated(*other) if other else "",
        "language": other[1] if other else "",
        "kind": site.language.gettext(ONE[hit.kind]),
        "types": types,
        "says": linker.says(source) if source else "",
        "alike": hit.step == ALIKE,
    }


def _json() -> dict[str, Any]:
    """The same for programs. ``page`` is relative to the site's root; ``matched`` a name that stands for the label."""
    site = current()
    asked = request.args.get("limit", "")
    limit = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 9 else PER_PAGE
    text, filters, found, listing = _found(site, min(limit, PER_PAGE) or PER_PAGE)
    shown = listing.items if limit else ()
    return {
        "query": text,
        "filters": {name: value for name, value in filters._asdict().items() if value},
        "all_words": not any(hit.step == SOME for hit in found.hits),
        "count": listing.count,
        "more": found.cut,
        "pages": listing.pages,
        "results": [_result(site, hit, text) for hit in shown],
    }


def _result(site: Site, hit: Hit, text: str) -> dict[str, Any]:
    label = site.labels[hit.iri]
    result: dict[str, Any] = {"iri": hit.iri, "page": _path(site, hit), "kind": hit.kind, "label": label.text}
    if label.language:
        result["language"] = label.language
    other = _other_name(site, hit, text)
    if other:
        result["matched"] = {"label": other[0], "language": other[1]}
    return result


def _path(site: Site, hit: Hit) -> str:
    return site.linker("").href(hit.iri) or ""


def _other_name(site: Site, hit: Hit, text: str) -> tuple[str, str] | None:
    """A name that has the words, where the label that is shown does not."""
    wanted = words.words(text)
    if hit.kind == "claim" or _has(site.labels[hit.iri].text, wanted):
        return None
    for q in () if site.foreign else site.local.quads(NamedNode(hit.iri), None, None, DefaultGraph()):
        if (
            q.predicate.value in _OTHER_NAMES
            and isinstance(q.object, Literal)
            and _has(q.object.value[:LONGEST], wanted)
        ):
            return shorten(q.object.value, LONGEST), q.object.language or ""
    return None


def _has(name: str, wanted: list[str]) -> bool:
    known = words.indexed(name)
    return all(any(word.startswith(w) for word in known) for w in wanted)


def _documents(site: Site, chosen: str) -> list[tuple[str, str]]:
    """Documents that the form offers, by name and title: what is chosen is among them, whatever is cut."""
    start = site.names.document("")
    offered = _choices(site)[0]
    some = offered if not chosen or chosen in offered else (*offered, chosen)
    return [(iri.removeprefix(start), site.labels[iri].text) for iri in some if iri.startswith(start)]


def _years(site: Site, chosen: str) -> list[tuple[str, str]]:
    """Years that the form offers, and what people call them."""
    offered = _choices(site)[1]
    some = offered if not chosen or chosen in offered else (*offered, chosen)
    return [(year, year_name(int(year), site.language)) for year in some]


@per_site()
def _choices(site: Site) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Documents and years, as many as a form offers."""
    return tuple(index.values(site, "document", MOST_CHOICES)), tuple(index.years(site, MOST_CHOICES))
