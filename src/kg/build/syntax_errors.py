"""What is said of a file that breaks Turtle's grammar, and of numbers that it reads in another way than people do.

A parser says what it expected where it gave up. Whoever writes a claim an hour after having heard of Turtle needs to
know what they forgot, and that is mostly before that place.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from itertools import islice

from kg import vocab
from kg.model import Finding, Place, warning

_HINTS = (
    (r"A dot is expected at the end of statements", "what stands before this ends in '.', or goes on with ';' or ','"),
    (r"A '\}' or a '\.' is expected", "inside { … }, ';' stands before another property, ',' before another value"),
    (r"Triples should be followed by a dot", "the file ends before the '}' of a graph or the end of a statement"),
    (r"Unexpected end of file", "something that was opened with a quotation mark or '<' is not closed"),
    (r"'\{' is not a valid predicate", "the graph before this is not closed with '}'"),
    (
        r"'@?\w[\w-]*' is not a valid (subject|RDF subject)",
        "before this, a '\"' inside words is not written \\\", a name has a space in it, or a ';' is missing",
    ),
    (r"'\w+' is not a valid predicate", "a name has a prefix, as :name, and no spaces: join its words by hyphens"),
    (r"'(TRUE|FALSE|True|False)' is not a valid RDF object", "true and false are written small"),
    (
        r"'\w+' is not a valid RDF object",
        "a name has a prefix, as :name, and no spaces; words stand in quotation marks",
    ),
    (r"'-\d+' is not a valid", 'a date is written "2024-03-03"^^xsd:date'),
    (r"'[;,.]' is not a valid RDF object", "a value is missing before this sign"),
    (r"'[}\]]' is not a valid", "nothing is open here that this sign could close"),
    (r"'[“”„«»‘’‚]' is not allowed", 'words stand in straight quotation marks: "'),
    (r"'/' is not allowed", "a name behind a prefix has no '/': write <id/…>, or another name"),
    (r"Line jumps are not allowed", 'write a space in a kg:quote; other words on several lines stand in """three"""'),
    (r"Unexpected escape character", "a backslash in words is written \\\\"),
    (r"Unexpected character '[A-Z]'", "a language is written @en or @en-GB"),
    (r"The PREFIX", "as in @prefix kg: <ontology#> ."),
)
"""What the parser says, with the sign it stopped at in quotation marks → what was forgotten, mostly."""

_COMMA = re.compile(
    rb"#[^\n]*|<[^<>\"{}|^`\\\x00-\x20]*>|\"\"\".*?\"\"\"|'''.*?'''|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'"
    rb"|(?<=[\s,;])(?P<number>[+-]?[0-9.]*[0-9](?:,[0-9]+)+(?:\.[0-9]+)?)(?=[\s,;.\])}])",
    re.DOTALL,
)
_MAY_BE = re.compile(rb"\s[+-]?[0-9.]*[0-9],[0-9]")
_MOST = 1_000


def readable(message: str, suffix: str) -> str:
    """A parser's message without the place, which stands in front of it, and with what was forgotten."""
    message = re.sub(r"^Parser error [^:]*: ", "", message)
    unknown = re.search(r"The prefix (\S*) has not been declared", message)
    if unknown:
        name = unknown[1].rstrip(":")
        known = vocab.Names("").prefixes()
        near = difflib.get_close_matches(name, known, n=1) if name not in known else []
        hint = f" did you mean {near[0]}:? Otherwise" if near else ""
        return f"unknown prefix {name + ':'!r}:{hint} declare it with @prefix {name}: <{known.get(name, '…')}> ."
    if suffix == ".ttl" and message.startswith("{"):
        return f"syntax error: {message}; named graphs are written in .trig"
    message = re.sub(r"^(\S{1,60}) (?=is not a valid )", r"'\1' ", message)
    forgotten = next((hint for pattern, hint in _HINTS if re.match(pattern, message)), "")
    return f"syntax error: {message}" + (f": {forgotten}" if forgotten else "")


def two_values(data: bytes, shown: str) -> Iterator[Finding]:
    """Warnings of numbers with a comma inside: Turtle reads ``40,000`` as the two values 40 and 0.

    >>> [f.message for f in two_values(b':a :n 40,000 ; :l "1,5" .', "a.ttl")]
    ["'40,000' is more than one value to Turtle: write 40000 or 40.000; if that is meant, put a space behind the comma"]
    """
    if not _MAY_BE.search(data):
        return
    line, at = 1, 0
    for match in islice((match for match in _COMMA.finditer(data) if match["number"]), _MOST):
        line, at = line + data.count(b"\n", at, match.start()), match.start()
        number = match["number"].decode()
        plain = " or ".join(dict.fromkeys((number.replace(",", ""), number.replace(",", ".", 1).replace(",", ""))))
        meant = "if that is meant, put a space behind the comma"
        message = f"{number!r} is more than one value to Turtle: write {plain}; {meant}"
        yield warning("two-values", message, Place(shown, line))
