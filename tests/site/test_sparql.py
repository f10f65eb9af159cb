"""The endpoint over HTTP: the protocol, formats, errors, and answers that are cut and never look whole."""

from __future__ import annotations

import gzip
import http.client
import io
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from flask.testing import FlaskClient
from pyoxigraph import DefaultGraph, NamedNode, RdfFormat, parse
from tests.patience import PATIENCE

from kg import media
from kg.release import Release
from kg.store.embedded import EmbeddedStore

QUERY = "application/sparql-query"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
ROWS = "SELECT ?s ?p ?o { ?s ?p ?o }"
TRIPLES = "CONSTRUCT WHERE { ?s ?p ?o }"
ENDLESS = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
ENDLESS_GRAPH = "CONSTRUCT { ?a ?e ?i } WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
SILENT = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"


def get(query: str, accept: str | None = None) -> tuple[str, dict[str, str]]:
    return "/sparql?query=" + quote(query), {"Accept": accept} if accept else {}


# Formats


@pytest.mark.parametrize(
    ("query", "accept", "result"),
    [
        (ROWS, None, "application/sparql-results+json"),
        (ROWS, "*/*", "application/sparql-results+json"),
        (ROWS, "application/json", "application/sparql-results+json"),
        (ROWS, "application/sparql-results+xml", "application/sparql-results+xml"),
        (ROWS, "text/csv;q=0.5, text/tab-separated-values;q=0.9", "text/tab-separated-values; charset=utf-8"),
        (ROWS, "text/csv; header=present", "text/csv; charset=utf-8"),
        (ROWS, BROWSER, "text/html; charset=utf-8"),
        ("ASK {}", None, "application/sparql-results+json"),
        ("ASK {}", "text/csv, application/sparql-results+xml;q=0.1", "application/sparql-results+xml"),
        (TRIPLES, None, "text/turtle; charset=utf-8"),
        (TRIPLES, "application/n-quads", "application/n-quads"),
        (TRIPLES, 'application/ld+json;profile="a"', "application/ld+json"),
        ("DESCRIBE <id/north-pier>", "application/rdf+xml", "application/rdf+xml"),
    ],
)
def test_the_answer_comes_as_the_client_prefers(
    query: str, accept: str | None, result: str, client: FlaskClient
) -> None:
    path, headers = get(query, accept)
    response = client.get(path, headers=headers)
    assert (response.status_code, response.content_type) == (200, result)
    assert "Accept" in response.vary
    if "html" not in result:
        assert response.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(("query", "accept"), [("ASK {}", "text/csv"), (ROWS, "text/turtle"), (TRIPLES, "text/csv")])
def test_what_the_form_cannot_be_written_as_is_406_with_what_there_is(
    query: str, accept: str, client: FlaskClient
) -> None:
    path, headers = get(query, accept)
    response = client.get(path, headers=headers)
    assert response.status_code == 406
    assert "application/" in response.text


@pytest.mark.parametrize("extension", list(media.RDF_BY_EXTENSION))
def test_a_graph_parses_back_to_the_triples_of_the_release(
    extension: str, client: FlaskClient, release: Release
) -> None:
    rdf = media.RDF_BY_EXTENSION[extension]
    path, headers = get(TRIPLES, rdf.media_type)
    found = {q.triple for q in parse(client.get(path, headers=headers).data, format=rdf.format)}
    assert found == {q.triple for q in EmbeddedStore(release.store_path).quads(None, None, None, DefaultGraph())}


# The protocol


def test_the_three_ways_to_ask_answer_alike(client: FlaskClient) -> None:
    answers = [
        client.get("/sparql", query_string={"query": ROWS}),
        client.post("/sparql", data={"query": ROWS}),
        client.post("/sparql", data=ROWS, content_type="application/sparql-query"),
        client.open("/sparql", method="QUERY", data=ROWS, content_type="application/sparql-query"),
    ]
    assert [a.status_code for a in answers] == [200] * 4
    assert len({a.data for a in answers}) == 1


