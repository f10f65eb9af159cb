"""Where sources differ and agree: beside the values, on lists of their own, and in every format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pyoxigraph import NamedNode, RdfFormat, parse

from kg import build
from kg.config import load
from kg.media import RDF
from kg.site import create_app
from kg.site.pages import disagreements

Read = Callable[[str], Any]
BASE = "http://localhost:8000/"


@pytest.fixture(scope="module")
def fair(tmp_path_factory: pytest.TempPathFactory, copy_fair: Callable[[Path], Path]) -> Flask:
    """The site of the fair: two reports that differ and agree, and a copy of one of them."""
    config = load(copy_fair(tmp_path_factory.mktemp("fair") / "project"))
    release, findings = build.build(config)
    assert release is not None, [str(f) for f in findings]
    return create_app(release, config)


@pytest.fixture
def client(fair: Flask) -> FlaskClient:
    return fair.test_client()


@pytest.fixture
def read(client: FlaskClient, read_html: Read) -> Read:
    def get(path: str) -> Any:
        response = client.get(path, headers={"Accept": "text/html"})
        assert response.status_code == 200, path
        return read_html(response.text)

    return get


def values(page: Any) -> dict[str, Any]:
    """Value → its entry on a thing's page."""
    return {
        " ".join(item.all("div", class_="value")[0].text.split()): item
        for item in page.all("li")
        if item.all("div", class_="value")
    }


def words(element: Any) -> str:
    return " ".join(element.text.split())


def test_a_value_that_others_dispute_says_so_with_links_to_them(read: Read) -> None:
    found = values(read("/page/ostby-fair"))
    (mark,) = found["400"].all("span", class_="disagreed")
    assert words(mark) == (
        "disagreed The fair at Ostby had 300 visitors.; According to the papers the fair had 300 visitors.; "
        "According to the organiser, the fair had 350 visitors."
    )
    assert [a.attributes["href"] for a in mark.all("a")][1:] == [
        "../claim/courier/1",
        "../claim/digest/1",
        "../claim/observer/4",
    ]
    assert "300 visitors" not in words(found["300"].all("span", class_="disagreed")[0])


def test_no_value_is_preferred_or_left_out(read: Read) -> None:
    found = values(read("/page/ostby-fair"))
    assert {"300", "350", "400"} <= set(found)
    assert all(found[v].all("span", class_="disagreed") for v in ("300", "350", "400"))


def test_a_value_says_how_many_independent_documents_give_it(read: Read) -> None:
    found = values(read("/page/ostby-fair"))
    (mark,) = found["12"].all("span", class_="agreed")
    assert words(mark) == "2 independent documents"
    # Three documents give it; the third was made from the first.
    assert len(found["12"].all("span", class_="says")) == 3
    assert not found["300"].all("span", class_="agreed")


def test_comparisons_are_marks_and_not_values_of_the_thing(read: Read) -> None:
    assert "Different values" not in read("/page/ostby-fair").text


def test_a_page_of_all_values_has_the_marks_too(read: Read) -> None:
    page = read("/page/ostby-fair?values=http://localhost:8000/ontology/fair%23visitors")
    assert len(page.all("span", class_="disagreed")) == 3


def test_both_kinds_are_listed(read: Read) -> None:
    page = read("/disagreements")
    (article,) = page.all("article")
    assert words(article.all("h2")[0]) == "the fair at Ostby: visitors"
    assert [words(dt) for dt in article.all("dt")] == ["300", "350", "400"]
    assert "according to Ida Vik" in words(article.all("dd")[1])
    (article,) = read("/corroborations").all("article")
    assert words(article.all("h2")[0]) == "the fair at Ostby: stalls"
    assert "2 independent documents" in words(article)


def test_a_list_names_some_claims_of_a_value_and_leads_to_the_others(
    read: Read, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, forgetting: Callable[[Flask], None]
) -> None:
    monkeypatch.setattr(disagreements, "MOST_CLAIMS", 1)
    forgetting(client.application)
    (article,) = read("/corroborations").all("article")
    (more,) = article.all("a", class_="note")
    # Two independent documents, and one that was made from the first.
    assert words(more) == "and 2 more"
    listed = read("/" + more.attributes["href"].removeprefix("./"))
    assert len(listed.all("dd")[0].all("span", class_="says")) == 3


def test_where_nothing_differs_the_list_says_so(app: Flask) -> None:
    assert "There are none in this release." in app.test_client().get("/disagreements").text


def test_a_comparison_has_a_page_and_data(read: Read, client: FlaskClient) -> None:
    href = values(read("/page/ostby-fair"))["400"].all("a", class_="differs")[0].attributes["href"]
    page = read("/" + href.removeprefix("../"))
    assert page.all("h1")[0].text == "Different values: visitors, the fair at Ostby"
    node = NamedNode(BASE + href.removeprefix("../"))
    for media in RDF:
        body = client.get(f"/{href.removeprefix('../')}.{media.extension}").data
        found = set(parse(body, format=media.format))
        assert node in {q.subject for q in found}
        graphs = {str(q.graph_name) for q in found}
        assert (f"<{BASE}claim/observer/4>" in graphs) is media.quads


@pytest.mark.parametrize("name", ["disagreements", "corroborations"])
def test_the_lists_have_every_format(name: str, client: FlaskClient) -> None:
    for media in RDF:
        for address, accept in ((f"/{name}.{media.extension}", "*/*"), (f"/{name}", media.media_type)):
            response = client.get(address, headers={"Accept": accept})
            assert response.status_code == 200
            assert response.mimetype == media.media_type
            found = set(parse(response.data, format=media.format))
            assert {str(q.predicate) for q in found} >= {f"<{BASE}ontology#compares>"}


def test_formats_without_graphs_state_no_value_that_nobody_vouches_for(client: FlaskClient) -> None:
    visitors = NamedNode(BASE + "ontology/fair#visitors")
    found = set(parse(client.get("/disagreements.nt").data, format=RdfFormat.N_TRIPLES))
    assert [q for q in found if q.predicate == visitors] == []


def test_a_claims_page_has_the_others_on_the_same(read: Read) -> None:
    page = read("/claim/courier/1")
    (part,) = [s for s in page.all("section") if s.attributes.get("aria-labelledby") == "others"]
    assert "These claims give other values. None is preferred." in words(part)
    listed = [div.all("a")[0].attributes["href"] for div in part.all("div", class_="gloss")]
    # The copy says the same as this one: it is no other value.
    assert listed == ["../../claim/observer/1", "../../claim/observer/4"]
    assert "2 independent documents state it." in words(read("/claim/observer/2"))
    assert "What other claims say" not in read("/claim/courier/3").text


def test_a_comparison_that_is_not_there_is_a_404(client: FlaskClient) -> None:
    for name in ("0000000000000000", "x/y", "%00"):
        assert client.get(f"/comparison/{name}").status_code == 404
    assert client.get("/disagreements?page=9").status_code == 404


def test_a_comparison_is_called_in_the_readers_language(read: Read, client: FlaskClient) -> None:
    href = values(read("/page/ostby-fair"))["400"].all("a", class_="differs")[0].attributes["href"]
    page = client.get("/" + href.removeprefix("../") + "?lang=de").text
    assert "<title>Verschiedene Werte: visitors, the fair at Ostby" in page
    assert '<h1>Verschiedene Werte: <bdi lang="en" class="foreign">visitors</bdi>' in page
