"""HTTP to an endpoint that is trusted, but may be broken: what it can cost us is bounded.

- A deadline for the whole exchange, from the connection to the last byte: not for each read, which an endpoint that
  sends a byte a second would never exceed.
- No redirect is followed. The address that was configured is the one that is asked, and nobody is led from it to this
  machine's own services or a cloud's metadata.
- No proxy of the environment, no cookies, no file: or ftp: addresses.
- Answers have at most so many bytes, and brackets in them are nested at most so deep: parsers recurse, and a parser
  that overflows its stack takes the process with it.
"""

from __future__ import annotations

import http.client
import io
import re
import socket
import time
import urllib.request
from collections.abc import Callable
from typing import Any

from kg.errors import EndpointError, EndpointTimeout

DEPTH = 64
"""Levels of brackets in an answer: results in JSON need 5, and 3 more for each triple inside a triple."""

_PIECE = 1 << 16


class Deadline:
    """A moment by the monotonic clock, ``seconds`` from now."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left.

        :raises EndpointTimeout: if none are.
        """
        left = self._at - time.monotonic()
        if left <= 0:
            raise self.passed()
        return left

    def passed(self) -> EndpointTimeout:
        return EndpointTimeout(f"the endpoint did not answer within {self.seconds:g} seconds")


class _Raw(io.RawIOBase):
    """A socket's bytes, each read within what is left of the time."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._file = sock.makefile("rb", buffering=0)
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._deadline.left())
        try:
            return self._file.readinto(buffer)
        except TimeoutError:
            raise self._deadline.passed() from None

    def close(self) -> None:
        self._file.close()
        super().close()


class _Socket:
    """What http.client wants of a socket, under a deadline."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(self._deadline.left())
        try:
            self._sock.sendall(data)
        except TimeoutError:
            raise self._deadline.passed() from None

    def makefile(self, mode: str) -> io.BufferedReader:
        assert mode == "rb"
        return io.BufferedReader(_Raw(self._sock, self._deadline))

    def close(self) -> None:
        self._sock.close()


class _Handler(urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
    """Opens connections under a deadline."""

    def __init__(self, deadline: Deadline) -> None:
        urllib.request.HTTPSHandler.__init__(self)
        self._deadline = deadline

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._made(http.client.HTTPConnection), req)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._made(http.client.HTTPSConnection), req)

    def _made(self, kind: type[http.client.HTTPConnection]) -> Any:
        deadline = self._deadline

        class Connection(kind):  # type: ignore[misc,valid-type]  # one of the two
            sock: Any

            def connect(self) -> None:
                self.timeout = deadline.left()
                try:
                    super().connect()
                except TimeoutError:
                    raise deadline.passed() from None
                opened: Any = self.sock
                self.sock = _Socket(opened, deadline)

        return Connection


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        """Follow none."""
        return


Opener = Callable[[urllib.request.Request], http.client.HTTPResponse]


