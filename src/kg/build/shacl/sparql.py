"""``sh:sparql`` (https://www.w3.org/TR/shacl/#sparql-constraints): the query, with ``$this`` substituted.

The engine parses SPARQL in microseconds where the reference needs milliseconds, so it is asked once for each focus node
and pre-binding (section 5.3.1 of SHACL and its appendix A) is the engine's plain substitution. Two engines agree on
patterns, comparisons and counts; a query that says more than ``_WORDS`` is the reference's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from pyoxigraph import Literal, NamedNode, QuerySolution, QuerySolutions, Store, Variable
from rdflib import RDF, XSD, BNode, URIRef
from rdflib import Literal as RdflibLiteral
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.algebra import traverse
from rdflib.plugins.sparql.parserutils import CompValue
from rdflib.term import Node

from kg.build.shacl.data import Data
from kg.build.shacl.model import NotCovered, Term, Values
from kg.build.shacl.plan import Check, Find, Hit, Plan

_WORDS = frozenset(
    "prefix select distinct where filter not exists optional union bind as group by having count sum str strstarts "
    "strends contains lang datatype bound coalesce if in isiri isuri isblank isliteral sameterm a true false".split()
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
    queries = [(*_query(helper), helper) for helper in constraint.sparql_constraints if not helper.deactivated]

    def find(plan: Plan, check: Check, data: Data, values: Values) -> Iterator[tuple[Term, Hit]]:
        for query, predicates, helper in queries:
            for focus, _ in values:
                for row in _rows(query, focus, data.store(predicates)):
                    value = row.get("value", None if plan.path else focus)
                    messages = _messages({*helper.messages, *plan.shape.message}, row, value, data)
                    yield focus, Hit(plan, check, row.get("this", focus), value, messages=messages)

    return find


def predicates(constraint: Any) -> set[str]:
    """The predicates whose tables the queries need; those of a query that can match all are not among them."""
    return {
        predicate
        for helper in constraint.sparql_constraints
        if not helper.deactivated
        for predicate in _query(helper)[1] or ()
    }


def _query(helper: Any) -> tuple[str, frozenset[str] | None]:
    """The text of a query that both engines read alike, prefixes included, and the predicates it can match."""
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
    text = helper.apply_prefixes(text)
    return text, _predicates(text)


@lru_cache
def _predicates(query: str) -> frozenset[str] | None:
    """The predicates of all triple patterns; ``None`` if one is a variable or a path."""
    try:
        algebra = prepareQuery(query).algebra
    except Exception as e:  # noqa: BLE001 - rdflib's parser has no error of its own; the reference meets it again
        raise NotCovered(f"a query that cannot be read: {e}") from None
    found: set[Any] = set()

    def visit(part: Any) -> None:
        if isinstance(part, CompValue) and "triples" in part:
            # Inside EXISTS, several triples stand in one list.
            found.update(predicate for triples in part["triples"] for predicate in triples[1::3])

    traverse(algebra, visitPre=visit)
    return frozenset(map(str, found)) if all(isinstance(node, URIRef) for node in found) else None


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
