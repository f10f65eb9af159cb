"""Stage 6: SHACL, by one of the engines in ``shacl/``, over two graphs and never their union.

- ``shapes/evidence*.ttl`` see the description of claims, passages and documents with ``kg:mentions``
- every other file in ``shapes/`` sees the default graph as it will be published

Queries inside shapes are refused where they could reach the network.

Where documents differ, both values are published, and that must not break the count of a property that can have only
one: such a result is a warning, if no document breaks the count alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from pyoxigraph import BlankNode, Literal, NamedNode, Quad
from pyshacl.errors import ConstraintLoadError, ReportableRuntimeError, ShapeLoadError
from rdflib import BNode, URIRef
from rdflib.term import Node

from kg import vocab
from kg.build.assemble import Assembled
from kg.build.parse import Sources
from kg.build.shacl import ENGINES, Result, to_rdflib, with_details
from kg.errors import BuildError, QueryRefused
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
_NOT_APPLIED = tuple(_SH + name for name in ("js", "rule", "target", "expression"))
"""Of SHACL's Advanced Features and JavaScript Extensions: a shape with one of these would check less than it says."""

_EVIDENCE = re.compile(r"shapes/evidence[^/]*$")
_BROKEN_BY_TWO = frozenset(
    _SH + name + "ConstraintComponent" for name in ("MaxCount", "LessThan", "LessThanOrEquals", "UniqueLang")
)
"""What two values can break that neither breaks alone (SHACL, sections 4.2.2, 4.5.3, 4.5.4 and 4.4.5)."""

DEFAULT_ENGINE = "compiled"
"""Proven on W3C's test suite, the fixtures and generated data to find what pyshacl finds; it hands over the rest."""

Disputed = Mapping[tuple[str, str], tuple[str, ...]]
"""Subject and property → the claims of different documents that give it different values."""


def validate(
    sources: Sources,
    assembled: Assembled,
    base: str,
    disputed: Disputed | None = None,
    engine: str = DEFAULT_ENGINE,
) -> tuple[Finding, ...]:
    """Validate both graphs; a shape that cannot be used is a finding too.

    ``disputed`` are the values over which documents differ: that there are several of them is a warning. ``engine`` is
    a name in :data:`kg.build.shacl.ENGINES`; all of them find the same.
    """
    refused = tuple(_refused_queries(sources.shapes))
    if refused:
        return refused
    findings: list[Finding] = []
    for data, shapes in parts(sources, assembled):
        if shapes:
            findings += _run(data, shapes, assembled, base, disputed=disputed or {}, engine=engine)
    return tuple(dict.fromkeys(findings))


def parts(sources: Sources, assembled: Assembled) -> Iterator[tuple[list[Quad], list[SourceQuad]]]:
    """The facts and the evidence, each with the shapes that see it; all quads in the default graph."""
    facts = [quad for quad in assembled.quads if not isinstance(quad.graph_name, NamedNode)]
    yield facts, [q for q in sources.shapes if not _EVIDENCE.match(q.place.file)]
    yield list(assembled.evidence), [q for q in sources.shapes if _EVIDENCE.match(q.place.file)]


def _refused_queries(shapes: Iterable[SourceQuad]) -> Iterable[Finding]:
    """No query in a shape may reach the network (SERVICE) or nest until the parser dies, and no part is passed over."""
    for q in shapes:
        if q.quad.predicate.value in _QUERY_TEXTS and isinstance(q.quad.object, Literal):
            try:
                inspect(q.quad.object.value, depth=_MAX_DEPTH)
            except QueryRefused as e:
                yield error("shape", f"this query in a shape is not run: {e}", q.place)
        elif q.quad.predicate.value in _NOT_APPLIED:
            name = "sh:" + q.quad.predicate.value.removeprefix(_SH)
            yield error("shape", f"{name} is not applied here: say it in SHACL Core or with sh:sparql", q.place)


def _run(
    data: list[Quad], shapes: list[SourceQuad], assembled: Assembled, base: str, *, disputed: Disputed, engine: str
) -> Iterable[Finding]:
    place = shapes[0].place
    try:
        results = ENGINES[engine](data, [q.quad for q in shapes])
    except BuildError as e:
        return [error("shape", str(e), Place(place.file))]
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
    found = []
    for result in with_details(results):
        finding = _finding(result, shapes, assembled, base)
        claims = _differing(result, disputed)
        found.append(_between_documents(finding, claims, vocab.Names(base)) if claims else finding)
    return found


def _differing(result: Result, disputed: Disputed) -> tuple[str, ...]:
    """The claims whose documents differ, if that is all that a result is about."""
    if str(result.component) not in _BROKEN_BY_TWO:
        return ()
    return disputed.get((str(result.focus), str(result.path)), ())


def _between_documents(finding: Finding, claims: tuple[str, ...], names: vocab.Names) -> Finding:
    who = ", ".join(names.local(claim) or claim for claim in claims)
    text = f"{finding.message}; the documents differ, and what each says is published ({who})"
    severity = Severity.WARNING if finding.severity is Severity.ERROR else finding.severity
    return replace(finding, severity=severity, rule="disagreement", message=text)


def _finding(result: Result, shapes: list[SourceQuad], assembled: Assembled, base: str) -> Finding:
    focus, path, value, shape = result.focus, result.path, result.value, result.shape
    messages = sorted(str(message) for message in result.messages)
    severity = _SEVERITIES.get(str(result.severity), Severity.ERROR)
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
