"""Which graph a claim's content reaches (one claim, one named graph; two layers of speech)."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyoxigraph import DefaultGraph, NamedNode, Quad

from kg.build.assemble import in_default_graph, skolemise
from kg.build.parse import read_rdf
from kg.model import Claim, Place, value_of
from kg.vocab import BASES, MODALITIES, Names

BASE = "http://localhost:8000/"


def claim(speaker: str, modality: str, basis: str) -> Claim:
    return Claim("c", "d", "1", "gloss", speaker, modality, basis, (), (), (), Place("f"))


def test_the_default_graph_takes_own_voice_stated_and_prospects_and_background_and_nothing_else() -> None:
    published = {
        (speaker, modality, basis)
        for speaker in ("author", "other")
        for modality in MODALITIES
        for basis in BASES
        if in_default_graph(claim(speaker, modality, basis), "author")
    }
    reached = ("asserted", "planned", "expected", "intended")
    assert published == {("author", m, basis) for m in reached for basis in ("stated", "background")}


def test_a_claims_graph_holds_its_triples_and_nothing_else(starter: Path, quads_of) -> None:
    graph = NamedNode(f"{BASE}claim/about-kg/1")
    found = {str(q.triple) for q in quads_of(starter) if q.graph_name == graph}
    kg_, schema = f"{BASE}id/kg", "http://schema.org/"
    assert found == {
        f"<{kg_}> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{schema}SoftwareApplication>",
        f"<{kg_}> <{schema}programmingLanguage> <{BASE}id/python>",
    }


def test_every_thing_of_a_graph_is_mentioned_by_its_claim(starter: Path, quads_of) -> None:
    mentioned = {
        (value_of(q.subject), value_of(q.object))
        for q in quads_of(starter)
        if q.predicate.value == f"{BASE}ontology#mentions" and q.graph_name == DefaultGraph()
    }
    one, two = f"{BASE}claim/about-kg/1", f"{BASE}claim/about-kg/2"
    assert {(c, t.removeprefix(BASE)) for c, t in mentioned if c in (one, two)} >= {
        (one, "id/kg"),
        (one, "id/python"),
        (two, "id/plan-for-own-copies"),
        (two, "id/kg-authors"),
    }


def test_no_published_quad_has_a_blank_node_or_a_relative_iri(starter: Path, quads_of) -> None:
    for quad in quads_of(starter, base="https://facts.example.org/kg/"):
        assert "_:" not in str(quad).split('"', 1)[0]
        assert "localhost" not in str(quad)
        assert "file:" not in str(quad)


@pytest.fixture
def skolems(tmp_path: Path):
    def run(turtle: str) -> set[Quad]:
        path = tmp_path / "x.trig"
        path.write_text("@prefix : <id/> .\n" + turtle)
        return {q.quad for q in skolemise(read_rdf(path, "x.trig", BASE, []), Names(BASE))}

    return run


def test_skolem_iris_do_not_depend_on_labels_order_or_what_else_stands_in_the_file(skolems) -> None:
    one = skolems("<g> { :a :p _:x . _:x :q 1 ; :r _:y . _:y :s 2 }")
    other = skolems("<g> { _:n :s 2 . :a :p _:m . _:m :r _:n ; :q 1 . :unrelated :p [ :q 3 ] }")
    assert one <= other
    assert len(one) == 4


def test_two_equal_blank_nodes_become_one_thing_said_once(skolems) -> None:
    # The two say the same of the same subject; a reader of the graph cannot tell them apart.
    assert len(skolems("<g> { :a :p [ :q 1 ] , [ :q 1 ] }")) == 2


def test_blank_nodes_of_two_claims_are_never_one_thing(skolems) -> None:
    quads = skolems("<g> { :a :p [ :q 1 ] } <h> { :a :p [ :q 1 ] }")
    assert len({q.subject for q in quads if q.subject != NamedNode(BASE + "id/a")}) == 2
