"""The first rows of an answer as cells of a page's table, each with its footnotes."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from markupsafe import Markup
from pyoxigraph import BlankNode, Literal, NamedNode

from kg import media
from kg.query.base import Query
from kg.query.lexer import Form, inspect
from kg.site.answers.address import here
from kg.site.components import footnotes
from kg.site.components.nodes import Linker
from kg.site.lookups.state import Site
from kg.site.sparql.asking import Asking
from kg.site.sparql.protocol import SparqlRequest

SHOWN = 500
"""Rows of an answer that a page shows."""


class Head(NamedTuple):
    """The head of a column; ``is_own``: in the language of the project, whatever that of the page is."""

    text: str
    is_own: bool = False


def table(site: Site, wanted: SparqlRequest, text: str, asking: Asking) -> dict[str, Any]:
    """What the template ``_answer.html`` shows; ``found`` is the same for scripts, in the terms of SPARQL's JSON."""
    form = inspect(text, depth=site.pool.limits.depth)
    evidence = wanted.evidence and form is Form.SELECT
    query = Query(
        text,
        media.HTML,
        wanted.default_graphs,
        wanted.named_graphs,
        wanted.timeout,
        preview=SHOWN,
        evidence=evidence,
    )
    with asking.run(query) as answer:
        found = json.loads(b"".join(answer.chunks))
        note = answer.note
    if "boolean" in found:
        return {"form": form.value, "boolean": found["boolean"], "found": found}
    linker = site.linker(here())
    shown: dict[str, Any] = {
        "form": form.value,
        "heads": [Head(name) for name in found["vars"]],
        "more": found["more"],
        "traced": note,
        "found": {**found, "note": note or None},
    }
    if note and note["reason"]:
        # The page says once that nothing could be traced: a column that repeats it in each row is none.
        shown["heads"].pop()
        return shown | {"rows": [[_cell(linker, term) for term in row[:-1]] for row in found["rows"]]}
    if not note:
        return shown | {"rows": [[_cell(linker, term) for term in row] for row in found["rows"]]}
    notes = footnotes.Notes(site, linker)
    rows = [[*(_cell(linker, term) for term in row[:-1]), notes.cell(row[-1]["value"])] for row in found["rows"]]
    return shown | {"rows": rows, "notes": notes.listed()}


def _cell(linker: Linker, term: dict[str, Any] | None) -> Markup:
    if term is None:
        return Markup()
    kind, value = term["type"], term["value"]
    if kind == "uri":
        return linker.node(NamedNode(value))
    if kind == "bnode":
        return linker.node(BlankNode(value))
    if kind == "literal":
        language = term.get("xml:lang")
        node = Literal(value, language=language) if language else Literal(value, datatype=NamedNode(term["datatype"]))
        return linker.node(node, term.get("length", 0))
    return Markup("<code>{}</code>").format(value)
