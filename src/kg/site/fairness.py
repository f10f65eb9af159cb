"""What one client may ask of ``/sparql``, so that there is room for the others: see :class:`kg.config.Serve`.

Two buckets a client, one of query seconds and one of errors, each filled evenly over the minute; a query may begin
while there is something in both, and what it took is drawn off when it has ended. Each web process keeps its own
buckets. Pages and dumps are not counted: they never wait for queries.

An IPv4 address is one client; an IPv6 client commonly has a whole /64, so that counts as one. Behind a proxy all
clients have the proxy's address, unless ``trusted_proxies`` names it; then the last address in X-Forwarded-For that
is no trusted proxy itself is the client (everything before it, the client could have made up).
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

from kg.config import Serve
from kg.errors import QueryLimited

CLIENTS = 10_000
"""Clients that are remembered; of more, those are forgotten that asked longest ago."""

_MINUTE = 60.0


class _Client:
    def __init__(self, bounds: Serve, now: float) -> None:
        self.seconds = bounds.burst
        self.errors = bounds.errors
        self.running = 0
        self.seen = now


class Fairness:
    """See the module. Thread-safe."""

    def __init__(self, bounds: Serve, clock: Callable[[], float] = time.monotonic) -> None:
        self._bounds = bounds
        self._clock = clock
        self._proxies = [ip_network(text) for text in bounds.trusted_proxies]
        self._clients: OrderedDict[str, _Client] = OrderedDict()
        self._lock = threading.Lock()

    def client(self, peer: str, forwarded: str) -> str:
        """Who asks: the address that is connected, or what a trusted proxy says of it (X-Forwarded-For)."""
        found = peer
        for text in reversed(forwarded.split(",")):
            if not self._is_trusted(found):
                break
            found = text.strip() or found
        try:
            address = ip_address(found)
        except ValueError:
            return peer
        if isinstance(address, IPv6Address):
            return str(address.ipv4_mapped or ip_network((address, 64), strict=False))
        return str(address)

    def enter(self, client: str) -> Turn:
        """Let a client begin a query.

        :raises QueryLimited: if it has to wait.
        """
        bounds = self._bounds
        with self._lock:
            known = self._refilled(client)
            if bounds.at_once and known.running >= bounds.at_once:
                raise QueryLimited(f"{known.running} of your queries are running; wait for one to end", retry_after=1)
            if bounds.seconds and known.seconds <= 0:
                wait = (1 - known.seconds) * _MINUTE / bounds.seconds
                text = f"your queries took more than {bounds.seconds:g} seconds a minute"
                raise QueryLimited(f"{text}; ask again in {math.ceil(wait)} seconds", retry_after=math.ceil(wait))
            if bounds.errors and known.errors < 1:
                wait = (1 - known.errors) * _MINUTE / bounds.errors
                text = f"more than {bounds.errors:g} of your queries a minute were refused or stopped"
                raise QueryLimited(f"{text}; ask again in {math.ceil(wait)} seconds", retry_after=math.ceil(wait))
            known.running += 1
        return Turn(self, known, self._clock())

    def leave(self, known: _Client, seconds: float, *, failed: bool) -> None:
        with self._lock:
            known.running -= 1
            known.seconds -= seconds
            known.errors -= failed

    def now(self) -> float:
        return self._clock()

    def _refilled(self, client: str) -> _Client:
        now, bounds = self._clock(), self._bounds
        known = self._clients.pop(client, None) or _Client(bounds, now)
        passed = (now - known.seen) / _MINUTE
        known.seconds = min(bounds.burst, known.seconds + passed * bounds.seconds)
        known.errors = min(bounds.errors, known.errors + passed * bounds.errors)
        known.seen = now
        self._clients[client] = known
        if len(self._clients) > CLIENTS:
            self._clients.popitem(last=False)
        return known

    def _is_trusted(self, text: str) -> bool:
        try:
            address = ip_address(text)
        except ValueError:
            return False
        return any(address in network for network in self._proxies)


class Turn:
    """A query under way; :meth:`end` it once, later calls do nothing."""

    def __init__(self, fairness: Fairness, known: _Client, began: float) -> None:
        self._fairness = fairness
        self._known: _Client | None = known
        self._began = began

    def end(self, outcome: str) -> float:
        """Draw off what it took; the seconds. ``outcome``: see :class:`kg.query.pool.Answer`."""
        known, self._known = self._known, None
        seconds = self._fairness.now() - self._began
        if known is not None:
            failed = outcome == "refused" or outcome.startswith("killed")
            self._fairness.leave(known, seconds, failed=failed)
        return seconds
