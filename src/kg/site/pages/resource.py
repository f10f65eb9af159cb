"""``/resource?iri=…``: any IRI that the site can say something of, also where it lies under another base.

IRIs that have a page of their own lead there.
"""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, Response, request
from pyoxigraph import NamedNode
from werkzeug.exceptions import BadRequest

from kg import media
from kg.site.answers.address import FORMAT, here, known
from kg.site.answers.links import page_path
from kg.site.answers.respond import OFFERED, Page, answer, not_found, see_other
from kg.site.data import describe
from kg.site.elsewhere.gathered import RESOURCE
from kg.site.languages import marked
from kg.site.lookups.state import current
from kg.site.pages.things import thing_html

bp = Blueprint("resource", __name__)


@bp.get("/resource")
@bp.get(f"/resource.{FORMAT}")
def resource(extension: str | None = None) -> Response:
    """The page about an IRI, or the data about it."""
    site, iri = current(), request.args.get("iri", "")
    try:
        NamedNode(iri)
    except ValueError:
        raise BadRequest("Name an IRI in full: /resource?iri=http://…") from None
    local = site.names.local(iri)
    if local is not None and not local.startswith(RESOURCE + "?") and extension is None:
        path = page_path(local)
        # The page of a thing has no other format; its IRI's own address leads to its data, too.
        if path.startswith("page/") and media.negotiate(request.headers.get("Accept"), OFFERED) != media.HTML:
            path = "id/" + path.removeprefix("page/")
        return see_other(path, here())
    if not known(site, iri):
        raise not_found(marked("Nothing is said of <{iri}> here, and nothing links to it."), iri=iri[:500])
    page = Page(
        iri=iri,
        address=lambda extension: f"{RESOURCE}{f'.{extension}' if extension else ''}?iri={quote(iri, safe='')}",
        html=lambda: thing_html(site, iri),
        data=lambda format_: describe.thing(site, iri, graphs=format_.quads).serialise(format_),
    )
    return answer(page, extension)
