"""The real server: ``kg serve`` as a process, spoken to over sockets."""

from __future__ import annotations

import asyncio
import http.client
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import uvicorn
from tests.patience import PATIENCE, until

from kg.errors import ConfigError
from kg.site import assets
from kg.site.serving import connection
from kg.site.serving.asgi import Answer, Receive, Scope, Send, read_body, respond
from kg.site.serving.connection import Connection


def get(address: str, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """One request with the path exactly as given; no client library tidies it up."""
    with closing(http.client.HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE)) as connection:
        connection.putrequest("GET", path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        response = connection.getresponse()
        body = response.read()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, body


def test_names_are_read_as_they_were_sent(address: str) -> None:
    for name in ("caf%C3%A9", "a%20b", "odd.ttl", "deep/er", "it's(1)!"):
        status, headers, _ = get(address, f"/id/{name}", Accept="text/turtle")
        assert (status, headers["location"].rpartition("data/")[2]) == (303, f"{name}.ttl")
        status, _, body = get(address, f"/data/{name}.nt")
        assert status == 200
        assert b"<http://localhost:8000/id/" in body


def test_the_same_path_spelled_otherwise_is_another_name(address: str) -> None:
    for name in ("a%2520b", "deep%2Fer2", "..%2f..%2fetc/passwd", "%00", "%FF"):
        status, _, _ = get(address, f"/id/{name}")
        assert status == 404, name


def test_an_absolute_request_line_is_understood(address: str) -> None:
    status, _, _ = get(address, address + "page/north-pier")
    assert status == 200


@pytest.mark.parametrize("path", ["/page/north-pier", "/sparql?query=ASK%7B%7D", "/nothing", "/id/north-pier"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_whole_answer_leaves_in_one_piece(method: str, path: str, address: str) -> None:
    place = urlsplit(address)
    with socket.create_connection((place.hostname, place.port), timeout=PATIENCE) as sock:
        for _ in range(3):  # the second and the third are remembered
            sock.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            head, _, body = sock.recv(1 << 20).partition(b"\r\n\r\n")
            length = re.search(rb"\r\ncontent-length: (\d+)", head)
            assert length
            assert len(body) == (int(length[1]) if method == "GET" else 0)


@contextmanager
def in_process(application: Callable[[Scope, Receive, Send], Awaitable[None]]) -> Iterator[int]:
    """An application behind our connections; gives its port."""
    server = uvicorn.Server(
        uvicorn.Config(application, port=0, http=Connection, ws="none", lifespan="off", log_config=None)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize("value", [b"a\r\nevil: 1", b"a\nevil: 1", b"a\revil: 1", b"a\x00", b"a\x7f"])
def test_no_header_holds_another(value: bytes) -> None:
    async def application(scope: Scope, _: Receive, send: Send) -> None:
        await respond(scope, send, Answer(200, [(b"content-length", b"2"), (b"x-from-data", value)], b"ok"))

    with in_process(application) as port:
        status, headers, _ = get(f"http://127.0.0.1:{port}/", "/")
        assert status == 500
        assert not {"evil", "x-from-data"} & set(headers)


def test_the_server_does_not_say_what_it_is_made_of(address: str) -> None:
    for path in ("/", "/nothing", "/id/north-pier"):
        _, headers, _ = get(address, path)
        assert not re.search(r"gunicorn|werkzeug|flask|python|\d+\.\d+", headers.get("server", ""), re.IGNORECASE)


def test_a_request_line_that_is_too_long_is_refused(address: str) -> None:
    assert get(address, "/search?q=" + "a" * 7000)[0] == 200
    assert get(address, "/search?q=" + "a" * 20_000)[0] in (400, 414)


HALF_A_HEAD = b"GET / HTTP/1.1\r\nHost: x\r\nX-"
HALF_A_BODY = (
    b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\nContent-Length: 99\r\n\r\nASK"
)
NEVER_READ = b"GET /dumps/all.nq HTTP/1.1\r\nHost: x\r\n\r\n" * 200


@pytest.mark.parametrize(("sent", "clients"), [(HALF_A_HEAD, 100), (HALF_A_BODY, 100), (NEVER_READ, 12)])
def test_slow_clients_hold_up_nobody_else(sent: bytes, clients: int, address: str) -> None:
    assert get(address, "/sparql?query=ASK%7B%7D")[0] == 200  # its worker has started
    until(lambda: answered_beside(sent, clients, address))


def answered_beside(sent: bytes, clients: int, address: str) -> bool:
    """Others are answered; whether that was while all the slow clients were there, who have 5 seconds or more."""
    parts = urlsplit(address)
    slow = [socket.create_connection((parts.hostname or "", parts.port or 0)) for _ in range(clients)]
    try:
        for connection in slow:
            connection.sendall(sent)
        for path in ("/page/north-pier", "/search?q=pier", "/sparql?query=ASK%7B%7D"):
            assert get(address, path)[0] == 200
        return not any(is_closed(connection) for connection in slow)
    finally:
        for connection in slow:
            connection.close()


def is_closed(connection: socket.socket) -> bool:
    """Whether the other end has closed a connection, also one that has not been read."""
    poll = select.poll()
    poll.register(connection, select.POLLRDHUP)
    return bool(poll.poll(0))


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: %s\r\n" % (b"a" * 17_000) + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: a\r\n" * 80 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 500_000, 431),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / SMTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"\x16\x03\x01\x00\xa5\x01\x00\x00", 400),
        (b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (HALF_A_BODY.replace(b"99", b"99999999999"), 413),
        (HALF_A_HEAD, 408),
        (HALF_A_BODY, 408),
    ],
)
def test_a_request_beyond_the_bounds_is_answered_and_closed(sent: bytes, status: int, address: str) -> None:
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=PATIENCE) as connection:
        with suppress(ConnectionError):  # it may be closed before all of it was sent
            connection.sendall(sent)
        received = b""
        with suppress(ConnectionError):
            while piece := connection.recv(65536):
                received += piece
    if received:
        assert received.startswith(b"HTTP/1.1 %d " % status)
        assert b"connection: close" in received.lower()
    else:
        assert len(sent) > 100_000, "only a flood may be cut off without a word"


