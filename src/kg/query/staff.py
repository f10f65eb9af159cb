"""The workers of a pool: starting them, handing them out, replacing those that were killed.

There are always ``workers + spares`` processes, of which ``workers`` may run a query at the same time: so the next
query never waits for a process to start. One thread, the keeper, waits for those that are starting, hears from the
nursery how they ended, and kills those past their deadline whose answers nobody reads.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections import deque

from kg.errors import QueryBusy, QueryError, QueryLeft
from kg.query.limits import Limits
from kg.query.member import LOOK_AROUND, Gone, Member
from kg.query.worker import Settings

_TICK = 0.25
"""Seconds between two looks at the deadlines."""

_START_AGAIN = 1.0
"""Seconds to wait after a worker could not start."""

_GRACE = 5.0
"""Seconds in which the nursery ends all workers and itself."""


class Staff:
    """See the module. Every method may be called from every thread."""

    def __init__(self, limits: Limits, settings: Settings) -> None:
        self._limits = limits
        self._settings = settings
        self._closed = False
        self._reset()

    def _reset(self) -> None:
        self._pid = 0  # the process whose children the workers are
        self._change = threading.Condition()
        self._members: dict[int, Member] = {}
        self._starting: dict[int, Member] = {}
        self._idle: list[Member] = []
        self._busy = 0
        self._line: deque[object] = deque()  # who waits, the first one first
        self._number = 0
        self._problem = ""  # why the last worker could not start
        self._start_again = 0.0
        self._nursery: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the processes, without waiting for them; does nothing when they run."""
        if self._pid == os.getpid():
            return
        if self._pid:
            self._reset()  # this is a fork of the process that they belong to
        with self._change:
            if self._pid:
                return
            if self._closed:
                raise QueryError("the pool is closed")
            self._pid = os.getpid()
            self._bell, self._wake = socket.socketpair()
            self._bell.setblocking(False)
            self._wake.setblocking(False)
            self._hire()
        threading.Thread(target=self._keep, name="kg-query-keeper", daemon=True).start()

    def close(self) -> None:
        """End every process."""
        with self._change:
            if self._closed or self._pid != os.getpid():
                self._closed = True
                return
            self._closed = True
            for member in (*self._idle, *self._starting.values()):
                member.sock.close()
            # The nursery may have ended before, and its socket with it.
            with contextlib.suppress(OSError):
                self._control.shutdown(socket.SHUT_RDWR)
            self._change.notify_all()
        self._ring()
        assert self._nursery is not None
        try:
            self._nursery.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._nursery.kill()
            self._nursery.wait()

    def statistics(self) -> dict[str, int]:
        with self._change:
            return {"busy": self._busy, "idle": len(self._idle), "waiting": len(self._line)}

    # Handing out

    def engage(self, gone: Gone | None) -> Member:
        """An idle worker, as soon as there is one.

        :raises QueryBusy: if there is none in time, or too many wait already.
        """
        until = time.monotonic() + self._limits.wait
        with self._change:
            if self._busy + len(self._line) >= self._limits.workers + self._limits.queue:
                raise QueryBusy("too many queries are waiting; try again soon")
            ticket = object()
            self._line.append(ticket)
            try:
                while self._line[0] is not ticket or not self._free():
                    self._wait_for_one(until, gone)
            finally:
                self._line.remove(ticket)
                self._change.notify_all()
            self._busy += 1
            member = self._idle.pop()
            member.engaged = True
            return member

    def _free(self) -> bool:
        return bool(self._idle) and self._busy < self._limits.workers and not self._closed

    def _wait_for_one(self, until: float, gone: Gone | None) -> None:
        if self._closed:
            raise QueryError("the server is shutting down")
        if self._problem:
            raise QueryError(f"no query can run: {self._problem}")
        left = until - time.monotonic()
        if left <= 0:
            raise QueryBusy("every worker is taken; try again soon")
        self._change.wait(min(left, LOOK_AROUND))
        if gone is not None and gone():
            raise QueryLeft("the client has left")

    def take_back(self, member: Member, *, reusable: bool) -> None:
        """The query of this worker is over, and nobody reads its socket any more."""
        with self._change:
            if member.engaged:
                self._disengage(member)
            if reusable and member.number in self._members and not self._closed:
                self._idle.append(member)
            else:
                self._dismiss(member)
                member.sock.close()
            self._change.notify_all()

    def _disengage(self, member: Member) -> None:
        member.engaged = False
        member.deadline = float("inf")
        self._busy -= 1

    # Hiring and dismissing; the lock is held

    def _hire(self) -> None:
        """Start what is missing, the nursery included."""
        if self._closed or time.monotonic() < self._start_again:
            return
        if self._nursery is None:
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                self._nursery = subprocess.Popen(
                    [sys.executable, "-m", "kg.query.nursery", str(theirs.fileno()), self._settings.as_json()],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                )
        while len(self._members) < self._limits.workers + self._limits.spares:
            ours, theirs = socket.socketpair()
            with theirs:
                self._number += 1
                self._members[self._number] = self._starting[self._number] = Member(self._number, ours)
                order = json.dumps({"spawn": self._number}).encode()
                with contextlib.suppress(OSError):  # the keeper will find that the nursery has gone
                    socket.send_fds(self._control, [order], [theirs.fileno()])
            self._ring()

    def _dismiss(self, member: Member) -> None:
        """Kill a worker, and start another in its place."""
        if self._members.pop(member.number, None) is None:
            return
        self._starting.pop(member.number, None)
        with contextlib.suppress(OSError):
            self._control.send(json.dumps({"kill": member.number}).encode())
        self._hire()

    def _ring(self) -> None:
        """Make the keeper look at its list again."""
        with contextlib.suppress(OSError):
            self._wake.send(b".")

    # The keeper

    def _keep(self) -> None:
        with self._bell, self._wake:
            while not self._closed:
                with self._change:
                    watched = {member.fileno(): member for member in self._starting.values()}
                    control = self._control
                poll = select.poll()
                for descriptor in (self._bell.fileno(), control.fileno(), *watched):
                    if descriptor >= 0:  # the control socket is closed while a nursery that died is not replaced
                        poll.register(descriptor, select.POLLIN)
                ready = {descriptor for descriptor, _ in poll.poll(_TICK * 1000)}
                with contextlib.suppress(BlockingIOError):
                    self._bell.recv(4096)
                with self._change:
                    if control.fileno() in ready and not self._closed:
                        self._hear(control)
                    for descriptor in ready & set(watched):
                        self._welcome(watched[descriptor])
                    self._end_overdue()
                    self._hire()
            self._control.close()

    def _welcome(self, member: Member) -> None:
        """A worker that was starting has something to say."""
        if member.number not in self._starting or self._closed:
            return
        try:
            member.fill()
            frame = member.buffered()
        except EOFError:
            frame = (b"F", b"its process ended while it started")
        if frame is None:
            return
        del self._starting[member.number]
        kind, body = frame
        if kind == b"R":
            self._problem = ""
            self._idle.append(member)
        else:
            self._problem = body.decode(errors="replace")
            self._start_again = time.monotonic() + _START_AGAIN
            self._dismiss(member)
            member.sock.close()
        self._change.notify_all()

    def _hear(self, control: socket.socket) -> None:
        """The nursery says how a worker ended, or has ended itself."""
        try:
            message = control.recv(4096)
        except OSError:
            message = b""
        if not message:
            self._nursery_ended(control)
            return
        report = json.loads(message)
        member = self._members.get(report["exit"])
        if member is not None:
            self._note_end(member, report["status"])

    def _note_end(self, member: Member, status: int) -> None:
        member.status = status
        member.ended.set()
        if member in self._idle:
            self._idle.remove(member)
            self._dismiss(member)
            member.sock.close()

    def _nursery_ended(self, control: socket.socket) -> None:
        """All workers are gone with it (the kernel kills them); start over."""
        assert self._nursery is not None
        self._nursery.wait()
        control.close()
        self._nursery = None
        self._start_again = time.monotonic() + _START_AGAIN
        for member in list(self._members.values()):
            if not member.engaged:
                member.sock.close()
            member.ended.set()
        self._members.clear()
        self._starting.clear()
        self._idle.clear()

    def _end_overdue(self) -> None:
        now = time.monotonic()
        for member in list(self._members.values()):
            if member.engaged and member.deadline < now:
                member.overdue = True
                self._disengage(member)
                self._dismiss(member)
                self._change.notify_all()
