"""What tests of single modules of ``web/src`` share."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature of http.server
        """Requests are not news here."""


@pytest.fixture(scope="session")
def web() -> Iterator[str]:
    """The address of the sources in ``web/src``, which modules are imported from as they are."""
    handler = functools.partial(_Quiet, directory=str(ROOT / "web/src"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
