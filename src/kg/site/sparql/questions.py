"""``/questions`` and ``/question/NAME``: what the publisher has asked already, for readers who know no SPARQL.

A question is a query in ``data/queries``. The page has its answer with footnotes and, folded away, the query; with an
extension, or by Accept, there is the answer as data, at an address that a spreadsheet or a script can keep.
"""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint, Response, request

from kg import media
from kg.model import ExampleQuery
from kg.query.lexer import Form, inspect
from kg.site.answers.links import encode
from kg.site.answers.respond import HTML_TYPE, conditional, html, not_acceptable, not_found
from kg.site.languages import marked
from kg.site.lookups.state import Site, current
from kg.site.sparql import prepared, protocol
from kg.site.sparql.asking import Asking
from kg.site.sparql.endpoint import answered
from kg.site.sparql.table import table
from kg.site.templating import render

bp = Blueprint("questions", __name__)


@bp.get("/questions")
def listing() -> Response:
    """All of them."""
    return html(lambda: render("questions.html", questions=current().release.queries))


@bp.get("/question/<name>")
def question(name: str) -> Response:
    """One of them and its answer: a page, or data."""
    site = current()
    found, extension = _find(site, name)
    form = inspect(found.text, depth=site.pool.limits.depth)
    written = prepared.WRITTEN[form]
    if extension != "html" and (extension or _prefers_data(written.values())):
        return _data(site, found, extension)
    if prepared.may_differ(found.text):
        response = Response(_page(site, found, form), headers={"Cache-Control": "no-cache"})
    else:
        response = conditional(site, "html", lambda: _page(site, found, form).encode(), spoken=True)
    response.content_type = HTML_TYPE
    if not extension:
        response.vary.add("Accept")
    return response


def _find(site: Site, name: str) -> tuple[ExampleQuery, str]:
    """The question of a name, and the extension behind it, if there is one."""
    questions = {question.name: question for question in site.release.queries}
    stem, _, extension = name.rpartition(".")
    if name in questions:
        return questions[name], ""
    known = {"html", *(extension for written in prepared.WRITTEN.values() for extension in written)}
    if stem in questions and extension in known:
        return questions[stem], extension
    raise not_found(marked("This release has no question {name}."), name=f"“{name[:200]}”")


def _prefers_data(types: Iterable[str]) -> bool:
    offered = (media.HTML, *types)
    kind = media.negotiate(request.headers.get("Accept"), offered)
    if kind is None:
        raise not_acceptable(offered)
    return kind != media.HTML


def _data(site: Site, found: ExampleQuery, extension: str) -> Response:
    asked = protocol.read(protocol.sent(request))._replace(query=found.text, wanted=extension)
    with Asking(site) as asking:
        plan = prepared.plan(site, asked, request.headers.get("Accept"))
        response = answered(plan, asking)
    if extension:
        response.headers.set("Content-Disposition", "attachment", filename=f"{found.name}.{extension}")
    return response


def _page(site: Site, found: ExampleQuery, form: Form) -> str:
    traced = form is Form.SELECT and not site.foreign
    asked = protocol.SparqlRequest(found.text, evidence=traced)
    with Asking(site) as asking:
        shown = table(site, asked, found.text, asking)
    labels = {m.extension: m.label for m in media.RESULTS} | {m.extension: m.label for m in media.RDF}
    return render(
        "question.html",
        question=found,
        summary=found.description or found.title,
        path=f"question/{encode(found.name)}",
        formats=[(extension, kind, labels[extension]) for extension, kind in prepared.WRITTEN[form].items()],
        evidence=traced,
        **shown,
    )
