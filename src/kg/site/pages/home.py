"""``/``, ``/about``, and what machines ask of every site, from ``/health`` and ``/metrics`` to the favicon."""

from __future__ import annotations

import mimetypes
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, request, send_from_directory
from markupsafe import Markup

from kg import media
from kg.site.answers.address import here
from kg.site.answers.respond import NO_FILE, OFFERED, accepted, html, not_acceptable, not_found, see_other
from kg.site.assets import ENCODINGS, FOLDER
from kg.site.components.nodes import Linker
from kg.site.data.jsonld import dataset
from kg.site.data.metadata import read
from kg.site.data.profiles import PROFILES
from kg.site.lookups.state import Site, current
from kg.site.pages.classes import classes
from kg.site.serving.counters import CONTENT_TYPE
from kg.site.sparql.asking import counters
from kg.site.templating import render

bp = Blueprint("home", __name__)

MOST_LISTED = 12
"""Documents, and classes, that the home page lists."""
MOST_LOOKED_AT = 20
"""Claims of a document among which an example is looked for."""
_YEAR = 31_536_000


@bp.get("/")
def home() -> Response:
    """What this is, what is in it, where to start; for programs, the catalogue, which says the same in RDF."""
    if read(current(), "catalog") is None:
        return html(_home)
    wanted = media.negotiate(accepted(), OFFERED)
    if wanted is None:
        raise not_acceptable(OFFERED)
    return html(_home) if wanted == media.HTML else see_other("catalog", here())


@bp.get("/about")
def about() -> Response:
    """How to read the site: the marks, and what is behind them."""
    return html(lambda: render("about.html", profiles=PROFILES))


@bp.get("/health")
def health() -> Response:
    """Live: the process answers. Ready: it can read its release; 503 where it cannot."""
    site = current()
    ready = True
    # Of this process: whether a store elsewhere answers is its own affair, and pages say so.
    if not site.foreign:
        try:
            next(iter(site.local.quads()), None)
        except OSError:
            ready = False
    status = "ok" if ready else "the release cannot be read"
    response = jsonify(status=status, live=True, ready=ready, release=site.release.version)
    response.status_code = 200 if ready else 503
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/metrics")
def metrics() -> Response:
    """Counts of all web processes, for Prometheus."""
    site = current()
    text = counters().text(site.release.version, site.pool.statistics())
    return Response(text, content_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})


@bp.get("/robots.txt")
def robots() -> Response:
    """Pages may be indexed; queries cost more than they would give a search engine, and facets combine without end."""
    base = current().base
    sitemap = f"Sitemap: {base}sitemap.xml"
    # Paths are those of the host, below which the base may have one of its own.
    closed = (f"Disallow: {urlsplit(base).path}{path}" for path in ("sparql", "query", "search", "browse?"))
    lines = ("User-agent: *", *closed, "", sitemap, "")
    return Response("\n".join(lines), content_type="text/plain; charset=utf-8")


@bp.get("/favicon.ico")
@bp.get("/favicon")
@bp.get("/favicon.svg")
def favicon() -> Response:
    """The site's picture."""
    return _static("favicon.svg")


@bp.get("/static/<path:name>")
def static(name: str) -> Response:
    """A file of the bundle. An address with the hash of its content never changes."""
    return _static(name)


def _static(name: str) -> Response:
    version = current().assets.versions.get(name)
    if version is None:
        raise not_found(NO_FILE, name=name)
    packed = current().assets.packed[name]
    encoding = next((e for e in packed if request.accept_encodings[e] > 0), "")
    response = send_from_directory(
        FOLDER,
        name + ENCODINGS.get(encoding, ""),
        mimetype=mimetypes.guess_type(name)[0],
        etag=f"{version}-{encoding}" if encoding else version,
    )
    if encoding:
        response.headers["Content-Encoding"] = encoding
    if packed:
        response.vary.add("Accept-Encoding")
    if request.args.get("v") == version:
        response.headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable"
    return response


def _home() -> str:
    site, root = current(), here()
    linker = site.linker(root)
    manifest = site.release.manifest
    figures = site.release.report["documents"]
    names = sorted(figures)
    documents = [(linker.link(site.names.document(name)), figures[name]) for name in names[:MOST_LISTED]]
    found = classes(site)
    return render(
        "home.html",
        root=root,
        counts=manifest.counts,
        documents=documents,
        more_documents=len(names) - len(documents),
        classes=[(linker.kind(iri), count) for iri, count in found[:MOST_LISTED]],
        questions=site.release.queries,
        jsonld=dataset(site),
        example=_example(site, linker),
    )


def _example(site: Site, linker: Linker) -> tuple[Markup, Markup] | None:
    """A claim to show a line of evidence with: the first that a document states in its own voice."""
    for document in sorted(site.release.report["documents"]):
        for claim in site.evidence.claims(site.evidence.of_document(document)[:MOST_LOOKED_AT]):
            if claim.status == "stated":
                return linker.link(claim.iri), linker.says(claim)
    return None
