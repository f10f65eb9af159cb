"""A query that a worker has: the question to it, its answer as that is made, and how it ended."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kg.errors import QueryBusy, QueryError, QueryKilled, QueryLeft, QueryLimited, QueryRefused
from kg.query.limits import MIB, Limits
from kg.query.line import Line
from kg.query.wire import HEAD, KILLED_BY

if TYPE_CHECKING:
    from kg.query.session import Session

_RETIRE = 256 * MIB
"""A worker that has ever needed more is replaced after its query, so that the next one finds its memory whole."""

_MOMENT = 0.25  # seconds in which nothing can have taken all memory of a machine
_STATUS_WAIT = 10.0  # a dead worker's socket ends before the broker says how it died: long before, on a busy machine


class WorkerEnded(QueryError):
    """Something other than a limit ended the worker."""


class Running:
    """A query whose answer has begun.

    ``first`` is what has come of it, ``complete`` whether that is all, ``note`` what is known before the rows
    (:mod:`kg.query.footnotes`). ``outcome``, once its worker is free again: "answered", "left" if nobody waited for the
    end, or what :func:`outcome` says.
    """

    def __init__(
        self,
        session: Session,
        ticket: int,
        worker: int,
        line: Line,
        *,
        seconds: float,
        client: str | None,
    ) -> None:
        self.worker = worker
        self.first: list[bytes] = []
        self.complete = False
        self.note: dict[str, Any] = {}
        self.outcome = ""
        self._ended: Callable[[str], None] | None = None
        self._session = session
        self._loop = session.loop
        self._ticket = ticket
        self._line: Line | None = line
        self._over: asyncio.Future[dict[str, Any]] = self._loop.create_future()
        self._seconds = seconds
        self._client = client
        self._buffer = bytearray()
        self._began = self._loop.time()

    def when_ended(self, do: Callable[[str], None]) -> None:
        """Call this with the outcome, once; now, if it has ended already."""
        if self.outcome:
            do(self.outcome)
        else:
            self._ended = do

    async def begin(self, frame: bytes) -> None:
        """Ask the worker, wait for the first bytes, and take in what arrived with them."""
        assert self._line is not None
        try:
            await self._line.send(frame)
        except OSError:  # it ended before it was asked, so not for what was asked
            raise self._failed(WorkerEnded("the worker had gone; ask again")) from None
        data = await self.chunk()
        while data is not None:
            self.first.append(data)
            arrived = self._buffered()
            if arrived is None:
                return
            data = self._taken(*arrived)
        self.complete = True

    async def chunk(self) -> bytes | None:
        """The next bytes of the answer, or ``None`` at its end.

        :raises QueryKilled: if it ran into a limit; what came before must not look whole then.
        :raises QueryError: if it failed otherwise, or was closed.
        """
        kind, body = await self._frame()
        if kind == b"N":
            self.note = json.loads(body)
            kind, body = await self._frame()
        return self._taken(kind, body)

    def close(self) -> None:
        """Stop; a worker that is still at it is killed."""
        self._finish("left", reusable=False)

    def over(self, told: dict[str, Any]) -> None:
        """The broker says that the worker has ended, and how; or it has gone itself."""
        if not self._over.done():
            self._over.set_result(told)
        awaited = False
        if self._line is not None:
            awaited = self._line.awaited
            with suppress(OSError):
                self._line.shut()
        if not told and not awaited:
            self._finish("failed", reusable=False)

    def _taken(self, kind: bytes, body: bytes) -> bytes | None:
        if kind == b"D":
            return body
        limits = self._session.limits
        if kind == b"E":
            peak = int(body) * 1024
            self._finish("answered", reusable=peak < min(_RETIRE, limits.memory // 2))
            return None
        raise self._failed(_failure(body, limits), reusable=True)

    async def _frame(self) -> tuple[bytes, bytes]:
        while (frame := self._buffered()) is None:
            if self._line is None:
                raise QueryError("this answer was closed")
            data = await self._line.receive()
            if not data:
                raise self._failed(await self._death())
            self._buffer += data
        return frame

    def _buffered(self) -> tuple[bytes, bytes] | None:
        """The next frame that has wholly arrived."""
        if len(self._buffer) < HEAD.size:
            return None
        kind, size = HEAD.unpack_from(self._buffer)
        end = HEAD.size + size
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[HEAD.size : end])
        del self._buffer[:end]
        return kind, body

    async def _death(self) -> QueryError:
        """Why the worker ended in the middle of a query."""
        self._session.tell()
        await asyncio.wait((self._over,), timeout=_STATUS_WAIT)
        told = self._over.result() if self._over.done() else {}
        limits = self._session.limits
        if "no" in told:
            return refusal(told)
        if "deadline" in told:
            return killed("deadline", limits, self._seconds)
        status = told.get("status", 0)
        how = KILLED_BY.get(status, "")
        # A limit of its own ends a worker in other ways; the kernel kills it for memory, but not so soon.
        at_once = status == -signal.SIGKILL and self._loop.time() - self._began < _MOMENT
        if how and not at_once:
            return killed(how.removeprefix("killed_"), limits, self._seconds)
        return WorkerEnded("the process that ran the query ended; ask again")

    def _failed(self, error: QueryError, *, reusable: bool = False) -> QueryError:
        self._finish(outcome(error), reusable=reusable)
        return error

    def _finish(self, how: str, *, reusable: bool) -> None:
        if self.outcome:
            return
        self.outcome = how
        self._session.end(self._ticket, how, worker=self.worker, reusable=reusable, client=self._client)
        line, self._line = self._line, None
        if not reusable and line is not None:
            self._session.forget(self.worker)
            line.close()
        if self._ended is not None:
            self._ended(how)


def outcome(error: QueryError) -> str:
    """What became of a query: "refused", "busy", "limited", "left", "failed", or "killed_" and the limit's name."""
    if isinstance(error, QueryKilled):
        return f"killed_{error.limit}"
    kinds = {QueryRefused: "refused", QueryBusy: "busy", QueryLimited: "limited", QueryLeft: "left"}
    return kinds.get(type(error), "failed")


def killed(limit: str, limits: Limits, seconds: float | None = None) -> QueryKilled:
    """The error for a limit, in words that help."""
    text = {
        "deadline": f"the query ran longer than {limits.deadline if seconds is None else seconds:g} seconds",
        "memory": f"the query needed more than {limits.memory >> 20} MiB of memory",
        "rows": f"the answer has more than {limits.rows} rows",
        "bytes": f"the answer has more than {limits.bytes} bytes",
    }[limit]
    advice = "ask for less, for example with LIMIT, or take a dump" if limit != "deadline" else "narrow it down"
    return QueryKilled(f"{text} and was stopped; {advice}", limit=limit)


def _failure(body: bytes, limits: Limits) -> QueryError:
    """The error that a worker's X frame speaks of."""
    told: dict[str, Any] = json.loads(body)
    if told["kind"] == "killed":
        return killed(told["limit"], limits)
    if told["kind"] == "refused":
        return QueryRefused(told["message"], line=told.get("line", 0), column=told.get("column", 0))
    return QueryError(f"the query could not be answered: {told['message']}")


def refusal(told: dict[str, Any]) -> QueryError:
    """The error for the broker's "no"."""
    message = told["message"]
    if told["kind"] == "busy":
        return QueryBusy(message)
    if told["kind"] == "limited":
        return QueryLimited(message, retry_after=told["retry_after"])
    return WorkerEnded(message) if told["kind"] == "ended" else QueryError(message)
