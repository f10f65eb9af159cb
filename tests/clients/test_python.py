"""The clients that people have in Python: SPARQLWrapper, rdflib's SPARQLStore and parser, pyoxigraph, kg itself."""

from __future__ import annotations

import csv
import io
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import Literal, QueryResultsFormat, parse_query_results
from rdflib import RDF, Graph, URIRef
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from SPARQLWrapper import (
    CSV,
    GET,
    JSON,
    JSONLD,
    N3,
    POST,
    POSTDIRECTLY,
    RDFXML,
    TSV,
    TURTLE,
    URLENCODED,
    XML,
    SPARQLWrapper,
)
from SPARQLWrapper.SPARQLExceptions import QueryBadFormed
from tests.patience import PATIENCE

from kg import media

KG = "http://localhost:8000/ontology#"
CLAIM = KG + "Claim"
CLAIMS = f"SELECT ?c {{ ?c a <{CLAIM}> }} ORDER BY ?c"
# Who backs whom is stated in claims; the labels are nobody's claim.
BACKED = f"""PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
SELECT ?label ?by {{ ?group <{KG.removesuffix("#")}/military#backedBy> ?by . ?by rdfs:label ?label }} ORDER BY ?group"""
Rows = list[tuple[str, ...]]


@pytest.fixture(scope="module")
def footnoted(endpoint: str) -> Rows:
    """The rows of ``BACKED`` with footnotes, read from CSV by the standard library."""
    url = f"{endpoint}?evidence=true&query={urllib.parse.quote(BACKED)}"
    with urllib.request.urlopen(
        urllib.request.Request(url, headers={"Accept": "text/csv"}), timeout=PATIENCE
    ) as answer:
        header, *rows = csv.reader(io.TextIOWrapper(answer, "utf-8", newline=""))
    assert header == ["label", "by", "evidence"]
    assert rows
    words = [word for row in rows for word in row[-1].split()]
    assert [word == "-" for word in words] == [False, True] * len(rows), "a claim, and a label"
    return list(map(tuple, rows))


# SPARQLWrapper


def sparqlwrapper(endpoint: str, form: str, query: str, **parameters: str) -> SPARQLWrapper:
    client = SPARQLWrapper(endpoint)
    client.setReturnFormat(form)
    client.setQuery(query)
    for name, value in parameters.items():
        client.addParameter(name, value)
    return client


def rows_of(answer: Any, names: list[str]) -> Iterator[tuple[str, ...]]:
    """The rows that SPARQLWrapper made of an answer: a dictionary, a document, or bytes."""
    if isinstance(answer, dict):
        assert answer["head"]["vars"] == names
        yield from (tuple(row[name]["value"] for name in names) for row in answer["results"]["bindings"])
    elif isinstance(answer, bytes):
        header, *lines = answer.decode().splitlines()
        if header.startswith("?"):
            assert header == "\t".join("?" + name for name in names)
            yield from (tuple(cell.partition('"@')[0].strip('<>"') for cell in line.split("\t")) for line in lines)
        else:
            yield from map(tuple, list(csv.reader([header, *lines]))[1:])
    else:
        for result in answer.getElementsByTagName("result"):
            cells = {
                b.getAttribute("name"): b.firstChild.firstChild.data for b in result.getElementsByTagName("binding")
            }
            yield tuple(cells[name] for name in names)


# The three ways of the protocol (SPARQL 1.1 Protocol, section 2.1).
@pytest.mark.parametrize(("method", "kind"), [(GET, URLENCODED), (POST, URLENCODED), (POST, POSTDIRECTLY)])
@pytest.mark.parametrize("form", [JSON, XML, CSV, TSV])
def test_sparqlwrapper_gets_every_claim(method: str, kind: str, form: str, endpoint: str, claims: list[str]) -> None:
    client = sparqlwrapper(endpoint, form, CLAIMS)
    client.setMethod(method)
    client.setRequestMethod(kind)
    assert [row[0] for row in rows_of(client.queryAndConvert(), ["c"])] == claims


@pytest.mark.parametrize(("method", "kind"), [(GET, URLENCODED), (POST, URLENCODED), (POST, POSTDIRECTLY)])
@pytest.mark.parametrize("form", [JSON, XML, CSV, TSV])
def test_sparqlwrapper_gets_footnotes(method: str, kind: str, form: str, endpoint: str, footnoted: Rows) -> None:
    client = sparqlwrapper(endpoint, form, BACKED, evidence="true")
    client.setMethod(method)
    client.setRequestMethod(kind)
    assert list(rows_of(client.queryAndConvert(), ["label", "by", "evidence"])) == footnoted


@pytest.mark.parametrize("form", [JSON, XML])
def test_sparqlwrapper_gets_a_boolean(form: str, endpoint: str) -> None:
    for query, expected in ((f"ASK {{ ?c a <{CLAIM}> }}", True), ("ASK { <a:b> ?p ?o }", False)):
        answer: Any = sparqlwrapper(endpoint, form, query).queryAndConvert()
        found = (
            answer["boolean"] if form == JSON else answer.getElementsByTagName("boolean")[0].firstChild.data == "true"
        )
        assert found is expected


# SPARQLWrapper reads RDF/XML and JSON-LD into a class that rdflib 7 has given another name.
@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
@pytest.mark.parametrize("form", [TURTLE, N3, RDFXML, XML, JSONLD])
@pytest.mark.parametrize("query", ["CONSTRUCT WHERE {{ ?c a <{claim}> }}", "DESCRIBE ?c {{ ?c a <{claim}> }}"])
def test_sparqlwrapper_gets_graphs(query: str, form: str, endpoint: str, claims: list[str]) -> None:
    answer: Any = sparqlwrapper(endpoint, form, query.format(claim=CLAIM)).queryAndConvert()
    graph = answer if isinstance(answer, Graph) else Graph().parse(data=answer, format="turtle")
    assert sorted(str(s) for s in graph.subjects(RDF.type, URIRef(CLAIM))) == claims


