"""An answer of an endpoint elsewhere, and the client it is for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyoxigraph import Literal, NamedNode, Triple

from kg.errors import QueryLeft
from kg.query.base import Query
from kg.query.limits import Limits
from kg.query.remote import RemoteAnswer, RemotePool
from kg.store.endpoint import Endpoint, Reply
from kg.store.profiles import PROFILES


def triples() -> Iterator[Triple]:
    """Some megabytes."""
    node = NamedNode("http://example.org/s")
    return (Triple(node, node, Literal(f"{number} {'x' * 1000}")) for number in range(5_000))


def test_a_client_that_leaves_in_the_middle_has_left_and_nothing_failed() -> None:
    pool = RemotePool(Endpoint("http://localhost:9/", PROFILES["generic"]), "http://localhost:8000/", Limits())
    told: list[str] = []
    query = Query("CONSTRUCT WHERE { ?s ?p ?o }", "application/n-triples")
    reply = Reply(lambda: told.append("closed"), triples=triples())
    answer = RemoteAnswer(pool, reply, query, leave=told.append, gone=lambda: True)
    assert not answer.complete
    assert len(next(answer.chunks)) > 1 << 16
    with pytest.raises(QueryLeft):
        next(answer.chunks)
    assert answer.outcome == "left"
    assert told == ["closed", "left"]
    assert pool.counts["left"] == 1
