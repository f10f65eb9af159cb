"""An answer of an endpoint elsewhere, and the client it is for."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pyoxigraph import Literal, NamedNode, Triple
from tests.conftest import ROOT
from tests.patience import PATIENCE
from tests.store.faults import fault_server

from kg.errors import EndpointError, QueryLeft
from kg.query.base import Query
from kg.query.limits import Limits
from kg.query.remote import RemoteAnswer, RemotePool
from kg.store.endpoint import Endpoint, Reply
from kg.store.profiles import PROFILES


def triples() -> Generator[Triple, None, None]:
    """Some megabytes."""
    node = NamedNode("http://example.org/s")
    yield from (Triple(node, node, Literal(f"{number} {'x' * 1000}")) for number in range(5_000))


def test_a_client_that_leaves_in_the_middle_has_left_and_nothing_failed() -> None:
    pool = RemotePool(Endpoint("http://localhost:9/", PROFILES["generic"]), "http://localhost:8000/", Limits())
    told: list[str] = []
    query = Query("CONSTRUCT WHERE { ?s ?p ?o }", "application/n-triples")
    reply = Reply(lambda: told.append("closed"), triples=triples())
    own = ThreadPoolExecutor(1)
    answer = RemoteAnswer(pool, reply, query, own, leave=told.append, gone=lambda: True)
    assert not answer.complete
    assert len(next(answer.chunks)) > 1 << 16
    with pytest.raises(QueryLeft):
        next(answer.chunks)
    assert answer.outcome == "left"
    assert told == ["closed", "left"]
    assert pool.counts["left"] == 1


@pytest.mark.parametrize("fault", ["truncated", "truncated_between_rows", "broken_off"])
def test_an_answer_that_breaks_off_leaves_nothing_to_another_thread(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unraisable: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda found: unraisable.append(found.exc_value))
    with fault_server() as server:
        server.fault = fault
        pool = RemotePool(Endpoint(server.address, PROFILES["generic"]), "http://localhost:8000/", Limits())
        query = Query("SELECT * { ?s ?p ?o }", "application/sparql-results+json")
        with pytest.raises(EndpointError), pool.run(query) as answer:
            b"".join(answer.chunks)
        gc.collect()
    assert unraisable == []


# What breaks this ends the process, so it has one of its own. Another thread fetches each piece, as a server does it.
PASSED_ON = """
import sys
from concurrent.futures import ThreadPoolExecutor
from tests.store.faults import fault_server
from kg.query.base import Query
from kg.query.limits import Limits
from kg.query.remote import RemotePool
from kg.store.endpoint import Endpoint
from kg.store.profiles import PROFILES

def elsewhere(call, *arguments):
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(call, *arguments).result()

with fault_server() as server:
    server.fault = "ten_million"
    endpoint = Endpoint(server.address, PROFILES["generic"], seconds=60)
    pool = RemotePool(endpoint, "http://localhost:8000/", Limits())
    for kind in ("text/csv", "application/sparql-results+xml"):
        answer = elsewhere(pool.run, Query("SELECT * { ?s ?p ?o }", kind))
        pieces = [elsewhere(next, answer.chunks) for _ in range(5)]
        elsewhere(answer.close)
        print(kind, all(pieces))
    left = elsewhere(pool.run, Query("SELECT * { ?s ?p ?o }", "text/csv"))
    elsewhere(left.close)
print("ended well", endpoint.requests)
"""


def test_an_answer_is_read_on_whichever_thread_fetches_its_pieces() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PASSED_ON], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split("\n")[:3] == ["text/csv True", "application/sparql-results+xml True", "ended well 3"]
    assert done.stderr == ""
