"""One query, from the door to its end: let in as one client's (:mod:`kg.query.fairness`), timed and counted."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from flask import current_app, request
from werkzeug.exceptions import BadRequest

from kg.errors import QueryError, QueryLimited
from kg.query.base import Answer, Query
from kg.query.running import outcome
from kg.site.lookups.state import Site
from kg.site.serving.asgi import GONE
from kg.site.serving.counters import ENVIRON, Counters


def counters() -> Counters:
    """The counters of all web processes, or of this application where no server has any."""
    found: Counters | None = request.environ.get(ENVIRON)
    if found is None:
        own: Counters = current_app.extensions.setdefault(ENVIRON, Counters())
        return own
    return found


class Asking:
    """Around everything that is done for one query; it ends with the answer to what was :meth:`run`, or at once.

    A query that is refused before it is run counts as an error of its client's.

    :raises QueryLimited: in place of that error, if the client has made too many.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._counters = counters()
        self._client = site.clients.of(request.remote_addr or "", request.headers.get("X-Forwarded-For", ""))
        self._began = time.monotonic()
        self._ran = False

    def __enter__(self) -> Asking:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, QueryError | BadRequest):
            return
        how = outcome(error) if isinstance(error, QueryError) else "refused"
        if how == "refused" and not self._ran:
            try:
                self._site.pool.fault(self._client)
            except QueryLimited:
                self._end("limited")
                raise
        self._end(how)

    def run(self, query: Query) -> Answer:
        """Run it, until the client leaves where the server shows that to us."""
        self._ran = True
        gone: Callable[[], bool] | None = request.environ.get(GONE)
        answer = self._site.pool.run(query, client=self._client, gone=gone)
        answer.when_ended(self._end)
        return answer

    def _end(self, how: str) -> None:
        self._counters.query(how, time.monotonic() - self._began)
