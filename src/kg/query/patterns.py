"""Reads the triples of a query: terms, lists, what brackets describe, and property paths (rules 52 to 110).

A path that is a mere abbreviation becomes triple patterns (SPARQL 1.1, section 18.2.2.4): ``a/b``, ``^a``, and with
DISTINCT ``a|b`` of predicates, which is a variable with these values. One of any length (``a*``, ``a+``, ``a?``) stays
what it is: :class:`~kg.query.syntax.Reach`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from kg import vocab
from kg.query.cursor import PAIRS, Cursor
from kg.query.syntax import Kept, Part, Pattern, Reach, Token, Triples, Untraceable

_TYPE = f"<{vocab.RDF}type>"
_ANY_LENGTH = ("*", "+", "?")


class _Step(NamedTuple):
    """A step of a path: whether against its direction, its text, and which of ``*+?`` follows a repeated one."""

    inverse: bool
    text: str
    repeated: str = ""

    def is_predicate(self) -> bool:
        return not (self.inverse or self.repeated or self.text.startswith("?"))

    def back(self) -> _Step:
        return self._replace(inverse=not self.inverse)


class PatternReader(Cursor):
    """``graph`` is that of the GRAPH around, ``hidden`` the variables in place of blank nodes.

    ``repeated``: the predicates of paths of any length, of which no claim may state a triple.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.graph = ""
        self.distinct = False
        self.hidden: set[str] = set()
        self.repeated: set[str] = set()
        self.unused = _unused(text)
        self._labels: dict[str, str] = {}
        self._beside: list[Part] = []

    def triples(self) -> list[Part]:
        """Triples up to the next that are no more, and what of their paths stands beside them."""
        outer, self._beside = self._beside, []
        patterns = self._triples()
        found, self._beside = self._beside, outer
        return [*found, Triples(patterns)] if patterns or not found else found

    def _new_variable(self) -> str:
        """A variable in place of a blank node."""
        name = f"?{self.unused}b{len(self.hidden) + 1}"
        self.hidden.add(name)
        return name

    def _triples(self) -> list[Pattern]:
        found: list[Pattern] = []
        alone = self.next.text == "["
        before = len(found)
        subject = self._node(found)
        # "[ :p :o ]" is a statement by itself.
        if not (alone and len(found) > before and self.next.text in (".", "}")):
            self._property_list(subject, found)
        return found

    def _property_list(self, subject: str, found: list[Pattern]) -> None:
        while True:
            start = self.at
            path = self._verb()
            while True:
                self._walk(subject, path, self._node(found), found)
                if not self.accept(","):
                    break
                # Read anew for each object: what stands for alternatives need not be the same for two of them.
                behind, self.at = self.at, start
                path, self.at = self._verb(), behind
            if not self.accept(";"):
                return
            while self.accept(";"):
                pass
            if self.next.text in (".", "}", "]"):
                return

    def _verb(self) -> list[_Step]:
        return [_Step(False, variable(self.take()))] if self.next.kind == "var" else self._path()

    def _path(self) -> list[_Step]:
        """The steps of a path (rules 88 and 89)."""
        steps = self._sequence()
        if self.next.text != "|":
            return steps
        several = [steps]
        while self.accept("|"):
            several.append(self._sequence())
        if any(len(steps) > 1 or not steps[0].is_predicate() for steps in several):
            raise Untraceable("a property path with alternatives that are more than predicates")
        if not self.distinct:
            # The engine gives one solution where several of them lead to the same node.
            raise Untraceable("a property path with alternatives and no DISTINCT")
        name = self._new_variable()
        known = " ".join(steps[0].text for steps in several)
        self._beside.append(Kept(f"VALUES {name} {{ {known} }}", (name,), sure=True))
        return [_Step(False, name)]

    def _sequence(self) -> list[_Step]:
        steps = self._step()
        while self.accept("/"):
            steps += self._step()
        return steps

    def _step(self) -> list[_Step]:
        """What stands between two slashes (rules 90 to 94)."""
        inverse = self.accept("^")
        steps = self._repeated()
        if not steps and self.accept("("):
            steps = self._path()
            self.expect(")")
        elif not steps:
            steps = [_Step(False, self._predicate())]
        return [step.back() for step in reversed(steps)] if inverse else steps

    def _repeated(self) -> list[_Step]:
        """A path of any length, if there is one here."""
        start, end = self.at, self._end_of_primary()
        sign = self.tokens[end].text if end < len(self.tokens) else ""
        if sign not in _ANY_LENGTH:
            return []
        for token in self.tokens[start:end]:
            if token.text == "!":
                raise Untraceable("a property path of all predicates but some")
            if token.kind in ("iri", "pname"):
                self.repeated.add(token.text)
            elif token.text == "a":
                self.repeated.add(_TYPE)
        self.at = end + 1
        return [_Step(False, self.since(start), sign)]

    def _end_of_primary(self) -> int:
        """The number of the token behind a predicate, or behind the brackets that begin here."""
        closing: list[str] = []
        for number in range(self.at, len(self.tokens)):
            text = self.tokens[number].text
            if text in PAIRS:
                closing.append(PAIRS[text])
            elif closing and text == closing[-1]:
                closing.pop()
            if not closing:
                return number + 1
        raise self.unknown()

    def _predicate(self) -> str:
        token = self.take()
        if token.kind in ("iri", "pname"):
            return token.text
        if token.text == "a":
            return _TYPE
        self.at -= 1
        raise Untraceable("a property path of all predicates but some") if token.text == "!" else self.unknown()

    def _walk(self, subject: str, path: list[_Step], last: str, found: list[Pattern]) -> None:
        node = subject
        for index, step in enumerate(path):
            end = last if index == len(path) - 1 else self._new_variable()
            one, other = (end, node) if step.inverse else (node, end)
            if step.repeated:
                self._beside.append(Reach(one, step.text, other, zero=step.repeated != "+"))
            else:
                found.append(Pattern(one, step.text, other, self.graph))
            node = end

    def _node(self, found: list[Pattern]) -> str:
        """A term, or the variable for what brackets describe, whose triples are added to those found."""
        token, start = self.take(), self.at - 1
        if token.kind == "var":
            return variable(token)
        if token.kind == "bnode":
            if token.text not in self._labels:
                self._labels[token.text] = self._new_variable()
            return self._labels[token.text]
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
            name = self._new_variable()
            if not self.accept("]"):
                self._property_list(name, found)
                self.expect("]")
            return name
        if token.text == "(":
            return self._collection(found)
        self.at -= 1
        raise Untraceable("a quoted triple") if token.text == "<<" else self.unknown()

    def _collection(self, found: list[Pattern]) -> str:
        items = []
        while not self.accept(")"):
            items.append(self._node(found))
        rest = f"<{vocab.RDF}nil>"
        for item in reversed(items):
            node = self._new_variable()
            found += [
                Pattern(node, f"<{vocab.RDF}first>", item, self.graph),
                Pattern(node, f"<{vocab.RDF}rest>", rest, self.graph),
            ]
            rest = node
        return rest


def variable(token: Token) -> str:
    if token.kind != "var":
        raise Untraceable(f"syntax that is not read here (near {token.text[:30]!r})")
    return "?" + token.text[1:]


def _unused(text: str) -> str:
    """A beginning that no variable of a query has; a short one, however long the query's own are."""
    taken = set(re.findall(r"[?$]kg([0-9]*)_", text))
    return next(f"kg{number}_" for number in ("", *map(str, range(len(taken)))) if number not in taken)
