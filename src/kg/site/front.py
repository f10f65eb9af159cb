"""What the server calls: an ASGI application in front of Flask's.

What was answered before is answered from memory (:mod:`kg.site.remember`); everything else by Flask, in a thread. An
answer that breaks off leaves the connection broken, so that it does not look whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kg.site import asgi, remember
from kg.site.asgi import Answer, Receive, Scope, Send
from kg.site.counters import ENVIRON, Counters
from kg.site.lease import LEASE
from kg.site.protocol import MAX_BODY

if TYPE_CHECKING:
    from kg.site.switch import Switch
    from kg.site.versions import Versions

_CLOSE = (b"connection", b"close")
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})


class Front:
    """See the module. ``versions`` answers for all releases, ``current`` is the one whose answers are remembered."""

    def __init__(self, current: Switch, versions: Versions, counters: Counters, *, threads: int) -> None:
        self._current = current
        self._versions = versions
        self._counters = counters
        self._threads = asgi.Threads(versions, threads)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        named = dict(scope["headers"])
        current = self._current.current
        key = remember.key(scope, named, current.languages)
        kept = current.memory.get(key) if key is not None else None
        if kept is None:
            await self._ask(scope, named, key, receive, send)
            return
        status, headers, body = remember.again(kept, named, scope["method"])
        self._count(scope, status, remembered=True)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def close(self) -> None:
        """End everything that was started; answers that are under way end first."""
        self._threads.close()
        self._versions.close()

    async def _ask(
        self, scope: Scope, named: Mapping[bytes, bytes], key: remember.Key | None, receive: Receive, send: Send
    ) -> None:
        try:
            body, more = await _body(scope, named, receive)
        except asgi.Left:
            return
        environ = asgi.environ_of(scope, body, **{ENVIRON: self._counters, **more})
        watching = None
        if scope["path"] in ("/sparql", "/query"):
            # A query ends when nobody waits for it any more.
            watching = asyncio.create_task(asgi.until_left(receive))
            environ[asgi.GONE] = watching.done
        try:
            answer = await self._threads.answer(environ)
            self._count(scope, answer.status)
            if answer.pieces is None and key is not None and LEASE in environ and not environ["SCRIPT_NAME"]:
                environ[LEASE].memory.keep(key, answer.status, answer.headers, answer.body)
            if more:
                answer.headers.append(_CLOSE)
            await self._respond(answer, receive, send, watching)
        finally:
            if watching is not None:
                watching.cancel()

    async def _respond(self, answer: Answer, receive: Receive, send: Send, watching: asyncio.Task[None] | None) -> None:
        """Send an answer; a stream ends when the client leaves."""
        if answer.pieces is None:
            await asgi.respond(send, answer)
            return
        sending = asyncio.create_task(asgi.respond(send, answer))
        left = watching or asyncio.create_task(asgi.until_left(receive))
        try:
            await asyncio.wait((sending, left), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not sending.done():
                sending.cancel()
            left.cancel()
        await asyncio.gather(sending, return_exceptions=left.done())

    def _count(self, scope: Scope, status: int, *, remembered: bool = False) -> None:
        first = scope["path"].split("/", 2)[1:2]
        self._counters.request(first[0] if first else "", status, remembered=remembered)


async def _body(scope: Scope, named: Mapping[bytes, bytes], receive: Receive) -> tuple[bytes, dict[str, Any]]:
    """The body, and what else WSGI is to be told when it is longer than anything that is read here."""
    announced = named.get(b"content-length", b"")
    if announced.isdigit() and int(announced) > MAX_BODY:
        return b"", {"CONTENT_LENGTH": announced.decode("ascii")}
    if scope["method"] in _WITHOUT_BODY and not announced and b"transfer-encoding" not in named:
        await receive()
        return b"", {}
    body = await asgi.read_body(receive, MAX_BODY)
    return body, {"CONTENT_LENGTH": str(len(body))} if len(body) > MAX_BODY else {}
