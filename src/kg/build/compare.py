"""Stage 4b: hold claims side by side: where they differ, and what independent documents say alike.

- A *disagreement*: claims give different values of a property that can have only one (:mod:`kg.build.single`).
- A *corroboration*: independent documents state the same triple, each in its own voice; classes aside, because
  everybody gives them. Documents that ``prov:wasDerivedFrom`` or one author connects count once.

What is so and what is foreseen are never compared with each other; what is denied, requested or conditional gives no
value. Nothing is taken away: values stay where they are, and the comparison stands beside them.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from itertools import combinations
from typing import NamedTuple

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, Triple

from kg import vocab
from kg.build.assemble import Assembled
from kg.build.collect import Collected
from kg.build.parse import Sources
from kg.build.single import single_valued
from kg.model import Claim, value_of

Value = NamedNode | Literal

MOST_LINKED = 50
"""Claims of one comparison that are also linked with each other: these links grow with the square of their number."""

_DEFAULT = DefaultGraph()
_AS_SO = ("asserted", "alleged")
_DERIVED = frozenset(
    vocab.PROV + name for name in ("wasDerivedFrom", "wasRevisionOf", "wasQuotedFrom", "hadPrimarySource")
)
"""``prov:wasDerivedFrom`` and its subproperties (PROV-O, section 3.2)."""

_NUMBERS = frozenset(vocab.XSD + name for name in ("integer", "decimal", "double", "float", "nonNegativeInteger"))
_DATES = frozenset(vocab.XSD + name for name in ("gYear", "gYearMonth", "date", "dateTime"))


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found, as quads of the default graph.

    ``disputed``: subject and property of values that documents publish against each other, while none of them
    contradicts itself; with the IRIs of the claims that give them.
    """

    quads: tuple[Quad, ...]
    disputed: Mapping[tuple[str, str], tuple[str, ...]]

    def added_to(self, assembled: Assembled) -> Assembled:
        """The dataset with the comparisons in it."""
        if not self.quads:
            return assembled
        return replace(
            assembled,
            quads=tuple(sorted({*assembled.quads, *self.quads}, key=str)),
            evidence=tuple(sorted({*assembled.evidence, *self.quads}, key=str)),
        )


class _Key(NamedTuple):
    """What values are compared about; values of different languages are no values of one thing."""

    subject: str
    predicate: str
    foreseen: bool
    language: str


class _Given(NamedTuple):
    claim: Claim
    value: Value


_Pairs = list[tuple[list[str], list[str]]]
"""IRIs of claims against IRIs of claims."""


def compare(sources: Sources, collected: Collected, assembled: Assembled, base: str) -> Comparison:
    """Compare the claims' graphs as they will be published."""
    names = vocab.Names(base)
    given = _given(collected, assembled, names)
    single = single_valued(sources, (q for q in assembled.quads if isinstance(q.graph_name, NamedNode)))
    as_one = _taken_to_be(assembled, names)
    published = {q.triple for q in assembled.quads if q.graph_name == _DEFAULT}
    voices = _Voices(sources, collected)
    writer = _Writer(sources, names)
    disputed: dict[tuple[str, str], tuple[str, ...]] = {}
    for key in sorted(given):
        found = given[key]
        if single.holds(key.subject, key.predicate):
            pairs = _disagreeing(found, as_one)
            if pairs:
                writer.disagreement(key, found, pairs)
                claims = _between_documents(key, found, published, voices)
                if claims:
                    disputed[key.subject, key.predicate] = claims
        if key.predicate != vocab.RDF_TYPE:
            for value, claims_of_it in _stated(found, voices):
                writer.corroboration(key, value, voices.apart(claims_of_it))
    return Comparison(tuple(sorted(writer.quads, key=str)), disputed)


def _given(collected: Collected, assembled: Assembled, names: vocab.Names) -> dict[_Key, list[_Given]]:
    """The values that claims give, by what they are values of. Nameless things are nobody else's: they are left out."""
    claims = {c.iri: c for c in collected.claims if c.modality in _AS_SO or c.modality in vocab.PROSPECTIVE}
    found: dict[_Key, list[_Given]] = defaultdict(list)
    for quad in assembled.quads:
        claim = claims.get(value_of(quad.graph_name))
        value = quad.object
        if claim is None or not isinstance(value, NamedNode | Literal):
            continue
        if any(value_of(node).startswith(names.genid) for node in (quad.subject, value)):
            continue
        language = (value.language or "") if isinstance(value, Literal) else ""
        key = _Key(value_of(quad.subject), quad.predicate.value, claim.modality in vocab.PROSPECTIVE, language)
        found[key].append(_Given(claim, value))
    return {key: values for key, values in found.items() if len(values) > 1}


