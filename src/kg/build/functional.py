"""Functional properties: those that can have only one value, and of which things.

An ``owl:FunctionalProperty`` has one value of everything (OWL 2, section 9.2.7). A property shape with ``sh:maxCount``
1 says so of what it looks at: its own targets, or those of the shapes that have it as ``sh:property`` (SHACL, sections
2.1.3 and 4.2.2). Counts below ``sh:or``, ``sh:not`` and ``sh:node`` hold under conditions, and are left aside.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

from pyoxigraph import BlankNode, Literal, NamedNode, Quad

from kg import vocab
from kg.build.parse import Sources
from kg.model import Node, value_of

_SH = vocab.SH

Targets = Mapping[str, frozenset[tuple[str, str]]]
"""Property → what it is single-valued of, as pairs of a kind of target and an IRI; ``("all", "")``: of everything."""

_MARKS = {"targetClass": "c", "targetNode": "n", "targetObjectsOf": "o", "targetSubjectsOf": "s"}


def single_valued(sources: Sources) -> Targets:
    """Read the ontology and the shapes."""
    targets: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for q in sources.ontology:
        if q.quad.predicate.value == vocab.RDF_TYPE and value_of(q.quad.object) == vocab.OWL + "FunctionalProperty":
            targets[value_of(q.quad.subject)].add(("all", ""))
    for predicate, found in _shaped(sources).items():
        targets[predicate] |= found
    return {p: frozenset(t) for p, t in targets.items()}


def holds(targets: Targets, predicate: str, reached: frozenset[tuple[str, str]]) -> bool:
    """Whether the property can have only one value of a subject that these targets reach."""
    wanted = targets.get(predicate)
    return wanted is not None and (("all", "") in wanted or not wanted.isdisjoint(reached))


def superclasses(sources: Sources) -> dict[str, frozenset[str]]:
    """Class → the classes that the ontology puts right above it."""
    above: dict[str, set[str]] = defaultdict(set)
    for q in sources.ontology:
        if q.quad.predicate.value == vocab.RDFS_SUBCLASS:
            above[value_of(q.quad.subject)].add(value_of(q.quad.object))
    return {class_: frozenset(found) for class_, found in above.items()}


def reaches(claimed: Iterable[Quad], targets: Targets, above: Mapping[str, Collection[str]]) -> Iterator[str]:
    """What reaches what, by the claims' graphs, a line each: subject, a letter for the kind of target, its IRI."""
    wanted = frozenset().union(*targets.values())
    for quad in claimed:
        subject, predicate, value = value_of(quad.subject), quad.predicate.value, value_of(quad.object)
        found = [(subject, ("targetSubjectsOf", predicate)), (subject, ("targetNode", subject))]
        if isinstance(quad.object, NamedNode):
            found.append((value, ("targetObjectsOf", predicate)))
        if predicate == vocab.RDF_TYPE:
            found += [(subject, ("targetClass", one)) for one in vocab.closure((value,), above)]
        for node, target in found:
            if target in wanted:
                yield f"{node}\t{_MARKS[target[0]]}\t{target[1]}"


def read_reached(lines: Iterable[bytes]) -> frozenset[tuple[str, str]]:
    """The targets of lines of one subject."""
    kinds = {mark: kind for kind, mark in _MARKS.items()}
    fields = (line.decode().rstrip("\n").split("\t") for line in lines)
    return frozenset((kinds[mark], iri) for _, mark, iri in fields)


def _shaped(sources: Sources) -> dict[str, set[tuple[str, str]]]:
    described: dict[Node, dict[str, list[Node]]] = defaultdict(lambda: defaultdict(list))
    holders: dict[Node, list[Node]] = defaultdict(list)
    for q in sources.shapes:
        subject, predicate, value = q.quad.subject, q.quad.predicate.value, q.quad.object
        if isinstance(subject, NamedNode | BlankNode) and isinstance(value, NamedNode | BlankNode | Literal):
            described[subject][predicate].append(value)
            if predicate == _SH + "property":
                holders[value].append(subject)
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for shape, values in described.items():
        if not any(value_of(v) == "1" for v in values[_SH + "maxCount"]):
            continue
        for path in values[_SH + "path"]:
            for holder in (shape, *holders[shape]):
                if isinstance(path, NamedNode) and not any(
                    value_of(v) in ("true", "1") for v in described[holder][_SH + "deactivated"]
                ):
                    found[path.value] |= _targets(holder, described[holder])
    return found


def _targets(shape: Node, values: Mapping[str, list[Node]]) -> set[tuple[str, str]]:
    """What a shape looks at (SHACL, sections 2.1.3.1 to 2.1.3.5)."""
    found = {(kind, value_of(value)) for kind in vocab.SH_TARGETS for value in values.get(_SH + kind, ())}
    if any(value_of(t) in vocab.CLASSES for t in values.get(vocab.RDF_TYPE, ())):
        found.add(("targetClass", value_of(shape)))
    return found