PAGE = b"GET /page HTTP/1.1\r\nHost: x\r\n\r\n"
HALF = b"POST /query HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nASK"


@contextmanager
def a_long_answer(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[socket.socket, threading.Event]]:
    """A connection on which an answer has begun, and what lets it end."""
    monkeypatch.setattr(connection, "SILENCE", 0.3)
    end = threading.Event()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive, 100)
        if scope["path"] != "/long":
            await respond(scope, send, Answer(200, [(b"content-length", b"%d" % len(body))], body))
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4000")]})
        await send({"type": "http.response.body", "body": b"x" * 2000, "more_body": True})
        while not end.is_set():
            await asyncio.sleep(0.02)
        await send({"type": "http.response.body", "body": b"y" * 2000})

    with in_process(application) as port, closing(socket.create_connection(("127.0.0.1", port), PATIENCE)) as sock:
        sock.sendall(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 200 " in sock.recv(40)
        yield sock, end


@pytest.mark.parametrize("before", [b"", PAGE], ids=["", "behind another request"])
def test_nothing_stands_in_the_middle_of_an_answer(before: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the end of a file could be cut, and what was put there make up for its length."""
    with a_long_answer(monkeypatch) as (sock, end):
        sock.sendall(before + b"\x00\x01 no HTTP\r\n\r\n")
        answer = b""
        with suppress(ConnectionError):
            while piece := sock.recv(1 << 16):
                answer += piece
        end.set()
    assert b"HTTP/1.1" not in answer
    assert b"y" not in answer, "it is cut, and looks cut"


def test_a_request_that_waits_for_the_answer_before_it_has_not_fallen_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    with a_long_answer(monkeypatch) as (sock, end):
        sock.sendall(HALF)
        time.sleep(1)
        sock.sendall(b" {}")
        time.sleep(1)
        end.set()
        answer = b""
        while not answer.endswith(b"\r\n\r\nASK {}"):
            piece = sock.recv(1 << 16)
            assert piece, answer[-200:]
            answer += piece
    assert b"y" * 2000 + b"HTTP/1.1 200 OK" in answer


def test_many_at_once_all_get_their_answers(address: str) -> None:
    statuses: list[int] = []

    def ask() -> None:
        statuses.extend(get(address, path)[0] for path in ("/page/north-pier", "/data/north-pier.trig", "/claims"))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 48


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_the_server_prints_its_address_and_ends_when_told(stop: signal.Signals, project: Path, release: object) -> None:
    command = [sys.executable, "-m", "kg.cli", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines = [process.stdout.readline(), process.stdout.readline()]
        address = re.search(r"http://127\.0\.0\.1:\d+/", "".join(lines))
        assert address, lines
        assert get(address[0], "/health")[0] == 200
        process.send_signal(stop)
        _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        assert "Traceback" not in errors


def test_a_port_that_is_taken_is_one_clear_line(project: Path, release: object) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "kg.cli", "serve", "--port", str(port)],
            cwd=project,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"127.0.0.1:{port} cannot be listened to" in done.stderr


def test_a_bundle_that_was_not_made_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "FOLDER", tmp_path / "static")
    with pytest.raises(ConfigError, match=r"static/site\.css: is missing: .* install kg again"):
        assets.Assets.load()
