"""What one client may ask, so that there is room for the others: see :class:`kg.config.Serve`.

Two buckets a client, one of query seconds and one of errors, each filled evenly over the minute; a query may begin
while there is something in both, and what it took is drawn off when it has ended. The broker keeps them, so they hold
for all web processes of a machine together (:mod:`kg.query.broker`).
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from kg.config import Serve
from kg.errors import QueryLimited

CLIENTS = 10_000
"""Clients that are remembered; of more, those are forgotten that asked longest ago."""

_MINUTE = 60.0


class Account:
    """What one client has left, and how many of its queries run or wait."""

    def __init__(self, bounds: Serve, now: float) -> None:
        self.seconds = bounds.burst
        self.errors = bounds.errors
        self.running = 0
        self.seen = now


class Fairness:
    """See the module. Not for several threads at once."""

    def __init__(self, bounds: Serve, clock: Callable[[], float] = time.monotonic) -> None:
        self._bounds = bounds
        self._clock = clock
        self._accounts: OrderedDict[str, Account] = OrderedDict()

    def enter(self, client: str) -> Account:
        """Let a client begin a query, which must :meth:`leave` one day.

        :raises QueryLimited: if it has to wait.
        """
        bounds = self._bounds
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
        return known

    def leave(self, known: Account, seconds: float, outcome: str) -> None:
        """Draw off what a query took; ``outcome``: see :class:`kg.query.pool.Answer`."""
        known.running -= 1
        known.seconds -= seconds
        known.errors -= outcome == "refused" or outcome.startswith("killed")

    def _refilled(self, client: str) -> Account:
        now, bounds = self._clock(), self._bounds
        known = self._accounts.pop(client, None) or Account(bounds, now)
        passed = (now - known.seen) / _MINUTE
        known.seconds = min(bounds.burst, known.seconds + passed * bounds.seconds)
        known.errors = min(bounds.errors, known.errors + passed * bounds.errors)
        known.seen = now
        self._accounts[client] = known
        if len(self._accounts) > CLIENTS:
            self._accounts.popitem(last=False)
        return known
