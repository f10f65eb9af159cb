"""Reads the SELECT queries whose answers can be traced; everything else is :class:`Untraceable`.

Traceable is what :mod:`kg.query.footnotes` can name the triples of: triple patterns, FILTER, OPTIONAL, UNION, VALUES,
BIND, GRAPH, and of property paths those that are mere abbreviations (SPARQL 1.1, section 18.2.2.4): ``a/b``, ``^a``,
and with DISTINCT ``a|b`` of predicates, which is a variable with these values.
Expressions are not taken apart: their text is kept, once it is known to hold nothing that asks whether something is
*missing*. Names are not resolved either: a constant is the text that stands for it.

Grammar: https://www.w3.org/TR/sparql11-query/#sparqlGrammar. The text has passed :func:`kg.query.lexer.inspect`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kg import vocab
from kg.query.cursor import Cursor
from kg.query.syntax import (
    END,
    Graph,
    Group,
    Kept,
    Optional,
    Part,
    Pattern,
    Select,
    Token,
    Triples,
    Union,
    Untraceable,
    only_holds,
)

_AGGREGATES = frozenset("COUNT SUM MIN MAX AVG SAMPLE GROUP_CONCAT".split())
_PAIRS = {"(": ")", "[": "]", "{": "}"}
_BOUND = "BOUND anywhere but as a condition that must hold"


def parse(text: str) -> Select:
    """The parts of a query.

    :raises Untraceable: if it has a part that cannot be traced, or that is not understood.
    """
    try:
        return _Parser(text).query()
    except RecursionError:
        raise Untraceable("nesting this deep") from None


def _unused(text: str) -> str:
    """A beginning that no variable of a query has; a short one, however long the query's own are."""
    taken = set(re.findall(r"[?$]kg([0-9]*)_", text))
    return next(f"kg{number}_" for number in ("", *map(str, range(len(taken)))) if number not in taken)


