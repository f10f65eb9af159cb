"""``/questions`` and ``/question/NAME``: the questions of a release with their answers, as pages and as data."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from tests.site.conftest import HARBOUR, Element

from kg import build
from kg.config import load
from kg.site import create_app

BASE = "http://localhost:8000/"
PAGE = {"Accept": "text/html"}
QUESTIONS = {
    "any": "# title: Is there a pier?\nASK { ?pier a <ontology/harbour#Pier> }",
    "count": "# title: How much is there?\nSELECT (COUNT(*) AS ?n) { ?s ?p ?o }",
    "nested": "# title: How much is below?\nSELECT ?n { { SELECT (COUNT(*) AS ?n) { ?s ?p ?o } } }",
    "heads": """# title: What has cranes?
# column: ?n Cranes & <more>
PREFIX harbour: <ontology/harbour#>
SELECT ?whatHasThem ?n { ?whatHasThem harbour:cranes ?n }""",
    "graph": "# title: What are piers?\nCONSTRUCT { ?s a <ontology/harbour#Pier> } { ?s a <ontology/harbour#Pier> }",
    "now": "# title: When is it?\nSELECT ?now { BIND (NOW() AS ?now) }",
    "one.two": "# title: What has a point in its name?\nSELECT ?pier { ?pier a <ontology/harbour#Pier> }",
    "chosen": """# title: What is a pier called or beside?
