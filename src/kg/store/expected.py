"""Rows of an answer to a query of ours: what was asked for, or an error, whatever the endpoint sends.

Our queries bind every variable but that of a graph, and variables of one name are of one kind: a subject or a property
is no literal. Who reads the rows need not look again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pyoxigraph import BlankNode, NamedNode

from kg.errors import EndpointError

if TYPE_CHECKING:
    from kg.store.endpoint import Reply

_ALIAS = re.compile(r"\(.*?AS \?(\w+)\)")
_NAME = re.compile(r"\?(\w+)")
_KINDS = {"s": NamedNode | BlankNode, "p": NamedNode, "g": NamedNode | None}
"""By variable, what it stands for; any other stands for anything at all."""


def names(text: str) -> list[str]:
    """The variables that a query of ours selects.

    >>> names("SELECT DISTINCT ?s ?p { ?s ?p ?o }"), names("SELECT ?g (COUNT(DISTINCT ?s) AS ?n) { ?s ?p ?o }")
    (['s', 'p'], ['g', 'n'])
    """
    return _NAME.findall(_ALIAS.sub(r"?\1", text.partition("{")[0]))


def rows(text: str, answer: Reply) -> Iterator[tuple[Any, ...]]:
    """The rows of the answer to a query of ours, in the order of its variables.

    :raises EndpointError: if they are other ones than were asked for.
    """
    wanted = names(text)
    if answer.rows is None or not set(wanted) <= set(answer.names):
        answer.failed()
        raise EndpointError("the endpoint answers something else than it was asked")
    places = [list(answer.names).index(name) for name in wanted]
    kinds = [_KINDS.get(name, object) for name in wanted]
    for row in answer.rows:
        found = tuple(row[place] for place in places)
        for name, kind, term in zip(wanted, kinds, found, strict=True):
            if not isinstance(term, kind) or (term is None and name != "g"):
                answer.failed()
                raise EndpointError(f"the endpoint answers with {str(term)[:80]} where no such value can stand")
        yield found


def number(found: Sequence[Sequence[Any]]) -> int:
    """What was counted, the first cell of the first row.

    :raises EndpointError: if that is no number.
    """
    try:
        return int(found[0][0].value)
    except (AttributeError, IndexError, ValueError):
        raise EndpointError("the endpoint answers with something else where a number was asked for") from None
