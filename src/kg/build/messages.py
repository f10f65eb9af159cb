"""What a shape says of a result: its own words, in one language of those that it has them in."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from pyoxigraph import Literal
from rdflib.term import Node

from kg import tags, vocab
from kg.build.shacl.model import Result
from kg.model import SourceQuad, value_of

_MESSAGE = vocab.SH + "message"
_SPARQL = vocab.SH + "sparql"

Text = tuple[str, str]
"""A text and the tag of its language, empty where it has none."""


def messages_of(result: Result, chain: Sequence[Node], quads: Collection[SourceQuad], language: str) -> list[str]:
    """The words for a result; ``chain``: its shape, and the shapes that hold it as long as they have no name."""
    said = _said(quads)
    if str(chain[0]) not in said:
        # By the standard, such a result has the engine's words, which do not say what to do.
        for holder in chain[1:]:
            if str(holder) in said:
                return in_one_language(said[str(holder)], language)
    written = [(str(message), getattr(message, "language", None) or "") for message in result.messages]
    # Where values are written into a message, both engines lose its language.
    templates = [text for shape in (chain[0], *_queries(chain[0], quads)) for text in said.get(str(shape), ())]
    return in_one_language(((text, tag or _language(text, templates)) for text, tag in written), language)


def _said(quads: Iterable[SourceQuad]) -> dict[str, list[Text]]:
    found: dict[str, list[Text]] = {}
    for q in quads:
        if q.quad.predicate.value == _MESSAGE and isinstance(q.quad.object, Literal):
            text = q.quad.object.value, q.quad.object.language or ""
            found.setdefault(value_of(q.quad.subject), []).append(text)
    return found


def _queries(shape: Node, quads: Iterable[SourceQuad]) -> Iterator[str]:
    """The constraints of a shape that are queries, which may have messages of their own."""
    for q in quads:
        if q.quad.predicate.value == _SPARQL and value_of(q.quad.subject) == str(shape):
            yield value_of(q.quad.object)


def _language(text: str, templates: Iterable[Text]) -> str:
    """The language of the message that a text was written from (SHACL, section 5.3.2).

    >>> _language("Too long: 9.", [("Zu lang: {?value}.", "de"), ("Too long: {?value}.", "en")])
    'en'
    """
    for template, tag in templates:
        if re.fullmatch(".*".join(map(re.escape, re.split(r"\{[?$]\w+\}", template))), text, re.DOTALL):
            return tag
    return ""


def in_one_language(texts: Iterable[Text], language: str) -> list[str]:
    """Of texts with their languages, those in the one that is wanted, else in none, in English, or in any other.

    >>> in_one_language([("Zu lang.", "de"), ("Too long.", "en")], "fr")
    ['Too long.']
    >>> in_one_language([("Zu lang.", "de-AT"), ("Too long.", "en")], "de")
    ['Zu lang.']
    """
    known = [(text, tag.lower()) for text, tag in texts]
    taken = min((tags.order(one, (language,)) for one in known), default=(0, "", ""))[1]
    return sorted(text for text, tag in known if tag == taken)
