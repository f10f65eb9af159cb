"""A web process's connection to the broker, from which it gets a worker for each query.

Everything here runs in one event loop, the one that opened the session.
"""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import suppress
from itertools import count
from typing import Any

from kg.errors import QueryError, QueryLimited
from kg.query.exchange import Exchange
from kg.query.limits import Limits
from kg.query.running import Running, WorkerEnded, refusal
from kg.query.wire import PACKET
from kg.query.worker import Request

_REMEMBERED = 1000
_SILENCE = 1.0  # seconds without a word from the broker before we look whether there is one


class Session:
    """The connection of one event loop to the broker, for the store that ``opening`` names (:mod:`kg.query.wire`)."""

    def __init__(self, exchange: Exchange, opening: dict[str, Any], limits: Limits) -> None:
        self.limits = limits
        self._exchange = exchange
        self._opening = opening
        self._loop = asyncio.get_running_loop()
        self._broker: socket.socket | None = None
        self._tickets = count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._running: dict[int, Running] = {}
        self._workers: dict[int, socket.socket] = {}
        self._kept = 0  # the worker that stays here between two queries
        self._limited: dict[str, float] = {}  # clients that have to wait, and until when
        self._watchdog: asyncio.TimerHandle | None = None
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
            try:
                return await self._begun(frame, seconds, client)
            except WorkerEnded:
                # Something else ended it, perhaps while it was idle; nothing has been answered yet.
                return await self._begun(frame, seconds, client)
        except QueryLimited as e:
            if client is not None:
                if len(self._limited) >= _REMEMBERED:
                    self._limited.clear()
                self._limited[client] = self._loop.time() + e.retry_after
            raise

    async def fault(self, client: str) -> None:
        """Note that a client's query was refused without a worker.

        :raises QueryLimited: if the client has made too many errors, and has to wait before the next.
        """
        await self._ask("fault", client=client)

    async def statistics(self) -> dict[str, int]:
        """How many workers do what: busy, idle; and how many queries wait."""
        found = await self._ask("look")
        return {name: found[name] for name in ("busy", "idle", "waiting")}

    def close(self) -> None:
        """Let go of the broker; whatever runs or waits gets an error."""
        self._closed = True
        self._hang_up()

    def close_soon(self) -> None:
        """:meth:`close`, from another thread."""
        self._closed = True
        with suppress(RuntimeError):  # its loop has ended, and the connection with it
            self._loop.call_soon_threadsafe(self._hang_up)

    # The broker

    def open(self) -> None:
        """Connect to the broker, so that its workers start; done by the first query otherwise."""
        if self._closed:
            raise QueryError("the server is shutting down")
        if self._broker is None:
            self._broker = self._exchange.connect()
            self._broker.setblocking(False)
            self._loop.add_reader(self._broker, self._hear)
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
        ticket = next(self._tickets)
        reply = self._waiting[ticket] = self._loop.create_future()
        self._say({verb: ticket, **more})
        if self._watchdog is None:
            self._watchdog = self._loop.call_later(_SILENCE, self._look_after)
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

    def _look_after(self) -> None:
        """The broker has been silent for a while: perhaps it ended before it took our connection."""
        self._watchdog = None
        if self._waiting and not self._closed:
            self._exchange.ensure()
            self._watchdog = self._loop.call_later(_SILENCE, self._look_after)

    def end(self, ticket: int, outcome: str, *, worker: int = 0, reusable: bool = False) -> None:
        """Give a worker back, keep it for the next query, or leave the line."""
        self._running.pop(ticket, None)
        if self._broker is not None:
            keep = reusable and not self._kept
            if keep:
                self._kept = worker
            self._say({"end": ticket, "outcome": outcome, "reusable": reusable, "keep": keep})

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
                self._introduce(message["worker"], descriptor)
            self._take(message)

    def _introduce(self, worker: int, descriptor: int) -> None:
        sock = socket.socket(fileno=descriptor)
        sock.setblocking(False)
        self._workers[worker] = sock

    def _take(self, message: dict[str, Any]) -> None:
        if "recall" in message:
            if self._kept == message["recall"]:
                self._kept = 0
                self._say({"back": message["recall"]})
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
            self._loop.remove_reader(self._broker)
            self._broker.close()
            self._broker = None
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None
        self._kept = 0
        for running in list(self._running.values()):
            self._workers.pop(running.worker, None)
            running.over({})
        for sock in self._workers.values():
            sock.close()
        self._workers.clear()
        why = "the server is shutting down" if self._closed else "the process that minds the queries ended; ask again"
        for reply in self._waiting.values():
            if not reply.done():
                reply.set_result({"no": 0, "kind": "ended", "message": why})

    # One query

    async def _begun(self, frame: bytes, seconds: float, client: str | None) -> Running:
        if self._kept and (client is None or self._limited.get(client, 0.0) < self._loop.time()):
            ticket, worker, self._kept = next(self._tickets), self._kept, 0
            self._say({"take": ticket, "worker": worker, "client": client, "seconds": seconds})
        else:
            found = await self._ask("ask", client=client, seconds=seconds)
            ticket, worker = found["go"], found["worker"]
        if worker not in self._workers:
            raise WorkerEnded("the worker had gone; ask again")
        running = self._running[ticket] = Running(self, ticket, worker, self._workers[worker], seconds)
        try:
            await running.begin(frame)
        except BaseException:
            running.close()
            raise
        return running

    def forget(self, worker: int) -> None:
        """A worker has ended, or is about to."""
        self._workers.pop(worker, None)
