"""Search: names in every language and spelling, the best first, filtered, as a page, as JSON, and while typing."""

from __future__ import annotations

import sqlite3
import xml.etree.ElementTree as ET
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, expect
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad

from kg import build, vocab, words
from kg.build.writing.index import write_index
from kg.config import load
from kg.site.lookups import index
from kg.site.lookups.database import Database

Read = Callable[[str], Any]


def found(client: FlaskClient, **asked: str) -> list[str]:
    """Local parts of the IRIs of what a search finds."""
    response = client.get("/search.json", query_string=asked)
    assert response.status_code == 200
    assert response.json is not None
    return [result["iri"].removeprefix("http://localhost:8000/") for result in response.json["results"]]


@pytest.mark.parametrize("text", ["Qal'at Salih", "qalat", "Qalʿat Sālih", "QAL’AT", "qal sal", "قلعة", "قلعه صالح"])
def test_spelling_marks_and_script_do_not_stand_in_the_way(voyage_client: FlaskClient, text: str) -> None:
    assert found(voyage_client, q=text)[0] == "id/qalat"


@pytest.mark.parametrize("text", ["Sturmvogel", "petrell", "PETREL", "sturm"])
def test_other_and_hidden_names_are_found(voyage_client: FlaskClient, text: str) -> None:
    assert "id/petrel" in found(voyage_client, q=text)


@pytest.mark.parametrize(("text", "thing"), [("Kalat Saleh", "id/qalat"), ("Pétraille", "id/petrel")])
def test_what_sounds_alike_is_found_where_nothing_else_is(voyage_client: FlaskClient, text: str, thing: str) -> None:
    assert thing in found(voyage_client, q=text)


@pytest.mark.parametrize("text", ["ports", "northing ports", "Porting"])
def test_words_in_other_forms_are_found_where_nothing_else_is(indexed: Callable[[list[str]], Any], text: str) -> None:
    site = indexed(["the northern port", "a harbour"])
    assert [(hit.iri[-1], hit.step) for hit in index.search(site, text).hits] == [("0", index.FORMS)]


def test_words_in_other_forms_do_not_stand_between_those_that_were_typed(indexed: Callable[[list[str]], Any]) -> None:
    site = indexed(["the northern port", "the ports"])
    assert [hit.iri[-1] for hit in index.search(site, "ports").hits] == ["1"]


def test_a_question_finds_words_in_other_forms_too(indexed: Callable[[list[str]], Any]) -> None:
    site = indexed(["the vote on the pier", "a harbour"])
    assert [(hit.iri[-1], hit.step) for hit in index.search(site, "who votes where").hits] == [("0", index.SOME)]


def test_a_question_finds_what_has_the_most_of_its_words(voyage_client: FlaskClient) -> None:
    asked = {"q": "Was the Sturmvogel quarrelsome?"}
    assert found(voyage_client, **asked)[0] == "id/petrel"
    answer = voyage_client.get("/search.json", query_string=asked).json
    assert answer is not None
    assert answer["all_words"] is False
    assert "some of them" in voyage_client.get("/search", query_string=asked).text
    assert found(voyage_client, q="quarrelsome admirals") == []


def test_the_name_itself_comes_before_names_that_begin_with_it_and_those_before_other_words(
    voyage_client: FlaskClient,
) -> None:
    order = found(voyage_client, q="the north pier")
    assert order[0] == "id/north-pier"
    order = found(voyage_client, q="pier")
    assert order.index("id/north-pier") < order.index("claim/gazette/1")
    assert order.index("id/north-pier") < order.index("id/sinking") < order.index("claim/gazette/5")


@pytest.fixture
def indexed(tmp_path: Path) -> Callable[[list[str]], Any]:
    """The index of things with these names, for searches."""

    def write(names: list[str]) -> Any:
        label, default = NamedNode(vocab.RDFS_LABEL), DefaultGraph()
        quads = [
            Quad(NamedNode(f"http://localhost:8000/id/{n:05}"), label, Literal(name, language="en"), default)
            for n, name in enumerate(names)
        ]
        write_index(tmp_path / "search.sqlite", quads, vocab.Names("http://localhost:8000/"))
        return SimpleNamespace(index=Database(tmp_path / "search.sqlite"), config=SimpleNamespace(language="en"))

    return write


def test_whole_words_come_before_words_that_only_begin_so(indexed: Callable[[list[str]], Any]) -> None:
    site = indexed(["a northern port", "a port in the north", "the port of Northby", "the north port"])
    hits = index.search(site, "port north").hits
    assert [hit.iri[-1] for hit in hits] == ["1", "3", "0", "2"]


