"""Footnotes: each solution of a SELECT query with the claims whose triples made it.

The footnote of a solution is one more column, a string that every client can read: a word for each triple that the
solution matched, in the order of the query, between spaces; each word is the IRIs of the claims that state the triple,
joined by ``|``, or ``-`` where no claim does (labels, and the description of claims). No IRI holds a space or a ``|``.

Claims joined by ``|`` are alternatives: withdraw all of them, and the solution is gone. A triple of the default graph
is stated by the claims whose content is published there; a triple inside GRAPH by that graph's own claim.

The column is named ``evidence``, or ``evidence_`` where the query has that name. A query may also name it itself:
``SELECT ?x ?evidence { … }`` is for clients that read no variables but those of their query.

With DISTINCT a row stands for many solutions; its footnote is that of the first of them. With GROUP BY or an aggregate
it has the words of all solutions of its group, each once: everything that was counted. What cannot be traced
(:mod:`kg.query.parser`, :mod:`kg.query.plan`) is answered all the same, and each footnote says why it is none.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from pyoxigraph import NamedNode, QueryResultsFormat, QuerySolutions, Store

from kg.query.claims import Claims
from kg.query.groups import Groups
from kg.query.plan import Plan, plan
from kg.query.rows import Row, string
from kg.query.solutions import Take, hand_over
from kg.query.syntax import Untraceable, is_only_selected
from kg.store.stated import Stated

NAME = "evidence"
NOT_TRACEABLE = "not traceable: "


class Enough(Exception):
    """Raised by whoever takes rows and wants no more of them."""


@dataclass(frozen=True)
class Footnoted:
    """Rows with footnotes in the last column; ``reason`` says why they are none, where they are not traceable.

    ``rows`` hands them over: see :func:`kg.query.solutions.hand_over`. ``plan`` says what is left to do with them.
    """

    names: list[str]
    variable: str
    rows: Callable[[Take], None]
    plan: Plan | None = None
    reason: str = ""

    def note(self) -> dict[str, Any]:
        """What a client is told before the rows."""
        return {
            "variable": self.variable,
            "reason": self.reason,
            "distinct": self.plan is not None and self.plan.distinct,
            "grouped": self.plan is not None and bool(self.plan.groups),
        }

    def run(self, take: Take) -> None:
        """Hand the rows over as they are made, some at a time; texts as TSV writes them."""
        with contextlib.suppress(Enough):
            if self.plan and self.plan.distinct:
                take = _Distinct(take, self.plan.offset, self.plan.limit).take
            self.rows(take)


class Tracer:
    """Answers queries over one store with footnotes; without ``stated`` it takes more time."""

    def __init__(self, store: Store, base: str, stated: Stated | None = None) -> None:
        self._store = store
        self._base = base
        self._claims = Claims(store, base, stated)
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
                constants = self._constants(made)
                for text in made.repeated:
                    if self._claims.state(constants[text]):
                        raise Untraceable(f"a property path over {text}, which claims state")
                if sorted(made.names) == sorted(names):
                    return self._traced(made, constants, _Columns(query, names), dataset)
            reason = "syntax that is not read here"
        except Untraceable as e:
            reason = str(e)
        results: Any = self._store.query(query, base_iri=self._base, **dataset)
        columns = _Columns(query, names)
        rows = columns.rows(names, _none(reason))
        return Footnoted(columns.all(), columns.footnotes, lambda take: hand_over(results, rows(take)), reason=reason)

    def _names(self, query: str) -> list[str]:
        """The variables of a query, once the engine has accepted its text: our own parser is no judge of that."""
        results = self._nothing.query(query, base_iri=self._base)
        if not isinstance(results, QuerySolutions):
            raise ValueError("footnotes (evidence=true) belong to the solutions of a SELECT query")
        return [variable.value for variable in results.variables]

    def _traced(self, made: Plan, constants: dict[str, str], columns: _Columns, dataset: dict[str, Any]) -> Footnoted:
        solutions: Any = self._store.query(made.query, base_iri=self._base, **dataset)
        graphs: tuple[str, ...] | None = None
        if dataset:
            graphs = tuple(node.value for node in dataset["default_graph"])
        elif made.default is not None:
            graphs = tuple(constants[text][1:-1] for text in made.default)
        given = [variable.value for variable in solutions.variables]
        words = _Words(made, given, constants, self._claims, graphs)
        if not made.groups:
            rows = columns.rows(given, words.footnote)
            return Footnoted(columns.all(), columns.footnotes, lambda take: hand_over(solutions, rows(take)), made)
        asked: Any = self._store.query(made.groups, base_iri=self._base, **dataset)
        groups = Groups(asked, made.keys)
        reason = ""
        footnote: Callable[[Row], str] = groups.footnote
        try:
            groups.trace(solutions, words.of)
        except Untraceable as e:
            reason = str(e)
            footnote = _none(reason)
        rows = columns.rows(groups.names, footnote)
        return Footnoted(columns.all(), columns.footnotes, lambda take: rows(take)(groups.rows), made, reason)

    def _constants(self, made: Plan) -> dict[str, str]:
        """What the constants of a query stand for."""
        if not made.terms:
            return {}
        results: Any = self._nothing.query(made.terms, base_iri=self._base)
        _, row, _ = results.serialize(format=QueryResultsFormat.TSV).decode().split("\n")
        return dict(zip(made.constants, row.split("\t"), strict=True))


def _none(reason: str) -> Callable[[Row], str]:
    said = NOT_TRACEABLE + reason
    return lambda _: said


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

    def rows(self, given: list[str], footnote: Callable[[Row], str]) -> Callable[[Take], Take]:
        """Makes of what takes rows of the answer what takes the engine's, whose columns are ``given``."""
        places = [given.index(name) for name in self.names]

        def made(row: Row) -> Row:
            return [*(row[n] for n in places), string(footnote(row))]

        return lambda take: lambda rows: take([made(row) for row in rows])


