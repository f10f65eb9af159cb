"""Canonical labels for blank nodes (RDFC-1.0, https://www.w3.org/TR/rdf-canon/), with a deadline.

The algorithm is exponential on graphs made for that ("poison graphs"), and the engine can neither be interrupted nor
stand very deep ones. Where every blank node can be told apart by its own quads (the common case, and linear), it runs
here; otherwise in a process of its own that can be killed: this file as a script, N-Quads in and out. (As a module of
its package it would have to wait for all of :mod:`kg.build`, ten times as long as for what it needs.)
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable

from pyoxigraph import BlankNode, CanonicalizationAlgorithm, Dataset, Quad, RdfFormat, parse, serialize

from kg.bounds import STUCK, bound_tool
from kg.errors import BuildError

DEADLINE = 5
"""Seconds of CPU that a canonicalisation may take: those of the clock would depend on what else the machine does."""

MEMORY = 1 << 30
"""Bytes that a canonicalisation may take."""

MOST_TOGETHER = 10_000
"""Blank nodes in one graph that are canonicalised in this process; chains of many more exhaust the engine's stack."""


def canonical(quads: Iterable[Quad]) -> list[Quad]:
    """The quads with canonical blank node labels, in the order of their N-Quads lines.

    :raises BuildError: if that takes longer than ``DEADLINE``.
    """
    dataset = Dataset(quads)
    quads = list(dataset)
    if _told_apart(quads):
        dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
        return sorted(dataset, key=str)
    try:
        done = subprocess.run(
            [sys.executable, "-P", __file__],
            input=serialize(quads, format=RdfFormat.N_QUADS),
            capture_output=True,
            timeout=STUCK,
            check=True,
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        raise BuildError(
            f"{len(_nodes(quads))} blank nodes hang together so that they cannot be told apart in "
            f"{DEADLINE} seconds: give them IRIs"
        ) from None
    return sorted(parse(done.stdout, format=RdfFormat.N_QUADS), key=str)


def _nodes(quads: Iterable[Quad]) -> set[BlankNode]:
    return {node for quad in quads for node in (quad.subject, quad.object) if isinstance(node, BlankNode)}


def _told_apart(quads: Iterable[Quad]) -> bool:
    """Whether the quads around each blank node (its first-degree hash, section 4.6) are those of no other."""
    around: defaultdict[BlankNode, list[str]] = defaultdict(list)
    for quad in quads:
        nodes = {node for node in (quad.subject, quad.object) if isinstance(node, BlankNode)}
        for node in nodes:
            terms = (quad.subject, quad.predicate, quad.object, quad.graph_name)
            around[node].append(
                " ".join(("_:a" if t == node else "_:z") if isinstance(t, BlankNode) else str(t) for t in terms)
            )
    signatures = Counter("\n".join(sorted(lines)) for lines in around.values())
    return len(around) <= MOST_TOGETHER and len(signatures) == len(around)


def main() -> None:
    """Canonicalise standard input, within the limits."""
    bound_tool(DEADLINE, MEMORY)
    dataset = Dataset(parse(sys.stdin.buffer.read(), format=RdfFormat.N_QUADS))
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    serialize(dataset, sys.stdout.buffer, format=RdfFormat.N_QUADS)


if __name__ == "__main__":
    main()