@pytest.mark.parametrize(
    ("method", "options", "status", "words"),
    [
        ("POST", {"data": {"update": "DROP ALL"}}, 403, "sealed release"),
        ("GET", {"query_string": {"update": "DROP ALL"}}, 403, "sealed release"),
        ("POST", {"data": "DROP ALL", "content_type": "application/sparql-update"}, 403, "sealed release"),
        ("GET", {"query_string": {"query": "DROP ALL"}}, 400, "update"),
        ("GET", {"query_string": "query=ASK{}&query=ASK{}"}, 400, "more than once"),
        ("POST", {"query_string": {"query": "ASK {}"}, "data": {"query": "ASK {}"}}, 400, "more than once"),
        ("GET", {"query_string": {"query": ""}}, 400, "empty"),
        ("POST", {"data": {}}, 415, "application/sparql-query"),
        ("POST", {"data": {"default-graph-uri": "a:b"}}, 400, "query"),
        ("POST", {"data": "ASK {}", "content_type": "text/plain"}, 415, "application/sparql-query"),
        ("POST", {"data": "ASK {}", "content_type": "application/sparql-query; charset=utf-16"}, 415, "UTF-8"),
        ("POST", {"data": b"ASK { '\xff' }", "content_type": "application/sparql-query"}, 400, "UTF-8"),
        ("GET", {"query_string": "query=ASK%20%7B%20'%FF'%20%7D"}, 400, "UTF-8"),
        ("POST", {"data": b"x", "content_type": QUERY, "headers": {"Content-Encoding": "gzip"}}, 415, ""),
        ("POST", {"data": b"x" * 5_000_000, "content_type": QUERY}, 413, ""),
        ("GET", {"query_string": {"query": "ASK {}", "timeout": "soon"}}, 400, "seconds"),
        ("GET", {"query_string": {"query": "ASK {}", "timeout": "-1"}}, 400, "seconds"),
        ("GET", {"query_string": {"query": "ASK {}", "default-graph-uri": "not an iri"}}, 400, ""),
        ("GET", {"query_string": {"query": "ASK {}", "as": "csv"}}, 400, "ASK"),
        ("PUT", {}, 405, ""),
        ("DELETE", {"query_string": {"default": ""}}, 405, ""),
        ("PATCH", {}, 405, ""),
    ],
)  # fmt: skip
def test_what_the_protocol_does_not_allow_is_a_problem_that_says_why(
    method: str, options: dict[str, Any], status: int, words: str, client: FlaskClient
) -> None:
    response = client.open("/sparql", method=method, **options)
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    problem = json.loads(response.data)
    assert problem["status"] == status
    assert {"type", "title", "detail"} <= set(problem)
    assert words in problem["detail"]


def test_a_syntax_error_names_line_and_column_in_every_form(client: FlaskClient) -> None:
    path, _ = get("SELECT *\n{ ?s ?p }")
    found = json.loads(client.get(path).data)
    assert (found["status"], found["line"], found["column"]) == (400, 2, 10)
    for accept in (BROWSER, "text/plain, application/json;q=0.1"):
        response = client.get(path, headers={"Accept": accept})
        assert response.status_code == 400
        assert "line 2, column 10" in response.text.lower()


def test_service_is_refused_before_anything_runs(client: FlaskClient) -> None:
    path, _ = get("SELECT * {\n SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }")
    found = json.loads(client.get(path).data)
    assert (found["status"], found["line"], found["column"]) == (400, 2, 2)


def test_parameters_that_other_endpoints_know_are_tolerated(client: FlaskClient) -> None:
    fields = {"query": ROWS, "format": "xml", "output": "xml", "version": "1.2", "timeout": "0"}
    response = client.get("/sparql", query_string=fields, headers={"Accept": "text/csv"})
    assert (response.status_code, response.mimetype) == (200, "text/csv")


def test_options_tells_other_sites_what_they_may_send(client: FlaskClient) -> None:
    response = client.options("/sparql", headers={"Origin": "https://example.org"})
    assert response.status_code == 204
    assert {"GET", "HEAD", "POST", "OPTIONS"} <= set(response.headers["Allow"].split(", "))
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Content-Type" in response.headers["Access-Control-Allow-Headers"]


def test_head_is_get_without_the_body(client: FlaskClient) -> None:
    path, headers = get(ROWS, "text/csv")
    response = client.head(path, headers=headers)
    assert (response.status_code, response.data, response.mimetype) == (200, b"", "text/csv")
    assert client.head(get("DROP ALL")[0]).status_code == 400


def test_the_same_question_to_the_same_release_is_304(client: FlaskClient) -> None:
    path, headers = get(ROWS, "text/csv")
    tag = client.get(path, headers=headers).headers["ETag"]
    assert client.get(path, headers=headers | {"If-None-Match": tag}).status_code == 304
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 200, "another format"
    assert "ETag" not in client.get(get("SELECT (RAND() AS ?x) {}")[0]).headers


