"""Small facts about vocabularies that several stages need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kg import vocab

LINKS = frozenset(
    {
        vocab.OWL + "sameAs",
        vocab.SCHEMA + "sameAs",
        *(vocab.SKOS + f"{kind}Match" for kind in ("exact", "close", "broad", "narrow", "related")),
    }
)
"""Properties that make a linkset: they say how a thing or term of ours relates to one of another dataset."""


def namespace(iri: str) -> str:
    """An IRI up to its last ``#``, or else its last ``/``.

    >>> namespace("http://purl.org/dc/terms/title")
    'http://purl.org/dc/terms/'
    """
    return iri[: max(iri.rfind("#"), iri.rfind("/") if "#" not in iri else -1) + 1] or iri


def closure(start: Iterable[str], beyond: Mapping[str, Iterable[str]]) -> set[str]:
    """Some terms and all that they lead to: the classes above them, say, or below. Circles do no harm.

    >>> sorted(closure(["a"], {"a": ["b"], "b": ["c", "a"]}))
    ['a', 'b', 'c']
    """
    found, waiting = set[str](), list(start)
    while waiting:
        term = waiting.pop()
        if term not in found:
            found.add(term)
            waiting.extend(beyond.get(term, ()))
    return found
