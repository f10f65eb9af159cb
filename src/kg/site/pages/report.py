"""``/report``: what the build checked and found, and how far the evidence reaches. ``/report.json`` for programs."""

from __future__ import annotations

from itertools import islice

from flask import Blueprint, Response

from kg import media
from kg.records import REPORT
from kg.site.answers.respond import accepted, cors, html
from kg.site.lookups.state import current
from kg.site.pages.catalog import shares
from kg.site.pages.dumps import whole_file
from kg.site.templating import render

bp = Blueprint("report", __name__)

_JSON = "application/json"

MOST_DOCUMENTS, MOST_FINDINGS = 200, 500
"""How many the page shows; the file has all."""


@bp.get("/report")
def report() -> Response:
    """The report as a page, or as the build wrote it for a client that prefers JSON."""
    if media.negotiate(accepted(), (media.HTML, _JSON)) == _JSON:
        response = report_json()
        response.vary.add("Accept")
        return response
    site = current()
    content = site.release.report
    return html(
        lambda: render(
            "report.html",
            counts=content["counts"],
            shares=shares(site),
            count=len(content["findings"]),
            findings=content["findings"][:MOST_FINDINGS],
            documents=[
                (site.names.document(name), figures)
                for name, figures in islice(content["documents"].items(), MOST_DOCUMENTS)
            ],
            more=max(0, len(content["documents"]) - MOST_DOCUMENTS),
        )
    )


@bp.get("/report.json")
def report_json() -> Response:
    """The report as the build wrote it."""
    return cors(whole_file(current(), REPORT, _JSON))
