"""Hostile words in everything that is not a page, and numbers that pages have to bear.

What pages make of the same words is looked at in a browser: :mod:`tests.site.test_kinds`.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient
from tests.site import extreme, kinds
from tests.site.conftest import _Client
from tests.site.test_pages import rows, sections
from werkzeug.http import parse_options_header

from kg.config import load
from kg.release import Release
from kg.site import create_app

ATOM = "{http://www.w3.org/2005/Atom}"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def site(extreme_project: Path) -> FlaskClient:
    app = create_app(Release.open(extreme_project / "releases/current"), load(extreme_project))
    return _Client(app, use_cookies=False)


@pytest.fixture(scope="module")
def page(site: FlaskClient, read_html: Callable[[str], Any]) -> Callable[[str], Any]:
    """Reads a page of the extreme project as a tree."""
    return lambda path: read_html(site.get(path, headers={"Accept": "text/html"}).text)


# Numbers


def test_who_says_it_stands_beside_the_values_of_a_thing_with_more_than_a_page_looks_at(
    page: Callable[[str], Any],
) -> None:
    found = sections(page("/page/quay"))
    ((values, lines),) = rows(found["stated"])["value"]
    assert values.startswith("value 0value 1value 2")
    assert lines == ["asserted · stated <img src=x onerror=alert(1)> extreme, ¶ 1, sentence 2"]
    assert "value" not in rows(found["unclaimed"])


def test_ten_thousand_values_are_all_there_a_page_at_a_time(page: Callable[[str], Any]) -> None:
    first = page("/page/quay?values=http://localhost:8000/ontology/extreme%23value")
    assert first.all("span", class_="count")[0].text == f"{extreme.VALUES:,}"
    assert "of 100" in first.all("nav", class_="pager")[0].text
    last = page("/page/quay?values=http://localhost:8000/ontology/extreme%23value&page=100")
    assert len(last.all("ul", class_="values")[0].all("div", class_="value")[0].all("div")) == 100


def test_a_letter_leads_to_the_first_name_that_begins_with_it(page: Callable[[str], Any]) -> None:
    letters = page("/things").all("nav", class_="letters")[0].all("a")
    assert len(letters) > 3
    assert sorted(a.text for a in letters) == sorted({a.text for a in letters})
    for letter in letters:
        address, _, place = letter.attributes["href"].partition("#")
        (item,) = page("/things" + address).all("li", id=place)
        first = item.all("div", class_="gloss")[0].text[0].upper()
        assert first == letter.text or (letter.text == "0–9" and first.isdigit())
    # Who looks at a later page finds the letters there, too.
    assert len(page("/things?page=2").all("nav", class_="letters")[0].all("a")) == len(letters)


def test_three_thousand_things_of_a_class_are_counted_and_paged(page: Callable[[str], Any]) -> None:
    found = page("/class/x:Thing")
    count = int(re.sub(r"\D", "", found.all("h2")[0].text))
    assert count > extreme.CROWD
    assert f"of {-(-count // 100)}" in found.all("nav", class_="pager")[0].text


def test_a_label_of_a_megabyte_is_cut_and_the_data_has_all_of_it(site: FlaskClient, page: Callable[[str], Any]) -> None:
    assert len(page("/page/megabyte").all("h1")[0].text) == 300
    assert len(site.get("/data/megabyte.nt").text) > extreme.MEGABYTE


def test_a_thing_of_which_nothing_is_said_has_a_page(page: Callable[[str], Any]) -> None:
    assert page("/page/nothing").all("h1")[0].text == "a thing of which nothing is said"


# Words where no page is


def test_data_about_the_dataset_inside_the_home_page_is_data(page: Callable[[str], Any]) -> None:
    (script,) = page("/").all("script", type="application/ld+json")
    found = json.loads(script.text)
    assert (found["name"], found["description"]) == (extreme.HOSTILE["script"], extreme.HOSTILE["drawing"])
    assert "<" not in script.text


def test_the_feed_is_text_in_well_formed_xml(site: FlaskClient) -> None:
    feed = ElementTree.fromstring(site.get("/releases/feed.atom").data)
    assert feed.findtext(f"{ATOM}title") == f"{extreme.HOSTILE['script']}: releases"
    assert feed.findtext(f"{ATOM}author/{ATOM}name") == extreme.HOSTILE["attribute"]
    assert {element.tag.removeprefix(ATOM) for element in feed.iter()} == {
        *("feed", "title", "id", "link", "updated", "author", "name", "entry", "summary", "content"),
    }
    assert {e.get("type") for e in feed.iter(f"{ATOM}content")} == {"text"}


@pytest.mark.parametrize("path", ["/map/land.svg", "/badge.svg?of=facts", "/favicon.svg"])
def test_a_picture_has_nothing_that_runs(path: str, site: FlaskClient) -> None:
    picture = ElementTree.fromstring(site.get(path).data)
    names = {element.tag.removeprefix(SVG) for element in picture.iter()}
    assert not names & {"script", "foreignObject", "image", "use", "a", "set", "animate"}
    assert not [name for element in picture.iter() for name in element.attrib if name.startswith("on")]


@pytest.mark.parametrize("name", ["quay", *(f"h-{name}" for name in extreme.HOSTILE)])
def test_rdf_xml_is_well_formed(name: str, site: FlaskClient) -> None:
    ElementTree.fromstring(site.get(f"/data/{name}.rdf").data)


def test_a_cell_of_a_csv_is_the_label_as_it_is(site: FlaskClient, extreme_project: Path) -> None:
    found = list(csv.DictReader(io.StringIO(site.get("/browse.csv").text, newline="")))
    labels = {row["iri"].rpartition("/")[2]: row["label"] for row in found}
    assert {name: labels[f"h-{name}"] for name in extreme.HOSTILE} == extreme.HOSTILE
    dump = extreme_project / "releases/current/dumps/claims.csv"
    with dump.open(encoding="utf-8", newline="") as file:
        glosses = {row["claim"].rpartition("extreme/")[2]: row["gloss"] for row in csv.DictReader(file)}
    assert glosses["9"] == extreme.HOSTILE["header"]


@pytest.mark.parametrize("path", kinds.paths(kinds.EXTREME))
def test_no_header_says_what_the_data_wants(path: str, site: FlaskClient) -> None:
    headers = site.get(path, headers={"Accept": "text/html"}).headers
    assert "Set-Cookie" not in headers
    for name, value in headers:
        assert value.isascii(), name
        assert "evil" not in value, name
        assert not re.search(r"[\r\n]", value), name
    assert set(re.findall(r'rel="([^"]*)"', headers.get("Link", ""))) <= {
        *("cite-as", "type", "describedby", "item", "alternate", "canonical", "linkset", "author", "license"),
        *("profile", "original", "timegate", "timemap", "memento", "prev", "next", "first", "last", "self"),
    }


@pytest.mark.parametrize("wanted", ['x"; filename="evil.exe', "csv\r\nX-Evil: 1", "../csv", "csv;evil", "\u202ecsv"])
def test_a_file_is_named_by_us(wanted: str, site: FlaskClient) -> None:
    query = {"query": "SELECT * { ?s ?p ?o } LIMIT 1"}
    answer = site.get("/sparql", query_string={**query, "as": wanted})
    assert {"Content-Disposition", "X-Evil"} & set(answer.headers.keys()) == set()
    fine = site.get("/sparql", query_string={**query, "as": "csv"})
    assert parse_options_header(fine.headers["Content-Disposition"]) == ("attachment", {"filename": "answer.csv"})


def test_suggestions_and_found_things_are_json_that_no_browser_takes_for_a_page(site: FlaskClient) -> None:
    for path in ("/search/suggest?q=img", "/search.json?q=onerror", "/browse.json", "/map.json", "/timeline.json"):
        answer = site.get(path)
        assert json.loads(answer.data)
        assert "json" in answer.content_type
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
