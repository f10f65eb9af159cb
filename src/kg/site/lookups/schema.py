"""What the ontology and the shapes say about showing things: order, groups, names, the class hierarchy.

Read once from the release's ``ontology.ttl`` and ``shapes.ttl``, which are small whatever the size of the release.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from copy import copy
from pathlib import Path
from typing import NamedTuple

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, parse

from kg import vocab
from kg.caches import Forgetful
from kg.errors import ReleaseError
from kg.site.languages import marked

_SH = vocab.SH
_LAST = 1e9
_ORDERS = 1_000
"""Sets of classes of which the order of all properties is remembered."""

_KINDS = (
    (marked("Classes"), vocab.CLASSES),
    (
        marked("Properties"),
        (
            vocab.RDF + "Property",
            vocab.OWL + "ObjectProperty",
            vocab.OWL + "DatatypeProperty",
            vocab.OWL + "AnnotationProperty",
        ),
    ),
)


class Shown(NamedTuple):
    """How a property is shown: ``group`` is the label of its sh:group, ``name`` its sh:name, or nothing.

    ``languages``: those of the group and of the name.
    """

    group_order: float
    group: str
    order: float
    name: str
    languages: tuple[str, str] = ("", "")


UNSHAPED = Shown(_LAST, "", _LAST, "")


class Schema:
    """The terms of a release. ``shapes`` keeps the shapes' own quads, which are in no graph of the store.

    ``checked`` are the IRIs that shapes point to.

    :raises ReleaseError: if the files cannot be read.
    """

    def __init__(self, dumps: Path, base: str, language: str = "en") -> None:
        self._base = base
        self._language = language
        ontology = _read(dumps / "ontology.ttl", base)
        self.shapes = _read(dumps / "shapes.ttl", base)
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
        self.terms: dict[str, frozenset[str]] = {iri: frozenset(kinds) for iri, kinds in types.items()}
        self._no_terms = {
            iri
            for iri in (*self.terms, *self.children)
            if self.kind(iri) in ("Ontologies", "Versions") or iri.startswith((base + "id/", base + ".well-known/"))
        }
        self.checked = {q.object.value for q in self.shapes if isinstance(q.object, NamedNode)}
        self._by_class = self._read_shapes()
        self._orders: Forgetful[frozenset[str], dict[str, Shown]] = Forgetful(_ORDERS)

    def in_language(self, language: str) -> Schema:
        """The same with the names and groups that the shapes have in a language."""
        other = copy(self)
        other._language = language
        other._by_class = other._read_shapes()
        other._orders = Forgetful(_ORDERS)
        return other

    def kind(self, iri: str) -> str:
        """The heading that a term stands under on the ontology page."""
        types = self.terms.get(iri, frozenset())
        if vocab.OWL_ONTOLOGY in types:
            return marked("Ontologies")
        for heading, classes in _KINDS:
            if types.intersection(classes):
                return heading
        if types:
            return marked("Concepts and individuals")
        return marked("Versions") if iri.startswith(self._base) else marked("Terms of other vocabularies")

    def ancestors(self, iris: Iterable[str]) -> set[str]:
        """The classes themselves and everything above them."""
        return vocab.closure(iris, self.parents)

    def below(self, iri: str) -> set[str]:
        """A class itself and everything below it."""
        return vocab.closure((iri,), self.children)

    def is_term(self, iri: str) -> bool:
        """Whether an IRI is that of a class, property, concept …, and not of the ontology itself or of a thing."""
        return self.knows(iri) and iri not in self._no_terms

    def knows(self, iri: str) -> bool:
        """Whether the ontology describes a term, or puts one above or below it."""
        return iri in self.terms or iri in self.children

    def order(self, types: frozenset[str]) -> dict[str, Shown]:
        """How the properties of a thing of these types are shown; those in no shape are not in it."""
        known = self._orders.get(types)
        if known is None:
            found = dict(self._by_class.get("", {}))
            for iri in self.ancestors(types):
                found.update(self._by_class.get(iri, {}))
            known = self._orders.keep(types, found)
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

        def text(node: object, name: str) -> tuple[str, str]:
            found = (v for v in values(node, name) if isinstance(v, Literal))
            # In the language that is wanted, else in none, else in English.
            known = {self._language: 0, "": 1, "en": 2}
            ranked = ((known.get(v.language or "", 3), v.value, v.language or "") for v in found)
            return min(ranked, default=(0, "", ""))[1:]

        found: dict[str, dict[str, Shown]] = defaultdict(dict)
        for shape in by_subject:
            targets = [t.value for t in values(shape, _SH + "targetClass") if isinstance(t, NamedNode)]
            if isinstance(shape, NamedNode) and any(
                isinstance(t, NamedNode) and t.value in vocab.CLASSES for t in values(shape, vocab.RDF_TYPE)
            ):
                targets.append(shape.value)  # an implicit class target (SHACL, section 2.1.3.3)
            for prop in values(shape, _SH + "property"):
                for path in values(prop, _SH + "path"):
                    if not isinstance(path, NamedNode):
                        continue
                    group = next(iter(values(prop, _SH + "group")), None)
                    heading, of_heading = text(group, vocab.RDFS_LABEL)
                    said, of_name = text(prop, _SH + "name")
                    shown = Shown(
                        _number(text(group, _SH + "order")[0]),
                        heading,
                        _number(text(prop, _SH + "order")[0]),
                        said,
                        (of_heading, of_name),
                    )
                    for target in targets:
                        found[target][path.value] = shown
                    found[""][path.value] = min(shown, found[""].get(path.value, UNSHAPED))
        # A name or a group is a class's own; only the order is a good guess for others.
        found[""] = {iri: Shown(_LAST, "", shown.order, "") for iri, shown in found[""].items()}
        return dict(found)


def _read(path: Path, base: str) -> tuple[Quad, ...]:
    try:
        return tuple(parse(path=str(path), format=RdfFormat.TURTLE, base_iri=base))
    except (OSError, SyntaxError) as e:
        raise ReleaseError(f"{path}: cannot be read: {e}", file=path.name) from e


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return _LAST
