"""How a release describes itself: figures that the store confirms, and a catalogue that DCAT-AP accepts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyshacl
import pytest
from pyoxigraph import Literal as OxLiteral
from pyoxigraph import NamedNode, Store, Triple
from rdflib import RDF, XSD, Graph, Literal, Namespace, URIRef
from rdflib.term import Node

from kg import build, vocab
from kg.build.collect import ENTITY_PROPERTIES
from kg.build.writing.tally import count
from kg.config import load
from kg.model import Severity
from kg.release import Release

ROOT = Path(__file__).resolve().parents[3]
PROFILE = ROOT.parent / "shared" / "dcat-ap-3.0.1"
BASE = "http://localhost:8000/"
DATASET = URIRef(BASE + "catalog#dataset")
PARTS = Namespace(BASE + ".well-known/void#")
DCAT, DCT = Namespace("http://www.w3.org/ns/dcat#"), Namespace("http://purl.org/dc/terms/")
DQV, SPDX = Namespace("http://www.w3.org/ns/dqv#"), Namespace("http://spdx.org/rdf/terms#")
VOID, VCARD = Namespace("http://rdfs.org/ns/void#"), Namespace("http://www.w3.org/2006/vcard/ns#")


@pytest.fixture(scope="module")
def release(dataset: Path) -> Release:
    return Release.open(dataset / "releases/current")


@pytest.fixture(scope="module")
def store(release: Release) -> Store:
    return Store.read_only(str(release.store_path))


@pytest.fixture(scope="module")
def void(release: Release) -> Graph:
    return Graph().parse(release.path / "metadata/void.ttl")


@pytest.fixture(scope="module")
def catalog(release: Release) -> Graph:
    return Graph().parse(release.path / "metadata/catalog.ttl")


def rows(store: Store, query: str) -> Iterator[tuple[str, ...]]:
    for solution in store.query("PREFIX void: <http://rdfs.org/ns/void#> " + query):  # type: ignore[union-attr]
        yield tuple(getattr(term, "value", "") for term in solution)


def number(store: Store, query: str) -> int:
    ((found,),) = rows(store, query)
    return int(found)


def test_both_descriptions_are_in_the_manifest_with_their_counts(release: Release, void: Graph, catalog: Graph) -> None:
    counts = {e.path: e.count for e in release.manifest.files if e.path.startswith("metadata/")}
    assert counts == {"metadata/void.ttl": len(void), "metadata/catalog.ttl": len(catalog)}


def test_the_statistics_are_what_the_store_counts(store: Store, void: Graph) -> None:
    facts = PARTS["default-graph"]
    for name, query in {
        "triples": "SELECT (count(*) AS ?n) { ?s ?p ?o }",
        "distinctSubjects": "SELECT (count(DISTINCT ?s) AS ?n) { ?s ?p ?o }",
        "distinctObjects": "SELECT (count(DISTINCT ?o) AS ?n) { ?s ?p ?o }",
        "properties": "SELECT (count(DISTINCT ?p) AS ?n) { ?s ?p ?o }",
        "classes": "SELECT (count(DISTINCT ?c) AS ?n) { ?s a ?c }",
        "entities": f"SELECT (count(DISTINCT ?s) AS ?n) {{ ?s ?p ?o FILTER STRSTARTS(STR(?s), '{BASE}id/') }}",
    }.items():
        assert void.value(facts, VOID[name]) == Literal(number(store, query)), name
    claims = f"GRAPH ?g {{ ?s ?p ?o }} FILTER STRSTARTS(STR(?g), '{BASE}claim/')"
    stated = number(store, f"SELECT (count(*) AS ?n) {{ SELECT DISTINCT ?s ?p ?o {{ {claims} }} }}")
    assert void.value(PARTS["claim-graphs"], VOID.triples) == Literal(stated)
    everything = "{ ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } }"
    triples = number(store, f"SELECT (count(*) AS ?n) {{ SELECT DISTINCT ?s ?p ?o {{ {everything} }} }}")
    assert void.value(DATASET, VOID.triples) == Literal(triples)


def test_the_partitions_are_the_classes_and_properties_of_the_default_graph(store: Store, void: Graph) -> None:
    parts = list(void.objects(PARTS["default-graph"], VOID.classPartition))
    found = {(str(void.value(p, VOID["class"])), str(void.value(p, VOID.entities))) for p in parts}
    assert found == set(rows(store, "SELECT ?c (count(DISTINCT ?s) AS ?n) { ?s a ?c } GROUP BY ?c"))
    parts = list(void.objects(PARTS["default-graph"], VOID.propertyPartition))
    names = ("property", "triples", "distinctSubjects", "distinctObjects")
    found_properties = {tuple(str(void.value(p, VOID[name])) for name in names) for p in parts}
    counted = (
        "SELECT ?p (count(*) AS ?n) (count(DISTINCT ?s) AS ?m) (count(DISTINCT ?o) AS ?k) { ?s ?p ?o } GROUP BY ?p"
    )
    assert found_properties == set(rows(store, counted))


def test_linksets_count_what_leads_to_other_datasets(store: Store, void: Graph) -> None:
    close = URIRef("http://www.w3.org/2004/02/skos/core#closeMatch")
    links = [s for s in void.subjects(RDF.type, VOID.Linkset) if void.value(s, VOID.linkPredicate) == close]
    outside = f"?s <{close}> ?o FILTER (!STRSTARTS(STR(?o), '{BASE}'))"
    total = number(store, f"SELECT (count(*) AS ?n) {{ {outside} }}")
    assert sum(int(str(void.value(s, VOID.triples))) for s in links) == total > 0
    for link in links:
        target = void.value(link, VOID.objectsTarget)
        assert void.value(target, VOID.uriSpace)
        assert (DATASET, VOID.subset, link) in void


def test_examples_are_things_of_the_release(store: Store, void: Graph) -> None:
    examples = list(void.objects(DATASET, VOID.exampleResource))
    assert len(examples) == 5
    for example in examples:
        assert number(store, f"SELECT (count(*) AS ?n) {{ <{example}> ?p ?o }}") > 0


# -- coverage ----------------------------------------------------------------------------------------------------

SPOKEN_OF = f'EXISTS {{ GRAPH ?g {{ ?s ?q ?v }} FILTER STRSTARTS(STR(?g), "{BASE}claim/") }}'
ABOUT = f'?s ?p ?o FILTER (STRSTARTS(STR(?s), "{BASE}id/") || {SPOKEN_OF})'
CLAIMED = f'FILTER EXISTS {{ GRAPH ?h {{ ?s ?p ?o }} FILTER STRSTARTS(STR(?h), "{BASE}claim/") }}'


def coverage(release: Release) -> dict[str, Any]:
    found: dict[str, Any] = release.report["coverage"]
    return found


def test_the_share_of_triples_with_a_claim_is_what_the_store_counts(release: Release, store: Store) -> None:
    whole = number(store, f"SELECT (count(*) AS ?n) {{ {ABOUT} }}")
    part = number(store, f"SELECT (count(*) AS ?n) {{ {ABOUT} {CLAIMED} }}")
    assert coverage(release)["triples"] == {"part": part, "whole": whole}
    assert 0 < part < whole
    names = ", ".join(f"<{name}>" for name in sorted(ENTITY_PROPERTIES))
    facts = f"{ABOUT} FILTER (?p NOT IN ({names}))"
    whole = number(store, f"SELECT (count(*) AS ?n) {{ {facts} }}")
    part = number(store, f"SELECT (count(*) AS ?n) {{ {facts} {CLAIMED} }}")
    assert coverage(release)["facts"] == {"part": part, "whole": whole}
    assert part == whole
    by_property = {
        name: {"part": number(store, f"SELECT (count(*) AS ?n) {{ {ABOUT} FILTER (?p = <{name}>) {CLAIMED} }}"),
               "whole": int(count)}
        for name, count in rows(store, f"SELECT ?p (count(*) AS ?n) {{ {ABOUT} }} GROUP BY ?p")
    }  # fmt: skip
    assert coverage(release)["properties"] == by_property


def test_what_is_no_name_or_note_has_a_claim(release: Release) -> None:
    without = {name for name, share in coverage(release)["properties"].items() if share["part"] < share["whole"]}
    names = {"label", "prefLabel", "altLabel", "hiddenLabel"}
    assert {name.rpartition("#")[2] for name in without} <= {*names, "scopeNote", "order"}


def test_only_documents_at_hand_have_checked_claims_and_counted_sentences(release: Release) -> None:
    documents = coverage(release)["documents"]
    assert documents["us-army-iraq-bases"]["sentences"] is None
    assert documents["us-army-iraq-bases"]["claims"]["part"] == 0
    note = documents["editorial-note"]
    assert note["claims"]["part"] == note["claims"]["whole"] > 0
    assert note["sentences"]["part"] <= note["sentences"]["whole"]
    assert coverage(release)["sentences"] == note["sentences"]
    claims = [d["claims"] for d in documents.values()]
    assert coverage(release)["claims"] == {key: sum(c[key] for c in claims) for key in ("part", "whole")}


def test_every_share_is_a_measurement(release: Release, void: Graph) -> None:
    shares = coverage(release)
    expected: dict[tuple[str, Node], Any] = {
        (name, DATASET): shares[name] for name in ("facts", "triples", "claims", "sentences")
    }
    for kind, term in (("classes", VOID["class"]), ("properties", VOID.property)):
        for iri, share in shares[kind].items():
            (partition,) = void.subjects(term, URIRef(iri))
            expected["triples", partition] = share
    for name, figures in shares["documents"].items():
        for metric, share in figures.items():
            if share is not None:
                expected[metric, URIRef(f"{BASE}document/{name}")] = share
    found = {}
    for node in void.subjects(RDF.type, DQV.QualityMeasurement):
        metric = str(void.value(node, DQV.isMeasurementOf)).rpartition("#metric-")[2]
        value = void.value(node, DQV.value)
        assert isinstance(value, Literal)
        assert value.datatype == XSD.decimal
        found[metric, void.value(node, DQV.computedOn)] = value.toPython()
    assert found == {key: Decimal(str(round(s["part"] / s["whole"], 4))) for key, s in expected.items() if s["whole"]}


# -- the catalogue -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shapes", ["shapes.ttl", "range.ttl", "shapes_recommended.ttl"])
def test_the_catalogue_is_clean_against_dcat_ap(shapes: str, catalog: Graph) -> None:
    if not PROFILE.is_dir():
        pytest.skip("the shapes of DCAT-AP are not beside this repository (../shared/dcat-ap-3.0.1)")
    profile = Graph().parse(PROFILE / shapes)
    conforms, _, text = pyshacl.validate(catalog, shacl_graph=profile)
    assert conforms, text
    # That the shapes see what they ask for: without types and without descriptions they complain.
    less = Graph()
    for triple in catalog:
        if triple[1] != DCT.description and (triple[1] != RDF.type or triple[2] in (DCAT.Dataset, DCAT.Distribution)):
            less.add(triple)
    assert not pyshacl.validate(less, shacl_graph=profile)[0]


def test_every_dump_is_a_distribution_with_its_size_and_checksum(release: Release, catalog: Graph) -> None:
    described = {
        (
            str(catalog.value(d, DCAT.downloadURL)),
            str(catalog.value(d, DCAT.byteSize)),
            str(catalog.value(catalog.value(d, SPDX.checksum), SPDX.checksumValue)).lower(),
        )
        for d in catalog.objects(DATASET, DCAT.distribution)
    }
    assert described == {(BASE + entry.path, str(entry.size), entry.sha256) for entry in release.dumps()}


def test_place_and_time_are_those_of_the_data(store: Store, catalog: Graph) -> None:
    kg = BASE + "ontology#"
    bounds = f"?t <{kg}earliest> ?e . ?u <{kg}latest> ?l"
    query = f"SELECT (min(str(?e)) AS ?a) (max(str(?l)) AS ?b) {{ {bounds} }}"
    ((first, last),) = rows(store, query)
    period = catalog.value(DATASET, DCT.temporal)
    assert (str(catalog.value(period, DCAT.startDate)), str(catalog.value(period, DCAT.endDate))) == (first, last)
    box = str(catalog.value(catalog.value(DATASET, DCT.spatial), DCAT.bbox))
    assert box.startswith("POLYGON((41.13889 33.52944, 44.28417 33.52944, 44.28417 35.76583,")


def test_the_box_is_round_every_point_that_can_be_read() -> None:
    geo, schema, wgs = vocab.GEO, vocab.SCHEMA, vocab.WGS84
    said = [
        ("a", wgs + "lat", "10"), ("a", wgs + "long", "20"),
        ("b", schema + "latitude", "-5.5"), ("b", schema + "longitude", "30"),
        ("c", geo + "asWKT", "POINT(40 50)"),
        ("d", wgs + "lat", "99"), ("d", wgs + "long", "0"),
        ("e", wgs + "lat", "north"), ("e", wgs + "long", "0"),
        ("f", wgs + "lat", "80"), ("f", wgs + "lat", "81"), ("f", wgs + "long", "0"),
        ("g", vocab.SCHEMA_HTTPS + "latitude", "60"), ("g", vocab.SCHEMA_HTTPS + "longitude", "35"),
        ("h", "http://www.wikidata.org/prop/direct/P625", "Point(10 70)"),
    ]  # fmt: skip
    lines = [f"{Triple(NamedNode('http://x/' + s), NamedNode(p), OxLiteral(o))} .\n".encode() for s, p, o in said]
    box = count(lines, vocab.Names(BASE)).box
    assert box is not None
    assert tuple(box) == (10, -5.5, 40, 70)
    assert box.has_area
    one = count(lines[:2], vocab.Names(BASE)).box
    assert one is not None
    assert not one.has_area
    assert count([], vocab.Names(BASE)).box is None


def test_the_citation_names_who_when_what_and_where(catalog: Graph) -> None:
    citation = str(catalog.value(DATASET, DCT.bibliographicCitation))
    assert citation == f"The kg authors (2026): U.S. Army prepares to leave three bases in Iraq. {DATASET}"


def test_nobody_said_nothing_is_said(starter: Path) -> None:
    """With an empty kg.toml there is no theme, contact or publisher, and the build says what DCAT-AP misses."""
    (starter / "kg.toml").write_text("", encoding="utf-8")
    release, findings = build.build(load(starter))
    assert release is not None
    assert [f.message.partition(" ")[0] for f in findings if f.rule == "catalog"] == ["description", "publisher"]
    said = Graph().parse(release.path / "metadata/catalog.ttl")
    for name in (DCT.publisher, DCT.issued, DCT.license, DCAT.theme, DCAT.keyword, DCAT.contactPoint, DCT.description):
        assert not set(said.objects(URIRef(BASE + "catalog"), name)) | set(said.objects(DATASET, name)), name


HOSTILE = {
    "title": 'A "title" <b>& more</b> \\ } ] . \u202e "@en',
    "description": "Two\nlines, ''' and \"\"\"\ttabs.",
    "license": "https://example.org/<a b>",
    "publisher": 'Somebody "quoted" <nobody@example.org>',
    "language": "pt-BR",
}


@pytest.mark.parametrize("base", ["https://example.org/a/b/", "http://example.org:8080/%C3%A9/", "http://[::1]:9/"])
def test_whatever_a_publisher_writes_is_described_in_rdf_that_can_be_read(base: str, starter: Path) -> None:
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in {"base": base, **HOSTILE}.items()]
    words = json.dumps(['"', "<x>", "a, b"])
    (starter / "kg.toml").write_text("\n".join([*lines, "[catalog]", f"keywords = {words}"]), encoding="utf-8")
    release, findings = build.build(load(starter))
    assert release is not None, [str(f) for f in findings]
    catalog = Graph().parse(release.path / "metadata/catalog.ttl")
    void = Graph().parse(release.path / "metadata/void.ttl")
    dataset = URIRef(base + "catalog#dataset")
    assert {str(o) for o in catalog.objects(dataset, DCT.title)} == {HOSTILE["title"]}
    assert {str(o) for o in catalog.objects(dataset, DCT.description)} == {HOSTILE["description"]}
    assert {str(o) for o in catalog.objects(dataset, DCAT.keyword)} == {'"', "<x>", "a, b"}
    # What is no IRI does not become one.
    assert {o for o in catalog.objects(None, DCT.license) if isinstance(o, URIRef) and "example.org/<" in o} == set()
    for graph in (catalog, void):
        for term in {term for triple in graph for term in triple if isinstance(term, URIRef)}:
            assert not set(term) & set(' <>"{}|\\^`'), term
    if PROFILE.is_dir():
        profile = Graph().parse(PROFILE / "shapes.ttl")
        conforms, _, text = pyshacl.validate(catalog, shacl_graph=profile)
        assert conforms, text


def test_what_kg_toml_says_is_in_the_catalogue(starter: Path) -> None:
    (starter / "kg.toml").write_text(
        """
        publisher = "The newsroom"
        license = "Ask us"
        description = "Facts."
        language = "de"
        [catalog]
        homepage = "https://news.example.org/"
        contact = "The desk"
        email = "desk@example.org"
        start = 2020-01-01
        end = "2020-12-31"
        place = "http://publications.europa.eu/resource/authority/country/DEU"
        bbox = [5.5, 47, 15, 55.25]
        """,
        encoding="utf-8",
    )
    release, _ = build.build(load(starter))
    assert release is not None
    said = Graph().parse(release.path / "metadata/catalog.ttl")
    contact = said.value(DATASET, DCAT.contactPoint)
    assert said.value(contact, VCARD.fn) == Literal("The desk")
    assert said.value(contact, VCARD.hasEmail) == URIRef("mailto:desk@example.org")
    place = URIRef("http://publications.europa.eu/resource/authority/country/DEU")
    assert (DATASET, DCT.spatial, place) in said
    assert str(said.value(place, DCAT.centroid)) == "POINT(10.25000 51.12500)"
    assert str(said.value(said.value(DATASET, DCT.temporal), DCAT.endDate)) == "2020-12-31"
    assert (DATASET, DCT.license, None) not in said
    assert said.value(DATASET, DCT.rights)
    assert str(said.value(DATASET, DCT.language)).endswith("/DEU")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('themes = ["GOV"]', "catalog.themes: 'GOV' is none of AGRI, "),
        ('frequency = "often"', "catalog.frequency: 'often' is none of ANNUAL, "),
        ('access = "open"', "catalog.access: 'open' is none of NON_PUBLIC, PUBLIC, RESTRICTED"),
        ('availability = "always"', "catalog.availability: 'always' is none of AVAILABLE, "),
        ('publisher_type = "me"', "catalog.publisher_type: 'me' is none of Academia"),
    ],
)
def test_a_code_that_is_none_stops_the_build(line: str, message: str, starter: Path) -> None:
    with (starter / "kg.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[catalog]\n{line}\n")
    release, findings = build.build(load(starter))
    assert release is None
    assert next(f.message for f in findings if f.severity is Severity.ERROR).startswith(message)
    assert findings[0].place.file == "kg.toml"


def test_the_same_sources_give_the_same_bytes_on_another_day(starter: Path, tmp_path: Path) -> None:
    """No clock: only the name of a release knows the day on which it was made."""
    found = []
    for day in ("0", "86400000"):
        release, _ = build.build(load(starter, environ={"SOURCE_DATE_EPOCH": day}))
        assert release is not None
        found.append(json.dumps(release.manifest.as_json(), sort_keys=True))
        for left in (starter / "releases").iterdir():
            left.rename(tmp_path / f"{day}-{left.name}")
    assert found[0] == found[1]


@pytest.mark.parametrize(("licence", "told"), [("CC-BY", True), ("https://example.org/licence", False)])
def test_a_licence_that_is_no_address_is_not_dropped_in_silence(licence: str, told: bool, starter: Path) -> None:
    settings = starter / "kg.toml"
    source = settings.read_text(encoding="utf-8")
    settings.write_text(source.replace("https://creativecommons.org/licenses/by/4.0/", licence), encoding="utf-8")
    found = [str(f) for f in build.check(load(starter)).findings if f.rule == "catalog"]
    assert (
        found
        == ["kg.toml: warning: license 'CC-BY' is no address, so nothing says it: write https://… of its text"] * told
    )
