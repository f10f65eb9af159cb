"""A thesaurus in ``ontology/`` that breaks an integrity condition of SKOS gets a warning with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg import build
from kg.config import load

HEAD = """@prefix t: <ontology/craft#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
t:crafts a skos:ConceptScheme ; skos:prefLabel "crafts"@en ; skos:hasTopConcept t:craft .
t:craft a skos:Concept ; skos:inScheme t:crafts ; skos:prefLabel "craft"@en , "métier"@fr , "Handwerk"@de .
t:milling a skos:Concept ; skos:prefLabel "milling"@en , "meunerie"@fr ; skos:altLabel "milling"@de ;
    skos:broader t:craft .
t:baking a skos:Concept ; skos:prefLabel "baking"@en ; skos:related t:milling ; skos:broader t:craft .
"""


def said(project: Path, text: str) -> list[str]:
    (project / "ontology/craft.ttl").write_text(HEAD + text, encoding="utf-8")
    found = build.check(load(project)).findings
    assert [str(one) for one in found if one.rule != "skos"] == []
    return [str(one) for one in found]


def test_a_sound_thesaurus_is_silent(starter: Path) -> None:
    assert said(starter, "") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("t:milling a skos:ConceptScheme .", "nothing is a skos:Concept and a skos:ConceptScheme (SKOS, S9 and S37)"),
        (
            't:milling skos:hiddenLabel "milling"@en .',
            '"milling"@en is skos:prefLabel and skos:hiddenLabel: it is one of these at most (SKOS, S13)',
        ),
        (
            't:milling skos:prefLabel "grinding"@en .',
            'skos:prefLabel is "milling" and "grinding"@en: one a language, skos:altLabel for others (S14)',
        ),
        (
            "t:milling skos:related t:craft .",
            "skos:related leads to a concept above or below: ontology/craft#craft (SKOS, S27)",
        ),
        (
            "t:milling skos:exactMatch <http://a.example/1> ; skos:broadMatch <http://a.example/1> .",
            "http://a.example/1 cannot be skos:exactMatch and skos:broadMatch (SKOS, S46)",
        ),
    ],
)
def test_a_breach_is_named_with_its_line(text: str, message: str, starter: Path) -> None:
    assert said(starter, text) == [f"ontology/craft.ttl:8: warning: ontology/craft#milling: {message}"]


def test_what_is_far_above_is_above_and_circles_do_no_harm(starter: Path) -> None:
    text = "t:craft skos:narrower t:milling ; skos:broader t:baking .\nt:flour a skos:Concept ; skos:prefLabel 'f'@en ;"
    found = said(starter, text + " skos:broader t:milling ; skos:related t:craft .")
    assert len(found) == 2
    assert found[0].startswith("ontology/craft.ttl:7: warning: ontology/craft#baking: skos:related leads to a concept")
    assert found[1].startswith("ontology/craft.ttl:9: warning: ontology/craft#flour: skos:related leads to a concept")
