"""Footnotes arrive in every format, with every limit, as a variable that readers who know nothing of them can read."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import Literal, Quad, QueryResultsFormat, Store, parse_query_results
from tests.query.conftest import BASE, Make, making
from tests.query.footnoting import HARBOUR, LOOSE, PREFIXES, dataset, iri

from kg import media
from kg.errors import QueryKilled, QueryRefused
from kg.query.base import Query


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("footnotes") / "store"
    store = Store(str(path))
    store.extend(dataset(HARBOUR, LOOSE))
    store.add(Quad(iri("odd"), iri("note"), Literal("<&>\"',\t\r\n\\ \u2028é😀")))
    store.add(Quad(iri("odd"), iri("note"), Literal("ja", language="de")))
    store.flush()
    return path


@pytest.mark.parametrize("result", media.RESULTS, ids=lambda m: m.extension)
def test_every_format_parses_back_with_the_extra_variable(result: media.ResultMedia, harbour: Path) -> None:
    text = PREFIXES + "SELECT ?s ?o { ?s !:near ?o }"
    traceable = PREFIXES + "SELECT ?s ?o { { ?s :note ?o } UNION { ?s :near ?o } }"
    with making(harbour) as make:
        pool = make()
        for query, traced in ((traceable, True), (text, False)):
            with pool.run(Query(query, result.media_type, evidence=True)) as answer:
                data = b"".join(answer.chunks)
            assert answer.note == {
                "variable": "evidence",
                "reason": "" if traced else "a property path of all predicates but some",
                "distinct": False,
                "grouped": False,
            }
            with pool.run(Query(query, result.media_type)) as plain_answer:
                plain = b"".join(plain_answer.chunks)
            ours, theirs = rows_of(data, result), rows_of(plain, result)
            assert Counter(row[:-1] for row in ours) == Counter(theirs)
            assert all(row[-1] for row in ours)


def rows_of(data: bytes, result: media.ResultMedia) -> list[tuple[str, ...]]:
    """Rows as texts, by a reader that is not ours."""
    if result.extension == "csv":
        rows = list(csv.reader(io.StringIO(data.decode(), newline="")))[1:]
        return [tuple(row) for row in rows]
    if result.extension == "srx":
        ET.fromstring(data)
    parsed: Any = parse_query_results(data, format=result.format)
    return [tuple(str(value) for value in row) for row in parsed]


def test_json_is_what_a_json_reader_expects(harbour: Path) -> None:
    query = PREFIXES + "SELECT ?s ?n { ?s :near :town OPTIONAL { ?s :cranes ?n } } ORDER BY ?s"
    with making(harbour) as make, make().run(Query(query, "application/sparql-results+json", evidence=True)) as answer:
        found = json.loads(b"".join(answer.chunks))
    assert found["head"] == {"vars": ["s", "n", "evidence"]}
    first, second = found["results"]["bindings"]
    assert first["evidence"] == {"type": "literal", "value": f"{BASE}claim/a/1|{BASE}claim/a/2 {BASE}claim/a/1"}
    assert set(second) == {"s", "evidence"}


def test_limits_and_refusals_hold_with_footnotes(store: Path, make_pool: Make) -> None:
    pool = make_pool(rows=100, workers=1)
    kind = "text/csv"
    with pytest.raises(QueryKilled) as caught, pool.run(Query("SELECT * { ?s ?p ?o }", kind, evidence=True)) as answer:
        b"".join(answer.chunks)
    assert caught.value.limit == "rows"
    slow = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(STRLEN(CONCAT(STR(?c), STR(?f), STR(?i))) < 0) }"
    with pytest.raises(QueryKilled) as caught:
        pool.run(Query(slow, kind, evidence=True, timeout=1))
    assert caught.value.limit == "deadline"
    with pytest.raises(QueryRefused) as refused:
        pool.run(Query("SELECT * {\n ?s ?p }", kind, evidence=True))
    assert (refused.value.line, refused.value.column) == (2, 9)
    deep = "SELECT * " + "{" * 128 + "?s ?p ?o" + "}" * 128 + " LIMIT 1"
    with pool.run(Query(deep, kind, evidence=True)) as answer:
        assert b"".join(answer.chunks).endswith(b",-\r\n")


def test_the_formats_are_those_of_media() -> None:
    assert {m.format for m in media.RESULTS} == {
        QueryResultsFormat.JSON,
        QueryResultsFormat.XML,
        QueryResultsFormat.CSV,
        QueryResultsFormat.TSV,
    }
