"""Stage 6: SHACL, by pyshacl, over two graphs and never their union.

- ``shapes/evidence*.ttl`` see the description of claims, passages and documents with ``kg:mentions``
- every other file in ``shapes/`` sees the default graph as it will be published

Queries inside shapes are refused where they could reach the network.

Where documents differ, both values are published, and that must not break the count of a property that can have only
one: such a result is a warning, if no document breaks the count alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from pyoxigraph import BlankNode, Literal, NamedNode, Quad
from pyshacl import validate as run_pyshacl
from pyshacl.errors import ConstraintLoadError, ReportableRuntimeError, ShapeLoadError
from rdflib import BNode, Graph, URIRef
from rdflib import Literal as RdflibLiteral
from rdflib.term import Node

from kg import vocab
from kg.build.assemble import Assembled
from kg.build.parse import Sources
from kg.errors import QueryRefused
from kg.model import Finding, Place, Severity, SourceQuad, error
from kg.query.lexer import inspect

_SH = vocab.SH
_SEVERITIES = {
    _SH + "Violation": Severity.ERROR,
    _SH + "Warning": Severity.WARNING,
    _SH + "Info": Severity.INFO,
}
_QUERY_TEXTS = (_SH + "select", _SH + "ask", _SH + "construct", _SH + "update")
_MAX_DEPTH = 128
_EVIDENCE = re.compile(r"shapes/evidence[^/]*$")
_BROKEN_BY_TWO = frozenset(
    _SH + name + "ConstraintComponent" for name in ("MaxCount", "LessThan", "LessThanOrEquals", "UniqueLang")
)
"""What two values can break that neither breaks alone (SHACL, sections 4.2.2, 4.5.3, 4.5.4 and 4.4.5)."""

Disputed = Mapping[tuple[str, str], tuple[str, ...]]
"""Subject and property → the claims of different documents that give it different values."""


def to_rdflib(node: object) -> Node:
    """A pyoxigraph term as rdflib's, with its lexical form kept."""
    if isinstance(node, NamedNode):
        return URIRef(node.value)
    if isinstance(node, BlankNode):
        return BNode(node.value)
    if not isinstance(node, Literal):
        raise TypeError(f"not an RDF 1.1 term: {node!r}")
    if node.language is not None:
        return RdflibLiteral(node.value, lang=node.language)
    if node.datatype.value == vocab.XSD + "string":
        # Without a datatype, as rdflib's own parsers give it: the two are different terms to it.
        return RdflibLiteral(node.value)
    return RdflibLiteral(node.value, datatype=URIRef(node.datatype.value), normalize=False)


def to_graph(quads: Iterable[Quad]) -> Graph:
    """An rdflib graph of the triples, graph names left out."""
    graph = Graph()
    for quad in quads:
        graph.add((to_rdflib(quad.subject), to_rdflib(quad.predicate), to_rdflib(quad.object)))
    return graph


def validate(
    sources: Sources, assembled: Assembled, base: str, disputed: Disputed | None = None
) -> tuple[Finding, ...]:
    """Validate both graphs; a shape that cannot be used is a finding too.

    ``disputed`` are the values over which documents differ: that there are several of them is a warning.
    """
    refused = tuple(_refused_queries(sources.shapes))
    if refused:
        return refused
    evidence_shapes = [q for q in sources.shapes if _EVIDENCE.match(q.place.file)]
    fact_shapes = [q for q in sources.shapes if not _EVIDENCE.match(q.place.file)]
    facts = (quad for quad in assembled.quads if not isinstance(quad.graph_name, NamedNode))
    findings: list[Finding] = []
    for data, shapes in ((facts, fact_shapes), (assembled.evidence, evidence_shapes)):
        if shapes:
            findings += _run(to_graph(data), shapes, assembled, base, disputed or {})
    return tuple(dict.fromkeys(findings))


def _refused_queries(shapes: Iterable[SourceQuad]) -> Iterable[Finding]:
    """No query inside a shape may reach the network (SERVICE) or nest until the parser dies."""
    for q in shapes:
        if q.quad.predicate.value in _QUERY_TEXTS and isinstance(q.quad.object, Literal):
            try:
                inspect(q.quad.object.value, depth=_MAX_DEPTH)
            except QueryRefused as e:
                yield error("shape", f"this query in a shape is not run: {e}", q.place)


