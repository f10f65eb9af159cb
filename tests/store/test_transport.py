"""What an endpoint sends is looked at before a parser gets it."""

from __future__ import annotations

import socket
from http.client import HTTPResponse

import pytest

from kg.errors import EndpointError
from kg.store.transport import DEPTH, Body


def received(content: bytes) -> bytes:
    """N-Triples as they come over a connection."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content))
        response = HTTPResponse(ours)
        response.begin()
        return Body(response, limit=1 << 20, is_json=False).read()


def nested(depth: int) -> bytes:
    return b"<a:s> <a:p> " + b"<<( <a:s> <a:p> " * depth + b"<a:o>" + b" )>>" * depth + b" ."


@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_line_that_is_nested_too_deep_is_refused_whether_it_ends_or_not(end: bytes) -> None:
    assert received(nested(DEPTH) + end) == nested(DEPTH) + end
    with pytest.raises(EndpointError, match=f"deeper than {DEPTH} levels"):
        received(nested(DEPTH + 1) + end)


def test_what_looks_nested_inside_a_string_is_not() -> None:
    content = b'<a:s> <a:p> "' + b"<<( " * 40_000 + b'" .'
    assert received(content) == content
