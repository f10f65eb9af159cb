"""What one client may ask, so that there is room for the others: see :class:`kg.config.Serve`.

Two buckets a client, one of query seconds and one of errors, each filled evenly over the minute; a query may begin
while there is something in both, and what it took is drawn off when it has ended. Of one client's queries only so many
run at once, and some more wait for that: an engine that evaluates a query in parts sends them side by side. The broker
keeps the accounts, so they hold for all web processes of a machine together (:mod:`kg.query.broker`).
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

WAITING = 3
"""For each query that a client may run at once, so many more may wait."""

_MINUTE = 60.0
_UNLIMITED = 1e9


class Account:
    """What one client has left; its queries that are ``inside``, running or waiting, and those that are ``running``."""

    def __init__(self, bounds: Serve, now: float) -> None:
        self.seconds = bounds.burst
        self.errors = bounds.errors
        self.inside = 0
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
        if bounds.at_once and known.inside >= bounds.at_once * (1 + WAITING):
            raise QueryLimited(f"{known.inside} of your queries run or wait; let one end first", retry_after=1)
        if bounds.seconds and known.seconds <= 0:
            wait = (1 - known.seconds) * _MINUTE / bounds.seconds
            text = f"your queries took more than {bounds.seconds:g} seconds a minute"
            raise QueryLimited(f"{text}; ask again in {math.ceil(wait)} seconds", retry_after=math.ceil(wait))
        if bounds.errors and known.errors < min(1, bounds.errors):
            wait = (min(1, bounds.errors) - known.errors) * _MINUTE / bounds.errors
            text = f"more than {bounds.errors:g} of your queries a minute were refused or stopped"
            raise QueryLimited(f"{text}; ask again in {math.ceil(wait)} seconds", retry_after=math.ceil(wait))
        known.inside += 1
        return known

    def may_run(self, known: Account) -> bool:
        """Whether one more of the client's queries may run now; whoever runs it counts it in ``running``."""
        return not self._bounds.at_once or known.running < self._bounds.at_once

    def leave(self, known: Account, seconds: float, outcome: str) -> None:
        """Draw off what a query took; ``outcome``: see :func:`kg.query.running.outcome`."""
        known.inside -= 1
        known.seconds -= seconds
        known.errors -= outcome == "refused" or outcome.startswith("killed")

    def spend(self, client: str, seconds: float) -> float:
        """Draw off what queries took that did not :meth:`enter`; gives what is :meth:`left`."""
        known = self._refilled(client)
        known.seconds -= seconds
        return self.left(known)

    def left(self, known: Account) -> float:
        """Seconds that a client may spend before it has to :meth:`enter` again; 0 after too many errors."""
        bounds = self._bounds
        if bounds.errors and known.errors < min(1, bounds.errors):
            return 0.0
        return known.seconds if bounds.seconds else _UNLIMITED

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
