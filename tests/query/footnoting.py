"""A harbour of claims for questions with footnotes, and answers with theirs as tests read them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, Store
from tests.query.conftest import BASE

from kg import vocab
from kg.query.claims import Claims
from kg.query.footnotes import Footnoted, Tracer
from kg.query.rows import nodes
from kg.store.stated import Stated, packed

KG = BASE + "ontology#"
DOCUMENT = NamedNode(BASE + "document/a")
AUTHOR = NamedNode(BASE + "id/author")
OTHER = NamedNode(BASE + "id/somebody")
PREFIXES = f"PREFIX : <{BASE}id/> PREFIX kg: <{KG}> PREFIX claim: <{BASE}claim/a/> "
Triple = tuple[str, str, str]


def iri(name: str) -> NamedNode:
    return NamedNode(f"{BASE}id/{name}")


def node(name: str) -> NamedNode | Literal:
    return Literal(int(name)) if name.isdecimal() else iri(name)


def claim(number: int) -> NamedNode:
    return NamedNode(f"{BASE}claim/a/{number}")


def dataset(claims: dict[int, tuple[str, set[Triple]]], loose: set[Triple], withdrawn: Collection[str] = ()) -> Store:
    """A small release: claims by number, with their kind and triples, and triples that no claim states."""
    store = Store()
    store.add(Quad(DOCUMENT, NamedNode(vocab.DCTERMS_CREATOR), AUTHOR))
    for number, (kind, triples) in claims.items():
        graph = claim(number)
        if graph.value in withdrawn:
            continue
        modality, basis, speaker = KINDS[kind]
        store.add(Quad(graph, NamedNode(vocab.PROV_PRIMARY_SOURCE), DOCUMENT))
        store.add(Quad(graph, NamedNode(KG + "modality"), NamedNode(KG + modality)))
        store.add(Quad(graph, NamedNode(KG + "basis"), NamedNode(KG + basis)))
        store.add(Quad(graph, NamedNode(KG + "speaker"), speaker))
        for s, p, o in triples:
            store.add(Quad(iri(s), iri(p), node(o), graph))
            if kind in PUBLISHED:
                store.add(Quad(iri(s), iri(p), node(o), DefaultGraph()))
            if kind == "background":
                store.add(Quad(iri(s), iri(p), node(o), NamedNode(BASE + "graph/background")))
    for s, p, o in loose:
        store.add(Quad(iri(s), iri(p), node(o), DefaultGraph()))
    return store


KINDS = {
    "stated": ("asserted", "stated", AUTHOR),
    "planned": ("planned", "stated", AUTHOR),
    "background": ("asserted", "background", AUTHOR),
    "alleged": ("alleged", "stated", AUTHOR),
    "inferred": ("asserted", "inferred", AUTHOR),
    "reported": ("asserted", "stated", OTHER),
}
PUBLISHED = {"stated", "planned", "background"}

HARBOUR: dict[int, tuple[str, set[Triple]]] = {
    1: ("stated", {("pier", "cranes", "4"), ("pier", "near", "town")}),
    2: ("planned", {("pier", "near", "town"), ("quay", "near", "town")}),
    3: ("reported", {("pier", "near", "town"), ("pier", "cranes", "5")}),
    4: ("background", {("town", "in", "land"), ("town", "folk", "900")}),
    5: ("inferred", {("pier", "in", "land")}),
}
LOOSE: set[Triple] = {
    ("pier", "label", "pier"),
    ("quay", "label", "quay"),
    ("pier", "under", "harbour"),
    ("quay", "under", "harbour"),
    ("harbour", "under", "all"),
}


def traced(
    store: Store, query: str, default: list[str] | None = None, named: list[str] | None = None
) -> tuple[Footnoted, list[tuple[Any, ...]]]:
    """What the tracer finds with the file of statements that the build would write, and the rows."""
    text = PREFIXES + query
    found = Tracer(store, BASE, Stated(packed(store, published(store)))).answer(text, default, named)
    # Without the file, the store itself is asked; the answer is the same.
    slow = Tracer(store, BASE).answer(text, default, named)
    rows = rows_in(found)
    # Not as lists: two runs of one query without ORDER BY need not give the rows in one order.
    assert Counter(rows) == Counter(rows_in(slow))
    return found, rows


def published(store: Store) -> set[str]:
    """The claims whose triples are in the default graph as facts."""
    claims = Claims(store, BASE)
    return {g.value for g in store.named_graphs() if claims.is_published(g.value)}


def rows_in(found: Footnoted) -> list[tuple[Any, ...]]:
    """The rows as terms."""
    rows: list[Any] = []
    found.run(rows.extend)
    return [*map(tuple, nodes(found.names, rows))]


def ask(query: str, store: Store | None = None, **more: Any) -> list[tuple[Any, ...]]:
    """Solutions of a query over the harbour, the last column as numbers of claims."""
    _, rows = traced(store or dataset(HARBOUR, LOOSE), query, more.get("default"), more.get("named"))
    return [(*map(short, row[:-1]), row[-1].value.replace(f"{BASE}claim/a/", "")) for row in rows]


def short(value: Any) -> str | None:
    return None if value is None else value.value.removeprefix(BASE + "id/").removeprefix(BASE)
