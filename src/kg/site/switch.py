"""Changes the release under a running site: no request fails, and none is answered from two releases.

A request belongs to the application that was current when it came in, to its last byte; the one after it may belong to
the next. An application is closed when it was replaced and its last answer has left. A release that cannot be opened
is not switched to: the one before stays up, and one line on standard error says why.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.wsgi import ClosingIterator

from kg.errors import KgError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

INTERVAL = 0.25
"""Seconds between two looks at which release is current."""


class _Lease:
    """An application with the number of its answers under way."""

    def __init__(self, app: Flask, name: str) -> None:
        self.app = app
        self.name = name
        self.users = 0
        self.replaced = False

    def end(self) -> None:
        """End its processes, and let go of the files of its store now: an application refers to itself in circles."""
        self.app.extensions.pop("kg").close()
        gc.collect()


class Switch:
    """A WSGI application that is always the application of the current release.

    ``name`` says cheaply which release is current; ``make`` opens the one of a name. Both are called again and again.
    ``first`` is a release known to be whole, for a process that starts while the current one is not.
    """

    def __init__(self, make: Callable[[str], Flask], name: Callable[[], str], first: str) -> None:
        self._make = make
        self._name = name
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._refused = ""
        self._current = self._begin(first)
        self._watcher = threading.Thread(target=self._watch, name="kg-switch", daemon=True)
        self._watcher.start()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with self._lock:
            lease = self._current
            lease.users += 1
        try:
            body = lease.app(environ, start_response)
        except BaseException:
            self._give_back(lease)
            raise
        wrapper: Any = environ.get("wsgi.file_wrapper")
        if isinstance(wrapper, type) and isinstance(body, wrapper):
            # The server sends a file on its own, but only if it gets this very object; the file is open already.
            self._give_back(lease)
            return body
        return ClosingIterator(body, lambda: self._give_back(lease))

    def close(self) -> None:
        """Look for no other release, and end what the application started."""
        self._stop.set()
        self._watcher.join()
        self._current.app.extensions["kg"].close()

    def _begin(self, first: str) -> _Lease:
        wanted = self._name() or first
        try:
            return _Lease(self._make(wanted), wanted)
        except KgError as e:
            if wanted == first:
                raise
            self._stay(first, wanted, e)
            return _Lease(self._make(first), first)

    def _stay(self, with_: str, refused: str, reason: Exception) -> None:
        # Said once a release: the next one is tried again.
        self._refused = refused
        sys.stderr.write(f"kg: still serving {with_}: {reason}\n")
        sys.stderr.flush()

    def _give_back(self, lease: _Lease) -> None:
        with self._lock:
            lease.users -= 1
            unused = lease.replaced and lease.users == 0
        if unused:
            lease.end()

    def _watch(self) -> None:
        while not self._stop.wait(INTERVAL):
            wanted = self._name()
            if wanted not in ("", self._current.name, self._refused):
                self._change(wanted)

    def _change(self, wanted: str) -> None:
        try:
            new = _Lease(self._make(wanted), wanted)
        except (KgError, OSError) as e:
            self._stay(self._current.name, wanted, e)
            return
        with self._lock:
            old, self._current = self._current, new
            old.replaced = True
            unused = old.users == 0
        if unused:
            old.end()
