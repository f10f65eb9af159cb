"""The application of one release, with a count of its answers under way: it can be replaced while it is answering."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.wsgi import ClosingIterator

from kg.site.remember import Memory
from kg.site.state import Site

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


LEASE = "kg.lease"
"""In ``environ``, once the request is answered: the :class:`Lease` that did."""


class Lease:
    """A WSGI application that ends when it was retired and its last answer has left.

    ``version`` is the name of its release, ``site`` what it is made from, ``memory`` holds what it has answered.
    """

    def __init__(self, app: Flask, version: str) -> None:
        self.app = app
        self.version = version
        self.site: Site = app.extensions["kg"]
        self.memory = Memory()
        self._lock = threading.Lock()
        self._users = 0
        self._retired = False

    def take(self) -> bool:
        """Count one more answer; ``False`` if it has been retired meanwhile, and another one must be asked."""
        with self._lock:
            self._users += not self._retired
            return not self._retired

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request that was counted by :meth:`take`."""
        environ[LEASE] = self
        try:
            body = self.app(environ, start_response)
        except BaseException:
            self.give_back()
            raise
        return ClosingIterator(body, self.give_back)

    def retire(self) -> None:
        """Answer nothing more; end when the last answer has left."""
        with self._lock:
            self._retired = True
            unused = self._users == 0
        if unused:
            self._end()

    def give_back(self) -> None:
        """End one answer that was counted by :meth:`take`."""
        with self._lock:
            self._users -= 1
            unused = self._retired and self._users == 0
        if unused:
            self._end()

    def _end(self) -> None:
        self.app.extensions.pop("kg").close()
        # An application refers to itself in circles; the files of its store are to be let go of now.
        gc.collect()
