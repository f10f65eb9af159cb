"""What ``kg query`` does: ask a release on this machine, or somebody else's endpoint."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from kg import media
from kg.errors import EndpointError, QueryError, QueryRefused
from kg.model import ExampleQuery
from kg.query.base import Query
from kg.query.lexer import Form, inspect
from kg.query.limits import Limits
from kg.query.parameters import chosen, find
from kg.query.pool import Pool
from kg.query.remote import RemotePool
from kg.release import Release
from kg.store.endpoint import Endpoint

ENDPOINT_TIMEOUT = 60
"""Seconds to wait for somebody else's endpoint."""


def with_prefixes(query: str, prefixes: Mapping[str, str]) -> str:
    """The query with a declaration for every known prefix that it uses and does not declare itself.

    >>> with_prefixes("ASK { ?s a kg:Claim }", {"kg": "http://localhost:8000/ontology#"})
    'PREFIX kg: <http://localhost:8000/ontology#>\\nASK { ?s a kg:Claim }'
    """
    declared = {name.lower() for name in re.findall(r"(?i)\bPREFIX\s+([\w-]*):", query)}
    used = set(re.findall(r"(?<![\w<:/?$])([A-Za-z][\w-]*|):(?!//)", query))
    lines = [f"PREFIX {name}: <{iri}>\n" for name, iri in prefixes.items() if name in used - declared]
    return "".join(lines) + query


def media_type(form: Form, extension: str) -> str:
    """The media type that an extension stands for, for this form of query.

    :raises QueryRefused: if answers of that form are not written so; the message names those that are.
    """
    if form in (Form.SELECT, Form.ASK):
        offered = {m.extension: m.media_type for m in media.RESULTS if form is Form.SELECT or m.boolean}
        offered |= {"json": media.RESULTS[0].media_type, "xml": media.RESULTS[1].media_type}
    else:
        offered = {m.extension: m.media_type for m in media.RDF}
    if extension not in offered:
        raise QueryRefused(f"{form.value} cannot be written as {extension}; choose one of {', '.join(offered)}")
    return offered[extension]


def with_choices(question: ExampleQuery, choices: Mapping[str, str], base: str) -> str:
    """The query of a question for what was chosen, by the names of its parameters.

    :raises QueryRefused: if there is no such parameter or choice; the message names those that there are.
    """
    parameters = {parameter.name: parameter for parameter in find(question.text, dict(question.parameters))}
    made = {}
    for name, text in choices.items():
        if name not in parameters:
            known = ", ".join(parameters) or "it has none"
            raise QueryRefused(f"the question {question.name} has no parameter {name!r}; known: {known}")
        choice = parameters[name].choice(text, base)
        if choice is None:
            known = ", ".join(parameters[name].offered(base))
            raise QueryRefused(f"there is no choice {text!r} of {name}; known: {known}")
        made[name] = choice
    return chosen(question.text, parameters.values(), made)


def ask_release(
    release: Release, query: str, format_: str | None, settings: Mapping[str, float], *, evidence: bool = False
) -> Iterator[bytes]:
    """Run a query over a release's store in a limited process, and yield the answer as it is made.

    ``evidence``: with footnotes (:mod:`kg.query.footnotes`).

    :raises QueryError: as :meth:`kg.query.pool.Pool.run` does.
    """
    limits = Limits.from_settings(settings)
    form = inspect(query, depth=limits.depth)
    kind = media_type(form, format_ or _DEFAULT[form])
    pool = Pool(release.store_path, release.manifest.base, limits)
    try:
        with pool.run(Query(text=query, media_type=kind, evidence=evidence)) as answer:
            yield from answer.chunks
    finally:
        pool.close()


_DEFAULT = {Form.SELECT: "csv", Form.ASK: "json", Form.CONSTRUCT: "ttl", Form.DESCRIBE: "ttl"}


def ask_endpoint(endpoint: Endpoint, query: str, format_: str | None) -> Iterator[bytes]:
    """Ask a SPARQL endpoint elsewhere, as the site in front of one does, and yield the answer as it is made.

    Relative IRIs start at its address.

    :raises QueryError: as :meth:`kg.query.remote.RemotePool.run` does; the message names the endpoint.
    """
    limits = Limits(deadline=ENDPOINT_TIMEOUT)
    form = inspect(query, depth=limits.depth)
    kind = media_type(form, format_ or _DEFAULT[form])
    try:
        with RemotePool(endpoint, endpoint.query_address, limits).run(Query(query, kind)) as answer:
            yield from answer.chunks
    except EndpointError as e:
        raise QueryError(f"{endpoint.query_address}: {e}") from e
