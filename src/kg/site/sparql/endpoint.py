"""``/sparql``: the SPARQL 1.1 Protocol for queries, and ``/query``: the same for people with a browser.

A query is looked at, run in a process of the pool, and its answer leaves as it is made. What fails before the first
byte is a problem document; what fails later breaks the connection, because an answer that was cut must not look whole.
A client that speaks HTTP/1.0 could not tell the two apart: it gets nothing before the answer is complete.

Without a query there is the service description, or the form for browsers; with ``?graph=IRI`` or ``?default`` a graph
of the release (SPARQL 1.1 Graph Store Protocol, reading only).
"""

from __future__ import annotations

import secrets
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from flask import Blueprint, Response, request
from pyoxigraph import NamedNode
from werkzeug.exceptions import BadRequest

from kg import media
from kg.errors import QueryError
from kg.query.base import Answer
from kg.site.answers import headers, packing, problems
from kg.site.answers.ranges import require
from kg.site.answers.respond import HTML_TYPE, cors, not_acceptable, not_found, preflight
from kg.site.components import footnotes
from kg.site.languages import marked
from kg.site.lookups.state import Site, current
from kg.site.sparql import editor, prepared, protocol, service
from kg.site.sparql.asking import Asking
from kg.site.sparql.table import table
from kg.site.templating import render

bp = Blueprint("sparql", __name__)

ERROR = "kg.error"
"""In ``environ``: the error that a query came to on the straight way (``serving.direct``), to be told from here."""

METHODS = ("GET", "HEAD", "POST", "QUERY", "OPTIONS")
_SPOOL = 1 << 20
_PIECE = 1 << 16


@bp.route("/sparql", methods=METHODS, provide_automatic_options=False)
def endpoint() -> Response:
    """The endpoint."""
    if request.method == "OPTIONS":
        return _options()
    if ERROR in request.environ:
        raise request.environ[ERROR]
    wanted = protocol.read(protocol.sent(request))
    if wanted.graph is not None:
        return _graph(wanted)
    if wanted.query is None or (not wanted.query and request.method in ("GET", "HEAD") and _prefers_html()):
        return _without_query()
    return _run(wanted)


@bp.get("/query")
def page() -> Response:
    """The form, which scripts make an editor, and below it the answer.

    The editor writes styles of its own, so the policy of this page has a nonce, and nobody keeps a copy of it.
    """
    nonce = secrets.token_urlsafe(16)
    response = _html_answer(protocol.read(protocol.sent(request)), nonce=nonce)
    response.headers[headers.POLICY] = headers.policy(nonce)
    response.headers["Cache-Control"] = "no-store"
    if packing.takes_gzip(request.headers.get("Accept-Encoding", "")):
        response.data = packing.pack(response.data)
        response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    return response


def _options() -> Response:
    response = Response(status=204, headers={"Allow": ", ".join(METHODS)})
    response.headers["Accept-Query"] = protocol.DIRECT
    return preflight(response, METHODS)


def _prefers_html() -> bool:
    kinds = (*(m.media_type for m in media.RESULTS), *(m.media_type for m in media.RDF), media.HTML)
    return media.negotiate(request.headers.get("Accept"), kinds) == media.HTML


def _without_query() -> Response:
    offered = (*(m.media_type for m in media.RDF), media.HTML)
    kind = media.negotiate(request.headers.get("Accept"), offered)
    if kind is None:
        raise not_acceptable(offered)
    if kind == media.HTML:
        return _html_answer(protocol.SparqlRequest(None))
    site = current()
    rdf = media.RDF_BY_TYPE[kind]
    prefixes = {**site.prefixes, "sd": service.SD, "formats": media.FORMATS}
    response = Response(media.serialise(service.describe(site, site.pool.limits), rdf, prefixes), content_type=kind)
    response.vary.add("Accept")
    response.headers["Cache-Control"] = "no-cache"
    return cors(response)


# A query


def _run(wanted: protocol.SparqlRequest) -> Response:
    site = current()
    with Asking(site) as asking:
        plan = prepared.plan(site, wanted, request.headers.get("Accept"))
        if plan.kind == media.HTML:
            return _html_answer(wanted, asking)
        return answered(plan, asking)


