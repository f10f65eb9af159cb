"""Facets: combined in the same claim, counted, linked, exported, and the same in SPARQL."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, expect
from pyoxigraph import DefaultGraph, NamedNode, QuerySolutions, RdfFormat, Store, parse
from tests.site.older import older

from kg import build
from kg.config import load
from kg.release import Release
from kg.site import create_app
from kg.site.components import facets
from kg.site.pages import browse

Read = Callable[[str], Any]
BASE = "http://localhost:8000/"


def found(client: FlaskClient, address: str) -> dict[str, Any]:
    response = client.get(address, headers={"Accept": "application/json"})
    assert response.status_code == 200
    assert response.json is not None
    return dict(response.json)


def local(answer: dict[str, Any]) -> set[str]:
    return {row["iri"].removeprefix(BASE) for row in answer["results"]}


def test_choices_are_combined_within_one_claim(voyage_client: FlaskClient) -> None:
    alleged = local(found(voyage_client, "/browse?modality=ontology%23alleged&document=document/voyage"))
    assert alleged == {"id/grounding", "id/petrel", "id/call-time"}
    # The writer of the log mentions the Petrel, and a sailor alleges something of it: no claim is both.
    both = found(voyage_client, "/browse?modality=ontology%23alleged&speaker=id/log-author")
    assert (both["count"], both["results"]) == (0, [])


@pytest.mark.parametrize("modality", ["ontology%23alleged", "kg:alleged", "alleged", BASE + "ontology%23alleged"])
@pytest.mark.parametrize("document", ["document/voyage", "doc:voyage", "voyage", BASE + "document/voyage"])
def test_values_are_taken_in_any_of_the_ways_in_which_people_write_them(
    modality: str, document: str, voyage_client: FlaskClient
) -> None:
    chosen = f"modality={modality}&document={document}"
    assert local(found(voyage_client, f"/browse?{chosen}")) == {"id/grounding", "id/petrel", "id/call-time"}
    assert local(found(voyage_client, f"/search?q=petrel&kind=thing&{chosen}")) == {"id/petrel", "id/grounding"}


def test_the_name_of_a_thing_or_a_class_is_enough(voyage_client: FlaskClient) -> None:
    for full, name in (("speaker=id/sailor", "speaker=sailor"), ("kind=ontology%23Event", "kind=Event")):
        assert local(found(voyage_client, f"/browse?{full}")) == local(found(voyage_client, f"/browse?{name}")) != set()


def test_values_of_one_facet_are_alternatives(voyage_client: FlaskClient) -> None:
    either = found(voyage_client, "/browse?modality=ontology%23alleged&modality=ontology%23planned&show=claims")
    assert local(either) == {"claim/voyage/3", "claim/voyage/4", "claim/gazette/2", "claim/gazette/4"}


def test_kinds_include_those_below(voyage_client: FlaskClient) -> None:
    assert local(found(voyage_client, "/browse?kind=ontology%23Prospect")) == {"id/return", "id/fifth-crane"}
    places = local(found(voyage_client, "/browse?kind=http://schema.org/Place"))
    assert {"id/road", "id/qalat", "id/lindmar", "id/north-pier", "id/south-pier"} <= places


def test_places_and_years_are_those_of_things(voyage_client: FlaskClient) -> None:
    assert local(found(voyage_client, "/browse?place=id/road")) == {"id/road", "id/departure", "id/return"}
    assert local(found(voyage_client, "/browse?year=2022")) == {"id/return"}
    assert local(found(voyage_client, "/browse?year=1991&year=2022")) == {"id/return", "id/petrel"}


def test_what_is_chosen_is_counted_however_rare_and_a_list_that_is_cut_says_so(
    voyage_client: FlaskClient, read_voyage: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    rarest = found(voyage_client, "/browse")["facets"]["document"][-1]
    monkeypatch.setattr(facets, "MOST_VALUES", 1)
    monkeypatch.setattr(browse, "SHOWN", 0)
    short = rarest["value"].removeprefix(BASE)
    assert found(voyage_client, f"/browse?document={short}")["facets"]["document"] == [rarest]
    text = read_voyage("/browse").all("section", class_="facet")[1].text
    assert "There are more than these 1, the most frequent." in text
    assert "0 more" not in text


def test_values_have_names_in_json_as_on_the_page(
    voyage_client: FlaskClient, read_voyage: Callable[[str], Any]
) -> None:
    of_facet = found(voyage_client, "/browse?show=claims")["facets"]
    shown = read_voyage("/browse?show=claims").all("aside", class_="facets")[0].text
    for facet in ("kind", "document", "speaker", "modality", "place"):
        assert of_facet[facet]
        for value in of_facet[facet]:
            assert value["label"] in shown
            assert set(value) == {"value", "label", "language", "count"}


def test_every_count_is_what_the_choice_then_gives(voyage_client: FlaskClient) -> None:
    compared = 0
    for show in ("things", "claims"):
        for start in ("", "&document=document/voyage", "&kind=ontology%23Event&basis=ontology%23stated"):
            page = found(voyage_client, f"/browse?show={show}{start}")
            for facet, values in page["facets"].items():
                if f"&{facet}=" in start:
                    continue
                for value in values:
                    query = {facet: value["value"], "show": show}
                    chosen = {**{k: v[0] for k, v in parse_qs(start).items()}, **query}
                    answer = voyage_client.get("/browse.json", query_string=chosen).json
                    assert answer is not None
                    assert answer["count"] == value["count"], (start, facet, value)
                    compared += 1
    assert compared > 100


def test_every_offered_choice_is_a_link_that_works(read_voyage: Read, voyage_client: FlaskClient) -> None:
    page = read_voyage("/browse?document=document/voyage")
    links = [a.attributes["href"] for a in page.all("aside", class_="facets")[0].all("a")]
    assert len(links) > 15
    for href in links:
        assert voyage_client.get("/browse" + href).status_code == 200, href
    (chosen,) = page.all("aside", class_="facets")[0].all("a", class_="chosen")
    assert "document" not in parse_qs(urlsplit(chosen.attributes["href"]).query)


@pytest.fixture(scope="module")
def dataset_app(dataset: Path) -> Flask:
    return create_app(Release.open(dataset / "releases/current"), load(dataset))


@pytest.mark.parametrize(
    "choice",
    [
        "",
        "modality=ontology%23planned",
        "kind=ontology%23Event&year=2020",
        "kind=ontology%23Prospect&basis=ontology%23stated&speaker=id/report-author",
        "place=id/al-qaim-base",
        "place=id/camp-taji&place=id/kirkuk",
        "year=2020",
        "document=document/editorial-note&kind=http://schema.org/Place",
        "speaker=id/bbc&modality=ontology%23planned&modality=ontology%23alleged",
        "kind=ontology%23Nothing",
        "place=id/not-there&year=1066",
        "kind=a%3Eb%7D%20%23",
    ],
)
@pytest.mark.parametrize("show", ["things", "claims"])
def test_the_query_in_sparql_finds_the_same(dataset_app: Flask, everything: Store, choice: str, show: str) -> None:
    answer = found(dataset_app.test_client(), f"/browse?show={show}&{choice}")
    solutions = everything.query(answer["sparql"])
    assert isinstance(solutions, QuerySolutions)
    assert {solution[0].value for solution in solutions} == {row["iri"] for row in answer["results"]}
    assert answer["count"] == len(answer["results"])


@pytest.fixture(scope="module")
def fair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Flask, Store]:
    """Three reports of one fair, the third made from the first: its site, and its data in an engine."""
    root = tmp_path_factory.mktemp("fair") / "fair"
    shutil.copytree(Path(__file__).resolve().parent.parent / "fixtures/fair", root)
    shutil.copy(Path(__file__).resolve().parent.parent.parent / "ontology/kg.ttl", root / "ontology")
    made, findings = build.build(load(root))
    assert made is not None, [str(finding) for finding in findings]
    store = Store()
    store.bulk_extend(parse(path=str(made.path / "dumps/all.nq"), format=RdfFormat.N_QUADS))
    return create_app(made, load(root)), store


def test_what_derives_from_another_is_not_counted_again(fair: tuple[Flask, Store]) -> None:
    """All three reports say twelve stalls, and the third has it from the first: that makes two."""
    client = fair[0].test_client()
    assert local(found(client, "/browse?show=claims&independent=2")) == {
        "claim/courier/2",
        "claim/observer/2",
        "claim/digest/2",
    }
    assert local(found(client, "/browse?independent=2")) == {"id/ostby-fair"}
    assert found(client, "/browse?show=claims&independent=3")["count"] == 0
    every = found(client, "/browse?show=claims")
    assert every["facets"]["independent"] == [
        {"value": "1", "count": every["count"] - 3},
        {"value": "2", "count": 3},
    ]


@pytest.mark.parametrize("choice", ["independent=2", "independent=1", "independent=1&independent=2", "independent=7"])
@pytest.mark.parametrize("more", ["", "&document=document/observer", "&speaker=id/ida-vik&kind=ontology/fair%23Fair"])
@pytest.mark.parametrize("show", ["things", "claims"])
def test_sparql_counts_independent_documents_alike(
    fair: tuple[Flask, Store], choice: str, more: str, show: str
) -> None:
    app, store = fair
    answer = found(app.test_client(), f"/browse?show={show}&{choice}{more}")
    solutions = store.query(answer["sparql"])
    assert isinstance(solutions, QuerySolutions)
    assert {solution[0].value for solution in solutions} == {row["iri"] for row in answer["results"]}
    assert answer["count"] == len(answer["results"])


def test_the_page_offers_what_several_documents_state(fair: tuple[Flask, Store]) -> None:
    """And nothing where none is stated by several."""
    assert "Independent documents" in fair[0].test_client().get("/browse").text
    alone = fair[0].test_client().get("/browse?speaker=id/ida-vik").text
    assert "Independent documents" not in alone


def test_a_release_from_before_this_was_counted_is_browsed_without(fair: tuple[Flask, Store], tmp_path: Path) -> None:
    without = "DROP INDEX claim_independent; ALTER TABLE claim DROP COLUMN independent;"
    app = older(fair[0].extensions["kg"], tmp_path / "release", without)
    assert found(app.test_client(), "/browse?independent=2")["facets"]["independent"] == []
    assert app.test_client().get("/browse?show=claims&independent=2").status_code == 200


MANY_CHOICES = [
    "",
    "modality=ontology%23planned",
    "modality=ontology%23planned&modality=ontology%23asserted&basis=ontology%23stated",
    "kind=ontology%23Event&year=2020",
    "kind=ontology%23Prospect&speaker=id/report-author",
    "kind=http://schema.org/Place",
    "place=id/camp-taji&place=id/kirkuk",
    "document=document/editorial-note&kind=http://schema.org/Place",
    "independent=1",
    "independent=2&independent=7",
    "kind=ontology%23Nothing&year=1066",
    "sort=name",
    "sort=text&basis=ontology%23stated",
]


@pytest.mark.parametrize("choice", MANY_CHOICES)
@pytest.mark.parametrize("show", ["things", "claims"])
def test_bits_count_what_sql_counts(
    dataset_app: Flask, fair: tuple[Flask, Store], choice: str, show: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a release of many pairs their bits are counted; whatever is chosen, that is the same."""
    for app in (dataset_app, fair[0]):
        by_sql = found(create_again(app), f"/browse?show={show}&{choice}")
        with monkeypatch.context() as patched:
            patched.setattr(facets, "FEW", -1)
            patched.setattr(facets, "FREQUENT", facets.MOST_VALUES)
            by_bits = found(create_again(app), f"/browse?show={show}&{choice}")
        assert by_bits == by_sql


