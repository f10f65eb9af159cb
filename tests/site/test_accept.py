"""What Accept may look like, on the wire: odd, long, in several lines."""

from __future__ import annotations

import pytest
from tests.site.wire import Wire, holds

TURTLE = "text/turtle"
MANY = ", ".join(f"application/x-{n};q=0.{n % 10}" for n in range(330))
ODD_ACCEPTS = {
    "text/turtle; charset=utf-8": TURTLE,
    "text/turtle;charset=ISO-8859-1": TURTLE,
    'application/ld+json;profile="http://www.w3.org/ns/json-ld#compacted"': "application/ld+json",
    'application/ld+json;profile="a,b;q=0"': "application/ld+json",
    "application/n-triples;q=0, text/turtle;q=0.001": TURTLE,
    "text/turtle;q=0, */*": "text/html",
    "*/*;q=0.1, application/trig": "application/trig",
    "TEXT/TURTLE": TURTLE,
    "text/turtle;Q=1": TURTLE,
    "text/turtle;q=high": TURTLE,
    "text/turtle;q=": TURTLE,
    "text/turtle;q=1.5": TURTLE,
    "text/turtle;q=-1, application/trig;q=0": TURTLE,
    "text/turtle;;;q=0.5": TURTLE,
    ", ,text/turtle, ,": TURTLE,
    "text/*": "text/html",
    "*": "text/html",
    "application/json;q=0, text/turtle": TURTLE,
    MANY + ", text/turtle": None,
    "text/turtle, " + MANY: TURTLE,
    "": "text/html",
    "garbage": None,
    ";q=1": None,
    "text/turtle;q=0": None,
    "*/*;q=0": None,
    'text/turtle;profile="unclosed': TURTLE,
    "\xe9/\xff, text/turtle": TURTLE,
}


@pytest.mark.parametrize("accept", ODD_ACCEPTS, ids=lambda accept: accept[:40] or "empty")
def test_an_odd_accept_is_answered(accept: str, wire: Wire) -> None:
    answer = wire.ask("/claim/gazette/1", Accept=accept)
    wanted = ODD_ACCEPTS[accept]
    holds(answer, accept)
    if wanted is None:
        # A list that is too long is read as far as it is read: what comes is one of what was asked for, or 406.
        assert answer.status == 406, answer.status
        assert answer.one("content-type").startswith("application/problem+json")
    else:
        assert (answer.status, answer.one("content-type").partition(";")[0]) == (200, wanted)


def test_accept_may_come_in_several_lines(wire: Wire) -> None:
    head = b"GET /claim/gazette/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    answer = wire.send(head + b"Accept: audio/ogg\r\nAccept: text/turtle\r\n\r\n")
    assert answer.one("content-type").startswith(TURTLE)


def test_an_accept_of_ten_kilobytes_is_answered_and_a_longer_one_refused(wire: Wire) -> None:
    long = ", ".join(["application/x-something;q=0.1"] * 340) + ", text/turtle"
    assert len(long) > 10_000
    assert wire.ask("/claim/gazette/1", Accept="text/turtle, " + long).status == 200
    assert wire.ask("/claim/gazette/1", Accept="text/turtle, " + "a" * 30_000).status in (400, 413, 431)
