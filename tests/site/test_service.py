"""What the endpoint says of itself, by the W3C's manifest, and graphs by the Graph Store Protocol: on a real server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pyoxigraph import DefaultGraph, RdfFormat, Store, parse
from rdflib import RDF, Graph, Namespace, URIRef
from tests.asking import ask
from tests.patience import free_port

from kg import build, media
from kg.config import load
from kg.release import Release

W3C = Path(__file__).resolve().parents[3] / "shared/w3c"
SD = Namespace("http://www.w3.org/ns/sparql-service-description#")
MF = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
# The terms of the vocabulary that a description may use: properties with their domains and ranges (sections 3.1, 3.2).
PROPERTIES = {
    SD.endpoint: (SD.Service, None),
    SD.feature: (SD.Service, SD.Feature),
    SD.defaultEntailmentRegime: (SD.Service, None),
    SD.entailmentRegime: (SD.NamedGraph, None),
    SD.extensionFunction: (SD.Service, None),
    SD.extensionAggregate: (SD.Service, None),
    SD.languageExtension: (SD.Service, None),
    SD.supportedLanguage: (SD.Service, None),
    SD.propertyFeature: (SD.Service, None),
    SD.inputFormat: (SD.Service, None),
    SD.resultFormat: (SD.Service, None),
    SD.defaultDataset: (SD.Service, SD.Dataset),
    SD.availableGraphs: (SD.Service, SD.GraphCollection),
    SD.defaultGraph: (SD.Dataset, SD.Graph),
    SD.namedGraph: (SD.Dataset, SD.NamedGraph),
    SD.name: (SD.NamedGraph, None),
    SD.graph: (SD.NamedGraph, SD.Graph),
}
LANGUAGES = {SD.SPARQL10Query, SD.SPARQL11Query, SD.SPARQL11Update}


@pytest.fixture(scope="module")
def served(starter_project: Path, serve: Callable[..., AbstractContextManager[str]]) -> Iterator[tuple[str, Release]]:
    """The address of a server that listens where the release's IRIs begin, and the release."""
    port = free_port()
    settings = starter_project / "kg.toml"
    text = settings.read_text(encoding="utf-8").replace("http://localhost:8000/", f"http://127.0.0.1:{port}/")
    settings.write_text(text, encoding="utf-8")
    release, findings = build.build(load(starter_project))
    assert release is not None, findings
    with serve(starter_project, "--port", str(port)) as address:
        yield address, release


@pytest.fixture(scope="module")
def starter_project(tmp_path_factory: pytest.TempPathFactory, kg: Any) -> Path:
    root = tmp_path_factory.mktemp("service")
    assert kg("init", "facts", cwd=root).returncode == 0
    return root / "facts"


def send(address: str, method: str, more: str = "", body: str | None = None, **headers: str) -> tuple[int, Any, bytes]:
    return ask(address, "/sparql" + more, method, body, **headers)


@pytest.fixture(scope="module")
def description(served: tuple[str, Release]) -> Graph:
    return Graph().parse(served[0] + "sparql")


def rdf(data: bytes, kind: str) -> set[Any]:
    return {quad.triple for quad in parse(data, format=media.RDF_BY_TYPE[kind].format)}


def returns_rdf(address: str, description: Graph) -> None:
    for kind in ("text/turtle", "application/rdf+xml", "application/ld+json", "application/n-triples"):
        status, headers, body = send(address, "GET", Accept=kind)
        assert (status, headers.get_content_type()) == (200, kind)
        assert len(rdf(body, kind)) == len(description) > 0
    assert send(address, "GET", Accept="text/html")[1].get_content_type() == "text/html"


def has_endpoint_triple(address: str, description: Graph) -> None:
    assert set(description.objects(None, SD.endpoint)) == {URIRef(address + "sparql")}


