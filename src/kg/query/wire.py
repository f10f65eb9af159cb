"""What is said between a web process, the broker and a worker.

Between web process and broker: packets of JSON on a SOCK_SEQPACKET socket, a *ticket* being the web process's number
for one query::

    to the broker   {"open": …}                                    the store and its limits, once and first; no store:
                                                                   for accounts alone
                    {"ask": ticket, "client": …, "seconds": …}     a worker, please
                    {"take": ticket, "worker": …, "ran": …, …}     as "ask", begun already by the worker that was kept
                    {"end": ticket, "outcome": …, "reusable": …,   that query has ended, or is not wanted any more;
                     "keep": …}                                    its worker stays here for the next one
                    {"back": worker}                               after "recall", unless it has been taken meanwhile
                    {"spent": {client: seconds, …}}                by queries that have ended before they were told of
                    {"fault": ticket, "client": …}                 a query was refused before it asked for a worker
                    {"look": ticket}                               the statistics, please
    from it         {"recall": worker}                             another process needs the worker that was kept
                    {"go": ticket, "worker": n, "left": …}         with that worker's socket, the first time; without a
                                                                   store, the ticket alone: the query may begin
                    {"spent": true, "left": {client: seconds, …}}  what they may spend before they have to be asked for
                    {"no": ticket, "kind": …, "message": …}        busy, limited (with "retry_after") or failed
                    {"over": ticket, …}                            its worker has ended: "deadline" or a "status"
                    {"yes": ticket, …}                             to "fault", and to "look" with the figures

A web process keeps one worker between two queries, if nobody else waits for it, and so begins the next one without
waiting for the broker; of one that has ended within a moment the broker hears only what it took.

Between web process and worker: frames, each one letter, the length of the rest in 4 bytes, the rest
(:mod:`kg.query.worker`).
"""

from __future__ import annotations

import json
import signal
import socket
import struct
from contextlib import suppress
from typing import Any

HEAD = struct.Struct(">cI")
PACKET = 64 * 1024
"""Bytes of the longest packet."""

# How the kernel and the engine end a process that asks for more memory or more stack than there is.
OUT_OF_MEMORY = (-signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS, -signal.SIGKILL)
KILLED_BY = {**dict.fromkeys(OUT_OF_MEMORY, "killed_memory"), -signal.SIGXCPU: "killed_deadline"}
"""What became of a query whose worker ended with this status."""


class Desk:
    """The broker's end of the connection to one web process."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.lost = False

    def tell(self, message: dict[str, Any], passed: socket.socket | None = None) -> None:
        """Send a message, with a socket if need be. A process that does not listen is taken for one that has ended."""
        data = json.dumps(message).encode()
        try:
            if passed is None:
                self.sock.send(data)
            else:
                socket.send_fds(self.sock, [data], [passed.fileno()])
        except OSError:
            self.lost = True
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)  # the broker will find its end
