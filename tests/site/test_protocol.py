"""The W3C's protocol tests, run from their manifest against a real server over their data."""

from __future__ import annotations

import http.client
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from pyoxigraph import NamedNode, Quad, RdfFormat, parse
from rdflib import RDF, Graph, Namespace, URIRef
from rdflib.collection import Collection
from rdflib.term import Node
from tests.patience import PATIENCE

from kg import media
from kg.config import Config
from kg.release import SEAL, STORE, Release, seal
from kg.store.embedded import write

W3C = Path(__file__).resolve().parents[3] / "shared/w3c/sparql11-protocol"
MF = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
UT = Namespace("http://www.w3.org/2009/sparql/tests/test-update#")
HT = Namespace("http://www.w3.org/2011/http#")
CNT = Namespace("http://www.w3.org/2011/content#")
RDFS = Namespace("http://www.w3.org/2000/01/rdf-schema#")

SAFE = "%=&?/:#@!$'()*+,;~-._[]"

pytestmark = pytest.mark.skipif(not W3C.is_dir(), reason="the W3C's tests are not beside this project")


def manifest() -> Graph:
    graph = Graph()
    if W3C.is_dir():
        graph.parse(W3C / "manifest.ttl", publicID="http://w3c.example/")
    return graph


MANIFEST = manifest()
TESTS = sorted(MANIFEST.subjects(RDF.type, MF.ProtocolTest), key=str)


@pytest.fixture(scope="module")
def endpoint(
    release: Release,
    config: Config,
    project: Path,
    tmp_path_factory: pytest.TempPathFactory,
    serve: Callable[..., AbstractContextManager[str]],
) -> Iterator[str]:
    """The address of a server on a release of the harbour's that has the W3C's graphs in its store."""
    quads = []
    for item in set(MANIFEST.objects(None, UT.graphData)):
        file, label = MANIFEST.value(item, UT.graph), MANIFEST.value(item, RDFS.label)
        path = W3C / str(file).rpartition("/")[2]
        quads += [
            Quad(q.subject, q.predicate, q.object, NamedNode(str(label)))
            for q in parse(path=path, format=RdfFormat.N_TRIPLES)
        ]
    root = tmp_path_factory.mktemp("w3c")
    shutil.copy(project / "kg.toml", root)
    own = replace(config, root=root)
    staged = own.releases / ".staging-w3c"
    shutil.copytree(release.path, staged, ignore=shutil.ignore_patterns(STORE, SEAL))
    write(staged / STORE, quads)
    seal(staged, own, replace(release.manifest, title="The W3C's protocol tests"))
    with serve(root) as address:
        yield address


def value(node: Node | None, name: URIRef) -> str:
    found = MANIFEST.value(node, name)
    return "" if found is None else str(found)


@dataclass
class Answer:
    status: int
    media_type: str
    data: bytes


def send(address: str, request: Node) -> Answer:
    body = MANIFEST.value(request, HT.body)
    headers = {
        value(h, HT.fieldName): value(h, HT.fieldValue)
        for node in MANIFEST.objects(request, HT.headers)
        for h in Collection(MANIFEST, node)
    }
    headers.pop("Host", None)
    encoding = value(body, CNT.characterEncoding) or "utf-8"
    target = urlsplit(value(request, HT.absolutePath))
    data = value(body, CNT.chars).encode(encoding) if body else None
    with closing(http.client.HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE)) as connection:
        # http.client lets no space through; the manifest's addresses are escaped as far as they have to be.
        connection.request(value(request, HT.methodName), f"/sparql?{quote(target.query, safe=SAFE)}", data, headers)
        response = connection.getresponse()
        return Answer(response.status, response.headers.get_content_type(), response.read())


def is_update(request: Node) -> bool:
    kinds = [value(h, HT.fieldValue) for n in MANIFEST.objects(request, HT.headers) for h in Collection(MANIFEST, n)]
    text = value(MANIFEST.value(request, HT.body), CNT.chars) + value(request, HT.absolutePath)
    return "application/sparql-update" in kinds or "update=" in text


@pytest.mark.parametrize("test", TESTS, ids=lambda t: str(t).rpartition("#")[2])
def test_w3c_protocol(test: Node, endpoint: str) -> None:
    action = MANIFEST.value(test, MF.action)
    requests = [r for node in MANIFEST.objects(action, HT.requests) for r in Collection(MANIFEST, node)]
    assert requests
    updates = [request for request in requests if is_update(request)]
    for request in updates:
        # This endpoint changes nothing: updates that are valid are refused like those that are not.
        assert send(endpoint, request).status in range(400, 500)
    if not updates:
        for request in requests:
            check(MANIFEST.value(request, HT.resp), send(endpoint, request))


def check(expected: Node | None, response: Answer) -> None:
    classes = {str(status)[-3] for status in MANIFEST.objects(expected, MF.expectedStatus)}
    assert str(response.status)[0] in classes, response.data
    boolean = MANIFEST.value(expected, MF.expectedBoolean)
    if boolean is not None:
        assert json.loads(response.data)["boolean"] is (str(boolean) == "true")
    check_format(value(expected, MF.expectedFormat), response)


def check_format(kind: str, response: Answer) -> None:
    offered = {
        "boolean": {m.media_type for m in media.RESULTS if m.boolean},
        "tabular": set(media.RESULTS_BY_TYPE),
        "RDF": set(media.RDF_BY_TYPE),
    }
    if kind:
        assert response.media_type in offered[kind]
