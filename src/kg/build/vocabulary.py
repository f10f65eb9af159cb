"""Small facts about vocabularies that several stages need."""

from __future__ import annotations

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
