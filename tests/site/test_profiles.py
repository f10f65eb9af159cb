"""The data about one thing in five ways: how each is asked for, announced, and true to the release."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from pyoxigraph import DefaultGraph, NamedNode, Quad, RdfFormat, Triple, parse

from kg import vocab
from kg.release import Release
from kg.site.data.profiles import PROFILES

BASE = "http://localhost:8000/"
KG = BASE + "ontology#"
REIFIES = vocab.RDF + "reifies"
THINGS = ("/data/north-pier", "/claim/gazette/1", "/claim/gazette/8", "/document/gazette", "/passage/gazette/22-63")


def quads(body: bytes, format_: RdfFormat) -> set[Quad]:
    return set(parse(body, format=format_))


@pytest.fixture(scope="module")
def dataset(release: Release) -> frozenset[Quad]:
    return frozenset(parse(path=str(release.path / "dumps/all.nq"), format=RdfFormat.N_QUADS))


# -- how a profile is asked for ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "query", "content_type"),
    [
        ({}, "profile=claims", "application/trig"),
        ({"Accept": "application/n-quads"}, "profile=claims", "application/n-quads"),
        ({"Accept": "text/html,*/*;q=0.8"}, "profile=facts", "text/turtle; charset=utf-8"),
        ({}, "profile=http://www.w3.org/ns/anno.jsonld", 'application/ld+json; profile="http://www.w3.org/ns/anno.jsonld"'),
        ({}, "profile=rdf12", "text/turtle; charset=utf-8; version=1.2"),
        ({"Accept-Profile": f"<{BASE}about#profile-nanopublication>"}, "", "application/trig"),
        ({"Accept-Profile": "<urn:nobody>, annotation;q=0.5"}, "", 'application/ld+json; profile="http://www.w3.org/ns/anno.jsonld"'),
        ({"Accept-Profile": "facts;q=0.1, claims;q=0.9"}, "", "application/trig"),
        ({"Accept-Profile": "*", "Accept": "text/turtle"}, "", "text/turtle; charset=utf-8"),
        (
            {"Accept": 'application/ld+json;profile="http://www.w3.org/ns/anno.jsonld"'},
            "",
            'application/ld+json; profile="http://www.w3.org/ns/anno.jsonld"',
        ),
        ({"Accept": 'application/ld+json;profile="http://www.w3.org/ns/json-ld#expanded"'}, "", "application/ld+json"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", THINGS)
def test_a_profile_is_chosen_by_parameter_header_or_media_type(
    path: str, headers: dict[str, str], query: str, content_type: str, client: FlaskClient
) -> None:
    response = client.get(f"{path}?{query}", headers=headers)
    assert (response.status_code, response.content_type) == (200, content_type)
    assert {"Accept", "Accept-Profile"} <= set(response.vary)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/claim/gazette/1?profile=nobody", {}),
        ("/claim/gazette/1?profile=", {}),
        ("/claim/gazette/1.ttl?profile=nobody", {}),
        ("/data/north-pier?profile=%00<script>", {}),
        ("/id/north-pier?profile=nobody", {}),
        ("/page/north-pier?profile=nobody", {}),
        ("/claim/gazette/1", {"Accept-Profile": "<urn:nobody>"}),
    ],
)
def test_an_unknown_profile_is_refused_with_the_names_of_those_there_are(
    path: str, headers: dict[str, str], client: FlaskClient
) -> None:
    response = client.get(path, headers={"Accept": "application/problem+json, */*;q=0.1", **headers})
    assert response.status_code == 406
    assert response.content_type == "application/problem+json"
    detail = json.loads(response.data)["detail"]
    for name in PROFILES:
        assert re.search(rf"\b{name} \(http", detail), name


def test_a_profile_in_a_format_that_it_does_not_have_is_refused_with_its_formats(client: FlaskClient) -> None:
    for path, accept in (
        ("/claim/gazette/1.ttl?profile=annotation", "*/*"),
        ("/claim/gazette/1?profile=annotation", "text/turtle"),
    ):
        response = client.get(path, headers={"Accept": accept})
        assert response.status_code == 406
        assert "The profile annotation comes in application/ld+json." in response.text


def test_a_things_own_address_leads_to_the_profile(client: FlaskClient) -> None:
    for path in ("/id/north-pier", "/page/north-pier"):
        response = client.get(f"{path}?profile=nanopublication")
        assert response.status_code == 303
        assert response.headers["Location"] == "../data/north-pier.trig?profile=nanopublication"
    response = client.get("/id/north-pier", headers={"Accept-Profile": "rdf12"})
    assert response.headers["Location"] == "../data/north-pier.ttl?profile=rdf12"


def test_every_answer_links_to_the_other_profiles_and_names_its_own(client: FlaskClient) -> None:
    for path in THINGS:
        for query in ("", *(f"?profile={name}" for name in PROFILES)):
            link = client.get(path + query, headers={"Accept": "*/*" if query else "text/turtle"}).headers["Link"]
            others = re.findall(r'<([^<>]*)\?profile=(\w+)>; rel="alternate"; type="([^"]*)"; profile="([^"]*)"', link)
            assert len({iri for *_, iri in others}) == len(others)
            (own,) = re.findall(r'<([^<>]*)>; rel="profile"', link)
            assert own == PROFILES[query.rpartition("=")[2] or "facts"].fixed or own.startswith(BASE + "about#profile-")
            assert {name for _, name, _, _ in others} >= set(PROFILES) - {query.rpartition("=")[2]}
            for address, name, media_type, _ in others:
                found = client.get("/" + address.removeprefix("../").removeprefix("../") + "?profile=" + name)
                assert found.status_code == 200
                assert found.mimetype == media_type


def test_the_names_of_profiles_are_explained(client: FlaskClient) -> None:
    page = client.get("/about", headers={"Accept": "text/html"}).text
    for profile in PROFILES.values():
        assert f'id="profile-{profile.name}"' in page
        assert profile.title in page


def test_profiles_have_etags_of_their_own(client: FlaskClient) -> None:
    tags = [client.get(f"/claim/gazette/1.trig?profile={name}").headers["ETag"] for name in ("facts", "claims")]
    assert len({*tags, client.get("/claim/gazette/1.trig").headers["ETag"]}) == 3


# -- what they say -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("extension", PROFILES["facts"].extensions)
def test_plain_facts_hold_the_default_graph_only(extension: str, client: FlaskClient, dataset: frozenset[Quad]) -> None:
    from kg.media import RDF_BY_EXTENSION

    for path in THINGS:
        found = quads(client.get(f"{path}.{extension}?profile=facts").data, RDF_BY_EXTENSION[extension].format)
        assert found
        assert {Quad(q.subject, q.predicate, q.object) for q in found} == found
        assert found <= dataset


def test_claims_are_named_graphs(client: FlaskClient, dataset: frozenset[Quad]) -> None:
    found = quads(client.get("/data/north-pier?profile=claims").data, RdfFormat.TRIG)
    assert found <= dataset
    assert NamedNode(BASE + "claim/gazette/8") in {q.graph_name for q in found}


def test_reifiers_say_who_states_a_triple_without_stating_it(client: FlaskClient, dataset: frozenset[Quad]) -> None:
    for extension, format_ in (("ttl", RdfFormat.TURTLE), ("nt", RdfFormat.N_TRIPLES)):
        found = quads(client.get(f"/data/north-pier.{extension}?profile=rdf12").data, format_)
        stated = {q for q in found if not isinstance(q.object, Triple)}
        reified = {
            Quad(q.object.subject, q.object.predicate, q.object.object, q.subject)  # type: ignore[arg-type]
            for q in found
            if isinstance(q.object, Triple) and q.predicate.value == REIFIES
        }
        assert len(stated) + len(reified) == len(found)
        assert stated <= dataset
        assert reified <= dataset
        north = NamedNode(BASE + "id/north-pier")
        claimed = {q for q in dataset if q.subject == north and q.graph_name != DefaultGraph()}
        assert {q for q in claimed if "/claim/" in str(q.graph_name)} <= reified
        assert "no cranes at all" not in {getattr(q.object, "value", "") for q in stated}


@pytest.fixture
def annotation(client: FlaskClient) -> Any:
    def get(path: str) -> Any:
        return json.loads(client.get(f"{path}?profile=annotation").data)

    return get


def test_a_claim_is_an_annotation_of_its_passages(annotation) -> None:
    found = annotation("/claim/gazette/1")
    assert found["id"] == BASE + "claim/gazette/1"
    assert "Annotation" in found["type"]
    gloss = found["body"][0]
    assert (gloss["type"], gloss["value"], gloss["language"]) == (
        "TextualBody",
        "The north pier has four cranes.",
        "en",
    )
    (target,) = found["target"]
    assert target["source"] == BASE + "document/gazette"
    position, quote = target["selector"]
    assert (position["type"], position["start"], position["end"]) == ("TextPositionSelector", 22, 63)
    assert quote["exact"] == "The north pier at Lindmar has four cranes"
    assert quote["suffix"].startswith(". The harbour board")


def test_an_annotation_has_no_words_of_a_text_that_may_not_be_shown(annotation) -> None:
    (target,) = annotation("/claim/closed/1")["target"]
    assert [s["type"] for s in target["selector"]] == ["TextPositionSelector"]
    assert len(target["sha256"]) == 64


def test_the_claims_about_a_thing_are_a_collection_of_annotations(annotation) -> None:
    found = annotation("/data/north-pier")
    assert (found["type"], found["first"]["type"]) == ("AnnotationCollection", "AnnotationPage")
    assert found["total"] == len(found["first"]["items"]) == len({i["id"] for i in found["first"]["items"]})


def test_an_annotation_can_be_read_without_fetching_a_context(client: FlaskClient, dataset: frozenset[Quad]) -> None:
    for path in THINGS:
        body = client.get(f"{path}?profile=annotation").data
        # pyoxigraph fetches nothing: a remote context would be an error.
        found = quads(body, RdfFormat.JSON_LD)
        assert found
        same = {vocab.OA + name for name in ("hasTarget", "hasSource", "start", "end")}
        own = {q for q in found if q.predicate.value in same or q.predicate.value.startswith(KG)}
        assert len(own) > 5
        assert own <= dataset


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # its own use of rdflib
def test_nanopublications_are_valid_by_the_nanopub_package(client: FlaskClient, tmp_path: Path) -> None:
    from nanopub.nanopub import Nanopub

    numbers = {"gazette": range(1, 10), "closed": [1], "note": [1]}
    for document, claims in numbers.items():
        for number in claims:
            path = tmp_path / f"{document}-{number}.trig"
            path.write_bytes(client.get(f"/claim/{document}/{number}?profile=nanopublication").data)
            assert Nanopub(rdf=path).is_valid, (document, number)


@pytest.mark.parametrize(("number", "asserted"), [("1", True), ("2", True), ("4", False), ("8", False)])
def test_only_what_the_document_vouches_for_is_an_assertion(
    number: str, asserted: bool, client: FlaskClient, dataset: frozenset[Quad]
) -> None:
    found = quads(client.get(f"/claim/gazette/{number}.nq?profile=nanopublication").data, RdfFormat.N_QUADS)
    (assertion,) = {q.object for q in found if q.predicate.value.endswith("#hasAssertion")}
    claim = BASE + f"claim/gazette/{number}"
    content = {(q.subject, q.predicate, q.object) for q in found if q.graph_name == assertion}
    said = {(q.subject, q.predicate, q.object) for q in dataset if q.graph_name == NamedNode(claim)}
    assert content
    assert (content == said) is asserted
    assert all(subject == NamedNode(claim) for subject, _, _ in content) is not asserted
    text = " ".join(str(q.object) for q in found)
    assert "no cranes at all" not in text
    assert "it is sinking" not in text


def test_a_thing_has_a_nanopublication_for_each_claim(client: FlaskClient, dataset: frozenset[Quad]) -> None:
    found = quads(client.get("/data/north-pier?profile=nanopublication").data, RdfFormat.TRIG)
    publications = {q.subject for q in found if str(q.object) == "<http://www.nanopub.org/nschema#Nanopublication>"}
    mentioning = {
        q.subject.value
        for q in dataset
        if isinstance(q.subject, NamedNode)
        and q.predicate.value == KG + "mentions"
        and q.object == NamedNode(BASE + "id/north-pier")
    }
    assert {p.value for p in publications if isinstance(p, NamedNode)} == {f"{iri}#nanopub" for iri in mentioning}
