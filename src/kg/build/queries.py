"""The example questions in ``data/queries``: every relative IRI written out, and whether each can be asked."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from kg import vocab
from kg.build.parse import absolute, bad_name, is_readable, no_folder, read_utf8, shown_path
from kg.errors import SourceError
from kg.model import ExampleQuery, Finding, Place, error
from kg.query.check import check
from kg.query.parameters import QUOTED, RESERVED, find
from kg.release import read_query

QUERIES = Path("data/queries")

_DECLARED = re.compile(r"#\s*(parameter|column):\s*[?$]?(\S+)", re.IGNORECASE)
_VARIABLE = re.compile(rf"{QUOTED}|<[^<>\"{{}}|^`\\\x00-\x20]*>|[?$](?P<name>\w+)", re.VERBOSE | re.DOTALL)

_QUERY_TOKENS = re.compile(rf"{QUOTED}|<(?P<iri>[^<>\"{{}}|^`\\\x00-\x20]*)>", re.VERBOSE | re.DOTALL)


def resolve_iris(query: str, base: str) -> str:
    """A SPARQL text with every relative IRI written out, so that it means the same anywhere.

    >>> resolve_iris("PREFIX : <id/> # <id/>", "http://localhost:8000/")
    'PREFIX : <http://localhost:8000/id/> # <id/>'
    """

    def written_out(match: re.Match[str]) -> str:
        return match[0] if match["iri"] is None else f"<{absolute(match['iri'], base)}>"

    return _QUERY_TOKENS.sub(written_out, query)


def read_queries(root: Path, base: str, findings: list[Finding]) -> tuple[ExampleQuery, ...]:
    """The example questions; what is no query is in ``findings``."""
    queries: list[tuple[str, ExampleQuery]] = []
    folder = root / QUERIES
    findings += no_folder(root, QUERIES)
    if folder.is_dir() and not os.access(folder, os.R_OK | os.X_OK):
        findings.append(error("folder", "this folder cannot be read", Place(QUERIES.as_posix())))
    for path in sorted(folder.glob("*.rq")):
        shown = shown_path(path, root)
        if not is_readable(path, root):
            findings.append(bad_name(shown))
            continue
        try:
            text = resolve_iris(read_utf8(path, shown).decode("utf-8"), base)
            queries.append((shown, read_query(path.stem, text)))
        except SourceError as e:
            findings.append(error("syntax", str(e), Place(e.file, e.line)))
    problems = check([query.text for _, query in queries]) if queries else []
    for (shown, query), problem in zip(queries, problems, strict=True):
        if problem:
            findings.append(
                error("syntax", problem.message + _declaration(problem.message), Place(shown, problem.line))
            )
        else:
            findings += _declared(query, shown)
    return tuple(query for (_, query), problem in zip(queries, problems, strict=True) if not problem)


def _declaration(message: str) -> str:
    """How to declare the prefix that a message misses, which questions do themselves."""
    missed = re.search(r"the prefix (\S*): is not declared$", message)
    known = vocab.Names("").prefixes()
    return f": write PREFIX {missed[1]}: <{known.get(missed[1], '…')}> before the query" if missed else ""


def _declared(query: ExampleQuery, shown: str) -> Iterator[Finding]:
    """What is wrong with the parameters and columns that a question declares at its top."""
    parameters, columns = ({name for name, _ in declared} for declared in (query.parameters, query.columns))
    found = {parameter.name for parameter in find(query.text, parameters)}
    variables = {match["name"] for match in _VARIABLE.finditer(query.text)}
    for line, text in enumerate(query.text.splitlines(), 1):
        declared = _DECLARED.match(text)
        what, name = (declared[1].lower(), declared[2]) if declared else ("", "")
        place = Place(shown, line)
        if what == "column" and name in columns and name not in variables:
            yield error("column", f"?{name} is no column: the question has no variable of this name", place)
        elif what != "parameter" or name not in parameters:
            continue
        elif name in RESERVED:
            message = (
                f"?{name} cannot be a parameter: in an address it means something else; give the variable another name"
            )
            yield error("parameter", message, place)
        elif name not in found:
            message = (
                f"?{name} is no parameter: the question has no VALUES ?{name} {{ … }} that lists what may be chosen"
            )
            yield error("parameter", message, place)
