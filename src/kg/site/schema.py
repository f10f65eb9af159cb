"""What the ontology and the shapes say about showing things: order, groups, names, the class hierarchy.

Read once from the release's ``ontology.ttl`` and ``shapes.ttl``, which are small whatever the size of the release.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, parse

from kg import vocab

_SH = vocab.SH
_LAST = 1e9
_KINDS = (
    ("Classes", (vocab.RDFS + "Class", vocab.OWL + "Class")),
    (
        "Properties",
        (
            vocab.RDF + "Property",
            vocab.OWL + "ObjectProperty",
            vocab.OWL + "DatatypeProperty",
            vocab.OWL + "AnnotationProperty",
        ),
    ),
)


class Shown(NamedTuple):
    """How a property is shown: ``group`` is the label of its sh:group, ``name`` its sh:name, or nothing."""

    group_order: float
    group: str
    order: float
    name: str


UNSHAPED = Shown(_LAST, "", _LAST, "")


class Schema:
    """The terms of a release. ``shapes`` keeps the shapes' own quads, which are in no graph of the store."""

    def __init__(self, dumps: Path, base: str) -> None:
        self._base = base
        ontology = _read(dumps / "ontology.ttl", base)
        self.shapes = _read(dumps / "shapes.ttl", base)
        self.terms: dict[str, frozenset[str]] = {}
        self.parents: dict[str, set[str]] = defaultdict(set)
        self.children: dict[str, set[str]] = defaultdict(set)
        types: dict[str, set[str]] = {}
        for q in ontology:
            if not isinstance(q.subject, NamedNode):
                continue
            kinds = types.setdefault(q.subject.value, set())
            if isinstance(q.object, NamedNode):
                if q.predicate.value == vocab.RDF_TYPE:
                    kinds.add(q.object.value)
                elif q.predicate.value in (vocab.RDFS_SUBCLASS, vocab.RDFS + "subPropertyOf"):
                    self.parents[q.subject.value].add(q.object.value)
                    self.children[q.object.value].add(q.subject.value)
        self.terms = {iri: frozenset(kinds) for iri, kinds in types.items()}
        self._by_class = self._read_shapes()
        self._orders: dict[frozenset[str], dict[str, Shown]] = {}

    def kind(self, iri: str) -> str:
        """The heading that a term stands under on the ontology page."""
        types = self.terms.get(iri, frozenset())
        if vocab.OWL_ONTOLOGY in types:
            return "Ontologies"
        for heading, classes in _KINDS:
            if types.intersection(classes):
                return heading
        if types:
            return "Concepts and individuals"
        return "Versions" if iri.startswith(self._base) else "Terms of other vocabularies"

    def ancestors(self, iris: Iterable[str]) -> set[str]:
        """The classes themselves and everything above them."""
        found: set[str] = set()
        waiting = list(iris)
        while waiting:
            iri = waiting.pop()
            if iri not in found:
                found.add(iri)
                waiting.extend(self.parents.get(iri, ()))
        return found

    def below(self, iri: str) -> set[str]:
        """A class itself and everything below it."""
        found: set[str] = set()
        waiting = [iri]
        while waiting:
            term = waiting.pop()
            if term not in found:
                found.add(term)
                waiting.extend(self.children.get(term, ()))
        return found

    def knows(self, iri: str) -> bool:
        """Whether the ontology describes a term, or puts one above or below it."""
        return iri in self.terms or iri in self.children

    def order(self, types: frozenset[str]) -> dict[str, Shown]:
        """How the properties of a thing of these types are shown; those in no shape are not in it."""
        known = self._orders.get(types)
        if known is None:
            if len(self._orders) >= 1000:
                self._orders.clear()
            known = self._orders[types] = dict(self._by_class.get("", {}))
            for iri in self.ancestors(types):
                known.update(self._by_class.get(iri, {}))
        return known

    def _read_shapes(self) -> dict[str, dict[str, Shown]]:
        """Per target class (``""``: any) the properties of its shapes."""
        by_subject: dict[NamedNode | BlankNode, list[Quad]] = defaultdict(list)
        for q in self.shapes:
            if isinstance(q.subject, NamedNode | BlankNode):
                by_subject[q.subject].append(q)

        def values(node: object, name: str) -> list[NamedNode | BlankNode | Literal]:
            quads = by_subject.get(node, ()) if isinstance(node, NamedNode | BlankNode) else ()
            return [
                q.object
                for q in quads
                if q.predicate.value == name and isinstance(q.object, NamedNode | BlankNode | Literal)
            ]

        def text(node: object, name: str) -> str:
            return min((v.value for v in values(node, name) if isinstance(v, Literal)), default="")

        found: dict[str, dict[str, Shown]] = defaultdict(dict)
        for shape in by_subject:
            targets = [t.value for t in values(shape, _SH + "targetClass") if isinstance(t, NamedNode)]
            if isinstance(shape, NamedNode) and any(
                t in (NamedNode(vocab.RDFS + "Class"), NamedNode(vocab.OWL + "Class"))
                for t in values(shape, vocab.RDF_TYPE)
            ):
                targets.append(shape.value)  # an implicit class target (SHACL, section 2.1.3.3)
            for prop in values(shape, _SH + "property"):
                for path in values(prop, _SH + "path"):
                    if not isinstance(path, NamedNode):
                        continue
                    group = next(iter(values(prop, _SH + "group")), None)
                    shown = Shown(
                        _number(text(group, _SH + "order")),
                        text(group, vocab.RDFS_LABEL),
                        _number(text(prop, _SH + "order")),
                        text(prop, _SH + "name"),
                    )
                    for target in targets:
                        found[target][path.value] = shown
                    found[""][path.value] = min(shown, found[""].get(path.value, UNSHAPED))
        # A name or a group is a class's own; only the order is a good guess for others.
        found[""] = {iri: Shown(_LAST, "", shown.order, "") for iri, shown in found[""].items()}
        return dict(found)


def _read(path: Path, base: str) -> tuple[Quad, ...]:
    return tuple(parse(path=str(path), format=RdfFormat.TURTLE, base_iri=base))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return _LAST
