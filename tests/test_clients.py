"""The clients that people have: SPARQLWrapper, rdflib's SPARQLStore, rdflib's parser, urllib, kg itself."""

from __future__ import annotations

import csv
import io
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from rdflib import RDF, Graph, URIRef
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from SPARQLWrapper import CSV, GET, JSON, POST, POSTDIRECTLY, RDFXML, TURTLE, URLENCODED, XML, SPARQLWrapper

from kg.release import Release

CLAIM = "http://localhost:8000/ontology#Claim"
CLAIMS = f"SELECT ?c {{ ?c a <{CLAIM}> }} ORDER BY ?c"


@pytest.fixture(scope="module")
def claims(dataset: Path) -> list[str]:
    """The IRIs of all claims, from the release's own table."""
    text = (Release.open(dataset / "releases/current").path / "dumps/claims.csv").read_text(encoding="utf-8")
    return sorted(row["claim"] for row in csv.DictReader(io.StringIO(text)))


# The three ways of the protocol (SPARQL 1.1 Protocol, section 2.1).
@pytest.mark.parametrize(("method", "kind"), [(GET, URLENCODED), (POST, URLENCODED), (POST, POSTDIRECTLY)])
@pytest.mark.parametrize("form", [JSON, XML, CSV])
def test_sparqlwrapper_gets_every_claim(
    method: str, kind: str, form: str, dataset_address: str, claims: list[str]
) -> None:
    client = SPARQLWrapper(dataset_address + "sparql")
    client.setMethod(method)
    client.setRequestMethod(kind)
    client.setReturnFormat(form)
    client.setQuery(CLAIMS)
    answer: Any = client.query().convert()
    if form == JSON:
        found = [row["c"]["value"] for row in answer["results"]["bindings"]]
    elif form == XML:
        found = [node.firstChild.data for node in answer.getElementsByTagName("uri")]
    else:
        found = answer.decode().split()[1:]
    assert found == claims


# SPARQLWrapper reads RDF/XML into a class that rdflib 7 has given another name.
@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
@pytest.mark.parametrize("form", [TURTLE, RDFXML])
def test_sparqlwrapper_gets_graphs(form: str, dataset_address: str, claims: list[str]) -> None:
    client = SPARQLWrapper(dataset_address + "sparql")
    client.setReturnFormat(form)
    client.setQuery(f"CONSTRUCT WHERE {{ ?c a <{CLAIM}> }}")
    answer: Any = client.query().convert()
    graph = answer if isinstance(answer, Graph) else Graph().parse(data=answer, format="turtle")
    assert sorted(str(s) for s in graph.subjects()) == claims


def test_sparqlwrapper_refuses_nothing_silently(dataset_address: str) -> None:
    client = SPARQLWrapper(dataset_address + "sparql")
    client.setQuery("SELECT * WHERE { ?s ?p }")
    with pytest.raises(Exception, match="QueryBadFormed"):
        client.query()


def test_rdflib_reads_the_endpoint_as_a_store(dataset_address: str, claims: list[str]) -> None:
    graph = Graph(SPARQLStore(dataset_address + "sparql"))
    assert sorted(str(s) for s in graph.subjects(RDF.type, URIRef(CLAIM))) == claims
    assert len(list(graph.query(CLAIMS))) == len(claims)


def test_rdflib_reads_an_entity_from_its_address(dataset_address: str, claims: list[str]) -> None:
    path = claims[0].removeprefix("http://localhost:8000/")
    graph = Graph().parse(dataset_address + path)
    assert (URIRef(claims[0]), None, URIRef(CLAIM)) in graph


def test_kg_asks_an_endpoint_as_it_asks_a_release(dataset: Path, dataset_address: str, kg) -> None:
    here = kg("query", CLAIMS, cwd=dataset)
    there = kg("query", CLAIMS, "--endpoint", dataset_address + "sparql", cwd=dataset)
    assert here.returncode == there.returncode == 0, there.stderr
    assert list(csv.reader(io.StringIO(here.stdout))) == list(csv.reader(io.StringIO(there.stdout)))


def test_a_runaway_query_is_killed_while_pages_answer(dataset: Path, serve) -> None:
    query = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } ORDER BY ?a ?e ?i"
    outcome: dict[str, object] = {}

    with serve(dataset) as address:

        def run_away() -> None:
            url = address + "sparql?timeout=3&query=" + urllib.parse.quote(query)
            start = time.monotonic()
            try:
                with urllib.request.urlopen(url, timeout=60) as answer:
                    outcome["status"] = answer.status
            except urllib.error.HTTPError as e:
                outcome["status"] = e.code
                outcome["retry"] = e.headers["Retry-After"]
            outcome["seconds"] = time.monotonic() - start

        thread = threading.Thread(target=run_away)
        thread.start()
        pages = 0
        while thread.is_alive():
            with urllib.request.urlopen(address, timeout=10) as page:
                assert page.status == 200
                pages += 1
            with urllib.request.urlopen(address + "sparql?query=" + urllib.parse.quote("ASK {}"), timeout=10) as answer:
                assert answer.status == 200
        thread.join()
    assert outcome["status"] == 503
    assert outcome["retry"]
    assert pages > 10
