"""Footnotes: each solution of a SELECT query with the claims whose triples made it.

The footnote of a solution is one more column, a string that every client can read: a word for each triple that the
solution matched, in the order of the query, between spaces; each word is the IRIs of the claims that state the triple,
joined by ``|``, or ``-`` where no claim does (labels, and the description of claims). No IRI holds a space or a ``|``.

Claims joined by ``|`` are alternatives: withdraw all of them, and the solution is gone. A triple of the default graph
is stated by the claims whose content is published there; a triple inside GRAPH by that graph's own claim.

The column is named ``evidence``, or ``evidence_`` where the query has that name. A query may also name it itself:
``SELECT ?x ?evidence { … }`` is for clients that read no variables but those of their query.

With DISTINCT a row stands for many solutions; its footnote is that of the first of them. What cannot be traced
(:mod:`kg.query.parser`, :mod:`kg.query.plan`) is answered all the same, and each footnote says why it is none.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, QuerySolution, QuerySolutions, Store, Triple

from kg import vocab
from kg.query.plan import Plan, plan
from kg.query.syntax import Untraceable, is_only_selected

Node = NamedNode | BlankNode | Literal | Triple
Row = Sequence[Node | None]
NAME = "evidence"
NO_CLAIM = "-"
NOT_TRACEABLE = "not traceable: "

_FULL = 50_000
_DEFAULT = DefaultGraph()


@dataclass(frozen=True)
class Footnoted:
    """Solutions with footnotes in the last column; ``reason`` says why they are none, where they are not traceable."""

    names: list[str]
    rows: Iterator[Row]
    variable: str
    reason: str = ""
    distinct: bool = False

    def note(self) -> dict[str, Any]:
        """What a client is told before the rows."""
        return {"variable": self.variable, "reason": self.reason, "distinct": self.distinct}


class Tracer:
    """Answers queries over one store with footnotes."""

    def __init__(self, store: Store, base: str) -> None:
        self._store = store
        self._base = base
        self._claims = Claims(store, base)
        self._nothing = Store()

    def answer(self, query: str, default: list[str] | None, named: list[str] | None) -> Footnoted:
        """The solutions of a query; ``default`` and ``named`` replace its dataset unless both are ``None``.

        :raises SyntaxError: if the engine does not accept it.
        :raises ValueError: if it is no SELECT query.
        """
        dataset: dict[str, Any] = {}
        if default is not None or named is not None:
            dataset = {
                "default_graph": [NamedNode(iri) for iri in default or ()],
                "named_graphs": [NamedNode(iri) for iri in named or ()],
            }
        names = self._names(query)
        try:
            made = plan(query)
            # What only the new query cannot be, the old one will say.
            with contextlib.suppress(SyntaxError):
                if sorted(made.names) == sorted(names):
                    return self._traced(made, _Columns(query, names), dataset)
            reason = "syntax that is not read here"
        except Untraceable as e:
            reason = str(e)
        results: Any = self._store.query(query, base_iri=self._base, **dataset)
        columns = _Columns(query, names)
        footnote = Literal(NOT_TRACEABLE + reason)
        rows: Iterator[Row] = ([*(row[name] for name in columns.names), footnote] for row in results)
        return Footnoted(columns.all(), rows, columns.footnotes, reason)

    def _names(self, query: str) -> list[str]:
        """The variables of a query, once the engine has accepted its text: our own parser is no judge of that."""
        results = self._nothing.query(query, base_iri=self._base)
        if not isinstance(results, QuerySolutions):
            raise ValueError("footnotes (evidence=true) belong to the solutions of a SELECT query")
        return [variable.value for variable in results.variables]

    def _traced(self, made: Plan, columns: _Columns, dataset: dict[str, Any]) -> Footnoted:
        results: Any = self._store.query(made.query, base_iri=self._base, **dataset)
        constants = self._constants(made)
        graphs: list[str] | None = None
        if dataset:
            graphs = [node.value for node in dataset["default_graph"]]
        elif made.default is not None:
            graphs = [constants[text].value for text in made.default]
        rows: Iterator[Row] = map(_Reader(made, columns.names, constants, self._claims, graphs).row, results)
        if made.distinct:
            rows = islice(_distinct(rows), made.offset, None if made.limit is None else made.offset + made.limit)
        return Footnoted(columns.all(), rows, columns.footnotes, distinct=made.distinct)

    def _constants(self, made: Plan) -> dict[str, Any]:
        """What the constants of a query stand for."""
        if not made.terms:
            return {}
        results: Any = self._nothing.query(made.terms, base_iri=self._base)
        (row,) = results
        return dict(zip(made.constants, row, strict=True))


class _Columns:
    """The columns of an answer: ``names`` are the query's own, ``footnotes`` comes last."""

    def __init__(self, query: str, names: list[str]) -> None:
        self.footnotes = NAME
        if NAME in names and not is_only_selected(NAME, query):
            while self.footnotes in names:
                self.footnotes += "_"
        self.names = [name for name in names if name != self.footnotes]

    def all(self) -> list[str]:
        return [*self.names, self.footnotes]