def opener(deadline: Deadline, digest: tuple[str, str, str] | None = None) -> Opener:
    """Sends one request under a deadline. ``digest``: address, user and password for Digest authentication.

    It raises what :mod:`urllib.request` raises, and EndpointTimeout.
    """
    director = urllib.request.OpenerDirector()
    handlers: list[urllib.request.BaseHandler] = [
        _Handler(deadline),
        _NoRedirect(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ]
    if digest:
        passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        passwords.add_password(None, *digest)
        handlers.append(urllib.request.HTTPDigestAuthHandler(passwords))
    for handler in handlers:
        director.add_handler(handler)
    return director.open


# Inside a string, quotes are escaped: this stands nowhere but in front of a name.
_NAMED = re.compile(rb'("bnode"\s{0,4},\s{0,4}"value"\s{0,4}:\s{0,4}")nodeID://')
_HELD_BACK = 64
"""Bytes, more than that pattern has."""


class Body:
    """An answer's bytes as a file to parse: counted, checked for depth, and known to be whole at the end.

    Virtuoso calls blank nodes ``nodeID://b1``, which is no label that RDF allows: they lose what is in front.
    """

    def __init__(self, response: http.client.HTTPResponse, *, limit: int, is_json: bool) -> None:
        self._response = response
        self._waiting = b""
        self._left = limit
        self._limit = limit
        self._missing = response.length
        self._depth = Depth(is_json=is_json)
        self._held = b""

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes, as soon as there are any; all of them without ``size``."""
        if size < 0:
            return b"".join(iter(self._next, b""))
        data = self._held or self._next()
        self._held = data[size:]
        return data[:size]

    def _next(self) -> bytes:
        """The next bytes, none at the end; some are held back, so that no blank node's name is cut in two."""
        while data := self._received():
            data = _NAMED.sub(rb"\1", self._waiting + data)
            data, self._waiting = data[:-_HELD_BACK], data[-_HELD_BACK:]
            if data:
                return data
        data, self._waiting = self._waiting, b""
        return data

    def _received(self) -> bytes:
        try:
            data = self._response.read1(_PIECE)
        except http.client.IncompleteRead:
            raise EndpointError("the endpoint broke off its answer") from None
        except (OSError, ValueError, http.client.HTTPException) as e:
            raise EndpointError(f"the answer of the endpoint cannot be read: {short(e)}") from e
        if not data and self._missing:
            raise EndpointError("the endpoint broke off its answer")
        if self._missing is not None:
            self._missing -= len(data)
        self._left -= len(data)
        if self._left < 0:
            raise EndpointError(f"the answer of the endpoint has more than {self._limit:,} bytes")
        if data:
            self._depth.feed(data)
        return data

    def close(self) -> None:
        self._response.close()


_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_STEPS = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}
_NO_BRACKETS = bytes(c for c in range(256) if c not in _STEPS)
_LONGEST_LINE = 1 << 24


class Depth:
    """Counts how deep JSON or N-Triples that come in pieces are nested; what stands inside strings does not count.

    >>> Depth(is_json=True).feed(b'{"a{{{": [1]}')
    >>> Depth(is_json=True, limit=1).feed(b"[[")
    Traceback (most recent call last):
    kg.errors.EndpointError: the answer of the endpoint is nested deeper than 1 levels
    """

    def __init__(self, *, is_json: bool, limit: int = DEPTH) -> None:
        self._is_json = is_json
        self._limit = limit
        self._depth = 0
        self._tail = b""

    def feed(self, data: bytes) -> None:
        """:raises EndpointError: if it is too deep."""
        if self._is_json:
            self._feed_json(self._tail + data)
        else:
            self._feed_lines(self._tail + data)

    def _feed_json(self, data: bytes) -> None:
        # What is left behind the last whole string opens with the quote that has no partner yet. Of what follows, only
        # a backslash in front of what comes next matters.
        outside, quote, rest = _STRINGS.sub(b"", data).partition(b'"')
        escaping = (len(rest) - len(rest.rstrip(b"\\"))) % 2
        self._tail = quote + b"\\" * escaping
        for code in outside.translate(None, _NO_BRACKETS):
            self._depth += _STEPS[code]
            if self._depth > self._limit:
                raise self._too_deep()

    def _feed_lines(self, data: bytes) -> None:
        lines = data.split(b"\n")
        self._tail = lines[-1]
        if len(self._tail) > _LONGEST_LINE:
            raise EndpointError(f"the answer of the endpoint has a line of more than {_LONGEST_LINE:,} bytes")
        for line in lines if b"<<" in data else ():
            # The last one may not have ended yet, and goes to the parser all the same, but for the string that is open.
            outside, _, _ = _STRINGS.sub(b"", line).partition(b'"')
            if outside.count(b"<<") > self._limit:
                raise self._too_deep()

    def _too_deep(self) -> EndpointError:
        return EndpointError(f"the answer of the endpoint is nested deeper than {self._limit} levels")


def short(error: BaseException) -> str:
    """An error of the network in a few words, without addresses."""
    found = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
    text = found.strerror if isinstance(found, OSError) and found.strerror else str(found)
    return " ".join(str(text or type(error).__name__).split())[:200]
