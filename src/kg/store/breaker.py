"""A circuit breaker: an endpoint that keeps failing is left alone for a while, and costs nobody any waiting."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from kg.errors import EndpointBusy

FAILURES = 5
"""Failures in a row after which the endpoint is left alone."""

PAUSE = 10.0
"""Seconds until one request is let through again, to see."""


class Breaker:
    """Thread-safe; ``clock`` is in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._until = 0.0

    def enter(self) -> None:
        """Before a request.

        :raises EndpointBusy: while the endpoint is left alone.
        """
        with self._lock:
            left = self._until - self._clock()
            if left > 0:
                raise EndpointBusy(
                    "the endpoint has failed several times and is left alone for a moment",
                    retry_after=math.ceil(left),
                )
            if self._failures >= FAILURES:
                # This one goes to see; the others go on waiting meanwhile.
                self._until = self._clock() + PAUSE

    def succeeded(self) -> None:
        with self._lock:
            self._failures = 0
            self._until = 0.0

    def failed(self, pause: float = 0) -> None:
        """Note a failure; ``pause``: seconds that the endpoint itself asks for."""
        with self._lock:
            self._failures += 1
            if self._failures >= FAILURES:
                pause = max(pause, PAUSE)
            self._until = max(self._until, self._clock() + pause)


class Ending:
    """Tells the breaker how the reading of an answer ended; what fails in a stranger's is not told."""

    def __init__(self, breaker: Breaker, *, stranger: bool) -> None:
        self._breaker = breaker
        self._stranger = stranger
        self._failed = False

    def failed(self) -> None:
        if not self._failed and not self._stranger:
            self._breaker.failed()
        self._failed = True

    def __enter__(self) -> Ending:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._failed:
            self._breaker.succeeded()
