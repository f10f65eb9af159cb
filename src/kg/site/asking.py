"""One query, from the door to its end: let in by :mod:`kg.site.fairness`, counted by :mod:`kg.site.counters`."""

from __future__ import annotations

from types import TracebackType

from flask import current_app, request
from werkzeug.exceptions import BadRequest

from kg.errors import QueryError, QueryLimited
from kg.query.pool import Answer, outcome
from kg.site.counters import ENVIRON, Counters
from kg.site.state import Site


def counters() -> Counters:
    """The counters of all web processes, or of this application where no server has any."""
    found: Counters | None = request.environ.get(ENVIRON)
    if found is None:
        own: Counters = current_app.extensions.setdefault(ENVIRON, Counters())
        return own
    return found


class Asking:
    """Around everything that is done for one query; it ends with the answer that it :meth:`follow`\\ s, or at once.

    :raises QueryLimited: at the start, if the client has to wait.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._counters = counters()
        self._followed = False
        client = site.fairness.client(request.remote_addr or "", request.headers.get("X-Forwarded-For", ""))
        try:
            self._turn = site.fairness.enter(client)
        except QueryLimited:
            self._counters.query("limited", 0)
            raise

    def __enter__(self) -> Asking:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, QueryError):
            self._end(outcome(error))
        elif isinstance(error, BadRequest):
            self._end("refused")
        elif error is not None or not self._followed:
            self._turn.end("")

    def follow(self, answer: Answer) -> Answer:
        """The query lasts until this answer has ended."""
        self._followed = True
        if answer.outcome:
            self._end(answer.outcome)
        else:
            answer.ended = self._end
        return answer

    def _end(self, how: str) -> None:
        self._counters.query(how, self._turn.end(how))
        self._counters.workers(self._site.pool.statistics())