class _Parser(Cursor):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.graph = ""
        self.fresh = 0
        self.hidden: set[str] = set()
        self.labels: dict[str, str] = {}
        self.unused = _unused(text)
        self.alternatives: list[Kept] = []
        self.distinct = False

    def new_variable(self) -> str:
        """A variable in place of a blank node."""
        self.fresh += 1
        name = f"?{self.unused}b{self.fresh}"
        self.hidden.add(name)
        return name

    # The query

    def query(self) -> Select:
        while self.accept("BASE", "PREFIX", "VERSION"):
            while self.next.kind in ("pname", "iri", "string"):
                self.at += 1
        prologue = self.since(0) if self.at else ""
        self.expect("SELECT")
        self.distinct = self.accept("DISTINCT")
        if not self.distinct:
            self.accept("REDUCED")
        items = self.items()
        datasets = []
        while self.accept("FROM"):
            named = self.accept("NAMED")
            datasets.append((named, self.take().text))
        self.accept("WHERE")
        where = self.group()
        order, limit, offset = self.modifiers()
        values = self.values() if self.accept("VALUES") else None
        if self.next is not END:
            raise self.unknown()
        return Select(
            prologue, self.distinct, items, datasets, where, order, limit, offset, values, self.hidden, self.unused
        )

    def items(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        if self.accept("*"):
            return found
        while self.next.kind == "var" or self.next.text == "(":
            start = self.at
            name = self.named_expression() if self.next.text == "(" else _variable(self.take())
            found.append((self.since(start), name))
        if not found:
            raise self.unknown()
        return found

    def modifiers(self) -> tuple[str, int | None, int]:
        if self.next.word in ("GROUP", "HAVING"):
            raise Untraceable(f"{self.next.word}{' BY' * (self.next.word == 'GROUP')}")
        order, numbers = "", {"OFFSET": 0}
        if self.accept("ORDER"):
            self.expect("BY")
            start = self.at
            while self.next is not END and self.next.word not in ("LIMIT", "OFFSET", "VALUES"):
                self.expression_token(start)
            order = f"ORDER BY {self.since(start)}" if self.at > start else ""
        while self.next.word in ("LIMIT", "OFFSET"):
            word, number = self.take().word, self.take().text
            if not number.isdecimal():
                raise self.unknown()
            numbers[word] = int(number)
        return order, numbers.get("LIMIT"), numbers["OFFSET"]

    # Expressions

    def named_expression(self) -> str:
        """``(expression AS ?variable)``; the variable."""
        start = self.at
        self.bracketed(start)
        last, word = self.tokens[self.at - 2], self.tokens[self.at - 3]
        if last.kind != "var" or word.word != "AS":
            raise self.unknown()
        return _variable(last)

    def bracketed(self, start: int) -> None:
        """An opening bracket, what is in it, and the closing one."""
        closing = [_PAIRS[self.take().text]]
        while closing:
            token = self.next
            if token is END:
                raise self.unknown()
            self.expression_token(start)
            if token.text in _PAIRS:
                closing.append(_PAIRS[token.text])
            elif token.text == closing[-1]:
                closing.pop()

    def expression_token(self, start: int) -> None:
        """One token of an expression that began at ``start``."""
        token = self.take()
        if token.word == "EXISTS":
            raise Untraceable("EXISTS")
        if token.word in _AGGREGATES and self.next.text == "(":
            raise Untraceable(f"an aggregate ({token.word})")
        if token.word == "COALESCE":
            raise Untraceable("COALESCE, which asks what is missing")
        if token.word == "BOUND" and self.tokens[start].word != "FILTER":
            raise Untraceable(_BOUND)
        if token.text in ("<<", ">>") or token.text == "{":
            raise Untraceable("a quoted triple")

    # Patterns

    def group(self) -> Group:
        self.expect("{")
        if self.next.word == "SELECT":
            raise Untraceable("a sub-query")
        group = Group()
        while not self.accept("}"):
            if self.next is END:
                raise self.unknown()
            group.parts += self.part()
        return group

    def part(self) -> Sequence[Part]:
        start = self.at
        if self.accept("."):
            return ()
        if self.accept("OPTIONAL"):
            return (Optional(self.group()),)
        if self.accept("FILTER"):
            return (self.filter(start),)
        if self.accept("BIND"):
            name = self.named_expression()
            # BIND(a constant AS ?x) cannot fail.
            constant = self.at - start == 6 and self.tokens[start + 2].kind != "var"
            return (Kept(self.since(start), (name,), sure=constant),)
        if self.accept("VALUES"):
            return (self.values(),)
        if self.accept("GRAPH"):
            return (self.graph_part(),)
        if self.next.word in ("MINUS", "SERVICE"):
            raise Untraceable(self.next.word)
        if self.next.text == "{":
            branches = [self.group()]
            while self.accept("UNION"):
                branches.append(self.group())
            return (Union(branches),) if len(branches) > 1 else (branches[0],)
        outer, self.alternatives = self.alternatives, []
        patterns = self.triples()
        found, self.alternatives = self.alternatives, outer
        return (*found, Triples(patterns))

    def filter(self, start: int) -> Kept:
        if self.next.text != "(":
            if self.next.word in ("NOT", "EXISTS"):
                raise Untraceable("EXISTS")
            if self.next.kind not in ("word", "pname", "iri"):
                raise self.unknown()
            self.expression_token(start)
        if self.next.text != "(":
            raise self.unknown()
        self.bracketed(start)
        if not only_holds(self.tokens[start : self.at]):
            raise Untraceable(_BOUND)
        return Kept(self.since(start))

    def values(self) -> Kept:
        start = self.at
        names: list[str] = []
        if self.accept("("):
            while self.next.kind == "var":
                names.append(_variable(self.take()))
            self.expect(")")
        else:
            names.append(_variable(self.take()))
        self.expect("{")
        sure = True
        while not self.accept("}"):
            token = self.take()
            if token is END or token.text in ("{", "<<"):
                raise self.unknown()
            sure = sure and token.word != "UNDEF"
        return Kept("VALUES " + self.since(start), tuple(names), sure=sure)

    def graph_part(self) -> Graph:
        name, outer = self.variable_or_iri(), self.graph
        self.graph = name
        group = self.group()
        self.graph = outer
        if not _reads(group):
            raise Untraceable("a GRAPH without a triple pattern of its own")
        return Graph(name, group)

    def variable_or_iri(self) -> str:
        token = self.take()
        if token.kind == "var":
            return _variable(token)
        if token.kind in ("iri", "pname"):
            return token.text
        self.at -= 1
        raise self.unknown()

    # Triples (rules 52 to 110)

    def triples(self) -> list[Pattern]:
        found: list[Pattern] = []
        alone = self.next.text == "["
        before = len(found)
        subject = self.node(found)
        # "[ :p :o ]" is a statement by itself.
        if not (alone and len(found) > before and self.next.text in (".", "}")):
            self.property_list(subject, found)
        return found

    def property_list(self, subject: str, found: list[Pattern]) -> None:
        while True:
            path = self.path()
            while True:
                self.walk(subject, path, self.node(found), found)
                if not self.accept(","):
                    break
            if not self.accept(";"):
                return
            while self.accept(";"):
                pass
            if self.next.text in (".", "}", "]"):
                return

    def path(self) -> list[tuple[bool, str]]:
        """The steps of a path: whether against its direction, and the predicate."""
        if self.next.kind == "var":
            return [(False, _variable(self.take()))]
        steps: list[tuple[bool, str]] = []
        while True:
            inverse = self.accept("^")
            if self.accept("("):
                predicate = self.alternative(self.predicate())
                if not self.accept(")"):
                    raise Untraceable("a property path")
            else:
                predicate = self.predicate()
                # Without brackets, "a/b|c" is "(a/b)|c".
                if self.next.text == "|" and not steps and not inverse:
                    predicate = self.alternative(predicate)
                    if self.next.text == "/":
                        raise Untraceable("a property path")
            if self.next.text in ("*", "+", "?", "|"):
                raise Untraceable("a property path")
            steps.append((inverse, predicate))
            if not self.accept("/"):
                return steps

    def predicate(self) -> str:
        token = self.take()
        if token.kind in ("iri", "pname"):
            return token.text
        if token.text == "a":
            return f"<{vocab.RDF}type>"
        self.at -= 1
        raise Untraceable("a property path") if token.text in ("(", "!", "^") else self.unknown()

    def alternative(self, first: str) -> str:
        """One predicate, or the variable for several with ``|`` between them."""
        known = [first]
        while self.accept("|"):
            known.append(self.predicate())
        if len(known) == 1:
            return first
        if not self.distinct:
            # The engine gives one solution where several of them lead to the same node.
            raise Untraceable("a property path with alternatives and no DISTINCT")
        name = self.new_variable()
        self.alternatives.append(Kept(f"VALUES {name} {{ {' '.join(known)} }}", (name,), sure=True))
        return name

    def walk(self, subject: str, path: list[tuple[bool, str]], last: str, found: list[Pattern]) -> None:
        node = subject
        for index, (inverse, predicate) in enumerate(path):
            end = last if index == len(path) - 1 else self.new_variable()
            ends = (end, node) if inverse else (node, end)
            found.append(Pattern(ends[0], predicate, ends[1], self.graph))
            node = end

    def node(self, found: list[Pattern]) -> str:
        """A term, or the variable for what brackets describe, whose triples are added to those found."""
        token, start = self.take(), self.at - 1
        if token.kind == "var":
            return _variable(token)
        if token.kind == "bnode":
            if token.text not in self.labels:
                self.labels[token.text] = self.new_variable()
            return self.labels[token.text]
        if token.kind in ("iri", "pname", "number") or token.word in ("TRUE", "FALSE"):
            return token.text
        if token.text in ("+", "-") and self.next.kind == "number":
            self.at += 1
            return self.since(start)
        if token.kind == "string":
            if self.next.kind == "lang" or self.accept("^^"):
                self.at += 1
            return self.since(start)
        if token.text == "[":
            name = self.new_variable()
            if not self.accept("]"):
                self.property_list(name, found)
                self.expect("]")
            return name
        if token.text == "(":
            return self.collection(found)
        self.at -= 1
        raise Untraceable("a quoted triple") if token.text == "<<" else self.unknown()

    def collection(self, found: list[Pattern]) -> str:
        items = []
        while not self.accept(")"):
            items.append(self.node(found))
        rest = f"<{vocab.RDF}nil>"
        for item in reversed(items):
            node = self.new_variable()
            found += [
                Pattern(node, f"<{vocab.RDF}first>", item, self.graph),
                Pattern(node, f"<{vocab.RDF}rest>", rest, self.graph),
            ]
            rest = node
        return rest


def _variable(token: Token) -> str:
    if token.kind != "var":
        raise Untraceable(f"syntax that is not read here (near {token.text[:30]!r})")
    return "?" + token.text[1:]


def _reads(part: Part) -> bool:
    """Whether every solution of a part of a GRAPH matches a triple of that graph."""
    if isinstance(part, Union):
        return all(map(_reads, part.branches))
    if isinstance(part, Group):
        return any(map(_reads, part.parts))
    return isinstance(part, Triples)
