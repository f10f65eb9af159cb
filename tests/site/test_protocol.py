"""The W3C's protocol tests, run from their manifest against an application over their data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from pyoxigraph import NamedNode, Quad, RdfFormat, parse
from rdflib import RDF, Graph, Namespace, URIRef
from rdflib.collection import Collection
from rdflib.term import Node

from kg import media
from kg.config import Config
from kg.query.limits import Limits
from kg.query.pool import Pool
from kg.release import Release
from kg.site import create_app
from kg.store.embedded import write

W3C = Path(__file__).resolve().parents[3] / "shared/w3c/sparql11-protocol"
MF = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
UT = Namespace("http://www.w3.org/2009/sparql/tests/test-update#")
HT = Namespace("http://www.w3.org/2011/http#")
CNT = Namespace("http://www.w3.org/2011/content#")
RDFS = Namespace("http://www.w3.org/2000/01/rdf-schema#")

pytestmark = pytest.mark.skipif(not W3C.is_dir(), reason="the W3C's tests are not beside this project")


def manifest() -> Graph:
    graph = Graph()
    if W3C.is_dir():
        graph.parse(W3C / "manifest.ttl", publicID="http://w3c.example/")
    return graph


MANIFEST = manifest()
TESTS = sorted(MANIFEST.subjects(RDF.type, MF.ProtocolTest), key=str)


@pytest.fixture(scope="module")
def endpoint(release: Release, config: Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    quads = []
    for item in set(MANIFEST.objects(None, UT.graphData)):
        file, label = MANIFEST.value(item, UT.graph), MANIFEST.value(item, RDFS.label)
        path = W3C / str(file).rpartition("/")[2]
        quads += [
            Quad(q.subject, q.predicate, q.object, NamedNode(str(label)))
            for q in parse(path=path, format=RdfFormat.N_TRIPLES)
        ]
    store = tmp_path_factory.mktemp("w3c") / "store"
    write(store, quads)
    pool = Pool(store, "http://localhost:8000/", Limits(workers=2, spares=0))
    yield create_app(release, config, pool=pool)
    pool.close()


def value(node: Node | None, name: URIRef) -> str:
    found = MANIFEST.value(node, name)
    return "" if found is None else str(found)


def send(app: Flask, request: Node) -> Any:
    body = MANIFEST.value(request, HT.body)
    headers = {
        value(h, HT.fieldName): value(h, HT.fieldValue)
        for node in MANIFEST.objects(request, HT.headers)
        for h in Collection(MANIFEST, node)
    }
    encoding = value(body, CNT.characterEncoding) or "utf-8"
    target = urlsplit(value(request, HT.absolutePath))
    return app.test_client().open(
        "/sparql",
        method=value(request, HT.methodName),
        query_string=target.query,
        data=value(body, CNT.chars).encode(encoding) if body else None,
        headers=headers,
    )


def is_update(request: Node) -> bool:
    kinds = [value(h, HT.fieldValue) for n in MANIFEST.objects(request, HT.headers) for h in Collection(MANIFEST, n)]
    text = value(MANIFEST.value(request, HT.body), CNT.chars) + value(request, HT.absolutePath)
    return "application/sparql-update" in kinds or "update=" in text


@pytest.mark.parametrize("test", TESTS, ids=lambda t: str(t).rpartition("#")[2])
def test_w3c_protocol(test: Node, endpoint: Flask) -> None:
    action = MANIFEST.value(test, MF.action)
    requests = [r for node in MANIFEST.objects(action, HT.requests) for r in Collection(MANIFEST, node)]
    assert requests
    updates = [request for request in requests if is_update(request)]
    for request in updates:
        # This endpoint changes nothing: updates that are valid are refused like those that are not.
        assert send(endpoint, request).status_code in range(400, 500)
    if not updates:
        for request in requests:
            check(MANIFEST.value(request, HT.resp), send(endpoint, request))


def check(expected: Node | None, response: Any) -> None:
    classes = {str(status)[-3] for status in MANIFEST.objects(expected, MF.expectedStatus)}
    assert str(response.status_code)[0] in classes, response.text
    boolean = MANIFEST.value(expected, MF.expectedBoolean)
    if boolean is not None:
        assert json.loads(response.data)["boolean"] is (str(boolean) == "true")
    check_format(value(expected, MF.expectedFormat), response)


def check_format(kind: str, response: Any) -> None:
    offered = {
        "boolean": {m.media_type for m in media.RESULTS if m.boolean},
        "tabular": set(media.RESULTS_BY_TYPE),
        "RDF": set(media.RDF_BY_TYPE),
    }
    if kind:
        assert response.mimetype in offered[kind]
