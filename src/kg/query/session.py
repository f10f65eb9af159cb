"""A web process's connection to the broker, from which it gets a worker for each query.

Everything here runs in one event loop, the one that opened the session.
"""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any

from kg.errors import QueryError
from kg.query.exchange import Exchange
from kg.query.limits import Limits
from kg.query.line import Line
from kg.query.running import Running, WorkerEnded, refusal
from kg.query.wire import PACKET
from kg.query.worker import Request

QUIET = 0.02
"""Seconds that a query runs on the kept worker before the broker is told; most queries have ended by then."""

SETTLE = 0.25
"""Seconds after which the broker is told what those queries took that it knew nothing of."""

_REMEMBERED = 1000
_UNSETTLED = 200  # clients; what is told of them fits into one packet
_SILENCE = 1.0  # seconds without a word from the broker before we look whether there is one
_AGAIN = 1.0  # seconds from the end of a broker to the next, if no query asks for it earlier


@dataclass(frozen=True, slots=True)
class _Untold:
    """The query that runs on the worker that was kept here, while the broker takes that worker for idle."""

    ticket: int
    worker: int
    client: str | None
    seconds: float
    began: float
    later: asyncio.TimerHandle


class Session:
    """The connection of one event loop to the broker, for the store that ``opening`` names (:mod:`kg.query.wire`)."""

    def __init__(self, exchange: Exchange, opening: dict[str, Any], limits: Limits) -> None:
        self.limits = limits
        self._exchange = exchange
        self._opening = opening
        self.loop = asyncio.get_running_loop()
        self._broker: socket.socket | None = None
        self._tickets = count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._running: dict[int, Running] = {}
        self._workers: dict[int, Line] = {}
        self._kept = 0  # the worker that stays here between two queries
        self._untold: _Untold | None = None
        self._left: dict[str, float] = {}  # seconds that clients may spend before the broker is to be asked
        self._spent: dict[str, float] = {}  # seconds that the broker does not know of
        self._settling: asyncio.TimerHandle | None = None
        self._watchdog: asyncio.TimerHandle | None = None
        self._again: asyncio.Task[None] | None = None
        self._closed = False

    async def run(self, request: Request, seconds: float, client: str | None = None) -> Running:
        """Run a query for so many seconds at most, up to the first bytes of its answer.

        ``client`` is who asks, as :mod:`kg.query.fairness` counts; nobody is counted without.

        :raises QueryRefused: if the engine does not accept it (with line and column).
        :raises QueryKilled: if it ran into a limit before the first byte.
        :raises QueryBusy: if no worker was free in time.
        :raises QueryLimited: if the client has asked too much.
        :raises QueryError: if it failed otherwise.
        """
        frame = request.frame()
        try:
            return await self._begun(frame, seconds, client)
        except WorkerEnded:
            # Something else ended it, perhaps while it was idle; nothing has been answered yet.
            return await self._begun(frame, seconds, client)

    async def enter(self, client: str) -> int:
        """Let a client begin a query that runs elsewhere; its ticket, for :meth:`end` (:mod:`kg.query.ledger`).

        :raises QueryLimited: if the client has asked too much.
        :raises QueryBusy: if too many queries wait.
        """
        ticket: int = (await self._ask_on("ask", client=client, seconds=0.0))["go"]
        return ticket

    async def fault(self, client: str) -> None:
        """Note that a client's query was refused without a worker.

        :raises QueryLimited: if the client has made too many errors, and has to wait before the next.
        """
        self._left.pop(client, None)
        await self._ask_on("fault", client=client)

    async def statistics(self) -> dict[str, int]:
        """How many workers do what: busy, idle; and how many queries wait."""
        found = await self._ask_on("look")
        return {name: found[name] for name in ("busy", "idle", "waiting")}

    def close(self) -> None:
        """Let go of the broker; whatever runs or waits gets an error."""
        self._closed = True
        self._hang_up()

    def close_soon(self) -> None:
        """:meth:`close`, from another thread."""
        self._closed = True
        with suppress(RuntimeError):  # its loop has ended, and the connection with it
            self.loop.call_soon_threadsafe(self._hang_up)

    # The broker

    def open(self) -> None:
        """Connect to the broker, so that its workers start; done by the first query otherwise.

        :raises QueryError: if the session was closed.
        """
        if self._closed:
            raise QueryError("the server is shutting down")
        if self._broker is None:
            self._broker = self._exchange.connect()
            self._broker.setblocking(False)
            self.loop.add_reader(self._broker, self._hear)
            self._say({"open": self._opening})

    def _say(self, message: dict[str, Any]) -> None:
        assert self._broker is not None
        try:
            self._broker.send(json.dumps(message).encode())
        except OSError:
            self._hang_up()

    async def _ask(self, verb: str, **more: object) -> dict[str, Any]:
        """Say something, and wait for what the broker answers."""
        self.open()
        self.tell()
        ticket = next(self._tickets)
        reply = self._waiting[ticket] = self.loop.create_future()
        self._say({verb: ticket, **more})
        if self._watchdog is None:
            self._watchdog = self.loop.call_later(_SILENCE, self._look_after)
        try:
            found: dict[str, Any] = await reply
        except BaseException:
            self.end(ticket, "left")
            raise
        finally:
            self._waiting.pop(ticket, None)
        if "no" in found:
            raise refusal(found)
        return found

    async def _ask_on(self, verb: str, **more: object) -> dict[str, Any]:
        """:meth:`_ask`, and once more the next broker where one ended meanwhile."""
        try:
            return await self._ask(verb, **more)
        except WorkerEnded:
            return await self._ask(verb, **more)

    def _look_after(self) -> None:
        """The broker has been silent for a while: perhaps it ended before it took our connection."""
        self._watchdog = None
        if self._waiting and not self._closed:
            self._exchange.ensure()
            self._watchdog = self.loop.call_later(_SILENCE, self._look_after)

    def end(
        self, ticket: int, outcome: str, *, worker: int = 0, reusable: bool = False, client: str | None = None
    ) -> None:
        """Give a worker back, keep it for the next query, or leave the line."""
        self._running.pop(ticket, None)
        untold = self._untold
        if untold is not None and untold.ticket == ticket:
            if reusable and outcome == "answered":
                untold.later.cancel()
                self._untold, self._kept = None, worker
                self._spend(client, self.loop.time() - untold.began)
                return
            self.tell()
        if client is not None and outcome not in ("answered", "left"):
            self._left.pop(client, None)  # errors count too, and the broker counts them
        if self._broker is not None:
            keep = reusable and not self._kept and self._untold is None
            if keep:
                self._kept = worker
            self._say({"end": ticket, "outcome": outcome, "reusable": reusable, "keep": keep})

    def tell(self) -> None:
        """Tell the broker of the query that runs on the worker that was kept."""
        untold, self._untold = self._untold, None
        if untold is not None:
            untold.later.cancel()
            ran = self.loop.time() - untold.began
            take = {"take": untold.ticket, "worker": untold.worker, "client": untold.client}
            self._say({**take, "seconds": untold.seconds, "ran": ran})

    def _spend(self, client: str | None, seconds: float) -> None:
        if client is None:
            return
        self._left[client] = self._left.get(client, 0.0) - seconds
        self._spent[client] = self._spent.get(client, 0.0) + seconds
        if len(self._spent) >= _UNSETTLED:
            self._settle()
        elif self._settling is None:
            self._settling = self.loop.call_later(SETTLE, self._settle)

    def _settle(self) -> None:
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None
        if self._spent and self._broker is not None:
            self._say({"spent": self._spent})
        self._spent = {}

    def _allow(self, client: str, seconds: float) -> None:
        if len(self._left) >= _REMEMBERED:
            self._left.clear()
        self._left[client] = seconds - self._spent.get(client, 0.0)

    def _hear(self) -> None:
        while self._broker is not None:
            try:
                data, passed, _, _ = socket.recv_fds(self._broker, PACKET, 1)
            except BlockingIOError:
                return
            except OSError:
                data, passed = b"", []
            if not data:
                self._hang_up()
                return
            message = json.loads(data)
            for descriptor in passed:
                self._workers[message["worker"]] = Line(descriptor)
            self._take(message)

    def _take(self, message: dict[str, Any]) -> None:
        if "recall" in message:
            if self._kept == message["recall"]:
                self._kept = 0
                self._say({"back": message["recall"]})
            else:
                self.tell()
            return
        if "left" in message:
            for client, seconds in message["left"].items():
                self._allow(client, seconds)
        if "spent" in message:
            return
        if message.get("no") in self._running:
            self._running[message["no"]].over(message)
            return
        ticket = message.get("over")
        if ticket is not None:
            if ticket in self._running:
                self._running[ticket].over(message)
            return
        reply = self._waiting.get(message.get("go") or message.get("no") or message.get("yes") or 0)
        if reply is not None and not reply.done():
            reply.set_result(message)
        elif "go" in message:
            self.end(message["go"], "left")

    def _hang_up(self) -> None:
        """The broker has gone, or we go: everything that was under way has failed."""
        if self._broker is not None:
            self.loop.remove_reader(self._broker)
            self._broker.close()
            self._broker = None
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None
        for later in (self._settling, self._untold and self._untold.later):
            if later:
                later.cancel()
        self._settling = self._untold = None
        self._kept = 0
        self._left.clear()
        self._spent.clear()
        for running in list(self._running.values()):
            self._workers.pop(running.worker, None)
            running.over({})
        for line in self._workers.values():
            line.close()
        self._workers.clear()
        why = "the server is shutting down" if self._closed else "the process that minds the queries ended; ask again"
        for reply in self._waiting.values():
            if not reply.done():
                reply.set_result({"no": 0, "kind": "ended", "message": why})
        if self._closed:
            if self._again is not None:
                self._again.cancel()
        elif self._again is None or self._again.done():
            self._again = self.loop.create_task(self._return())

    async def _return(self) -> None:
        """Workers are to stand ready again before the next query needs one."""
        while not self._closed:
            await asyncio.sleep(_AGAIN)
            with suppress(OSError, QueryError):
                await self.statistics()  # not only opened: the broker that ends may still hold the place of the next
                return

    # One query

    async def _begun(self, frame: bytes, seconds: float, client: str | None) -> Running:
        ticket, worker = self._at_once(seconds, client) or await self._granted(seconds, client)
        if worker not in self._workers:
            raise WorkerEnded("the worker had gone; ask again")
        running = Running(self, ticket, worker, self._workers[worker], seconds=seconds, client=client)
        self._running[ticket] = running
        try:
            await running.begin(frame)
        except BaseException:
            running.close()
            raise
        return running

    def _at_once(self, seconds: float, client: str | None) -> tuple[int, int] | None:
        """A ticket and the worker that was kept, for a client that has something left; the broker hears of it later."""
        if not self._kept or (client is not None and self._left.get(client, 0.0) <= 0):
            return None
        ticket, worker, self._kept = next(self._tickets), self._kept, 0
        later = self.loop.call_later(min(QUIET, seconds / 2), self.tell)
        self._untold = _Untold(ticket, worker, client, seconds, self.loop.time(), later)
        return ticket, worker

    async def _granted(self, seconds: float, client: str | None) -> tuple[int, int]:
        """A ticket and a worker, from the broker."""
        found = await self._ask("ask", client=client, seconds=seconds)
        return found["go"], found["worker"]

    def forget(self, worker: int) -> None:
        """A worker has ended, or is about to."""
        self._workers.pop(worker, None)