class _Words:
    """The words of the solutions of a plan; ``given`` names the engine's columns."""

    def __init__(
        self,
        made: Plan,
        given: list[str],
        constants: dict[str, str],
        claims: Claims,
        graphs: tuple[str, ...] | None,
    ) -> None:
        self._word_in = claims.word_in
        self._word = claims.word if graphs is None else lambda triple: claims.word_of(triple, graphs)
        # Constants stand behind the engine's columns, so that a term of a pattern is a number in any case.
        self._constants = list(constants.values())
        at = {"?" + name: n for n, name in enumerate(given)} | {c: len(given) + n for n, c in enumerate(constants)}
        self._patterns = [
            (
                at[mark] if mark else -1,
                itemgetter(at[pattern.subject], at[pattern.predicate], at[pattern.object]),
                at[pattern.graph] if pattern.graph else -1,
            )
            for pattern, mark in made.patterns
        ]

    def of(self, row: Row) -> Collection[str]:
        """The words of a solution, one for each of its triples."""
        terms = [*row, *self._constants]
        words: dict[str, str] = {}  # by triple, with the graph where one was asked
        for mark, triple_of, graph in self._patterns:
            if mark >= 0 and not terms[mark]:
                continue
            triple = key = "\t".join(triple_of(terms))
            if graph >= 0:
                key = f"{terms[graph]} {triple}"
            if key not in words:
                words[key] = self._word(triple) if graph < 0 else self._word_in(triple, terms[graph])
        return words.values()

    def footnote(self, row: Row) -> str:
        return " ".join(self.of(row))


class _Distinct:
    """Lets each row through once; those after so many, and so many of them."""

    def __init__(self, take: Take, offset: int, limit: int | None) -> None:
        self._take = take
        self._offset = offset
        self._end = None if limit is None else offset + limit
        self._seen: set[tuple[str, ...]] = set()

    def take(self, rows: list[Row]) -> None:
        skipped = max(0, self._offset - len(self._seen))
        found = []
        for row in rows:
            key = tuple(row[:-1])
            if key not in self._seen and len(self._seen) != self._end:
                self._seen.add(key)
                found.append(row)
        self._take(found[skipped:])
        if len(self._seen) == self._end:
            raise Enough
