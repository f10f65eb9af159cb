"""What the server gives to the editor at ``/query``: a nonce, terms to complete, names."""

from __future__ import annotations

import json
import re

import pytest
from flask.testing import FlaskClient

BASE = "http://localhost:8000/"


# What the server gives


def test_only_this_page_has_a_nonce_and_it_is_new_each_time(voyage_client: FlaskClient) -> None:
    found = set()
    for _ in range(2):
        response = voyage_client.get("/query")
        assert response.headers["Cache-Control"] == "no-store"
        nonces = re.findall(r"'nonce-([\w-]{16,})'", response.headers["Content-Security-Policy"])
        assert len(nonces) == 1
        assert f'nonce="{nonces[0]}"' in response.text
        found.add(nonces[0])
    assert len(found) == 2
    for path in ("/", "/search", "/map", "/sparql", "/query?query=1&query=2"):
        response = voyage_client.get(path, headers={"Accept": "text/html"})
        assert "nonce" not in response.headers["Content-Security-Policy"] + response.text, path


def test_terms_have_counts_and_meanings_the_most_used_first(voyage_client: FlaskClient) -> None:
    response = voyage_client.get("/query/terms.json")
    assert response.headers["ETag"]
    found = response.json
    assert found is not None
    assert found["base"] == BASE
    assert found["prefixes"]["harbour"] == BASE + "ontology/harbour#"
    for kind in ("classes", "properties"):
        counts = [term["count"] for term in found[kind]]
        assert counts == sorted(counts, reverse=True)
    properties = {term["iri"]: term for term in found["properties"]}
    assert properties[BASE + "ontology#edtf"] == {
        "iri": BASE + "ontology#edtf",
        "label": "EDTF",
        "count": 2,
        "meaning": "In the Extended Date/Time Format.",
    }


def test_names_come_with_coordinates_where_there_are_any(voyage_client: FlaskClient) -> None:
    iris = [f"{BASE}id/road", f"{BASE}id/north-pier", "http://example.org/x"]
    found = voyage_client.post("/query/names.json", data=json.dumps(iris)).json
    assert [(found or {})["names"][iri].get("at") for iri in iris] == [[54.5, 10.25], None, None]


def test_names_are_given_for_any_iri_and_claims_say_who_says_it(client: FlaskClient) -> None:
    asked = [BASE + "id/north-pier", BASE + "claim/gazette/1", "javascript:x", "no iri", ""]
    found = client.post("/query/names.json", data=json.dumps(asked)).json
    assert found is not None
    assert set(found["names"]) == set(asked)
    assert found["names"][asked[0]] == {"label": "the north pier", "language": "en", "page": "page/north-pier"}
    assert "page" not in found["names"]["javascript:x"]
    assert set(found["claims"]) == {BASE + "claim/gazette/1"}
    assert found["claims"][asked[1]]["passages"][0]["page"].startswith("passage/gazette/")


@pytest.mark.parametrize("body", ["", "{}", '["a", 1]', json.dumps(["a"] * 501), "[" * 100_000])
def test_what_is_no_list_of_iris_is_refused(body: str, client: FlaskClient) -> None:
    response = client.post("/query/names.json", data=body)
    assert response.status_code == 400
    assert "at most 500 IRIs" in response.text
