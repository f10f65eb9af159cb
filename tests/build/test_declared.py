"""What the ontology declares is held against the claims, where no shape says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg import build
from kg.config import load

CLAIMS = "data/claims/about-kg.trig"
TOWN = """@prefix town: <ontology/town#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
<ontology/town> a owl:Ontology ; rdfs:label "Town"@en .
"""


def found(project: Path, ontology: str, claimed: str = "") -> list[str]:
    (project / "ontology/town.ttl").write_text(TOWN + ontology, "utf-8")
    text = (project / CLAIMS).read_text("utf-8")
    text = text.replace(":python . }", f":python {claimed} . }}").replace(
        "@prefix rdfs:",
        "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix town: <ontology/town#> .\n@prefix rdfs:",
    )
    (project / CLAIMS).write_text(text, "utf-8")
    return [str(f) for f in build.check(load(project)).findings if f.rule in ("datatype", "circle")]


@pytest.mark.parametrize(
    ("datatype", "value", "said"),
    [
        ("xsd:integer", '"48"', "'48' (xsd:string), and the ontology says xsd:integer (rdfs:range): write 48"),
        (
            "xsd:integer",
            "4.8",
            "'4.8' (xsd:decimal), and the ontology says xsd:integer (rdfs:range): write \"…\"",
        ),
        (
            "xsd:date",
            '"3 March 2024"@en',
            "'3 March 2024' (@en), and the ontology says xsd:date (rdfs:range): ",
        ),
        ("xsd:decimal", '"4.5"', "'4.5' (xsd:string), and the ontology says xsd:decimal (rdfs:range): write 4.5"),
        ("xsd:integer", ":kg", "':kg', which is no text or number, and the ontology says xsd:integer"),
        ("xsd:decimal", "48", ""),
        ("xsd:integer", "48", ""),
        ("rdfs:Literal", "48", ""),
        ("xsd:integer . town:size rdfs:range xsd:string", "4.5", ""),
    ],
)
def test_a_value_of_another_datatype_than_its_range_is_a_warning(
    datatype: str, value: str, said: str, starter: Path
) -> None:
    """Once a file, and where it stands."""
    ontology = f'town:size a owl:DatatypeProperty ; rdfs:label "size"@en ; rdfs:range {datatype} .'
    messages = found(starter, ontology, f"; town:size {value} , {value}")
    assert len(messages) == bool(said)
    assert all(said in one and one.startswith(f"{CLAIMS}:12: warning: ontology/town#size is ") for one in messages), (
        messages
    )


def test_a_class_below_itself_is_a_warning_once_a_circle(starter: Path) -> None:
    pairs = ("A B", "B C", "C A", "D A", "C E", "F G", "G F", "H H")
    ontology = "\n".join(
        f"town:{a} rdfs:subClassOf town:{b} ." for a, b in (pair.split() for pair in pairs)
    ) + "\n".join(f'town:{c} a owl:Class ; rdfs:label "{c}"@en .' for c in "ABCDEFGH")
    messages = found(starter, ontology)
    assert [one.partition(": take")[0] for one in messages] == [
        "ontology/town.ttl:4: warning: ontology/town#A is below itself, by way of ontology/town#B, ontology/town#C",
        "ontology/town.ttl:9: warning: ontology/town#F is below itself, by way of ontology/town#G",
    ]


def test_a_long_line_of_classes_is_no_circle_and_takes_no_time(starter: Path) -> None:
    line = "\n".join(
        f'town:c{n} a owl:Class ; rdfs:label "{n}"@en ; rdfs:subClassOf town:c{n + 1} .' for n in range(5000)
    )
    assert found(starter, line + 'town:c5000 a owl:Class ; rdfs:label "the last"@en .') == []
