"""A SPARQL endpoint that fails in one chosen way."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

JSON = "application/sparql-results+json"
HEAD = '{"head":{"vars":["s","p","o"]},"results":{"bindings":['
TAIL = "]}}"


def row(number: int) -> str:
    cells = {name: {"type": "uri", "value": f"http://example.org/{name}/{number}"} for name in "spo"}
    return json.dumps(cells)


def nested(depth: int) -> str:
    """A row whose object is a triple term in a triple term …"""
    uri = '{"type":"uri","value":"http://example.org/x"}'
    opened = f'{{"type":"triple","value":{{"subject":{uri},"predicate":{uri},"object":' * depth
    return f'{{"s":{uri},"p":{uri},"o":{opened}{uri}{"}}" * depth}}}'


class Handler(BaseHTTPRequestHandler):
    """Answers every request as the server's ``fault`` says."""

    protocol_version = "HTTP/1.1"
    server: FaultServer

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.server.requests += 1
        self.server.authorization.append(self.headers.get("Authorization"))
        with contextlib.suppress(OSError):
            FAULTS[self.server.fault](self)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.do_GET()

    def send(self, status: int, body: bytes, kind: str = JSON, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def begin(self) -> None:
        """The head of an answer without a length, which ends with the connection."""
        self.close_connection = True
        self.wfile.write(f"HTTP/1.1 200 OK\r\nContent-Type: {JSON}\r\nConnection: close\r\n\r\n".encode())

    def stop(self) -> bool:
        return self.server.stopping.is_set()


def whole(handler: Handler) -> None:
    handler.send(200, (HEAD + row(1) + TAIL).encode())


def silent(handler: Handler) -> None:
    handler.server.stopping.wait(60)


def slow_head(handler: Handler) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1000:
        handler.wfile.write(bytes([byte]))
        if handler.server.stopping.wait(0.2):
            return


def slow_body(handler: Handler) -> None:
    handler.begin()
    for byte in (HEAD + row(1)).encode():
        handler.wfile.write(bytes([byte]))
        if handler.server.stopping.wait(0.2):
            return


def endless(handler: Handler) -> None:
    handler.begin()
    handler.wfile.write(HEAD.encode() + row(0).encode())
    part = ("," + ",".join(map(row, range(1000)))).encode()
    while not handler.stop():
        handler.wfile.write(part)


def ten_million(handler: Handler) -> None:
    handler.begin()
    handler.wfile.write(HEAD.encode() + row(0).encode())
    part = ("," + ",".join(map(row, range(1000)))).encode()
    for _ in range(10_000):
        handler.wfile.write(part)
    handler.wfile.write(TAIL.encode())


def endless_string(handler: Handler) -> None:
    handler.begin()
    handler.wfile.write((HEAD + '{"s":{"type":"literal","value":"').encode())
    while not handler.stop():
        handler.wfile.write(b"x" * 65536)


def truncated(handler: Handler) -> None:
    handler.send(200, (HEAD + row(1) + "," + row(2)[:-9]).encode())


def truncated_between_rows(handler: Handler) -> None:
    handler.send(200, (HEAD + row(1)).encode())


def broken_off(handler: Handler) -> None:
    handler.close_connection = True
    handler.wfile.write(f"HTTP/1.1 200 OK\r\nContent-Type: {JSON}\r\nContent-Length: 9999\r\n\r\n{HEAD}".encode())


def html(handler: Handler) -> None:
    handler.send(200, b"<!doctype html><p>Welcome", "text/html")


def html_as_json(handler: Handler) -> None:
    handler.send(200, b"<!doctype html><p>Welcome")


def partial(handler: Handler) -> None:
    handler.send(206, (HEAD + row(1) + TAIL).encode())


def gave_up(handler: Handler) -> None:
    handler.send(200, (HEAD + row(1) + TAIL).encode(), X_SQL_State="S1TAT")


def capped(handler: Handler) -> None:
    handler.send(200, (HEAD + row(1) + "," + row(2) + TAIL).encode(), X_SPARQL_MaxRows="2")


def pause_429(handler: Handler) -> None:
    handler.send(429, b"slow down", "text/plain", Retry_After="7")


def pause_503(handler: Handler) -> None:
    handler.send(503, b"later", "text/plain", Retry_After="7")


def failing(handler: Handler) -> None:
    handler.send(500, b"oops at /srv/secret/path", "text/plain")


def to_loopback(handler: Handler) -> None:
    handler.send(302, b"", Location=f"http://127.0.0.1:{handler.server.trap}/sparql")


def to_metadata(handler: Handler) -> None:
    handler.send(307, b"", Location="http://169.254.169.254/latest/meta-data/")


def deep(handler: Handler) -> None:
    handler.send(200, (HEAD + nested(20_000) + TAIL).encode())


def deep_arrays(handler: Handler) -> None:
    handler.send(200, (HEAD + '{"s":' + "[" * 200_000).encode())


def unbound(handler: Handler) -> None:
    handler.send(200, (HEAD + row(1) + ",{}" + TAIL).encode())


def literals(handler: Handler) -> None:
    cells = {name: {"type": "literal", "value": "<script>"} for name in "spo"}
    handler.send(200, (HEAD + json.dumps(cells) + TAIL).encode())


def other_columns(handler: Handler) -> None:
    handler.send(200, b'{"head":{"vars":["x"]},"results":{"bindings":[{"x":{"type":"literal","value":"1"}}]}}')


def yes(handler: Handler) -> None:
    handler.send(200, b'{"head":{},"boolean":true}')


FAULTS: dict[str, Callable[[Handler], None]] = {
    f.__name__: f
    for f in (
        whole,
        silent,
        slow_head,
        slow_body,
        endless,
        ten_million,
        endless_string,
        truncated,
        truncated_between_rows,
        broken_off,
        html,
        html_as_json,
        partial,
        gave_up,
        capped,
        pause_429,
        pause_503,
        failing,
        to_loopback,
        to_metadata,
        deep,
        deep_arrays,
        unbound,
        literals,
        other_columns,
        yes,
    )
}


class FaultServer(ThreadingHTTPServer):
    """``fault`` may change at any time; ``trap`` is a port on which somebody listens whom nobody must ask."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.fault = "whole"
        self.requests = 0
        self.authorization: list[str | None] = []
        self.trap = 0
        self.stopping = threading.Event()

    def handle_error(self, *_: object) -> None:
        pass

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/sparql"


@contextlib.contextmanager
def fault_server() -> Iterator[FaultServer]:
    with FaultServer() as server, socket.create_server(("127.0.0.1", 0)) as trap:
        server.trap = trap.getsockname()[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
            trap.settimeout(0)
            with contextlib.suppress(BlockingIOError):
                trap.accept()
                raise AssertionError("somebody followed a redirect")
        finally:
            server.stopping.set()
            server.shutdown()
            time.sleep(0)
