"""The file of statements finds what the engine wrote, whatever the terms are, and a store without it is a store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, QueryResultsFormat, Store, parse_query_results

from kg.store import embedded, stated
from kg.store.stated import Stated, packed

P = NamedNode("http://example.org/p")
XSD = "http://www.w3.org/2001/XMLSchema#"
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
literals = st.one_of(
    st.builds(Literal, texts),
    st.builds(lambda value: Literal(value, language="de"), texts),
    st.builds(lambda value: Literal(value, datatype=NamedNode(XSD + "date")), texts),
    st.builds(Literal, st.integers() | st.booleans() | st.floats(allow_nan=False)),
    st.builds(
        lambda value: Literal(value, datatype=NamedNode(XSD + "decimal")), st.sampled_from(["1.50", "-0.5", "7"])
    ),
)


def claim(number: int) -> NamedNode:
    return NamedNode(f"http://example.org/claim/{number}")


@given(st.lists(st.tuples(literals, st.integers(1, 30)), max_size=30), st.sets(st.integers(1, 30)))
@settings(max_examples=60, deadline=None)
def test_every_triple_leads_to_its_published_claims(said: list[tuple[Literal, int]], published: set[int]) -> None:
    store = Store()
    store.extend(Quad(P, P, value, graph) for value, n in said for graph in (claim(n), DefaultGraph()))
    iris = {claim(n).value for n in published}
    found = Stated(packed(store, iris))
    results: Any = store.query("SELECT ?s ?p ?o { ?s ?p ?o }")
    _, *lines, _ = results.serialize(format=QueryResultsFormat.TSV).decode().split("\n")
    assert len(lines) == len({*store.quads_for_pattern(None, None, None, DefaultGraph())})
    for line in lines:
        solutions: Any = parse_query_results(f"?s\t?p\t?o\n{line}\n".encode(), format=QueryResultsFormat.TSV)
        (_, _, value), *_ = solutions
        holders = {str(quad.graph_name)[1:-1] for quad in store.quads_for_pattern(P, P, value, None)}
        assert len(holders) > 1, "the term was read as it is stored"
        assert found.claims(line) == sorted(holders & iris)
    assert found.claims(f"{P}\t{P}\t<http://example.org/none>") == []


def test_the_file_stands_in_the_stores_folder_and_is_the_same_again(tmp_path: Path) -> None:
    quads = [Quad(P, P, Literal(n), claim(n % 7)) for n in range(500)]
    contents = []
    for name in ("a", "b"):
        embedded.write(tmp_path / name, reversed(quads) if name == "b" else quads)
        assert Stated.open(tmp_path / name) is None
        stated.write(tmp_path / name, {claim(n).value for n in range(5)})
        contents.append((tmp_path / name / "stated").read_bytes())
    assert contents[0] == contents[1]
    found = Stated.open(tmp_path / "a")
    assert found is not None
    assert [len(found.claims(f"{P}\t{P}\t{n}")) for n in range(7)] == [1, 1, 1, 1, 1, 0, 0]
    assert len(list(Store.read_only(str(tmp_path / "a")))) == 500
