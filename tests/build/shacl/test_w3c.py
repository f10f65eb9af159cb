"""W3C's tests of SHACL Core: each is answered as its report says, or refused; none is answered wrongly."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyoxigraph import Quad, RdfFormat, parse
from rdflib import RDF, BNode, Graph, Namespace, URIRef
from rdflib.term import Node

from kg.build.shacl import ENGINES, Result, compiled, to_graph, with_details
from kg.build.shacl.model import NotCovered
from kg.build.shacl.reference import read_report

SUITE = Path(__file__).resolve().parents[4] / "shared" / "w3c" / "shacl-core"
MF = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
SHT = Namespace("http://www.w3.org/ns/shacl-test#")
AT_LEAST = 74
"""Cases that are answered; the rest are refused, each for a reason that this module knows."""

pytestmark = pytest.mark.skipif(not SUITE.is_dir(), reason="W3C's suite is not at hand (../shared/w3c/shacl-core)")


def manifests(path: Path) -> Iterator[Path]:
    """Every file with a case, from a manifest down."""
    graph = Graph().parse(path, publicID=path.as_uri())
    if (None, MF.entries, None) in graph:
        yield path
    for included in graph.objects(None, MF.include):
        yield from manifests(Path(str(included).removeprefix("file://")))


def cases() -> list[Path]:
    return sorted(set(manifests(SUITE / "manifest.ttl"))) if SUITE.is_dir() else []


def read(iri: Node) -> list[Quad]:
    path = Path(str(iri).removeprefix("file://"))
    return list(parse(path.read_bytes(), format=RdfFormat.TURTLE, base_iri=path.as_uri()))


def described(node: Node | None, graph: Graph) -> object:
    """A blank node by what hangs from it, so that a path is the same in two graphs; nothing else has any."""
    if not isinstance(node, BNode):
        return node
    return frozenset((p, described(o, graph)) for p, o in graph.predicate_objects(node))


def comparable(results: list[Result], graph: Graph) -> Counter[object]:
    """Results without messages and details, which a report need not have."""
    return Counter(
        (r.focus, described(r.path, graph), r.value, r.component, r.severity, described(r.shape, graph))
        for r in results
    )


def graphs_of(path: Path) -> tuple[Graph, list[Quad], list[Quad], list[Quad]]:
    """A case as a graph and as quads, its data and its shapes; often all three are one file."""
    quads = read(URIRef(path.as_uri()))
    graph = to_graph(quads)
    [case] = graph.subjects(RDF.type, SHT.Validate)
    [action] = graph.objects(case, MF.action)
    [data], [shapes] = graph.objects(action, SHT.dataGraph), graph.objects(action, SHT.shapesGraph)
    data_quads = quads if str(data) == path.as_uri() else read(data)
    shape_quads = data_quads if shapes == data else read(shapes)
    return graph, quads, data_quads, shape_quads


def outcome(path: Path) -> str:
    """``passed``, or why the engine refused."""
    graph, quads, data_quads, shape_quads = graphs_of(path)
    try:
        checked = compiled(data_quads, shape_quads)
    except NotCovered as e:
        return str(e)
    if checked.refused:
        return "; ".join(sorted(set(checked.refused.values())))
    wanted = read_report(graph)
    both = to_graph([*quads, *shape_quads])
    assert comparable(checked.all_results(), both) == comparable(wanted, both)
    return "passed"


def test_every_case_is_answered_as_its_report_says_or_refused(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = {}
    wrong = []
    for path in cases():
        try:
            outcomes[path.stem] = outcome(path)
        except AssertionError:
            wrong.append(path.stem)
    passed = [name for name, result in outcomes.items() if result == "passed"]
    refused = {name: result for name, result in outcomes.items() if result != "passed"}
    with capsys.disabled():
        sys.stdout.write(f"\nW3C SHACL Core: {len(passed)} passed, {len(refused)} refused: {refused}\n")
    assert wrong == []
    assert len(passed) >= AT_LEAST


def test_every_case_has_the_same_results_as_with_the_reference() -> None:
    """Messages too, but for texts of blank nodes, which pyshacl cuts and caches by the order of its steps."""
    for path in cases():
        _, _, data, shapes = graphs_of(path)
        ours, theirs = (
            Counter((r.focus, r.path, r.value, r.component, r.severity, r.shape, plain(r)) for r in with_details(found))
            for found in (ENGINES[name](data, shapes) for name in ("compiled", "pyshacl"))
        )
        assert ours == theirs, path.stem


def plain(result: Result) -> frozenset[Node]:
    return frozenset(message for message in result.messages if "[" not in str(message))
