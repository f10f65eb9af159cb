"""On which expressions of a query do two SPARQL engines agree, whatever the data?

Measured with random queries and data: rdflib orders terms that SPARQL 1.1 (section 17.3) cannot compare, and fails
where others go on. Both agree on whole numbers, on strings that ``STR()`` made, on whether IRIs are equal, on counts
and on tests such as ``BOUND``. So every part of an expression has to be of one of these kinds; of which kind a variable
is, the data say: it is a number if it is the object of a predicate that has nothing but whole numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kg.build.shacl.model import NotCovered

_TOKEN = re.compile(
    r"(?P<skip>\s+|\#[^\n]*)"
    r"|(?P<iri><[^<>\"{}|^`\\\x00-\x20]*>|[A-Za-z][\w.-]*:[\w.%-]*|:[\w.%-]+)"
    r"|(?P<var>[?$]\w+)"
    r"|(?P<string>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')"
    r"|(?P<int>\d+(?![\w.]))"
    r"|(?P<word>[A-Za-z]\w*)"
    r"|(?P<sign>&&|\|\||!=|<=|>=|.)",
    re.DOTALL,
)
_AS = re.compile(r" as (\?\w+)$")
_CALLS = (
    (re.compile(r"\bcount \( (?:distinct )?(?:\?\w+|\*) \)"), "INT"),
    (re.compile(r"\bstr \( (?:\?\w+|IRI|STRING) \)"), "STRING"),
    (re.compile(r"\b(?:bound|isiri|isuri|isblank|isliteral) \( \?\w+ \)"), "TEST"),
    (re.compile(r"\bsameterm \( (?:\?\w+|IRI) , (?:\?\w+|IRI) \)"), "TEST"),
    (re.compile(r"\b(?:strstarts|strends|contains) \( STRING , STRING \)"), "TEST"),
)
_NUMBERS = re.compile(r"\b(?:sum \( (?:distinct )?(\?\w+) \)|coalesce \( ((?:\?\w+|INT)(?: , (?:\?\w+|INT))*) \))")
_FUNCTIONS = frozenset(
    "count str bound isiri isuri isblank isliteral sameterm strstarts strends contains sum coalesce".split()
)
_COMPARED = {"=", "!=", "<", ">", "<=", ">="}


@dataclass(frozen=True, slots=True)
class Needs:
    """``numbers`` must be whole numbers; each group of ``alike`` must be numbers, or else IRIs, all of them."""

    numbers: frozenset[str]
    alike: frozenset[frozenset[str]]


def needs(select: str) -> Needs:
    """What the variables in a query's expressions have to be, by name.

    :raises NotCovered: if an expression is of a kind on which engines may differ.
    """
    numbers: set[str] = set()
    alike: set[frozenset[str]] = set()
    made: set[str] = set()
    for expression, named in _expressions(select):
        target = _AS.search(expression)
        text = _simplified(_AS.sub("", expression), numbers)
        if target and text == "INT":
            made.add(target[1])
        if not (target and re.fullmatch(r"\?\w+|INT|STRING|IRI", text)) or not named:
            for piece in re.split(r" ?(?:&&|\|\||!(?!=)|\(|\)) ?", text):
                _classify(piece.split(), numbers, alike)
    return Needs(frozenset(v[1:] for v in numbers - made), frozenset(frozenset(v[1:] for v in g - made) for g in alike))


def _classify(tokens: Sequence[str], numbers: set[str], alike: set[frozenset[str]]) -> None:
    """One comparison, sum or test: all of it is of one kind."""
    parts = set(tokens)
    variables = {token for token in parts if token.startswith("?")}
    others = parts - variables
    if tokens in ([], ["TEST"]) or (parts <= {"STRING", *_COMPARED} and len(tokens) == 3):
        return
    if variables and others <= {"=", "!=", "IRI"} and len(tokens) == 3:
        if "IRI" in others:
            raise NotCovered("a comparison with an IRI")
        alike.add(frozenset(variables))
    elif others <= {"INT", "+", "-", "*", *_COMPARED}:
        numbers |= variables
    else:
        raise NotCovered(f"an expression on which engines may differ: {' '.join(tokens)}")


def _simplified(text: str, numbers: set[str]) -> str:
    """The expression with calls replaced by the kind of their value."""
    for call, kind in _CALLS:
        text = call.sub(kind, text)

    def number(match: re.Match[str]) -> str:
        numbers.update(re.findall(r"\?\w+", match[0]))
        return "INT"

    text = _NUMBERS.sub(number, text)
    if re.search(r"\b[a-z]\w*\b", re.sub(r"\?\w+", "", text)):
        raise NotCovered(f"a call on which engines may differ: {text}")
    return text


def _expressions(select: str) -> Iterable[tuple[str, bool]]:
    """Every outermost expression in parentheses, and whether it is given a name rather than tested."""
    tokens = _tokens(select)
    inside, at = False, 0
    while at < len(tokens):
        inside = inside or tokens[at] == "{"
        if tokens[at] == "(":
            end = _closing(tokens, at)
            before = tokens[at - 1]
            if inside and before not in {"filter", "having", "bind", "by", ")", *_FUNCTIONS}:
                raise NotCovered("parentheses that are no expression")
            body = tokens[at + 1 : end]
            text = f"{before} ( {' '.join(body)} )" if before in _FUNCTIONS else " ".join(body)
            yield text, "as" in body
            at = end
        at += 1


def _closing(tokens: Sequence[str], at: int) -> int:
    depth = 0
    for position in range(at, len(tokens)):
        if tokens[position] in ("{", "}"):
            raise NotCovered("a pattern inside an expression")
        depth += (tokens[position] == "(") - (tokens[position] == ")")
        if not depth:
            return position
    raise NotCovered("parentheses that do not close")


def _tokens(select: str) -> list[str]:
    """Words in lower case, variables as ``?name``, and for constants what they are."""
    found = []
    for match in _TOKEN.finditer(select):
        kind, text = match.lastgroup, match[0]
        if kind == "skip":
            continue
        if kind in ("iri", "string", "int"):
            found.append(str(kind).upper())
        elif kind == "var":
            found.append("?" + text[1:])
        else:
            found.append(text.lower())
    return found
