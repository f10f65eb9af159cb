"""The first rows of an answer, as a page shows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from pyoxigraph import BlankNode, Literal, NamedNode

from kg.query.footnotes import Enough, Footnoted
from kg.query.rows import Row, nodes

PREVIEW_BYTES = 512 * 1024
PREVIEW_LONGEST = 4 * 1024  # characters of a literal: more than a page shows


def preview(names: Sequence[str], rows: Iterator[Sequence[object]], limit: int, *, whole: str = "") -> dict[str, Any]:
    """The first rows as a page shows them: terms as SPARQL results in JSON have them, and whether there is more.

    Long literals are cut, but for those of the variable ``whole``.
    """
    kept: list[list[dict[str, Any] | None]] = []
    longest = [None if name == whole else PREVIEW_LONGEST for name in names]
    size = 0
    for row in islice(rows, limit):
        terms = [_term(value, most) for value, most in zip(row, longest, strict=True)]
        size += sum(len(term["value"]) for term in terms if term)
        if size > PREVIEW_BYTES:
            return {"vars": names, "rows": kept, "more": True}
        kept.append(terms)
    return {"vars": names, "rows": kept, "more": next(rows, None) is not None}


def _term(value: object, longest: int | None) -> dict[str, Any] | None:
    """A term as SPARQL 1.1 Query Results JSON writes it."""
    if value is None:
        return None
    if isinstance(value, NamedNode):
        return {"type": "uri", "value": value.value}
    if isinstance(value, BlankNode):
        return {"type": "bnode", "value": value.value}
    if isinstance(value, Literal):
        term: dict[str, Any] = {"type": "literal", "value": value.value[:longest]}
        if len(term["value"]) < len(value.value):
            term["length"] = len(value.value)
        if value.language:
            return term | {"xml:lang": value.language}
        return term | {"datatype": value.datatype.value}
    return {"type": "triple", "value": str(value)}


def preview_with_footnotes(found: Footnoted, limit: int) -> dict[str, Any]:
    """The same of an answer with footnotes, which are never cut."""
    kept: list[Row] = []

    def take(batch: list[Row]) -> None:
        kept.extend(batch)
        if len(kept) > limit:
            raise Enough

    found.run(take)
    return preview(found.names, nodes(found.names, kept), limit, whole=found.variable)