def conforms_to_schema(address: str, description: Graph) -> None:
    used = {p for p in description.predicates() if str(p).startswith(str(SD))}
    assert used <= set(PROPERTIES)
    for name in used:
        domain, range_ = PROPERTIES[name]  # type: ignore[index]
        for subject, value in description.subject_objects(name):
            assert (subject, RDF.type, domain) in description, name
            assert range_ is None or (value, RDF.type, range_) in description, name
    assert set(description.objects(None, SD.supportedLanguage)) <= LANGUAGES
    assert len(set(description.subjects(RDF.type, SD.Service))) == 1


CHECKS = {
    "returns-rdf": returns_rdf,
    "has-endpoint-triple": has_endpoint_triple,
    "conforms-to-schema": conforms_to_schema,
}


@pytest.mark.parametrize("name", CHECKS)
def test_the_service_description(name: str, served: tuple[str, Release], description: Graph) -> None:
    CHECKS[name](served[0], description)


def test_the_w3c_has_no_other_tests_of_it() -> None:
    manifest = W3C / "sparql11-service-description/manifest.ttl"
    if not manifest.is_file():
        pytest.skip("the W3C's tests are not beside this project")
    graph = Graph().parse(manifest, publicID="http://w3c.example/")
    tests = graph.subjects(RDF.type, MF.ServiceDescriptionTest)
    assert {str(test).rpartition("#")[2] for test in tests} == set(CHECKS)


# Graphs (https://www.w3.org/TR/sparql11-http-rdf-update/)


def test_every_graph_is_read_as_the_release_has_it(served: tuple[str, Release]) -> None:
    address, release = served
    store = Store.read_only(str(release.store_path))
    for graph in (DefaultGraph(), *store.named_graphs()):
        named = "?default" if isinstance(graph, DefaultGraph) else f"?graph={quote(str(graph)[1:-1], safe='')}"
        status, headers, body = send(address, "GET", named, Accept="application/n-triples")
        assert (status, headers.get_content_type()) == (200, "application/n-triples")
        found = {q.triple for q in parse(body, format=RdfFormat.N_TRIPLES)}
        assert found == {q.triple for q in store.quads_for_pattern(None, None, None, graph)}
        status, headers, body = send(address, "HEAD", named, Accept="application/n-triples")
        assert (status, headers.get_content_type(), body) == (200, "application/n-triples", b"")
    assert send(address, "GET", "?graph=http%3A%2F%2Fexample.org%2Fnone")[0] == 404
    # Nobody who leaves the name out gets the default graph for it.
    for empty in ("?graph=", "?graph"):
        assert send(address, "GET", empty)[0] == 400, empty
    assert send(address, "GET", "?default", Accept="image/png")[0] == 406


def test_a_graph_that_a_client_has_is_not_sent_again(served: tuple[str, Release]) -> None:
    address, release = served
    (named, *_) = Store.read_only(str(release.store_path)).named_graphs()
    tags = []
    for graph in ("?default", f"?graph={quote(str(named)[1:-1], safe='')}"):
        for accept in ("application/n-triples", "text/turtle"):
            status, headers, _ = send(address, "GET", graph, Accept=accept)
            tags.append(headers["ETag"])
            status, again, body = send(address, "GET", graph, Accept=accept, If_None_Match=headers["ETag"])
            assert (status, again["ETag"], body) == (304, headers["ETag"], b"")
            assert send(address, "HEAD", graph, Accept=accept)[1]["ETag"] == headers["ETag"]
    assert len(set(tags)) == 4


@pytest.mark.parametrize("graph", ["?default", "?graph=http%3A%2F%2Fexample.org%2Fnew"])
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
def test_no_graph_is_written_and_the_answer_says_why(method: str, graph: str, served: tuple[str, Release]) -> None:
    body = None if method == "DELETE" else "<a:b> <a:b> 1 ."
    status, headers, answer = send(served[0], method, graph, body, Content_Type="text/turtle")
    assert status == (403 if method == "POST" else 405)
    assert "sealed release" in json.loads(answer)["detail"]
    if status == 405:
        assert set(headers["Allow"].split(", ")) == {"GET", "HEAD", "POST", "QUERY", "OPTIONS"}
