"""A web process's way to the accounts of clients whose queries run elsewhere: the broker keeps them.

So budgets hold for all web processes of a machine together, in front of an endpoint too (:mod:`kg.query.ledger`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from kg.config import Serve
from kg.query.base import Gone
from kg.query.exchange import Exchange
from kg.query.limits import Limits
from kg.query.loop import Connected


class Accounts(Connected):
    """See the module. ``bounds`` are those of each client."""

    def __init__(self, limits: Limits, *, exchange: Exchange | None = None, bounds: Serve | None = None) -> None:
        opening = {"settings": None, "limits": asdict(limits), "bounds": asdict(bounds or Serve())}
        super().__init__(opening, limits, exchange)

    def enter(self, client: str, gone: Gone | None = None) -> Callable[[str], None]:
        """Let a client's query begin; what it returns is to be called with the outcome.

        :raises QueryLimited: if the client has asked too much.
        :raises QueryBusy: if too many queries wait.
        :raises QueryError: if nobody can say.
        """
        self.start()
        session = self._session
        ticket = self.wait(session.enter(client), gone)
        return lambda how: self.call(lambda: session.end(ticket, how))

    def fault(self, client: str) -> None:
        """Note that a client's query was refused.

        :raises QueryLimited: if the client has made too many errors.
        """
        self.start()
        self.wait(self._session.fault(client))
