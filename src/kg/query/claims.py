"""Which claims state a triple that a query has matched.

Triples and graphs are texts here, as SPARQL TSV writes them, the terms of a triple with tabs between.
"""

from __future__ import annotations

from typing import Any

from pyoxigraph import DefaultGraph, NamedNode, Store

from kg import vocab
from kg.caches import Forgetful
from kg.query.rows import nodes
from kg.store.stated import Stated

NO_CLAIM = "-"

_MOST = 50_000
"""Triples, and claims, that are remembered."""

_DEFAULT = DefaultGraph()


class Claims:
    """Looks claims up and remembers what it was asked; without ``stated`` it takes more time."""

    def __init__(self, store: Store, base: str, stated: Stated | None = None) -> None:
        self._store = store
        self._stated = stated
        self._names = vocab.Names(base)
        self._claim = base + "claim/"
        self._published: Forgetful[str, bool] = Forgetful(_MOST)
        self._words: Forgetful[str, str] = Forgetful(_MOST)
        self._states: Forgetful[str, bool] = Forgetful(_MOST)
        self._read_words: Forgetful[tuple[str, ...], str] = Forgetful(_MOST)

    def word(self, triple: str) -> str:
        """The word for a triple of the release's default graph: IRIs joined by ``|``, or ``-``."""
        found = self._words.get(triple)
        if found is None:
            claims = self._stated.claims(triple) if self._stated else self._find(triple, None)
            found = self._words.keep(triple, "|".join(claims) or NO_CLAIM)
        return found

    def word_in(self, triple: str, graph: str) -> str:
        """The word for a triple of a named graph."""
        if graph[1:-1].startswith(self._claim):
            return graph[1:-1]
        return self.word_of(triple, (graph[1:-1],))

    def word_of(self, triple: str, graphs: tuple[str, ...]) -> str:
        """The word for a triple of a default graph that is made of others (FROM)."""
        key = (triple, *graphs)
        found = self._read_words.get(key)
        if found is None:
            found = self._read_words.keep(key, "|".join(self._find(triple, graphs)) or NO_CLAIM)
        return found

    def state(self, predicate: str) -> bool:
        """Whether any claim, published as a fact or not, states a triple with this predicate (an IRI in ``<>``)."""
        found = self._states.get(predicate)
        if found is None:
            of_claims = f"STRSTARTS(STR(?g), STR({NamedNode(self._claim)}))"
            answer = self._store.query(f"ASK {{ GRAPH ?g {{ ?s {predicate} ?o }} FILTER({of_claims}) }}")
            found = self._states.keep(predicate, bool(answer))
        return found

    def _find(self, triple: str, graphs: tuple[str, ...] | None) -> list[str]:
        terms: list[Any] = list(next(nodes("spo", [triple.split("\t")])))
        holders = {
            quad.graph_name.value
            for quad in self._store.quads_for_pattern(terms[0], terms[1], terms[2], None)
            if isinstance(quad.graph_name, NamedNode)
        }
        claims = {iri for iri in holders if iri.startswith(self._claim)}
        if graphs is None:
            return sorted(filter(self.is_published, claims))
        found = claims & {*graphs}
        if self._names.background in holders & {*graphs}:
            found |= {iri for iri in claims if self.is_published(iri, background=True)}
        return sorted(found)

    def is_published(self, iri: str, *, background: bool = False) -> bool:
        """Whether a claim's content stands in the default graph; ``background``: in that graph too."""
        published = self._published.get(iri)
        if published is None:
            published = self._published.keep(iri, self._read(iri))
        kg = self._names.kg
        return published and (not background or self._value(iri, kg + "basis") == kg + "background")

    def _read(self, iri: str) -> bool:
        kg = self._names.kg
        author = self._value(self._value(iri, vocab.PROV_PRIMARY_SOURCE), vocab.DCTERMS_CREATOR)
        modality, basis = self._value(iri, kg + "modality"), self._value(iri, kg + "basis")
        own_voice = bool(author) and self._value(iri, kg + "speaker") == author
        return vocab.is_fact(modality.removeprefix(kg), basis.removeprefix(kg), own_voice=own_voice)

    def _value(self, subject: str, predicate: str) -> str:
        if not subject:
            return ""
        found = self._store.quads_for_pattern(NamedNode(subject), NamedNode(predicate), None, _DEFAULT)
        return min((quad.object.value for quad in found if isinstance(quad.object, NamedNode)), default="")
