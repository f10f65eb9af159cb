"""``/sparql``: the SPARQL 1.1 Protocol for queries, and ``/query``: the same for people with a browser.

A query is looked at, run in a process of the pool, and its answer leaves as it is made. What fails before the first
byte is a problem document; what fails later breaks the connection, because an answer that was cut must not look whole.
A client that speaks HTTP/1.0 could not tell the two apart: it gets nothing before the answer is complete.

Without a query there is the service description, or the form for browsers; with ``?graph=IRI`` or ``?default`` a graph
of the release (SPARQL 1.1 Graph Store Protocol, reading only).
"""

from __future__ import annotations

import json
import re
import secrets
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from hashlib import sha256
from typing import Any

from flask import Blueprint, Response, request
from markupsafe import Markup
from pyoxigraph import BlankNode, Literal, NamedNode
from werkzeug.exceptions import BadRequest

from kg import media
from kg.errors import QueryError
from kg.query.lexer import Form, inspect
from kg.query.pool import Answer, Query
from kg.site import editor, footnotes, headers, problems, protocol, service
from kg.site.address import here
from kg.site.asgi import GONE
from kg.site.asking import Asking
from kg.site.nodes import Linker
from kg.site.respond import HTML_TYPE, cors, not_acceptable, not_found
from kg.site.state import Site, current
from kg.site.templating import render

bp = Blueprint("sparql", __name__)

METHODS = ("GET", "HEAD", "POST", "QUERY", "OPTIONS")
SHOWN = 500
"""Rows of an answer that a page shows."""

_SPOOL = 1 << 20
_PIECE = 1 << 16
_WORTH_PACKING = 1024
# An answer that holds one of these may differ next time.
_VOLATILE = re.compile(r"\b(?:NOW|RAND|UUID|STRUUID|BNODE)\s*\(|\[|_:", re.IGNORECASE)


@bp.route("/sparql", methods=METHODS, provide_automatic_options=False)
def endpoint() -> Response:
    """The endpoint."""
    if request.method == "OPTIONS":
        return _options()
    asked = protocol.read(request)
    if asked.graph is not None:
        return _graph(asked)
    if asked.query is None or (not asked.query and request.method in ("GET", "HEAD") and _prefers_html()):
        return _without_query()
    return _run(asked, asked.query)


@bp.get("/query")
def page() -> Response:
    """The form, which scripts make an editor, and below it the answer.

    The editor writes styles of its own, so the policy of this page has a nonce, and nobody keeps a copy of it.
    """
    nonce = secrets.token_urlsafe(16)
    response = _html_answer(protocol.read(request), nonce=nonce)
    response.headers[headers.POLICY] = headers.policy(nonce)
    response.headers["Cache-Control"] = "no-store"
    return response


def _options() -> Response:
    response = Response(status=204, headers={"Allow": ", ".join(METHODS)})
    response.headers["Access-Control-Allow-Methods"] = ", ".join(METHODS)
    response.headers["Access-Control-Allow-Headers"] = "Accept, Content-Type, If-None-Match"
    response.headers["Access-Control-Max-Age"] = "86400"
    response.headers["Accept-Query"] = protocol.DIRECT
    return cors(response)


def _prefers_html() -> bool:
    kinds = (*(m.media_type for m in media.RESULTS), *(m.media_type for m in media.RDF), media.HTML)
    return media.negotiate(request.headers.get("Accept"), kinds) == media.HTML


def _without_query() -> Response:
    offered = (*(m.media_type for m in media.RDF), media.HTML)
    kind = media.negotiate(request.headers.get("Accept"), offered)
    if kind is None:
        raise not_acceptable(offered)
    if kind == media.HTML:
        return _html_answer(protocol.Asked(None))
    site = current()
    rdf = media.RDF_BY_TYPE[kind]
    prefixes = {**site.prefixes, "sd": service.SD, "formats": "http://www.w3.org/ns/formats/"}
    response = Response(media.serialise(service.describe(site, site.pool.limits), rdf, prefixes), content_type=kind)
    response.vary.add("Accept")
    response.headers["Cache-Control"] = "no-cache"
    return cors(response)


