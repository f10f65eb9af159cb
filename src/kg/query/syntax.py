"""The parts of a SELECT query that :mod:`kg.query.footnotes` works on, and the tokens that they are read from.

Terms and expressions are text: what a prefixed name stands for, the engine knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Untraceable(Exception):
    """The answer cannot be traced; the message names what stands in the way."""


class Pattern(NamedTuple):
    """A triple pattern, each term as text; variables start with ``?``. ``graph`` is that of the GRAPH around it."""

    subject: str
    predicate: str
    object: str
    graph: str = ""


@dataclass
class Group:
    """What stands between braces, in its order."""

    parts: list[Part] = field(default_factory=list)


@dataclass
class Triples:
    patterns: list[Pattern]


@dataclass
class Reach:
    """A property path of any length, over triples that no claim states; ``zero``: from a node to itself, too."""

    subject: str
    path: str
    object: str
    zero: bool


@dataclass
class Kept:
    """FILTER, BIND, VALUES or MINUS as text, with the variables it binds; ``sure``: it leaves none of them unbound."""

    text: str
    binds: tuple[str, ...] = ()
    sure: bool = False


@dataclass
class Optional:
    group: Group


@dataclass
class Union:
    branches: list[Group]


@dataclass
class Graph:
    name: str
    group: Group


Part = Triples | Reach | Kept | Optional | Union | Graph | Group


@dataclass
class Grouping:
    """GROUP BY: its keys, each as text with its variable; ``having`` is that clause. No keys: all is one group."""

    keys: list[tuple[str, str]]
    having: str


@dataclass
class Select:
    """A query. ``items`` are variables and ``(expression AS ?variable)`` with their names; none of them: ``*``."""

    prologue: str
    distinct: bool
    items: list[tuple[str, str]]
    datasets: list[tuple[bool, str]]  # whether NAMED, and the IRI's text
    where: Group
    body: str  # the same as text
    grouping: Grouping | None
    order: str
    limit: int | None
    offset: int
    values: Kept | None
    hidden: set[str]  # variables that stand for blank nodes
    repeated: set[str]  # predicates of paths of any length
    unused: str  # what no variable of the query starts with


class Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """The keyword, in capitals."""
        return self.text.upper() if self.kind == "word" else ""


_CHAR = r"\w\u00b7\u0300-\u036f\u203f\u2040"  # as in kg.query.lexer
_ESCAPED = r"%[0-9A-Fa-f]{2}|\\[_~.\-!$&'()*+,;=/?\#@%]"
_TOKEN = re.compile(
    rf"""
    (?P<space>  (?:\s|\#[^\r\n]*+)++ )
  | (?P<iri>    <(?:[^<>"{{}}|^`\\\x00-\x20]|\\u[0-9A-Fa-f]{{4}}|\\U[0-9A-Fa-f]{{8}})*+> )
  | (?P<var>    [?$][{_CHAR}]++ )
  | (?P<string> \"\"\"(?:[^"\\]|\\.|"(?!""))*+\"\"\" | '''(?:[^'\\]|\\.|'(?!''))*+'''
              | "(?!"")(?:[^"\\\r\n]|\\.)*+" | '(?!'')(?:[^'\\\r\n]|\\.)*+' )
  | (?P<lang>   @[A-Za-z]++(?:-[A-Za-z0-9]++)*+ )
  | (?P<bnode>  _:[{_CHAR}.\-]++ )
  | (?P<pname>  (?:[^\W\d_][{_CHAR}.\-]*+)?+:(?:[{_CHAR}:.\-]|{_ESCAPED})*+ )
  | (?P<number> (?:\d++(?:\.\d++)?+|\.\d++)(?:[eE][+\-]?\d++)?+ )
  | (?P<word>   [A-Za-z_]\w*+ )
  | (?P<sign>   \^\^|&&|\|\||!=|<=|>=|<<|>>|[^\w\s] )
    """,
    re.VERBOSE | re.DOTALL,
)
END = Token("end", "", 0, 0)


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a query, without white space and comments.

    :raises Untraceable: at the first character that opens none.
    """
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise Untraceable(f"a sign that is not read here ({text[position]!r})")
        kind, found = str(match.lastgroup), match[0]
        if kind in ("pname", "bnode"):
            # A dot at the end belongs to the triple, unless it is escaped.
            while found.endswith(".") and not found.endswith("\\."):
                found = found[:-1]
        if kind != "space":
            yield Token(kind, found, position, position + len(found))
        position += len(found)


def is_only_selected(name: str, text: str) -> bool:
    """Whether a variable stands once in a query, in its SELECT clause, where nothing gives it a value.

    >>> is_only_selected("x", "SELECT ?x ?y { ?y ?z 1 }"), is_only_selected("x", "SELECT (1 AS ?x) ?y { ?y ?z 1 }")
    (True, False)
    """
    before, found = END, []
    try:
        for token in tokens(text):
            if token.kind == "var" and token.text[1:] == name:
                found.append(before)
            if token.text == "{" and not found:
                return False
            before = token
    except Untraceable:
        return False
    if len(found) != 1:
        return False
    return found[0].kind == "var" or found[0].text == ")" or found[0].word in ("SELECT", "DISTINCT", "REDUCED")


def only_holds(condition: Sequence[Token]) -> bool:
    """Whether each BOUND(…) of a FILTER, the word included, must hold: is combined with others by && and || only.

    >>> [only_holds([*tokens(f"FILTER({text})")]) for text in ("BOUND(?x) && (?y || BOUND(?z))", "(BOUND(?x)) = false")]
    [True, False]
    """
    closing: dict[int, int] = {}
    opened: list[int] = []
    for index, token in enumerate(condition):
        if token.text == "(":
            opened.append(index)
        elif token.text == ")":
            closing[opened.pop()] = index

    def must_hold(first: int, last: int) -> bool:
        before, after = condition[first - 1], ")" if last == len(condition) - 1 else condition[last + 1].text
        return (before.word == "FILTER" or before.text in ("(", "&&", "||")) and after in (")", "&&", "||")

    around = [True]  # whether what stands between the open brackets must hold
    for index, token in enumerate(condition):
        if token.word == "BOUND" and not (around[-1] and must_hold(index, closing.get(index + 1, index))):
            return False
        if token.text == "(":
            around.append(around[-1] and must_hold(index, closing[index]))
        elif token.text == ")":
            around.pop()
    return True
