"""``evidence=true``: footnotes over HTTP, for programs of every kind and on the page."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

BASE = "http://localhost:8000/"
CRANES = f"SELECT ?n {{ <{BASE}id/north-pier> <{BASE}ontology/harbour#cranes> ?n }}"
# Two documents say so.
FOOTNOTE = f"{BASE}claim/closed/1|{BASE}claim/gazette/1"
COUNT = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
NESTED = f"SELECT ?n {{ {{ {COUNT} }} }}"


def ask(client: FlaskClient, query: str, accept: str = "application/json", evidence: str = "true") -> Any:
    return client.get("/sparql", query_string={"query": query, "evidence": evidence}, headers={"Accept": accept})


def test_the_header_and_the_last_variable_carry_the_footnotes(client: FlaskClient) -> None:
    response = ask(client, CRANES)
    found = json.loads(response.data)
    assert found["head"]["vars"] == ["n", "evidence"]
    assert [row["evidence"]["value"] for row in found["results"]["bindings"]] == [FOOTNOTE]
    assert response.headers["Kg-Evidence"] == 'variable="evidence", traceable'
    assert "Kg-Evidence" in response.headers["Access-Control-Expose-Headers"]
    assert "evidence" not in json.loads(ask(client, CRANES, evidence="false").data)["head"]["vars"]


def test_what_is_not_traceable_is_answered_and_says_so(client: FlaskClient) -> None:
    response = ask(client, NESTED, "text/csv")
    (row,) = csv.DictReader(io.StringIO(response.text))
    assert int(row["n"]) > 0
    assert row["evidence"] == "not traceable: a sub-query"
    assert response.headers["Kg-Evidence"].startswith('variable="evidence", traceable=?0, reason="')


@pytest.mark.parametrize("query", ["ASK {}", "CONSTRUCT WHERE { ?s ?p ?o }", "DESCRIBE <id/north-pier>"])
def test_other_forms_have_no_rows_to_annotate(query: str, client: FlaskClient) -> None:
    response = client.get("/sparql", query_string={"query": query, "evidence": "true"})
    assert response.status_code == 400
    assert "SELECT" in json.loads(response.data)["detail"]
    assert client.get("/query", query_string={"query": query, "evidence": "true"}).status_code == 200


@pytest.mark.parametrize("value", ["maybe", "true&evidence=true"])
def test_the_parameter_is_true_or_false_once(value: str, client: FlaskClient) -> None:
    assert client.get(f"/sparql?query={quote(CRANES)}&evidence={value}").status_code == 400


def test_a_query_may_name_the_variable_itself(client: FlaskClient, read_html) -> None:
    named = CRANES.replace("SELECT ?n", "SELECT ?evidence ?n")
    found = json.loads(ask(client, named).data)
    assert found["head"]["vars"] == ["n", "evidence"]
    assert [row["evidence"]["value"] for row in found["results"]["bindings"]] == [FOOTNOTE]
    assert "evidence" not in json.loads(ask(client, named, evidence="").data)["results"]["bindings"][0]
    page = read_html(client.get("/query", query_string={"query": named, "evidence": "true"}).text)
    assert [td.text for td in page.all("td") if td.all("sup")] == ["1 or 2"]


def test_a_client_that_puts_a_second_question_mark_is_understood(client: FlaskClient) -> None:
    response = client.get(f"/sparql?evidence=true?query={quote(CRANES)}", headers={"Accept": "text/csv"})
    assert list(csv.DictReader(io.StringIO(response.text))) == [{"n": "4", "evidence": FOOTNOTE}]


def test_answers_with_and_without_footnotes_are_told_apart_by_caches(client: FlaskClient) -> None:
    assert ask(client, CRANES).headers["ETag"] != ask(client, CRANES, evidence="").headers["ETag"]


def test_the_page_links_each_number_to_its_passage_and_lists_the_claims(client: FlaskClient, read_html) -> None:
    page = read_html(client.get("/query", query_string={"query": CRANES, "evidence": "true"}).text)
    (cell,) = [td for td in page.all("td") if td.all("sup")]
    assert cell.text == "1 or 2"
    assert [a.attributes["href"].rpartition("/")[0] for a in cell.all("a")] == ["./passage/closed", "./passage/gazette"]
    (note,) = page.all("li", id="note-2")
    assert "The north pier has four cranes." in note.text
    assert page.all("input", type="checkbox")[0].has(checked="")
    text = client.get("/query", query_string={"query": NESTED, "evidence": "true"}).text
    assert 'not traceable to claims: the query has <span lang="en">a sub-query' in text
