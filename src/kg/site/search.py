"""``/search``: labels, names, descriptions and glosses, by the words they begin with."""

from __future__ import annotations

from flask import Blueprint, Response, request

from kg.site.address import here
from kg.site.index import search as find
from kg.site.paging import PER_PAGE, Listing, wanted_page
from kg.site.respond import html
from kg.site.state import current
from kg.site.templating import render

bp = Blueprint("search", __name__)

KINDS = {"": "Everything", "thing": "Things", "claim": "Claims", "document": "Documents", "term": "Terms"}
LONGEST = 400
"""Characters of a search that are read."""


@bp.get("/search")
def search() -> Response:
    """The form and what was found."""
    return html(_html)


def _html() -> str:
    site, root = current(), here()
    linker = site.linker(root)
    text = request.args.get("q", "")[:LONGEST]
    kind = request.args.get("kind", "")
    kind = kind if kind in KINDS else ""
    page = wanted_page()
    hits, count = find(site, text, kind, limit=PER_PAGE, offset=(page - 1) * PER_PAGE)
    found = Listing([hit.iri for hit in hits], page, max(1, -(-count // PER_PAGE)), count)
    items = []
    for hit in hits:
        source = site.evidence.claim(hit.iri) if hit.kind == "claim" else None
        link = linker.term(hit.iri) if hit.kind == "term" else linker.link(hit.iri)
        items.append((link, KINDS.get(hit.kind, hit.kind), linker.says(source) if source else ""))
    return render("search.html", root=root, q=text, kind=kind, kinds=KINDS, items=items, list=found)
