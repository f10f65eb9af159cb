"""What the engine says of a text that it cannot read as a query, put for people: what is wrong, and where.

The engine lists every token that it would have taken, over many lines; the place is what helps.
"""

from __future__ import annotations

import re


def explain(e: SyntaxError, query: str) -> tuple[str, int, int]:
    """What is wrong, the line and the column; these count from 1, or are 0 where the engine does not say."""
    message = " ".join(str(e).split())
    found = re.match(r"error at (\d+):(\d+): (.*)", message)
    if not found:
        return message[:500], 0, 0
    line, column, said = int(found[1]), int(found[2]), _readable(found[3])
    if "Prefix not found" in found[3]:
        column, said = _undeclared(query, line, column) or (column, said)
    return said, line, column


def _readable(expected: str) -> str:
    """What the engine expected, for people.

    >>> _readable('expected "{"'), _readable("expected one of GRAPH, [_]")
    ('syntax error: expected "{"', 'syntax error: the query cannot be read beyond this place')
    """
    for known in ("Prefix not found", "IRI parsing failed"):
        if known in expected:
            return {"Prefix not found": "this prefix is not declared"}.get(known, "this is not a valid IRI")
    if re.search(r"\[[^\]]*\]|'[^']*'", expected):
        # With classes of characters left out, the list would name what is least likely meant.
        return "syntax error: the query cannot be read beyond this place"
    words = re.findall(r'"[^"]+"|\b[A-Z][A-Z]+\b', expected)
    return f"syntax error: expected {', '.join(dict.fromkeys(words))}"


def _undeclared(query: str, line: int, column: int) -> tuple[int, str] | None:
    """Where a name begins whose prefix is not declared, and what to say: the engine tells only where it ends.

    >>> _undeclared("ASK { ?x\\n  ex:name 1 }", 2, 10)
    (3, 'the prefix ex: is not declared')
    """
    lines = query.split("\n")
    name = re.search(r"([\w.-]*:)[\w.:%\\-]*$", lines[line - 1][: column - 1]) if line <= len(lines) else None
    return (name.start() + 1, f"the prefix {name[1]} is not declared") if name else None
