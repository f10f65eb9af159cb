"""Each layer holds with the other switched off, and nothing outlives the server."""

from __future__ import annotations

import contextlib
import errno
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad, Store
from tests.patience import until
from tests.query.conftest import BASE, children, making

from kg.errors import QueryError
from kg.query.base import Query
from kg.query.pool import Pool

JSON = "application/sparql-results+json"


class Listener:
    """Counts connections to a free local port, and answers each with an empty result."""

    def __init__(self) -> None:
        self.hits = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.hits += 1
            with connection:
                connection.recv(10_000)
                body = b'{"head":{"vars":[]},"results":{"bindings":[]}}'
                head = b"HTTP/1.1 200 OK\r\nContent-Type: application/sparql-results+json\r\nConnection: close\r\n"
                connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


def test_the_engine_by_itself_does_call(listener: Listener) -> None:
    # Without this, a count of 0 below would prove nothing.
    list(Store().query(f"SELECT * {{ SERVICE <{listener.url}> {{ }} }}"))  # type: ignore[arg-type]
    assert listener.hits == 1


@pytest.mark.parametrize("silent", ["", "SILENT "])
def test_a_worker_cannot_call_even_without_the_lexer(silent: str, listener: Listener, pool: Pool) -> None:
    query = f"SELECT * {{ SERVICE {silent}<{listener.url}> {{ ?s ?p ?o }} }}"
    # SILENT hides the failure (SPARQL 1.1 Federated Query, section 2.3).
    with contextlib.nullcontext() if silent else pytest.raises(QueryError), pool.run(Query(query, JSON)) as answer:
        b"".join(answer.chunks)
    assert listener.hits == 0


def test_graphs_named_in_a_query_or_request_are_never_fetched(listener: Listener, pool: Pool) -> None:
    queries = [
        Query(f"SELECT * FROM <{listener.url}> FROM NAMED <{listener.url}n> {{ ?s ?p ?o }}", JSON),
        Query("SELECT * { ?s ?p ?o }", JSON, [listener.url, "file:///etc/passwd"], [listener.url]),
    ]
    for query in queries:
        with pool.run(query) as answer:
            assert b'"bindings":[]' in b"".join(answer.chunks)
    assert listener.hits == 0


def test_a_worker_has_no_files_but_its_store_and_its_socket(pool: Pool, store: Path) -> None:
    with pool.run(Query("ASK {}", JSON)):
        pass
    # One that is just starting has not given them up yet.
    wanted = pool.limits.workers + pool.limits.spares
    until(lambda: pool.statistics()["idle"] == wanted)
    opened = {p: [str(f.readlink()) for f in Path(f"/proc/{p}/fd").iterdir()] for p in children()}
    workers = [p for p, targets in opened.items() if any(t.startswith(str(store)) for t in targets)]
    assert workers
    for worker in workers:
        targets = opened[worker]
        assert _limit(worker, "Max open files") == "0"
        outside = [t for t in targets if not t.startswith((str(store), "/dev/null", "anon_inode", "pipe"))]
        assert [t for t in outside if not t.startswith("socket")] == []
        assert len(outside) == 1
        assert _limit(worker, "Max core file size") == "0"


def _limit(pid: int, name: str) -> str:
    try:
        lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return next((line[len(name) :].split()[0] for line in lines if line.startswith(name)), "")


SERVER = """
import sys
from kg.query.limits import Limits
from kg.query.base import Query
from kg.query.pool import Pool
pool = Pool(sys.argv[1], sys.argv[2], Limits(workers=2, spares=1, deadline=60, wait=60))
answer = pool.run(Query("SELECT * { ?a ?b ?c . ?d ?e ?f }", "text/csv"))
print("ready", flush=True)
pool.run(Query("SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }", "text/csv"))
"""


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_that_dies_takes_busy_and_idle_workers_with_it(sign: signal.Signals, store: Path) -> None:
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(store), BASE], stdout=subprocess.PIPE)
    with server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        until(lambda: len(children(server.pid)) == 4)
        processes = children(server.pid)
        server.send_signal(sign)
        server.wait()
        until(lambda: not any(lives(p) for p in processes))


def lives(pid: int) -> bool:
    """A process that has ended may wait for init to look."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def many_files(tmp_path: Path) -> Path:
    """A store with more files than the engine opens at once."""
    path = tmp_path / "store"
    made = Store(str(path))
    for n in range(8):
        made.bulk_extend(
            [Quad(NamedNode(f"{BASE}{n}"), NamedNode(BASE + "says"), Literal(n), NamedNode(f"{BASE}g{n}"))]
        )
    made.flush()
    del made
    assert len(list(path.glob("*.sst"))) > 20
    return path


def test_a_store_of_many_files_is_read_and_its_workers_still_cannot_call(many_files: Path, listener: Listener) -> None:
    with making(many_files) as make:
        pool = make(workers=1)
        with pool.run(Query("SELECT * { GRAPH ?g { ?s ?p ?o } } ORDER BY ?o", JSON)) as answer:
            assert b"".join(answer.chunks).count(b'"o":') == 8
        # No descriptors are kept from these workers: the kernel refuses the socket.
        with (
            pytest.raises(QueryError),
            pool.run(Query(f"SELECT * {{ SERVICE <{listener.url}> {{ }} }}", JSON)) as answer,
        ):
            b"".join(answer.chunks)
    assert listener.hits == 0


def test_each_lock_on_the_network_holds_by_itself() -> None:
    script = """
import resource, socket, sys
if sys.argv[1] == "kernel":
    from kg.query.confine import refuse_network
    assert refuse_network()
else:
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
try:
    socket.socket()
except OSError as e:
    print(e.errno)
"""
    found = {
        lock: subprocess.run([sys.executable, "-c", script, lock], capture_output=True, text=True, check=True).stdout
        for lock in ("kernel", "descriptors")
    }
    assert found == {"kernel": f"{errno.EPERM}\n", "descriptors": f"{errno.EMFILE}\n"}
