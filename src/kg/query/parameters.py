"""Parameters of a question: variables whose values its readers choose.

A parameter is declared in the comments at the top of a question, and has a VALUES block of its own, which lists what
may be chosen. So the question is a whole query as it stands, and asks for all of these; what somebody chooses stands in
the place of the others. A block of one literal is what is asked for unless somebody writes another text::

    # parameter: relation How they are tied
    SELECT ?who WHERE { VALUES ?relation { schema:worksFor schema:nationality } ?who ?relation :iraq }
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pyoxigraph import Literal, NamedNode, QuerySolutions, Store

QUOTED = r"""\#[^\n\r]*+|'{3}(?:'{0,2}(?:[^'\\]|\\.))*'{3}|"{3}(?:"{0,2}(?:[^"\\]|\\.))*"{3}
  |'(?:[^'\\\n\r]|\\.)*+'|"(?:[^"\\\n\r]|\\.)*+\""""
"""A comment or a string of SPARQL, as a part of a pattern with re.VERBOSE and re.DOTALL."""

_SKIPPED = rf"{QUOTED}|<[^<>\"{{}}|^`\\\x00-\x20]*+>"
_PARTS = re.compile(
    rf"""{_SKIPPED}|(?<![\w.-])(?P<form>SELECT|ASK|CONSTRUCT|DESCRIBE)(?![\w.:-])  # no part of a prefix
  |\bVALUES\s*+[?$](?P<name>\w++)\s*+{{(?P<block>(?:{_SKIPPED}|\\.|[^{{}}"'<\#\\])*+)}}""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)


RESERVED = frozenset({"as", "default", "evidence", "graph", "lang", "linkset", "query", "timeout"})
"""Names that mean something else in the address of a question."""


class Parameter(NamedTuple):
    """A variable, and the terms of its block; ``start`` and ``end``: where these stand in the query."""

    name: str
    terms: tuple[NamedNode | Literal, ...]
    start: int
    end: int

    @property
    def is_free(self) -> bool:
        """Whether any text may be written in place of the one that is there."""
        return len(self.terms) == 1 and isinstance(self.terms[0], Literal)

    def offered(self, base: str) -> dict[str, NamedNode | Literal]:
        """What may be chosen, by how one writes it: an IRI below ``base`` as its part behind it."""
        return {_written(term, base): term for term in self.terms}

    def choice(self, text: str, base: str) -> NamedNode | Literal | None:
        """What somebody chooses who writes this; ``None`` for nothing that is offered."""
        if not self.is_free:
            return self.offered(base).get(text)
        (like,) = self.terms
        assert isinstance(like, Literal)
        return Literal(text, language=like.language) if like.language else Literal(text, datatype=like.datatype)


def _written(term: NamedNode | Literal, base: str) -> str:
    return term.value.removeprefix(base) if isinstance(term, NamedNode) else term.value


def find(query: str, names: Iterable[str]) -> list[Parameter]:
    """The parameters of these names that have a block of terms, in the order of the query; each IRI is absolute.

    >>> text = 'PREFIX : <http://x/> SELECT * { VALUES ?a { :b :c } VALUES ?n { 1 } ?s ?a ?n } # VALUES ?z { 1 }'
    >>> [(p.name, len(p.terms), p.is_free) for p in find(text, ["a", "n", "z"])]
    [('a', 2, False), ('n', 1, True)]
    """
    wanted, found, prologue = set(names), [], None
    for part in _PARTS.finditer(query) if wanted else ():
        if part["form"] and prologue is None:
            prologue = query[: part.start()]
        if part["name"] in wanted:
            solutions = Store().query(f"{prologue or ''}\nSELECT ?term {{ VALUES ?term {{ {part['block']}\n }} }}")
            assert isinstance(solutions, QuerySolutions)
            terms = tuple(term for (term,) in solutions if isinstance(term, NamedNode | Literal))
            if terms:
                wanted.discard(part["name"])
                found.append(Parameter(part["name"], terms, part.start("block"), part.end("block")))
    return found


def chosen(query: str, parameters: Iterable[Parameter], choices: Mapping[str, NamedNode | Literal]) -> str:
    """The query for what was chosen.

    >>> text = "ASK { VALUES ?n { 1 2 } }"
    >>> chosen(text, find(text, ["n"]), {"n": Literal('"')})
    'ASK { VALUES ?n { "\\\\"" } }'
    """
    for parameter in sorted(parameters, key=lambda p: p.start, reverse=True):
        if parameter.name in choices:
            query = f"{query[: parameter.start]} {choices[parameter.name]} {query[parameter.end :]}"
    return query
