"""The application of one release, with a count of its answers under way: it can be replaced while it is answering."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.wsgi import ClosingIterator

from kg.site.remember import Remembering

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Lease:
    """A WSGI application that ends when it was retired and its last answer has left.

    ``version`` is the name of its release.
    """

    def __init__(self, app: Flask, version: str) -> None:
        self.app = app
        self._front = Remembering(app)
        self.version = version
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
        try:
            body = self._front(environ, start_response)
        except BaseException:
            self._give_back()
            raise
        wrapper: Any = environ.get("wsgi.file_wrapper")
        if isinstance(wrapper, type) and isinstance(body, wrapper):
            # The server sends a file on its own, but only if it gets this very object; the file is open already.
            self._give_back()
            return body
        return ClosingIterator(body, self._give_back)

    def retire(self) -> None:
        """Answer nothing more; end when the last answer has left."""
        with self._lock:
            self._retired = True
            unused = self._users == 0
        if unused:
            self._end()

    def _give_back(self) -> None:
        with self._lock:
            self._users -= 1
            unused = self._retired and self._users == 0
        if unused:
            self._end()

    def _end(self) -> None:
        self.app.extensions.pop("kg").close()
        # An application refers to itself in circles; the files of its store are to be let go of now.
        gc.collect()
