"""Requests and answers of HTTP as bytes on the wire, and what is true of every answer."""

from __future__ import annotations

import http.client
import re
import socket
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.patience import PATIENCE

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


@dataclass
class Answer:
    """What came back. ``headers`` are pairs with lower-case names, in order and with repetitions."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def one(self, name: str) -> str:
        (value,) = self.all(name) or [""]
        return value

    @property
    def vary(self) -> set[str]:
        return {name.strip().lower() for value in self.all("vary") for name in value.split(",")} - {""}


class Wire:
    """Writes requests byte by byte as they are given, each over a connection of its own."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.place = (parts.hostname or "", parts.port or 0)

    def send(self, data: bytes, method: str = "GET") -> Answer:
        with socket.create_connection(self.place, timeout=PATIENCE) as sock:
            sock.sendall(data)
            response = http.client.HTTPResponse(sock, method=method)
            with closing(response):
                response.begin()
                headers = [(name.lower(), value) for name, value in response.getheaders()]
                return Answer(response.status, headers, response.read())

    def ask(self, target: str, method: str = "GET", **headers: str) -> Answer:
        lines = {"Host": "localhost", "Connection": "close"} | {k.replace("_", "-"): v for k, v in headers.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return self.send(f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1"), method)


def holds(answer: Answer, where: str) -> None:
    """What is true of every answer, whatever it answers."""
    assert len(answer.all("date")) == 1, where
    assert len(answer.all("server")) <= 1, where
    assert len(answer.all("content-type")) <= 1, where
    # One page has styles of its own, under a nonce.
    said = re.sub(r" 'nonce-[\w-]{16,}'", "", answer.one("content-security-policy"))
    policy = dict(part.split(" ", 1) for part in said.split("; "))
    assert policy.items() >= POLICY.items(), where
    assert "unsafe" not in said, where
    assert answer.one("x-content-type-options") == "nosniff", where
    assert answer.one("referrer-policy"), where
    assert answer.all("set-cookie") == [], where
    assert not answer.one("location").startswith(("//", "http:", "https:")), where
