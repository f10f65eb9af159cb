"""RDF 1.2: every triple that a claim makes, with the claim as its reifier (RDF 1.2 Concepts, section 1.5).

``claim rdf:reifies <<( s p o )>>`` says who states a triple without stating it; what is published as a fact stands
beside it as a triple of its own.
"""

from __future__ import annotations

from collections.abc import Iterable

from pyoxigraph import NamedNode, Quad, Triple

from kg import vocab
from kg.site.lookups.evidence import Evidence

_REIFIES = NamedNode(vocab.RDF + "reifies")


def reify(quads: Iterable[Quad], evidence: Evidence) -> list[Triple]:
    """The triples of the default graph, and those of claims' graphs as triple terms; sorted."""
    found: set[Triple] = set()
    for q in quads:
        if not isinstance(q.graph_name, NamedNode):
            found.add(q.triple)
        elif evidence.claim(q.graph_name.value) is not None:
            found.add(Triple(q.graph_name, _REIFIES, q.triple))
    return sorted(found, key=str)
