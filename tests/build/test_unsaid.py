"""Of a shape without a message, ``kg check`` says what it asks for, in the same words every time."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conftest import Kg

from kg import build
from kg.config import load

LABEL = "sh:property [ sh:path rdfs:label ; {} ]"
LANGUAGE = "sh:property [ sh:path schema:programmingLanguage ; {} ]"
VERSION = "sh:property [ sh:path schema:version ; {} ]"
CASES = {
    "sh:class kg:Plan": "id/kg: it must have the class kg:Plan",
    VERSION.format("sh:datatype xsd:decimal"): "value '5' (xsd:integer): it must have the datatype xsd:decimal",
    VERSION.format("sh:in ( 3 1 2 )"): "value '5' (xsd:integer): it must be one of 3, 1, 2",
    VERSION.format("sh:maxExclusive 5"): "value '5' (xsd:integer): it must be less than 5",
    VERSION.format("sh:minInclusive 5.5"): "value '5' (xsd:integer): it must be 5.5 or more",
    VERSION.format("sh:minCount 2"): "id/kg, schema:version: there must be at least 2",
    VERSION.format("sh:maxCount 0"): "id/kg, schema:version: there may be at most 0",
    VERSION.format("sh:hasValue 'a\"'"): 'id/kg, schema:version: one must be "a\\""',
    VERSION.format("sh:lessThan rdfs:label"): "value '5': it must be less than each value of rdfs:label",
    LANGUAGE.format("sh:nodeKind sh:Literal"): "value ':python': it must be of the kind sh:Literal",
    LANGUAGE.format("sh:node [ sh:nodeKind sh:Literal ]"): "it must be as this says: [ sh:nodeKind sh:Literal ]",
    LANGUAGE.format("sh:qualifiedValueShape [ sh:class kg:Plan ] ; sh:qualifiedMinCount 1"): (
        "at least 1 must be as this says: [ sh:class kg:Plan ]"
    ),
    LABEL.format("sh:languageIn ( 'de' 'fr' )"): "value 'kg': its language must be one of de, fr",
    LABEL.format("sh:pattern '^\\\\d'"): "value 'kg': it must match the pattern ^\\d",
    LABEL.format("sh:minLength 3"): "value 'kg': it must have at least 3 characters",
    "sh:or ( [ sh:class kg:Plan ] [ sh:class kg:State ] )": (
        "it must be as one of these says: [ sh:class kg:Plan ], [ sh:class kg:State ]"
    ),
    "sh:not [ sh:class schema:SoftwareApplication ]": "not be as this says: [ sh:class schema:SoftwareApplication ]",
    "sh:closed true": "rdf:type, value 'schema:SoftwareApplication': the shape is closed: name the property with",
    "sh:sparql [ sh:select 'SELECT $this WHERE { $this a ?x }' ]": "id/kg: the query of the shape (sh:sparql) finds it",
}


@pytest.mark.parametrize("engine", ["compiled", "pyshacl"])
@pytest.mark.parametrize(("shape", "said"), CASES.items(), ids=[said[-30:] for said in CASES.values()])
def test_what_a_shape_without_a_message_asks_for_is_said(shape: str, said: str, engine: str, starter: Path) -> None:
    claims = starter / "data/claims/about-kg.trig"
    text = claims.read_text("utf-8").replace("schema:prog", "schema:version 5 ; schema:prog")
    claims.write_text(text, "utf-8")
    (starter / "shapes/mine.ttl").write_text(
        "@prefix kg: <ontology#> . @prefix sh: <http://www.w3.org/ns/shacl#> . @prefix schema: <http://schema.org/> .\n"
        "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
        f"<shapes/mine#A> a sh:NodeShape ; sh:targetClass schema:SoftwareApplication ; {shape} .",
        "utf-8",
    )
    found = [f.message for f in build.check(load(starter), engine=engine).findings if f.rule == "shacl"]
    assert any(said in message for message in found), found
    assert not any("Literal(" in message or "http://localhost" in message for message in found)


def test_a_query_in_a_property_has_the_word_before_the_shape_that_holds_it(starter: Path) -> None:
    (starter / "shapes/mine.ttl").write_text(
        "@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix schema: <http://schema.org/> .\n"
        '<shapes/mine#A> a sh:NodeShape ; sh:targetClass schema:SoftwareApplication ; sh:message "Outer." ;\n'
        "  sh:property [ sh:path schema:version ;\n"
        '    sh:sparql [ sh:message "Inner." ; sh:select "SELECT $this { $this a ?x }" ] ] .',
        "utf-8",
    )
    [found] = [f.message for f in build.check(load(starter)).findings if f.rule == "shacl"]
    assert "Inner." in found
    assert "Outer." not in found


def test_notes_are_counted_where_there_are_some(kg: Kg, starter: Path) -> None:
    assert kg("check", cwd=starter).stdout.endswith("0 errors, 0 warnings\n")
    (starter / "shapes/mine.ttl").write_text(
        "@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix schema: <http://schema.org/> .\n"
        "<shapes/mine#A> a sh:NodeShape ; sh:targetClass schema:SoftwareApplication ; sh:severity sh:Info ;\n"
        "  sh:nodeKind sh:Literal .",
        "utf-8",
    )
    assert kg("check", cwd=starter).stdout.endswith("0 errors, 0 warnings, 1 info\n")
