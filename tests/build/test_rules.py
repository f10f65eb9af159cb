"""The rules across graphs, each broken once in the starter project."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kg import build
from kg.build.rules import ACROSS_DOCUMENTS, WITHIN_A_DOCUMENT
from kg.config import load

CLAIMS = "data/claims/about-kg.trig"
LABELS = "data/entities/labels.ttl"
OTHER_VOICE = """
claim:3 { :kg-said a kg:Statement ; kg:agent :kg-authors ; kg:content claim:4 . }
claim:3 a kg:Claim ; rdfs:label "The makers of kg said something."@en ; kg:speaker :kg-authors ;
    kg:modality kg:asserted ; kg:basis kg:stated ; prov:hadPrimarySource doc:about-kg ; kg:quote "kg is written" .
claim:4 { :python a schema:ComputerLanguage . }
claim:4 a kg:Claim ; rdfs:label "Python is a language."@en ; kg:speaker :python ;
    kg:modality kg:asserted ; kg:basis kg:stated ; prov:hadPrimarySource doc:about-kg ; kg:quote "in Python" .
"""
SAID_LABEL = ':kg-said rdfs:label "what was said"@en .\n'


def edit(project: Path, file: str, change: Callable[[str], str]) -> None:
    path = project / file
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")


def messages(project: Path, rule: str) -> list[str]:
    return [str(f).split(": ", 1)[1] for f in build.check(load(project)).findings if f.rule == rule]


def test_the_rules_are_these() -> None:
    assert {rule.__name__ for rule in WITHIN_A_DOCUMENT} == {
        "happened_only_if_asserted",
        "reviews_are_of_what_is_there",
        "claims_say_different_things",
        "times_are_possible",
    }
    assert {rule.__name__ for rule in ACROSS_DOCUMENTS} == {
        "things_have_labels",
        "speakers_have_labels",
        "labels_are_used",
        "content_is_said",
        "merged_things_are_not_spoken_of",
        "facts_are_stated_by_claims_alone",
    }


def test_the_starter_breaks_no_rule(starter: Path) -> None:
    assert build.check(load(starter)).findings == ()


@pytest.mark.parametrize("kind", ["kg:Event", "kg:State", "kg:Transfer", "kg:Statement"])
def test_what_is_planned_cannot_be_typed_as_having_happened(kind: str, starter: Path) -> None:
    edit(starter, CLAIMS, lambda s: s.replace("a kg:Plan", f"a {kind}"))
    assert messages(starter, "not-asserted") == [
        (
            "error: claim/about-kg/2 is planned, so id/plan-for-own-copies cannot be a "
            f"{kind}: type it as a Prospect or a ReportedSituation"
        ),
    ]


def test_what_another_speaker_says_cannot_be_typed_as_having_happened(starter: Path) -> None:
    edit(starter, CLAIMS, lambda s: s + OTHER_VOICE.replace("schema:ComputerLanguage", "kg:Event"))
    edit(starter, LABELS, lambda s: s + SAID_LABEL)
    (message,) = messages(starter, "not-asserted")
    assert message.startswith("error: claim/about-kg/4 is said by another speaker, so id/python cannot be a kg:Event")


def test_a_thing_without_a_label_is_named(starter: Path) -> None:
    edit(starter, LABELS, lambda s: s.replace(':python rdfs:label "Python"@en .', ""))
    assert messages(starter, "no-label") == ["error: id/python has no label: add one in data/entities/"]


def test_a_speaker_without_a_label_is_named(starter: Path) -> None:
    edit(starter, LABELS, lambda s: s.replace(':kg-authors rdfs:label "the kg authors"@en .', ""))
    assert set(messages(starter, "no-label")) == {
        "error: id/kg-authors has no label: add one in data/entities/",
        "error: id/kg-authors, the speaker of claim/about-kg/1 and of 1 more, has no label: add one in data/entities/",
        "error: id/kg-authors, the author of about-kg, has no label: add one in data/entities/",
    }


def test_a_label_that_no_claim_uses_is_a_warning(starter: Path) -> None:
    edit(starter, LABELS, lambda s: s + ':stray rdfs:label "stray"@en .\n')
    assert messages(starter, "unused-label") == ["warning: id/stray is in no claim"]


def test_a_claim_of_another_speaker_must_be_reached_from_a_statement(starter: Path) -> None:
    edit(starter, CLAIMS, lambda s: s + OTHER_VOICE)
    edit(starter, LABELS, lambda s: s + SAID_LABEL)
    assert messages(starter, "unsaid") == []
    edit(starter, CLAIMS, lambda s: s.replace("kg:content claim:4", "kg:content claim:1"))
    (message,) = messages(starter, "unsaid")
    assert message.startswith("error: claim/about-kg/4 has another speaker than its document, and no statement has it")


def test_a_claim_that_states_a_label_once_more_is_told_where_it_stands(starter: Path) -> None:
    edit(starter, CLAIMS, lambda s: s.replace("claim:2 {", 'claim:2 { :python rdfs:label "Python"@en .'))
    (message,) = messages(starter, "stated-twice")
    line = (starter / LABELS).read_text(encoding="utf-8").splitlines().index(':python rdfs:label "Python"@en .') + 1
    assert message.startswith(f"error: claim/about-kg/2 states what {LABELS}:{line} says without a claim")


@pytest.mark.parametrize("label", ["", ':kg-authors rdfs:label "the kg authors"@en .\n'], ids=["taken away", "kept"])
def test_a_speaker_and_author_that_was_merged_is_named_by_what_is_left(label: str, starter: Path) -> None:
    """Whether its label was kept or not; that it has none is not said, too."""
    merge = "<id/kg-authors> <http://purl.org/dc/terms/isReplacedBy> <id/kg> .\n"
    edit(starter, LABELS, lambda s: s.replace(':kg-authors rdfs:label "the kg authors"@en .\n', label) + merge)
    says = "error: id/kg-authors was merged into id/kg: "
    assert messages(starter, "replaced") == [
        f"{says}claim/about-kg/1 must say that",
        f"{says}claim/about-kg/2 must say that",
        f"{says}dcterms:creator of about-kg must say that",
    ]
    assert messages(starter, "no-label") == []


def test_a_thing_that_was_merged_is_not_asked_for_a_label(starter: Path) -> None:
    merge = "<id/python> <http://purl.org/dc/terms/isReplacedBy> <id/kg> .\n"
    edit(starter, LABELS, lambda s: s.replace(':python rdfs:label "Python"@en .\n', merge))
    assert messages(starter, "no-label") == []
    assert messages(starter, "replaced") == ["error: id/python was merged into id/kg: claim/about-kg/1 must say that"]


@pytest.mark.parametrize(
    ("changed", "twice"),
    [
        (("is made with", "was made with"), True),
        (("is written in Python", "kg is written in Python"), False),
        (("kg:asserted", "kg:alleged"), False),
        (("programmingLanguage :python", "about :python"), False),
    ],
    ids=["gloss", "passage", "modality", "triple"],
)
def test_a_claim_that_says_of_the_same_words_what_another_says_is_a_warning(
    changed: tuple[str, str], twice: bool, starter: Path
) -> None:
    text = (starter / CLAIMS).read_text("utf-8").replace("kg is written in Python", "is written in Python")
    start, end = text.index("claim:1 {"), text.index("# A plan")
    again = text[start:end].replace("claim:1", "claim:3").replace("The program", "So the program").replace(*changed)
    (starter / CLAIMS).write_text(text + again, "utf-8")
    assert messages(starter, "twice") == (
        ["warning: claim/about-kg/3 says of the same words what claim/about-kg/1 says: take one of them out"]
        if twice
        else []
    )