def test_sparqlwrapper_refuses_nothing_silently(endpoint: str) -> None:
    with pytest.raises(QueryBadFormed, match="line"):
        sparqlwrapper(endpoint, JSON, "SELECT * WHERE { ?s ?p }").query()


# rdflib


@pytest.mark.parametrize("method", ["GET", "POST", "POST_FORM"])
@pytest.mark.parametrize("form", ["json", "xml", "csv", "tsv"])
def test_rdflib_reads_the_endpoint_as_a_store(method: Any, form: str, endpoint: str, claims: list[str]) -> None:
    graph = Graph(SPARQLStore(endpoint, method=method, returnFormat=form))
    assert sorted(str(s) for s in graph.subjects(RDF.type, URIRef(CLAIM))) == claims
    found: Any = graph.query(CLAIMS)
    assert [str(row.c) for row in found] == claims
    if form in ("json", "xml"):
        assert graph.query(f"ASK {{ ?c a <{CLAIM}> }}").askAnswer is True


@pytest.mark.parametrize("method", ["GET", "POST", "POST_FORM"])
@pytest.mark.parametrize("form", ["json", "xml", "csv", "tsv"])
def test_rdflibs_store_gets_footnotes(method: Any, form: str, endpoint: str, footnoted: Rows) -> None:
    by_parameter = SPARQLStore(endpoint, method=method, returnFormat=form, params={"evidence": "true"})
    by_address = SPARQLStore(endpoint + "?evidence=true", method=method, returnFormat=form)
    # With POST, rdflib sets its own parameters to an address after a second question mark, even if there are none.
    for store in (by_parameter, by_address)[: 1 if method == "POST" else 2]:
        found: Any = Graph(store).query(BACKED)
        assert [tuple(map(str, row)) for row in found] == footnoted


def test_rdflib_asks_one_graph(endpoint: str, claims: list[str]) -> None:
    graph = Graph(SPARQLStore(endpoint, context_aware=True), identifier=URIRef(claims[0]))
    found = {tuple(map(str, triple)) for triple in graph}
    expected = {
        tuple(map(str, triple)) for triple in Graph().parse(f"{endpoint}?graph={urllib.parse.quote(claims[0])}")
    }
    assert found == expected
    assert found


def test_rdflib_reads_an_entity_from_its_address(dataset_address: str, claims: list[str]) -> None:
    path = claims[0].removeprefix("http://localhost:8000/")
    graph = Graph().parse(dataset_address + path)
    assert (URIRef(claims[0]), None, URIRef(CLAIM)) in graph


# Others


@pytest.mark.parametrize("result", media.RESULTS, ids=lambda m: m.extension)
def test_pyoxigraph_reads_footnotes(result: media.ResultMedia, endpoint: str, footnoted: Rows) -> None:
    url = f"{endpoint}?evidence=true&query={urllib.parse.quote(BACKED)}"
    request = urllib.request.Request(url, headers={"Accept": result.media_type})
    with urllib.request.urlopen(request, timeout=PATIENCE) as response:
        data = response.read()
    if result.format == QueryResultsFormat.CSV:  # which tells nothing of the kind of a term, so pyoxigraph reads none
        assert [tuple(row) for row in csv.reader(io.StringIO(data.decode(), newline=""))][1:] == footnoted
        return
    solutions: Any = parse_query_results(data, format=result.format)
    assert [v.value for v in solutions.variables] == ["label", "by", "evidence"]
    read = [tuple(row) for row in solutions]
    assert [tuple(term.value for term in row) for row in read] == footnoted
    assert all(row[-1] == Literal(row[-1].value) for row in read), "a plain string"


def test_kg_asks_an_endpoint_as_it_asks_a_release(dataset: Path, endpoint: str, kg) -> None:
    here = kg("query", CLAIMS, cwd=dataset)
    there = kg("query", CLAIMS, "--endpoint", endpoint, cwd=dataset)
    assert here.returncode == there.returncode == 0, there.stderr
    assert list(csv.reader(io.StringIO(here.stdout))) == list(csv.reader(io.StringIO(there.stdout)))


def test_a_runaway_query_is_killed_while_pages_answer(dataset: Path, serve) -> None:
    query = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } ORDER BY ?a ?e ?i"
    outcome: dict[str, object] = {}
    meanwhile: list[bool] = []

    with serve(dataset) as address:

        def run_away() -> None:
            url = address + "sparql?timeout=5&query=" + urllib.parse.quote(query)
            try:
                with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                    outcome["status"] = answer.status
            except urllib.error.HTTPError as e:
                outcome["status"] = e.code
                outcome["retry"] = e.headers["Retry-After"]

        def ask() -> None:
            for path in ("", "sparql?query=" + urllib.parse.quote("ASK {}")):
                with urllib.request.urlopen(address + path, timeout=PATIENCE) as answer:
                    assert answer.status == 200

        ask()  # the server is ready
        thread = threading.Thread(target=run_away)
        thread.start()
        while thread.is_alive():
            ask()
            meanwhile.append(thread.is_alive())
        thread.join()
    assert outcome["status"] == 503
    assert outcome["retry"]
    assert any(meanwhile), "who asks does not wait for its end"
