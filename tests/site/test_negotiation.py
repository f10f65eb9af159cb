"""Formats by Accept and by extension; ETags, 304, 404, 406, HEAD, and the headers of every answer."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

TTL, HTML = "text/turtle; charset=utf-8", "text/html; charset=utf-8"
ANNOTATED = "../data/north-pier.jsonld?profile=annotation"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("path", "accept", "status", "result"),
    [
        ("/id/north-pier", BROWSER, 303, "../page/north-pier"),
        ("/id/north-pier", None, 303, "../page/north-pier"),
        ("/id/north-pier", "text/turtle", 303, "../data/north-pier.ttl"),
        ("/id/north-pier", "application/ld+json, */*;q=0.1", 303, "../data/north-pier.jsonld"),
        ("/id/north-pier", "text/html;q=0.2, application/trig;q=0.9", 303, "../data/north-pier.trig"),
        ("/id/north-pier", 'application/n-quads;profile="a,b"', 303, "../data/north-pier.nq"),
        ("/id/north-pier", "image/png", 406, None),
        ("/id/north-pier.nt", "image/png", 303, "../data/north-pier.nt"),
        ("/id/deep/er", BROWSER, 303, "../../page/deep/er"),
        ("/id/caf%C3%A9", "text/turtle", 303, "../data/caf%C3%A9.ttl"),
        ("/id/a%20b", BROWSER, 303, "../page/a%20b"),
        ("/id/odd.ttl", BROWSER, 303, "../page/odd.ttl"),
        ("/id/odd.ttl", "text/turtle", 303, "../data/odd.ttl.ttl"),
        ("/id/nobody", BROWSER, 404, None),
        ("/page/north-pier", BROWSER, 200, HTML),
        ("/page/north-pier", "text/turtle", 303, "../data/north-pier.ttl"),
        (
            "/page/north-pier",
            "application/rdf+xml, application/xhtml+xml;q=0.5, */*;q=0.1",
            303,
            "../data/north-pier.rdf",
        ),
        ("/page/north-pier", 'application/ld+json;profile="http://www.w3.org/ns/anno.jsonld"', 303, ANNOTATED),
        ("/page/north-pier", "*/*", 200, HTML),
        ("/page/north-pier", "text/turtle;q=0.5, text/html", 200, HTML),
        ("/page/north-pier", "image/png", 406, None),
        ("/page/north-pier.html", "text/turtle", 200, HTML),
        ("/page/deep/er", "text/turtle", 303, "../../data/deep/er.ttl"),
        ("/page/north-pier?linkset", "text/turtle", 200, "application/linkset+json"),
        ("/page/nobody", BROWSER, 404, None),
        ("/data/north-pier", "text/turtle", 200, TTL),
        ("/data/north-pier", "application/rdf+xml", 200, "application/rdf+xml"),
        ("/data/north-pier", "*/*", 200, TTL),
        ("/data/north-pier", "text/html", 406, None),
        ("/data/north-pier.ttl", "image/png", 200, TTL),
        ("/data/north-pier.exe", "*/*", 404, None),
        ("/claim/gazette/1", BROWSER, 200, HTML),
        ("/claim/gazette/1", "application/trig", 200, "application/trig"),
        ("/claim/gazette/1", "text/html;q=0, text/turtle;q=0.1", 200, TTL),
        ("/claim/gazette/1", "audio/*", 406, None),
        ("/claim/gazette/1", "application/json", 200, "application/ld+json"),
        ("/claim/gazette/1", "application/json, text/turtle;q=0.9", 200, "application/ld+json"),
        ("/id/north-pier", "application/json", 303, "../data/north-pier.jsonld"),
        ("/catalog", "application/json", 200, "application/ld+json"),
        ("/map", "application/json", 200, "application/geo+json"),
        ("/search?q=pier", "application/json", 200, "application/json"),
        ("/question/cranes", "application/json", 200, "application/sparql-results+json"),
        ("/about", "application/json", 406, None),
        ("/claim/gazette/99", BROWSER, 404, None),
        ("/claim/gazette/1.html", "image/png", 200, HTML),
        ("/document/gazette.jsonld", None, 200, "application/ld+json"),
        ("/document/nothing", BROWSER, 404, None),
        ("/passage/gazette/22-63", "application/n-triples", 200, "application/n-triples"),
        ("/passage/gazette/1-2", BROWSER, 404, None),
        ("/ontology", "text/turtle", 200, TTL),
        ("/ontology/harbour.nq", None, 200, "application/n-quads"),
        ("/ontology/nothing", BROWSER, 404, None),
        ("/shapes", "application/rdf+xml", 200, "application/rdf+xml"),
        ("/class/harbour:Pier.ttl", None, 200, TTL),
        ("/class/nothing:Here", BROWSER, 404, None),
        ("/things?page=2", BROWSER, 404, None),
        ("/things?page=x", BROWSER, 404, None),
        ("/graph/background.trig", None, 200, "application/trig"),
        ("/", BROWSER, 200, HTML),
        ("/", "text/turtle", 303, "./catalog"),
        ("/", "audio/ogg", 406, None),
        ("/about", "text/turtle", 406, None),
        ("/resource?iri=http://localhost:8000/id/north-pier", BROWSER, 303, "./page/north-pier"),
        ("/resource?iri=http://localhost:8000/id/north-pier", "text/turtle", 303, "./id/north-pier"),
        ("/resource?iri=http://localhost:8000/claim/gazette/1", "text/turtle", 303, "./claim/gazette/1"),
        ("/nothing-here", BROWSER, 404, None),
    ],
)
def test_what_is_asked_for_is_what_comes(
    path: str, accept: str | None, status: int, result: str | None, client: FlaskClient
) -> None:
    response = client.get(path, headers={"Accept": accept} if accept else {})
    assert response.status_code == status
    if result is not None:
        assert (response.headers["Location"] if status == 303 else response.content_type) == result


def test_a_refusal_says_what_there_is(client: FlaskClient) -> None:
    text = client.get("/claim/gazette/1", headers={"Accept": "audio/ogg"}).text
    assert "text/html" in text
    assert "application/n-quads" in text


@pytest.mark.parametrize("path", ["/id/north-pier", "/claim/gazette/1", "/data/north-pier", "/ontology", "/shapes"])
def test_an_answer_that_depends_on_accept_says_so(path: str, client: FlaskClient) -> None:
    for accept in ("text/turtle", "application/n-quads"):
        assert "Accept" in client.get(path, headers={"Accept": accept}).vary


def test_every_format_of_a_page_has_a_strong_etag_of_its_own(client: FlaskClient) -> None:
    extensions = ("ttl", "nt", "rdf", "jsonld", "trig", "nq", "html")
    etags = [client.get(f"/claim/gazette/1.{extension}").headers["ETag"] for extension in extensions]
    assert len(set(etags)) == len(extensions)
    assert all(re.fullmatch(r'"[^"]+"', etag) for etag in etags)


@pytest.mark.parametrize("path", ["/page/north-pier", "/data/north-pier.ttl", "/claim/gazette/1", "/", "/report"])
def test_an_unchanged_answer_is_304_without_a_body(path: str, client: FlaskClient) -> None:
    first = client.get(path)
    second = client.get(path, headers={"If-None-Match": f'"other", {first.headers["ETag"]}'})
    assert (second.status_code, second.data) == (304, b"")
    assert second.headers["ETag"] == first.headers["ETag"]
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_missing_page_is_404_whatever_the_client_has(client: FlaskClient) -> None:
    assert client.get("/page/nobody", headers={"If-None-Match": "*"}).status_code == 404


def test_head_is_get_without_the_body(client: FlaskClient) -> None:
    for path in ("/page/north-pier", "/data/north-pier.ttl", "/dumps/all.nq", "/static/site.css"):
        got, head = client.get(path), client.head(path)
        assert head.data == b""
        assert head.status_code == 200
        assert head.headers["Content-Length"] == str(len(got.data))
        assert head.headers["ETag"] == got.headers["ETag"]


def test_links_name_the_other_formats_and_the_thing(client: FlaskClient) -> None:
    page = client.get("/page/north-pier").headers["Link"]
    assert '<../data/north-pier.ttl>; rel="alternate"; type="text/turtle"' in page
    assert '<../data/north-pier.ttl>; rel="describedby"' in page
    assert '<http://localhost:8000/page/north-pier>; rel="canonical"' in page
    assert '<https://creativecommons.org/licenses/by/4.0/>; rel="license"' in page
    data = client.get("/data/north-pier.ttl").headers["Link"]
    assert '<http://localhost:8000/id/north-pier>; rel="describes"' in data
    assert '<../page/north-pier>; rel="alternate"; type="text/html"' in data


ANSWERS = {
    "/": 200,
    "/page/hostile": 200,
    "/id/north-pier": 303,
    "/data/north-pier.ttl": 200,
    "/dumps/all.nq": 200,
    "/static/site.css": 200,
    "/health": 200,
    "/robots.txt": 200,
    "/favicon.ico": 200,
    "/report.json": 200,
    "/nothing": 404,
    "/data/north-pier?accept=none": 406,
}


@pytest.mark.parametrize(("path", "status"), ANSWERS.items())
def test_every_answer_carries_the_policy(path: str, status: int, client: FlaskClient) -> None:
    response = client.get(path, headers={"Accept": "image/png"} if status == 406 else {})
    assert response.status_code == status
    policy = {
        part.partition(" ")[0]: part.partition(" ")[2]
        for part in response.headers["Content-Security-Policy"].split("; ")
    }
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "Referrer-Policy" in response.headers


@pytest.mark.parametrize("path", ["/id/north-pier", "/data/north-pier.ttl", "/dumps/all.nq", "/claim/gazette/1.jsonld"])
def test_data_may_be_read_by_pages_of_other_sites(path: str, client: FlaskClient) -> None:
    assert client.get(path).headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    "path",
    ["/id/north-pier", "/data/north-pier.ttl", "/dumps/all.nq", "/claim/gazette/1", "/query/names.json", "/sparql"],
)
def test_a_browser_that_asks_first_is_told_what_pages_of_other_sites_may_send(path: str, client: FlaskClient) -> None:
    method = "POST" if path.startswith("/query") else "GET"
    asked = {"Origin": "https://example.org", "Access-Control-Request-Method": method}
    response = client.options(path, headers={**asked, "Access-Control-Request-Headers": "accept-profile"})
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert method in response.headers["Access-Control-Allow-Methods"].split(", ")
    allowed = set(response.headers["Access-Control-Allow-Headers"].split(", "))
    assert {"Accept-Profile", "Accept-Datetime", "Content-Type", "If-None-Match", "If-Match", "Range"} <= allowed
    exposed = set(client.get(path).headers.get("Access-Control-Expose-Headers", "").split(", "))
    assert {"Content-Range", "Memento-Datetime"} <= exposed or "html" in client.get(path).content_type


def test_a_method_that_changes_things_is_refused(client: FlaskClient) -> None:
    for method in (client.post, client.put, client.delete):
        assert method("/page/north-pier").status_code == 405
