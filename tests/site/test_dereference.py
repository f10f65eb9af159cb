"""Every IRI under the base leads to a page and to RDF in every format, and that RDF is of the release."""

from __future__ import annotations

from collections import defaultdict
from urllib.parse import quote, urljoin

import pytest
from flask.testing import FlaskClient
from pyoxigraph import DefaultGraph, NamedNode, Quad, RdfFormat, Triple, parse

from kg.config import load
from kg.media import RDF, RdfMedia
from kg.release import Release
from kg.site import create_app

HTML = "text/html,application/xhtml+xml,*/*;q=0.8"
Dataset = frozenset[Quad]


def quads_of(release: Release) -> Dataset:
    """All quads of a release, from its dump, not from the store that the site reads."""
    return frozenset(parse(path=str(release.path / "dumps/all.nq"), format=RdfFormat.N_QUADS))


def iris_of(quads: Dataset, base: str) -> list[str]:
    """Every IRI under the base that occurs anywhere in the data."""
    nodes = {n for q in quads for n in (q.subject, q.predicate, q.object, q.graph_name)}
    return sorted(n.value for n in nodes if isinstance(n, NamedNode) and n.value.startswith(base))


@pytest.fixture(scope="module")
def quads(release: Release) -> Dataset:
    return quads_of(release)


@pytest.fixture(scope="module")
def iris(quads: Dataset, release: Release) -> list[str]:
    return iris_of(quads, release.manifest.base)


@pytest.fixture(scope="module", params=["a hostile project", "the default dataset"])
def either(request: pytest.FixtureRequest) -> tuple[Release, FlaskClient]:
    """A release and a client of its site: for what holds whatever is published."""
    if request.param == "a hostile project":
        release, config = request.getfixturevalue("release"), request.getfixturevalue("config")
    else:
        project = request.getfixturevalue("dataset")
        release, config = Release.open(project / "releases/current"), load(project)
    return release, create_app(release, config).test_client(use_cookies=False)


def fetch(client: FlaskClient, iri: str, base: str, accept: str) -> tuple[int, str, bytes]:
    """Follow an IRI as a client does: without its fragment, percent-encoded, redirects resolved."""
    path = "/" + quote(iri.partition("#")[0].removeprefix(base), safe="/%:@!$&'()*+,;=~-._")
    for _ in range(3):
        response = client.get(path, headers={"Accept": accept})
        if response.status_code != 303:
            return response.status_code, response.content_type, response.data
        path = urljoin(path, response.headers["Location"])
    raise AssertionError(f"{iri} redirects again and again")


@pytest.mark.parametrize("media", RDF, ids=lambda m: m.extension)
def test_every_iri_gives_triples_of_the_release_that_are_about_it(
    media: RdfMedia, either: tuple[Release, FlaskClient]
) -> None:
    release, client = either
    quads = quads_of(release)
    published = {q.triple for q in quads if q.graph_name == DefaultGraph()}
    graphs: defaultdict[object, set[Triple]] = defaultdict(set)
    for q in quads:
        graphs[q.graph_name].add(q.triple)
    faults: list[tuple[str, object, str]] = []
    for iri in iris_of(quads, release.manifest.base):
        status, content_type, body = fetch(client, iri, release.manifest.base, media.media_type)
        if status != 200 or not content_type.startswith(media.media_type):
            faults.append((iri, status, content_type))
            continue
        found = set(parse(body, format=media.format))
        stray = found - quads if media.quads else {q for q in found if q.triple not in published}
        nodes = {n for q in found for n in (q.subject, q.predicate, q.object, q.graph_name)}
        # A named graph is what it holds: without graph names, that is all a format can say of it.
        held = graphs[NamedNode(iri)]
        is_about = NamedNode(iri) in nodes or (held and held <= {q.triple for q in found})
        if stray or not is_about:
            faults.append((iri, "stray" if stray else "not about it", str(stray)[:200]))
    assert faults == []


def test_every_iri_has_a_page(either: tuple[Release, FlaskClient]) -> None:
    release, client = either
    base = release.manifest.base
    answers = {iri: fetch(client, iri, base, HTML)[:2] for iri in iris_of(quads_of(release), base)}
    assert {iri: a for iri, a in answers.items() if a != (200, "text/html; charset=utf-8")} == {}


def test_every_fragment_of_the_ontology_is_an_anchor_of_its_page(
    iris: list[str], client: FlaskClient, release: Release
) -> None:
    missing = []
    for iri in iris:
        document, _, fragment = iri.partition("#")
        if fragment and "/ontology" in document:
            _, _, body = fetch(client, document, release.manifest.base, HTML)
            if f'id="{fragment}"'.encode() not in body:
                missing.append(iri)
    assert missing == []


def test_all_formats_with_graphs_say_the_same_of_a_thing(client: FlaskClient) -> None:
    found = {
        m.extension: frozenset(parse(client.get(f"/data/north-pier.{m.extension}").data, format=m.format)) for m in RDF
    }
    assert found["trig"] == found["nq"] == found["jsonld"]
    assert found["ttl"] == found["nt"] == found["rdf"]


def test_what_is_denied_or_alleged_is_in_no_format_without_graphs(client: FlaskClient) -> None:
    assert "no cranes at all" in client.get("/data/north-pier.trig").text
    assert "no cranes at all" not in client.get("/data/north-pier.ttl").text
    assert "it is sinking" not in client.get("/claim/gazette/4.ttl").text
    assert "it is sinking" in client.get("/claim/gazette/4.nq").text


def test_a_claims_data_holds_its_whole_graph(client: FlaskClient, quads: Dataset, release: Release) -> None:
    graph = NamedNode(release.manifest.base + "claim/gazette/7")
    expected = {q for q in quads if q.graph_name == graph}
    found = set(parse(client.get("/claim/gazette/7.nq").data, format=RdfFormat.N_QUADS))
    assert expected
    assert expected <= found


def test_the_shapes_are_those_of_the_release(client: FlaskClient, release: Release) -> None:
    expected = list(parse(path=str(release.path / "dumps/shapes.ttl"), format=RdfFormat.TURTLE))
    for media in RDF:
        found = list(parse(client.get(f"/shapes.{media.extension}").data, format=media.format))
        assert len(found) == len(expected), media.extension


def test_a_list_has_data_of_the_page_that_is_shown(client: FlaskClient, quads: Dataset) -> None:
    for name in ("things", "documents", "claims", "class/harbour:Pier"):
        found = set(parse(client.get(f"/{name}.nq").data, format=RdfFormat.N_QUADS))
        assert found, name
        assert found <= quads, name


def test_the_same_release_gives_the_same_bytes(client: FlaskClient, release: Release, config: object) -> None:
    from kg.config import Config
    from kg.site import create_app

    assert isinstance(config, Config)
    other = create_app(release, config).test_client()
    for media in RDF:
        path = f"/data/north-pier.{media.extension}"
        assert client.get(path).data == other.get(path).data