def test_gzip_where_asked(client: FlaskClient) -> None:
    path, headers = get(ROWS, "text/csv")
    plain = client.get(path, headers=headers)
    packed = client.get(path, headers=headers | {"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert "Content-Encoding" not in plain.headers


# Description, graphs, pages


@pytest.mark.parametrize("extension", list(media.RDF_BY_EXTENSION))
def test_without_a_query_the_service_describes_itself(extension: str, client: FlaskClient) -> None:
    rdf = media.RDF_BY_EXTENSION[extension]
    response = client.get("/sparql", headers={"Accept": rdf.media_type})
    assert response.status_code == 200
    triples = {q.triple for q in parse(response.data, format=rdf.format)}
    sd = "http://www.w3.org/ns/sparql-service-description#"
    endpoint = NamedNode("http://localhost:8000/sparql")
    assert any(t.predicate.value == sd + "endpoint" and t.object == endpoint for t in triples)
    names = {t.object.value for t in triples if t.predicate.value == "http://schema.org/name"}
    assert names == {"deadline", "memory", "rows", "bytes", "depth"}


def test_graphs_are_read_by_the_graph_store_protocol(client: FlaskClient, release: Release) -> None:
    store = EmbeddedStore(release.store_path)
    claim = NamedNode("http://localhost:8000/claim/gazette/1")
    for path, graph in (("/sparql?default", DefaultGraph()), (f"/sparql?graph={quote(claim.value, safe='')}", claim)):
        response = client.get(path, headers={"Accept": "application/n-triples"})
        found = {q.triple for q in parse(response.data, format=RdfFormat.N_TRIPLES)}
        assert found == {q.triple for q in store.quads(None, None, None, graph)}
        assert client.head(path).status_code == 200
    assert client.get("/sparql?graph=http://localhost:8000/claim/gazette/999").status_code == 404
    assert client.get("/sparql?graph=x").status_code == 400
    assert client.put(path, data="", content_type="text/turtle").status_code == 405


def test_a_browser_gets_a_form_and_a_table_that_says_when_it_is_cut(client: FlaskClient) -> None:
    form = client.get("/sparql", headers={"Accept": BROWSER})
    assert (form.status_code, form.mimetype) == (200, "text/html")
    assert "<textarea" in form.text
    assert "10 seconds" in form.text
    table = client.get("/query", query_string={"query": f"{ROWS} LIMIT 600"}, headers={"Accept": BROWSER})
    assert table.text.count("<tr>") == 501
    assert "first 500 rows" in table.text
    whole = client.get("/query", query_string={"query": "SELECT * { <id/north-pier> ?p ?o } LIMIT 2"})
    assert "2 rows." in whole.text
    assert "first 500" not in whole.text
    assert "<strong>Yes</strong>" in client.get("/query", query_string={"query": "ASK {}"}).text


def test_a_page_escapes_what_it_shows(client: FlaskClient) -> None:
    query = 'SELECT ("<script>alert(1)</script>" AS ?x) (<javascript:alert(1)> AS ?y) {} #</textarea><script>'
    text = client.get("/query", query_string={"query": query}).text
    assert "<script>alert" not in text
    assert "</textarea><script>" not in text
    assert 'href="javascript:' not in text


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/sparql?query=x", 400)])
def test_problems_come_as_the_client_prefers(path: str, status: int, client: FlaskClient) -> None:
    kinds = {
        BROWSER: "text/html",
        "text/plain": "text/plain",
        "application/json": "application/json",
        "application/sparql-results+json": "application/problem+json",
        "*/*": "application/problem+json",
    }
    for accept, kind in kinds.items():
        response = client.get(path, headers={"Accept": accept})
        assert (response.status_code, response.mimetype) == (status, kind)
        assert "Traceback" not in response.text


# A real server


@pytest.fixture(scope="module")
def quick(
    project: Path,
    release: Release,
    serve: Callable[..., AbstractContextManager[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """A server on the harbour's release with two workers; it kills queries after a minute, or when they ask for it."""
    root = tmp_path_factory.mktemp("quick")
    text = (project / "kg.toml").read_text(encoding="utf-8")
    (root / "kg.toml").write_text(text + "\ndeadline = 60\nworkers = 2\n", encoding="utf-8")
    (root / "releases").symlink_to(release.path.parent)
    with serve(root) as address:
        yield address


def test_a_query_killed_before_its_first_byte_is_503_in_time(quick: str) -> None:
    start = time.monotonic()
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(quick + "sparql?timeout=1&query=" + quote(SILENT), timeout=PATIENCE)
    assert time.monotonic() - start < 30, "the server's own deadline is 60"
    assert caught.value.code == 503
    assert int(caught.value.headers["Retry-After"]) > 0
    assert json.loads(caught.value.read())["limit"] == "deadline"


FORMATS = [(ENDLESS, m) for m in media.RESULTS_BY_TYPE] + [(ENDLESS_GRAPH, m) for m in media.RDF_BY_TYPE]


@pytest.mark.parametrize(("query", "accept"), FORMATS)
@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_that_is_cut_never_looks_whole(query: str, accept: str, packed: bool, quick: str) -> None:
    headers = {"Accept": accept} | ({"Accept-Encoding": "gzip"} if packed else {})
    with begun(quick + "sparql?query=" + quote(query), headers) as response:
        assert response.status == 200
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            shutil.copyfileobj(response, io.BytesIO())


def begun(url: str, headers: dict[str, str]) -> Any:
    """An answer without end that has begun before its deadline: the shortest in which this machine gets so far."""
    for seconds in (1, 3, 10, 30):
        request = urllib.request.Request(f"{url}&timeout={seconds}", headers=headers)
        try:
            return urllib.request.urlopen(request, timeout=PATIENCE)
        except urllib.error.HTTPError as e:
            if json.load(e)["limit"] != "deadline":
                raise
    pytest.fail("no answer has begun before its deadline")


def test_curl_reports_an_answer_that_was_cut(quick: str) -> None:
    url = quick + "sparql?timeout=1&query=" + quote(ENDLESS)
    command = ["curl", "-s", "-o", "/dev/null", "-H", "Accept: text/csv", url]
    assert subprocess.run(command, timeout=PATIENCE, check=False).returncode != 0


def test_http_1_0_gets_a_problem_instead_of_a_cut_answer(quick: str) -> None:
    url = urlsplit(quick)
    with socket.create_connection((url.hostname, url.port), timeout=PATIENCE) as sock:
        sock.sendall(f"GET /sparql?timeout=1&query={quote(ENDLESS)} HTTP/1.0\r\nAccept: text/csv\r\n\r\n".encode())
        head = sock.makefile("rb").readline()
    assert b" 503 " in head


def test_a_client_that_leaves_frees_its_worker(quick: str) -> None:
    # Both workers get a query of a minute whose clients leave; a third query is answered before that.
    url = urlsplit(quick)
    for _ in range(4):
        sock = socket.create_connection((url.hostname, url.port), timeout=PATIENCE)
        sock.sendall(f"GET /sparql?query={quote(SILENT)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        time.sleep(0.1)
        sock.close()
    time.sleep(0.8)
    start = time.monotonic()
    with urllib.request.urlopen(quick + "sparql?query=" + quote("ASK {}"), timeout=PATIENCE) as response:
        assert response.status == 200
    assert time.monotonic() - start < 30, "the deadline of the queries that were left is 60"


def test_the_first_bytes_of_a_long_answer_come_at_once(quick: str) -> None:
    request = urllib.request.Request(quick + "sparql?query=" + quote(ENDLESS), headers={"Accept": "text/csv"})
    urllib.request.urlopen(quick + "sparql?query=" + quote("ASK {}"), timeout=PATIENCE).close()
    start = time.monotonic()
    with urllib.request.urlopen(request, timeout=PATIENCE) as response:
        assert response.read(1000)
        assert time.monotonic() - start < 30, "its deadline is 60"


def test_a_whole_answer_over_http_1_0_has_its_length(address: str) -> None:
    url = urlsplit(address)
    query = "SELECT * { ?a ?b ?c . ?d ?e ?f } LIMIT 20000"
    with socket.create_connection((url.hostname, url.port), timeout=PATIENCE) as sock:
        sock.sendall(f"GET /sparql?query={quote(query)} HTTP/1.0\r\nAccept: text/csv\r\n\r\n".encode())
        data = io.BytesIO(sock.makefile("rb").read())
    head, _, body = data.getvalue().partition(b"\r\n\r\n")
    assert b" 200 " in head.splitlines()[0]
    assert f"content-length: {len(body)}".encode() in head.lower()
