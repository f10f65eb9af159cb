"""Slips of a person who writes sources: each is named where it was made, and not by what follows from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.build.changes import edit

from kg import build
from kg.config import load
from kg.model import Severity

CLAIMS = "data/claims/about-kg.trig"
DOCUMENT = "data/documents/about-kg.ttl"
LABELS = "data/entities/labels.ttl"
FACTS = "shapes/facts.ttl"


def said(project: Path, severity: Severity = Severity.ERROR) -> list[str]:
    return [str(f) for f in build.check(load(project)).findings if f.severity is severity]


@pytest.mark.parametrize(
    ("prefix", "wrong", "right"),
    [
        ("kg", "<ontolgy#>", "<ontology#>"),
        ("kg", "<https://facts.example.org/ontology#>", "<ontology#>"),
        ("schema", "<http://schema.org>", "<http://schema.org/>"),
        ("prov", "<https://www.w3.org/ns/prov#>", "<http://www.w3.org/ns/prov#>"),
        ("", "<id>", "<id/>"),
        ("", "<id#>", "<id/>"),
        ("", "<ids/>", "<id/>"),
        ("claim", "<claims/about-kg/>", "<claim/about-kg/>"),
    ],
)
def test_a_prefix_that_leads_elsewhere_is_named_with_its_line_and_the_one_that_was_meant(
    prefix: str, wrong: str, right: str, starter: Path
) -> None:
    edit(starter, CLAIMS, f"@prefix {prefix}: {right}", f"@prefix {prefix}: {wrong}")
    lines = (starter / CLAIMS).read_text(encoding="utf-8").splitlines()
    line = next(number for number, text in enumerate(lines, 1) if text.startswith(f"@prefix {prefix}:"))
    (only,) = said(starter)
    assert only.startswith(f"{CLAIMS}:{line}: error: the prefix {prefix}: is {wrong}, ")
    assert only.endswith(f"write @prefix {prefix}: {right} .")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("@prefix schema: <http://schema.org/>", "@prefix schema: <https://schema.org/>"),
        ("@prefix rdfs:", "@prefix kgo: <http://g.co/kg/> .\n@prefix rdfs:"),
        ("@prefix rdfs:", "@prefix time: <https://example.org/times/> .\n@prefix rdfs:"),
    ],
)
def test_a_prefix_that_may_be_meant_is_no_slip(old: str, new: str, starter: Path) -> None:
    edit(starter, CLAIMS, old, new)
    assert said(starter) == []


def test_a_module_of_the_ontology_without_its_hash_is_a_warning(starter: Path) -> None:
    edit(starter, CLAIMS, "@prefix rdfs:", "@prefix town: <ontology/town> .\n@prefix rdfs:")
    assert [one for one in said(starter, Severity.WARNING) if "the prefix town: is <ontology/town>" in one]
    assert said(starter) == []


def test_an_iri_under_the_base_at_which_nothing_is_is_a_warning(starter: Path) -> None:
    edit(starter, CLAIMS, "schema:programmingLanguage :python", "schema:programmingLanguage <languages/python>")
    (only,) = (one for one in said(starter, Severity.WARNING) if "languages" in one)
    assert only.startswith(f"{CLAIMS}:11: warning: languages/python has no page here: things are id/NAME")


def test_an_unknown_prefix_that_is_like_a_known_one_is_said_with_it(starter: Path) -> None:
    edit(starter, CLAIMS, " schema:programming", " shema:programming")
    (only,) = said(starter)
    assert "unknown prefix 'shema:': did you mean schema:? Otherwise declare it" in only


def test_a_property_of_shacl_that_does_not_exist_is_a_warning_and_no_shape_that_does_nothing(starter: Path) -> None:
    edit(starter, FACTS, "sh:maxCount 0", "sh:maxcount 0")
    (only,) = (one for one in said(starter, Severity.WARNING) if "maxcount" in one)
    assert only.startswith(f"{FACTS}:")
    assert "did you mean <http://www.w3.org/ns/shacl#maxCount>?" in only


@pytest.mark.parametrize(
    ("term", "hint"),
    [
        ("kg:Demolition", "; add it to ontology/"),
        ("kg:SoftwareApplikation", "; add it to ontology/"),
        ("<ontology/town#Plan>", "; did you mean ontology#Plan?"),
        ("<ontology/town#Bridge>", "; no file in ontology/ describes a term of <ontology/town#>"),
    ],
)
def test_an_unknown_term_is_likened_to_names_and_not_to_addresses(term: str, hint: str, starter: Path) -> None:
    edit(starter, CLAIMS, "schema:SoftwareApplication", term)
    (only,) = said(starter)
    assert only.endswith(hint), only


def test_two_claims_of_one_number_are_said_with_both_lines(starter: Path) -> None:
    edit(starter, CLAIMS, "claim:2", "claim:1")
    first, second = said(starter)
    for one, mark, line in ((first, "basis", 22), (second, "modality", 22)):
        assert f"claim/about-kg/1 has more than one kg:{mark}, another one on line {line}" in one


def test_a_mark_that_is_neither_true_nor_false_is_the_only_error(starter: Path) -> None:
    edit(starter, DOCUMENT, "kg:textShown true", 'kg:textShown "yes"')
    assert said(starter) == [f"{DOCUMENT}:11: error: document about-kg: kg:textShown is true or false, not 'yes'"]


def test_a_document_that_is_missing_is_said_once(starter: Path) -> None:
    (starter / DOCUMENT).unlink()
    (only,) = said(starter)
    assert only.startswith(f"{CLAIMS}:12: error: claim/about-kg/1: missing document about-kg: describe it in")


def test_a_statement_that_points_at_a_withdrawn_claim_is_told_so(starter: Path) -> None:
    stone = (
        'claim:3 a kg:WithdrawnClaim ; rdfs:label "It was not so."@en ; kg:withdrawnOn "2026-06-02"^^xsd:date ;\n'
        '    <http://www.w3.org/2004/02/skos/core#changeNote> "A slip."@en .\n'
        "claim:1 { :kg schema:about claim:3 . }\n"
    )
    edit(starter, CLAIMS, "@prefix rdfs:", "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n@prefix rdfs:")
    with (starter / CLAIMS).open("a", encoding="utf-8") as file:
        file.write(stone)
    (only,) = said(starter)
    assert only.endswith("claim/about-kg/1: claim/about-kg/3 is not described, or was withdrawn")


def test_named_graphs_in_turtle_are_told_where_they_belong(starter: Path) -> None:
    (starter / CLAIMS).rename(starter / "data/claims/about-kg.ttl")
    assert "; named graphs are written in .trig" in said(starter)[0]


def test_a_link_that_leads_nowhere_is_called_one(starter: Path) -> None:
    (starter / CLAIMS).unlink()
    (starter / CLAIMS).symlink_to("nowhere.trig")
    assert said(starter)[0] == f"{CLAIMS}: error: is a link that leads nowhere"


def with_time(project: Path, edtf: str, bounds: str = "") -> None:
    """A claim gives a time, and the days between which it lies."""
    edit(project, CLAIMS, "claim:2 { ", f'claim:2 {{ :kg schema:about :when . :when kg:edtf "{edtf}" {bounds} . ')
    edit(project, CLAIMS, "@prefix rdfs:", "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n@prefix rdfs:")
    edit(project, LABELS, ":kg rdfs:label", ':when rdfs:label "when it was"@en .\n:kg rdfs:label')


@pytest.mark.parametrize("edtf", ["2024-13-45", "2023-02-29", "[2024", "1990/1985", "May 2024"])
def test_a_time_that_no_calendar_has_is_an_error(edtf: str, starter: Path) -> None:
    with_time(starter, edtf)
    (only,) = said(starter)
    assert f"error: id/when: '{edtf}' is no time in the Extended Date/Time Format" in only


@pytest.mark.parametrize("edtf", ["-0044-03-15", "192X", "1850~", "1978-21", "1985/..", "[..1760-12]", "Y-17000"])
def test_a_fuzzy_time_of_edtf_is_taken(edtf: str, starter: Path) -> None:
    with_time(starter, edtf)
    assert said(starter) == []


@pytest.mark.parametrize(("latest", "errors"), [("1999-12-31", 1), ("2024-03-01", 0)])
def test_a_time_outside_of_its_own_bounds_is_an_error(latest: str, errors: int, starter: Path) -> None:
    with_time(starter, "2024-03", f'; kg:earliest "1999-01-01"^^xsd:date ; kg:latest "{latest}"^^xsd:date')
    found = said(starter)
    assert len(found) == errors
    assert not found or "lies outside of kg:earliest and kg:latest beside it (1999-01-01 to 1999-12-31)" in found[0]


def test_a_project_without_shapes_is_told_so(starter: Path) -> None:
    for path in (starter / "shapes").iterdir():
        path.unlink()
    (only,) = said(starter, Severity.WARNING)
    assert only.startswith("shapes: warning: there is no shape here, so nothing holds facts and claims to rules;")


ENGINES = ("compiled", "pyshacl")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("first", "last", "errors"),
    [
        ("-0044-03-15", "-0044-03-15", 0),
        ("-0300-01-01", "-0001-12-31", 0),
        ("-0044-03-15", "2000-01-01", 0),
        ("2000-01-01", "12000-01-01", 0),
        ("-0043-01-01", "-0044-01-01", 1),
        ("12000-01-01", "2000-01-01", 1),
    ],
)
def test_days_that_python_does_not_have_are_days_and_in_order(
    first: str, last: str, errors: int, engine: str, starter: Path
) -> None:
    with_time(starter, "XXXX", f'; kg:earliest "{first}"^^xsd:date ; kg:latest "{last}"^^xsd:date')
    found = [str(f) for f in build.check(load(starter), engine=engine).findings if f.severity is Severity.ERROR]
    assert len(found) == errors
    assert all(f"id/when, kg:earliest, value '{first}': kg:earliest and kg:latest are one date" in one for one in found)


@pytest.mark.parametrize(
    ("written", "kind", "example"),
    [
        ("-0044-02-30", "date", "2024-03-03"),
        ("03.03.2024", "date", "2024-03-03"),
        ("-0044-03-15T25:00:00", "dateTime", "2024-03-03T12:00:00Z"),
        ("2021-W03", "date", "2024-03-03"),
        ("20240303T120000", "dateTime", "2024-03-03T12:00:00Z"),
        ("the year 7", "gYear", "2024"),
        ("2024-13", "gYearMonth", "2024-03"),
        ("12,5", "decimal", "12.5"),
    ],
)
def test_a_value_that_its_datatype_does_not_have_comes_with_one_that_it_has(
    written: str, kind: str, example: str, starter: Path
) -> None:
    with_time(starter, "XXXX", f'; schema:about "{written}"^^xsd:{kind}')
    (only,) = said(starter)
    assert only.endswith(f"error: {written!r} is no possible {kind}, such as {example!r}")


def test_the_period_of_a_catalogue_is_in_the_order_of_time_before_our_era_too(starter: Path) -> None:
    with_time(starter, "XXXX", '; kg:earliest "-0300-01-01"^^xsd:date ; kg:latest "-0044-03-15"^^xsd:date')
    edit(
        starter, CLAIMS, "claim:2 { ", "claim:2 { :plan-for-own-copies kg:foreseenTime :when . :when a time:Instant . "
    )
    edit(starter, CLAIMS, "@prefix rdfs:", "@prefix time: <http://www.w3.org/2006/time#> .\n@prefix rdfs:")
    release, findings = build.build(load(starter))
    assert release is not None, findings
    (period,) = (
        path.read_text("utf-8") for path in (release.path / "metadata").iterdir() if path.name.startswith("catalog")
    )
    assert re.search('startDate.*"-0300-01-01"', period)
    assert re.search('endDate.*"-0044-03-15"', period)


@pytest.mark.parametrize("space", ["https://vocab.example.net/onto#", "https://vocab.example.net/onto/"])
def test_a_slip_in_a_term_of_an_ontology_of_another_site_is_a_warning(space: str, starter: Path) -> None:
    (starter / "ontology/other.ttl").write_text(
        "@prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
        f'<{space.rstrip("#")}> a owl:Ontology ; rdfs:label "Other"@en .\n'
        f'<{space}Charter> a owl:Class ; rdfs:label "charter"@en .\n'
        f'<{space}witness> a owl:ObjectProperty ; rdfs:label "witness"@en .\n',
        encoding="utf-8",
    )
    edit(starter, CLAIMS, "claim:1 { ", f"claim:1 {{ :kg a <{space}Charterr> ; <{space}wittness> :python . ")
    found = [one.partition(": warning: ")[2] for one in said(starter, Severity.WARNING)]
    assert found == [
        f"unknown term <{space}{wrong}>: what ontology/ describes of <{space}> has no {wrong}; "
        f"did you mean <{space}{right}>?"
        for wrong, right in (("Charterr", "Charter"), ("wittness", "witness"))
    ]
    edit(starter, CLAIMS, "Charterr", "Charter")
    edit(starter, CLAIMS, "wittness", "witness")
    assert said(starter, Severity.WARNING) == []


def test_facts_in_the_ontology_are_named_and_terms_of_others_are_not(starter: Path) -> None:
    """Once a file: nothing is said of labels, of terms that others made, or of values of a class of ours."""
    (starter / "ontology/more.ttl").write_text(
        "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix x: <https://x.example/> .\n"
        "@prefix owl: <http://www.w3.org/2002/07/owl#> .\n"
        'x:length a owl:DatatypeProperty ; rdfs:label "length"@en ; x:status "stable" .\n'
        'x:unit rdfs:label "metre"@en . x:kind a <ontology#EventKind> ; x:status "stable" ; rdfs:label "kind"@en .\n'
        "x:river x:length 312 .\n"
        "x:brook x:length 7 .\n",
        encoding="utf-8",
    )
    (only,) = said(starter, Severity.WARNING)
    assert only.startswith("ontology/more.ttl:5: warning: <https://x.example/river> and 1 more are no terms, ")
    assert only.endswith("write it as claim:N { … }, or show it with kg serve --endpoint")
    edit(starter, "ontology/more.ttl", "x:brook x:length 7 .\n", "")
    assert said(starter, Severity.WARNING)[0].startswith(
        "ontology/more.ttl:5: warning: <https://x.example/river> is no term, "
    )


def test_a_question_with_a_slip_is_told_what_it_is(starter: Path) -> None:
    question = starter / "data/queries/other.rq"
    question.write_text("# title: other\nSELECT ?x { ?x a\n  foaf:Person }\n", encoding="utf-8")
    says = "data/queries/other.rq:3: error: this is not a SPARQL 1.1 query, column "
    declare = "write PREFIX foaf: <http://xmlns.com/foaf/0.1/> before the query"
    assert said(starter) == [f"{says}3: the prefix foaf: is not declared: {declare}"]
    question.write_text("# title: other\nSELECT ?x {\n  ?x a <a b> }\n", encoding="utf-8")
    assert said(starter) == [f"{says}13: this is not a valid IRI"]


def test_a_document_without_a_fingerprint_is_told_where_to_have_it_from(starter: Path) -> None:
    edit(starter, DOCUMENT, "kg:sha256", "kg:language")
    (first, *_) = said(starter)
    assert first.endswith("error: document about-kg lacks kg:sha256; `kg cite about-kg` prints what it needs")
