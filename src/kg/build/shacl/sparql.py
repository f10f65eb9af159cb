"""``sh:sparql`` (https://www.w3.org/TR/shacl/#sparql-constraints): the query, with ``$this`` substituted.

The engine parses SPARQL in microseconds where the reference needs milliseconds, so it is asked once for each focus node
and pre-binding (section 5.3.1 of SHACL and its appendix A) is the engine's plain substitution. A query that
says more than ``_WORDS``, or compares what two engines may compare in two ways (expressions.py), is the reference's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pyoxigraph import Literal, NamedNode, QuerySolution, QuerySolutions, Store, Variable
from rdflib import RDF, XSD, BNode, URIRef
from rdflib import Literal as RdflibLiteral
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.algebra import traverse
from rdflib.plugins.sparql.parserutils import CompValue
from rdflib.term import Node
from rdflib.term import Variable as RdflibVariable

from kg.build.shacl.data import Data
from kg.build.shacl.expressions import Needs, needs
from kg.build.shacl.model import NotCovered, Term, Values, whole
from kg.build.shacl.plan import Check, Find, Hit, Plan

_WORDS = frozenset(
    "prefix select distinct where filter not exists optional union bind as group by having count sum str strstarts "
    "strends contains bound coalesce isiri isuri isblank isliteral sameterm a".split()
)
_TOKEN = re.compile(
    r"(?P<skip>\#[^\n]*|<[^<>\"{}|^`\\\x00-\x20]*>|[?$]\w+|@[A-Za-z-]+|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'"
    r"|[\w.-]*:[\w.%:-]*)|(?P<word>[A-Za-z_]\w*)"
)
_VARIABLE = re.compile(r"[?$](\w+)")
_PLAIN = (str(XSD.integer), str(XSD.string), str(XSD.boolean), str(RDF.langString))
_THIS = Variable("this")


def sparql(_parameters: Sequence[Node], constraint: Any) -> Find:
    """Every query of the shape that is not deactivated."""
    queries = [_query(helper) for helper in constraint.sparql_constraints if not helper.deactivated]

    def find(plan: Plan, check: Check, data: Data, values: Values) -> Iterator[tuple[Term, Hit]]:
        for query in queries:
            store = data.store(query.predicates())
            query.look_at(data)
            for focus, _ in values:
                for row in _rows(query.text, focus, store):
                    value = row.get("value", None if plan.path else focus)
                    messages = _messages({*query.messages, *plan.shape.message}, row, value, data)
                    yield focus, Hit(plan, check, row.get("this", focus), value, messages=messages)

    return find


@dataclass(frozen=True, slots=True)
class Query:
    """A query that both engines read alike, prefixes included; ``patterns`` are its triple patterns."""

    text: str
    messages: frozenset[Node]
    patterns: frozenset[tuple[Any, Any, Any]]
    needs: Needs

    def predicates(self) -> frozenset[str] | None:
        """The predicates of all triple patterns; ``None`` if one is a variable or a path."""
        found = {predicate for _, predicate, _ in self.patterns}
        return frozenset(map(str, found)) if all(isinstance(node, URIRef) for node in found) else None

    def look_at(self, data: Data) -> None:
        """Make sure that the variables in expressions are of the kinds on which engines agree.

        :raises NotCovered: if one may be something else.
        """
        for name in self.needs.numbers:
            if not self._is_number(name, data):
                raise NotCovered(f"?{name} may be no whole number")
        for group in self.needs.alike:
            if not all(self._is_number(one, data) for one in group) and not all(
                self._is_iri(one, data) for one in group
            ):
                raise NotCovered("a comparison of terms of different kinds")

    def _is_number(self, name: str, data: Data) -> bool:
        """Whether the variable is the object of a predicate that has whole numbers only."""
        return any(
            all(whole(value) is not None for values in data.forward(str(predicate)).values() for value in values)
            for _, predicate, value in self.patterns
            if value == RdflibVariable(name) and isinstance(predicate, URIRef)
        )

    def _is_iri(self, name: str, data: Data) -> bool:
        """Whether it is ``$this``, or the subject or object of a predicate that has IRIs only there."""
        variable = RdflibVariable(name)
        tables = [data.forward(str(p)) for s, p, _ in self.patterns if s == variable and isinstance(p, URIRef)]
        tables += [data.backward(str(p)) for _, p, o in self.patterns if o == variable and isinstance(p, URIRef)]
        return name == "this" or any(all(isinstance(node, NamedNode) for node in table) for table in tables)


def predicates(constraint: Any) -> set[str]:
    """The predicates whose tables the queries need, those of paths left out."""
    return {
        str(predicate)
        for helper in constraint.sparql_constraints
        if not helper.deactivated
        for _, predicate, _ in _query(helper).patterns
        if isinstance(predicate, URIRef)
    }


def _query(helper: Any) -> Query:
    text = helper.select_text
    if '"""' in text or "'''" in text:
        raise NotCovered("a long string in a query")
    used = set(_VARIABLE.findall(text))
    if "this" not in used or used & {"path", "PATH", "failure", "currentShape", "shapesGraph"}:
        raise NotCovered("a query with pre-bound variables other than $this")
    words = [match["word"].lower() for match in _TOKEN.finditer(text) if match["word"]]
    unknown = set(words) - _WORDS
    if unknown:
        raise NotCovered(f"a query that says {', '.join(sorted(unknown))}")
    if words.count("select") > 1 or ({"count", "sum"} & set(words) and "group" not in words):
        raise NotCovered("a query with a sub-query, or an aggregate without GROUP BY")
    bound, text = helper.pre_bind_variables(BNode())
    if set(bound) != {"this"} or len(re.findall(r"[?$]this\b", text)) != len(re.findall(r"[\s{}()][?$]this\b", text)):
        raise NotCovered("a query in which the reference does not see $this")
    wanted = needs(text)
    text = helper.apply_prefixes(text)
    return Query(text, frozenset(helper.messages), _patterns(text), wanted)


