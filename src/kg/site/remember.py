"""Remembers whole answers in front of the application, so that asking again costs next to nothing.

A release never changes, so an answer with an ETag is true as long as the release is served; the memory goes with it
(:mod:`kg.site.lease`). Answers are told apart by address, query and every header that answers may depend on. Kept are
answers to GET with status 200 and an ETag, so nothing that holds chance or time (:func:`kg.site.sparql._etag`), no
stream, no file, and nothing that varies with another header.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from types import TracebackType

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ROOM = 32 * 2**20
"""Bytes of answers that one process remembers for one release."""

LARGEST = ROOM // 64
"""Bytes of one answer; larger ones are made again."""

_DEPENDS_ON = ("HTTP_ACCEPT", "HTTP_ACCEPT_ENCODING", "HTTP_ACCEPT_PROFILE")
_VARY = frozenset({"accept", "accept-encoding", "accept-profile"})
_NOT_FOR = ("HTTP_RANGE", "HTTP_AUTHORIZATION", "HTTP_COOKIE", "HTTP_ACCEPT_DATETIME")
_OF_CONTENT = frozenset({"content-type", "content-length", "content-encoding", "content-disposition"})
_LONGEST_KEY = 20_000
_OVERHEAD = 1_000  # bytes of an answer's headers and key, roughly

Key = tuple[str, ...]
Headers = list[tuple[str, str]]


class Kept(NamedTuple):
    """An answer; ``unchanged``: the headers of a 304, which has no content to describe."""

    headers: Headers
    unchanged: Headers
    etag: str
    body: bytes


class Remembering:
    """A WSGI application that answers like the one it was given, from memory where it can."""

    def __init__(self, app: WSGIApplication, room: int = ROOM) -> None:
        self._app = app
        self._room = room
        self._kept: dict[Key, Kept] = {}
        self._size = 0
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        key = _key(environ)
        if key is None:
            return self._app(environ, start_response)
        kept = self._kept.get(key)
        if kept is not None:
            environ["kg.remembered"] = True
            return _again(kept, environ, start_response)
        if environ["REQUEST_METHOD"] == "HEAD":
            return self._app(environ, start_response)
        return self._listen(key, environ, start_response)

    def _listen(self, key: Key, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer by the application, and keep what it says."""
        told: list[tuple[str, Headers]] = []

        def start(
            status: str,
            headers: Headers,
            problem: tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None = None,
            /,
        ) -> Callable[[bytes], object]:
            told.append((status, headers))
            return start_response(status, headers, problem) if problem else start_response(status, headers)

        body = self._app(environ, start)
        wrapper: Any = environ.get("wsgi.file_wrapper")
        if len(told) != 1 or (isinstance(wrapper, type) and isinstance(body, wrapper)):
            return body
        size, etag = _worth_keeping(*told[0])
        if size < 0:
            return body
        try:
            data = b"".join(body)
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()
        if len(data) == size:
            self._keep(key, told[0][1], etag, data)
        return (data,)

    def _keep(self, key: Key, headers: Headers, etag: str, body: bytes) -> None:
        unchanged = [(name, value) for name, value in headers if name.lower() not in _OF_CONTENT]
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = Kept(list(headers), unchanged, etag, body)
            self._size += len(body) + _OVERHEAD
            while self._size > self._room:
                oldest = next(iter(self._kept))
                self._size -= len(self._kept.pop(oldest).body) + _OVERHEAD


def _key(environ: WSGIEnvironment) -> Key | None:
    """What tells answers apart, or ``None`` for a request whose answer is not kept."""
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or environ.get("CONTENT_LENGTH", "0") not in ("", "0"):
        return None
    for name in _NOT_FOR:
        if name in environ:
            return None
    # What was sent, with its percent escapes: see kg.site.address.
    address = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    key = (
        address,
        environ.get("SCRIPT_NAME", ""),
        environ["PATH_INFO"],
        environ.get("QUERY_STRING", ""),
        *(environ.get(name, "") for name in _DEPENDS_ON),
    )
    return key if sum(map(len, key)) <= _LONGEST_KEY else None


def _worth_keeping(status: str, headers: Headers) -> tuple[int, str]:
    """The length and ETag of an answer that may be kept; a length below 0 for others."""
    said = {name.lower(): value for name, value in headers}
    length, etag = said.get("content-length", ""), said.get("etag", "")
    varies = {name.strip().lower() for name in said.get("vary", "").split(",")} - {""}
    if (
        not status.startswith("200 ")
        or not etag
        or not length.isdecimal()
        or int(length) > LARGEST
        or not varies <= _VARY
        or "set-cookie" in said
        or "no-store" in said.get("cache-control", "")
    ):
        return -1, ""
    return int(length), etag


def _again(kept: Kept, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    wanted = environ.get("HTTP_IF_NONE_MATCH")
    if wanted is not None and _matches(wanted, kept.etag):
        start_response("304 NOT MODIFIED", list(kept.unchanged))
        return ()
    start_response("200 OK", list(kept.headers))
    return () if environ["REQUEST_METHOD"] == "HEAD" else (kept.body,)


def _matches(wanted: str, etag: str) -> bool:
    """Weak comparison (RFC 9110, section 13.1.2).

    >>> _matches('"a", W/"b"', '"b"'), _matches("*", '"b"'), _matches('"a"', '"b"')
    (True, True, False)
    """
    plain = etag.removeprefix("W/")
    return wanted.strip() == "*" or any(part.strip().removeprefix("W/") == plain for part in wanted.split(","))
