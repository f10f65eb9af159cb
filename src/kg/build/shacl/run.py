"""Both engines over a whole data graph at once; what the compiled one refuses is handed over to the reference.

So tests hold one to the other, and benchmarks compare them. A build goes by ``partial.py``, part by part.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from pyoxigraph import Quad

from kg.build.shacl import reference
from kg.build.shacl.compile import focus_nodes
from kg.build.shacl.data import Data
from kg.build.shacl.model import NotCovered, Result, to_graph
from kg.build.shacl.partial import Outcome, plans_of, run


def compiled(data: Sequence[Quad], shapes: Sequence[Quad]) -> Outcome:
    """Check what the engine covers: the shapes that ``results`` has, some of them without any.

    :raises NotCovered: if the reference cannot even load the shapes.
    """
    plans = plans_of(shapes)
    with _no_collection():
        tables = Data(data, plans.wanted)
        found = Outcome(refused=dict(plans.refused))
        for shape, plan in plans.plans.items():
            try:
                run(shape, plan, focus_nodes(plans.aims[shape], tables), tables, found)
            except NotCovered as e:  # a target that only the reference understands
                found.refused[shape] = str(e)
    return found


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
    found = checked.all_results()
    return found + reference.run(to_graph(data), shapes, checked.results.keys()) if checked.refused else found


def _reference(data: Sequence[Quad], shapes: Sequence[Quad]) -> list[Result]:
    return reference.run(to_graph(data), shapes)


ENGINES: dict[str, Callable[[Sequence[Quad], Sequence[Quad]], list[Result]]] = {
    "compiled": _with_hand_over,
    "pyshacl": _reference,
}
