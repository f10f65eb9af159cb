"""Processes of a server are killed, told to stop, or run into limits: all answers again, and nothing is mixed."""

from __future__ import annotations

import http.client
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import IO
from urllib.parse import quote, urlsplit

import pytest
from tests.asking import ask
from tests.conftest import Kg, intact
from tests.patience import PATIENCE, free_port, until
from tests.store.engines import oxigraph

from kg.config import load
from kg.release import current_version, versions

QUERY = "SELECT ?s ?p ?o { ?s ?p ?o } ORDER BY ?s ?p ?o LIMIT 50"


class Load(threading.Thread):
    """Asks for pages and queries again and again, counts what came whole, and keeps what was none of the answers."""

    def __init__(self, address: str, expected: dict[str, bytes]) -> None:
        super().__init__(daemon=True)
        self.address = address
        self.expected = expected
        self.stop = threading.Event()
        self.answers: list[int] = []
        self.wrong: list[bytes] = []

    def run(self) -> None:
        while not self.stop.is_set():
            for path, body in self.expected.items():
                try:
                    status, _, got = ask(self.address, path)
                except (OSError, http.client.HTTPException):
                    time.sleep(0.01)
                    continue
                self.answers.append(status)
                if status == 200 and got != body:
                    self.wrong.append(got)


@contextmanager
def server(
    project: Path, workers: int = 2, port: int = 0, options: Sequence[str] = (), log: IO[str] | None = None
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "kg.cli", "serve", "--port", str(port), "--workers", str(workers), *options]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=log, text=True) as process:
        try:
            assert process.stdout
            process.stdout.readline()
            yield process, process.stdout.readline().split()[0]
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE)


def children(pid: int) -> list[int]:
    """The processes below one, nearest first."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            name, _, rest = stat.read_text().partition(") ")
            if int(rest.split()[1]) == pid:
                found.append(int(name.partition(" ")[0]))
    return found + [below for child in found for below in children(child)]


def roles(master: int) -> dict[str, list[int]]:
    """The processes of a server by what they do; a broker outlives the web process that started it."""
    here = working_in(master)
    forked = [pid for pid in here if "kg.query.broker" in command_of(pid)]
    queries = [pid for pid in forked if parent(pid) in forked]
    web = [pid for pid in here if parent(pid) == master]
    return {"master": [master], "web": web, "broker": sorted({*forked} - {*queries}), "query": queries}


def working_in(master: int) -> list[int]:
    """The processes that have the working folder of this one."""
    folder = Path(f"/proc/{master}/cwd").readlink()
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with suppress(OSError):
            if link.readlink() == folder:
                found.append(int(link.parent.name))
    return found


def parent(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])
    return 0


def command_of(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return ""


def kill_servers(project: Path, times: int) -> None:
    """Kill one of a server's processes again and again, under load; start it again where that was the master."""
    dice = random.Random(20261126)
    port = free_port()  # nobody else gets it while no server has it
    with server(project, port=port) as (_, address):
        expected = {path: ask(address, path)[2] for path in ("/page/kg", "/sparql?query=" + quote(QUERY))}
    loads = [Load(address, expected) for _ in range(2)]
    seen: set[int] = set()
    killed: Counter[str] = Counter()
    process = served(project, port)
    try:
        for load_ in loads:
            load_.start()
        while killed.total() < times:
            time.sleep(dice.uniform(0.05, 0.6))
            found = roles(process.pid)
            seen.update(pid for some in found.values() for pid in some)
            kind = dice.choice(list(found))
            if not found[kind]:
                continue  # it is just being made again
            with suppress(ProcessLookupError):
                os.kill(dice.choice(found[kind]), signal.SIGKILL)
            killed[kind] += 1
            if kind == "master":
                ended(process)
                process = served(project, port)
        until(lambda: sum(load_.answers.count(200) for load_ in loads) > times, 2 * PATIENCE)
        for load_ in loads:
            load_.stop.set()
            load_.join()
        whole = [(200, body) for body in expected.values()]
        until(lambda: [_answer(address, path) for path in expected] == whole)
        until(lambda: [len(roles(process.pid)[kind]) for kind in ("master", "web", "broker")] == [1, 2, 1])
        seen.update(working_in(process.pid))
    finally:
        process.terminate()
        ended(process)
    assert len(killed) == min(4, times) or times < 20, killed
    answers = [answer for load_ in loads for answer in load_.answers]
    # A query whose process was killed is told so; nothing else goes wrong, and nothing is mixed or cut.
    assert set(answers) <= {200, 500, 503}
    assert [load_.wrong for load_ in loads] == [[], []]
    until(lambda: [command_of(pid) for pid in seen if "kg" in command_of(pid)] == [])
    assert intact(project)


