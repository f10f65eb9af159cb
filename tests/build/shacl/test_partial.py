"""What is checked part by part, as a build does, has the results of the whole graph: nothing more, nothing less."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Store
from rdflib.term import Node
from tests.build.shacl.test_engines import graphs, shapes, turtle
from tests.build.shacl.test_w3c import SUITE, cases, graphs_of

from kg import vocab
from kg.build.shacl import Result, compiled
from kg.build.shacl.model import NotCovered, Term
from kg.build.shacl.partial import Outcome, PartialData, Plans, check, plans_of, run, target_nodes
from kg.build.stored import canonical

Found = tuple[set[Result], set[Node]]
"""Results, and the shapes that are the reference's."""


class Whole:
    """A graph whose every subject is a part of its own, and may be looked up by the others or not."""

    def __init__(self, quads: list[Quad], plans: Plans) -> None:
        self.quads, self.plans = quads, plans
        self.about: dict[Term, list[Quad]] = defaultdict(list)
        self.superclasses: dict[str, set[str]] = defaultdict(set)
        quad: Any
        for quad in quads:
            self.about[quad.subject].append(quad)
            if quad.predicate.value == vocab.RDFS_SUBCLASS:
                self.superclasses[quad.subject.value].add(quad.object.value)

    def fetch(self, node: Term) -> list[Quad]:
        return self.about.get(node, [])

    def store(self) -> Store:
        store = Store()
        store.extend(self.quads)
        return store

    def check(self, *, fetching: bool) -> Found:
        """Check every part, then what parts left open with the whole graph at hand."""
        done = Outcome(refused=dict(self.plans.refused), open=target_nodes(self.plans))
        for subject, quads in self.about.items():
            is_own = subject.value.__eq__
            fetch = self.fetch if fetching else None
            part = PartialData(quads, self.plans.wanted, is_own, self.superclasses, fetch=fetch)
            done.add(check(self.plans, part, is_own))
        left = Outcome()
        for shape in done.open.keys() - done.refused.keys():
            whole = PartialData(
                (), self.plans.wanted, lambda _: False, self.superclasses, fetch=self.fetch, store=self.store
            )
            run(shape, self.plans.plans[shape], done.open[shape], whole, left)
        assert not left.open
        refused = set(done.refused | left.refused)
        both = (*done.results.items(), *left.results.items())
        return {result for shape, found in both if shape not in refused for result in found}, refused


def named(quads: list[Quad]) -> list[Quad]:
    """The quads with IRIs in place of blank nodes, and literals in their canonical form, as a release has them."""

    def kept(node: Any) -> Any:
        if isinstance(node, Literal):
            return canonical(node)
        return NamedNode(f"urn:node:{node.value}") if isinstance(node, BlankNode) else node

    return [Quad(kept(q.subject), q.predicate, kept(q.object)) for q in quads]


def agrees(data: list[Quad], shape_quads: list[Quad]) -> bool:
    """Whether parts and the whole have the same results; ``False`` if the whole is the reference's."""
    quads = named(data)
    try:
        checked = compiled(quads, shape_quads)
    except NotCovered:
        return False
    whole = Whole(quads, plans_of(shape_quads))
    for fetching in (True, False):
        assert whole.check(fetching=fetching) == (set(checked.all_results()), set(checked.refused))
    return True


@pytest.mark.skipif(not SUITE.is_dir(), reason="W3C's suite is not at hand (../shared/w3c/shacl-core)")
def test_w3cs_cases_have_the_same_results_in_parts() -> None:
    checked = 0
    for path in cases():
        _, _, data, shape_quads = graphs_of(path)
        checked += agrees(data, shape_quads)
    assert checked > 90


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(graphs, shapes)
def test_generated_data_have_the_same_results_in_parts(data: str, shape_text: str) -> None:
    agrees(turtle(data), turtle(shape_text))
