"""Answers from memory are the answers of the application, byte for byte and header for header."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from flask import Flask
from tests.site.asgi import Asgi, Counting, in_front
from werkzeug.test import Client

from kg.site.lookups.state import Cache
from kg.site.serving.answer_cache import Memory

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

QUERY = "/sparql?query=" + quote("SELECT * { ?s ?p ?o } LIMIT 3")


@pytest.fixture
def behind(app: Flask) -> Counting:
    return Counting(app)


@pytest.fixture
def front(behind: Counting) -> Iterator[Asgi]:
    client = Asgi(in_front(behind))
    yield client
    client.close()


def get(client: Any, path: str, method: str = "GET", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.open(path, method=method, headers=named, buffered=True)


@pytest.mark.parametrize(
    "path", ["/page/north-pier", "/id/north-pier", "/claim/gazette/1", "/ontology", "/dumps/", "/catalog.ttl", QUERY]
)
@pytest.mark.parametrize("accept", ["text/html", "text/turtle", "application/ld+json;q=0.5, */*;q=0.1", "image/png"])
def test_the_second_answer_is_the_first(path: str, accept: str, front: Asgi, app: Flask) -> None:
    answers = [get(client, path, Accept=accept) for client in (Client(app), front, front)]
    heads = [{(name.lower(), value) for name, value in answer.headers} for answer in answers]
    assert heads[0] ^ heads[1] == heads[1] ^ heads[2] == set()
    assert len({(answer.status_code, answer.data) for answer in answers}) == 1


def test_formats_and_encodings_are_told_apart(front: Asgi, behind: Counting) -> None:
    kinds = ["text/csv", "application/sparql-results+json", "text/csv"]
    assert [get(front, QUERY, Accept=kind).mimetype for kind in kinds] == kinds
    assert behind.asked == 2
    long = "/sparql?query=" + quote("SELECT * { ?s ?p ?o } LIMIT 100")
    packed = get(front, long, Accept="text/csv", Accept_Encoding="gzip")
    plain = get(front, long, Accept="text/csv")
    assert (packed.headers.get("Content-Encoding"), plain.headers.get("Content-Encoding")) == ("gzip", None)


def test_what_a_client_has_already_is_not_sent_again(front: Asgi, behind: Counting) -> None:
    first = get(front, "/page/north-pier")
    again = get(front, "/page/north-pier", If_None_Match=f'"other", {first.headers["ETag"]}')
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert dict(first.headers).items() - dict(again.headers).items() == {
        ("content-type", "text/html; charset=utf-8"),
        ("content-length", str(len(first.data))),
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
    path: str, headers: dict[str, str], front: Asgi, behind: Counting
) -> None:
    get(front, path, **headers)
    once = behind.asked
    get(front, path, **headers)
    assert behind.asked == 2 * once > 0


def test_post_is_never_kept(front: Asgi, behind: Counting) -> None:
    for _ in range(2):
        answer = front.open("/sparql", "POST", {"Content-Type": "application/sparql-query"}, b"ASK {}")
        assert answer.status_code == 200
    assert behind.asked == 2


def test_memory_has_a_bound_and_the_oldest_goes_first() -> None:
    memory = Memory(room=45_000)
    headers = [(b"etag", b'"x"'), (b"content-length", b"9000")]
    for name in (b"a", b"b", b"c", b"d", b"e"):
        memory.keep((name,), 200, headers, b"x" * 9000)
    assert [name for name in (b"a", b"b", b"c", b"d", b"e") if memory.get((name,))] == [b"b", b"c", b"d", b"e"]


def test_addresses_and_headers_that_are_longer_than_the_answer_have_the_same_bound() -> None:
    """Strangers choose how long they are."""
    memory, cache, room = Memory(room=1 << 20), Cache(1 << 20), 1 << 20
    headers = [(b"etag", b'"x"'), (b"content-length", b"2"), (b"link", b"l" * 5_000)]
    for number in range(1_000):
        sent = f"/opensearch.xml?x={number:04}" + "a" * 5_000
        memory.keep((sent.encode(),), 200, headers, b"{}")
        cache.put((sent, sent, "html"), b"{}")
        if number in (0, 999):
            assert memory.get((sent.encode(),)), "the last one is kept"
            assert cache.get((sent, sent, "html")), "the last one is kept"
    kept = [n for n in range(1_000) if memory.get((f"/opensearch.xml?x={n:04}{'a' * 5_000}".encode(),))]
    assert 10 < len(kept) < room / 10_000
    in_cache = [(f"/opensearch.xml?x={n:04}{'a' * 5_000}",) * 2 for n in range(1_000)]
    assert 10 < sum(cache.get((*sent, "html")) is not None for sent in in_cache) < room / 10_000


class Breaking:
    """An application of a release whose answers break off."""

    def __init__(self, app: Flask) -> None:
        self.extensions = app.extensions

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("ETag", '"x"'), ("Content-Length", "9")])
        yield b"half"
        raise OSError


def test_an_answer_that_breaks_off_is_not_kept(app: Flask) -> None:
    behind = Counting(Breaking(app))
    client = Asgi(in_front(behind))
    for _ in range(2):
        with pytest.raises(OSError):
            get(client, "/")
    assert behind.asked == 2
    client.close()


def test_an_accept_header_sent_twice_is_not_taken_for_one_of_them(front: Asgi, behind: Counting) -> None:
    get(front, QUERY, Accept="text/csv")
    scope_headers = {"Accept": "text/csv", "accept": "application/json"}
    front.open(QUERY, headers=scope_headers)
    assert behind.asked == 2
