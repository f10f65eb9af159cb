"""A shape with a query that needs all values of a property is checked whole, its other constraints included."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg import build
from kg.config import load
from kg.model import Finding

PREFIXES = """@prefix kg: <ontology#> . @prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix schema: <http://schema.org/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
<shapes/mine> sh:declare [ sh:prefix "schema" ; sh:namespace "http://schema.org/" ] .
"""
COUNTS = "SELECT $this { $this schema:version ?v FILTER(?v > 4) }"
"""The engine has to know that all values of a property are numbers before it compares one."""


def found(project: Path, shape: str, select: str, engine: str, *, evidence: bool = False) -> list[Finding]:
    query = f'sh:sparql [ sh:prefixes <shapes/mine> ; sh:message "Query." ; sh:select "{select}" ]'
    file = project / ("shapes/evidence-mine.ttl" if evidence else "shapes/mine.ttl")
    file.write_text(f"{PREFIXES}<shapes/mine#A> a sh:NodeShape ; {shape} ; {query} .", "utf-8")
    return [f for f in build.check(load(project), engine=engine).findings if f.rule in ("shacl", "shape")]


@pytest.fixture
def numbered(starter: Path) -> Path:
    claims = starter / "data/claims/about-kg.trig"
    text = claims.read_text("utf-8")
    with_number = text.replace("schema:programmingLanguage", "schema:version 5 ; schema:programmingLanguage")
    claims.write_text(with_number, "utf-8")
    return starter


@pytest.mark.parametrize(
    "shape",
    [
        "sh:not [ sh:class schema:SoftwareApplication ]",
        "sh:class kg:Plan",
        "sh:closed true",
        "sh:or ( [ sh:class kg:Plan ] [ sh:class kg:State ] )",
        "sh:property [ sh:path schema:programmingLanguage ; sh:maxCount 0 ]",
    ],
)
def test_other_constraints_beside_such_a_query_hold(shape: str, numbered: Path) -> None:
    shape = f"sh:targetClass schema:SoftwareApplication ; {shape}"
    both = [found(numbered, shape, COUNTS, engine) for engine in ("compiled", "pyshacl")]
    assert both[0] == both[1]
    assert {"Query." in f.message for f in both[0]} == {True, False}


@pytest.mark.parametrize(
    ("evidence", "number"),
    [(False, "http://schema.org/version"), (True, "http://localhost:8000/ontology#sentence")],
    ids=["facts", "evidence"],
)
def test_a_query_that_names_no_predicate_sees_the_whole_graph(evidence: bool, number: str, numbered: Path) -> None:
    shape = f"sh:targetSubjectsOf <{number}>"
    select = f"SELECT $this ?value {{ $this <{number}> ?n . $this ?p ?value FILTER(?n > 0) }}"
    both = [found(numbered, shape, select, engine, evidence=evidence) for engine in ("compiled", "pyshacl")]
    assert both[0] == both[1]
    assert len(both[0]) > 2
