"""Claims that differ stand side by side; claims that agree count by independent documents."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import NamedNode, Quad, RdfFormat, parse

from kg import build
from kg.build import limit
from kg.config import load
from kg.model import Severity, value_of

BASE = "http://localhost:8000/"
CLAIMS, DOCUMENTS, SHAPES = "data/claims/fair.trig", "data/documents/documents.ttl", "shapes/fair.ttl"
Edit = Callable[[str, str, str], None]


@pytest.fixture
def fair(tmp_path: Path, copy_fair: Callable[[Path], Path]) -> Path:
    return copy_fair(tmp_path / "fair")


@pytest.fixture
def edit(fair: Path) -> Edit:
    def change(file: str, old: str, new: str) -> None:
        content = (fair / file).read_text(encoding="utf-8")
        assert old in content
        (fair / file).write_text(content.replace(old, new), encoding="utf-8")

    return change


def default_graph(project: Path) -> set[Quad]:
    with build.examined(load(project)) as (findings, found):
        assert found is not None, [str(f) for f in findings]
        quads: Any = parse(bytes(found.dataset.facts.data), format=RdfFormat.N_TRIPLES)
        return set(quads)


def links(project: Path, name: str) -> set[tuple[str, str]]:
    """Claims that a property of ours connects, by their short names."""
    return {
        (value_of(q.subject).removeprefix(BASE + "claim/"), value_of(q.object).removeprefix(BASE + "claim/"))
        for q in default_graph(project)
        if q.predicate.value == f"{BASE}ontology#{name}"
    }


def comparisons(project: Path, kind: str) -> list[dict[str, list[str]]]:
    """Property → values of each comparison of a kind."""
    quads = default_graph(project)
    nodes = sorted(value_of(q.subject) for q in quads if value_of(q.object) == f"{BASE}ontology#{kind}")
    found: list[dict[str, list[str]]] = []
    for node in nodes:
        if not node.startswith(BASE + "comparison/"):
            continue
        values: dict[str, list[str]] = {}
        for q in sorted(quads, key=str):
            if value_of(q.subject) == node:
                name = re.split("[#/]", q.predicate.value)[-1]
                values.setdefault(name, []).append(value_of(q.object).removeprefix(BASE))
        found.append(values)
    return found


def test_different_values_of_a_property_that_has_one_are_a_disagreement(fair: Path) -> None:
    (found,) = comparisons(fair, "Disagreement")
    assert found["comparedSubject"] == ["id/ostby-fair"]
    assert found["comparedProperty"] == ["ontology/fair#visitors"]
    assert sorted(found["comparedValue"]) == ["300", "350", "400"]
    assert found["compares"] == ["claim/courier/1", "claim/digest/1", "claim/observer/1", "claim/observer/4"]
    assert found["label"] == ["Different values: visitors, the fair at Ostby"]


def test_claims_that_differ_point_at_each_other_and_others_do_not(fair: Path) -> None:
    one_way = {
        ("courier/1", "observer/1"),
        ("courier/1", "observer/4"),
        ("digest/1", "observer/1"),
        ("digest/1", "observer/4"),
        ("observer/1", "observer/4"),
    }
    assert links(fair, "disagreesWith") == one_way | {(b, a) for a, b in one_way}


def test_a_document_that_derives_from_another_is_no_second_witness(fair: Path) -> None:
    (found,) = comparisons(fair, "Corroboration")
    assert found["comparedProperty"] == ["ontology/fair#stalls"]
    assert found["comparedValue"] == ["12"]
    assert found["independentDocuments"] == ["2"]
    assert links(fair, "corroborates") == {
        *(("courier/2", "observer/2"), ("observer/2", "courier/2")),
        *(("digest/2", "observer/2"), ("observer/2", "digest/2")),
    }


def test_without_the_derivation_the_copy_would_count(fair: Path, edit: Edit) -> None:
    edit(DOCUMENTS, "    prov:wasDerivedFrom doc:courier ;\n", "")
    counts = {c["comparedProperty"][0]: c["independentDocuments"] for c in comparisons(fair, "Corroboration")}
    assert counts == {"ontology/fair#stalls": ["3"], "ontology/fair#visitors": ["2"]}


@pytest.mark.parametrize("version", ["dcterms:replaces", "dcterms:isVersionOf", "dcterms:source"])
def test_a_version_of_a_document_is_no_witness_of_its_own(version: str, fair: Path, edit: Edit) -> None:
    before = comparisons(fair, "Corroboration")
    edit(DOCUMENTS, "    prov:wasDerivedFrom doc:courier ;\n", f"    {version} doc:courier ;\n")
    assert comparisons(fair, "Corroboration") == before


def test_a_document_that_was_replaced_and_the_one_in_its_place_are_one_witness(fair: Path, edit: Edit) -> None:
    before = comparisons(fair, "Corroboration")
    edit(DOCUMENTS, "    prov:wasDerivedFrom doc:courier ;\n", "")
    edit(DOCUMENTS, "doc:courier a kg:Document ;", "doc:courier a kg:Document ; dcterms:isReplacedBy doc:digest ;")
    assert comparisons(fair, "Corroboration") == before


@pytest.mark.parametrize(
    "common",
    ["prov:wasDerivedFrom <https://example.org/wire>", "prov:wasQuotedFrom <https://example.org/wire>"],
)
def test_documents_with_a_common_source_outside_of_the_data_count_once(common: str, fair: Path, edit: Edit) -> None:
    for title in ('"The fair at Ostby"@en ;', '"A quiet fair"@en ;'):
        edit(DOCUMENTS, title, f"{title} {common} ;")
    assert comparisons(fair, "Corroboration") == []


def test_one_author_is_one_witness(fair: Path, edit: Edit) -> None:
    edit(DOCUMENTS, ":observer-author", ":courier-author")
    edit(CLAIMS, ":observer-author", ":courier-author")
    assert comparisons(fair, "Corroboration") == []


def test_nobodys_value_is_taken_away(fair: Path) -> None:
    visitors = NamedNode(BASE + "ontology/fair#visitors")
    values = {value_of(q.object) for q in default_graph(fair) if q.predicate == visitors}
    # The organiser's number is relayed, not stated: it stays in its own graph, as always.
    assert values == {"300", "400"}
    release, findings = build.build(load(fair))
    assert release is not None, [str(f) for f in findings]


def test_a_count_that_only_two_documents_together_break_is_a_warning(fair: Path) -> None:
    (finding,) = build.check(load(fair)).findings
    assert (finding.severity, finding.rule) == (Severity.WARNING, "disagreement")
    assert "A fair has one number of visitors." in finding.message
    assert "claim/courier/1, claim/digest/1, claim/observer/1" in finding.message


def test_a_document_that_contradicts_itself_is_an_error(fair: Path, edit: Edit) -> None:
    edit(CLAIMS, "observer:2 { :ostby-fair fair:stalls 12", "observer:2 { :ostby-fair fair:visitors 401")
    rules = {(f.rule, f.severity) for f in build.check(load(fair)).findings}
    assert ("shacl", Severity.ERROR) in rules


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("fair:visitors 400", "fair:visitors 300.0"),
        ("fair:visitors 400", "fair:visitors 300"),
        ("fair:visitors 400", "fair:visitors [ fair:attraction 1 ]"),
    ],
    ids=["equal-number", "equal", "nameless"],
)
def test_what_may_be_the_same_value_is_no_disagreement(old: str, new: str, fair: Path, edit: Edit) -> None:
    edit(CLAIMS, old, new)
    edit(CLAIMS, "fair:visitors 350", "fair:attraction 1")
    edit(SHAPES, "sh:datatype xsd:integer ;", "")
    assert comparisons(fair, "Disagreement") == []


def test_documents_that_write_one_value_in_two_ways_break_no_count(fair: Path, edit: Edit) -> None:
    """Neither can be told to write it as the other does."""
    edit(CLAIMS, "fair:visitors 400", "fair:visitors 300.0")
    edit(CLAIMS, "fair:visitors 350", "fair:attraction 1")
    edit(SHAPES, "sh:datatype xsd:integer ;", "")
    release, findings = build.build(load(fair))
    assert release is not None, [str(f) for f in findings]
    (finding,) = (f for f in findings if f.rule == "disagreement")
    assert finding.severity is Severity.WARNING
    assert "the documents do not say the same" in finding.message


def test_a_message_about_documents_that_differ_names_a_few_of_their_claims(
    fair: Path, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(CLAIMS, "fair:visitors 400", "fair:visitors 300.0")
    edit(CLAIMS, "fair:visitors 350", "fair:attraction 1")
    edit(SHAPES, "sh:datatype xsd:integer ;", "")
    monkeypatch.setattr(limit, "NAMED", 1)
    (finding,) = (f for f in build.check(load(fair)).findings if f.rule == "disagreement")
    assert re.search(r"\(claim/\w+/\d+ and \d+ more\)$", finding.message), finding.message


@pytest.mark.parametrize("modality", ["denied", "requested", "conditional"])
def test_what_is_denied_demanded_or_conditional_is_no_value(modality: str, fair: Path, edit: Edit) -> None:
    edit(CLAIMS, "kg:speaker :ida-vik ; kg:modality kg:asserted", f"kg:speaker :ida-vik ; kg:modality kg:{modality}")
    assert "observer/4" not in {claim for pair in links(fair, "disagreesWith") for claim in pair}


def test_what_is_foreseen_does_not_disagree_with_what_is_so(fair: Path, edit: Edit) -> None:
    edit(CLAIMS, "kg:speaker :ida-vik ; kg:modality kg:asserted", "kg:speaker :ida-vik ; kg:modality kg:expected")
    assert "observer/4" not in {claim for pair in links(fair, "disagreesWith") for claim in pair}


def test_a_count_in_a_shape_makes_a_property_single_valued(fair: Path, edit: Edit) -> None:
    edit(CLAIMS, "observer:2 { :ostby-fair fair:stalls 12", "observer:2 { :ostby-fair fair:stalls 13")
    assert {c["comparedProperty"][0] for c in comparisons(fair, "Disagreement")} == {
        "ontology/fair#stalls",
        "ontology/fair#visitors",
    }
    edit(SHAPES, "sh:targetClass fair:Fair", "sh:targetClass kg:State")
    (fair / SHAPES).write_text("@prefix kg: <ontology#> .\n" + (fair / SHAPES).read_text())
    assert {c["comparedProperty"][0] for c in comparisons(fair, "Disagreement")} == {"ontology/fair#visitors"}


def test_a_property_that_may_have_many_values_knows_no_disagreement(fair: Path, edit: Edit) -> None:
    edit(CLAIMS, "observer:2 { :ostby-fair fair:stalls 12", 'observer:2 { :ostby-fair fair:attraction "a bear"@en')
    assert len(comparisons(fair, "Disagreement")) == 1


def test_a_relayed_or_inferred_value_corroborates_nothing(fair: Path, edit: Edit) -> None:
    edit(CLAIMS, "fair:visitors 350", "fair:visitors 300")
    assert {c["comparedProperty"][0] for c in comparisons(fair, "Corroboration")} == {"ontology/fair#stalls"}


def test_names_of_comparisons_are_the_same_under_any_base(fair: Path, quads_of) -> None:
    def names(base: str) -> set[str]:
        iris = {value_of(q.subject) for q in quads_of(fair, base=base)}
        return {iri.removeprefix(base) for iri in iris if iri.startswith(base + "comparison/")}

    assert len(names(BASE)) == 2
    assert names(BASE) == names("https://elsewhere.example/facts/")


def test_only_the_build_may_say_that_claims_differ(fair: Path, edit: Edit) -> None:
    edit(CLAIMS, "observer:1 a kg:Claim ;", "observer:1 a kg:Claim ; kg:disagreesWith courier:2 ;")
    assert [f.rule for f in build.check(load(fair)).findings] == ["build-made"]


def test_the_comparisons_can_be_queried(fair: Path, kg) -> None:
    assert kg("build", cwd=fair).returncode == 0
    asked = kg(
        "query",
        "SELECT ?value { ?c a kg:Disagreement ; kg:compares ?claim ; kg:comparedSubject ?s ; kg:comparedProperty ?p . "
        "GRAPH ?claim { ?s ?p ?value } } ORDER BY ?value",
        cwd=fair,
    )
    assert asked.stdout.split() == ["value", "300", "300", "350", "400"]
