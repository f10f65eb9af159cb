"""Look at a stranger's query before any parser does: refuse what may not run, and name its form.

One pass over the tokens of SPARQL 1.1 (https://www.w3.org/TR/sparql11-query/#sparqlGrammar), in linear time and
without recursion. It is not a parser: what it lets through may still be a syntax error, for the engine to explain.
Refused are

- ``SERVICE``, ``LOAD`` and every other word of SPARQL Update, where it is a word: not in a string, comment, IRI, name
- brackets ``{ ( [ <<`` or prefix operators ``! - + ^`` nested deeper than a bound, because parsers recurse
- what is too long, is no Unicode text, ends inside a string, or has no form

Engines read some texts in two ways, and the dangerous reading counts:

- The engine wants no space between words: ``trueSERVICE <x> {}`` calls a service, and so does ``SERVICE:x {}``,
  although it opens like a prefixed name.
- ``?a<'b>c'`` compares with a string for a parser that expects an operator, and holds the IRI ``<'b>`` for one that
  does not. Where an operator could stand, such a text is refused.
- Section 19.2 resolves ``\\u`` escapes before anything else; the engine does it inside strings and IRIs only. Both
  texts are looked at.

Most queries need no tokens: in whatever way a text is read, no word is refused that stands nowhere in it, and nothing
is nested deeper than there are brackets.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import NoReturn

from kg.errors import QueryRefused

MAX_LENGTH = 1 << 20
"""A query has at most this many characters (enough for a VALUES block of 15,000 IRIs)."""


class Form(Enum):
    """The four forms of a query."""

    SELECT = "SELECT"
    ASK = "ASK"
    CONSTRUCT = "CONSTRUCT"
    DESCRIBE = "DESCRIBE"


_FORMS = {form.value: form for form in Form}
_PROLOGUE = frozenset("BASE PREFIX VERSION".split())
_UPDATES = frozenset("LOAD INSERT DELETE CLEAR DROP CREATE COPY MOVE ADD".split())

# Every repetition is possessive: a match that fails never tries again, so that time is linear.
# A sign of a name or variable: what Python calls a word, and what PN_CHARS has besides (rule 167).
_CHAR = r"\w\u00b7\u0300-\u036f\u203f\u2040"
_LOCAL = rf":(?:[{_CHAR}.:\-]|%[0-9A-Fa-f]{{2}}|\\[_~.\-!$&'()*+,;=/?\#@%])*+"
_TOKEN = re.compile(
    rf"""
    (?P<space>   (?:\s|\#[^\r\n]*+)++ )
  | (?P<operand> [?$][{_CHAR}]++ | \d[\d.]*+ | @[A-Za-z]++(?:-++[A-Za-z0-9]++)*+ | _:[{_CHAR}.\-]++
               | \"\"\"(?:[^"\\]|\\.|"(?!""))*+\"\"\" | '''(?:[^'\\]|\\.|'(?!''))*+'''
               | "(?!"")(?:[^"\\\r\n]|\\.)*+" | '(?!'')(?:[^'\\\r\n]|\\.)*+' )
  | (?P<name>    (?P<word>[^\W\d][{_CHAR}.\-]*+)(?P<local>{_LOCAL})?+ | {_LOCAL} )
  | (?P<iri>     <(?:[^<>"{{}}|^`\\\x00-\x20]|\\u[0-9A-Fa-f]{{4}}|\\U[0-9A-Fa-f]{{8}})*+> )
  | (?P<open>    <<|[{{(\[] )
  | (?P<close>   >>|[}})\]] )
  | (?P<prefix>  [!^+\-] )
  | (?P<sign>    [.,;=&|*/~%<>?$] )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
# What an IRI holds that would be something else if its "<" were an operator, and an IRI that nobody can mistake.
_TWO_READINGS = re.compile(r"['#()\[\]]|[!+\-]{8}")
_ABSOLUTE = re.compile(r"<[A-Za-z][A-Za-z0-9+.\-]*+://")

_NESTING = ("{", "(", "[", "<<", "!", "^", "+", "-")
# Texts with nothing that the tokens below would complain of as an error; and what stands before a query's form.
_PLAIN = re.compile(r"""(?:[\w\s{}()\[\]<>?$:.,;=&|*/~%@\#!^+\-]++|"[^"\\\r\n]*+"|'[^'\\\r\n]*+')*+""", re.ASCII)
_OPENING = re.compile(
    r"(?:\s++|#[^\r\n]*+|PREFIX\s++[\w.\-]*+:\s*+<[^<>\s]*+>|BASE\s*+<[^<>\s]*+>)*+"
    rf"({'|'.join(_FORMS)})(?![\w.:\-])",
    re.ASCII,
)


class _Forbidden(QueryRefused):
    """The query holds something that is never run (a mere syntax error is a plain QueryRefused)."""


def inspect(query: str, *, depth: int = 128) -> Form:
    """The form of a query that may be handed to the engine.

    >>> inspect("PREFIX service: <http://example.org/> SELECT ?load { ?load service:x 'SERVICE' } # LOAD").value
    'SELECT'
    >>> inspect("ASK { SERVICE <http://example.org/> {} }")
    Traceback (most recent call last):
    kg.errors.QueryRefused: SERVICE is not allowed here: this endpoint asks no other endpoint

    :raises QueryRefused: with line and column, if it may not be.
    """
    form = _form_of_harmless(query, depth)
    if form is not None:
        return form
    if len(query) > MAX_LENGTH:
        raise QueryRefused(f"the query has {len(query)} characters; the most that is read is {MAX_LENGTH}")
    try:
        query.encode()
    except UnicodeEncodeError as e:
        _refuse(query, e.start, "half of a surrogate pair is no character", QueryRefused)
    if not query.strip():
        raise QueryRefused("the query is empty")
    try:
        form = _Scan(query, depth).run()
        if "\\" in query:
            _inspect_resolved(query, depth)
    except _Forbidden as e:
        raise QueryRefused(str(e), line=e.line, column=e.column) from None
    return form


def _form_of_harmless(query: str, depth: int) -> Form | None:
    """The form of a query with nothing in it that could be refused; ``None`` says nothing.

    >>> _form_of_harmless("ASK { ?x ?y 'z' }", 2), _form_of_harmless("ASK { ?x ?y 'ad-service' }", 2)
    (<Form.ASK: 'ASK'>, None)
    """
    if not query.isascii() or len(query) > MAX_LENGTH or not _PLAIN.fullmatch(query):
        return None
    if sum(map(query.count, _NESTING)) > depth:
        return None
    text = query.upper()
    if "SERVICE" in text or any(word in text for word in _UPDATES):
        return None
    opening = _OPENING.match(text)
    return _FORMS[opening[1]] if opening else None


def _inspect_resolved(query: str, depth: int) -> None:
    """Look at the text that section 19.2 makes of it; a syntax error there is no reason to refuse."""

    def character(match: re.Match[str]) -> str:
        code = int(match[1] or match[2], 16)
        return chr(code) if code < 0xD800 or 0xDFFF < code <= 0x10FFFF else match[0]

    resolved = _ESCAPE.sub(character, query)
    if resolved == query:
        return
    try:
        _Scan(resolved, depth).run()
    except _Forbidden as e:
        # Its line and column belong to another text than the one that was sent.
        raise _Forbidden(f"{e} (spelled with \\u escapes)") from None
    except QueryRefused:
        return


def _refuse(text: str, position: int, message: str, kind: type[QueryRefused]) -> NoReturn:
    line = text.count("\n", 0, position) + 1
    raise kind(message, line=line, column=position - text.rfind("\n", 0, position))


class _Scan:
    """One pass over a text."""

    def __init__(self, text: str, depth: int) -> None:
        self.text = text
        self.depth = depth
        self.form: Form | None = None
        self.brackets: list[str] = []  # the open ones; "v" for the brace of a VALUES block
        self.run_of_prefixes = 0
        self.operand = False  # the last token could stand left of an operator
        self.last_word = ""
        self.service_name = False  # the last token was SERVICE:x, which "{" would make a call

    def run(self) -> Form:
        position, text = 0, self.text
        match_at = _TOKEN.match
        while position < len(text):
            match = match_at(text, position)
            if match is None:
                _refuse(text, position, self._unreadable(position), QueryRefused)
            kind = match.lastgroup
            if kind != "space":
                self._token(str(kind), match, position)
            position = match.end()
        if self.form is None:
            _refuse(text, len(text), "this is no query: SELECT, ASK, CONSTRUCT or DESCRIBE is missing", QueryRefused)
        return self.form

    def _token(self, kind: str, match: re.Match[str], position: int) -> None:
        if kind == "prefix":
            self.run_of_prefixes += 1
            if self.run_of_prefixes + len(self.brackets) > self.depth:
                self._too_deep(position)
        else:
            self.run_of_prefixes = 0
            if kind == "open":
                self._open(match[0], position)
            elif kind == "close":
                del self.brackets[-1:]
            elif kind == "name":
                self._name(match, position)
            elif kind == "iri" and self.operand:
                self._iri_or_operator(match[0], position)
        self.operand = kind in ("operand", "close", "name", "iri")
        if kind != "name":
            self.service_name = False

    def _open(self, bracket: str, position: int) -> None:
        if bracket == "{":
            if self.service_name:
                self._service(position)
            if self.last_word == "VALUES":
                bracket = "v"
            self.last_word = ""
        self.brackets.append(bracket)
        if len(self.brackets) > self.depth:
            self._too_deep(position)

    def _name(self, match: re.Match[str], position: int) -> None:
        word = (match["word"] or "").upper()
        if match["local"] is not None or not word:
            self.service_name = word.endswith(("SERVICE", "SILENT")) and self.last_word != "GRAPH"
            return
        self.service_name = False
        self.last_word = word
        if "SERVICE" in word:
            self._service(position)
        for part in word.replace("-", ".").split("."):
            if part in _UPDATES:
                _refuse(self.text, position, f"{part} is an update: this endpoint only answers queries", _Forbidden)
        if self.form is None and word not in _PROLOGUE:
            self.form = next((form for form in Form if word.startswith(form.value)), None)
            if self.form is None:
                _refuse(
                    self.text,
                    position,
                    f"{match[0][:40]!r} opens no query: SELECT, ASK, CONSTRUCT or DESCRIBE was expected",
                    QueryRefused,
                )

    def _iri_or_operator(self, iri: str, position: int) -> None:
        in_expression = self.brackets[-1:] == ["("] and self.brackets[-2:-1] != ["v"]
        if in_expression and _TWO_READINGS.search(iri) and not _ABSOLUTE.match(iri):
            _refuse(
                self.text,
                position,
                "this can be read as an IRI and as an operator: put a space after '<', or write the IRI in full",
                _Forbidden,
            )

    def _service(self, position: int) -> NoReturn:
        message = "SERVICE is not allowed here: this endpoint asks no other endpoint"
        _refuse(self.text, position, message, _Forbidden)

    def _too_deep(self, position: int) -> NoReturn:
        _refuse(self.text, position, f"nested deeper than {self.depth} levels", _Forbidden)

    def _unreadable(self, position: int) -> str:
        character = self.text[position]
        if character in "\"'":
            return "this string does not end"
        if character == "\\":
            return "a backslash can stand only inside a string, an IRI or a name"
        return f"{character!r} cannot stand here"