def test_a_name_that_very_many_share_is_cut_and_says_so(indexed: Callable[[list[str]], Any]) -> None:
    site = indexed(["the square"] * 1_500 + ["square"])
    found = index.search(site, "the square")
    assert (len(found.hits), found.cut) == (index.MOST, True)
    assert {hit.step for hit in found.hits} == {index.EXACT}
    assert len({hit.iri for hit in found.hits}) == index.MOST


def test_filters_narrow_what_is_found_and_go_together(voyage_client: FlaskClient) -> None:
    everything = set(found(voyage_client, q="petrel"))
    assert {"id/petrel", "id/return", "id/grounding", "claim/voyage/4", "document/voyage"} <= everything
    assert set(found(voyage_client, q="petrel", kind="document")) == {"document/voyage"}
    assert set(found(voyage_client, q="petrel", modality="alleged")) == {"id/petrel", "id/grounding", "claim/voyage/4"}
    assert set(found(voyage_client, q="petrel", modality="alleged", kind="claim")) == {"claim/voyage/4"}
    assert set(found(voyage_client, q="petrel", year="2022")) == {"id/return", "claim/voyage/3"}
    assert set(found(voyage_client, q="pier", document="closed")) == {"id/north-pier"}
    assert found(voyage_client, q="pier", document="nothing-of-the-kind") == []


