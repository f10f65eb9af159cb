"""Every error that leaves the site: one table from exception to status, one problem document (RFC 9457) for all.

Clients get ``application/problem+json`` unless they prefer a page or plain text. Besides ``title``, ``status`` and
``detail`` a problem may have ``line`` and ``column`` (from 1, in the query), ``limit`` (which one a query ran into),
``retry_after`` (seconds), and ``history`` (a relative address, where an earlier release has what this one has not).
Strangers never see a traceback, nor the message of an error that is ours to look into.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request
from markupsafe import Markup, escape
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from kg import media
from kg.errors import (
    EndpointBusy,
    EndpointError,
    EndpointTimeout,
    KgError,
    QueryBusy,
    QueryError,
    QueryKilled,
    QueryLeft,
    QueryLimited,
    QueryRefused,
)
from kg.site.answers.address import here, meanings, raw_path
from kg.site.answers.links import page_path
from kg.site.answers.respond import cors, moved
from kg.site.languages import Message, marked
from kg.site.lookups.state import Site, current
from kg.site.templating import render

STATUS: Mapping[type[KgError], tuple[HTTPStatus, str]] = {
    QueryRefused: (HTTPStatus.BAD_REQUEST, marked("The query is not accepted")),
    QueryKilled: (HTTPStatus.SERVICE_UNAVAILABLE, marked("The query ran into a limit")),
    QueryBusy: (HTTPStatus.SERVICE_UNAVAILABLE, marked("Too many queries at once")),
    QueryLimited: (HTTPStatus.TOO_MANY_REQUESTS, marked("Too many queries from one address")),
    EndpointBusy: (HTTPStatus.SERVICE_UNAVAILABLE, marked("The store behind this site is not available")),
    EndpointTimeout: (HTTPStatus.GATEWAY_TIMEOUT, marked("The store behind this site did not answer")),
    EndpointError: (HTTPStatus.BAD_GATEWAY, marked("The store behind this site failed")),
    QueryError: (HTTPStatus.INTERNAL_SERVER_ERROR, marked("The query could not be answered")),
    KgError: (HTTPStatus.INTERNAL_SERVER_ERROR, marked("Something is wrong here")),
}
"""Status and title; the first class that fits counts."""

_PHRASES = (
    marked("Bad Request"),
    marked("Not Found"),
    marked("Method Not Allowed"),
    marked("Not Acceptable"),
    marked("Gone"),
    marked("Precondition Failed"),
    marked("Unsupported Media Type"),
    marked("Requested Range Not Satisfiable"),
    marked("Request Entity Too Large"),
    marked("Internal Server Error"),
)
"""The titles of werkzeug's errors (RFC 9110, section 15) as the catalogues have them."""

RETRY_KILLED = 60
"""Seconds after which a query that was killed may be sent again: sooner it would only be killed again."""

PROBLEM_JSON = "application/problem+json"
_OFFERED = (PROBLEM_JSON, "application/json", media.HTML, "text/plain")
_LONGEST = 100
_HIDDEN = marked("The server could not answer. What happened is in its log.")
_ONLY_READ = marked("This address does not answer that method. What is published is a sealed release: it is only read.")
_NAMED = ("id", "page", "data", "claim", "document", "passage")
"""Where the addresses begin of what a release may no longer have."""

_KEPT_HEADERS = ("Allow", "Content-Range", "Retry-After")


def problem(error: Exception) -> dict[str, Any]:
    """An exception as the members of a problem document."""
    if isinstance(error, HTTPException):
        status = HTTPStatus(error.code or 500)
        detail = error.description or status.description
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            detail = Message(_ONLY_READ)
        return {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail}
    status, title = next((row for kind, row in STATUS.items() if isinstance(error, kind)), STATUS[KgError])
    # Messages of other errors may name files of this machine.
    detail = str(error) if isinstance(error, QueryError) else Message(_HIDDEN)
    found: dict[str, Any] = {"type": "about:blank", "title": title, "status": int(status), "detail": detail}
    for name in ("line", "column", "limit", "retry_after"):
        value = getattr(error, name, None)
        if value and isinstance(error, QueryError):
            found[name] = value
    if isinstance(error, QueryKilled):
        found["retry_after"] = RETRY_KILLED
    return found


