"""``/report``: what the build checked and found, and how far the evidence reaches. ``/report.json`` for programs."""

from __future__ import annotations

import json

from flask import Blueprint, Response

from kg.site.catalog import shares
from kg.site.respond import conditional, cors, html
from kg.site.state import current
from kg.site.templating import render

bp = Blueprint("report", __name__)


@bp.get("/report")
def report() -> Response:
    """The report as a page."""
    site = current()
    content = site.release.report
    return html(
        lambda: render(
            "report.html",
            counts=content["counts"],
            shares=shares(site),
            findings=content["findings"],
            documents=[(site.names.document(name), figures) for name, figures in content["documents"].items()],
        )
    )


@bp.get("/report.json")
def report_json() -> Response:
    """The report as the build wrote it."""
    site = current()
    response = conditional(site, "json", lambda: json.dumps(site.release.report, ensure_ascii=False, indent=1).encode())
    response.content_type = "application/json"
    return cors(response)
