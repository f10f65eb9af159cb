"""A site over a slow line: its pages arrive in pieces and scripts late, and a browser draws what it has of them so far.

What moves when the rest comes, moves here each time, and not only where a machine happens to be busy.
"""

from __future__ import annotations

import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.error import HTTPError

ENDS = (900, 1_300, 1_700, 2_100, 2_500, 3_000, 3_500, 4_000, 5_000, 6_000, 7_500, 9_000, 11_000, 15_000, 20_000)
"""Bytes of a page after which the line rests: in its header, and where the first screen ends."""

REST = 0.03
"""Seconds; a browser draws sixty times in one."""

LATE = 0.15
"""Seconds that scripts are late: the page has been drawn without them, several times."""

_HOP = frozenset({"connection", "transfer-encoding", "content-length", "date", "server"})


class _Line(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    origin: ClassVar[str]

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = urllib.request.Request(self.origin + self.path.removeprefix("/"), body or None, method=self.command)
        for name in ("Accept", "Accept-Language", "Content-Type"):
            if name in self.headers:
                asked.add_header(name, self.headers[name])
        answer: HTTPResponse | HTTPError
        try:
            answer = urllib.request.urlopen(asked)
        except HTTPError as error:  # a page like others
            answer = error
        with answer:
            self._send(HTTPStatus(answer.status or 500), dict(answer.headers.items()), answer.read())

    def do_POST(self) -> None:
        self.do_GET()

    def _send(self, status: HTTPStatus, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in _HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if "javascript" in headers.get("Content-Type", ""):
            time.sleep(LATE)
        ends = [end for end in ENDS if end < len(content)] if "text/html" in headers.get("Content-Type", "") else []
        for start, end in zip([0, *ends], [*ends, len(content)], strict=True):
            self.wfile.write(content[start:end])
            self.wfile.flush()
            if end < len(content):
                time.sleep(REST)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature of http.server
        pass


@contextmanager
def slowly(origin: str) -> Iterator[str]:
    """The site at an address that ends in ``/``, over a slow line; gives its address there."""
    line = type("Line", (_Line,), {"origin": origin})
    with ThreadingHTTPServer(("127.0.0.1", 0), line) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()