def _taken_to_be(assembled: Assembled, names: vocab.Names) -> set[frozenset[str]]:
    """Pairs of things that somebody takes to be one: two names for a thing are no two values."""
    predicate = names.kg + "takenToBe"
    return {
        frozenset((value_of(q.subject), value_of(q.object))) for q in assembled.quads if q.predicate.value == predicate
    }


# -- disagreement ----------------------------------------------------------------------------------------------------


def differ(one: Value, other: Value) -> bool:
    """Whether two values cannot both be the one value: equal numbers, and a date and its year, can.

    >>> from pyoxigraph import Literal, NamedNode
    >>> year = Literal("2021", datatype=NamedNode(vocab.XSD + "gYear"))
    >>> day = Literal("2021-05-02", datatype=NamedNode(vocab.XSD + "date"))
    >>> differ(Literal(4), Literal(5)), differ(Literal(4), Literal(4.0)), differ(year, day)
    (True, False, False)
    """
    if isinstance(one, NamedNode) or isinstance(other, NamedNode):
        # A name and a thing of that name cannot be told apart from here.
        return isinstance(one, NamedNode) and isinstance(other, NamedNode) and one != other
    kinds = one.datatype.value, other.datatype.value
    if all(kind in _NUMBERS for kind in kinds):
        try:
            return Decimal(one.value) != Decimal(other.value)
        except InvalidOperation:
            return one.value != other.value
    if all(kind in _DATES for kind in kinds):
        return not (one.value.startswith(other.value) or other.value.startswith(one.value))
    return one != other


def _disagreeing(found: Sequence[_Given], as_one: set[frozenset[str]]) -> _Pairs:
    """Groups of claims that give the same values, each with a group none of whose values could be one of its own."""
    values: dict[str, set[Value]] = defaultdict(set)
    for given in found:
        values[given.claim.iri].add(given.value)
    if len(values) < 2:
        return []
    groups: dict[frozenset[Value], list[str]] = defaultdict(list)
    for iri, of_claim in sorted(values.items()):
        groups[frozenset(of_claim)].append(iri)

    def apart(a: Value, b: Value) -> bool:
        return differ(a, b) and frozenset((value_of(a), value_of(b))) not in as_one

    return [
        (groups[one], groups[other])
        for one, other in combinations(groups, 2)
        if all(apart(a, b) for a in one for b in other)
    ]


def _between_documents(key: _Key, found: Iterable[_Given], published: set[Triple], voices: _Voices) -> tuple[str, ...]:
    """The claims that publish the values, if it takes several documents to make them more than one."""
    own = [g for g in found if voices.is_own(g.claim)]
    values: dict[str, set[Value]] = defaultdict(set)
    claims = set()
    for given in own:
        quad = Quad(NamedNode(key.subject), NamedNode(key.predicate), given.value)
        if quad.triple in published:
            values[given.claim.document].add(given.value)
            claims.add(given.claim.iri)
    if len(set().union(*values.values())) < 2 or any(len(of_one) > 1 for of_one in values.values()):
        return ()
    return tuple(sorted(claims))


# -- corroboration ---------------------------------------------------------------------------------------------------


class _Voices:
    """Which documents are independent of each other: none derives from another, from the same, or from one author."""

    def __init__(self, sources: Sources, collected: Collected) -> None:
        self._documents = collected.documents
        self._parent: dict[str, str] = {}
        for document in collected.documents.values():
            if document.author:
                self._join(document.iri, document.author)
        for q in sources.documents:
            if q.quad.predicate.value in _DERIVED and isinstance(q.quad.object, NamedNode):
                self._join(value_of(q.quad.subject), q.quad.object.value)

    def is_own(self, claim: Claim) -> bool:
        """Whether a claim is in its document's own voice."""
        document = self._documents.get(claim.document)
        return document is not None and bool(claim.speaker) and claim.speaker == document.author

    def apart(self, claims: Iterable[Claim]) -> list[list[str]]:
        """The IRIs of the claims by independent origin."""
        found: dict[str, list[str]] = defaultdict(list)
        for claim in claims:
            found[self._root(self._documents[claim.document].iri)].append(claim.iri)
        return list(found.values())

    def _root(self, iri: str) -> str:
        while (parent := self._parent.get(iri, iri)) != iri:
            self._parent[iri] = self._parent.get(parent, parent)
            iri = parent
        return iri

    def _join(self, one: str, other: str) -> None:
        one, other = self._root(one), self._root(other)
        if one != other:
            self._parent[one] = other


