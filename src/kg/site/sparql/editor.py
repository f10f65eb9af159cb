"""What the editor at ``/query`` asks for beside answers: terms to complete, and what the IRIs of an answer are called.

``/query/terms.json`` has the prefixes, classes and properties of the release. ``/query/names.json`` takes IRIs and
gives their labels, pages and coordinates, and of claims what a footnote says. Pages are relative to the site's root.
Entities are completed by ``/search.json``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, Response, jsonify, request
from pyoxigraph import DefaultGraph, Literal, NamedNode
from werkzeug.exceptions import BadRequest

from kg import media, vocab
from kg.site.answers.links import page_path
from kg.site.answers.respond import conditional, cors
from kg.site.components.nodes import place
from kg.site.components.spots import Spot, of_things
from kg.site.data import metadata
from kg.site.lookups.database import BATCH
from kg.site.lookups.evidence import Source
from kg.site.lookups.labels import shorten
from kg.site.lookups.memo import per_site
from kg.site.lookups.state import Site, current

bp = Blueprint("editor", __name__)

MOST_TERMS = 5_000
"""Classes, and as many properties, that are offered: those that the data uses most."""

MOST_NAMES = 500
"""IRIs of one request for names."""

_LONGEST_MEANING = 300
_MAX_BODY = 1 << 20
_MEANINGS = (NamedNode(vocab.SKOS_DEFINITION), NamedNode(vocab.RDFS_COMMENT))
_DEFAULT = DefaultGraph()


@bp.get("/query/terms.json")
def terms() -> Response:
    """Prefixes, classes and properties."""
    site = current()
    response = conditional(site, "json", lambda: json.dumps(_terms(site), ensure_ascii=False).encode(), spoken=True)
    response.content_type = "application/json"
    return cors(response)


@bp.post("/query/names.json")
def names() -> Response:
    """Labels, pages and coordinates of the IRIs in the body, a JSON array."""
    site = current()
    request.max_content_length = _MAX_BODY
    try:
        asked = request.get_json(force=True, silent=True)
    except RecursionError:  # lists in lists in lists
        asked = None
    if not isinstance(asked, list) or len(asked) > MOST_NAMES or not all(isinstance(iri, str) for iri in asked):
        raise BadRequest(f"The body is a JSON array of at most {MOST_NAMES} IRIs.")
    found = {iri: _name(site, iri) for iri in asked}
    for spot in _spots(site, asked):
        found[spot.thing].setdefault("at", [spot.lat, spot.lon])
    sources = ((iri, site.evidence.claim(iri)) for iri in found if iri.startswith(site.base + "claim/"))
    claims = {iri: _footnote(site, source) for iri, source in sources if source}
    response = jsonify(names=found, claims=claims)
    response.headers["Cache-Control"] = "no-store"
    return cors(response)


def data(site: Site, context: dict[str, Any]) -> dict[str, Any]:
    """What the editor's scripts need of the page: the answer again, so that they need not ask for it."""
    problem = context.get("problem")
    return {
        "language": site.language.code,
        "answer": context.get("found"),
        "form": context.get("form"),
        "problem": problem and {name: problem.get(name) for name in ("title", "detail", "line", "column")},
        "formats": {
            "SELECT": [(m.extension, m.label) for m in media.RESULTS],
            "ASK": [(m.extension, m.label) for m in media.RESULTS if m.boolean],
            "graph": [(m.extension, m.label) for m in media.RDF],
        },
        "map": [site.assets.address("map.js"), site.assets.address("map.css")],
    }


@per_site()
def _terms(site: Site) -> dict[str, Any]:
    classes = _used(site, "classPartition", "class", "entities")
    properties = _used(site, "propertyPartition", "property", "triples")
    # What the ontology has and no triple uses yet can be asked for, too.
    for iri in site.schema.terms:
        kind = site.schema.kind(iri)
        if kind == "Classes":
            classes.setdefault(iri, 0)
        elif kind == "Properties":
            properties.setdefault(iri, 0)
    return {
        "base": site.base,
        "prefixes": dict(site.prefixes),
        "classes": _listed(site, classes),
        "properties": _listed(site, properties),
    }


def _used(site: Site, partition: str, term: str, count: str) -> dict[str, int]:
    """The terms that the default graph uses, as the VoID description counts them."""
    void = metadata.read(site, "void")
    if void is None:
        return {}
    whole = f"{site.names.void}#default-graph"
    return {
        void.value(part, vocab.VOID + term): void.number(part, vocab.VOID + count)
        for part in void.values(whole, vocab.VOID + partition)
    }


def _listed(site: Site, counts: dict[str, int]) -> list[dict[str, Any]]:
    """Terms, the most used first."""
    order = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [
        {"iri": iri, "label": site.labels[iri].text, "count": count, "meaning": _meaning(site, iri)}
        for iri, count in order[:MOST_TERMS]
    ]


def _meaning(site: Site, iri: str) -> str:
    """The definition of a term in the reader's language, else in another."""
    for predicate in _MEANINGS:
        texts = [
            q.object
            for q in site.local.quads(NamedNode(iri), predicate, None, _DEFAULT)
            if isinstance(q.object, Literal)
        ]
        if texts:
            best = min(texts, key=lambda text: site.labels.rank(text.value, text.language or ""))
            return shorten(best.value, _LONGEST_MEANING)
    return ""


def _name(site: Site, iri: str) -> dict[str, Any]:
    """``page`` is missing where the IRI is not of this site."""
    label = site.labels[iri]
    page = site.linker("").href(iri)
    named: dict[str, Any] = {"label": label.text}
    if label.language:
        named["language"] = label.language
    if page is not None and page != iri:
        named["page"] = page
    return named


def _spots(site: Site, iris: Sequence[str]) -> Iterator[Spot]:
    """Where those of the things lie that have coordinates."""
    for at in range(0, len(iris), BATCH):
        batch = iris[at : at + BATCH]
        yield from of_things(site, batch, len(batch) * 4)


def _footnote(site: Site, source: Source) -> dict[str, Any]:
    """A claim as a footnote: how and on what basis, who says it, and where it stands."""
    document = site.names.document(source.document)
    return {
        "status": source.status,
        "modality": site.labels[source.modality].text,
        "basis": site.labels[source.basis].text,
        "speaker": _name(site, source.speaker),
        "relayed": source.speaker != site.evidence.author(source.document),
        "document": {**_name(site, document), "label": source.document},
        "passages": [{"label": place(span, site.language), **_page(site, span.iri)} for span in source.spans],
    }


def _page(site: Site, iri: str) -> dict[str, str]:
    return {"page": page_path(site.names.local(iri) or "")}