@lru_cache
def _patterns(query: str) -> frozenset[tuple[Any, Any, Any]]:
    """The triple patterns of a query, also those inside EXISTS."""
    try:
        algebra = prepareQuery(query).algebra
    except Exception as e:  # noqa: BLE001 - rdflib's parser has no error of its own; the reference meets it again
        raise NotCovered(f"a query that cannot be read: {e}") from None
    found: set[tuple[Any, Any, Any]] = set()

    def visit(part: Any) -> None:
        if isinstance(part, CompValue) and "triples" in part:
            # Inside EXISTS, several triples stand in one list.
            for triples in part["triples"]:
                found.update(zip(triples[::3], triples[1::3], triples[2::3], strict=True))

    traverse(algebra, visitPre=visit)
    return frozenset(found)


def _rows(query: str, focus: Term, store: Store) -> Iterator[Mapping[str, Term]]:
    """Different rows that bind anything; the reference reports equal ones once."""
    if not isinstance(focus, NamedNode):
        raise NotCovered("a query about a node without an IRI")
    try:
        solutions = store.query(query, substitutions={_THIS: focus})
    except (SyntaxError, ValueError) as e:
        raise NotCovered(f"the store refuses the query: {e}") from None
    assert isinstance(solutions, QuerySolutions)
    names = [variable.value for variable in solutions.variables]
    seen: set[frozenset[tuple[str, Term]]] = set()
    for solution in solutions:
        row = _row(solution, names)
        bindings = frozenset(row.items())
        if bindings not in seen and ("this" in row or "value" in row):
            seen.add(bindings)
            yield row


def _row(solution: QuerySolution, names: Sequence[str]) -> dict[str, Term]:
    row: dict[str, Term] = {}
    for name in names:
        term = solution[name]
        if term is None:
            continue
        if not isinstance(term, NamedNode) and not (isinstance(term, Literal) and term.datatype.value in _PLAIN):
            raise NotCovered("a computed value that two engines may write in two ways")
        row[name] = term
    return row


def _messages(messages: Iterable[Node], row: Mapping[str, Term], value: Term | None, data: Data) -> frozenset[Node]:
    inserted = {name: str(data.node(term)) for name, term in row.items()}
    if value is not None:
        inserted["value"] = str(data.node(value))
    return frozenset(_written(message, inserted) for message in messages)


def _written(message: Node, inserted: Mapping[str, str]) -> Node:
    """A message with ``{?name}`` and ``{$name}`` replaced (section 5.3.2)."""
    text = str(message)
    for name, value in inserted.items():
        if "\\" in value:
            raise NotCovered("a value with a backslash inside a message")
        for sign in "?$":
            text = text.replace(f"{{{sign}{name}}}", value)
    return RdflibLiteral(text)
