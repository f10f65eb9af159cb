"""One suite for all stores: whatever holds the quads, a pattern finds the same ones."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator

import pytest
from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad
from tests.store.conftest import connect
from tests.store.engines import ENGINES, Engine

from kg.push import insert
from kg.store.base import Store
from kg.store.embedded import EmbeddedStore, write
from kg.store.endpoint import Endpoint
from kg.store.profiles import PROFILES
from kg.store.remote import BATCH, RemoteStore
from kg.store.slots import Slot

XSD = "http://www.w3.org/2001/XMLSchema#"
NOWHERE = NamedNode("http://example.org/nowhere")


def iri(name: str) -> NamedNode:
    return NamedNode(f"http://example.org/{name}")


S, P, Q, G, HUB = iri("s"), iri("p"), iri("q"), iri("graph/1#x"), iri("hub")
VALUES = (
    iri("o"),
    iri("caf\u00e9/%20(x)'"),
    Literal("plain"),
    Literal(""),
    Literal('two\nlines\tand "quotes" \\ \''),
    Literal("\u0645\u0631\u062d\u0628\u0627", language="ar"),
    Literal("\U0001f600 caf\u00e9", language="en-gb"),
    Literal("5", datatype=NamedNode(XSD + "integer")),
    Literal("2020-03-11", datatype=NamedNode(XSD + "date")),
    Literal("<b>", datatype=iri("type")),
)
QUADS = frozenset(
    (
        *(Quad(S, P, value) for value in VALUES),
        *(Quad(S, Q, value, G) for value in VALUES),
        Quad(S, P, iri("o"), G),
        Quad(iri("o"), P, S, iri("graph/2")),
        *(Quad(iri(f"spoke/{n}"), Q, HUB) for n in range(BATCH + 50)),
    )
)


def in_batches(quads: Iterable[Quad], size: int) -> Iterator[list[Quad]]:
    waiting = iter(quads)
    return iter(lambda: list(itertools.islice(waiting, size)), [])


@pytest.fixture(scope="module", params=["embedded", *ENGINES])
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, engines: Callable[[str], Engine]
) -> Iterator[Store]:
    opened: Store
    if request.param == "embedded":
        folder = tmp_path_factory.mktemp("embedded") / "store"
        write(folder, QUADS)
        opened = EmbeddedStore(folder)
    else:
        endpoint = connect(engines(request.param))
        slot = Slot("http://example.org/conformance/", "a")
        for batch in in_batches(QUADS, endpoint.profile.batch):
            insert(endpoint, slot, batch)
        opened = RemoteStore(endpoint, slot)
    yield opened
    opened.close()


def test_every_pattern_finds_the_same_quads_in_every_store(store: Store) -> None:
    few = sorted((quad for quad in QUADS if quad.object != HUB), key=str)
    every = list(itertools.product((True, False), repeat=4))
    for number, quad in enumerate(few):
        places = (quad.subject, quad.predicate, quad.object, quad.graph_name)
        for mask in every if number % 5 == 0 else [(True, True, True, False), (False, True, True, True)]:
            s, p, o, g = (place if kept else None for place, kept in zip(places, mask, strict=True))
            if not any(mask[:3]) and (g is None or isinstance(g, DefaultGraph)):
                continue  # everything: the tests below
            found = list(store.quads(s, p, o, g))  # type: ignore[arg-type]  # the places of a quad
            expected = {
                q
                for q in QUADS
                if (s is None or q.subject == s)
                and (p is None or q.predicate == p)
                and (o is None or q.object == o)
                and (g is None or q.graph_name == g)
            }
            assert set(found) == expected
            assert len(found) == len(expected)


def test_more_quads_than_one_request_brings_are_all_there_once(store: Store) -> None:
    found = list(store.quads(None, Q, HUB))
    assert len(found) == BATCH + 50
    assert set(found) == {quad for quad in QUADS if quad.object == HUB}


def test_a_reader_may_stop_anywhere(store: Store) -> None:
    for number in (1, BATCH, BATCH + 1):
        assert len(list(itertools.islice(store.quads(None, None, HUB), number))) == number


def test_what_is_not_there_is_not_found(store: Store) -> None:
    assert not list(store.quads(NOWHERE))
    assert not list(store.quads(None, None, NOWHERE))
    assert not list(store.quads(S, P, None, NOWHERE))
    assert not list(store.quads(BlankNode("x")))


def test_what_is_expected_changes_no_answer(store: Store) -> None:
    store.expect([S.value, NOWHERE.value, "no IRI at all", iri("o").value])
    store.expect([S.value], [Q])
    assert set(store.quads(S, None, None, DefaultGraph())) == {q for q in QUADS if q.subject == S} - {
        q for q in QUADS if q.graph_name != DefaultGraph()
    }
    assert not list(store.quads(NOWHERE, None, None, DefaultGraph()))
    assert not list(store.quads(S, Q, None, DefaultGraph()))
    assert {q.graph_name for q in store.quads(S)} == {DefaultGraph(), G}


def test_what_is_expected_is_asked_for_once(endpoint: Endpoint) -> None:
    slot = Slot("http://example.org/expected/", "a")
    things = [iri(f"thing/{n}") for n in range(40)]
    insert(endpoint, slot, [Quad(thing, P, Literal(thing.value)) for thing in things])
    store, before = RemoteStore(endpoint, slot), endpoint.requests
    store.expect(thing.value for thing in things)
    assert [next(store.quads(t, P, None, DefaultGraph())).object for t in things] == [Literal(t.value) for t in things]
    assert not list(store.quads(things[0], Q, None, DefaultGraph()))
    assert endpoint.requests == before + 1


SPELLINGS = (
    ("integer", "+05"),
    ("decimal", "1.50"),
    ("double", "1E0"),
    ("float", "2.50"),
    ("boolean", "1"),
    ("boolean", "true"),
    ("dateTime", "2020-01-01T00:00:00.500Z"),
    ("date", "2020-01-01Z"),
    ("time", "10:00:00.0Z"),
    ("gYear", "2020"),
    ("string", " two  spaces "),
)


def test_the_profile_names_the_datatypes_that_an_engine_writes_in_its_own_way(endpoint: Endpoint) -> None:
    slot = Slot("http://example.org/spelling/", "a")
    quads = [
        Quad(iri(f"{kind}/{len(text)}"), P, Literal(text, datatype=NamedNode(XSD + kind))) for kind, text in SPELLINGS
    ]
    insert(endpoint, slot, quads)
    store = RemoteStore(endpoint, slot)
    changed = {
        kind
        for (kind, text), quad in zip(SPELLINGS, quads, strict=True)
        if set(store.quads(iri(f"{kind}/{len(text)}"))) != {quad}
    }
    assert changed == PROFILES[endpoint.profile.name].rewrites


FLAT = """
INSERT {
  GRAPH <urn:flat:1> {
    <http://example.org/flat/a> <http://example.org/p> [ <http://example.org/q> [ <http://example.org/q> "deep" ] ] ;
        <http://example.org/p> "here" .
  }
  GRAPH <urn:flat:2> { <http://example.org/flat/a> <http://example.org/p> "here", "there" . }
} WHERE {}
"""


def test_data_of_others_is_seen_as_one_graph_with_what_hangs_from_it(endpoint: Endpoint) -> None:
    endpoint.update("DROP SILENT GRAPH <urn:flat:1>")
    endpoint.update(FLAT)
    a = iri("flat/a")
    store = RemoteStore(endpoint)
    found = list(store.quads(a))
    assert {q.graph_name for q in found} == {DefaultGraph()}
    assert {q.object.value for q in found if isinstance(q.object, Literal)} == {"here", "there"}
    (nameless,) = [q.object for q in found if isinstance(q.object, BlankNode)]
    (below,) = [q.object for q in store.quads(nameless)]
    assert isinstance(below, BlankNode)
    assert [q.object for q in store.quads(below)] == [Literal("deep")]


def test_chosen_graphs_are_all_that_is_seen(endpoint: Endpoint) -> None:
    endpoint.update(FLAT)
    store = RemoteStore(endpoint, graphs=("urn:flat:2",))
    assert {q.object for q in store.quads(iri("flat/a"))} == {Literal("here"), Literal("there")}
    assert not list(store.quads(None, iri("q")))
