"""Both engines over a whole data graph at once; what the compiled one refuses is handed over to the reference.

So tests hold one to the other, and benchmarks compare them. A build goes by ``bound.py``, a part of the data at a time.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pyoxigraph import Quad
from rdflib.term import Node

from kg.build.shacl import reference
from kg.build.shacl.bound import Plans, plans_of
from kg.build.shacl.compile import focus_nodes
from kg.build.shacl.data import Data
from kg.build.shacl.model import NotCovered, Result, to_graph
from kg.build.shacl.plan import report


@dataclass(frozen=True, slots=True)
class Checked:
    """``results`` of the shapes that were covered; the others that have targets, with the reasons, are ``refused``."""

    results: list[Result]
    covered: frozenset[Node]
    refused: dict[Node, str]


def compiled(data: Sequence[Quad], shapes: Sequence[Quad]) -> Checked:
    """Check what the engine covers.

    :raises NotCovered: if the reference cannot even load the shapes.
    """
    plans = plans_of(shapes)
    with _no_collection():
        return _run(plans, Data(data, plans.wanted))


def _run(plans: Plans, tables: Data) -> Checked:
    results: list[Result] = []
    refused = dict(plans.refused)
    for node, plan in plans.plans.items():
        try:
            failed = plan.run(focus_nodes(plans.aims[node], tables), tables)
            results += [report(hit, tables) for hits in failed.values() for hit in hits]
        except NotCovered as e:
            # Found out with the data at hand; nothing of this shape was added to the results.
            refused[node] = str(e)
    return Checked(results, frozenset(plans.plans.keys() - refused.keys()), refused)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Tables and hits hold no cycles, and looking for some takes two thirds of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _with_hand_over(data: Sequence[Quad], shapes: Sequence[Quad]) -> list[Result]:
    try:
        checked = compiled(data, shapes)
    except NotCovered:
        return _reference(data, shapes)
    if not checked.refused:
        return checked.results
    return checked.results + reference.run(to_graph(data), shapes, checked.covered)


def _reference(data: Sequence[Quad], shapes: Sequence[Quad]) -> list[Result]:
    return reference.run(to_graph(data), shapes)


ENGINES: dict[str, Callable[[Sequence[Quad], Sequence[Quad]], list[Result]]] = {
    "compiled": _with_hand_over,
    "pyshacl": _reference,
}
