"""The pool's end of one worker: its socket, the frames on it, and how its death is read."""

from __future__ import annotations

import json
import select
import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from kg.errors import QueryError, QueryKilled, QueryRefused
from kg.query.limits import Limits
from kg.query.worker import HEAD

Gone = Callable[[], bool]
"""Says whether the one who asked has left."""

LOOK_AROUND = 0.2
"""Seconds between two looks at whether the client is still there, while the worker is silent."""

_READ = 1 << 18
_STATUS_WAIT = 0.3  # a dead worker's socket ends a moment before the nursery reports how it died
# How the kernel and the engine end a process that asks for more memory or more stack than there is.
_OUT_OF_MEMORY = (-signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS, -signal.SIGKILL)


class Member:
    """One worker process as the pool sees it."""

    def __init__(self, number: int, sock: socket.socket) -> None:
        self.number = number
        self.sock = sock
        self.deadline = float("inf")  # of the query it runs, on the monotonic clock
        self.overdue = False  # the keeper killed it at its deadline
        self.engaged = False
        self.status: int | None = None
        self.ended = threading.Event()  # its status is known
        self._buffer = bytearray()

    def fileno(self) -> int:
        return self.sock.fileno()

    def buffered(self) -> tuple[bytes, bytes] | None:
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

    def frame(self, gone: Gone | None) -> tuple[bytes, bytes]:
        """The next frame, waiting until the deadline.

        :raises _Overdue: at the deadline.
        :raises _Left: when the client has gone.
        :raises EOFError: when the worker has ended.
        """
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        while True:
            frame = self.buffered()
            if frame:
                return frame
            left = self.deadline - time.monotonic()
            if left <= 0 or self.overdue:
                raise Overdue
            wait = left if gone is None else min(left, LOOK_AROUND)
            if not poll.poll(wait * 1000 + 1):
                if gone is not None and gone():
                    raise Left
                continue
            self.fill()

    def fill(self) -> None:
        """Read what is there. :raises EOFError: at the end."""
        try:
            data = self.sock.recv(_READ)
        except OSError:
            data = b""
        if not data:
            raise EOFError
        self._buffer += data

    def death(self, limits: Limits) -> QueryError:
        """Why the worker ended in the middle of a query."""
        if not self.overdue:
            self.ended.wait(_STATUS_WAIT)
        if self.overdue or self.status == -signal.SIGXCPU:
            return killed("deadline", limits)
        if self.status in _OUT_OF_MEMORY:
            return killed("memory", limits)
        return WorkerEnded("the process that ran the query ended; ask again")


class WorkerEnded(QueryError):
    """Something other than a limit ended the worker."""


class Overdue(Exception):
    """The deadline has passed."""


class Left(Exception):
    """Nobody waits for the answer any more."""


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


def failure(body: bytes, limits: Limits) -> QueryError:
    """The error that a worker's X frame speaks of."""
    told: dict[str, Any] = json.loads(body)
    if told["kind"] == "killed":
        return killed(told["limit"], limits)
    if told["kind"] == "refused":
        return QueryRefused(told["message"], line=told.get("line", 0), column=told.get("column", 0))
    return QueryError(f"the query could not be answered: {told['message']}")
