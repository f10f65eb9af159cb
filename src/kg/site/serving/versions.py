"""``/releases/VERSION/…``: an earlier release, with its whole site below that address.

Links between pages are relative, so the application of an earlier release works below a prefix as it is. Its answers
say when they were published (``Memento-Datetime``, RFC 7089) and where the thing stands today. A few are kept open.
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from flask import Flask
from werkzeug.http import http_date

from kg.errors import KgError, ReleaseError
from kg.history import AGAIN
from kg.site.answers.headers import HEADERS
from kg.site.answers.links import encode, prefix, query_part
from kg.site.answers.respond import CORS
from kg.site.answers.signposting import Link, header, versions
from kg.site.serving.lease import Lease

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from kg.site.lookups.state import Site
    from kg.site.serving.switch import Switch

OPEN = 3
"""Earlier releases that stay open; more are closed, the longest unused first."""

VERSION = r"\d{4}-\d\d-\d\d-[0-9a-f]{12}"
_PATH = re.compile(rf"/releases/({VERSION})(/.*)")


class Versions:
    """A WSGI application: earlier releases below their addresses, ``current`` for everything else.

    ``make`` opens the release of a name, as one that is no longer current.
    """

    def __init__(self, current: Switch, make: Callable[[str], Flask]) -> None:
        self._current = current
        self._make = make
        self._lock = threading.Lock()
        self._open: OrderedDict[str, Lease] = OrderedDict()
        self._refused: dict[str, float] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        sent = _sent(environ)
        match = _PATH.fullmatch(sent)
        lease = self._lease(match[1]) if match else None
        if match is None or lease is None:
            return self._current(environ, start_response)
        below = f"/releases/{match[1]}"
        rest = environ["PATH_INFO"].removeprefix(below)
        if rest == "/releases" or rest.startswith("/releases/"):
            # Releases lie beside each other, not in one another.
            there = [("Location", prefix(sent) + encode(match[2][1:])), ("Content-Length", "0")]
            start_response("307 TEMPORARY REDIRECT", [*there, *CORS, *HEADERS.items()])
            return ()
        root = environ.get("SCRIPT_NAME", "") + below
        query = query_part(environ.get("QUERY_STRING", ""))
        extra = _memento(lease, match[2], query, _site(self._current.current).base)

        def dated(status: str, headers: list[tuple[str, str]], *info: object) -> Callable[[bytes], object]:
            return start_response(status, [*headers, *extra], *info)  # type: ignore[arg-type]  # exc_info, passed on

        return lease({**environ, "SCRIPT_NAME": root, "PATH_INFO": rest}, dated)

    def close(self) -> None:
        """End what the open releases started, the current one included."""
        self._current.close()
        with self._lock:
            leases = list(self._open.values())
            self._open.clear()
        for lease in leases:
            lease.retire()

    def _lease(self, version: str) -> Lease | None:
        """The open release of a name, counted for one answer; ``None`` if there is none that is whole."""
        # One at a time: opening compares every file, and strangers choose what is opened.
        with self._lock:
            lease = self._open.pop(version, None)
            if lease is not None and not _site(lease).release.path.is_dir():
                lease.retire()  # somebody took it away
                lease = None
            if lease is None:
                if time.monotonic() < self._refused.get(version, 0):
                    return None
                try:
                    lease = Lease(self._make(version), version)
                except ReleaseError:
                    self._refuse(version)
                    return None
                except (KgError, OSError):
                    return None
            lease.take()
            self._open[version] = lease
            oldest = self._open.popitem(last=False)[1] if len(self._open) > OPEN else None
        if oldest is not None:
            oldest.retire()
        return lease

    def _refuse(self, version: str) -> None:
        """What is damaged is not compared again at every request, and stands in no list."""
        site = _site(self._current.current)
        if (site.config.releases / version).is_dir():
            self._refused[version] = time.monotonic() + AGAIN
            site.history.damaged(version)


def _site(lease: Lease) -> Site:
    found: Site = lease.app.extensions["kg"]
    return found


def _sent(environ: WSGIEnvironment) -> str:
    """The path below the site's root as it was sent: undone, it no longer tells which escapes belong to a name."""
    sent: str = environ.get("RAW_URI") or quote(environ["PATH_INFO"].encode("latin-1"))
    path = sent.partition("?")[0] if sent.startswith("/") else urlsplit(sent).path
    return path.removeprefix(quote(environ.get("SCRIPT_NAME", "").encode("latin-1")))


def _memento(lease: Lease, rest: str, query: str, base: str) -> list[tuple[str, str]]:
    """Headers of a memento (RFC 7089, section 2.2); ``base`` is what addresses of the site start with today."""
    if rest.startswith("/stream/"):
        return []  # a page of the event stream is at no other address, and no version of one
    local = encode(rest[1:]) + query  # which may name another form of the same
    links = header([Link("original", base + local), *versions(base, local)])
    return [("Memento-Datetime", http_date(_site(lease).release.sealed_at)), ("Link", links)]
