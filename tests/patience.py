"""How tests wait for what happens in another process: as long as a machine may need that has much else to do.

A bound here tells what comes late from what never comes. How fast a thing is, ``bench/`` measures.
"""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

PATIENCE = 60.0
"""Seconds for what takes one or less where nothing else runs: connecting, an answer, the end of a process."""

_INTERVAL = 0.02
_Found = TypeVar("_Found")


def until(holds: Callable[[], _Found], seconds: float = PATIENCE) -> _Found:
    """Wait until something holds; what it gave."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, f"not within {seconds:g} seconds"
        time.sleep(_INTERVAL)
    return found


def free_port() -> int:
    """A port that nobody listens on, and that the kernel gives to nobody who asks it for any.

    A port from the kernel's own range may be somebody else's by the time that it is used: a server's that asks for
    port 0, or a client's, whose end of a connection takes one too.
    """
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(max(1024, low - 20_000), low)
        with socket.socket() as sock:
            # As servers bind: what is left of connections that have ended is in nobody's way.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
