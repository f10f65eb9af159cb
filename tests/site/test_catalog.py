"""The catalogue, VoID, Signposting, sitemap, security.txt and badge: what machines read first."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit
from xml.etree import ElementTree

import pyshacl
import pytest
import signposting
from flask import Flask
from flask.testing import FlaskClient
from rdflib import Graph, URIRef
from tests.patience import PATIENCE
from tests.site.conftest import get

from kg import build, media
from kg.config import Config, Security, load
from kg.release import Release
from kg.site import create_app
from kg.site.pages import discovery

BASE = "http://localhost:8000/"
ROUTES = ("/catalog", "/.well-known/void")
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
Read = Callable[[str], Any]


# -- /catalog and /.well-known/void ------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ROUTES)
def test_every_format_holds_the_same_description(route: str, client: FlaskClient) -> None:
    found = set()
    for format_ in media.RDF:
        by_extension = get(client, f"{route}.{format_.extension}")
        by_accept = get(client, route, Accept=format_.media_type)
        assert by_extension.data == by_accept.data
        assert by_extension.content_type.partition(";")[0] == format_.media_type
        if not format_.quads:
            found.add(frozenset(Graph().parse(data=by_extension.data, format=format_.media_type)))
    assert len(found) == 1


@pytest.mark.parametrize("route", ROUTES)
def test_every_iri_under_the_base_leads_somewhere(route: str, own: FlaskClient) -> None:
    graph = Graph().parse(data=get(own, route + ".ttl").data, format="turtle")
    iris = {str(node) for triple in graph for node in triple if isinstance(node, URIRef)}
    paths = {urlsplit(iri)._replace(scheme="", netloc="", fragment="").geturl() for iri in iris if iri.startswith(BASE)}
    assert len(paths) > 5
    for path in sorted(paths):
        response = own.get(path, buffered=True)
        if response.status_code == 303:
            response = own.get(urljoin(path, response.headers["Location"]), buffered=True)
        assert response.status_code == 200, path


@pytest.mark.parametrize("shapes", ["shapes.ttl", "range.ttl", "shapes_recommended.ttl"])
def test_what_is_served_is_clean_against_dcat_ap(shapes: str, own: FlaskClient) -> None:
    profile = Path(__file__).resolve().parents[3] / "shared" / "dcat-ap-3.0.1"
    if not profile.is_dir():
        pytest.skip("the shapes of DCAT-AP are not beside this repository (../shared/dcat-ap-3.0.1)")
    served = Graph().parse(data=get(own, "/catalog.ttl").data, format="turtle")
    conforms, _, text = pyshacl.validate(served, shacl_graph=Graph().parse(profile / shapes))
    assert conforms, text


def test_the_catalogue_names_the_release(client: FlaskClient, release: Release) -> None:
    graph = Graph().parse(data=get(client, "/catalog.ttl").data, format="turtle")
    version = graph.value(URIRef(BASE + "catalog#dataset"), URIRef("http://www.w3.org/ns/dcat#version"))
    assert str(version) == release.version


def test_the_service_description_and_void_speak_of_the_same_dataset(client: FlaskClient) -> None:
    sd = "http://www.w3.org/ns/sparql-service-description#"
    service = URIRef(BASE + "sparql")
    graph = Graph().parse(data=get(client, "/sparql", Accept="text/turtle").data, format="turtle")
    assert graph.value(service, URIRef(sd + "defaultDataset")) == URIRef(BASE + "catalog#dataset")
    void = Graph().parse(data=get(client, "/.well-known/void.ttl").data, format="turtle")
    facts = graph.value(URIRef(BASE + "catalog#dataset"), URIRef(sd + "defaultGraph"))
    assert (facts, URIRef("http://rdfs.org/ns/void#triples"), None) in void
    endpoint = URIRef("http://rdfs.org/ns/void#sparqlEndpoint")
    assert void.value(URIRef(BASE + "catalog#dataset"), endpoint) == service


def test_the_pages_show_the_shares_of_the_report(release: Release, read_page: Read) -> None:
    triples = release.report["coverage"]["triples"]
    words = f"{triples['part']:,} of {triples['whole']:,}"
    for path in ("/report", *ROUTES):
        assert words in read_page(path).text, path


def test_a_release_without_a_description_says_so(release: Release, config: Config, client: FlaskClient) -> None:
    """A release of an earlier version is still served: without catalogue and badge, but with its pages."""
    old = Release(
        release.path, replace(release.manifest, files=()), {"version": "2020-01-01-0", "sealed_at": "2020-01-01"}
    )
    old.report = {k: v for k, v in release.report.items() if k != "coverage"}
    with create_app(old, config).test_client() as older:
        for path in (*ROUTES, "/badge.svg"):
            response = older.get(path, headers={"Accept": "application/json"})
            assert response.status_code == 404
            assert "it was built before" in response.text
        for path in ("/", "/report", "/dumps/"):
            assert older.get(path).status_code == 200


# -- Signposting -------------------------------------------------------------------------------------------------


def links(response: Any, path: str) -> signposting.Signposting:
    return signposting.find_signposting_http_link(response.headers.getlist("Link"), BASE[:-1] + path)


def targets(found: Iterable[signposting.Signpost]) -> set[str]:
    return {str(link.target) for link in found}


def test_every_page_has_its_signposts(path: str, client: FlaskClient) -> None:
    found = links(get(client, path, Accept="text/html"), path)
    assert found.citeAs.target.startswith(BASE)
    assert found.license.target == "https://creativecommons.org/licenses/by/4.0/"
    assert targets(found.authors) == {BASE + "catalog#publisher"}
    assert "https://schema.org/AboutPage" in targets(found.types)
    assert {link.type for link in found.linksets} == {"application/linkset+json"}


@pytest.mark.parametrize(
    ("path", "cited", "kind", "to_read"),
    [
        ("/", "catalog#dataset", "Dataset", ("catalog.ttl", "dumps/all.nq")),
        ("/dumps/", "catalog#dataset", "Dataset", (".well-known/void.ttl", "dumps/claims.csv")),
        ("/page/north-pier", "id/north-pier", "Thing", ("data/north-pier.ttl", "data/north-pier.trig")),
        ("/claim/gazette/1", "claim/gazette/1", "Claim", ("claim/gazette/1.ttl", "claim/gazette/1.trig")),
        ("/document/gazette", "document/gazette", "CreativeWork", ("document/gazette.ttl", "document/gazette.trig")),
        ("/graph/background", "graph/background", "Thing", ("graph/background.ttl", "graph/background.trig")),
        ("/catalog", "catalog", "DataCatalog", ("catalog.ttl", "catalog.trig")),
    ],
)
def test_a_page_says_what_to_cite_and_what_to_take(
    path: str, cited: str, kind: str, to_read: tuple[str, str], client: FlaskClient
) -> None:
    found = links(get(client, path, Accept="text/html"), path)
    assert found.citeAs.target == BASE + cited
    assert f"https://schema.org/{kind}" in targets(found.types)
    described, item = to_read
    assert BASE + described in targets(found.describedBy)
    assert BASE + item in targets(found.items)
    for address in targets(found.describedBy) | targets(found.items) | targets(found.linksets):
        get(client, address.removeprefix(BASE[:-1]))


def test_data_and_files_lead_back(client: FlaskClient) -> None:
    found = links(get(client, "/data/north-pier.ttl"), "/data/north-pier.ttl")
    assert found.collection.target == BASE + "page/north-pier"
    assert targets(found.describes) == {BASE + "id/north-pier"}
    found = links(get(client, "/dumps/all.nq"), "/dumps/all.nq")
    assert found.collection.target == BASE
    assert found.citeAs.target == BASE + "catalog#dataset"


def test_the_linkset_says_what_the_headers_say(path: str, client: FlaskClient) -> None:
    page = links(get(client, path, Accept="text/html"), path)
    ((address,),) = [targets(page.linksets)]
    response = get(client, address.removeprefix(BASE[:-1]))
    assert response.content_type == "application/linkset+json"
    # A client may say what it takes: the type that the link names.
    for accept in ("application/linkset+json", "application/linkset+json, application/linkset;q=0.5"):
        assert get(client, address.removeprefix(BASE[:-1]), Accept=accept).data == response.data
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    contexts = {context.pop("anchor"): context for context in response.json["linkset"]}
    assert all(anchor.startswith(BASE) for anchor in contexts)
    (landing,) = (
        c for anchor, c in contexts.items() if anchor == address.partition("?linkset")[0].partition("&linkset")[0]
    )
    said = {(rel, link["href"]) for rel, found in landing.items() for link in found}
    assert {(s.rel.value, str(s.target)) for s in page.signposts} <= said
    for anchor, context in contexts.items():
        data = client.head(anchor.removeprefix(BASE[:-1]))
        for signpost in links(data, anchor.removeprefix(BASE[:-1])).signposts:
            assert str(signpost.target) in {link["href"] for link in context[signpost.rel.value]}, anchor


def test_a_long_name_makes_no_head_that_clients_refuse(starter: Path) -> None:
    name = "獨立行政法人国立高等専門学校機構" * 20
    claims = starter / "data/claims/about-kg.trig"
    claims.write_text(claims.read_text("utf-8").replace(":python .", f":python , <id/{name}> .", 1), "utf-8")
    label = f'<id/{name}> <http://www.w3.org/2000/01/rdf-schema#label> "long"@en .'
    (starter / "data/entities/long.ttl").write_text(label, "utf-8")
    release, findings = build.build(load(starter))
    assert release is not None, findings
    with create_app(release, load(starter)).test_client() as client:
        for path in (f"/page/{quote(name)}", f"/data/{quote(name)}.ttl"):
            answer = get(client, path, Accept="*/*")
            # Node takes 16 kB for all of a head, Apache as a proxy 8 kB for one header.
            assert len(answer.headers["Link"]) < 8_000 < len(path) * 4
            assert sum(len(name) + len(value) + 4 for name, value in answer.headers) < 16_000
            found = links(answer, path)
            assert found.linksets
            assert found.citeAs
        # The linkset has what the header leaves out.
        contexts = get(client, f"/page/{quote(name)}?linkset").json["linkset"]
    assert {"alternate", "item", "describedby", "cite-as", "timegate"} <= set(contexts[0])
    kinds = {link["profile"][0] for link in contexts[0]["alternate"] if "profile" in link}
    assert f"{BASE}about#profile-rdf12" in kinds


@pytest.mark.parametrize("path", ["/search", "/browse", "/timeline", "/map"])
def test_a_long_question_is_not_repeated_in_a_head_that_clients_refuse(path: str, client: FlaskClient) -> None:
    answer = get(client, f"{path}?q={'x' * 5_000}", Accept="*/*")
    assert sum(len(name) + len(value) + 4 for name, value in answer.headers) < 16_000


def test_the_signposting_client_finds_its_way_on_a_real_server(address: str) -> None:
    found = signposting.find_signposting_http(address + "claim/gazette/1")
    assert found.citeAs.target == BASE + "claim/gazette/1"
    (linkset,) = found.linksets
    everything = signposting.find_signposting_linkset(linkset.target)
    data = everything.for_context(BASE + "claim/gazette/1.trig")
    assert data.collection.target == BASE + "claim/gazette/1"


def test_the_signposting_client_reads_every_kind_of_page_on_a_real_server(path: str, address: str) -> None:
    found = signposting.find_signposting_http(address[:-1] + path)
    assert found.citeAs.target.startswith(BASE)
    assert found.license.target == "https://creativecommons.org/licenses/by/4.0/"
    for link in (*found.describedBy, *found.items, *found.linksets):
        local = address + str(link.target).removeprefix(BASE).removeprefix(address)
        request = urllib.request.Request(local, method="HEAD")
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            assert answer.headers.get_content_type() == link.type or link.type is None, local


def test_the_dataset_is_cited_in_words_and_as_bibtex(
    client: FlaskClient, own: FlaskClient, release: Release, read_html: Read
) -> None:
    for site, year in ((own, "2026"), (client, release.version[:4])):
        page = read_html(get(site, "/catalog", Accept="text/html").text)
        (row,) = [row for row in page.all("div", class_="row") if row.all("dt")[0].text == "Cite as"]
        described = Graph().parse(data=get(site, "/catalog.ttl").data, format="turtle")
        dataset = URIRef(BASE + "catalog#dataset")
        said = described.value(dataset, URIRef("http://purl.org/dc/terms/bibliographicCitation"))
        assert row.all("bdi")[0].text == str(said)
        bibtex = row.all("pre")[0].text
        assert re.match(r"@misc\{[A-Za-z][A-Za-z0-9:-]*,\n", bibtex)
        fields = dict(re.findall(r"^  (\w+) = \{(.*)\},$", bibtex, re.MULTILINE))
        assert (fields["author"], fields["year"], fields["url"]) == ("{The kg authors}", year, str(dataset))
        assert re.fullmatch(r"\{.+\}", fields["title"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\d-[0-9a-f]{12}", fields["version"])
        assert "data-copy" in row.all("bdi")[0].attributes


# -- sitemap, robots, security.txt, badge ------------------------------------------------------------------------


def test_the_sitemap_has_every_page_and_the_day_of_the_release(own: FlaskClient, dataset: Path) -> None:
    release = Release.open(dataset / "releases/current")
    root = ElementTree.fromstring(get(own, "/sitemap.xml").data)
    found = {entry.findtext(SITEMAP + "loc"): entry.findtext(SITEMAP + "lastmod") for entry in root}
    assert set(found.values()) == {release.sealed_at.isoformat(timespec="seconds")}
    counts = release.manifest.counts
    claims = [address for address in found if "/claim/" in (address or "")]
    assert len(claims) == counts["claims"]
    for address in found:
        assert address
        assert address.startswith(BASE)
        get(own, address.removeprefix(BASE[:-1]), Accept="text/html")


def test_a_long_sitemap_is_cut_into_files(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, app: Flask, forgetting: Callable[[Flask], None]
) -> None:
    whole = ElementTree.fromstring(get(client, "/sitemap.xml").data)
    assert client.get("/sitemap.xml?part=2").status_code == 404
    monkeypatch.setattr(discovery, "MOST_ADDRESSES", 10)
    forgetting(app)
    index = ElementTree.fromstring(get(client, "/sitemap.xml").data)
    assert index.tag == SITEMAP + "sitemapindex"
    found = []
    for entry in index:
        address = entry.findtext(SITEMAP + "loc") or ""
        part = ElementTree.fromstring(get(client, address.removeprefix(BASE[:-1])).data)
        assert 0 < len(part) <= 10
        found += [url.findtext(SITEMAP + "loc") for url in part]
    assert found == [url.findtext(SITEMAP + "loc") for url in whole]
    for odd in (len(index) + 1, 0, -1, "x", "9" * 5000):
        assert client.get(f"/sitemap.xml?part={odd}").status_code == 404


def test_robots_are_told_where_the_sitemap_is(client: FlaskClient) -> None:
    assert f"Sitemap: {BASE}sitemap.xml" in get(client, "/robots.txt").text.splitlines()


@pytest.mark.parametrize(("base", "closed"), [(BASE, "/sparql"), ("https://example.org/facts/", "/facts/sparql")])
def test_robots_are_told_paths_as_the_host_has_them(base: str, closed: str, starter: Path) -> None:
    config = load(starter, base=base)
    release, _ = build.build(config)
    assert release is not None
    lines = get(create_app(release, config).test_client(), "/robots.txt").text.splitlines()
    assert f"Disallow: {closed}" in lines
    assert f"Sitemap: {base}sitemap.xml" in lines


def test_security_txt_is_there_only_where_somebody_is_named(
    client: FlaskClient, release: Release, config: Config
) -> None:
    assert client.get("/.well-known/security.txt").status_code == 404
    said = Security("mailto:security@example.org", "2030-01-01T00:00:00+00:00", "https://example.org/policy")
    with create_app(release, replace(config, security=said)).test_client() as other:
        response = get(other, "/.well-known/security.txt")
    assert response.content_type == "text/plain; charset=utf-8"
    assert response.text.splitlines() == [
        "Contact: mailto:security@example.org",
        "Expires: 2030-01-01T00:00:00+00:00",
        "Policy: https://example.org/policy",
    ]


@pytest.mark.parametrize(("of", "label"), [("", "facts with a claim"), *discovery.BADGES.items()])
def test_the_badge_shows_a_share_rounded_down(of: str, label: str, client: FlaskClient, release: Release) -> None:
    share = release.report["coverage"][of or "facts"]
    percent = f"{share['part'] * 100 // share['whole']} %"
    response = get(client, f"/badge.svg?of={of}" if of else "/badge.svg")
    assert response.content_type == "image/svg+xml"
    svg = ElementTree.fromstring(response.data)
    assert svg.findtext("{http://www.w3.org/2000/svg}title") == f"{label}: {percent}"
    assert client.get("/badge.svg?of=everything").status_code == 404
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "style" not in response.text
