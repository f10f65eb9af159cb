"""What the server calls: an ASGI application in front of Flask's.

What was answered before is answered from memory (:mod:`kg.site.serving.answer_cache`), queries straight from a worker
(:mod:`kg.site.serving.direct`), and everything else by Flask, in a thread. An answer that breaks off leaves the
connection broken, so that it does not look whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from kg.errors import QueryError
from kg.query.pool import Pool
from kg.site.serving import answer_cache, asgi
from kg.site.serving.asgi import Answer, Receive, Scope, Send
from kg.site.serving.counters import ENVIRON, Counters
from kg.site.serving.direct import Direct, Watch
from kg.site.serving.lease import LEASE, Lease
from kg.site.sparql.endpoint import ERROR
from kg.site.sparql.protocol import MAX_BODY

if TYPE_CHECKING:
    from kg.site.serving.switch import Switch
    from kg.site.serving.versions import Versions

LONGEST_LINKS = 16 * 1024
"""Bytes of the links in the head of an answer. Each repeats the address, which strangers may make long; a server in
front that has no room for a head takes the whole site for broken."""

_CLOSE = (b"connection", b"close")
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})


class _Call(NamedTuple):
    """One request: its headers by name, what its answer is kept under, and the two ways to the client."""

    scope: Scope
    named: Mapping[bytes, bytes]
    key: answer_cache.Key | None
    receive: Receive
    send: Send


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
        key = answer_cache.key(scope, named, current.languages)
        kept = current.memory.get(key) if key is not None else None
        if kept is None:
            await self._ask(_Call(scope, named, key, receive, send))
            return
        status, headers, body = answer_cache.again(kept, named, scope["method"])
        self._count(scope, status, remembered=True)
        await asgi.respond(scope, send, Answer(status, headers, body))

    def close(self) -> None:
        """End everything that was started; answers that are under way end first."""
        self._threads.close()
        self._versions.close()

    def _count(self, scope: Scope, status: int, *, remembered: bool = False) -> None:
        first = scope["path"].split("/", 2)[1:2]
        self._counters.request(first[0] if first else "", status, remembered=remembered)

    async def _ask(self, call: _Call) -> None:
        try:
            body, more = await _body(call)
        except asgi.Left:
            return
        if call.scope["raw_path"] == b"/sparql" and not more:
            begun: list[Answer] = []
            try:
                if await self._query(call, body, begun):
                    return
            except QueryError as e:
                if begun:
                    raise  # an answer that has begun breaks off, and nothing follows it
                more[ERROR] = e
        await self._page(call, body, more)

    async def _query(self, call: _Call, body: bytes, begun: list[Answer]) -> bool:
        """Answer straight from a worker; false if this request goes the other way. ``begun`` gets what is sent."""
        lease = self._current.take()
        watch = Watch(call.receive)
        try:
            direct = self._straight(lease)
            answer = await direct.answer(call.scope, call.named, body, call.key) if direct else None
            if answer is None:
                return False
            self._count(call.scope, answer.status)
            begun.append(answer)
            await asgi.respond(call.scope, call.send, answer)
        except asyncio.CancelledError:
            if not watch.left:
                raise
        finally:
            watch.stop()
            lease.give_back()
        return True

    def _straight(self, lease: Lease) -> Direct | None:
        """The straight way for a release; there is none where an endpoint elsewhere has the data."""
        if lease.direct is None and isinstance(lease.site.pool, Pool):
            lease.direct = Direct(lease, lease.site.pool, self._counters)
        return lease.direct

    async def _page(self, call: _Call, body: bytes, more: dict[str, Any]) -> None:
        """Answer by Flask; ``more`` is for its ``environ``."""
        environ = asgi.environ_of(call.scope, body, **{ENVIRON: self._counters, **more})
        watching = None
        is_whole = "CONTENT_LENGTH" not in more
        asks = call.scope["path"].endswith(("/sparql", "/query")) or "/question/" in call.scope["path"]
        # Of a body that is too long, to watch would be to read the rest; no query runs for it.
        if asks and is_whole:
            # A query ends when nobody waits for it any more, also one to an earlier release.
            watching = asyncio.create_task(asgi.until_left(call.receive))
            environ[asgi.GONE] = watching.done
        try:
            answer = _bounded(await self._threads.answer(environ))
            self._count(call.scope, answer.status)
            if answer.pieces is None and call.key is not None and LEASE in environ and not environ["SCRIPT_NAME"]:
                environ[LEASE].memory.keep(call.key, answer.status, answer.headers, answer.body)
            if not is_whole:
                answer.headers.append(_CLOSE)
            await self._send(call, answer, watching)
        finally:
            if watching is not None:
                watching.cancel()

    async def _send(self, call: _Call, answer: Answer, watching: asyncio.Task[None] | None) -> None:
        """Send an answer; a stream ends when the client leaves."""
        if answer.pieces is None:
            await asgi.respond(call.scope, call.send, answer)
            return
        sending = asyncio.create_task(asgi.respond(call.scope, call.send, answer))
        left = watching or asyncio.create_task(asgi.until_left(call.receive))
        try:
            await asyncio.wait((sending, left), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not sending.done():
                sending.cancel()
            left.cancel()
        await asyncio.gather(sending, return_exceptions=left.done())


def _bounded(answer: Answer) -> Answer:
    """The answer, without its links if they are too long."""
    if sum(len(value) for name, value in answer.headers if name == b"link") <= LONGEST_LINKS:
        return answer
    return answer._replace(headers=[header for header in answer.headers if header[0] != b"link"])


async def _body(call: _Call) -> tuple[bytes, dict[str, Any]]:
    """The body, and what else WSGI is to be told when it is longer than anything that is read here."""
    announced = call.named.get(b"content-length", b"")
    if announced.isdigit() and int(announced) > MAX_BODY:
        return b"", {"CONTENT_LENGTH": announced.decode("ascii")}
    if call.scope["method"] in _WITHOUT_BODY and not announced and b"transfer-encoding" not in call.named:
        await call.receive()
        return b"", {}
    body = await asgi.read_body(call.receive, MAX_BODY)
    return body, {"CONTENT_LENGTH": str(len(body))} if len(body) > MAX_BODY else {}
