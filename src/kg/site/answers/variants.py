"""One answer in several formats that are not RDF: a page, JSON, CSV … by ``Accept``, or by extension."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from flask import Response, request

from kg import media
from kg.site.answers.address import here
from kg.site.answers.respond import accepted, conditional, cors, not_acceptable, not_found
from kg.site.answers.signposting import Link, header
from kg.site.languages import marked
from kg.site.lookups.state import current

JSON = "application/json"


class Variant(NamedTuple):
    """A format: its extension, its media type, and how its bytes are made."""

    extension: str
    media_type: str
    make: Callable[[], bytes]


def page(render: Callable[[], str]) -> Variant:
    """The variant for readers."""
    return Variant("html", media.HTML, lambda: render().encode())


def in_json(extension: str, make: Callable[[], Any], media_type: str = JSON) -> Variant:
    """The variant for programs: what ``make`` gives, as JSON."""

    def as_bytes() -> bytes:
        return (json.dumps(make(), ensure_ascii=False, indent=1) + "\n").encode()

    return Variant(extension, media_type, as_bytes)


def respond(path: str, variants: Sequence[Variant], extension: str | None) -> Response:
    """The variant that is asked for; ``path`` is the address without extension, relative to the site's root.

    :raises NotAcceptable: naming what there is.
    :raises NotFound: if there is no such extension.
    """
    offered = [v.media_type for v in variants]
    if extension is None:
        chosen = media.negotiate(accepted(), offered)
        if chosen is None:
            raise not_acceptable(offered)
        variant = variants[offered.index(chosen)]
    else:
        found = [v for v in variants if v.extension == extension]
        if not found:
            raise not_found(
                marked("There is no format {name} of this, but {others}."),
                name=extension,
                others=", ".join(v.extension for v in variants),
            )
        variant = found[0]
    response = conditional(current(), variant.extension, variant.make, spoken=True)
    response.content_type = media.content_type(variant.media_type)
    query = request.query_string.decode("latin-1")
    links = [
        Link("alternate", f"{here()}{path}.{other.extension}{'?' + query if query else ''}", other.media_type)
        for other in variants
        if other is not variant
    ]
    # A query that would end the brackets or the header is not repeated; clients send such characters escaped.
    if not set(query) & set('<>"\\ \r\n') and (said := header(links)):
        response.headers["Link"] = said
    if extension is None:
        response.vary.add("Accept")
    return response if variant.media_type == media.HTML else cors(response)
