"""A pool of worker processes: one query each, a deadline for each, and spares that stand ready.

::

    with pool.run(Query("SELECT * { ?s ?p ?o }", "text/csv")) as answer:
        for chunk in answer.chunks:
            ...

The pool enforces the deadline, because the engine cannot be interrupted: it kills the worker. Up to the first byte of
the answer that is an exception from ``run``; later it comes out of ``chunks``, and whoever passes the chunks on must
break the connection then, so that the answer does not look whole.

A query is run as it is: have it looked at by :func:`kg.query.lexer.inspect` first. The processes belong to the process
that runs queries: after a fork the child starts its own.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from kg.errors import QueryBusy, QueryError, QueryKilled, QueryLeft, QueryRefused
from kg.query.limits import MIB, Limits
from kg.query.member import Gone, Left, Member, Overdue, WorkerEnded, failure, killed
from kg.query.staff import Staff
from kg.query.worker import Request, Settings

_RETIRE = 256 * MIB
"""A worker that has ever needed more is replaced after its query, so that the next one finds its memory whole."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query: ``timeout`` in seconds may lower the pool's deadline; see Request for ``preview`` and ``evidence``.

    ``default_graphs`` and ``named_graphs`` (absolute IRIs) replace the dataset, FROM and FROM NAMED included
    (SPARQL 1.1 Protocol, section 2.1.4).
    """

    text: str
    media_type: str
    default_graphs: Sequence[str] = ()
    named_graphs: Sequence[str] = ()
    timeout: float | None = None
    preview: int = 0
    evidence: bool = False

    def request(self) -> Request:
        own = self.default_graphs or self.named_graphs
        return Request(
            self.text,
            self.media_type,
            list(self.default_graphs) if own else None,
            list(self.named_graphs) if own else None,
            preview=self.preview,
            evidence=self.evidence,
        )


class Answer:
    """What a query answers, in chunks as they are made.

    ``complete``: all of it is already here. ``note``: what is known before the rows (:mod:`kg.query.footnotes`).
    ``outcome``, once its worker is free again: "answered", "left" if nobody waited for the end, or what :func:`outcome`
    says; then ``ended`` is called, once.
    """

    def __init__(self, pool: Pool, member: Member, query: Query, gone: Gone | None) -> None:
        self.media_type = "application/json" if query.preview else query.media_type
        self.complete = False
        self.note: dict[str, Any] = {}
        self.outcome = ""
        self.ended: Callable[[str], None] | None = None
        self._pool = pool
        self._member: Member | None = member
        self._gone = gone
        self._seconds = pool.limits.seconds(query.timeout)
        self._first: list[bytes] = []
        self.chunks = self._stream()

    def __enter__(self) -> Answer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop; a worker that is still at it is killed."""
        self.chunks.close()
        self._finish(reusable=False)

    def begin(self) -> None:
        """Wait for the first bytes, and take in what arrived with them."""
        data = self._next(self._gone)
        while data is not None:
            self._first.append(data)
            member = self._member
            frame = member.buffered() if member else None
            if frame is None:
                return
            data = self._taken(*frame)
        self.complete = True

    def _stream(self) -> Generator[bytes, None, None]:
        try:
            yield from self._first
            while not self.complete:
                data = self._next(self._gone)
                if data is None:
                    return
                yield data
        finally:
            self._finish(reusable=False)

    def _next(self, gone: Gone | None) -> bytes | None:
        """The next bytes, or ``None`` at the end."""
        member = self._member
        if member is None:
            raise QueryError("this answer was closed")
        try:
            kind, body = member.frame(gone)
            if kind == b"N":
                self.note = json.loads(body)
                kind, body = member.frame(gone)
            return self._taken(kind, body)
        except Overdue:
            raise self._failed(killed("deadline", self._pool.limits, self._seconds)) from None
        except Left:
            raise self._failed(QueryLeft("the client has left"), "left") from None
        except EOFError:
            raise self._failed(member.death(self._pool.limits)) from None

    def _taken(self, kind: bytes, body: bytes) -> bytes | None:
        if kind == b"D":
            return body
        if kind == b"E":
            peak = json.loads(body)["peak"] * 1024
            self.outcome = "answered"
            self._finish(reusable=peak < min(_RETIRE, self._pool.limits.memory // 2))
            return None
        raise self._failed(failure(body, self._pool.limits), reusable=True)

    def _failed(self, error: QueryError, how: str = "", *, reusable: bool = False) -> QueryError:
        self.outcome = how or outcome(error)
        self._finish(reusable=reusable)
        return self._pool.count(error)

    def _finish(self, *, reusable: bool) -> None:
        member, self._member = self._member, None
        if member is not None:
            self._pool.take_back(member, reusable=reusable)
            self.outcome = self.outcome or "left"
            if self.ended is not None:
                self.ended(self.outcome)


def outcome(error: QueryError) -> str:
    """What became of a query, in a word: "refused", "busy", "failed", or "killed_" and the name of the limit."""
    if isinstance(error, QueryKilled):
        return f"killed_{error.limit}"
    kinds = {QueryRefused: "refused", QueryBusy: "busy", QueryLeft: "left"}
    return kinds.get(type(error), "failed")


class Pool:
    """Workers over one sealed store, for one base. Thread-safe; starts with :meth:`start` or the first query."""

    def __init__(self, store_path: Path | str, base: str, limits: Limits) -> None:
        self.limits = limits
        self._counts: Counter[str] = Counter()
        self._staff = Staff(
            limits,
            Settings(
                store=str(store_path),
                base=base,
                memory=limits.memory,
                rows=limits.rows,
                bytes=limits.bytes,
                cpu=limits.deadline + 5,
            ),
        )

    def start(self) -> None:
        """Start the workers, without waiting for them; does nothing when they run."""
        self._staff.start()

    def close(self) -> None:
        """End every process; queries that run get an error."""
        self._staff.close()

    def run(self, query: Query, *, gone: Gone | None = None) -> Answer:
        """Run a query up to the first bytes of its answer.

        ``gone`` is asked now and then, while the worker is silent, whether nobody waits for the answer any more.

        :raises QueryRefused: if the engine does not accept it (with line and column).
        :raises QueryKilled: if it ran into a limit before the first byte.
        :raises QueryBusy: if no worker was free in time.
        :raises QueryError: if it failed otherwise.
        """
        self.start()
        self._counts["queries"] += 1
        try:
            return self._begun(query, gone)
        except WorkerEnded:
            # Something else ended it, perhaps while it was idle; nothing has been answered yet.
            return self._begun(query, gone)

    def _begun(self, query: Query, gone: Gone | None) -> Answer:
        answer = Answer(self, self._engage(query, gone), query, gone)
        try:
            answer.begin()
        except BaseException:
            answer.close()
            raise
        return answer

    def statistics(self) -> dict[str, int]:
        """Counters since the start, and how many workers do what now; for metrics."""
        return {**self._counts, **self._staff.statistics()}

    def count(self, error: QueryError) -> QueryError:
        """Note an error in the statistics, and hand it on."""
        self._counts[outcome(error)] += 1
        return error

    def take_back(self, member: Member, *, reusable: bool) -> None:
        """A query of this worker is over."""
        self._staff.take_back(member, reusable=reusable)

    def _engage(self, query: Query, gone: Gone | None) -> Member:
        frame = query.request().frame()
        seconds = self.limits.seconds(query.timeout)
        while True:
            try:
                member = self._staff.engage(gone)
            except QueryError as e:
                raise self.count(e) from None
            member.deadline = time.monotonic() + seconds
            try:
                member.sock.sendall(frame)
            except OSError:  # it died while it was idle
                self.take_back(member, reusable=False)
                continue
            return member
