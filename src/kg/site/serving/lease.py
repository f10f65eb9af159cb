"""The application of one release, with a count of its answers under way: it can be replaced while it is answering."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from flask import Flask
from werkzeug.wsgi import ClosingIterator

from kg.site.serving.answer_cache import Memory

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from kg.site.lookups.state import Site
    from kg.site.serving.direct import Direct


LEASE = "kg.lease"
"""In ``environ``, once the request is answered: the :class:`Lease` that did, where it may remember the answer."""


class Lease:
    """A WSGI application that ends when it was retired and its last answer has left.

    ``version`` is the name of its release, ``languages`` are those that it answers in, ``memory`` holds what it has
    answered, ``direct`` is the straight way to its query workers, once there is one.
    """

    def __init__(self, app: Flask, version: str) -> None:
        self.app = app
        self.version = version
        self.languages: tuple[str, ...] = app.extensions["kg"].languages
        self.memory = Memory()
        self.direct: Direct | None = None
        self._lock = threading.Lock()
        self._users = 0
        self._retired = False

    @property
    def site(self) -> Site:
        """What its pages are made from. Not kept here: the files of its store are let go of at the end."""
        return cast("Site", self.app.extensions["kg"])

    def take(self) -> bool:
        """Count one more answer; ``False`` if it has been retired meanwhile, and another one must be asked."""
        with self._lock:
            self._users += not self._retired
            return not self._retired

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request that was counted by :meth:`take`."""
        if not self.site.ahead:
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
        if self.direct is not None:
            self.direct.close()
            self.direct = None
        self.app.extensions.pop("kg").close()
        # An application refers to itself in circles; the files of its store are to be let go of now.
        gc.collect()
