"""What is settled about the answer to a query before it is run: its format, its headers, and whether it may be kept."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from werkzeug.exceptions import BadRequest

from kg import media
from kg.query.base import Query
from kg.query.lexer import Form, inspect
from kg.site.answers.respond import CORS, not_acceptable
from kg.site.lookups.state import Site
from kg.site.sparql.protocol import SparqlRequest

_CHANCE = re.compile(r"\b(?:NOW|RAND|UUID|STRUUID|BNODE)\s*\(", re.IGNORECASE)


_RDF = {m.extension: m.media_type for m in media.RDF}
WRITTEN = {
    Form.SELECT: {m.extension: m.media_type for m in media.RESULTS},
    Form.ASK: {m.extension: m.media_type for m in media.RESULTS if m.boolean},
    Form.CONSTRUCT: _RDF,
    Form.DESCRIBE: _RDF,
}
"""By extension, the media types of the answers to each form."""


class Prepared(NamedTuple):
    """A query that may be run.

    ``kind`` is the media type of the answer, ``etag`` its ETag, "" if it may change, ``headers`` the others.
    """

    form: Form
    kind: str
    query: Query
    etag: str
    headers: tuple[tuple[str, str], ...]


def plan(site: Site, asked: SparqlRequest, accept: str | None) -> Prepared:
    """How to answer a request that has a query.

    :raises QueryRefused: if it may not be run.
    :raises BadRequest: if it cannot be answered as asked for.
    :raises NotAcceptable: naming what there is.
    """
    text = asked.query or ""
    form = inspect(text, depth=site.pool.limits.depth)
    kind = _choose(form, asked.wanted, accept)
    if asked.evidence and form is not Form.SELECT and kind != media.HTML:
        raise BadRequest(f"Footnotes (evidence=true) belong to the rows of a SELECT query; {form.value} has none.")
    query = Query(text, kind, asked.default_graphs, asked.named_graphs, asked.timeout, evidence=asked.evidence)
    etag = "" if may_differ(text) else _etag(site, query)
    return Prepared(form, kind, query, etag, _headers(kind, asked.wanted))


def graph(site: Site, iri: str, kind: str) -> Prepared:
    """How to answer a request for a graph, in one of the types of RDF; ``""``: the default graph."""
    query = Query("CONSTRUCT WHERE { ?s ?p ?o }", kind, (iri,) if iri else ())
    return Prepared(Form.CONSTRUCT, kind, query, _etag(site, query), _headers(kind, ""))


@lru_cache(64)
def _headers(kind: str, wanted: str) -> tuple[tuple[str, str], ...]:
    saved = [("Content-Disposition", f'attachment; filename="answer.{wanted}"')] if wanted else []
    return ("Content-Type", media.content_type(kind)), *ANSWER, *saved


ANSWER = (("Vary", "Accept, Accept-Encoding"), ("Cache-Control", "no-cache"), *CORS)
"""Headers of every answer of the endpoint."""


def _choose(form: Form, wanted: str, accept: str | None) -> str:
    """The media type of the answer: what the form for browsers names, or what Accept prefers."""
    written = WRITTEN[form]
    if wanted:
        if wanted not in written:
            names = ", ".join(written)
            raise BadRequest(f"The answer to {form.value} cannot be written as {wanted[:40]!r}, but as {names}.")
        return written[wanted]
    offered = (*written.values(), media.HTML)
    kind = media.negotiate(accept, offered)
    if kind is None:
        raise not_acceptable(offered)
    return kind


def may_differ(query: str) -> bool:
    """Whether the same release may answer otherwise next time: by chance, time, or names of blank nodes."""
    return "[" in query or "_:" in query or ("(" in query and _CHANCE.search(query) is not None)


def _etag(site: Site, query: Query) -> str:
    """The release and the question: together they settle the answer, unless it holds chance or time."""
    how = (query.media_type, query.evidence, query.default_graphs, query.named_graphs)
    return f'W/"{sha256(f"{site.tag}{how}{query.text}".encode()).hexdigest()[:32]}"'
