"""``/sparql`` without Flask: the straight way from the server to a worker, for answers that are data.

The web process's event loop asks the broker, puts the question to a worker and passes on what it says, chunk by chunk;
no thread is held by a query that takes long or by a client that reads slowly. Pages, the service description, graphs,
and everything that is refused before it is run, go the way of :mod:`kg.site.sparql.endpoint`, by which all of this
works too.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import AsyncGenerator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException

from kg import media
from kg.errors import QueryError, QueryRefused
from kg.query.pool import Pool
from kg.query.running import Running, outcome
from kg.query.session import Session
from kg.site.answers import headers, packing
from kg.site.answers.ranges import matches
from kg.site.components import footnotes
from kg.site.serving import answer_cache
from kg.site.serving.asgi import Answer, Receive, Scope, encoded, until_left
from kg.site.serving.counters import Counters
from kg.site.sparql import prepared, protocol

if TYPE_CHECKING:
    from kg.site.serving.lease import Lease

_WATCH_AFTER = 0.1
"""Seconds that a query runs before it is worth looking whether its client is still there."""

_encoded = lru_cache(64)(encoded)


class Direct:
    """The endpoint of one release, in one event loop."""

    def __init__(self, lease: Lease, pool: Pool, counters: Counters) -> None:
        self._site = lease.site
        self._memory = lease.memory
        self._counters = counters
        self._session: Session = pool.session()
        every = {**headers.HEADERS, headers.RELEASE: lease.site.release.version}
        self._every = encoded(every.items())

    def close(self) -> None:
        """Ask nothing more."""
        self._session.close_soon()

    async def answer(
        self, scope: Scope, named: Mapping[bytes, bytes], body: bytes, key: answer_cache.Key | None
    ) -> Answer | None:
        """The answer, or ``None`` for a request that goes the other way.

        :raises QueryError: if a query that was run has none.
        """
        if scope["method"] not in ("GET", "POST", "QUERY") or scope["http_version"] == "1.0" or b"if-match" in named:
            return None
        plan = self._plan(scope, named, body)
        if plan is None:
            return None
        found = [*_encoded(plan.headers), *self._every]
        etag = plan.etag.encode()
        if etag:
            found.append((b"etag", etag))
        if etag and matches(named.get(b"if-none-match", b""), etag):
            return Answer(304, [header for header in found if header[0] not in answer_cache.OF_CONTENT])
        running = await self._run(scope, named, plan)
        if running.note:
            found.append((footnotes.HEADER.lower().encode(), footnotes.header(running.note).encode("latin-1")))
        packed = packing.takes_gzip(named.get(b"accept-encoding", b"").decode("latin-1"))
        if not running.complete:
            if packed:
                found.append((b"content-encoding", b"gzip"))
            return Answer(200, found, pieces=_pieces(running, packed=packed))
        data = b"".join(running.first)
        if packed and len(data) >= packing.WORTH_PACKING:
            data = packing.pack(data)
            found.append((b"content-encoding", b"gzip"))
        found.append((b"content-length", b"%d" % len(data)))
        if key is not None and etag:
            self._memory.put(key, answer_cache.Kept(found, etag, data))
        return Answer(200, found, data)

    def _plan(self, scope: Scope, named: Mapping[bytes, bytes], body: bytes) -> prepared.Prepared | None:
        try:
            request = protocol.read(
                protocol.Sent(
                    method=scope["method"],
                    query_string=scope["query_string"],
                    content_type=named.get(b"content-type", b"").decode("latin-1"),
                    content_encoding=named.get(b"content-encoding", b"").decode("latin-1"),
                    data=lambda: body,
                )
            )
            if request.query is None or request.graph is not None:
                return None
            plan = prepared.plan(self._site, request, named.get(b"accept", b"").decode("latin-1"))
        except (HTTPException, QueryRefused):
            return None
        return None if plan.kind == media.HTML else plan

    async def _run(self, scope: Scope, named: Mapping[bytes, bytes], plan: prepared.Prepared) -> Running:
        forwarded = named.get(b"x-forwarded-for", b"").decode("latin-1")
        client = self._site.clients.of(scope["client"][0] if scope["client"] else "", forwarded)
        seconds = self._site.pool.limits.seconds(plan.query.timeout)
        began = time.monotonic()
        try:
            running = await self._session.run(plan.query.request(), seconds, client)
        except QueryError as e:
            self._counters.query(outcome(e), time.monotonic() - began)
            raise
        except asyncio.CancelledError:
            self._counters.query("left", time.monotonic() - began)
            raise
        running.when_ended(lambda how: self._counters.query(how, time.monotonic() - began))
        return running


class Watch:
    """Ends the task that made it when its client leaves, if that takes long enough to be worth a look."""

    def __init__(self, receive: Receive) -> None:
        self.left = False
        self._receive = receive
        self._task = asyncio.current_task()
        self._watching: asyncio.Task[None] | None = None
        self._later = asyncio.get_running_loop().call_later(_WATCH_AFTER, self._begin)

    def stop(self) -> None:
        self._later.cancel()
        if self._watching is not None:
            self._watching.cancel()

    def _begin(self) -> None:
        self._watching = asyncio.create_task(until_left(self._receive))
        self._watching.add_done_callback(self._end)

    def _end(self, watching: asyncio.Task[None]) -> None:
        if not watching.cancelled() and self._task is not None:
            self.left = True
            self._task.cancel()


async def _pieces(running: Running, *, packed: bool) -> AsyncGenerator[bytes, None]:
    packer = packing.packer() if packed else None
    try:
        for data in running.first:
            # The first rows leave at once.
            yield packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH) if packer else data
        while (chunk := await running.chunk()) is not None:
            piece = packer.compress(chunk) if packer else chunk
            if piece:
                yield piece
        if packer:
            yield packer.flush()
    finally:
        running.close()