def create_again(app: Flask) -> FlaskClient:
    """A client of the same site that remembers no answer."""
    site = app.extensions["kg"]
    return create_app(site.release, site.config).test_client()


@pytest.mark.parametrize("order", ["", "text"])
def test_pages_of_many_pairs_go_on_where_the_one_before_ends(
    order: str, dataset_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = create_again(dataset_app).application.extensions["kg"]
    chosen = facets.Chosen("claims", {"basis": (BASE + "ontology#stated",)}, order)
    every = facets.Counts(site, chosen).results(1_000, 0)
    monkeypatch.setattr(facets, "FEW", -1)
    counts = facets.Counts(site, chosen)
    assert [iri for at in range(0, len(every), 7) for iri in counts.results(7, at)] == every
    assert (counts.results(7, len(every)), len(every) > 50) == ([], True)


def test_of_many_values_the_most_frequent_are_counted_and_what_is_chosen(
    dataset_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facets, "FEW", -1)
    monkeypatch.setattr(facets, "FREQUENT", 3)
    answer = found(create_again(dataset_app), "/browse?place=id/kirkuk")
    assert len(answer["facets"]["place"]) == 4
    assert {"value": BASE + "id/kirkuk", "count": answer["count"]}.items() <= answer["facets"]["place"][-1].items()
    assert "the most frequent" in create_again(dataset_app).get("/browse?place=id/kirkuk").text


def test_a_release_from_before_there_were_bits_is_browsed_all_the_same(
    fair: tuple[Flask, Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = "DROP TABLE bits; ALTER TABLE mention DROP COLUMN at; ALTER TABLE mention DROP COLUMN beside;"
    monkeypatch.setattr(facets, "FEW", -1)
    app = older(fair[0].extensions["kg"], tmp_path / "release", without)
    assert found(app.test_client(), "/browse") == found(create_again(fair[0]), "/browse")


def test_what_is_chosen_leaves_as_csv(voyage_client: FlaskClient) -> None:
    response = voyage_client.get("/browse.csv?show=claims&modality=ontology%23alleged&document=document/voyage")
    assert response.content_type == "text/csv; charset=utf-8"
    assert list(csv.DictReader(io.StringIO(response.text))) == [
        {
            "iri": BASE + "claim/voyage/4",
            "label": "The Petrel ran aground, says a sailor.",
            "language": "en",
            "document": BASE + "document/voyage",
            "speaker": BASE + "id/sailor",
            "modality": BASE + "ontology#alleged",
            "basis": BASE + "ontology#stated",
            "status": "reported",
        }
    ]


@pytest.mark.parametrize(
    "odd", ["kind=%00", "year=x", "year=99999999999", "kind=" + "a" * 3000, "show=x", "place=%3Cscript%3E", "year=²"]
)
def test_odd_addresses_are_no_error(voyage_client: FlaskClient, odd: str) -> None:
    for path in ("/browse", "/browse.json", "/browse.csv"):
        assert voyage_client.get(f"{path}?{odd}").status_code == 200


def test_pages_that_are_not_there_are_not_found(voyage_client: FlaskClient) -> None:
    assert voyage_client.get("/browse?page=2").status_code == 404


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_choosing_and_leaving_out_works_without_scripts(browser: Browser, voyage_address: str, width: int) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": width, "height": 800})
    tab = context.new_page()
    tab.goto(voyage_address + "browse")
    tab.locator(".facets").get_by_role("link", name="planned").click()
    expect(tab).to_have_url(re.compile("modality=ontology%23planned"))
    heading = tab.get_by_role("heading", level=2).first
    before = heading.text_content() or ""
    tab.get_by_role("link", name="Claims", exact=True).nth(1).click()
    expect(heading).not_to_have_text(before)
    tab.locator(".active").get_by_role("link", name="planned").click()
    expect(tab).to_have_url(re.compile(r"\?show=claims$"))
    context.close()


@pytest.mark.browser
def test_a_long_facet_is_searched_while_one_types(tab: Page, extreme_address: str) -> None:
    tab.goto(extreme_address + "browse")
    facet = tab.get_by_role("region", name="Place", exact=True)
    facet.locator("summary").click()
    links = facet.locator("details li")
    every = links.count()
    field = facet.get_by_role("searchbox", name="Find among these")
    field.fill("qal'at SALIH")
    expect(links.filter(visible=True)).to_have_count(1)
    expect(facet.get_by_role("status")).to_have_text("1 of them is left")
    field.fill("")
    expect(links.filter(visible=True)).to_have_count(every)


def test_things_come_in_the_order_that_the_page_names(voyage_app: Flask, voyage_client: FlaskClient) -> None:
    store = voyage_app.extensions["kg"].local
    mentions = NamedNode(BASE + "ontology#mentions")
    things = [row["iri"] for row in found(voyage_client, "/browse")["results"]]
    claims = [len(list(store.quads(None, mentions, NamedNode(iri), DefaultGraph()))) for iri in things]
    assert claims == sorted(claims, reverse=True)
    assert claims[0] > claims[-1]
    said = '<strong aria-current="true">the most mentioned first</strong>'
    assert said in voyage_client.get("/browse", headers={"Accept": "text/html"}).text
    assert said not in voyage_client.get("/browse?show=claims", headers={"Accept": "text/html"}).text


def test_things_come_by_name_where_somebody_wants_that(read_voyage: Read, voyage_client: FlaskClient) -> None:
    usual, by_name = (found(voyage_client, f"/browse?{sort}")["results"] for sort in ("", "sort=name"))
    labels = [row["label"].lower() for row in by_name]
    assert labels == sorted(labels)
    assert sorted(row["iri"] for row in usual) == sorted(row["iri"] for row in by_name)
    assert usual != by_name
    assert found(voyage_client, "/browse?sort=nonsense")["results"] == usual
    page = read_voyage("/browse?sort=name&kind=http://schema.org/Place")
    assert [strong.text for strong in page.all("strong")] == ["Things", "by name"]
    (back,) = [a.attributes["href"] for a in page.all("a") if a.text == "the most mentioned first"]
    assert back == "?kind=http://schema.org/Place"
    # Every other choice keeps the order, and so does what leaves the page.
    leading = [a.attributes["href"] for a in page.all("aside")[0].all("a")]
    leading += [a.attributes["href"] for a in page.all("a", rel="alternate")]
    assert len(leading) > 10
    assert all("sort=name" in href for href in leading)


def test_claims_come_as_the_texts_have_them_where_somebody_wants_that(dataset_app: Flask, voyage_app: Flask) -> None:
    for app in (dataset_app, voyage_app):
        site = app.extensions["kg"]
        documents = sorted(site.release.report["documents"])
        wanted = [iri for document in documents for iri in site.evidence.of_document(document)]
        answer = found(create_again(app), "/browse?show=claims&sort=text")
        mentioning = {row["iri"] for row in answer["results"]}
        assert [row["iri"] for row in answer["results"]] == [iri for iri in wanted if iri in mentioning]
        assert len(mentioning) > 5