def served(project: Path, port: int) -> subprocess.Popen[str]:
    """A server on this port, started again, as a service manager does it, until the port is free."""
    command = [sys.executable, "-m", "kg.cli", "serve", "--port", str(port), "--workers", "2"]
    end = time.monotonic() + 60
    while True:
        process = subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert process.stdout
        process.stdout.readline()
        if process.stdout.readline():
            return process
        ended(process)
        assert time.monotonic() < end, "the port does not become free"


def ended(process: subprocess.Popen[str]) -> None:
    process.wait(timeout=PATIENCE)
    assert process.stdout
    process.stdout.close()


def _answer(address: str, path: str) -> tuple[int, bytes]:
    with suppress(OSError, http.client.HTTPException):
        status, _, body = ask(address, path)
        return status, body
    return 0, b""


def test_processes_of_a_server_that_are_killed_are_replaced_under_load(built: Path) -> None:
    kill_servers(built, 6)


@pytest.mark.soak
def test_two_hundred_processes_of_a_server_are_killed(built: Path) -> None:
    kill_servers(built, 200)


def test_clients_that_go_away_without_a_word_are_worth_none(built: Path, tmp_path: Path) -> None:
    """A log of tracebacks for them is a full disk, or a pipe that nobody empties: then the server waits for it."""
    port, log = free_port(), tmp_path / "log"
    command = [sys.executable, "-m", "kg.cli", "serve", "--port", str(port), "--workers", "1"]
    with log.open("wb") as said, subprocess.Popen(command, cwd=built, stdout=said, stderr=said) as process:
        try:
            until(lambda: _answer(f"http://127.0.0.1:{port}", "/health")[0] == 200)
            for number in range(300):
                with socket.create_connection(("127.0.0.1", port)) as connection:
                    path = "dumps/all.nq" if number % 3 else f"search?q={number}"
                    connection.sendall(f"GET /{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * (1 + number % 4))
                    time.sleep(number % 10 / 1000)
                    # Without time to linger, the other side is told of a reset, whatever it is doing.
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            assert _answer(f"http://127.0.0.1:{port}", "/claims")[0] == 200
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE)
    assert "Traceback" not in log.read_text()


def test_a_process_that_is_killed_while_the_store_does_not_answer_is_replaced(
    built: Path, tmp_path: Path, kg: Kg
) -> None:
    """Pages that need the store say so; the server does not end with it."""
    profile = ("--engine-profile", "oxigraph")
    with ExitStack() as store:
        engine = store.enter_context(oxigraph(tmp_path))
        pushed = kg("push", "--to", engine.address, *profile, cwd=built)
        assert pushed.returncode == 0, pushed.stderr
        with server(built, 1, options=("--endpoint", engine.query, *profile)) as (process, address):
            assert ask(address, "/")[0] == 200
            before = children(process.pid)
            store.close()
            for pid in before:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            until(lambda: set(children(process.pid)) - set(before) and _answer(address, "/")[0] == 200)
            assert process.poll() is None