# A query


def _run(asked: protocol.Asked, text: str) -> Response:
    site = current()
    with Asking(site) as asking:
        return _answered(site, asked, text, asking)


def _answered(site: Site, asked: protocol.Asked, text: str, asking: Asking) -> Response:
    form = inspect(text, depth=site.pool.limits.depth)
    kind = _choose(form, asked.wanted)
    if kind == media.HTML:
        return _html_answer(asked, asking)
    if asked.evidence and form is not Form.SELECT:
        raise BadRequest(f"Footnotes (evidence=true) belong to the rows of a SELECT query; {form.value} has none.")
    tag = _etag(site, asked, kind)
    response = Response(content_type=_content_type(kind))
    if tag:
        response.set_etag(tag, weak=True)
        if request.if_none_match.contains_weak(tag):
            response.status_code = 304
    if response.status_code != 304 and request.method != "HEAD":
        query = Query(text, kind, asked.default_graphs, asked.named_graphs, asked.timeout, evidence=asked.evidence)
        answer = asking.follow(site.pool.run(query, gone=_gone()))
        if answer.note:
            response.headers[footnotes.HEADER] = footnotes.header(answer.note)
        _fill(response, answer)
    if asked.wanted:
        response.headers["Content-Disposition"] = f'attachment; filename="answer.{asked.wanted}"'
    return _finish(response)


def _finish(response: Response) -> Response:
    response.vary.update(("Accept", "Accept-Encoding"))
    response.headers["Cache-Control"] = "no-cache"
    return cors(response)


def _choose(form: Form, wanted: str) -> str:
    """The media type of the answer: what the form for browsers names, or what Accept prefers."""
    table: Sequence[media.ResultMedia | media.RdfMedia]
    if form in (Form.SELECT, Form.ASK):
        table = [m for m in media.RESULTS if form is Form.SELECT or m.boolean]
    else:
        table = media.RDF
    if wanted:
        found = [m.media_type for m in table if m.extension == wanted]
        if not found:
            names = ", ".join(m.extension for m in table)
            raise BadRequest(f"The answer to {form.value} cannot be written as {wanted[:40]!r}, but as {names}.")
        return found[0]
    offered = (*(m.media_type for m in table), media.HTML)
    kind = media.negotiate(request.headers.get("Accept"), offered)
    if kind is None:
        raise not_acceptable(offered)
    return kind


def _content_type(kind: str) -> str:
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def _etag(site: Site, asked: protocol.Asked, kind: str) -> str:
    """The release and the question: together they settle the answer, unless it holds chance or time."""
    if asked.query is None or _VOLATILE.search(asked.query):
        return ""
    question = json.dumps([asked.query, asked.default_graphs, asked.named_graphs, kind, asked.evidence])
    return sha256(f"{site.tag}\n{question}".encode()).hexdigest()[:32]


def _fill(response: Response, answer: Answer) -> None:
    """Put an answer into a response: whole where it is here already, else as a stream."""
    response.call_on_close(answer.close)
    pack = request.accept_encodings["gzip"] > 0
    if request.environ.get("SERVER_PROTOCOL") == "HTTP/1.0" and not answer.complete:
        _spool(response, answer)
        return
    if answer.complete:
        body = b"".join(answer.chunks)
        pack = pack and len(body) >= _WORTH_PACKING
        response.data = b"".join(_gzip(iter((body,)))) if pack else body
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
    packer = zlib.compressobj(level=1, wbits=31)
    first = True
    for chunk in chunks:
        data = packer.compress(chunk)
        if first:
            data += packer.flush(zlib.Z_SYNC_FLUSH)
            first = False
        if data:
            yield data
    yield packer.flush()


