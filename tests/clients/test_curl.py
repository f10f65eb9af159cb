"""curl: every way to ask and every format, as somebody types them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import QuerySolutions, parse, parse_query_results
from tests.patience import PATIENCE

from kg import media

KG = "http://localhost:8000/ontology#"
CLAIMS = f"SELECT ?c {{ ?c a <{KG}Claim> }} ORDER BY ?c"
TRIPLES = f"CONSTRUCT WHERE {{ ?c a <{KG}Claim> }}"
PLANS = f"SELECT ?plan {{ ?plan a <{KG}Plan> }}"


def curl(*arguments: str, stdin: str | None = None) -> str:
    assert shutil.which("curl"), "Debian: apt install curl"
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--fail-with-body", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


WAYS = {
    "GET": ("--get", "--data-urlencode", "query@-"),
    "a form": ("--data-urlencode", "query@-"),
    "the query itself": ("--header", "Content-Type: application/sparql-query", "--data-binary", "@-"),
    "QUERY": ("--request", "QUERY", "--header", "Content-Type: application/sparql-query", "--data-binary", "@-"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("more", [(), ("--compressed",), ("--http1.0",)], ids=["plain", "compressed", "HTTP 1.0"])
def test_curl_gets_every_claim(way: str, more: tuple[str, ...], endpoint: str, claims: list[str]) -> None:
    found = curl(*WAYS[way], *more, "--header", "Accept: text/csv", endpoint, stdin=CLAIMS)
    assert found.splitlines() == ["c", *claims]


@pytest.mark.parametrize("result", media.RESULTS, ids=lambda m: m.extension)
def test_curl_gets_solutions_and_booleans_in_every_format(
    result: media.ResultMedia, endpoint: str, claims: list[str]
) -> None:
    accept = ("--header", f"Accept: {result.media_type}")
    found = curl(*WAYS["GET"], *accept, endpoint, stdin=CLAIMS)
    if result.extension == "csv":
        assert found.splitlines() == ["c", *claims]
    else:
        solutions: Any = parse_query_results(found.encode(), format=result.format)
        assert [row["c"].value for row in solutions] == claims
    if result.boolean:
        answer = parse_query_results(
            curl(*WAYS["GET"], *accept, endpoint, stdin="ASK {}").encode(), format=result.format
        )
        assert bool(answer) is True
        assert not isinstance(answer, QuerySolutions)


@pytest.mark.parametrize("rdf", media.RDF, ids=lambda m: m.extension)
def test_curl_gets_graphs_in_every_format(rdf: media.RdfMedia, endpoint: str, claims: list[str]) -> None:
    found = curl(*WAYS["GET"], "--header", f"Accept: {rdf.media_type}", endpoint, stdin=TRIPLES)
    assert sorted(q.subject.value for q in parse(found.encode(), format=rdf.format)) == claims


@pytest.mark.parametrize("way", WAYS)
def test_curl_gets_footnotes(way: str, endpoint: str) -> None:
    asked = WAYS[way]
    if way in ("GET", "a form"):
        asked, address = (*asked, "--data-urlencode", "evidence=true"), endpoint
    else:
        address = endpoint + "?evidence=true"
    found = json.loads(curl(*asked, address, stdin=PLANS))
    assert found["head"]["vars"] == ["plan", "evidence"]
    assert found["results"]["bindings"]
    for row in found["results"]["bindings"]:
        (word,) = row["evidence"]["value"].split()
        assert all(iri.startswith("http://localhost:8000/claim/") for iri in word.split("|"))


def test_curl_writes_the_answer_under_the_name_it_was_asked_for(
    endpoint: str, tmp_path: Path, claims: list[str]
) -> None:
    curl("--output-dir", str(tmp_path), "-OJ", *WAYS["GET"], "--data-urlencode", "as=csv", endpoint, stdin=CLAIMS)
    assert (tmp_path / "answer.csv").read_text(encoding="utf-8").split() == ["c", *claims]


def test_curl_sees_what_a_head_and_an_options_request_are_told(endpoint: str) -> None:
    head = curl("--head", "--header", "Accept: text/csv", f"{endpoint}?query=ASK%20%7B%7D&as=srj").lower()
    assert head.startswith("http/1.1 200")
    assert "content-type: application/sparql-results+json" in head
    options = curl("--request", "OPTIONS", "--include", endpoint).lower()
    assert "allow: get, head, post, query, options" in options
    assert "accept-query: application/sparql-query" in options
