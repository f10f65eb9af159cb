"""Calls a WSGI application, which Flask's is, for an ASGI server: in a thread, so that nobody else waits.

ASGI 2.3 (https://asgi.readthedocs.io/en/latest/specs/www.html) on one side, PEP 3333 on the other. An answer of known
and modest length is made whole in one thread and leaves at once; any other is fetched piece by piece, and a failure in
the middle of it breaks the connection.
"""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable, MutableMapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_to_bytes

from werkzeug.wsgi import FileWrapper

if TYPE_CHECKING:
    from types import TracebackType

    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

GONE = "kg.gone"
"""In ``environ``: a function that says whether the client has left."""

AT_ONCE = "kg.at_once"
"""In a scope: a function that sends a whole answer in one piece, or returns false."""

WHOLE = 1 << 20
"""Bytes of an answer that is made whole before it leaves."""

PIECE = 1 << 18
_HTTP = len("HTTP_")


class Left(Exception):
    """The client has gone away in the middle of its request."""


class Answer(NamedTuple):
    """``pieces`` is what follows ``body``; without any, the answer is whole."""

    status: int
    headers: Headers
    body: bytes = b""
    pieces: AsyncGenerator[bytes, None] | None = None


class _Pieces(FileWrapper):
    """A file that leaves in larger pieces than werkzeug asks for."""

    def __init__(self, file: Any, buffer_size: int = PIECE) -> None:  # noqa: ARG002 - werkzeug's signature
        super().__init__(file, PIECE)


class Threads:
    """So many threads that call one WSGI application."""

    def __init__(self, app: WSGIApplication, size: int) -> None:
        self._app = app
        self._executor = ThreadPoolExecutor(size, thread_name_prefix="kg-page")

    async def answer(self, environ: WSGIEnvironment) -> Answer:
        """What the application answers; read its pieces to the end, or close them."""
        loop = asyncio.get_running_loop()
        status, headers, body, rest = await loop.run_in_executor(self._executor, _call, self._app, environ)
        return Answer(status, headers, body, self._pieces(rest) if rest is not None else None)

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _pieces(self, rest: Generator[bytes, None, None]) -> AsyncGenerator[bytes, None]:
        pending: Future[bytes | None] | None = None
        try:
            while True:
                pending = self._executor.submit(next, rest, None)
                piece = await asyncio.wrap_future(pending)
                if piece is None:
                    return
                yield piece
        finally:
            # A generator cannot be closed while it runs in its thread.
            if pending is None or pending.done():
                self._executor.submit(rest.close)
            else:
                pending.add_done_callback(lambda _: rest.close())


def _call(
    app: WSGIApplication, environ: WSGIEnvironment
) -> tuple[int, Headers, bytes, Generator[bytes, None, None] | None]:
    """Call the application: status, headers, the whole body or its beginning, and what is left of it."""
    told: list[tuple[str, list[tuple[str, str]]]] = []

    def start(
        status: str,
        headers: list[tuple[str, str]],
        problem: tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None = None,  # noqa: ARG001
        /,
    ) -> Callable[[bytes], object]:
        told[:] = [(status, headers)]
        return _write

    pieces = _closing(app(environ, start))
    # A WSGI application may wait with its status until its first piece.
    first = next(pieces, b"")
    status, names = told[0]
    headers = encoded(names)
    length = dict(headers).get(b"content-length", b"")
    if length.isdigit() and int(length) <= WHOLE:
        return int(status[:3]), headers, first + b"".join(pieces), None
    return int(status[:3]), headers, first, pieces


def encoded(headers: Iterable[tuple[str, str]]) -> Headers:
    """Headers as ASGI has them."""
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def _write(data: bytes) -> None:
    raise NotImplementedError("write() of WSGI is for applications older than this one")


def _closing(body: Iterable[bytes]) -> Generator[bytes, None, None]:
    try:
        yield from body
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            close()


def environ_of(scope: Scope, body: bytes, **more: object) -> WSGIEnvironment:
    """The request as WSGI has it; ``more`` is put in last.

    Header names with an underscore are left out: they would be taken for others (RFC 3875, section 4.1.18).
    """
    raw, query = scope["raw_path"], scope["query_string"]
    host, port = scope["server"] or ("localhost", 80)
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(raw).decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "RAW_URI": (raw + b"?" + query if query else raw).decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "REMOTE_ADDR": scope["client"][0] if scope["client"] else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": _Pieces,
    }
    for name, value in scope["headers"]:
        if b"_" in name:
            continue
        variable = "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
        if variable in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"):
            variable = variable[_HTTP:]
        text = value.decode("latin-1")
        environ[variable] = f"{environ[variable]},{text}" if variable in environ else text
    if body:
        environ["CONTENT_LENGTH"] = str(len(body))
    environ.update(more)
    return environ


async def read_body(receive: Receive, most: int) -> bytes:
    """The body of a request, or its first bytes, at least one more than ``most``, if it is longer.

    :raises Left: if the client leaves before its end.
    """
    parts, size = [], 0
    while size <= most:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Left
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if not message.get("more_body", False):
            break
    return b"".join(parts)


async def respond(scope: Scope, send: Send, answer: Answer) -> None:
    """Send an answer; an exception in the middle leaves it unfinished, and the server breaks the connection."""
    at_once = scope.pop(AT_ONCE, None)  # which refers to the request, and so would keep it in memory
    if at_once is not None and at_once(answer):
        return
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    if answer.pieces is None:
        await send({"type": "http.response.body", "body": answer.body})
        return
    await send({"type": "http.response.body", "body": answer.body, "more_body": True})
    async with aclosing(answer.pieces) as pieces:
        async for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def until_left(receive: Receive) -> None:
    """Return when the client has gone; its body must have been read."""
    while (await receive())["type"] != "http.disconnect":
        pass
