"""The page of a class leads to a query that makes a table of its instances."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from flask.testing import FlaskClient
from tests.site.conftest import Element

Read = Callable[[str], Element]
AS_A_TABLE = "As a table, with what is stated of each"


def query_of(page: Element) -> str:
    (link,) = [a for a in page.all("a") if a.text == AS_A_TABLE]
    asked = parse_qs(urlsplit(link.attributes["href"]).query)
    assert asked["evidence"] == ["true"]
    return asked["query"][0]


def test_a_class_is_a_table_with_its_claims_as_footnotes(read_page: Read, client: FlaskClient) -> None:
    query = query_of(read_page("/class/harbour:Pier"))
    answer = client.get("/sparql", query_string={"query": query, "evidence": "true", "as": "csv"})
    assert answer.status_code == 200
    assert answer.headers["Kg-Evidence"].startswith('variable="evidence", traceable')
    rows = [row for row in csv.DictReader(io.StringIO(answer.text)) if row["thing"].endswith("/north-pier")]
    assert {row["cranes"] for row in rows} == {"4"}
    assert "claim/gazette/1" in rows[0]["evidence"]


def test_what_is_had_many_times_is_no_column(read_page: Read) -> None:
    """Each note would be a row with all the rest of it again."""
    assert "?note" not in query_of(read_page("/class/harbour:Pier"))


def test_what_is_only_said_to_be_one_makes_no_table(read_page: Read) -> None:
    assert AS_A_TABLE not in read_page("/class/kg:ReportedSituation").text


def test_a_class_with_others_below_it_has_their_instances_too(voyage_client: FlaskClient, read_html) -> None:
    page = read_html(voyage_client.get("/class/kg:Event", headers={"Accept": "text/html"}).text)
    query = query_of(page)
    answer = voyage_client.get("/sparql", query_string={"query": query, "as": "csv"})
    things = {row["thing"] for row in csv.DictReader(io.StringIO(answer.text))}
    assert len(things) > 1
    assert "SELECT DISTINCT ?thing" in query
