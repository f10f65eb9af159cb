"""What authors see under ``kg serve --watch``: what the last build found, on every page, and the page anew after it.

Nothing here is registered unless the project is watched. Pages are then kept by nobody (``no-store``), because what
they say of the sources changes without the release; a script asks ``/watch.json`` whether anything has.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response, jsonify, request

from kg import findings, media
from kg.findings import Outcome
from kg.release import current_version


class Watch:
    """The findings file of a watched project."""

    SHOWN = 30
    """Findings on a page; the terminal has all."""

    def __init__(self, releases: Path) -> None:
        self._releases = releases
        self._path = releases / findings.FILE
        self._stamp = (0, 0)
        self._outcome = Outcome()

    def outcome(self) -> Outcome:
        """What the last build came to; the one before where the file cannot be read.

        A build makes its release current first and is heard of a moment later. In between, what the build before it
        found is said of no page: those errors stood beside another release, and are mended.
        """
        try:
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_ino)
            if stamp != self._stamp:
                self._outcome = findings.parse(self._path.read_text(encoding="utf-8"))
                self._stamp = stamp
        except (OSError, ValueError):
            pass
        if self._outcome.beside != current_version(self._releases):
            return Outcome()
        return self._outcome

    def state(self, version: str) -> str:
        """Something that is the same as long as pages are."""
        return f"{version}-{self.outcome().token}"


def register(app: Flask) -> None:
    """Let pages be asked for anew, and say whether they should."""
    site = app.extensions["kg"]

    @app.before_request
    def forget() -> None:
        # A browser may still have a page from a server that did not watch.
        for name in ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE"):
            request.environ.pop(name, None)

    @app.after_request
    def keep_nothing(response: Response) -> Response:
        if response.mimetype == media.HTML:
            response.headers["Cache-Control"] = "no-store"
            response.headers.pop("ETag", None)
        return response

    @app.get("/watch.json")
    def state() -> Response:
        response = jsonify(state=site.watch.state(site.release.version))
        response.headers["Cache-Control"] = "no-store"
        return response
