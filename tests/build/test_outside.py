"""What stands outside of claims says nothing that needs one; what was compared with a text is all that is quoted."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg import build, text
from kg.config import load
from kg.model import Severity

WORDS = "kg is written in Python"
PASSAGE = "passage/about-kg/11-34"
PREFIXES = """
@prefix : <id/> . @prefix claim: <claim/about-kg/> . @prefix doc: <document/> . @prefix kg: <ontology#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix oa: <http://www.w3.org/ns/oa#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix dcterms: <http://purl.org/dc/terms/> . @prefix schema: <http://schema.org/> .
@prefix prov: <http://www.w3.org/ns/prov#> .
"""
CLAIM = f"""
claim:3 a kg:Claim ; rdfs:label "Its language is Python."@en ; kg:speaker :kg-authors ; kg:modality kg:asserted ;
    kg:basis kg:stated ; prov:hadPrimarySource doc:about-kg ; oa:hasTarget <{PASSAGE}> .
<{PASSAGE}> a kg:Passage ; oa:hasSource doc:about-kg ; oa:hasSelector <{PASSAGE}#position> ;
    kg:sha256 "{text.sha256(WORDS)}" ; kg:rollingHash "{text.rolling_hash(WORDS)}" ; kg:paragraph 1 ; kg:sentence 1 .
