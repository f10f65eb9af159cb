"""The dataset in schema.org's terms, inside the pages about it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from pyoxigraph import Literal as OxLiteral
from pyoxigraph import NamedNode, RdfFormat, parse
from rdflib import DCTERMS, Graph, URIRef
from tests.site.conftest import get

from kg.config import Config, load
from kg.release import Release
from kg.site import create_app
from kg.site.data import jsonld

BASE = "http://localhost:8000/"


def text_of_block(html: str) -> str:
    """The content of the page's block of JSON-LD."""
    return html.partition('<script type="application/ld+json">')[2].partition("</script>")[0]


@pytest.mark.parametrize("path", ["/", "/dumps/"])
def test_a_page_about_the_dataset_describes_it_in_schema_org(path: str, client: FlaskClient, release: Release) -> None:
    block = text_of_block(get(client, path).text)
    assert not set(block) & set("<>&")
    said = json.loads(block)
    assert said["@context"]["@vocab"] == "https://schema.org/"
    assert said["name"] == "Lindmar harbour <b>facts</b>"
    assert {d["sha256"] for d in said["distribution"]} == {entry.sha256 for entry in release.dumps()}
    # A reader of JSON-LD without a network gets the same.
    found = {str(q.predicate): q.object for q in parse(block, format=RdfFormat.JSON_LD)}
    assert found["<https://schema.org/version>"] == OxLiteral(release.version)
    # What is an address is a node, as in the vocabulary's own context.
    assert found["<https://schema.org/url>"].value.startswith(BASE)
    for name in ("license", "url", "contentUrl", "isBasedOn"):
        assert isinstance(found[f"<https://schema.org/{name}>"], NamedNode), name


@pytest.mark.parametrize(
    "licence", ["https://example.org/licence", "https://example.org/no address", "For members only", ""]
)
def test_a_licence_is_an_address_or_has_a_name_everywhere(licence: str, release: Release, config: Config) -> None:
    seal = {"version": release.version, "sealed_at": release.sealed_at.isoformat()}
    licensed = Release(release.path, replace(release.manifest, license=licence), seal)
    licensed.report = release.report
    with create_app(licensed, config).test_client() as client:
        html, head = get(client, "/").text, get(client, "/").headers["Link"]
        description = Graph().parse(data=get(client, "/sparql", Accept="text/turtle").data, format="turtle")
        others = [
            get(client, path).text
            for path in (
                "/releases/stream.nq",
                "/claim/gazette/1.trig?profile=nanopublication",
                "/claim/gazette/1.jsonld?profile=annotation",
            )
        ]
    said = json.loads(text_of_block(html))
    is_address = licence.startswith("https:") and " " not in licence
    named = {"@type": "CreativeWork", "name": licence}
    assert said.get("license", "") == (named if licence and not is_address else licence)
    found = list(description.objects(None, DCTERMS.license))
    assert found == ([URIRef(licence)] if is_address else [])
    assert {licence in text for text in (*others, head) if licence} == ({is_address} if licence else set())


def test_the_blocks_place_and_time_are_the_catalogues(own: FlaskClient) -> None:
    said = json.loads(text_of_block(get(own, "/").text))
    assert said["temporalCoverage"] == "2020-01-03/2020-03-29"
    assert said["spatialCoverage"]["geo"]["box"] == "33.52944 41.13889 35.76583 44.28417"
    assert said["keywords"] == ["Iraq", "United States Army", "military bases", "withdrawal"]


def test_the_block_says_who_may_have_the_data_as_the_catalogue_does(own: FlaskClient, client: FlaskClient) -> None:
    said = json.loads(text_of_block(get(own, "/").text))
    assert said["conditionsOfAccess"] == "http://publications.europa.eu/resource/authority/access-right/PUBLIC"
    assert said["isAccessibleForFree"] is True
    # Nobody said, so nothing is said.
    assert not {"conditionsOfAccess", "isAccessibleForFree"} & set(json.loads(text_of_block(get(client, "/").text)))


@pytest.mark.parametrize(("most", "named"), [(100, 2), (1, 1)])
def test_a_dataset_of_many_documents_names_some_of_them_on_its_home_page(
    most: int, named: int, monkeypatch: pytest.MonkeyPatch, dataset: Path
) -> None:
    """All of a hundred thousand were four megabytes."""
    monkeypatch.setattr(jsonld, "SOURCES", most)
    app = create_app(Release.open(dataset / "releases/current"), load(dataset))
    with app.test_client() as fresh:
        html = get(fresh, "/").text
    said = json.loads(text_of_block(html))
    assert len(said["isBasedOn"]) == named
