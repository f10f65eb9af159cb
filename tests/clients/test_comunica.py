"""Comunica 5, a query engine in JavaScript: the endpoint is one of its sources, named by its address alone."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from pyoxigraph import RdfFormat, parse
from tests.clients.conftest import Comunica

KG = "http://localhost:8000/ontology#"
BACKED = f"?group <{KG.removesuffix('#')}/military#backedBy> ?by"
JSON = "application/sparql-results+json"


def rows(done: subprocess.CompletedProcess[str]) -> list[dict[str, str]]:
    found: dict[str, Any] = json.loads(done.stdout)
    return [{name: term["value"] for name, term in row.items()} for row in found["results"]["bindings"]]


def test_select_gives_every_claim(comunica: Comunica, endpoint: str, claims: list[str]) -> None:
    done = comunica(endpoint, f"SELECT ?c {{ ?c a <{KG}Claim> }}", "-t", JSON)
    assert sorted(row["c"] for row in rows(done)) == claims, done.stderr


def test_it_joins_what_it_asks_for_in_parts(comunica: Comunica, endpoint: str) -> None:
    # Two sources make Comunica evaluate the query itself: it counts each pattern and binds values, in many requests.
    query = f"SELECT DISTINCT ?group ?by {{ {BACKED} . ?group a ?kind OPTIONAL {{ ?by <{KG}none> ?none }} }}"
    alone = comunica(f"sparql@{endpoint}", query, "-t", JSON)
    twice = comunica(f"sparql@{endpoint}", f"sparql@{endpoint}?default-graph-uri=", query, "-t", JSON)
    expected = {tuple(row.values()) for row in rows(alone)}
    assert expected
    assert {tuple(row.values()) for row in rows(twice)} == expected, twice.stderr


@pytest.mark.parametrize(("pattern", "answer"), [(f"?c a <{KG}Claim>", "true"), (f"<{KG}none> ?p ?o", "false")])
def test_ask(pattern: str, answer: str, comunica: Comunica, endpoint: str) -> None:
    done = comunica(f"sparql@{endpoint}", f"ASK {{ {pattern} }}")
    assert done.stdout.strip() == answer, done.stderr


def test_construct_gives_triples(comunica: Comunica, endpoint: str, claims: list[str]) -> None:
    query = f"CONSTRUCT {{ ?c a <{KG}Seen> }} WHERE {{ ?c a <{KG}Claim> }}"
    done = comunica(f"sparql@{endpoint}", query, "-t", "application/n-triples")
    triples = [q.triple for q in parse(done.stdout.encode(), format=RdfFormat.N_TRIPLES)]
    assert sorted(t.subject.value for t in triples) == claims, done.stderr
    assert {t.object.value for t in triples} == {KG + "Seen"}


def test_footnotes_come_in_the_variable_that_the_query_names(comunica: Comunica, endpoint: str) -> None:
    query = f"SELECT ?group ?evidence {{ {BACKED} }} ORDER BY ?group"
    done = comunica(f"sparql@{endpoint}?evidence=true", query, "-t", JSON)
    found = rows(done)
    assert found, done.stderr
    assert all(row["evidence"].startswith("http://localhost:8000/claim/") for row in found)


def test_a_refused_query_is_an_error_with_our_reason(comunica: Comunica, endpoint: str) -> None:
    done = comunica(f"sparql@{endpoint}?evidence=true", "ASK { ?s ?p ?o }")
    assert done.returncode != 0
    assert "belong to the rows of a SELECT query" in done.stderr
