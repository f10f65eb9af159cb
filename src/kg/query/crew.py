"""The workers of one store, as the broker sees them: starting them, handing them out, replacing those that died.

There are always ``workers + spares`` processes, of which ``workers`` may run a query at the same time: so the next
query never waits for a process to start.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from kg.query.fairness import Account, Fairness
from kg.query.limits import Limits
from kg.query.wire import HEAD, KILLED_BY, Desk

RECALL = 0.25
"""Seconds in which a web process gives back the worker that it kept."""

STARTING = 60.0
"""Seconds that a query waits longer than others for the first worker: while all are starting, none is taken."""

START_AGAIN = 1.0
"""Seconds to wait after a worker could not start."""


@dataclass(eq=False, slots=True)
class Turn:
    """One query: from the moment a web process asks for a worker until it says that the query has ended."""

    desk: Desk
    ticket: int
    seconds: float
    account: Account | None
    client: str | None
    until: float  # it waits no longer than this for a worker, and then runs no longer
    ran: float = 0.0  # seconds that it ran before it was told of
    began: float = 0.0
    member: Member | None = None
    over: bool = False


@dataclass(eq=False, slots=True)
class Member:
    """One worker process and the broker's end of its socket. ``known_to``: web processes that have that end too."""

    number: int
    pid: int
    sock: socket.socket
    turn: Turn | None = None
    known_to: set[Desk] = field(default_factory=set)
    kept_by: Desk | None = None  # it is idle there, not here
    recalled: float = 0.0  # and this is until when it is to be given back
    alive: bool = True


