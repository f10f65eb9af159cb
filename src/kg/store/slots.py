"""How a release lies in a quad store beside the one before it: two slots, and one pointer.

In the graphs of a SPARQL endpoint, ``H`` being 12 hex digits of the base's SHA-256::

    urn:kg:H                the pointer and what is known of the slots
    urn:kg:H:a              slot a: the release's default graph
    urn:kg:H:a:IRI          slot a: the release's graph IRI
    urn:kg:H:b …            slot b

So several releases of several sites share one store, and a release becomes visible by the change of one triple.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from pyoxigraph import Literal, NamedNode

from kg.store.endpoint import Endpoint

SLOTS = ("a", "b")
FIELDS = ("version", "digest", "state", "loaded", "quads")
LOADING, READY = "loading", "ready"


def pointer_graph(base: str) -> str:
    """The graph of a site's pointer.

    >>> pointer_graph("http://localhost:8000/")
    'urn:kg:5922057b37aa'
    """
    return f"urn:kg:{sha256(base.encode()).hexdigest()[:12]}"


@dataclass(frozen=True, slots=True)
class Slot:
    """``default`` is the IRI of its default graph."""

    base: str
    name: str

    @property
    def default(self) -> str:
        return f"{pointer_graph(self.base)}:{self.name}"

    @property
    def prefix(self) -> str:
        """What stands before the IRI of each of its graphs."""
        return self.default + ":"


@dataclass(frozen=True, slots=True)
class State:
    """What the pointer's graph says of a slot. ``loaded`` counts the batches that are in for certain."""

    slot: Slot
    current: bool
    version: str = ""
    digest: str = ""
    state: str = ""
    loaded: int = 0
    quads: int = 0


def read(endpoint: Endpoint, base: str) -> dict[str, State]:
    """Both slots by name.

    :raises EndpointError: if the endpoint cannot say.
    """
    graph = pointer_graph(base)
    rows = endpoint.rows(f"SELECT ?s ?p ?o {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}")
    said = {
        (s.value, p.value.rpartition(":")[2]): o.value
        for s, p, o in rows
        if isinstance(s, NamedNode) and isinstance(o, NamedNode | Literal)
    }
    found = {}
    for name in SLOTS:
        slot = Slot(base, name)
        values = {field: said.get((slot.default, field), "") for field in FIELDS}
        found[name] = State(
            slot,
            current=said.get((graph, "current")) == slot.default,
            version=values["version"],
            digest=values["digest"],
            state=values["state"],
            loaded=_count(values["loaded"]),
            quads=_count(values["quads"]),
        )
    return found


def write(endpoint: Endpoint, slot: Slot, **values: str | int) -> None:
    """Say something of a slot, in place of what was said of it in these fields."""
    # Sent as one update: no reader sees a field without its value.
    graph = pointer_graph(slot.base)
    fields = " ".join(f"<urn:kg:field:{name}>" for name in values)
    said = " ".join(f'<{slot.default}> <urn:kg:field:{name}> "{value}" .' for name, value in values.items())
    before = f"GRAPH <{graph}> {{ <{slot.default}> ?field ?old }}"
    endpoint.update(
        f"DELETE {{ {before} }} INSERT {{ GRAPH <{graph}> {{ {said} }} }} "  # noqa: S608 - SPARQL, of IRIs of our own
        f"WHERE {{ OPTIONAL {{ VALUES ?field {{ {fields} }} {before} }} }}"
    )


def point(endpoint: Endpoint, slot: Slot) -> None:
    """Make a slot the one that is served, in one update."""
    graph = pointer_graph(slot.base)
    current = f"<{graph}> <urn:kg:field:current>"
    before = f"GRAPH <{graph}> {{ {current} ?old }}"
    endpoint.update(
        f"DELETE {{ {before} }} INSERT {{ GRAPH <{graph}> {{ {current} <{slot.default}> }} }} "
        f"WHERE {{ OPTIONAL {{ {before} }} }}"
    )


def _count(text: str) -> int:
    return int(text) if text.isdecimal() else 0
