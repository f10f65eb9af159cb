"""A client that offers another protocol gets its answer in HTTP/1.1, body and all (RFC 9110, section 7.8)."""

from __future__ import annotations

import socket
import time
from typing import BinaryIO

import pytest
from tests.patience import PATIENCE
from tests.site.wire import Wire

OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAA\r\n"
POST = b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\nAccept: text/csv\r\n"
BODIES = {
    "whole": b"Content-Length: 26\r\n\r\nSELECT (1 + 1 AS ?sum) { }",
    "in chunks": b"Transfer-Encoding: chunked\r\n\r\nd\r\nSELECT (1 + 1\r\nd\r\n AS ?sum) { }\r\n0\r\n\r\n",
}


def read(file: BinaryIO) -> tuple[int, bytes]:
    """One answer of known length: status and body."""
    status = int(file.readline().split()[1])
    length = 0
    while (line := file.readline()) not in (b"\r\n", b""):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return status, file.read(length)


@pytest.mark.parametrize("pause", [0, 0.2])
@pytest.mark.parametrize("body", BODIES)
def test_a_query_that_comes_with_an_offer_is_answered(body: str, pause: float, wire: Wire) -> None:
    """Java's client makes one with every request, and so does Jena's."""
    request = POST + OFFER + BODIES[body]
    cut = request.index(b"\r\n\r\n") + 10
    with socket.create_connection(wire.place, timeout=PATIENCE) as sock, sock.makefile("rb") as file:
        for part in (request[:100], request[100:cut], request[cut:]) if pause else (request,):
            sock.sendall(part)
            time.sleep(pause)
        # The connection goes on, and what stands behind the body is another request.
        sock.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n" + OFFER + b"\r\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read(file) == (200, b"sum\r\n2\r\n")
        assert [read(file)[0], read(file)[0]] == [200, 404]


def test_any_number_of_offers_may_come_at_once(wire: Wire) -> None:
    count = 900  # in few packets; none may cost a part of the stack
    with socket.create_connection(wire.place, timeout=PATIENCE) as sock, sock.makefile("rb") as file:
        sock.sendall(b"GET /nothing HTTP/1.1\r\nHost:x\r\nConnection:upgrade\r\nUpgrade:x\r\n\r\n" * count)
        assert {read(file)[0] for _ in range(count)} == {404}