def _run(
    data: Graph, shapes: list[SourceQuad], assembled: Assembled, base: str, disputed: Disputed
) -> Iterable[Finding]:
    place = shapes[0].place
    try:
        _, results, _ = run_pyshacl(
            data,
            shacl_graph=to_graph(q.quad for q in shapes),
            inference="none",
            do_owl_imports=False,
            advanced=False,
            inplace=True,
        )
    except (ShapeLoadError, ConstraintLoadError, ReportableRuntimeError) as e:
        message = " ".join(str(getattr(e, "message", e)).split())
        return [error("shape", f"a shape cannot be used: {message}", Place(place.file))]
    except Exception as e:  # noqa: BLE001 - rdflib's errors out of a query in a shape have no common class
        return [
            error(
                "shape",
                f"a query in a shape cannot be run: {' '.join(str(e).split())[:300]}",
                Place(place.file),
            )
        ]
    if not isinstance(results, Graph):
        return [error("shape", f"the validation did not end: {results!r}", Place(place.file))]
    nodes = results.subjects(URIRef(vocab.RDF_TYPE), URIRef(_SH + "ValidationResult"))
    found = []
    for node in sorted(nodes, key=str):
        finding = _finding(results, node, shapes, assembled, base)
        claims = _differing(results, node, disputed)
        found.append(_between_documents(finding, claims, vocab.Names(base)) if claims else finding)
    return found


def _differing(results: Graph, node: Node, disputed: Disputed) -> tuple[str, ...]:
    """The claims whose documents differ, if that is all that a result is about."""
    component, focus, path = (
        str(results.value(node, URIRef(_SH + name)))
        for name in ("sourceConstraintComponent", "focusNode", "resultPath")
    )
    return disputed.get((focus, path), ()) if component in _BROKEN_BY_TWO else ()


def _between_documents(finding: Finding, claims: tuple[str, ...], names: vocab.Names) -> Finding:
    who = ", ".join(names.local(claim) or claim for claim in claims)
    text = f"{finding.message}; the documents differ, and what each says is published ({who})"
    severity = Severity.WARNING if finding.severity is Severity.ERROR else finding.severity
    return replace(finding, severity=severity, rule="disagreement", message=text)


def _finding(results: Graph, node: Node, shapes: list[SourceQuad], assembled: Assembled, base: str) -> Finding:
    def one(name: str) -> Node | None:
        return results.value(node, URIRef(_SH + name))

    focus, path, value, shape = one("focusNode"), one("resultPath"), one("value"), one("sourceShape")
    messages = sorted(str(m) for m in results.objects(node, URIRef(_SH + "resultMessage")))
    severity = _SEVERITIES.get(str(one("resultSeverity")), Severity.ERROR)
    names = vocab.Names(base)
    what = names.local(str(focus)) or str(focus)
    details = [what]
    if isinstance(path, URIRef):
        details.append(_readable(str(path), names))
    if value is not None and value != focus:
        details.append(f"value {_readable(str(value), names)!r}")
    shape_name = _shape_name(shape, shapes, names)
    text = f"{', '.join(details)}: {' '.join(messages) or 'does not conform'} [{shape_name}]"
    return Finding(severity, "shacl", text, _place(focus, path, value, assembled), str(focus))


def _readable(iri: str, names: vocab.Names) -> str:
    for prefix, namespace in names.prefixes().items():
        if iri.startswith(namespace) and len(iri) > len(namespace):
            return f"{prefix}:{iri.removeprefix(namespace)}"
    return names.local(iri) or iri


def _shape_name(shape: Node | None, shapes: list[SourceQuad], names: vocab.Names) -> str:
    """The shape's own IRI, or that of the node shape that holds a blank property shape."""
    for q in shapes:
        if isinstance(shape, BNode) and isinstance(q.quad.object, BlankNode) and q.quad.object.value == str(shape):
            return _shape_name(to_rdflib(q.quad.subject), shapes, names)
    return names.local(str(shape)) or str(shape)


def _place(focus: Node | None, path: Node | None, value: Node | None, assembled: Assembled) -> Place:
    """The line of the triple that violates, or else of the first triple about the focus node."""
    subject = focus.n3() if isinstance(focus, URIRef) else ""
    candidates = [
        (key, place)
        for key, place in assembled.places.items()
        if key[0] == subject and (not isinstance(path, URIRef) or key[1] == path.n3())
    ] or [(key, place) for key, place in assembled.places.items() if key[0] == subject]
    for key, place in candidates:
        if value is not None and str(value) in key[2]:
            return place
    return min((place for _, place in candidates), default=Place("data"))