@pytest.mark.parametrize("before", [True, False], ids=["after another", "the only one"])
def test_a_process_that_is_killed_when_the_release_was_damaged_is_replaced(
    before: bool, built: Path, kg: Kg, tmp_path: Path
) -> None:
    """By one that serves the release before, or as soon as there is a whole one; those that serve go on."""
    first = current_version(built / "releases")
    if before:
        retitled(built, "The second")
        assert kg("build", cwd=built).returncode == 0
    with (tmp_path / "log").open("w") as log, server(built, 1, log=log) as (process, address):
        assert ask(address, "/")[0] == 200
        with (built / "releases/current/dumps/facts.nt").open("a") as file:
            file.write("\n")
        (web,) = roles(process.pid)["web"]
        os.kill(web, signal.SIGKILL)
        if before:
            until(lambda: first in str(_answer(address, "/")[1]))
        else:
            until(lambda: "no release can be served" in (tmp_path / "log").read_text())
        retitled(built, "The third")
        assert kg("build", cwd=built).returncode == 0
        until(lambda: "The third" in str(_answer(address, "/")[1]))
        assert process.poll() is None
    said = (tmp_path / "log").read_text()
    assert "facts.nt: has " in said
    assert "Traceback" not in said


def retitled(project: Path, title: str) -> None:
    file = project / "kg.toml"
    file.write_text(re.sub('(?m)^title = ".*"$', f'title = "{title}"', file.read_text("utf-8")), "utf-8")


def test_the_address_of_a_server_that_was_killed_is_free_again(built: Path) -> None:
    with server(built, port=free_port()) as (process, address):
        assert ask(address, "/sparql?query=ASK%7B%7D")[0] == 200
        below = children(process.pid)
        process.kill()
        process.wait(timeout=PATIENCE)
        until(lambda: not any("kg" in command_of(pid) for pid in below))
        port = str(urlsplit(address).port)
    command = [sys.executable, "-m", "kg.cli", "serve", "--port", port]
    with subprocess.Popen(command, cwd=built, stdout=subprocess.PIPE, text=True) as again:
        assert again.stdout
        assert [bool(again.stdout.readline()), port in again.stdout.readline()] == [True, True]
        again.terminate()


def test_a_long_answer_ends_before_the_server_that_is_told_to_stop(built: Path) -> None:
    words = "SELECT ?a ?b ?c WHERE { ?a ?p ?x . ?b ?q ?y . ?c ?r ?z } LIMIT 30000"
    with (
        server(built, 1) as (process, address),
        closing(http.client.HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE)) as connection,
    ):
        connection.request("GET", "/sparql?query=" + quote(words), headers={"Accept": "text/csv"})
        answer = connection.getresponse()
        body = answer.read(1000)
        process.send_signal(signal.SIGTERM)
        while piece := answer.read(1 << 16):
            body += piece
        # A broken connection would have raised an exception.
        assert body.count(b"\n") == 30_001
        process.wait(timeout=PATIENCE)
        assert process.returncode == 0
        assert re.fullmatch(rb"a,b,c", body.partition(b"\r\n")[0])
    assert versions(load(built).releases) == [current_version(load(built).releases)]


def test_an_answer_that_runs_into_its_deadline_breaks_off_and_nothing_is_logged(built: Path) -> None:
    settings = (built / "kg.toml").read_text(encoding="utf-8")
    (built / "kg.toml").write_text(settings.replace("deadline = 10", "deadline = 1"), encoding="utf-8")
    words = "SELECT * { ?a ?p ?x . ?b ?q ?y . ?c ?r ?z . ?d ?s ?w }"
    command = [sys.executable, "-m", "kg.cli", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=built, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        address = process.stdout.readline().split()[0]
        with pytest.raises(http.client.IncompleteRead):
            ask(address, "/sparql?query=" + quote(words))
        assert ask(address, "/health")[0] == 200
        process.terminate()
        assert process.communicate(timeout=PATIENCE)[1] == ""
