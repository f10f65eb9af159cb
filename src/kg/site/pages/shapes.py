"""``/shapes``: the rules that the build checked the data with, in words, with their RDF, and as RDF."""

from __future__ import annotations

from flask import Blueprint, Response
from pyoxigraph import BlankNode, NamedNode, Quad, Triple

from kg import media
from kg.site.answers.address import FORMAT, here
from kg.site.answers.respond import Page, answer
from kg.site.components import constraints
from kg.site.lookups.memo import per_site
from kg.site.lookups.state import Site, current
from kg.site.templating import render

bp = Blueprint("shapes", __name__)


@bp.get("/shapes")
@bp.get(f"/shapes.{FORMAT}")
def shapes(extension: str | None = None) -> Response:
    """Every shape with a name."""
    site = current()
    page = Page(
        iri=site.names.shapes,
        address=lambda extension: f"shapes.{extension}" if extension else "shapes",
        html=lambda: _html(site),
        data=lambda format_: media.serialise((q.triple for q in site.schema.shapes), format_, site.prefixes),
    )
    return answer(page, extension)


def _html(site: Site) -> str:
    root = here()
    turtle = _turtle(site)
    return render(
        "shapes.html",
        root=root,
        shapes=[(shape, turtle[shape.iri]) for shape in constraints.shapes(site, site.linker(root))],
        address=lambda extension: f"{root}shapes.{extension}",
    )


@per_site()
def _turtle(site: Site) -> dict[str, str]:
    """What is said of each shape, and of the nameless nodes that hang from it, as Turtle without its prefixes."""
    by_subject: dict[NamedNode | BlankNode, list[Quad]] = {}
    for q in site.schema.shapes:
        if isinstance(q.subject, NamedNode | BlankNode):
            by_subject.setdefault(q.subject, []).append(q)
    found = {}
    for subject in by_subject:
        if isinstance(subject, NamedNode):
            waiting: list[NamedNode | BlankNode] = [subject]
            triples: list[Triple] = []
            seen = set(waiting)
            while waiting:
                for q in by_subject.get(waiting.pop(), ()):
                    triples.append(q.triple)
                    if isinstance(q.object, BlankNode) and q.object not in seen:
                        seen.add(q.object)
                        waiting.append(q.object)
            text = media.serialise(triples, media.RDF_BY_EXTENSION["ttl"], site.prefixes).decode()
            found[subject.value] = "\n".join(
                line for line in text.splitlines() if not line.startswith("@prefix")
            ).strip()
    return found