def place(found: Mapping[str, Any], gettext: Callable[[str], str] = str) -> str:
    """Where in the query it is, for people.

    >>> place({"line": 2, "column": 7}), place({})
    ('line 2, column 7', '')
    """
    if "line" not in found:
        return ""
    return gettext("line {line}, column {column}").format(line=found["line"], column=found["column"])


def detail(found: Mapping[str, Any], site: Site) -> Markup:
    """What is wrong, for people: in their language, or in English and marked as that."""
    said = found["detail"]
    if isinstance(said, Message):
        return escape(said.in_words(site.language.gettext))
    return Markup('<span lang="en">{}</span>').format(said)


def words_of(path: str) -> str:
    """What somebody who asked for a path may be looking for.

    >>> words_of("/page/north-pier"), words_of("/claim/gazette/9")
    ('north pier', 'gazette')
    """
    parts = [part for part in path.split("/")[2:] if not part.isdecimal()] or [""]
    return " ".join(re.split(r"[-_\s]+", parts[-1])).strip()[:_LONGEST]


def _history() -> str:
    """Where the history is, from here, of what was asked for, if an earlier release has it."""
    sent = raw_path()[1:]
    try:
        site = current()
        if site.foreign or sent.partition("/")[0] not in _NAMED:
            return ""
        site.history.update()
        held = next((iri for iri in meanings(site, sent) if site.history.holding(iri)), "")
    except Exception:  # the answer is the same without it
        current_app.logger.exception("the history of what is not here cannot be read")
        return ""
    return f"{here()}history/{page_path(site.names.local(held) or '')}" if held else ""


def respond(error: Exception) -> Response:
    """The answer for an exception, in the form that the client prefers."""
    found = problem(error)
    if found["status"] == HTTPStatus.NOT_FOUND and (history := _history()):
        found["history"] = history
    kind = media.negotiate(request.headers.get("Accept"), _OFFERED) or PROBLEM_JSON
    if kind == media.HTML:
        response = _page(found)
    elif kind == "text/plain":
        where = place(found)
        text = f"{found['status']} {found['title']}\n{where + ': ' if where else ''}{found['detail']}\n"
        text += f"Earlier releases: {found['history']}\n" if "history" in found else ""
        response = Response(text, content_type="text/plain; charset=utf-8")
    else:
        response = Response(json.dumps(found, ensure_ascii=False) + "\n", content_type=kind)
    response.status_code = found["status"]
    response.headers["Cache-Control"] = "no-store"
    if "retry_after" in found:
        response.headers["Retry-After"] = str(found["retry_after"])
    if isinstance(error, HTTPException):
        kept = error.get_response(request.environ).headers
        response.headers.extend((name, kept[name]) for name in _KEPT_HEADERS if name in kept)
    response.vary.add("Accept")
    # What programs of other sites ask for, they may read; pages are for people.
    return response if kind == media.HTML else cors(response)


def _page(found: Mapping[str, Any]) -> Response:
    try:
        wanted = words_of(request.path) if found["status"] == HTTPStatus.NOT_FOUND else ""
        where = place(found, current().language.gettext)
        page = render("problem.html", problem=found, detail=detail(found, current()), place=where, wanted=wanted)
    except Exception:  # whatever broke the page must not hide what it was to say
        current_app.logger.exception("the page of a problem cannot be made")
        return Response(
            f"{found['status']} {found['title']}\n{found['detail']}\n", content_type="text/plain; charset=utf-8"
        )
    return Response(page, content_type="text/html; charset=utf-8")


def register(app: Flask) -> None:
    """Answer every exception of the application."""

    @app.before_request
    def slash() -> Response | None:
        """An address that is there with a slash: werkzeug would make that of whatever Host the client named."""
        error = request.routing_exception
        if not isinstance(error, RequestRedirect):
            return None
        there = urlsplit(error.new_url)
        name = there.path.rstrip("/").rpartition("/")[2]
        return moved(f"{name}/" + (f"?{there.query}" if there.query else ""), "./")

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response | HTTPException:
        if error.code is None or error.code < HTTPStatus.BAD_REQUEST:
            return error  # a redirect
        return respond(error)

    @app.errorhandler(KgError)
    def ours(error: KgError) -> Response:
        if not isinstance(error, QueryRefused | QueryKilled | QueryBusy | QueryLimited | QueryLeft):
            app.logger.error("%s: %s", type(error).__name__, error)
        return respond(error)

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        app.logger.exception("unexpected error", exc_info=error)
        return respond(error)
