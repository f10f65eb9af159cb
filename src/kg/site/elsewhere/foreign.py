"""A site in front of a store that kg did not build: what it lacks, and what nobody may remember of it.

Nothing here is registered for a release. Such data has no claims, documents, passages or dumps: their addresses say so
plainly. It may change at any time, so no answer is kept (``no-store``).
"""

from __future__ import annotations

from flask import Flask, Response, abort, request

from kg.site.elsewhere.gathered import Anywhere
from kg.site.lookups.state import Site

LACKING = {
    "claims": "claims",
    "claim": "claims",
    "documents": "documents",
    "document": "documents",
    "passage": "passages",
    "report": "report: nothing here was checked by kg",
    "report.json": "report: nothing here was checked by kg",
    "badge.svg": "badge: nothing here was checked by kg",
    "disagreements": "comparisons of claims",
    "corroborations": "comparisons of claims",
    "dumps": "dumps: ask the store for what you need",
    "catalog": "catalogue",
    "releases": "releases",
    "history": "history",
    "timegate": "history",
    "timemap": "history",
    ".well-known/void": "statistics",
    "shapes": "shapes",
}
"""First parts of addresses → what there is none of."""


def register(app: Flask) -> None:
    """Say what is lacking, and let nobody keep what is not."""
    site: Site = app.extensions["kg"]
    assert isinstance(site.names, Anywhere)
    parts = {rule.rule.lstrip("/").partition("/")[0] for rule in app.url_map.iter_rules()}
    site.names.taken.update(LACKING, (part.partition(".")[0] for part in parts if not part.startswith("<")))

    @app.before_request
    def only_what_there_is() -> None:
        path = request.path[1:]
        first = path.partition("/")[0]
        what = next((LACKING[p] for p in (path, first, first.partition(".")[0]) if p in LACKING), None)
        if what is not None:
            abort(404, f"This site shows a store that kg did not build: it has no {what}.")
        for name in ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE"):
            request.environ.pop(name, None)

    @app.after_request
    def keep_nothing(response: Response) -> Response:
        if not request.path.startswith("/static/"):
            response.headers["Cache-Control"] = "no-store"
            response.headers.pop("ETag", None)
        return response