class Crew:
    """See the module.

    ``spawn`` starts a process on a socket and gives its id, ``watch`` tells :meth:`hear` when a worker that is starting
    says something, until ``unwatch``; ``leave`` is told of each turn that ends and how, ``alarm`` calls
    :meth:`tick` at a time.
    """

    def __init__(
        self,
        limits: Limits,
        fairness: Fairness,
        *,
        spawn: Callable[[socket.socket], int],
        watch: Callable[[Crew, Member], None],
        unwatch: Callable[[Member], None],
        leave: Callable[[Turn, str], None],
        alarm: Callable[[Crew, float], None],
    ) -> None:
        self.limits = limits
        self.fairness = fairness
        self.desks = 0  # web processes that this store is open for
        self._spawn, self._watch, self._unwatch = spawn, watch, unwatch
        self._leave, self._alarm = leave, alarm
        self._members: dict[int, Member] = {}  # by process
        self._idle: list[Member] = []
        self._kept: list[Member] = []
        self._busy: list[Turn] = []
        self._line: deque[Turn] = deque()  # who waits, the first one first
        self._number = 0
        self._problem = ""  # why the last worker could not start
        self._start_again = 0.0

    def statistics(self) -> dict[str, int]:
        return {"busy": len(self._busy), "idle": len(self._idle) + len(self._kept), "waiting": len(self._line)}

    def ask(self, turn: Turn) -> None:
        """Put a query in line; it gets a worker, or a refusal, in time."""
        limits = self.limits
        if len(self._busy) + len(self._line) >= limits.workers + limits.queue:
            self._refuse(turn, "busy", "too many queries are waiting; try again soon")
            return
        self._line.append(turn)
        self._serve()
        if turn.member is None and not turn.over:
            self._alarm(self, turn.until)

    def take(self, turn: Turn, number: int) -> None:
        """A query has been begun by the worker that its web process kept."""
        member = next((m for m in self._kept if m.number == number and m.kept_by is turn.desk), None)
        if member is None:  # it has died meanwhile
            turn.desk.tell({"over": turn.ticket, "status": 0})
            self._finish(turn, "failed")
            return
        self._kept.remove(member)
        self._begin(turn, member)

    def refuse_taken(self, desk: Desk, number: int) -> None:
        """A query that has been begun may not run."""
        for member in [m for m in self._kept if m.number == number and m.kept_by is desk]:
            self._dismiss(member)
        self._serve()

    def back(self, desk: Desk, number: int) -> None:
        """A web process gives back the worker that it kept."""
        for member in [m for m in self._kept if m.number == number and m.kept_by is desk]:
            self._kept.remove(member)
            member.kept_by, member.recalled = None, 0.0
            self._idle.append(member)
        self._serve()

    def leave(self, desk: Desk) -> None:
        """A web process has gone, and with it what it kept."""
        for member in [m for m in self._kept if m.kept_by is desk]:
            self._dismiss(member)

    def end(self, turn: Turn, outcome: str, *, reusable: bool, keep: bool = False) -> None:
        """A query is over, or nobody waits for it any more."""
        if turn.over:
            return
        member = turn.member
        self._finish(turn, outcome)
        if member is None:
            self._line.remove(turn)
        elif reusable and keep:
            member.kept_by = turn.desk
            self._kept.append(member)
        elif reusable:
            self._idle.append(member)
        else:
            self._dismiss(member)
        self._serve()

    def hear(self, member: Member) -> None:
        """A worker that was starting says that it is ready, or why it is not."""
        try:
            head = member.sock.recv(HEAD.size)
            kind, size = HEAD.unpack(head) if head else (b"F", 0)
            text = member.sock.recv(size).decode(errors="replace") if size else ""
        except (BlockingIOError, ConnectionError):
            kind, text = b"F", ""
        if kind == b"R":
            if self._all_start():
                self._wait_from_now()
            self._problem = ""
            self._idle.append(member)
        else:
            self._cannot_start(member, text or "its process ended while it started")
        self._serve()

    def died(self, pid: int, status: int) -> None:
        """A process has ended; a negative status is a signal."""
        member = self._members.get(pid)
        if member is None:
            return
        member.alive = False
        turn = member.turn
        if turn is not None:
            turn.desk.tell({"over": turn.ticket, "status": status})
            self._finish(turn, KILLED_BY.get(status, "failed"))
        elif member not in self._idle and member not in self._kept:
            self._cannot_start(member, "its process ended while it started")
        self._dismiss(member)
        self._serve()

    def tick(self, now: float) -> None:
        """End what is past its time, and start what is missing."""
        for turn in [turn for turn in self._busy if turn.until <= now]:
            turn.desk.tell({"over": turn.ticket, "deadline": True})
            member = turn.member
            self._finish(turn, "killed_deadline")
            assert member is not None
            self._dismiss(member)
        for member in [member for member in self._kept if member.recalled and member.recalled <= now]:
            self._dismiss(member)  # whoever keeps it does not listen
        for turn in [turn for turn in self._line if turn.until <= now]:
            may_run = self._may_run(turn)
            if may_run and self._all_start() and now < turn.until + STARTING:
                self._alarm(self, turn.until + STARTING)
                continue
            self._line.remove(turn)
            if may_run:
                self._refuse(turn, "busy", "every worker is taken; try again soon")
            else:
                self._refuse(turn, "limited", "too many of your queries are running; let one end first")
        self._serve()

    def close(self) -> None:
        """End every process."""
        self._start_again = float("inf")
        for member in list(self._members.values()):
            self._dismiss(member)

    def forget(self) -> None:
        """Let go of every socket without closing it: this is a fork of the broker."""
        for member in self._members.values():
            member.sock.detach()

    # Inside

    def _all_start(self) -> bool:
        """Whether there are workers, and none that has started."""
        return bool(self._members) and not (self._idle or self._kept or self._busy)

    def _wait_from_now(self) -> None:
        """The first worker is there: from now on, who waits does so because others are before him."""
        for turn in self._line:
            turn.until = max(turn.until, time.monotonic() + self.limits.wait)
            self._alarm(self, turn.until)

    def _serve(self) -> None:
        self._hire()
        while self._line and self._problem:
            self._refuse(self._line.popleft(), "failed", f"no query can run: {self._problem}")
        while self._idle and len(self._busy) < self.limits.workers:
            turn = next((turn for turn in self._line if self._may_run(turn)), None)
            if turn is None:
                break
            self._line.remove(turn)
            member = self._idle.pop()
            self._begin(turn, member)
            first = turn.desk not in member.known_to
            member.known_to.add(turn.desk)
            left = {turn.client: self.fairness.left(turn.account)} if turn.account is not None else {}
            message = {"go": turn.ticket, "worker": member.number, "left": left}
            turn.desk.tell(message, member.sock if first else None)

        # Who waits gets what others keep; and of those that may run at once, none is kept from anybody.
        spare = self.limits.workers - len(self._busy) - len(self._kept)
        waiting = sum(map(self._may_run, self._line))
        for member in self._kept[: max(waiting, -spare)]:
            self._recall(member)

    def _recall(self, member: Member) -> None:
        if member.recalled:
            return
        assert member.kept_by is not None
        member.kept_by.tell({"recall": member.number})
        member.recalled = time.monotonic() + RECALL
        self._alarm(self, member.recalled)

    def _may_run(self, turn: Turn) -> bool:
        return turn.account is None or self.fairness.may_run(turn.account)

    def _begin(self, turn: Turn, member: Member) -> None:
        turn.member, member.turn, member.kept_by, member.recalled = member, turn, None, 0.0
        turn.began = time.monotonic() - turn.ran
        turn.until = turn.began + turn.seconds
        self._busy.append(turn)
        if turn.account is not None:
            turn.account.running += 1
        self._alarm(self, turn.until)

    def _refuse(self, turn: Turn, kind: str, message: str) -> None:
        turn.desk.tell({"no": turn.ticket, "kind": kind, "message": message, "retry_after": 1})
        self._finish(turn, kind)

    def _finish(self, turn: Turn, outcome: str) -> None:
        turn.over = True
        if turn.member is not None:
            self._busy.remove(turn)
            turn.member.turn = None
            if turn.account is not None:
                turn.account.running -= 1
        self._leave(turn, outcome)

    def _hire(self) -> None:
        now = time.monotonic()
        if now < self._start_again:
            return
        while len(self._members) < self.limits.workers + self.limits.spares:
            ours, theirs = socket.socketpair()
            with theirs:
                self._number += 1
                member = Member(self._number, self._spawn(theirs), ours)
            ours.setblocking(False)
            self._members[member.pid] = member
            self._watch(self, member)

    def _cannot_start(self, member: Member, why: str) -> None:
        self._problem = why
        self._start_again = time.monotonic() + START_AGAIN
        self._alarm(self, self._start_again)
        self._dismiss(member)

    def _dismiss(self, member: Member) -> None:
        """Kill a worker; another is started in its place."""
        if self._members.pop(member.pid, None) is None:
            return
        for place in (self._idle, self._kept):
            if member in place:
                place.remove(member)
        self._unwatch(member)
        if member.alive:  # and so its number is still its own
            os.kill(member.pid, signal.SIGKILL)
        member.sock.close()