def _stated(found: Iterable[_Given], voices: _Voices) -> Iterator[tuple[Value, list[Claim]]]:
    """Values that several claims state in their documents' own voices. What is only relayed is another's word."""
    by_value: dict[Value, dict[str, Claim]] = defaultdict(dict)
    for given in found:
        if given.claim.basis == "stated" and given.claim.modality != "alleged" and voices.is_own(given.claim):
            by_value[given.value][given.claim.iri] = given.claim
    for value in sorted(by_value, key=str):
        if len(by_value[value]) > 1:
            yield value, list(by_value[value].values())


# -- what is written -------------------------------------------------------------------------------------------------


class _Writer:
    """Makes the quads. A comparison is named by what it compares, the same under any base."""

    def __init__(self, sources: Sources, names: vocab.Names) -> None:
        self.quads: set[Quad] = set()
        self._names = names
        self._labels: dict[str, str] = {}
        for q in (*sources.entities, *sources.ontology):
            iri, label = value_of(q.quad.subject), q.quad.object
            if q.quad.predicate.value == vocab.RDFS_LABEL and isinstance(label, Literal):
                self._labels[iri] = label.value if label.language == "en" else self._labels.get(iri, label.value)

    def disagreement(self, key: _Key, found: Iterable[_Given], pairs: _Pairs) -> None:
        differing = {iri for pair in pairs for group in pair for iri in group}
        values = {g.value for g in found if g.claim.iri in differing}
        self._comparison("Disagreement", "Different values", key, values, differing)
        self._link("disagreesWith", pairs, len(differing))

    def corroboration(self, key: _Key, value: Value, origins: Sequence[list[str]]) -> None:
        """``origins``: the claims by independent origin; one origin alone corroborates nothing."""
        if len(origins) < 2:
            return
        claims = {iri for group in origins for iri in group}
        node = self._comparison("Corroboration", "The same value", key, {value}, claims, str(value))
        self._say(node, "independentDocuments", Literal(len(origins)))
        self._link("corroborates", list(combinations(origins, 2)), len(claims))

    def _comparison(
        self, kind: str, title: str, key: _Key, values: Iterable[Value], claims: Iterable[str], *more: str
    ) -> NamedNode:
        parts = (kind, key.subject, key.predicate, str(key.foreseen), key.language, *more)
        digest = hashlib.sha256("\n".join(parts).replace(self._names.base, "").encode()).hexdigest()[:16]
        node = NamedNode(self._names.comparison(digest))
        self._add(node, vocab.RDF_TYPE, NamedNode(self._names.kg + kind))
        name, of = (self._labels.get(iri, self._names.local(iri) or iri) for iri in (key.predicate, key.subject))
        self._add(node, vocab.RDFS_LABEL, Literal(f"{title}: {name}, {of}", language="en"))
        self._say(node, "comparedSubject", NamedNode(key.subject))
        self._say(node, "comparedProperty", NamedNode(key.predicate))
        for value in values:
            self._say(node, "comparedValue", value)
        for claim in claims:
            self._say(node, "compares", NamedNode(claim))
        return node

    def _link(self, name: str, pairs: _Pairs, count: int) -> None:
        for one, other in pairs if count <= MOST_LINKED else ():
            for a in one:
                for b in other:
                    self._say(NamedNode(a), name, NamedNode(b))
                    self._say(NamedNode(b), name, NamedNode(a))

    def _say(self, subject: NamedNode, name: str, value: Value) -> None:
        self._add(subject, self._names.kg + name, value)

    def _add(self, subject: NamedNode, predicate: str, value: Value) -> None:
        self.quads.add(Quad(subject, NamedNode(predicate), value, _DEFAULT))