<{PASSAGE}#position> a oa:TextPositionSelector ; oa:start 11 ; oa:end 34 .
claim:3 {{ :kg schema:about :python . }}
"""
QUOTED = (
    f'<{PASSAGE}> oa:hasSelector <{PASSAGE}#quote> . <{PASSAGE}#quote> a oa:TextQuoteSelector ; oa:exact "{WORDS}" .'
)

CLAIMS, ONTOLOGY, DOCUMENTS = "data/claims/more.trig", "ontology/more.ttl", "data/documents/more.trig"

REFUSED = {
    # -- words that nothing was compared with
    "a second quote": (CLAIMS, f'{QUOTED} <{PASSAGE}#quote> oa:exact "not so" .', "more than one oa:exact"),
    "a quote in a selector of its own": (
        CLAIMS,
        f'{QUOTED} <{PASSAGE}> oa:hasSelector <{PASSAGE}#b> . <{PASSAGE}#b> oa:exact "not so" .',
        f"{PASSAGE} has an oa:hasSelector that is neither <…#position> nor <…#quote>",
    ),
    "a quote in a selector without a name": (
        CLAIMS,
        f'<{PASSAGE}> oa:hasSelector [ a oa:TextQuoteSelector ; oa:exact "not so" ] .',
        "a blank node has oa:exact, which nothing compares with a text",
    ),
    "a quote in the selector that the build makes": (
        CLAIMS,
        f'<{PASSAGE}#quote> a oa:TextQuoteSelector ; oa:exact "not so" .',
        f"{PASSAGE}#quote is no oa:hasSelector of its passage",
    ),
    "a quote of a passage itself": (
        CLAIMS,
        f'<{PASSAGE}> oa:exact "not so" .',
        f"{PASSAGE} has oa:exact, which nothing",
    ),
    "words before a quote": (
        CLAIMS,
        f'{QUOTED} <{PASSAGE}#quote> oa:prefix "it is denied that " .',
        f"{PASSAGE}#quote has oa:prefix, which nothing compares with the text",
    ),
    "words as the text of a passage": (
        CLAIMS,
        f'<{PASSAGE}> schema:text "not so" .',
        f"{PASSAGE} has schema:text, which",
    ),
    "words of a claim": (
        CLAIMS,
        'claim:3 oa:exact "not so" .',
        "claim/about-kg/3 has oa:exact, which nothing compares",
    ),
    "words of a thing": (
        CLAIMS,
        'claim:3 { :kg oa:exact "not so" . }',
        "claim/about-kg/3 says oa:exact of id/kg: it stands in the descriptions of",
    ),
    "a second fingerprint": (CLAIMS, f'<{PASSAGE}> kg:sha256 "{"0" * 64}" .', f"{PASSAGE} has more than one kg:sha256"),
    "a passage without a name": (
        CLAIMS,
        "claim:3 oa:hasTarget [] .",
        "has an oa:hasTarget that is no passage/DOCUMENT/",
    ),
    "a passage with a nought before its numbers": (
        CLAIMS,
        f"<passage/about-kg/011-034> a kg:Passage ; kg:sha256 '{text.sha256(WORDS)}' .",
        "passage/about-kg/011-034 is not of the form passage/DOCUMENT/START-END",
    ),
    # -- evidence in the words of a claim
    "a passage that a claim makes": (
        CLAIMS,
        "claim:3 { :kg a kg:Passage . }",
        "says kg:Passage of id/kg: it stands in",
    ),
    "a fingerprint in a claim": (
        CLAIMS,
        'claim:3 { doc:about-kg kg:sha256 "00" . }',
        "claim/about-kg/3 says kg:sha256 of document/about-kg",
    ),
    "a voice that a claim gives a document": (
        CLAIMS,
        "claim:3 { doc:about-kg dcterms:creator :kg . }",
        "claim/about-kg/3 says dcterms:creator of document/about-kg",
    ),
    "a thing that a claim leads elsewhere": (
        CLAIMS,
        "claim:3 { :kg dcterms:isReplacedBy :python . }",
        "claim/about-kg/3 says dcterms:isReplacedBy of id/kg: it stands in data/entities",
    ),
    "two speakers": (CLAIMS, "claim:3 kg:speaker :python .", "claim/about-kg/3 has more than one kg:speaker"),
    "two voices of a document": (
        DOCUMENTS,
        "doc:about-kg dcterms:creator :kg .",
        "about-kg has more than one dcterms:creator",
    ),
    "a comparison in the ontology": (
        ONTOLOGY,
        "kg:x kg:compares claim:3 .",
        "kg:compares is written by the build only",
    ),
    # -- facts without a claim
    "an event behind a claim": (
        CLAIMS,
        "claim:3 rdfs:seeAlso [ a kg:Event ; kg:agent :kg ] .",
        "a blank node is described outside of a claim",
    ),
    "an event that leads to itself": (
        CLAIMS,
        "_:e a kg:Event ; kg:agent :kg ; kg:after _:e .",
        "a blank node is described outside of a claim",
    ),
    "an event that is a claim": (CLAIMS, "claim:3 a kg:Event .", "claim/about-kg/3 is a kg:Event outside of a claim"),
    "an event that is a document": (DOCUMENTS, "doc:about-kg a kg:Vote .", "about-kg is a kg:Vote outside of a claim"),
    "an event beside documents": (
        DOCUMENTS,
        "[] a kg:Event ; kg:agent :kg .",
        "a blank node is described outside of a claim",
    ),
    "a thing behind a document": (
        DOCUMENTS,
        "doc:about-kg schema:about [ schema:knows :kg ] .",
        "a blank node is described outside of a claim",
    ),
    "a graph among documents": (
        DOCUMENTS,
        "claim:4 { :kg a schema:Thing . }",
        "the graph claim/about-kg/4 is passed over",
    ),
    "an event in the ontology": (ONTOLOGY, "[] a kg:Event ; kg:agent :kg .", "a blank node is a kg:Event outside of"),
    "an event of others in the ontology": (
        ONTOLOGY,
        "<https://example.org/e> a kg:Vote .",
        "<https://example.org/e> is a kg:Vote outside of a claim",
    ),
    "a place of ours in the ontology": (
        ONTOLOGY,
        "<thing/e> rdfs:comment 'x'@en .",
        "the ontology describes terms only; thing/e needs a claim",
    ),
}


@pytest.fixture
def project(starter: Path) -> Path:
    (starter / CLAIMS).write_text(PREFIXES + CLAIM, encoding="utf-8")
    return starter


def add(project: Path, file: str, content: str) -> None:
    path = project / file
    before = path.read_text(encoding="utf-8") if path.exists() else PREFIXES
    path.write_text(f"{before}\n{content}\n", encoding="utf-8")


@pytest.mark.parametrize("shapes", [True, False], ids=["with shapes", "without shapes"])
@pytest.mark.parametrize("case", REFUSED)
def test_what_no_text_or_claim_stands_behind_is_not_published(case: str, shapes: bool, project: Path) -> None:
    file, content, message = REFUSED[case]
    add(project, file, content)
    if not shapes:
        for path in (project / "shapes").iterdir():
            path.unlink()
    release, findings = build.build(load(project))
    assert release is None
    errors = [str(f) for f in findings if f.severity is Severity.ERROR]
    assert any(line.startswith(f"{file}:") and message in line for line in errors), errors


def test_what_describes_claims_documents_and_terms_is_published(project: Path) -> None:
    add(project, CLAIMS, QUOTED)
    add(
        project, CLAIMS, f'claim:3 kg:speaker :kg-authors . <{PASSAGE}> kg:sha256 "{text.sha256(WORDS)}" .'
    )  # once more
    add(project, CLAIMS, 'claim:3 dcterms:source [ dcterms:title "A page"@en ] .')
    add(
        project,
        DOCUMENTS,
        'doc:about-kg a kg:Article ; dcterms:publisher [ a schema:Organization ; schema:name "P"@en ] .',
    )
    add(project, ONTOLOGY, "[] a owl:AllDisjointClasses ; owl:members ( kg:Claim kg:Passage ) .")
    add(project, ONTOLOGY, "kg:Article rdfs:subClassOf kg:Document, [ a owl:Restriction ; owl:onProperty kg:sha256 ] .")
    add(project, ONTOLOGY, 'kg:Article a owl:Class ; rdfs:label "article"@en ; skos:definition "A document."@en .')
    release, findings = build.build(load(project))
    assert release is not None, findings
    quads = (release.path / "dumps/all.nq").read_text(encoding="utf-8")
    assert [line for line in quads.splitlines() if "oa#exact" in line and WORDS in line]
