"""Every shape has one fixture that breaks it and nothing else; the dataset breaks none."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode

from kg import vocab
from kg.build.assemble import skolemise
from kg.build.parse import Sources, parse_sources, read_rdf
from kg.config import DEFAULT_BASE
from kg.model import Finding
from kg.release import Release

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FIXTURES = sorted((HERE / "fixtures").glob("*.ttl"))
SH = vocab.SH


@cache
def sources() -> Sources:
    return parse_sources(ROOT, DEFAULT_BASE)


def shapes_with(predicate: str) -> dict[str, list[str]]:
    """Local name of each named shape → values of one of its properties."""
    found: dict[str, list[str]] = {}
    for q in sources().shapes:
        if isinstance(q.quad.subject, NamedNode) and q.quad.predicate.value == SH + predicate:
            value = q.quad.object
            assert isinstance(value, NamedNode | Literal)
            found.setdefault(q.quad.subject.value.rpartition("#")[2], []).append(value.value)
    return found


def constraints() -> set[str]:
    """Shapes that refuse something themselves: they have a message."""
    return set(shapes_with("message"))


def broken(fixture: Path, validate: Callable[..., list[Finding]]) -> set[str]:
    """Names of the shapes that a fixture breaks, with the ontology beside it as in a build."""
    found: list[Finding] = []
    quads = read_rdf(fixture, fixture.name, DEFAULT_BASE, found)
    assert found == []
    described = tuple(q.quad for q in skolemise(quads, vocab.Names(DEFAULT_BASE)))
    ontology = tuple(q.quad for q in skolemise(sources().ontology, vocab.Names(DEFAULT_BASE)))
    evidence = fixture.stem in evidence_shapes()
    facts = () if evidence else (*described, *ontology)
    messages = [str(finding) for finding in validate(sources(), facts, described if evidence else ())]
    return {match[1] for message in messages if (match := re.search(r"\[shapes#(\w+)\]$", message))}


def evidence_shapes() -> set[str]:
    """Shapes that see descriptions of claims and passages, and no facts."""
    return {
        q.quad.subject.value.rpartition("#")[2]
        for q in sources().shapes
        if q.place.file.startswith("shapes/evidence") and isinstance(q.quad.subject, NamedNode)
    }


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.stem)
def test_a_fixture_breaks_its_own_shape_alone(fixture: Path, validate) -> None:
    """A fixture is refused by the shape it is named after, and by no other."""
    assert broken(fixture, validate) == {fixture.stem}


def test_every_shape_has_a_fixture_that_must_fail() -> None:
    """No shape is there that has never been seen to refuse anything."""
    assert {path.stem for path in FIXTURES} == constraints()


def test_every_shape_says_what_to_do() -> None:
    """A shape that refuses has a name, one severity, and a message of a whole sentence."""
    names, severities, messages = shapes_with("name"), shapes_with("severity"), shapes_with("message")
    assert set(names) >= constraints()
    assert {name: len(values) for name, values in severities.items()} == dict.fromkeys(constraints(), 1)
    all_messages = [message for values in messages.values() for message in values]
    assert [message for message in all_messages if len(message) < 30 or not message.endswith((".", "?"))] == []


def test_the_dataset_breaks_no_shape(release: Release) -> None:
    """The published dataset was validated, and nothing had to be said."""
    assert [finding for finding in release.report["findings"] if finding["rule"] == "shacl"] == []
