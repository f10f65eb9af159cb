"""What machines look for at known addresses: ``/sitemap.xml``, ``/.well-known/security.txt``, and ``/badge.svg``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from html import escape

from flask import Blueprint, Response, request

from kg.site.answers.links import page_path
from kg.site.answers.respond import conditional, cors, not_found
from kg.site.components.paging import Chained, Items
from kg.site.data.metadata import coverage, percent
from kg.site.languages import marked
from kg.site.lookups.index import Labelled
from kg.site.lookups.memo import per_site
from kg.site.lookups.state import Site, current

bp = Blueprint("discovery", __name__)

MOST_ADDRESSES = 50_000
"""Addresses of one sitemap (https://www.sitemaps.org/protocol.html)."""

BADGES = {
    "facts": "facts with a claim",
    "claims": "claims with a checked passage",
    "sentences": "sentences with a claim",
}
"""What a badge may show → what it says."""

_FIXED = (
    *("", "about", "things", "documents", "claims", "class/", "browse", "map", "timeline", "disagreements"),
    *("corroborations", "ontology", "shapes", "dumps/", "catalog", "report", "questions"),
)
_XMLNS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


@bp.get("/sitemap.xml")
def sitemap() -> Response:
    """Things, claims, documents and lists; if too many for one file, the list of the files, with ``part`` from 1.

    All are at the root: a sitemap may only list what lies at or below its own folder.
    """
    site = current()
    pages = addresses(site)
    count = -(-len(pages) // MOST_ADDRESSES)
    wanted = request.args.get("part", "")
    if not wanted:
        return _xml(site, lambda: _urls(site, pages[:]) if count == 1 else _index(site, count))
    if not re.fullmatch("[1-9][0-9]{0,8}", wanted) or int(wanted) > count:
        raise not_found(marked("The sitemap of this release has {count} parts."), count=count)
    end = int(wanted) * MOST_ADDRESSES
    return _xml(site, lambda: _urls(site, pages[end - MOST_ADDRESSES : end]))


@bp.get("/.well-known/security.txt")
def security() -> Response:
    """Whom to tell of a weakness (RFC 9116), where kg.toml says so."""
    site = current()
    said = site.config.security
    if not said.contact:
        raise not_found(marked("This release has no security.txt: nobody is named in kg.toml."))
    lines = [f"Contact: {said.contact}", f"Expires: {said.expires}"]
    lines += [f"Policy: {said.policy}"] if said.policy else []
    # Only an https address may stand here (section 2.5.2).
    lines += [f"Canonical: {site.base}.well-known/security.txt"] if site.base.startswith("https:") else []
    return Response("\n".join((*lines, "")), content_type="text/plain; charset=utf-8")


@bp.get("/badge.svg")
def badge() -> Response:
    """One share of the evidence as a picture for other pages: of facts, unless ``of`` asks for another."""
    site = current()
    found = coverage(site)
    if found is None:
        raise not_found(marked("This release has no badge: it was built before coverage was measured."))
    wanted = request.args.get("of", "facts")
    if wanted not in BADGES:
        raise not_found(marked("This release has no badge of that name; there is {names}."), names=", ".join(BADGES))
    response = conditional(site, "svg", lambda: draw(BADGES[wanted], percent(found[wanted])).encode())
    response.content_type = "image/svg+xml"
    # A picture for pages of other sites, also of those that load nothing else without this.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return cors(response)


def draw(label: str, value: str) -> str:
    """A badge of two fields, sized by the number of letters; attributes only, because the policy forbids styles."""
    left, right = 7 * len(label) + 12, 7 * len(value) + 14
    text = f"{escape(label)}: {escape(value)}"
    letters = 'font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" fill="#fff" text-anchor="middle"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{text}">'
        f"<title>{text}</title>"
        f'<rect width="{left}" height="20" fill="#444"/><rect x="{left}" width="{right}" height="20" fill="#1a5fb4"/>'
        f'<g {letters}><text x="{left / 2}" y="14" textLength="{left - 12}">{escape(label)}</text>'
        f'<text x="{left + right / 2}" y="14">{escape(value)}</text></g></svg>\n'
    )


@per_site()
def addresses(site: Site) -> Items[str]:
    """The path of every page: the fixed ones, then documents, claims and things."""
    documents = [site.names.document(name) for name in sorted(site.release.report["documents"])]
    lists: tuple[Items[str], ...] = (documents, Labelled(site, "claim"), Labelled(site, "thing"))

    def read(number: int, part: slice) -> Iterable[str]:
        if number == 0:
            return _FIXED[part]
        locals_ = map(site.names.local, lists[number - 1][part])
        return (page_path(local) for local in locals_ if local)

    return Chained(map(len, (_FIXED, *lists)), read)


def _index(site: Site, count: int) -> str:
    files = (f"sitemap.xml?part={number}" for number in range(1, count + 1))
    return f"<sitemapindex {_XMLNS}>\n{_entries(site, 'sitemap', files)}</sitemapindex>\n"


def _urls(site: Site, paths: Iterable[str]) -> str:
    return f"<urlset {_XMLNS}>\n{_entries(site, 'url', paths)}</urlset>\n"


def _entries(site: Site, element: str, paths: Iterable[str]) -> str:
    changed = site.release.sealed_at.isoformat(timespec="seconds")
    base = escape(site.base)
    return "".join(
        f"<{element}><loc>{base}{escape(path)}</loc><lastmod>{changed}</lastmod></{element}>\n" for path in paths
    )


def _xml(site: Site, make: Callable[[], str]) -> Response:
    def whole() -> bytes:
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{make()}'.encode()

    response = conditional(site, "xml", whole)
    response.content_type = "application/xml"
    return response
