"""Answers from memory are the answers of the application, byte for byte and header for header."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from flask import Flask
from werkzeug.test import Client

from kg.site.remember import Remembering

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

QUERY = "/sparql?query=" + quote("SELECT * { ?s ?p ?o } LIMIT 3")


class Counting:
    """An application that counts how often it is asked."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.asked = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.asked += 1
        body: Iterable[bytes] = self.app(environ, start_response)
        return body


@pytest.fixture
def behind(app: Flask) -> Counting:
    return Counting(app)


@pytest.fixture
def front(behind: Counting) -> Client:
    return Client(Remembering(behind), use_cookies=False)


def get(client: Client, path: str, method: str = "GET", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.open(path, method=method, headers=named, buffered=True)


@pytest.mark.parametrize(
    "path", ["/page/north-pier", "/id/north-pier", "/claim/gazette/1", "/ontology", "/dumps/", "/catalog.ttl", QUERY]
)
@pytest.mark.parametrize("accept", ["text/html", "text/turtle", "application/ld+json;q=0.5, */*;q=0.1", "image/png"])
def test_the_second_answer_is_the_first(path: str, accept: str, front: Client, app: Flask) -> None:
    answers = [get(client, path, Accept=accept) for client in (Client(app), front, front)]
    seen = [(a.status_code, a.data, sorted(a.headers)) for a in answers]
    assert seen[0] == seen[1] == seen[2]


def test_formats_and_encodings_are_told_apart(front: Client, behind: Counting) -> None:
    kinds = ["text/csv", "application/sparql-results+json", "text/csv"]
    assert [get(front, QUERY, Accept=kind).mimetype for kind in kinds] == kinds
    assert behind.asked == 2
    long = "/sparql?query=" + quote("SELECT * { ?s ?p ?o } LIMIT 100")
    packed = get(front, long, Accept="text/csv", Accept_Encoding="gzip")
    plain = get(front, long, Accept="text/csv")
    assert (packed.headers.get("Content-Encoding"), plain.headers.get("Content-Encoding")) == ("gzip", None)


def test_what_a_client_has_already_is_not_sent_again(front: Client, behind: Counting) -> None:
    first = get(front, "/page/north-pier")
    again = get(front, "/page/north-pier", If_None_Match=f'"other", {first.headers["ETag"]}')
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert dict(first.headers).items() - dict(again.headers).items() == {
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Length", str(len(first.data))),
    }
    assert get(front, "/page/north-pier", If_None_Match='"other"').data == first.data
    head = get(front, "/page/north-pier", "HEAD")
    assert (head.status_code, head.data, head.headers["Content-Length"]) == (200, b"", str(len(first.data)))
    assert behind.asked == 1


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/page/nothing-of-the-kind", {}),
        ("/sparql?query=" + quote("SELECT (NOW() AS ?n) {}"), {}),
        ("/sparql?query=" + quote("SELECT (RAND() AS ?n) {}"), {}),
        ("/sparql?query=" + quote("SELECT * {"), {}),
        ("/id/north-pier", {}),
        ("/health", {}),
        ("/page/north-pier", {"Range": "bytes=0-9"}),
        ("/page/north-pier", {"Cookie": "a=b"}),
    ],
)
def test_what_may_differ_next_time_is_never_kept(
    path: str, headers: dict[str, str], front: Client, behind: Counting
) -> None:
    for _ in range(2):
        get(front, path, **headers)
    assert behind.asked == 2


def test_post_is_never_kept(front: Client, behind: Counting) -> None:
    for _ in range(2):
        assert front.post("/sparql", data={"query": "ASK {}"}).status_code == 200
    assert behind.asked == 2


def test_memory_has_a_bound_and_the_oldest_goes_first() -> None:
    asked: list[str] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        asked.append(environ["PATH_INFO"])
        start_response("200 OK", [("ETag", '"x"'), ("Content-Length", "9000")])
        return [b"x" * 9000]

    client = Client(Remembering(app, room=45_000))
    for name in "abcde":
        get(client, f"/{name}")
    asked.clear()
    for name in "edcb":
        get(client, f"/{name}")
    assert asked == []
    get(client, "/a")
    get(client, "/b")
    assert asked == ["/a", "/b"]


def test_an_answer_that_breaks_off_is_not_kept() -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("ETag", '"x"'), ("Content-Length", "9")])
        yield b"half"
        raise OSError

    front = Remembering(app)
    for _ in range(2):
        with pytest.raises(OSError):
            get(Client(front), "/")
