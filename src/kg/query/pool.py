"""A pool of worker processes: one query each, a deadline for each, and spares that stand ready.

::

    with pool.run(Query("SELECT * { ?s ?p ?o }", "text/csv")) as answer:
        for chunk in answer.chunks:
            ...

The deadline is enforced by killing the worker, because the engine cannot be interrupted. Up to the first byte of
the answer that is an exception from ``run``; later it comes out of ``chunks``, and whoever passes the chunks on must
break the connection then, so that the answer does not look whole.

A query is run as it is: have it looked at by :func:`kg.query.lexer.inspect` first. The processes are the broker's
(:mod:`kg.query.broker`); pools that share an :class:`~kg.query.exchange.Exchange` share them.

A pool is for threads that wait. Whoever has an event loop takes a :meth:`Pool.session` and waits there.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from kg.config import Serve
from kg.errors import QueryError, QueryLeft
from kg.query.base import Answer, Gone, Query, Runner
from kg.query.exchange import Exchange
from kg.query.limits import Limits
from kg.query.running import Running, outcome
from kg.query.session import Session
from kg.query.worker import Settings

LOOK_AROUND = 0.2
"""Seconds between two looks at whether the client is still there, while the worker is silent."""

GRACE = 5.0
"""Seconds in which the processes of a pool that is closed end."""

_Result = TypeVar("_Result")


class PoolAnswer(Answer):
    """A :class:`~kg.query.running.Running` for threads."""

    def __init__(self, pool: Pool, running: Running, query: Query, gone: Gone | None) -> None:
        self.media_type = "application/json" if query.preview else query.media_type
        self._pool = pool
        self._running = running
        self._gone = gone
        self.chunks = self._stream()

    @property
    def complete(self) -> bool:
        return self._running.complete

    @property
    def note(self) -> dict[str, Any]:
        return self._running.note

    @property
    def outcome(self) -> str:
        return self._running.outcome

    def when_ended(self, do: Callable[[str], None]) -> None:
        self._running.when_ended(do)

    def close(self) -> None:
        self.chunks.close()
        if not self._running.outcome:
            self._pool.call(self._running.close)

    def _stream(self) -> Generator[bytes, None, None]:
        try:
            yield from self._running.first
            while not self.complete:
                data = self._pool.wait(self._running.chunk(), self._gone)
                if data is None:
                    return
                yield data
        finally:
            if not self._running.outcome:
                self._pool.call(self._running.close)


class Pool(Runner):
    """Workers over one sealed store, for one base. Thread-safe; starts with :meth:`start` or the first query.

    ``exchange`` leads to the broker that all pools of a server share; without one, the pool has a broker of its own.
    ``bounds`` are those of each client that queries are run for.
    """

    def __init__(
        self,
        store_path: Path | str,
        base: str,
        limits: Limits,
        *,
        exchange: Exchange | None = None,
        bounds: Serve | None = None,
    ) -> None:
        self.limits = limits
        self._counts: Counter[str] = Counter()
        self._exchange = exchange
        self._own: Exchange | None = None
        settings = Settings(
            store=str(store_path),
            base=base,
            memory=limits.memory,
            rows=limits.rows,
            bytes=limits.bytes,
            cpu=limits.deadline + 5,
        )
        self._opening = {
            "settings": asdict(settings),
            "limits": asdict(limits),
            "bounds": asdict(bounds or Serve()),
            "alone": exchange is None,
        }
        self._lock = threading.Lock()
        self._closed = False
        self._pid = 0
        self._sessions: list[Session] = []

    def session(self) -> Session:
        """A session of the running event loop's own; it ends with the pool."""
        with self._lock:
            if self._closed:
                raise QueryError("the pool is closed")
            session = Session(self._way(), self._opening, self.limits)
            self._sessions.append(session)
            return session

    def start(self) -> None:
        with self._lock:
            if self._closed:
                raise QueryError("the pool is closed")
            if self._pid != os.getpid():  # or this is a fork of the process whose thread it was
                self._pid = os.getpid()
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_run, args=(self._loop,), name="kg-query", daemon=True)
                self._thread.start()
                self._session = self._on_loop(self._open(self._way())).result()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for session in self._sessions:
                session.close_soon()
            self._sessions.clear()
            if self._pid == os.getpid():
                self._pid = 0
                self._on_loop(_call(self._session.close)).result()
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._thread.join()
            if self._own is not None:
                self._own.close(GRACE)
                self._own = None

    def run(self, query: Query, *, client: str | None = None, gone: Gone | None = None) -> Answer:
        self.start()
        self._counts["queries"] += 1
        seconds = self.limits.seconds(query.timeout)
        try:
            running = self.wait(self._session.run(query.request(), seconds, client), gone)
        except QueryError as e:
            self._counts[outcome(e)] += 1
            raise
        return PoolAnswer(self, running, query, gone)

    def fault(self, client: str) -> None:
        self.start()
        self.wait(self._session.fault(client))

    def statistics(self) -> dict[str, int]:
        self.start()
        return {**self._counts, **self.wait(self._session.statistics())}

    def wait(self, doing: Coroutine[Any, Any, _Result], gone: Gone | None = None) -> _Result:
        """Wait for something on the pool's loop.

        :raises QueryError: if the client leaves meanwhile, or the pool is closed.
        """
        if self._closed:
            doing.close()
            raise QueryError("the pool is closed")
        future = self._on_loop(doing)
        while True:
            try:
                return future.result(LOOK_AROUND if gone is not None else None)
            except NotYet:
                if gone is not None and gone():
                    future.cancel()
                    raise QueryLeft("the client has left") from None
            except CancelledError:
                raise QueryError("the pool is closed") from None

    def call(self, do: Callable[[], None]) -> None:
        """Do something on the pool's loop; nothing where the pool is closed, and everything with it."""
        with suppress(QueryError):
            self.wait(_call(do))

    def _on_loop(self, doing: Coroutine[Any, Any, _Result]) -> Future[_Result]:
        try:
            return asyncio.run_coroutine_threadsafe(doing, self._loop)
        except RuntimeError:  # its loop was closed in this very moment
            doing.close()
            raise QueryError("the pool is closed") from None

    async def _open(self, exchange: Exchange) -> Session:
        session = Session(exchange, self._opening, self.limits)
        session.open()
        return session

    def _way(self) -> Exchange:
        if self._exchange is not None:
            return self._exchange
        if self._own is None:
            self._own = Exchange()
        return self._own


def _run(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()


async def _call(do: Callable[[], None]) -> None:
    do()
