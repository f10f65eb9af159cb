"""Reads the SELECT queries whose answers can be traced; everything else is :class:`Untraceable`.

Traceable is what :mod:`kg.query.footnotes` can name the triples of: triple patterns and paths
(:mod:`kg.query.patterns`), FILTER, OPTIONAL, UNION, VALUES, BIND, GRAPH, and groups with their aggregates. What has to
be *missing* is no triple and has no claim: ``MINUS`` and ``FILTER NOT EXISTS`` are traceable where fewer triples can
only let more solutions pass.
Expressions are not taken apart: their text is kept, once it is known that none of them asks in another way whether
something is missing. Names are not resolved either: a constant is the text that stands for it.

Grammar: https://www.w3.org/TR/sparql11-query/#sparqlGrammar. The text has passed :func:`kg.query.lexer.inspect`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kg.query.cursor import PAIRS
from kg.query.patterns import PatternReader, variable
from kg.query.syntax import (
    END,
    Graph,
    Group,
    Grouping,
    Kept,
    Optional,
    Part,
    Select,
    Triples,
    Union,
    Untraceable,
    only_holds,
)

_AGGREGATES = frozenset("COUNT SUM MIN MAX AVG SAMPLE GROUP_CONCAT".split())
_BEHIND_GROUPS = ("HAVING", "ORDER", "LIMIT", "OFFSET", "VALUES")
_UNSURE = frozenset("EXISTS OPTIONAL MINUS BOUND COALESCE SELECT SERVICE".split())
"""In a group that has to be missing: with these, fewer triples could make it match."""

_BOUND = "BOUND anywhere but as a condition that must hold"


def parse(text: str) -> Select:
    """The parts of a query.

    :raises Untraceable: if it has a part that cannot be traced, or that is not understood.
    """
    try:
        return _Parser(text).query()
    except RecursionError:
        raise Untraceable("nesting this deep") from None


class _Parser(PatternReader):
    aggregate = False
    """Whether an aggregate was read."""

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
        start = self.at
        where = self.group()
        body = self.since(start)
        keys, having = self.keys(), self.clause("HAVING", "ORDER")
        order = self.clause("ORDER")
        limit, offset = self.slice()
        values = self.values() if self.accept("VALUES") else None
        if self.next is not END:
            raise self.unknown()
        grouping = Grouping(keys, having) if keys or having or self.aggregate else None
        if values and grouping:
            raise Untraceable("VALUES behind groups")
        return Select(
            prologue,
            self.distinct,
            items,
            datasets,
            where,
            body,
            grouping,
            order,
            limit,
            offset,
            values,
            self.hidden,
            self.repeated,
            self.unused,
        )

    def items(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        if self.accept("*"):
            return found
        while self.next.kind == "var" or self.next.text == "(":
            start = self.at
            name = self.named_expression() if self.next.text == "(" else variable(self.take())
            found.append((self.since(start), name))
        if not found:
            raise self.unknown()
        return found

    def keys(self) -> list[tuple[str, str]]:
        """What GROUP BY names (rule 20); an expression without a name gets one."""
        found: list[tuple[str, str]] = []
        if self.accept("GROUP"):
            self.expect("BY")
            while self.next is not END and self.next.word not in _BEHIND_GROUPS:
                found.append(self.key(f"?{self.unused}k{len(found)}"))
        return found

    def key(self, name: str) -> tuple[str, str]:
        start = self.at
        if self.next.kind == "var":
            known = variable(self.take())
            return known, known
        if self.next.text != "(":
            self.expression_token(start)  # the name of a function
        if self.next.text != "(":
            raise self.unknown()
        self.bracketed(start)
        behind, last = self.tokens[self.at - 3 : self.at - 1]
        if self.tokens[start].text == "(" and behind.word == "AS":
            return self.since(start), variable(last)
        return f"({self.since(start)} AS {name})", name

    def clause(self, *words: str) -> str:
        """HAVING or ORDER BY as text, up to what may follow it; nothing if it is not there."""
        start = self.at
        if not self.accept(words[0]):
            return ""
        while self.next is not END and self.next.word not in ("LIMIT", "OFFSET", "VALUES", *words[1:]):
            self.expression_token(start)
        return self.since(start)

    def slice(self) -> tuple[int | None, int]:
        numbers = {"OFFSET": 0}
        while self.next.word in ("LIMIT", "OFFSET"):
            word, number = self.take().word, self.take().text
            if not number.isdecimal():
                raise self.unknown()
            numbers[word] = int(number)
        return numbers.get("LIMIT"), numbers["OFFSET"]

    # Expressions

    def named_expression(self) -> str:
        """``(expression AS ?variable)``; the variable."""
        start = self.at
        self.bracketed(start)
        last, word = self.tokens[self.at - 2], self.tokens[self.at - 3]
        if last.kind != "var" or word.word != "AS":
            raise self.unknown()
        return variable(last)

    def bracketed(self, start: int) -> None:
        """An opening bracket, what is in it, and the closing one."""
        closing = [PAIRS[self.take().text]]
        while closing:
            token = self.next
            if token is END:
                raise self.unknown()
            self.expression_token(start)
            if token.text in PAIRS:
                closing.append(PAIRS[token.text])
            elif token.text == closing[-1]:
                closing.pop()

    def expression_token(self, start: int) -> None:
        """One token of an expression that began at ``start``."""
        token = self.take()
        if token.word == "EXISTS":
            raise Untraceable("EXISTS")
        if token.word in _AGGREGATES and self.next.text == "(":
            self.aggregate = True
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
        if self.accept("MINUS"):
            self.missing("MINUS")
            return (Kept(self.since(start)),)
        if self.next.word == "SERVICE":
            raise Untraceable("SERVICE")
        if self.next.text == "{":
            branches = [self.group()]
            while self.accept("UNION"):
                branches.append(self.group())
            return (Union(branches),) if len(branches) > 1 else (branches[0],)
        return self.triples()

    def filter(self, start: int) -> Kept:
        if self.accept("NOT"):
            self.expect("EXISTS")
            self.missing("NOT EXISTS")
            return Kept(self.since(start))
        if self.next.text != "(":
            if self.next.word == "EXISTS":
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

    def missing(self, where: str) -> None:
        """A group that must not match: one that matches less, and not more, the fewer triples there are."""
        closing: list[str] = []
        while closing or self.next.text == "{":
            token = self.take()
            if token is END:
                raise self.unknown()
            if token.word in _UNSURE or token.text in ("<<", ">>"):
                raise Untraceable(f"{where} with {token.word or 'a quoted triple'} in it")
            if token.text in PAIRS:
                closing.append(PAIRS[token.text])
            elif token.text == closing[-1]:
                closing.pop()

    def values(self) -> Kept:
        start = self.at
        names: list[str] = []
        if self.accept("("):
            while self.next.kind == "var":
                names.append(variable(self.take()))
            self.expect(")")
        else:
            names.append(variable(self.take()))
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
            return variable(token)
        if token.kind in ("iri", "pname"):
            return token.text
        self.at -= 1
        raise self.unknown()


def _reads(part: Part) -> bool:
    """Whether every solution of a part of a GRAPH matches a triple of that graph."""
    if isinstance(part, Union):
        return all(map(_reads, part.branches))
    if isinstance(part, Group):
        return any(map(_reads, part.parts))
    return isinstance(part, Triples) and bool(part.patterns)
