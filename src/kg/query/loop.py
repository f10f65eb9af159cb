"""A session with the broker for threads that wait: it lives on an event loop of its own."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from typing import Any, TypeVar

from kg.errors import QueryError, QueryLeft
from kg.query.base import Gone
from kg.query.exchange import Exchange
from kg.query.limits import Limits
from kg.query.session import Session

LOOK_AROUND = 0.2
"""Seconds between two looks at whether the client is still there, while the broker or a worker is silent."""

GRACE = 5.0
"""Seconds in which the processes end that were started here, once it is closed."""

_CLOSED = "the pool is closed"
_Result = TypeVar("_Result")


class Connected:
    """Thread-safe; starts with :meth:`start` or at its first use.

    ``opening`` is what the broker is told first (:mod:`kg.query.wire`); ``exchange`` leads to the broker that all
    of a server share; without one, it has a broker of its own.
    """

    def __init__(self, opening: dict[str, Any], limits: Limits, exchange: Exchange | None) -> None:
        self.limits = limits
        self._opening = {**opening, "alone": exchange is None}
        self._exchange = exchange
        self._own: Exchange | None = None
        self._lock = threading.Lock()
        self._closed = False
        self._pid = 0
        self._sessions: list[Session] = []

    def session(self) -> Session:
        """A session of the running event loop's own; it ends with the pool.

        :raises QueryError: if that was closed.
        """
        with self._lock:
            if self._closed:
                raise QueryError(_CLOSED)
            session = Session(self._way(), self._opening, self.limits)
            self._sessions.append(session)
            return session

    def start(self) -> None:
        """Start the thread that speaks with the broker, if it does not run in this process.

        :raises QueryError: if the pool was closed.
        """
        with self._lock:
            if self._closed:
                raise QueryError(_CLOSED)
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

    def wait(self, doing: Coroutine[Any, Any, _Result], gone: Gone | None = None) -> _Result:
        """Wait for something on the pool's loop.

        :raises QueryError: if the client leaves meanwhile, or the pool is closed.
        """
        if self._closed:
            doing.close()
            raise QueryError(_CLOSED)
        future = self._on_loop(doing)
        while True:
            try:
                return future.result(LOOK_AROUND if gone is not None else None)
            except NotYet:
                if gone is not None and gone():
                    future.cancel()
                    raise QueryLeft("the client has left") from None
            except CancelledError:
                raise QueryError(_CLOSED) from None

    def call(self, do: Callable[[], None]) -> None:
        """Do something on the pool's loop; nothing where the pool is closed, and everything with it."""
        with suppress(QueryError):
            self.wait(_call(do))

    def _on_loop(self, doing: Coroutine[Any, Any, _Result]) -> Future[_Result]:
        try:
            return asyncio.run_coroutine_threadsafe(doing, self._loop)
        except RuntimeError:  # its loop was closed in this very moment
            doing.close()
            raise QueryError(_CLOSED) from None

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