def test_a_filter_is_shown_whatever_the_form_offers(read_voyage: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    def options(name: str, address: str) -> list[tuple[str, str, bool]]:
        found = read_voyage(address).all("select", id=name)[0].all("option")
        return [(o.attributes["value"], o.text, "selected" in o.attributes) for o in found[1:]]

    years = [value for value, *_ in options("year", "/search?q=pier")]
    assert years == sorted(years, reverse=True)
    # Not among those that are offered, and before our era.
    assert options("year", "/search?q=pier&year=-43")[-1] == ("-43", "44 BC", True)
    assert options("document", "/search?q=pier&document=elsewhere")[-1][::2] == ("elsewhere", True)


@pytest.mark.parametrize("text", ["Petrel's", "the Petrel’s", "l'Petrel", "Pétrel's"])
def test_what_an_apostrophe_joins_to_a_name_does_not_stand_in_the_way(voyage_client: FlaskClient, text: str) -> None:
    assert "id/petrel" in found(voyage_client, q=text)


def test_a_page_shows_the_name_that_was_found_where_it_is_not_the_label(read_voyage: Read) -> None:
    (first, *_) = read_voyage("/search?q=Sturmvogel").all("ol")[0].all("li")
    assert first.all("bdi", lang="de")[0].text == "Sturmvogel"
    assert "the Petrel" in first.text


def test_the_same_address_gives_json_to_programs(voyage_client: FlaskClient) -> None:
    response = voyage_client.get("/search?q=sturmv", headers={"Accept": "application/json"})
    assert response.content_type == "application/json"
    assert "Accept" in response.headers["Vary"]
    assert '<./search.html?q=sturmv>; rel="alternate"; type="text/html"' in response.headers["Link"]
    assert response.json == {
        "query": "sturmv",
        "filters": {},
        "all_words": True,
        "count": 1,
        "more": False,
        "pages": 1,
        "results": [
            {
                "iri": "http://localhost:8000/id/petrel",
                "page": "page/petrel",
                "kind": "thing",
                "label": "the Petrel",
                "language": "en",
                "matched": {"label": "Sturmvogel", "language": "de"},
            }
        ],
    }


def test_programs_say_how_many_a_page_has(voyage_client: FlaskClient) -> None:
    """``pages`` counts such pages, so that a program that follows them misses nothing."""

    def answer(more: str) -> Any:
        return voyage_client.get(f"/search.json?q=the{more}").json

    whole = answer("")
    assert whole["count"] == len(whole["results"]) > 5
    assert whole["pages"] == 1
    pages = answer("&limit=3")["pages"]
    assert pages == -(-whole["count"] // 3)
    found = [hit for page in range(1, pages + 1) for hit in answer(f"&limit=3&page={page}")["results"]]
    assert found == whole["results"]
    assert voyage_client.get(f"/search.json?q=the&limit=3&page={pages + 1}").status_code == 404
    assert (answer("&limit=0")["results"], answer("&limit=0")["count"]) == ([], whole["count"])
    for odd in ("-1", "x", "100000", "99999999999", "²"):
        assert answer(f"&limit={odd}") == whole


def test_browsers_can_search_from_their_address_bar(voyage_client: FlaskClient) -> None:
    assert 'rel="search" type="application/opensearchdescription+xml"' in voyage_client.get("/").text
    response = voyage_client.get("/opensearch.xml")
    namespace = "{http://a9.com/-/spec/opensearch/1.1/}"
    tree = ET.fromstring(response.data)
    name = tree.find(f"{namespace}ShortName")
    assert name is not None
    assert len(name.text or "") <= 16
    templates = {url.get("type"): url.get("template") for url in tree.findall(f"{namespace}Url")}
    assert templates["text/html"] == "http://localhost:8000/search?q={searchTerms}"
    asked, labels, kinds, pages = voyage_client.get("/search/suggest?q=qal").json  # type: ignore[misc]
    assert asked == "qal"
    assert (labels[0], kinds[0], pages[0]) == ("Qal'at Sālih", "Thing", "http://localhost:8000/page/qalat")


@pytest.mark.parametrize(
    "text", ['"', "NEAR(a b)", "label:pier*", "a AND", "-", "🜨", "𞤀𞤣a", "\0", "a" * 500, "x " * 300]
)
def test_nothing_that_is_typed_is_an_error(voyage_client: FlaskClient, text: str) -> None:
    found(voyage_client, q=text)
    assert voyage_client.get("/search", query_string={"q": text}).status_code == 200


def test_the_same_sources_give_the_same_bytes(voyage: Path, tmp_path: Path) -> None:
    first = (voyage / "releases/current/search.sqlite").read_bytes()
    made, _ = build.build(load(voyage))
    assert made is not None
    assert (made.path / "search.sqlite").read_bytes() == first


def test_the_index_has_every_thing_claim_document_and_term(voyage: Path) -> None:
    with closing(sqlite3.connect(voyage / "releases/current/search.sqlite")) as database:
        kinds = dict(database.execute("SELECT kind, count(*) FROM entry GROUP BY kind"))
    assert set(kinds) == {"thing", "claim", "document", "term"}
    assert (kinds["claim"], kinds["document"]) == (16, 4)


def test_words_fold_the_same_way_whatever_the_normal_form() -> None:
    assert words.words("Ca\u0301fe\u0301") == words.words("CÁFÉ") == ["cafe"]
    assert words.words("٢٠٢٠") == ["2020"]


@pytest.mark.browser
class TestSuggestions:
    """While typing, in a real browser."""

    def test_arrows_choose_enter_opens_escape_closes(self, tab: Page, voyage_address: str) -> None:
        tab.goto(voyage_address)
        field = tab.get_by_role("combobox", name="Search")
        field.press_sequentially("petr")
        options = tab.get_by_role("option")
        expect(options.first).to_contain_text("the Petrel")
        expect(field).to_have_attribute("aria-expanded", "true")
        field.press("ArrowDown")
        expect(options.first).to_have_attribute("aria-selected", "true")
        expect(field).to_have_attribute("aria-activedescendant", options.first.get_attribute("id") or "")
        field.press("Escape")
        expect(field).to_have_attribute("aria-expanded", "false")
        assert field.input_value() == "petr"
        field.press("ArrowDown")
        expect(options.first).to_be_visible()
        field.press("ArrowDown")
        field.press("Enter")
        tab.wait_for_url("**/page/petrel")

    def test_enter_without_a_choice_searches(self, tab: Page, voyage_address: str) -> None:
        tab.goto(voyage_address + "page/petrel")
        field = tab.get_by_role("combobox", name="Search")
        field.fill("petrel")
        expect(tab.get_by_role("option").first).to_be_visible()
        field.press("Enter")
        tab.wait_for_url("**/search?q=petrel")
        expect(tab.get_by_role("heading", level=2)).to_contain_text("found")

    def test_hostile_names_are_text(self, tab: Page, voyage_address: str) -> None:
        said: list[str] = []
        tab.on("console", lambda message: said.append(message.text))
        tab.goto(voyage_address)
        tab.get_by_role("combobox", name="Search").press_sequentially("onerr")
        expect(tab.get_by_role("option").first).to_contain_text("<img src=x onerror=alert(1)>")
        assert said == []

    def test_the_list_fits_a_phone(self, browser: Browser, voyage_address: str) -> None:
        tab = browser.new_page(viewport={"width": 360, "height": 740})
        tab.goto(voyage_address + "search")
        tab.get_by_label("Words, or how they begin").press_sequentially("the")
        box = tab.get_by_role("listbox").bounding_box()
        over = tab.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        tab.close()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
        assert over <= 0


@pytest.mark.parametrize("path", ["/", "/search?q=x"])
def test_what_is_typed_runs_as_its_script_does(path: str, read_voyage: Read) -> None:
    fields = read_voyage(path).all("input", type="search")
    assert fields
    assert {field.attributes.get("dir") for field in fields} == {"auto"}
