"""Passages against texts: verified where the text is at hand, not checked here where it is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kg import build, text
from kg.build.cite import cite, passage_trig
from kg.config import load
from kg.release import Release

TEXT = "A memo\n\nThe lamp is on. The lamp is off.\n\nNobody knows why.\n"


@pytest.fixture
def hidden(starter: Path, tmp_path: Path) -> Path:
    """A folder with the text of a document that may not be shown; the starter project has a claim from it."""
    folder = tmp_path / "private"
    folder.mkdir()
    (folder / "memo.txt").write_text(TEXT, encoding="utf-8")
    passage, _, shown = cite(load(starter), "memo", "The lamp is on", [folder])
    (starter / "data/documents/memo.ttl").write_text(
        """@prefix : <id/> . @prefix kg: <ontology#> . @prefix dcterms: <http://purl.org/dc/terms/> .
<document/memo> a kg:Document ; dcterms:title "A memo"@en ; dcterms:creator :memo-author ; kg:textShown false ;
    kg:sha256 "SHA" .
""".replace("SHA", text.parse(TEXT).sha256)
    )
    (starter / "data/claims/memo.trig").write_text(
        f"""@prefix : <id/> . @prefix claim: <claim/memo/> . @prefix doc: <document/> . @prefix kg: <ontology#> .
@prefix oa: <http://www.w3.org/ns/oa#> . @prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix schema: <http://schema.org/> .
claim:1 {{ :lamp a schema:Product . }}
claim:1 a kg:Claim ; rdfs:label "A lamp was burning."@en ; kg:speaker :memo-author ; kg:modality kg:asserted ;
    kg:basis kg:stated ; prov:hadPrimarySource doc:memo ; oa:hasTarget <{_local(passage.iri)}> .
{passage_trig(passage, quote=shown)}
"""
    )
    (starter / "data/entities/memo.ttl").write_text(
        """@prefix : <id/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
:memo-author rdfs:label "whoever wrote the memo"@en . :lamp rdfs:label "the lamp"@en .
"""
    )
    return folder


def _local(iri: str) -> str:
    return iri.removeprefix("http://localhost:8000/")


def passages(release: Release | None, document: str) -> dict[str, str]:
    assert release is not None
    report = json.loads((release.path / "report.json").read_text("utf-8"))
    return {_local(iri): check for iri, check in report["passages"].items() if f"/{document}/" in iri}


def test_a_passage_is_verified_where_the_text_is_at_hand_and_else_not_checked(starter: Path, hidden: Path) -> None:
    config = load(starter)
    without, _ = build.build(config)
    assert passages(without, "memo") == {"passage/memo/7-21": "not checked here"}
    with_text, findings = build.build(config, [hidden])
    assert passages(with_text, "memo") == {"passage/memo/7-21": "passage verified"}
    assert with_text is not None
    assert with_text.report["documents"]["memo"] == {
        "claims": 1,
        "passages": 1,
        "sentences": 4,
        "sentences_with_claim": 1,
        "checked": True,
    }
    assert [f.message for f in findings if f.rule == "no-claim"] == [
        f"memo: no claim rests on sentence {n} (paragraph {p}, at {at})"
        for n, p, at in ((1, 1, "0-6"), (3, 2, "23-39"), (4, 3, "40-57"))
    ]


def test_a_sentence_without_a_claim_is_told_with_its_words_where_they_may_be_shown(starter: Path) -> None:
    with (starter / "data/documents/about-kg.md").open("a", encoding="utf-8") as file:
        file.write("It is new.\n")
    found = [f.message for f in build.check(load(starter)).findings if f.rule == "no-claim"]
    assert found == ['about-kg: no claim rests on sentence 3 (paragraph 1, at 122-132): "It is new."']


def test_the_words_of_a_text_that_may_not_be_shown_are_nowhere_in_the_release(starter: Path, hidden: Path) -> None:
    release, _ = build.build(load(starter), [hidden])
    assert release is not None
    for path in release.path.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert b"lamp is on" not in data, path
            assert b"Nobody knows" not in data, path


def test_another_text_at_hand_stops_the_build(starter: Path, hidden: Path) -> None:
    (hidden / "memo.txt").write_text(TEXT.replace("The lamp", "One lamp"), encoding="utf-8")
    release, findings = build.build(load(starter), [hidden])
    assert release is None
    assert {f.rule for f in findings if f.severity == "error"} == {"fingerprint"}


def test_a_quote_of_a_text_that_may_not_be_shown_is_refused(starter: Path, hidden: Path) -> None:
    path = starter / "data/claims/memo.trig"
    path.write_text(path.read_text().replace("claim:1 a kg:Claim", 'claim:1 kg:quote "The lamp is off" ; a kg:Claim'))
    _, findings = build.build(load(starter), [hidden])
    assert "quotes memo, whose text may not be shown: cite a passage by position" in " ".join(map(str, findings))


def test_white_space_and_composition_of_the_copy_do_not_matter(starter: Path, hidden: Path) -> None:
    (hidden / "memo.txt").write_text("\ufeff" + TEXT.replace("\n", "\r\n").replace("is on", "is\u00a0 on"), "utf-8")
    release, _ = build.build(load(starter), [hidden])
    assert passages(release, "memo") == {"passage/memo/7-21": "passage verified"}


@pytest.mark.parametrize(
    ("sentence", "words", "warned"),
    [
        ("The court overruled the ban.", "ruled the ban", "begins within a word, 'overruled'"),
        ("12 people fell ill.", "2 people", "begins within a word, '12'"),
        ("1,200 people fell ill.", "200 people", "begins within a word, '1,200'"),
        ("It costs 1.5 crowns.", "It costs 1", "ends within a word, '1.5'"),
        ("Er hat keine Schuld.", "eine Schuld", "begins within a word, 'keine'"),
        ("The letter x\u0302 is rare.", "The letter x", "ends within a word, 'x\u0302'"),
        ("The court overruled the ban.", "overruled the ban", ""),
        ("Iran's army left (in May).", "Iran", ""),
        ("They left in 1998, in May.", "in 1998", ""),
        ("\u6cd5\u9662\u64a4\u9500\u4e86\u7981\u4ee4\u3002", "\u64a4\u9500\u4e86\u7981\u4ee4", ""),
    ],
)
def test_a_passage_that_cuts_a_word_is_warned_of(sentence: str, words: str, warned: str, starter: Path) -> None:
    """It is there to the letter, and may say the opposite of the word that it was cut from."""
    path = starter / "data/documents/about-kg.md"
    old = path.read_text(encoding="utf-8")
    path.write_text(f"{old}\n{sentence}\n", encoding="utf-8")
    for file, before, after in (
        ("data/documents/about-kg.ttl", text.parse(old).sha256, text.parse(path.read_text(encoding="utf-8")).sha256),
        ("data/claims/about-kg.trig", "kg is written in Python", words),
    ):
        (starter / file).write_text((starter / file).read_text().replace(before, after))
    _, findings = build.build(load(starter))
    cut = [f.message for f in findings if f.rule == "cut"]
    assert len(cut) == bool(warned), findings
    assert all(warned in message for message in cut)