# parameter: how How
# parameter: most At most
PREFIX harbour: <ontology/harbour#>
SELECT ?value { VALUES ?how { harbour:cranes harbour:nextTo } VALUES ?most { 4 } # VALUES ?how { }
  <id/north-pier> ?how ?value FILTER (!isNumeric(?value) || ?value <= ?most) }""",
    "größe": "# title: Wie groß?\n# description:   \nSELECT ?pier { ?pier a <ontology/harbour#Crane> }",
}


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """The harbour with questions of every form."""
    root = tmp_path_factory.mktemp("questions") / "harbour"
    shutil.copytree(HARBOUR, root)
    _ask(root)
    config = load(root)
    made, findings = build.build(config)
    assert made is not None, [str(finding) for finding in findings]
    return create_app(made, config).test_client()


def _ask(root: Path) -> None:
    for name, text in QUESTIONS.items():
        (root / f"data/queries/{name}.rq").write_text(text, encoding="utf-8")


def test_the_home_page_and_the_list_lead_to_each_question(read_page: Callable[[str], Element]) -> None:
    for path in ("/", "/questions"):
        (link,) = [a for a in read_page(path).all("a") if a.text == "How many cranes stand on each pier?"]
        assert link.attributes["href"] == "./question/cranes"


def test_the_page_of_a_question_has_its_answer_and_who_says_so(read_page: Callable[[str], Element]) -> None:
    page = read_page("/question/cranes")
    assert [h.text for h in page.all("h1")] == ["How many cranes stand on each pier?"]
    (row,) = [tr.all("td") for tr in page.all("tr") if "the north pier" in tr.text]
    assert [cell.text for cell in row] == ["the north pier", "4", "2 or 3"]
    assert [cell.attributes["data-label"] for cell in row] == ["pier", "cranes", "evidence"]
    (note,) = page.all("li", id="note-3")
    assert "The north pier has four cranes." in note.text
    assert "gazette, ¶ 1, sentence 1" in note.text
    (editor,) = [a for a in page.all("a") if a.text == "the query in the editor"]
    assert editor.attributes["href"].endswith("&evidence=true")


@pytest.mark.parametrize(("language", "evidence"), [("en", "evidence"), ("de", "Belege")])
def test_columns_are_called_by_words_on_the_page_and_by_variables_in_data(
    language: str, evidence: str, asking: FlaskClient, read_html: Any
) -> None:
    page = read_html(asking.get(f"/question/heads?lang={language}", headers=PAGE).text)
    heads = page.all("th")
    assert [head.text for head in heads] == ["what has them", "Cranes & <more>", evidence]
    # The publisher's words are in the publisher's language, whatever that of the page is.
    own = "" if language == "en" else "en"
    assert [head.attributes.get("lang", "") for head in heads] == [own, own, ""]
    assert {tuple(cell.attributes["data-label"] for cell in row.all("td")) for row in page.all("tr")[1:]} == {
        ("what has them", "Cranes & <more>", evidence)
    }
    assert asking.get("/question/heads.csv").text.splitlines()[0] == "whatHasThem,n"


def test_every_format_has_an_address_that_the_page_links(asking: FlaskClient, read_html: Any) -> None:
    page = read_html(asking.get("/question/cranes", headers=PAGE).text)
    linked = [a.attributes["href"] for a in page.all("a", rel="alternate")]
    assert linked == [f"../question/cranes.{extension}" for extension in ("srj", "srx", "csv", "tsv")]
    answer = asking.get("/question/cranes.csv")
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == "attachment; filename=cranes.csv"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert {"pier": f"{BASE}id/north-pier", "cranes": "4"} in list(csv.DictReader(io.StringIO(answer.text)))
    again = asking.get("/question/cranes.csv", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_accept_decides_where_no_format_is_named(asking: FlaskClient) -> None:
    answer = asking.get("/question/cranes", headers={"Accept": "application/json"})
    assert json.loads(answer.data)["head"]["vars"] == ["pier", "cranes"]
    assert "Accept" in answer.headers["Vary"]
    assert asking.get("/question/cranes", headers={"Accept": "*/*"}).mimetype == "text/html"
    assert asking.get("/question/cranes.json").data == asking.get("/question/cranes.srj").data
    assert asking.get("/question/cranes.html", headers={"Accept": "text/csv"}).mimetype == "text/html"
    assert asking.get("/question/cranes", headers={"Accept": "image/png"}).status_code == 406


def test_data_has_footnotes_where_they_are_asked_for(asking: FlaskClient) -> None:
    answer = asking.get("/question/cranes.csv?evidence=true")
    (row,) = [row for row in csv.DictReader(io.StringIO(answer.text)) if row["pier"].endswith("north-pier")]
    assert row["evidence"] == f"{BASE}claim/closed/1|{BASE}claim/gazette/1"


@pytest.mark.parametrize(
    ("name", "shown", "extensions"),
    [
        ("any", "Yes", ["srj", "srx"]),
        ("count", "the claims of everything that went into it", ["srj", "srx", "csv", "tsv"]),
        ("nested", "not traceable to claims", ["srj", "srx", "csv", "tsv"]),
        ("graph", "the north pier", ["ttl", "nt", "rdf", "jsonld", "trig", "nq"]),
        ("größe", "Nothing in this release answers that.", ["srj", "srx", "csv", "tsv"]),
        ("one.two", "the north pier", ["srj", "srx", "csv", "tsv"]),
    ],
)
def test_a_question_may_have_any_form_and_name(
    name: str, shown: str, extensions: list[str], asking: FlaskClient
) -> None:
    page = asking.get(f"/question/{name}", headers=PAGE)
    assert shown in page.text
    for extension in extensions:
        assert asking.get(f"/question/{name}.{extension}").status_code == 200, extension


def test_what_cannot_be_traced_is_said_once(asking: FlaskClient, read_html: Any) -> None:
    page = read_html(asking.get("/question/nested", headers=PAGE).text)
    assert [th.text for th in page.all("th")] == ["n"]
    assert [len(tr.all("td")) for tr in page.all("tr")[1:]] == [1]


def test_an_answer_that_time_changes_is_not_kept(asking: FlaskClient) -> None:
    for path in ("/question/now", "/question/now.csv"):
        answer = asking.get(path, headers=PAGE)
        assert "ETag" not in answer.headers
        assert answer.headers["Cache-Control"] == "private, no-cache"
    for path in ("/question/cranes", "/question/cranes.csv"):
        answer = asking.get(path, headers=PAGE)
        assert "ETag" in answer.headers
        assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("name", ["nothing", "cranes.exe", "nothing.csv"])
def test_what_nobody_has_asked_is_not_found(name: str, asking: FlaskClient) -> None:
    answer = asking.get(f"/question/{name}", headers=PAGE)
    assert answer.status_code == 404
    assert f"This release has no question “{name}”." in answer.text


def test_a_format_that_does_not_fit_names_those_that_do(asking: FlaskClient) -> None:
    answer = asking.get("/question/cranes.ttl")
    assert answer.status_code == 400
    assert "srj, srx, csv, tsv" in json.loads(answer.data)["detail"]


def test_readers_choose_by_what_a_question_lists(asking: FlaskClient, read_html: Any) -> None:
    page = read_html(asking.get("/question/chosen", headers=PAGE).text)
    (form,) = page.all("form", class_="search-form", action="../question/chosen")
    assert [label.text for label in form.all("label")] == ["How", "At most"]
    assert [(o.attributes["value"], o.text) for o in form.all("option")] == [
        ("", "all"),
        ("ontology/harbour#cranes", "cranes"),
        ("ontology/harbour#nextTo", "next to"),
    ]
    assert form.all("input")[0].attributes["value"] == "4"
    shown = read_html(asking.get("/question/chosen?how=ontology/harbour%23nextTo", headers=PAGE).text)
    (option,) = [o for o in shown.all("option") if "selected" in o.attributes]
    assert option.text == "next to"
    assert "VALUES ?how { <http://localhost:8000/ontology/harbour#nextTo> }" in shown.all("pre")[0].text
    csv_link = next(a for a in shown.all("a", rel="alternate") if a.text == "CSV")
    assert csv_link.attributes["href"] == "../question/chosen.csv?how=ontology%2Fharbour%23nextTo"


@pytest.mark.parametrize(
    ("choice", "values"),
    [
        ("", ["4", f"{BASE}id/south-pier"]),
        ("?how=ontology/harbour%23cranes", ["4"]),
        ("?how=ontology/harbour%23cranes&most=3", []),
        ("?how=ontology/harbour%23nextTo&most=3", [f"{BASE}id/south-pier"]),
    ],
)
def test_data_is_what_was_chosen(choice: str, values: list[str], asking: FlaskClient) -> None:
    found = csv.DictReader(io.StringIO(asking.get("/question/chosen.csv" + choice).text))
    assert sorted(row["value"] for row in found) == values


def test_what_is_chosen_is_never_more_than_a_term(asking: FlaskClient) -> None:
    answer = asking.get("/question/chosen", query_string={"most": '4 } SERVICE <http://x/> { "'}, headers=PAGE)
    assert answer.status_code == 200
    assert "SERVICE &lt;http://x/&gt; { \\&#34;" in answer.text
    wrong = asking.get("/question/chosen?how=ontology/harbour%23Pier", headers=PAGE)
    assert wrong.status_code == 400
    assert "There is no choice “ontology/harbour#Pier” of how in this question." in wrong.text


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ("parameter: who Who", "?who is no parameter"),
        ("parameter: ?pier", "?pier is no parameter"),
        ("parameter: lang Language", "?lang cannot be a parameter"),
        ("column: ?who Who", "?who is no column"),  # it stands in a comment alone
    ],
)
def test_a_parameter_that_nothing_lists_and_a_column_of_no_variable_are_errors(
    declared: str, message: str, tmp_path: Path
) -> None:
    root = tmp_path / "harbour"
    shutil.copytree(HARBOUR, root)
    text = f"# title: Who?\n# {declared}\nSELECT ?pier {{ VALUES ?lang {{ 1 }} ?pier ?p ?o }}"
    (root / "data/queries/wrong.rq").write_text(text, encoding="utf-8")
    made, findings = build.build(load(root))
    assert made is None
    (finding,) = [f for f in findings if f.severity == "error"]
    assert message in finding.message
    assert (finding.place.file, finding.place.line) == ("data/queries/wrong.rq", 2)
