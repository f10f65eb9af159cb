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

from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kg.config import Serve
from kg.errors import QueryError
from kg.query.base import Answer, Gone, Query, Runner
from kg.query.exchange import Exchange
from kg.query.limits import Limits
from kg.query.loop import Connected
from kg.query.running import Running, outcome
from kg.query.worker import Settings


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


class Pool(Connected, Runner):
    """Workers over one sealed store, for one base.

    ``bounds`` are those of each client that queries are run for; see :class:`~kg.query.loop.Connected` for the rest.
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
        settings = Settings(
            store=str(store_path),
            base=base,
            memory=limits.memory,
            rows=limits.rows,
            bytes=limits.bytes,
            cpu=limits.deadline + 5,
        )
        opening = {"settings": asdict(settings), "limits": asdict(limits), "bounds": asdict(bounds or Serve())}
        super().__init__(opening, limits, exchange)
        self._counts: Counter[str] = Counter()

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
