"""The broker: one process a machine that has all workers, and lets clients in, for every web process.

It has one thread, for two reasons: forking a process with threads is not safe, and PR_SET_PDEATHSIG follows the
*thread* that forked. It hands a worker's socket to the web process that asks, and takes no part in what those two say;
what it decides is who may begin, who waits, and when a worker has had its time.

Workers of a store end when the last web process that opened it has gone; the broker ends when nobody has been connected
for a moment. When it is killed the kernel kills its workers, and the next web process that asks starts another
(:mod:`kg.query.exchange`).

    python -m kg.query.broker LISTENING-FD
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import heapq
import json
import os
import select
import signal
import socket
import struct
import sys
import time
from dataclasses import dataclass, field
from typing import Any, NoReturn

from kg.config import Serve
from kg.errors import QueryLimited
from kg.query.crew import Crew, Member, Turn
from kg.query.fairness import Fairness
from kg.query.ledger import Ledger
from kg.query.limits import Limits
from kg.query.wire import PACKET, Desk
from kg.query.worker import Settings, Worker

LINGER = 3.0
"""Seconds without any web process before the broker ends; one that serves a single process ends with it."""

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_CREDENTIALS = struct.Struct("3i")  # struct ucred: process, user, group
_MOST_FILES = 1 << 16


@dataclass(eq=False)
class _Client:
    """A web process: its connection, the store that it opened, and its queries."""

    desk: Desk
    crew: Crew | None = None
    key: str = ""
    alone: bool = False
    turns: dict[int, Turn] = field(default_factory=dict)


class Broker:
    """See the module."""

    def __init__(self, listener: socket.socket) -> None:
        listener.setblocking(False)
        self._listener = listener
        self._clients: dict[int, _Client] = {}  # by descriptor, as all tables here
        self._starting: dict[int, tuple[Crew, Member]] = {}
        self._crews: dict[str, Crew] = {}
        self._fairness: dict[str, Fairness] = {}  # by their bounds
        self._alarms: list[tuple[float, int, Crew]] = []
        self._alarm_number = 0  # crews have no order of their own
        self._epoll = select.epoll()
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._wake, self._bell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._ends_at = time.monotonic() + LINGER * 10  # whoever started it is about to connect

    def run(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to handle
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._bell, warn_on_full_buffer=False)
        for descriptor in (self._listener.fileno(), self._wake):
            self._epoll.register(descriptor, select.EPOLLIN)
        gc.freeze()  # workers share these pages as long as nobody writes to them
        while self._clients or time.monotonic() < self._ends_at:
            ready = [descriptor for descriptor, _ in self._epoll.poll(self._patience())]
            # Deaths first: nobody is handed a worker that has ended.
            for descriptor in sorted(ready, key=lambda descriptor: descriptor != self._wake):
                self._ready(descriptor)
            self._ring()
        for crew in self._crews.values():
            crew.close()
        with contextlib.suppress(ChildProcessError):
            while True:
                os.waitpid(-1, 0)

    def _patience(self) -> float | None:
        """Seconds until something is to be done without being told."""
        times = [self._alarms[0][0]] if self._alarms else []
        if not self._clients:
            times.append(self._ends_at)
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _ready(self, descriptor: int) -> None:
        if descriptor in self._clients:
            self._listen(self._clients[descriptor])
        elif descriptor == self._wake:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake, 4096)
            self._reap()
        elif descriptor == self._listener.fileno():
            self._accept()
        elif descriptor in self._starting:
            crew, member = self._starting[descriptor]
            self._unwatch(member)
            crew.hear(member)

    def _alarm(self, crew: Crew, moment: float) -> None:
        self._alarm_number += 1
        heapq.heappush(self._alarms, (moment, self._alarm_number, crew))

    def _ring(self) -> None:
        now = time.monotonic()
        while self._alarms and self._alarms[0][0] <= now:
            heapq.heappop(self._alarms)[2].tick(now)

    # Web processes

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            sock, _ = self._listener.accept()
            credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            if _CREDENTIALS.unpack(credentials)[1] != os.getuid():
                sock.close()
                return
            sock.setblocking(False)
            self._clients[sock.fileno()] = _Client(Desk(sock))
            self._epoll.register(sock, select.EPOLLIN)

    def _listen(self, client: _Client) -> None:
        while not client.desk.lost:
            try:
                data = client.desk.sock.recv(PACKET)
            except BlockingIOError:
                return
            except OSError:
                break
            if not data:
                break
            self._do(client, json.loads(data))
        self._gone(client)

    def _do(self, client: _Client, message: dict[str, Any]) -> None:
        crew = client.crew
        if "open" in message:
            self._open(client, message["open"])
        elif crew is None:
            client.desk.lost = True
        elif "take" in message:
            self._take(client, crew, message)
        elif "ask" in message:
            self._ask(client, crew, message)
        elif "back" in message:
            crew.back(client.desk, message["back"])
        elif "end" in message:
            turn = client.turns.get(message["end"])
            if turn is not None:
                crew.end(turn, message["outcome"], reusable=message["reusable"], keep=message["keep"])
        elif "spent" in message:
            left = {name: crew.fairness.spend(name, seconds) for name, seconds in message["spent"].items()}
            client.desk.tell({"spent": True, "left": left})
        elif "fault" in message:
            self._fault(client, message)
        elif "look" in message:
            client.desk.tell({"yes": message["look"], **crew.statistics()})

    def _open(self, client: _Client, opening: dict[str, Any]) -> None:
        key = json.dumps(opening, sort_keys=True)
        client.key, client.alone = key, opening["alone"]
        crew = self._crews.get(key)
        if crew is None:
            limits, fairness = Limits(**opening["limits"]), self._fair(opening["bounds"])
            if opening["settings"] is None:
                crew = Ledger(limits, fairness, leave=self._leave, alarm=self._alarm)
            else:
                settings = Settings(**opening["settings"])
                crew = Crew(
                    limits,
                    fairness,
                    spawn=lambda sock: self._fork(sock, settings),
                    watch=self._watch,
                    unwatch=self._unwatch,
                    leave=self._leave,
                    alarm=self._alarm,
                )
            self._crews[key] = crew
        crew.desks += 1
        client.crew = crew
        crew.tick(time.monotonic())

    def _fair(self, bounds: dict[str, Any]) -> Fairness:
        """The accounts under these bounds; they outlive a release."""
        return self._fairness.setdefault(json.dumps(bounds), Fairness(Serve(**bounds)))

    def _ask(self, client: _Client, crew: Crew, message: dict[str, Any]) -> None:
        turn = self._turn(client, crew, message["ask"], message)
        if turn is not None:
            crew.ask(turn)

    def _take(self, client: _Client, crew: Crew, message: dict[str, Any]) -> None:
        turn = self._turn(client, crew, message["take"], message)
        if turn is not None:
            crew.take(turn, message["worker"])
        else:
            crew.refuse_taken(client.desk, message["worker"])

    @staticmethod
    def _turn(client: _Client, crew: Crew, ticket: int, message: dict[str, Any]) -> Turn | None:
        """A query that its client may begin; others are told."""
        name, account = message["client"], None
        if name is not None:
            try:
                account = crew.fairness.enter(name)
            except QueryLimited as e:
                _limited(client.desk, ticket, e)
                return None
        until = time.monotonic() + crew.limits.wait
        turn = Turn(client.desk, ticket, message["seconds"], account, name, until, message.get("ran", 0.0))
        client.turns[ticket] = turn
        return turn

    def _fault(self, client: _Client, message: dict[str, Any]) -> None:
        assert client.crew is not None
        fairness = client.crew.fairness
        try:
            fairness.leave(fairness.enter(message["client"]), 0.0, "refused")
        except QueryLimited as e:
            _limited(client.desk, message["fault"], e)
            return
        client.desk.tell({"yes": message["fault"]})

    def _leave(self, turn: Turn, outcome: str) -> None:
        client = self._clients.get(turn.desk.sock.fileno())
        if client is not None:
            client.turns.pop(turn.ticket, None)
        crew = client.crew if client is not None else None
        if turn.account is not None and crew is not None:
            crew.fairness.leave(turn.account, time.monotonic() - turn.began if turn.began else 0.0, outcome)

    def _gone(self, client: _Client) -> None:
        descriptor = client.desk.sock.fileno()
        self._epoll.unregister(descriptor)
        crew = client.crew
        if crew is not None:
            for turn in list(client.turns.values()):
                crew.end(turn, "left", reusable=False)
            crew.leave(client.desk)
            crew.desks -= 1
            if not crew.desks:
                crew.close()
                del self._crews[client.key]
        del self._clients[descriptor]
        client.desk.sock.close()
        if not self._clients:
            self._ends_at = 0.0 if client.alone else time.monotonic() + LINGER

    # Workers

    def _watch(self, crew: Crew, member: Member) -> None:
        self._starting[member.sock.fileno()] = (crew, member)
        self._epoll.register(member.sock, select.EPOLLIN)

    def _unwatch(self, member: Member) -> None:
        if self._starting.pop(member.sock.fileno(), None) is not None:
            self._epoll.unregister(member.sock)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            for crew in list(self._crews.values()):
                crew.died(pid, os.waitstatus_to_exitcode(status))

    def _fork(self, sock: socket.socket, settings: Settings) -> int:
        broker = os.getpid()
        pid = os.fork()
        return pid or self._become_worker(broker, sock.detach(), settings)

    def _become_worker(self, broker: int, descriptor: int, settings: Settings) -> NoReturn:
        try:
            self._libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != broker:
                os._exit(1)  # it died before the kernel knew what to do about that
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._forget()
            os.closerange(3, descriptor)
            os.closerange(descriptor + 1, _MOST_FILES)
            null = os.open(os.devnull, os.O_RDWR)
            for standard in (0, 1, 2):
                os.dup2(null, standard)
            os.close(null)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                Worker(socket.socket(fileno=descriptor), settings).run()
        finally:
            os._exit(0)

    def _forget(self) -> None:
        """Have no object left that would one day close a descriptor which is then another file's."""
        for client in self._clients.values():
            client.desk.sock.detach()
        for crew in self._crews.values():
            crew.forget()
        self._listener.detach()
        # An epoll object cannot be detached; closing it here closes the child's copy only.
        self._epoll.close()


def _limited(desk: Desk, ticket: int, error: QueryLimited) -> None:
    desk.tell({"no": ticket, "kind": "limited", "message": str(error), "retry_after": error.retry_after})


def main() -> None:
    """Run the broker on the socket whose number is the first argument."""
    Broker(socket.socket(fileno=int(sys.argv[1]))).run()


if __name__ == "__main__":
    main()