class _Reader:
    """Reads the solutions of a plan."""

    def __init__(
        self, made: Plan, names: list[str], constants: dict[str, Any], claims: Claims, graphs: list[str] | None
    ) -> None:
        self._names = names
        self._claims = claims
        self._graphs = graphs
        # Each pattern as its mark and four terms: a name to look up in the solution, or a constant.
        self._patterns = [
            (mark[1:], tuple(term[1:] if term.startswith("?") else constants.get(term) for term in pattern))
            for pattern, mark in made.patterns
        ]

    def row(self, solution: QuerySolution) -> Row:
        words: dict[tuple[Any, ...], str] = {}
        for mark, terms in self._patterns:
            if mark and solution[mark] is None:
                continue
            triple = tuple(solution[term] if isinstance(term, str) else term for term in terms)
            if triple not in words:
                words[triple] = self._claims.word(triple, self._graphs)
        return [*(solution[name] for name in self._names), Literal(" ".join(words.values()))]


class Claims:
    """Which claims state a triple; remembers what it was asked."""

    def __init__(self, store: Store, base: str) -> None:
        self._store = store
        self._names = vocab.Names(base)
        self._claim = base + "claim/"
        self._published: dict[str, bool] = {}
        self._words: dict[tuple[Any, ...], str] = {}

    def word(self, triple: tuple[Any, ...], default: list[str] | None) -> str:
        """The word for a matched triple: subject, predicate, object, and the graph or ``None``.

        ``default`` are the graphs that the query's default graph is made of; ``None``: that of the release.
        """
        key = (*triple, tuple(default)) if default is not None else triple
        found = self._words.get(key)
        if found is None:
            if len(self._words) >= _FULL:
                self._words.clear()
            found = self._words[key] = "|".join(self._find(triple, default)) or NO_CLAIM
        return found

    def _find(self, triple: tuple[Any, ...], default: list[str] | None) -> list[str]:
        *terms, graph = triple
        holders = {
            quad.graph_name.value
            for quad in self._store.quads_for_pattern(terms[0], terms[1], terms[2], None)
            if isinstance(quad.graph_name, NamedNode)
        }
        claims = {iri for iri in holders if iri.startswith(self._claim)}
        if graph is None and default is None:
            return sorted(filter(self.is_published, claims))
        read = {graph.value} if graph is not None else set(default or ())
        found = claims & read
        if self._names.background in holders & read:
            found |= {iri for iri in claims if self.is_published(iri, background=True)}
        return sorted(found)

    def is_published(self, iri: str, *, background: bool = False) -> bool:
        """Whether a claim's content stands in the default graph; ``background``: in that graph too."""
        published = self._published.get(iri)
        if published is None:
            if len(self._published) >= _FULL:
                self._published.clear()
            published = self._published[iri] = self._read(iri)
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


def _distinct(rows: Iterator[Row]) -> Iterator[Row]:
    seen: set[tuple[Node | None, ...]] = set()
    for row in rows:
        key = tuple(row[:-1])
        if key not in seen:
            seen.add(key)
            yield row
