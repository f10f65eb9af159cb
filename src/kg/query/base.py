"""What runs queries: workers here (:mod:`kg.query.pool`), or an endpoint elsewhere (:mod:`kg.query.remote`)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from types import TracebackType
from typing import Any, NamedTuple

from kg.query.limits import Limits
from kg.query.worker import Request

Gone = Callable[[], bool]
"""Says whether the one who asked has left."""


class Query(NamedTuple):
    """One query: ``timeout`` in seconds may lower the deadline; see Request for ``preview`` and ``evidence``.

    ``default_graphs`` and ``named_graphs`` (absolute IRIs) replace the dataset, FROM and FROM NAMED included
    (SPARQL 1.1 Protocol, section 2.1.4).
    """

    text: str
    media_type: str
    default_graphs: Sequence[str] = ()
    named_graphs: Sequence[str] = ()
    timeout: float | None = None
    preview: int = 0
    evidence: bool = False

    def request(self) -> Request:
        own = self.default_graphs or self.named_graphs
        return Request(
            self.text,
            self.media_type,
            list(self.default_graphs) if own else None,
            list(self.named_graphs) if own else None,
            preview=self.preview,
            evidence=self.evidence,
        )


class Answer(ABC):
    """What a query answers, in ``chunks`` as they are made."""

    media_type: str
    chunks: Generator[bytes, None, None]

    @property
    @abstractmethod
    def complete(self) -> bool:
        """All of it is already here."""

    @property
    @abstractmethod
    def note(self) -> dict[str, Any]:
        """What is known before the rows (:mod:`kg.query.footnotes`)."""

    @property
    @abstractmethod
    def outcome(self) -> str:
        """What became of it, once it has ended: "answered", or what :func:`kg.query.running.outcome` says."""

    @abstractmethod
    def when_ended(self, do: Callable[[str], None]) -> None:
        """Call this with the outcome, once; now, if it has ended already."""

    @abstractmethod
    def close(self) -> None:
        """Stop, also in the middle."""

    def __enter__(self) -> Answer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Runner(ABC):
    """Runs queries, for several threads at once."""

    limits: Limits

    @abstractmethod
    def start(self) -> None:
        """Make ready, without waiting for it; done by the first query otherwise."""

    @abstractmethod
    def close(self) -> None:
        """End everything; queries that run get an error."""

    @abstractmethod
    def run(self, query: Query, *, client: str | None = None, gone: Gone | None = None) -> Answer:
        """Run a query up to the first bytes of its answer.

        ``client`` is who asks, as :mod:`kg.query.fairness` counts; nobody is counted without. ``gone`` is asked now and
        then, while there is no answer, whether nobody waits for it any more.

        :raises QueryRefused: if it is not accepted (with line and column).
        :raises QueryKilled: if it ran into a limit before the first byte.
        :raises QueryBusy: if nothing was free in time to run it.
        :raises QueryLimited: if the client has asked too much.
        :raises QueryLeft: if the client has left.
        :raises QueryError: if it failed otherwise.
        """

    @abstractmethod
    def fault(self, client: str) -> None:
        """Note that a client's query was refused before it was run.

        :raises QueryLimited: if the client has made too many errors, and has to wait before the next.
        """

    @abstractmethod
    def statistics(self) -> dict[str, int]:
        """Counters since the start, and how many workers do what now; for metrics."""
