"""The whole site in front of a store elsewhere: a release looks as it does at home, other data says what it lacks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from kg.build.elsewhere.gather import gather
from kg.config import Config, load
from kg.push import Push
from kg.query.limits import Limits
from kg.release import Release
from kg.site import create_app
from kg.site.lookups.state import Behind
from kg.store.endpoint import Endpoint
from kg.store.slots import Slot

Both = tuple[FlaskClient, FlaskClient]
HTML = {"Accept": "text/html"}
ZOO = """
PREFIX ex: <http://zoo.example.org/> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#> PREFIX schema: <http://schema.org/>
PREFIX dcterms: <http://purl.org/dc/terms/> PREFIX foaf: <http://xmlns.com/foaf/0.1/>
PREFIX owl: <http://www.w3.org/2002/07/owl#> PREFIX wgs: <http://www.w3.org/2003/01/geo/wgs84_pos#>
PREFIX geo: <http://www.opengis.net/ont/geosparql#> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
INSERT { GRAPH <urn:zoo> {
  ex:Animal a owl:Class ; rdfs:label "Animal"@en .
  ex:Lion a owl:Class ; rdfs:label "Lion"@en ; rdfs:subClassOf ex:Animal .
  ex:leo a ex:Lion ; rdfs:label "Leo the lion"@en, "Löwe Leo"@de ; ex:eats ex:gazelle ;
     ex:keeper <http://people.example.net/ann#me> ; ex:born [ ex:where "a nameless place" ; ex:year 2011 ] ;
     rdfs:comment "Roars <script>alert(1)</script> at night."@en .
  ex:gazelle a ex:Animal ; skos:prefLabel "Gazelle"@en ; skos:altLabel "little runner"@en .
  ex:search a ex:Animal ; schema:name "Searching animal" .
  ex:book dcterms:title "A book about Leo"@en ; dcterms:subject ex:leo .
  <http://people.example.net/ann#me> foaf:name "Ann Keeper" ; a foaf:Person .
  ex:tom a ex:Lion ; rdfs:label "Tom" ; ex:livesIn ex:savannah ; ex:arrived "2011-05-02"^^xsd:date .
  ex:tim a ex:Lion ; rdfs:label "Tim" ; ex:livesIn ex:savannah ; ex:arrived "2012"^^xsd:gYear .
  ex:dot a ex:Animal ; rdfs:label "Dot" ; ex:livesIn ex:pond ; ex:arrived "2012-01-31T08:00:00Z"^^xsd:dateTime .
  ex:dan a ex:Animal ; rdfs:label "Dan" ; ex:livesIn ex:pond ; schema:startDate "2010-01-01"^^xsd:date ;
     schema:endDate "2011-12-31"^^xsd:date .
  ex:savannah rdfs:label "Savannah" ; wgs:lat "-1.5" ; wgs:long "35.25" .
  ex:pond rdfs:label "Pond" ; geo:hasGeometry ex:shape .
  ex:shape a geo:Geometry ; geo:asWKT "POINT(13.4 52.5)"^^geo:wktLiteral .
  ex:cave rdfs:label "Cave" ; geo:hasGeometry [ geo:asWKT "POINT(10 50)"^^geo:wktLiteral ] .
  ex:tom <http://www.wikidata.org/prop/direct/P2067> 190 ; <http://www.wikidata.org/prop/direct-normalized/P1> 7 .
  <http://www.wikidata.org/entity/P2067> rdfs:label "mass"@en .
  <urn:other:thing> rdfs:label "Thing of another scheme" ; ex:eats <javascript:alert(1)> .
} } WHERE {}
"""


@pytest.fixture(scope="module")
def pushed(endpoint: Endpoint, release: Release) -> Slot:
    return Push(release=release, endpoint=endpoint, limits=Limits(), say=lambda _: None).run()


@pytest.fixture(scope="module")
def sites(project: Path, release: Release, endpoint: Endpoint, pushed: Slot) -> Iterator[Both]:
    """The release at home, and in front of the engine."""
    config = load(project)
    apps = create_app(release, config), create_app(release, config, behind=Behind(endpoint, pushed))
    yield apps[0].test_client(), apps[1].test_client()
    for app in apps:
        app.extensions["kg"].close()


def addresses(client: FlaskClient) -> list[str]:
    """Every page of the sitemap, and the data of some."""
    text = client.get("/sitemap.xml").get_data(as_text=True)
    pages = [path.removeprefix("http://localhost:8000") for path in re.findall("<loc>(.*?)</loc>", text)]
    things = [page for page in pages if page.startswith("/page/")]
    data = [
        f"{page.replace('/page/', '/data/', 1)}.{ext}" for page, ext in zip(things, ("ttl", "trig", "nt"), strict=False)
    ]
    claims = [page for page in pages if page.startswith("/claim/")]
    return [*pages, *data, *(f"{claim}.{ext}" for claim, ext in zip(claims, ("ttl", "trig"), strict=False))]


def test_a_pushed_release_looks_as_it_does_at_home(sites: Both, endpoint: Endpoint) -> None:
    home, away = sites
    different = []
    for address in addresses(home):
        expected, found = home.get(address, headers=HTML), away.get(address, headers=HTML)
        if (expected.status_code, expected.data) != (found.status_code, found.data):
            different.append(address)
    assert different == []


def test_a_page_takes_a_handful_of_requests(
    release: Release, project: Path, endpoint: Endpoint, pushed: Slot, sites: Both
) -> None:
    client = create_app(release, load(project), behind=Behind(endpoint, pushed)).test_client()
    client.get("/page/fair")  # what every process reads once
    asked: dict[str, int] = {}
    for address in addresses(sites[0]):
        before = endpoint.requests
        client.get(address, headers=HTML)
        asked[address] = endpoint.requests - before
    assert max(asked.values()) <= 6, {address: number for address, number in asked.items() if number > 6}
    assert max(number for address, number in asked.items() if address.startswith("/page/")) <= 4


QUERIES = (
    "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g",
    "PREFIX kg: <ontology#> SELECT ?g ?s { ?g kg:speaker ?who . GRAPH ?g { ?s a ?kind } }",
    "SELECT ?g ?p { GRAPH ?g { ?s ?p ?o } FILTER(STRENDS(STR(?g), '/1')) }",
    "SELECT ?g ?s ?p ?o { GRAPH ?g { ?s ?p ?o } FILTER(?g != ?s) }",
    "SELECT ?s ?p FROM <claim/courier/1> { ?s ?p ?o }",
    "PREFIX kg: <ontology#> ASK { ?claim a kg:Claim }",
    "PREFIX kg: <ontology#> CONSTRUCT { ?s ?p ?o } WHERE { ?claim a kg:Claim . GRAPH ?claim { ?s ?p ?o } }",
    "PREFIX kg: <ontology#> SELECT ?c { ?c a kg:Claim FILTER NOT EXISTS { GRAPH ?c { ?s a kg:Plan } } }",
    "PREFIX kg: <ontology#> SELECT ?c ?s { ?c a kg:Claim OPTIONAL { GRAPH ?c { ?s a kg:Plan } } }",
)


@pytest.mark.parametrize("query", QUERIES)
def test_strangers_get_the_same_answers_from_a_slot(sites: Both, endpoint: Endpoint, query: str) -> None:
    accept = {"CONSTRUCT": "application/n-triples", "ASK": "application/sparql-results+json"}
    kind = next((kind for form, kind in accept.items() if form in query), "text/csv")
    answers = []
    for client in sites:
        answer = client.post("/sparql", data={"query": query}, headers={"Accept": kind})
        assert answer.status_code == 200, answer.get_data(as_text=True)
        answers.append(sorted(answer.get_data(as_text=True).split("\n")))
    assert len(answers[0]) > 2 or "ASK" in query, "the question finds nothing"
    assert answers[0] == answers[1]


def test_what_strangers_may_not_ask_is_refused_before_the_engine_hears_of_it(sites: Both, endpoint: Endpoint) -> None:
    before = endpoint.requests
    for text in (
        "SELECT * { SERVICE <http://example.org/> { ?s ?p ?o } }",
        "INSERT DATA { <urn:a> <urn:b> <urn:c> }",
        "SELECT * { ?s ?p ?o " + "{ " * 200,
    ):
        assert sites[1].post("/sparql", data={"query": text}).status_code in (400, 403)
    assert endpoint.requests == before


def test_footnotes_come_from_the_release_that_lies_here(sites: Both) -> None:
    asked = {"query": "PREFIX kg: <ontology#> SELECT ?s { ?s a kg:Plan }", "evidence": "true"}
    answers = [client.post("/sparql", data=asked, headers={"Accept": "text/csv"}) for client in sites]
    assert answers[0].status_code == 200
    assert answers[0].data == answers[1].data


# Data that kg did not build


@pytest.fixture(scope="module")
def zoo(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """A site in front of a store that has never heard of kg."""
    endpoint.update("DROP SILENT GRAPH <urn:zoo>")
    endpoint.update(ZOO)
    config = Config(root=tmp_path_factory.mktemp("zoo"), base="http://zoo.example.org/", title="The zoo")
    graphs = ("urn:zoo",)
    made = gather(config, endpoint, graphs, lambda _: None)
    app = create_app(made, config, behind=Behind(endpoint, None, graphs))
    yield app.test_client()
    app.extensions["kg"].close()


def text_of(client: FlaskClient, address: str, status: int = 200, **headers: str) -> str:
    answer = client.get(address, headers={**HTML, **headers})
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def test_every_iri_has_a_page_that_says_that_no_evidence_is_recorded(zoo: FlaskClient) -> None:
    page = text_of(zoo, "/leo")
    assert "Leo the lion" in page
    assert "Löwe Leo" in page
    assert "No evidence recorded" in page
    assert "a nameless place" in page
    assert "2011" in page
    assert 'href="./resource?iri=http%3A%2F%2Fpeople.example.net%2Fann%23me"' in page
    assert "Ann Keeper" in page
    assert "A book about Leo" in page  # what links here
    assert ">keeper<" in page  # a property that nobody has labelled
    assert "<script>alert" not in page
    for claimed in ("passage", "verified", "claim"):
        assert claimed not in re.sub("<[^>]*>", "", page).lower(), claimed
    elsewhere = text_of(zoo, "/resource?iri=http%3A%2F%2Fpeople.example.net%2Fann%23me")
    assert "Ann Keeper" in elsewhere
    assert "Leo the lion" in elsewhere
    other = text_of(zoo, "/resource?iri=urn:other:thing")
    assert 'href="javascript' not in other


def test_a_property_of_wikidata_has_the_name_of_its_entity(zoo: FlaskClient) -> None:
    page = re.sub("<[^>]*>", "", text_of(zoo, "/tom"))
    assert "mass" in page
    assert "P2067" not in page
    assert "P1" in page  # nothing is known of this one


def test_an_iri_whose_path_belongs_to_the_site_is_found_by_its_name(zoo: FlaskClient) -> None:
    assert "Searching animal" in text_of(zoo, "/resource?iri=http://zoo.example.org/search")
    moved = zoo.get("/resource?iri=http://zoo.example.org/leo")
    assert (moved.status_code, moved.headers["Location"]) == (303, "./leo")
    assert zoo.get("/resource?iri=http://nobody.example.org/", headers=HTML).status_code == 404
    assert zoo.get("/resource?iri=nonsense", headers=HTML).status_code == 400


def test_data_of_others_is_searched_and_listed_by_its_names(zoo: FlaskClient) -> None:
    def found(words: str) -> list[str]:
        return [row["iri"] for row in json.loads(zoo.get(f"/search.json?q={words}").data)["results"]]

    assert found("leo")[0] == "http://zoo.example.org/leo"
    assert found("little+runner") == ["http://zoo.example.org/gazelle"]
    assert found("keeper") == ["http://people.example.net/ann#me"]
    assert found("l%C3%B6we") == ["http://zoo.example.org/leo"]
    assert "Leo the lion" in text_of(zoo, "/class/?iri=http%3A%2F%2Fzoo.example.org%2FAnimal")  # by its subclass
    assert "Leo the lion" in text_of(zoo, "/things")
    assert "Animal" in text_of(zoo, "/class/")
    assert "Lion" in text_of(zoo, "/ontology")


def test_its_data_leaves_in_all_formats(zoo: FlaskClient) -> None:
    turtle = zoo.get("/leo.ttl").get_data(as_text=True)
    assert "a nameless place" in turtle
    assert "Leo the lion" in turtle
    answer = zoo.get("/resource.nt?iri=urn:other:thing")
    assert "Thing of another scheme" in answer.get_data(as_text=True)


def browsed(client: FlaskClient, query: str = "") -> Any:
    return json.loads(client.get(f"/browse.json?{query}").data)


ZOO_IRI = "http://zoo.example.org/"


def named(rows: Any) -> set[str]:
    return {row["iri"].removeprefix(ZOO_IRI) for row in rows["results"]}


def test_data_of_others_is_browsed_by_class_by_what_it_is_linked_with_and_by_year(zoo: FlaskClient) -> None:
    every = browsed(zoo)
    counts = {
        facet: {value["value"].removeprefix(ZOO_IRI): value["count"] for value in values}
        for facet, values in every["facets"].items()
    }
    assert counts["kind"] == {
        "Animal": 7,
        "Lion": 3,
        "http://www.w3.org/2002/07/owl#Class": 2,
        "http://xmlns.com/foaf/0.1/Person": 1,
        "http://www.opengis.net/ont/geosparql#Geometry": 1,
    }
    assert counts[ZOO_IRI + "livesIn"] == {"savannah": 2, "pond": 2}
    assert counts["year"] == {"2010": 1, "2011": 2, "2012": 2}
    assert set(counts) == {"kind", ZOO_IRI + "livesIn", "year"}
    assert every["count"] == len(every["results"])
    assert named(browsed(zoo, f"kind={ZOO_IRI}Animal&year=2012")) == {"tim", "dot"}
    lions = browsed(zoo, f"kind={ZOO_IRI}Lion&{ZOO_IRI}livesIn={ZOO_IRI}savannah")
    assert named(lions) == {"tom", "tim"}
    assert lions["facets"]["year"] == [{"value": "2011", "count": 1}, {"value": "2012", "count": 1}]
    assert {row["kinds"][0] for row in lions["results"]} == {ZOO_IRI + "Lion"}
    rows = zoo.get(f"/browse.csv?year=2010&year=2011&kind={ZOO_IRI}Animal").get_data(as_text=True)
    assert [row.split(",")[1] for row in rows.split()[1:]] == ["Dan", "Tom"]
    page = text_of(zoo, f"/browse?{ZOO_IRI}livesIn={ZOO_IRI}pond")
    assert "No evidence of any of it is recorded" in page
    assert ">Dot<" in page
    assert ">Claims<" not in page


@pytest.mark.parametrize("query", ["", f"kind={ZOO_IRI}Animal", f"{ZOO_IRI}livesIn={ZOO_IRI}pond&year=2012"])
def test_the_query_beside_a_choice_finds_the_same(zoo: FlaskClient, query: str) -> None:
    found = browsed(zoo, query)
    answer = zoo.post("/sparql", data={"query": found["sparql"]}, headers={"Accept": "text/csv"})
    asked = {line.removeprefix(ZOO_IRI) for line in answer.get_data(as_text=True).split()[1:]}
    if query:
        assert asked == named(found)
    else:  # where nothing is chosen, the page has also what is of no class
        assert len(asked) > 5
        assert asked <= named(found)


def test_data_of_others_has_a_map_and_a_timeline(zoo: FlaskClient) -> None:
    spots = json.loads(zoo.get("/map.json").data)["features"]
    found = {f["id"].removeprefix(ZOO_IRI): f["geometry"]["coordinates"] for f in spots}
    known = {"savannah": [35.25, -1.5], "pond": [13.4, 52.5], "cave": [10, 50]}
    # Virtuoso keeps geometries as floats of 32 bits.
    assert found == {name: pytest.approx(at, abs=1e-5) for name, at in known.items()}
    page = text_of(zoo, "/map")
    assert "No evidence of any of it is recorded" in page
    assert ">Tom<" in page  # lives there
    moments = json.loads(zoo.get("/timeline.json").data)["moments"]
    assert [(m["label"], m["first"], m["last"], m["extent"]) for m in moments] == [
        ("Dan", "2010-01-01", "2011-12-31", "throughout"),
        ("Tom", "2011-05-02", "2011-05-02", "within"),
        ("Tim", "2012-01-01", "2012-12-31", "within"),
        ("Dot", "2012-01-31", "2012-01-31", "within"),
    ]
    assert ">Tim<" in text_of(zoo, "/timeline?from=2012&to=2012")
    assert "No evidence of any of it is recorded" in text_of(zoo, "/timeline")
    assert "Where" in text_of(zoo, "/savannah")


def test_what_it_lacks_is_said_plainly(zoo: FlaskClient) -> None:
    for address in (
        "/claims",
        "/documents",
        "/report",
        "/dumps/",
        "/releases/",
        "/badge.svg",
    ):
        assert "kg did not build" in text_of(zoo, address, 404)
    home = text_of(zoo, "/")
    assert "no evidence" in home
    assert "verified" not in home
    pages = [home, *(text_of(zoo, f"/{name}") for name in ("ontology", "about", "browse", "map", "timeline", "class/"))]
    for link in {link for page in pages for link in re.findall(r'href="(?:\./)*(?:\.\./)?([^"#:]*)["#]', page)}:
        answer = zoo.get("/" + link.replace("&amp;", "&"), headers=HTML, buffered=True)
        # What begins with a question mark is beside its own page.
        assert answer.status_code in (200, 303) or link.startswith("?"), link


def test_nobody_keeps_what_may_change(zoo: FlaskClient, endpoint: Endpoint) -> None:
    answer = zoo.get("/gazelle", headers=HTML)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers


def test_its_queries_go_through_our_limits(zoo: FlaskClient) -> None:
    def ask(text: str, **more: Any) -> Any:
        return zoo.post("/sparql", data={"query": text, **more}, headers={"Accept": "text/csv"})

    assert ask("SELECT ?o { <leo> <eats> ?o }").data.split() == [b"o", b"http://zoo.example.org/gazelle"]
    assert ask("SELECT * { SERVICE <http://x/> {} }").status_code == 400
    assert ask("SELECT * { ?s ?p ?o }", evidence="true").status_code == 400
    assert "gazelle" in text_of(zoo, "/query?query=SELECT+%3Fo+%7B+%3Cleo%3E+%3Ceats%3E+%3Fo+%7D")


def test_its_pages_take_a_handful_of_requests(zoo: FlaskClient, endpoint: Endpoint) -> None:
    for address, most in (
        ("/", 0),
        ("/things", 0),
        ("/search?q=leo", 0),
        ("/class/", 0),
        ("/browse", 0),
        ("/map", 0),
        ("/timeline", 0),
        ("/book", 3),
        ("/ontology", 1),
    ):
        before = endpoint.requests
        text_of(zoo, address)
        assert endpoint.requests - before <= most, address


def test_gathering_page_by_page_misses_nothing(
    endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {f"http://many.example.org/{number}": f"Number {number}" for number in range(120)}
    lines = " ".join(
        f'<{iri}> <http://www.w3.org/2000/01/rdf-schema#label> "{name}", "Nummer"@de ; a <http://many.example.org/N> .'
        for iri, name in names.items()
    )
    endpoint.update("DROP SILENT GRAPH <urn:many>")
    for half in (
        lines[: lines.index("<http://many.example.org/60>")],
        lines[lines.index("<http://many.example.org/60>") :],
    ):
        endpoint.update(f"INSERT DATA {{ GRAPH <urn:many> {{ {half} }} }}")
    monkeypatch.setattr("kg.build.elsewhere.reading.PAGE", 33)
    capped = replace(endpoint.profile, row_cap=34)
    with ExitStack() as stack:
        before, endpoint.profile = endpoint.profile, capped
        stack.callback(setattr, endpoint, "profile", before)
        config = Config(root=tmp_path, base="http://many.example.org/")
        made = gather(config, endpoint, ("urn:many",), lambda _: None)
    assert made.manifest.counts["things"] == len(names)
    assert made.report["classes"] == {"http://many.example.org/N": len(names)}
