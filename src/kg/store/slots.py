"""How a release lies in a quad store beside the one before it: two slots, and one pointer.

In the graphs of a SPARQL endpoint, ``H`` being 12 hex digits of the base's SHA-256::

    urn:kg:H                the pointer and what is known of the slots
    urn:kg:H:a              slot a: the release's default graph
    urn:kg:H:a:IRI          slot a: the release's graph IRI
    urn:kg:H:b …            slot b

So several releases of several sites share one store, and a release becomes visible by the change of one triple.

Whoever is about to change a slot takes it first (:func:`take`), and says or moves nothing after somebody else did: of
two pushes, the later one goes on, and the earlier one notices before its next step.

Or each slot is a dataset of its own, where graphs have their own names; the pointer, in a third one, has the addresses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from pyoxigraph import Literal, NamedNode

from kg.store.endpoint import Endpoint

SLOTS = ("a", "b")
FIELDS = ("version", "digest", "state", "loaded", "quads", "dataset", "holder")
LOADING, READY = "loading", "ready"
_HOLDER = "holder"


def pointer_graph(base: str) -> str:
    """The graph of a site's pointer.

    >>> pointer_graph("http://localhost:8000/")
    'urn:kg:5922057b37aa'
    """
    return f"urn:kg:{sha256(base.encode()).hexdigest()[:12]}"


@dataclass(frozen=True, slots=True)
class Slot:
    """``default`` is the IRI of its default graph; ``dataset`` where queries go, if it has a dataset of its own."""

    base: str
    name: str
    dataset: str = ""

    @property
    def default(self) -> str:
        return f"{pointer_graph(self.base)}:{self.name}"

    @property
    def prefix(self) -> str:
        """What stands before the IRI of each of its graphs."""
        return "" if self.dataset else self.default + ":"

    def facts(self, pattern: str) -> str:
        """A pattern over its default graph."""
        return f"{{ {pattern} }}" if self.dataset else f"GRAPH <{self.default}> {{ {pattern} }}"


@dataclass(frozen=True, slots=True)
class SlotState:
    """What the pointer's graph says of a slot. ``loaded``: how many of its ``quads`` are in for certain.

    ``holder``: who has taken it to change it.
    """

    slot: Slot
    current: bool
    version: str = ""
    digest: str = ""
    state: str = ""
    loaded: int = 0
    quads: int = 0
    holder: str = ""


def read(endpoint: Endpoint, base: str) -> dict[str, SlotState]:
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
        slot = Slot(base, name, values["dataset"])
        found[name] = SlotState(
            slot,
            current=said.get((graph, "current")) == slot.default,
            version=values["version"],
            digest=values["digest"],
            state=values["state"],
            loaded=_count(values["loaded"]),
            quads=_count(values["quads"]),
            holder=values["holder"],
        )
    return found


def write(endpoint: Endpoint, slot: Slot, by: str = "", **values: str | int) -> None:
    """Say something of a slot, in place of what was said of it in these fields; ``by`` whom, if that is its holder."""
    said = {name: f'"{value}"' for name, value in values.items()}
    endpoint.update(" ; ".join(_replacing(slot, slot.default, said, by)))


def take(endpoint: Endpoint, slot: Slot, holder: str) -> None:
    """Be the one who changes a slot, whoever else was."""
    write(endpoint, slot, **{_HOLDER: holder})


def point(endpoint: Endpoint, slot: Slot, holder: str) -> None:
    """Make a slot the one that is served, and let go of it; nothing, if somebody else has taken it."""
    steps = _replacing(slot, pointer_graph(slot.base), {"current": f"<{slot.default}>"}, holder)
    endpoint.update(" ; ".join([*steps, f"DELETE WHERE {{ {_held(slot, holder)} }}"]))


def _replacing(slot: Slot, subject: str, values: Mapping[str, str], holder: str) -> Iterator[str]:
    """Steps of one request, which engines with transactions carry out as a whole.

    Others have neither value for an instant. Each step looks whether the holder is the same.
    """
    graph, held = f"GRAPH <{pointer_graph(slot.base)}>", _held(slot, holder) if holder else ""
    for name in values:
        old = f"{graph} {{ <{subject}> <urn:kg:field:{name}> ?old }}"
        yield f"DELETE {{ {old} }} WHERE {{ {held} {old} }}"
    new = " . ".join(f"<{subject}> <urn:kg:field:{name}> {value}" for name, value in values.items())
    new = f"{{ {graph} {{ {new} }} }}"
    yield f"INSERT {new} WHERE {{ {held} }}" if held else f"INSERT DATA {new}"


def _held(slot: Slot, holder: str) -> str:
    return f'GRAPH <{pointer_graph(slot.base)}> {{ <{slot.default}> <urn:kg:field:{_HOLDER}> "{holder}" }}'


def _count(text: str) -> int:
    return int(text) if text.isdecimal() else 0
