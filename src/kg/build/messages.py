"""What a shape says of a result: its own words, in one language of those that it has them in.

Where it has none, what it asks for is said here: an engine's own words show terms as a program has them, and lists in
another order every time.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from pyoxigraph import Literal, NamedNode
from rdflib.term import Node

from kg import tags, vocab
from kg.build.shacl.model import Result
from kg.model import SourceQuad, value_of

_SH = vocab.SH
_MESSAGE = _SH + "message"
_SPARQL = _SH + "sparql"
_COMPONENT = "ConstraintComponent"
_LISTS = ("and", "or", "xone", "in")
_PLAIN = frozenset(vocab.XSD + name for name in ("integer", "decimal", "boolean"))
_MOST, _DEEPEST = 200, 4
"""Characters and levels of a shape inside another that are shown."""

Text = tuple[str, str]
"""A text and the tag of its language, empty where it has none."""

_WORDS: Mapping[str, str] = {
    "Class": "it must have the class {class}",
    "Datatype": "it must have the datatype {datatype}",
    "NodeKind": "it must be of the kind {nodeKind}",
    "MinCount": "there must be at least {minCount}",
    "MaxCount": "there may be at most {maxCount}",
    "MinExclusive": "it must be more than {minExclusive}",
    "MinInclusive": "it must be {minInclusive} or more",
    "MaxExclusive": "it must be less than {maxExclusive}",
    "MaxInclusive": "it must be {maxInclusive} or less",
    "MinLength": "it must have at least {minLength} characters",
    "MaxLength": "it may have at most {maxLength} characters",
    "Pattern": "it must match the pattern {pattern}",
    "LanguageIn": "its language must be one of {languageIn}",
    "UniqueLang": "there may be one value in each language",
    "Equals": "the values must be those of {equals}",
    "Disjoint": "it must not be a value of {disjoint} too",
    "LessThan": "it must be less than each value of {lessThan}",
    "LessThanOrEquals": "it must not be more than any value of {lessThanOrEquals}",
    "Not": "it must not be as this says: {not}",
    "And": "it must be as all of these say: {and}",
    "Or": "it must be as one of these says: {or}",
    "Xone": "it must be as exactly one of these says: {xone}",
    "Node": "it must be as this says: {node}",
    "QualifiedMinCount": "at least {qualifiedMinCount} must be as this says: {qualifiedValueShape}",
    "QualifiedMaxCount": "at most {qualifiedMaxCount} may be as this says: {qualifiedValueShape}",
    "Closed": "the shape is closed: name the property with sh:property, or in sh:ignoredProperties",
    "HasValue": "one must be {hasValue}",
    "In": "it must be one of {in}",
    "SPARQL": "the query of the shape (sh:sparql) finds it",
}
"""Component (SHACL, section 4) → what it asks for, where the parameters go in braces."""


class Messages:
    """What shapes say. ``language``: that of messages which a shape has in several; ``readable``: shortens an IRI."""

    def __init__(self, quads: Iterable[SourceQuad], language: str, readable: Callable[[str], str]) -> None:
        self._language, self._readable = language, readable
        self._about: defaultdict[str, list[tuple[str, object]]] = defaultdict(list)
        for q in quads:
            self._about[value_of(q.quad.subject)].append((q.quad.predicate.value, q.quad.object))

    def of(self, result: Result, chain: Sequence[Node]) -> list[str]:
        """The words for a result; ``chain``: its shape, and the shapes that hold it as long as they have no name."""
        shape, *holders = map(str, chain)
        said = self._said(shape)
        if str(result.component) == f"{_SH}SPARQL{_COMPONENT}":
            said += [text for query in self._values(shape, _SPARQL) for text in self._said(value_of(query))]
        if said:
            written = [(str(message), getattr(message, "language", None) or "") for message in result.messages]
            # Where values are written into a message, both engines lose its language.
            return in_one_language(((text, tag or _language(text, said)) for text, tag in written), self._language)
        for holder in holders:
            if words := self._said(holder):
                return in_one_language(words, self._language)
        asked = self._asked(shape, str(result.component))
        return [asked] if asked else sorted(map(str, result.messages))

    def _values(self, node: str, predicate: str) -> list[object]:
        return [value for given, value in self._about.get(node, ()) if given == predicate]

    def _said(self, shape: str) -> list[Text]:
        return [(m.value, m.language or "") for m in self._values(shape, _MESSAGE) if isinstance(m, Literal)]

    def _asked(self, shape: str, component: str) -> str:
        """What a constraint asks for; nothing where it is of a component that SHACL does not have."""

        def given(match: re.Match[str]) -> str:
            values = self._values(shape, _SH + match[1])
            if match[1] == "pattern":
                return " and ".join(sorted(map(value_of, values)))
            if match[1] == "languageIn":
                return " or ".join(", ".join(map(value_of, self._items(value))) for value in values)
            if match[1] in _LISTS:
                return " or ".join(", ".join(map(self._written, self._items(value))) for value in values)
            return ", ".join(sorted(map(self._written, values)))

        name = component.removeprefix(_SH).removesuffix(_COMPONENT)
        return re.sub(r"\{(\w+)\}", given, _WORDS.get(name, ""))

    def _items(self, head: object) -> Iterator[object]:
        """The members of a list, in its order."""
        seen: set[str] = set()
        while value_of(head) not in seen and (first := self._values(value_of(head), vocab.RDF + "first")):
            seen.add(value_of(head))
            yield first[0]
            head = next(iter(self._values(value_of(head), vocab.RDF + "rest")), None)

    def _written(self, term: object, depth: int = 0) -> str:
        """A term as Turtle has it, with what is said of a node without a name."""
        if isinstance(term, NamedNode):
            return self._readable(term.value)
        if isinstance(term, Literal):
            plain = term.language is None and term.datatype.value in _PLAIN
            return term.value if plain else str(Literal(term.value, language=term.language))
        node = value_of(term)
        if self._values(node, vocab.RDF + "first"):
            return f"( {' '.join(self._written(item, depth + 1) for item in self._items(term))} )"
        if depth >= _DEEPEST:
            return "[ … ]"
        said = sorted(f"{self._readable(p)} {self._written(o, depth + 1)}" for p, o in self._about.get(node, ()))
        text = f"[ {' ; '.join(said)} ]"
        return text if len(text) <= _MOST else "[ … ]"


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
