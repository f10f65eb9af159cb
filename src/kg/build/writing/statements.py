"""A description in the making: triples, said one subject at a time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256

from pyoxigraph import Literal, NamedNode, Triple

from kg import vocab

Value = str | Literal | None
"""An IRI, a literal, or nothing to say."""


class Statements:
    """Gathers triples. There are no blank nodes: everything that is described can be looked up by its IRI."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.triples: set[Triple] = set()

    def say(self, subject: str, predicate: str, *values: Value) -> None:
        """Note a triple for each value; a value of ``None`` says nothing."""
        for value in values:
            if value is not None:
                node = value if isinstance(value, Literal) else NamedNode(value)
                self.triples.add(Triple(NamedNode(subject), NamedNode(predicate), node))

    def is_a(self, subject: str, *classes: str) -> None:
        self.say(subject, vocab.RDF_TYPE, *classes)

    def text(self, words: str) -> Literal | None:
        """What the publisher wrote, in the language of the project; nothing where nothing was written."""
        return Literal(words, language=self.language) if words else None


def english(words: str) -> Literal:
    """Words of our own."""
    return Literal(words, language="en")


def typed(lexical: str, datatype: str) -> Literal:
    """A literal of one of XML Schema's types."""
    return Literal(lexical, datatype=NamedNode(vocab.XSD + datatype))


def fragment(iri: str, prefixes: Mapping[str, str]) -> str:
    """A readable part of a fragment for a term: its short name, or a hash where it has none.

    >>> fragment("http://www.w3.org/2002/07/owl#Class", {"owl": "http://www.w3.org/2002/07/owl#"})
    'owl:Class'
    """
    for prefix, namespace in sorted(prefixes.items(), key=lambda item: (-len(item[1]), item[0])):
        local = iri.removeprefix(namespace)
        if prefix and local != iri and re.fullmatch(r"[A-Za-z0-9_.-]+", local):
            return f"{prefix}:{local}"
    return sha256(iri.encode()).hexdigest()[:12]