def answered(plan: prepared.Prepared, asking: Asking) -> Response:
    """The answer as data, or 304 where the client has it."""
    response = Response(headers=plan.headers)
    if plan.etag:
        response.headers["ETag"] = plan.etag
        if request.method in ("GET", "HEAD"):
            require(request.environ, plan.etag, None)
    if plan.etag and request.if_none_match.contains_weak(plan.etag.removeprefix("W/").strip('"')):
        response.status_code = 304
    elif request.method != "HEAD":
        answer = asking.run(plan.query)
        if answer.note:
            response.headers[footnotes.HEADER] = footnotes.header(answer.note)
        _fill(response, answer)
    return response


def _fill(response: Response, answer: Answer) -> None:
    """Put an answer into a response: whole where it is here already, else as a stream."""
    response.call_on_close(answer.close)
    pack = packing.takes_gzip(request.headers.get("Accept-Encoding", ""))
    if request.environ.get("SERVER_PROTOCOL") == "HTTP/1.0" and not answer.complete:
        _spool(response, answer)
        return
    if answer.complete:
        body = b"".join(answer.chunks)
        pack = pack and len(body) >= packing.WORTH_PACKING
        response.data = packing.pack(body) if pack else body
    else:
        response.response = _gzip(answer.chunks) if pack else answer.chunks
    if pack:
        response.headers["Content-Encoding"] = "gzip"


def _spool(response: Response, answer: Answer) -> None:
    """Wait for the end of the answer, so that its length can be told."""
    with closing(answer):
        file = tempfile.SpooledTemporaryFile(max_size=_SPOOL)  # noqa: SIM115 - closed when it has been sent
        try:
            for chunk in answer.chunks:
                file.write(chunk)
        except BaseException:
            file.close()
            raise
    response.content_length = file.tell()
    file.seek(0)
    response.call_on_close(file.close)
    response.response = iter(lambda: file.read(_PIECE), b"")


def _gzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    packer = packing.packer()
    first = True
    for chunk in chunks:
        data = packer.compress(chunk)
        if first:
            data += packer.flush(zlib.Z_SYNC_FLUSH)
            first = False
        if data:
            yield data
    yield packer.flush()


# A graph (https://www.w3.org/TR/sparql11-http-rdf-update/#http-get)


def _graph(wanted: protocol.SparqlRequest) -> Response:
    site, iri = current(), wanted.graph or ""
    if iri:
        try:
            node = NamedNode(iri)
        except ValueError:
            raise BadRequest("The parameter graph is no absolute IRI.") from None
        if next(iter(site.store.quads(None, None, None, node)), None) is None:
            raise not_found(marked("This release has no graph {name}."), name=f"<{iri[:200]}>")
    offered = tuple(m.media_type for m in media.RDF)
    kind = media.negotiate(request.headers.get("Accept"), offered)
    if kind is None:
        raise not_acceptable(offered)
    with Asking(site) as asking:
        return answered(prepared.graph(site, iri, kind), asking)


# A page


def _html_answer(wanted: protocol.SparqlRequest, asking: Asking | None = None, *, nonce: str = "") -> Response:
    """The form with the answer; with a ``nonce``, the editor too."""
    site = current()
    context: dict[str, Any] = {"query": wanted.query, "asked": wanted, "status": 200, "nonce": nonce}
    if wanted.query:
        context |= _answer_for_page(site, wanted, wanted.query, asking)
    html = render(
        "sparql.html",
        questions=site.release.queries,
        limits=service.limits_table(site.pool.limits),
        results=media.RESULTS,
        graphs=media.RDF,
        for_editor=editor.data(site, context) if nonce else None,
        **context,
    )
    response = Response(html, status=context["status"], content_type=HTML_TYPE)
    if "problem" in context and "retry_after" in context["problem"]:
        response.headers["Retry-After"] = str(context["problem"]["retry_after"])
    response.headers["Cache-Control"] = "no-cache"
    response.vary.add("Accept")
    return response


def _answer_for_page(site: Site, wanted: protocol.SparqlRequest, text: str, asking: Asking | None) -> dict[str, Any]:
    """The answer as cells of a table, or the problem with the query, which then stands beside it."""
    try:
        with asking or Asking(site) as turn:
            return table(site, wanted, text, turn)
    except QueryError as e:
        problem = problems.problem(e)
        return {
            "problem": problem,
            "place": problems.place(problem, site.language.gettext),
            "status": problem["status"],
        }
