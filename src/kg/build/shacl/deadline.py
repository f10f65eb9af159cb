"""Which shape did not end: found in the frames of what was running (see :mod:`kg.bounds`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from pyshacl.shape import Shape
from rdflib.term import Node

from kg.bounds import Clock, Overdue
from kg.build.shacl.compile import Compiler
from kg.build.shacl.plan import Plan
from kg.errors import KgError


class Endless(KgError):
    """The check of ``shape`` did not end within ``seconds`` of CPU. Becomes a finding, where shapes have places."""

    def __init__(self, shape: Node | None, seconds: float) -> None:
        super().__init__(f"{shape} did not end within {seconds:.0f} s")
        self.shape = shape
        self.seconds = seconds

    def __reduce__(self) -> tuple[type[Endless], tuple[Node | None, float]]:
        return type(self), (self.shape, self.seconds)


@contextmanager
def ending(clock: Clock, units: float = 0) -> Iterator[None]:
    """Checks that take at most what the clock gives.

    :raises Endless: if they do not end.
    """
    try:
        with clock.running(shape_in, units):
            yield
    except Overdue as e:
        raise Endless(e.where, e.seconds) from None


def shape_of(e: BaseException) -> Node | None:
    """The shape over which something was raised."""
    trace = e.__traceback__
    found: Node | None = None
    while trace is not None:
        found = shape_in(trace.tb_frame, 1) or found
        trace = trace.tb_next
    return found


def shape_in(frame: FrameType | None, most: int = 1_000_000) -> Node | None:
    """The innermost shape that was checked, or read."""
    while frame is not None and most:
        owner = frame.f_locals.get("self")
        node: Node | None = None
        if isinstance(owner, Plan):
            node = owner.shape.node
        elif isinstance(owner, Shape):
            node = owner.node
        elif isinstance(owner, Compiler):
            node = frame.f_locals.get("node")
        if node is not None:
            return node
        frame, most = frame.f_back, most - 1
    return None
