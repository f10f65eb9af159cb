"""``/questions`` and ``/question/NAME``: what the publisher has asked already, for readers who know no SPARQL.

A question is a query in ``data/queries``, and may have parameters (:mod:`kg.query.parameters`) to choose by. The page
has its answer with footnotes and, folded away, the query; with an extension, or by Accept, there is the answer as data,
at an address that a spreadsheet or a script can keep.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlencode

from flask import Blueprint, Response, request
from pyoxigraph import Literal, NamedNode
from werkzeug.exceptions import BadRequest

from kg import media
from kg.model import ExampleQuery
from kg.query.lexer import Form, inspect
from kg.query.parameters import Parameter, chosen, find
from kg.site.answers.links import encode
from kg.site.answers.respond import HTML_TYPE, accepted, conditional, html, not_acceptable, not_found
from kg.site.languages import Message, marked
from kg.site.lookups.state import Site, current
from kg.site.sparql import prepared, protocol
from kg.site.sparql.asking import Asking
from kg.site.sparql.endpoint import answered
from kg.site.sparql.table import Head, table
from kg.site.templating import render

bp = Blueprint("questions", __name__)

_UNKEPT = {"Cache-Control": "private, no-cache"}
"""Of an answer that holds chance or time: a proxy that remembers what a release says does not remember it."""

_LONGEST = 1_000
"""Characters of what is chosen."""


@bp.get("/questions")
def listing() -> Response:
    """All of them."""
    return html(lambda: render("questions.html", questions=current().release.queries))


@bp.get("/question/<name>")
def question(name: str) -> Response:
    """One of them and its answer: a page, or data."""
    site = current()
    found, extension = _find(site, name)
    asked = _asked(site, found)
    form = inspect(asked.text, depth=site.pool.limits.depth)
    written = prepared.WRITTEN[form]
    if extension != "html" and (extension or _prefers_data(written.values())):
        return _data(site, asked, extension)
    if prepared.may_differ(asked.text):
        response = Response(_page(site, asked, form), headers=_UNKEPT)
    else:
        response = conditional(site, "html", lambda: _page(site, asked, form).encode(), spoken=True)
    response.content_type = HTML_TYPE
    if not extension:
        response.vary.add("Accept")
    return response


def _find(site: Site, name: str) -> tuple[ExampleQuery, str]:
    """The question of a name, and the extension behind it, if there is one."""
    questions = {question.name: question for question in site.release.queries}
    stem, _, written = name.rpartition(".")
    extension = "srj" if written == "json" else written  # what other lists of this site in JSON are called
    if name in questions:
        return questions[name], ""
    known = {"html", *(extension for written in prepared.WRITTEN.values() for extension in written)}
    if stem in questions and extension in known:
        return questions[stem], extension
    raise not_found(marked("This release has no question {name}."), name=f"“{name[:200]}”")


def _prefers_data(types: Iterable[str]) -> bool:
    offered = (media.HTML, *types)
    kind = media.negotiate(accepted(), offered)
    if kind is None:
        raise not_acceptable(offered)
    return kind != media.HTML


class _Choice(NamedTuple):
    """Something that may be chosen: how an address names it, what it is called, and whether it was chosen."""

    value: str
    label: str
    language: str
    is_chosen: bool


class _Field(NamedTuple):
    """A parameter as a field of a form; one without choices takes any ``text``."""

    name: str
    title: str
    choices: tuple[_Choice, ...]
    text: str


class _Asked(NamedTuple):
    """A question as somebody asks it: ``text`` has what was chosen, and ``query`` is the same in an address."""

    question: ExampleQuery
    text: str
    fields: tuple[_Field, ...]
    query: str


def _asked(site: Site, found: ExampleQuery) -> _Asked:
    """The question for what the address chooses.

    :raises BadRequest: if there is no such choice.
    """
    titles = dict(found.parameters)
    parameters = find(found.text, titles)
    choices: dict[str, NamedNode | Literal] = {}
    fields = []
    for parameter in parameters:
        wanted = request.args.get(parameter.name, "")[:_LONGEST]
        if wanted:
            choice = parameter.choice(wanted, site.base)
            if choice is None:
                text = marked("There is no choice {value} of {name} in this question.")
                raise BadRequest(Message(text, value=f"“{wanted[:200]}”", name=parameter.name))
            choices[parameter.name] = choice
        fields.append(_field(site, parameter, titles[parameter.name], wanted))
    query = urlencode({name: request.args[name][:_LONGEST] for name in choices})
    return _Asked(found, chosen(found.text, parameters, choices), tuple(fields), query)


def _field(site: Site, parameter: Parameter, title: str, wanted: str) -> _Field:
    if parameter.is_free:
        return _Field(parameter.name, title, (), wanted or parameter.terms[0].value)
    made = []
    for value, term in parameter.offered(site.base).items():
        label = site.labels[term.value] if isinstance(term, NamedNode) else None
        text, language = (label.text, label.language) if label else (term.value, "")
        made.append(_Choice(value, text, language, value == wanted))
    return _Field(parameter.name, title, tuple(made), "")


def _data(site: Site, asked: _Asked, extension: str) -> Response:
    wanted = protocol.read(protocol.sent(request))._replace(query=asked.text, wanted=extension)
    with Asking(site) as asking:
        plan = prepared.plan(site, wanted, request.headers.get("Accept"))
        response = answered(plan, asking)
    if not plan.etag:
        response.headers.update(_UNKEPT)
    if extension:
        response.headers.set("Content-Disposition", "attachment", filename=f"{asked.question.name}.{extension}")
    return response


def _page(site: Site, asked: _Asked, form: Form) -> str:
    question = asked.question
    traced = form is Form.SELECT and not site.foreign
    with Asking(site) as asking:
        shown = table(site, protocol.SparqlRequest(asked.text, evidence=traced), asked.text, asking)
    if "heads" in shown:
        shown["heads"] = _heads(site, question, [head.text for head in shown["heads"]], noted="notes" in shown)
    labels = {m.extension: m.label for m in media.RESULTS} | {m.extension: m.label for m in media.RDF}
    behind = f"?{asked.query}" if asked.query else ""
    return render(
        "question.html",
        question=question,
        asked=asked,
        summary=question.description or question.title,
        path=f"question/{encode(question.name)}",
        formats=[
            (f".{extension}{behind}", kind, labels[extension]) for extension, kind in prepared.WRITTEN[form].items()
        ],
        evidence=traced,
        **shown,
    )


def _heads(site: Site, question: ExampleQuery, names: list[str], *, noted: bool) -> list[Head]:
    """What the columns are called; ``noted``: the last one has the footnotes, and is ours."""
    called = dict(question.columns)
    own = [Head(called.get(name) or in_words(name), is_own=True) for name in names[: len(names) - noted]]
    return own + [Head(site.language.gettext("evidence"))] * noted


_NEXT_WORD = re.compile(r"_+|(?<=[^\W\d_])(?=\d)|(?<=[^\W_])(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])")


def in_words(variable: str) -> str:
    """The name of a variable as the head of a column that nobody has given another.

    >>> [in_words(name) for name in ("otherSpeaker", "part_number", "IRIOfPage", "toBeLeft", "n2", "größeDerKräne")]
    ['other speaker', 'part number', 'IRI of page', 'to be left', 'n 2', 'größe der kräne']
    """
    words = (word for word in _NEXT_WORD.split(variable) if word)
    return " ".join(word if len(word) > 1 and word.isupper() else word[:1].lower() + word[1:] for word in words)