def _gone() -> Callable[[], bool] | None:
    """Looks whether the client has closed its connection, where the server shows it to us."""
    return request.environ.get(GONE)


# A graph (https://www.w3.org/TR/sparql11-http-rdf-update/#http-get)


def _graph(asked: protocol.Asked) -> Response:
    if request.method not in ("GET", "HEAD"):
        raise BadRequest("A graph is read with GET; nothing can be written here.")
    site, iri = current(), asked.graph or ""
    if iri:
        try:
            node = NamedNode(iri)
        except ValueError:
            raise BadRequest("The parameter graph is no absolute IRI.") from None
        if next(iter(site.store.quads(None, None, None, node)), None) is None:
            raise not_found(f"graph <{iri[:200]}>")
    offered = tuple(m.media_type for m in media.RDF)
    kind = media.negotiate(request.headers.get("Accept"), offered)
    if kind is None:
        raise not_acceptable(offered)
    response = Response(content_type=_content_type(kind))
    if request.method != "HEAD":
        query = Query("CONSTRUCT WHERE { ?s ?p ?o }", kind, (iri,) if iri else ())
        with Asking(site) as asking:
            _fill(response, asking.follow(site.pool.run(query, gone=_gone())))
    return _finish(response)


# A page


def _html_answer(asked: protocol.Asked, asking: Asking | None = None, *, nonce: str = "") -> Response:
    """The form with the answer; with a ``nonce``, the editor too."""
    site = current()
    context: dict[str, Any] = {"query": asked.query, "asked": asked, "status": 200, "nonce": nonce}
    if asked.query:
        context |= _answer_for_page(site, asked, asked.query, asking)
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


def _answer_for_page(site: Site, asked: protocol.Asked, text: str, asking: Asking | None) -> dict[str, Any]:
    """The answer as cells of a table, or the problem with the query, which then stands beside it."""
    try:
        with asking or Asking(site) as turn:
            return _table(site, asked, text, turn)
    except QueryError as e:
        problem = problems.problem(e)
        return {
            "problem": problem,
            "place": problems.place(problem, site.language.gettext),
            "status": problem["status"],
        }


def _table(site: Site, asked: protocol.Asked, text: str, asking: Asking) -> dict[str, Any]:
    form = inspect(text, depth=site.pool.limits.depth)
    evidence = asked.evidence and form is Form.SELECT
    query = Query(
        text,
        media.HTML,
        asked.default_graphs,
        asked.named_graphs,
        asked.timeout,
        preview=SHOWN,
        evidence=evidence,
    )
    with asking.follow(site.pool.run(query, gone=_gone())) as answer:
        found = json.loads(b"".join(answer.chunks))
        note = answer.note
    if "boolean" in found:
        return {"form": form.value, "boolean": found["boolean"], "found": found}
    linker = site.linker(here())
    shown: dict[str, Any] = {
        "form": form.value,
        "names": found["vars"],
        "more": found["more"],
        "traced": note,
        "found": {**found, "note": note},
    }
    if not note:
        return shown | {"rows": [[_cell(linker, term) for term in row] for row in found["rows"]]}
    notes = footnotes.Notes(site, linker)
    rows = [[*(_cell(linker, term) for term in row[:-1]), notes.cell(row[-1]["value"])] for row in found["rows"]]
    return shown | {"rows": rows, "notes": notes.listed()}


def _cell(linker: Linker, term: dict[str, Any] | None) -> Markup:
    if term is None:
        return Markup()
    kind, value = term["type"], term["value"]
    if kind == "uri":
        return linker.node(NamedNode(value))
    if kind == "bnode":
        return linker.node(BlankNode(value))
    if kind == "literal":
        language = term.get("xml:lang")
        node = Literal(value, language=language) if language else Literal(value, datatype=NamedNode(term["datatype"]))
        return linker.node(node, term.get("length", 0))
    return Markup("<code>{}</code>").format(value)
