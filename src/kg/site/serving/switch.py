"""Changes the release under a running site: no request fails, and none is answered from two releases.

A request belongs to the application that was current when it came in, to its last byte; the one after it may belong to
the next. A release that cannot be opened is not switched to: the one before stays up, and one line on standard error
says why; it is tried again, since a copy that is under way may be whole later.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from flask import Flask

from kg.errors import KgError
from kg.site.serving.lease import Lease
from kg.terminal import visible

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

INTERVAL = 0.25
"""Seconds between two looks at which release is current."""

RETRY = 5.0
"""Seconds until a release that could not be opened is tried again."""

REST = 10
"""So many times as long as that took it is left alone, if that is longer: a large one takes minutes to compare."""


class Switch:
    """A WSGI application that is always the application of the current release.

    ``name`` says cheaply which release is current; ``make`` opens the one of a name. Both are called again and again.
    ``first`` is a release known to have been whole, for a process that starts while the current one is not; where that
    was damaged meanwhile, one of those before it is served (``earlier``: their names, the last one first).

    :raises KgError: if none can be opened.
    """

    def __init__(
        self,
        make: Callable[[str], Flask],
        name: Callable[[], str],
        first: str,
        earlier: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self._make = make
        self._name = name
        self._earlier = earlier
        self._stop = threading.Event()
        self._refused = ""
        self._again = 0.0
        self._current = self._begin(first)
        self._watcher = threading.Thread(target=self._watch, name="kg-switch", daemon=True)
        self._watcher.start()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self.take()(environ, start_response)

    def take(self) -> Lease:
        """The application of the current release, counted for one answer."""
        while not (lease := self._current).take():
            pass
        return lease

    @property
    def current(self) -> Lease:
        """The application of the current release; what it remembers may be told without counting."""
        return self._current

    def close(self) -> None:
        """Look for no other release, and end what the application started."""
        self._stop.set()
        self._watcher.join()
        self._current.retire()

    def _begin(self, first: str) -> Lease:
        wanted = self._name() or first
        refused: Exception | None = None
        began = time.monotonic()
        for version in chain(dict.fromkeys((wanted, first)), self._names()):
            try:
                lease = Lease(self._make(version), version)
            except Exception as e:  # noqa: BLE001 - whatever it is, another release may be whole
                refused = refused or e
                continue
            if refused:
                self._stay(version, wanted, refused, began)
            return lease
        assert refused is not None
        raise refused

    def _names(self) -> Iterator[str]:
        yield from self._earlier()  # asked only where it is wanted

    def _stay(self, serving: str, refused: str, reason: Exception, began: float) -> None:
        now = time.monotonic()
        self._again = now + max(RETRY, REST * (now - began))
        if refused == self._refused:
            return  # said once a release
        self._refused = refused
        known = isinstance(reason, KgError | OSError)
        why = str(reason) if known else f"{refused} cannot be shown: {reason!r}"
        sys.stderr.write(visible(f"kg: still serving {serving}: {why}") + "\n")
        sys.stderr.flush()

    def _watch(self) -> None:
        while not self._stop.wait(INTERVAL):
            wanted = self._name()
            if wanted in ("", self._current.version) or (wanted == self._refused and time.monotonic() < self._again):
                continue
            self._change(wanted)

    def _change(self, wanted: str) -> None:
        began = time.monotonic()
        try:
            new = Lease(self._make(wanted), wanted)
        except Exception as e:  # noqa: BLE001 - whoever looks must go on looking
            self._stay(self._current.version, wanted, e, began)
            return
        self._refused = ""
        old, self._current = self._current, new
        old.retire()
