"""The straight way to a worker gives what Flask's way gives: status, headers, bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlencode

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from tests.site.asgi import Asgi, Counting, in_front
from werkzeug.exceptions import BadRequest
from werkzeug.test import Client

from kg.site.sparql.protocol import Sent, read

SELECT = "SELECT ?s ?p ?o { ?s ?p ?o } ORDER BY ?s ?p ?o LIMIT 30"
BASE = "http://localhost:8000/"
QUERY = {"Content-Type": "application/sparql-query"}
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}


@pytest.fixture(scope="module")
def straight(app: Flask) -> Iterator[Asgi]:
    client = Asgi(in_front(Counting(app)))
    yield client
    client.close()


def asks(query: str, **more: str) -> str:
    return "/sparql?" + urlencode({"query": query, **more}, quote_via=quote)


@pytest.mark.parametrize(
    ("path", "method", "headers", "data"),
    [
        (asks(SELECT), "GET", {}, b""),
        (asks(SELECT), "GET", {"Accept": "text/csv"}, b""),
        (asks(SELECT), "GET", {"Accept": "text/csv", "Accept-Encoding": "gzip"}, b""),
        (asks(SELECT, evidence="true"), "GET", {"Accept": "text/tab-separated-values"}, b""),
        (asks("SELECT (COUNT(*) AS ?n) {}", evidence="true"), "GET", {}, b""),
        (asks("ASK {}", evidence="true"), "GET", {}, b""),
        (asks(SELECT, **{"as": "csv"}), "GET", {}, b""),
        (asks(SELECT, **{"as": "docx"}), "GET", {}, b""),
        (asks("ASK {}"), "GET", {"Accept": "application/sparql-results+xml"}, b""),
        (asks("CONSTRUCT WHERE { <claim/gazette/1> ?p ?o }"), "GET", {"Accept": "application/ld+json"}, b""),
        (asks("DESCRIBE <claim/gazette/1>"), "GET", {"Accept": "text/turtle"}, b""),
        (asks(SELECT, **{"default-graph-uri": BASE + "claim/gazette/1"}), "GET", {}, b""),
        (asks("SELECT (NOW() AS ?n) { FILTER(false) }"), "GET", {}, b""),
        (asks(SELECT), "GET", {"Accept": "image/png"}, b""),
        (asks("SELECT * {"), "GET", {}, b""),
        (asks("SELECT * { ?s nope:x ?o }"), "GET", {"Accept": "text/plain"}, b""),
        (asks("ASK { SERVICE <http://example.org/> {} }"), "GET", {"Accept": "text/html"}, b""),
        (asks(SELECT, timeout="never"), "GET", {}, b""),
        (asks(SELECT, graph=BASE + "claim/gazette/1"), "GET", {"Accept": "text/turtle"}, b""),
        ("/sparql?query=%FF", "GET", {}, b""),
        ("/sparql?query=ASK{}&query=ASK{}", "GET", {}, b""),
        ("/sparql", "GET", {"Accept": "text/turtle"}, b""),
        ("/sparql", "GET", {"Accept": "text/html"}, b""),
        ("/sparql", "POST", QUERY, SELECT.encode()),
        ("/sparql", "QUERY", QUERY, SELECT.encode()),
        ("/sparql", "POST", FORM, urlencode({"query": SELECT}).encode()),
        ("/sparql", "POST", FORM, b"update=CLEAR+ALL"),
        ("/sparql", "POST", {"Content-Type": "text/plain"}, SELECT.encode()),
        ("/sparql", "POST", QUERY | {"Content-Encoding": "gzip"}, SELECT.encode()),
        ("/sparql", "PUT", QUERY, SELECT.encode()),
        ("/sparql", "OPTIONS", {}, b""),
        (asks(SELECT + " OFFSET 2"), "HEAD", {}, b""),
    ],
)
def test_both_ways_lead_to_the_same(
    *, path: str, method: str, headers: dict[str, str], data: bytes, straight: Asgi, app: Flask
) -> None:
    ways: list[Any] = [Client(app, use_cookies=False), straight, straight]
    answers = [way.open(path, method=method, headers=headers, data=data) for way in ways]
    heads = [{(name.lower(), value) for name, value in answer.headers} for answer in answers]
    assert heads[0] ^ heads[1] == heads[1] ^ heads[2] == set()
    assert len({(answer.status_code, answer.data) for answer in answers}) == 1


def test_a_client_that_has_the_answer_gets_304_both_ways(straight: Asgi, app: Flask) -> None:
    path = asks(SELECT + " OFFSET 1")
    etag = Client(app).get(path).headers["ETag"]
    for way in (Client(app, use_cookies=False), straight):
        answer: Any = way.open(path, headers={"If-None-Match": etag})
        assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", etag)


@given(
    st.lists(st.sampled_from([b"%", b"%41", b"%c3%A9", b"%zz", b"%%", b"=", b"_", b"+", b"a", b"\n", b"\r", b"\x00"]))
)
def test_percent_escapes_are_undone_as_by_the_library(pieces: list[bytes]) -> None:
    sent = b"".join(pieces)
    expected = unquote_to_bytes(sent.replace(b"+", b" "))
    try:
        found = read(Sent("GET", b"query=" + sent, "", "", bytes)).query
    except BadRequest:
        with pytest.raises(UnicodeDecodeError):
            expected.decode()
        return
    assert (found or "").encode() == expected
