"""Shapes in words: what each of them looks at, and what must hold there (SHACL Core, sections 2 to 4; SHACL-SPARQL).

Made from the quads of ``shapes.ttl``, for the page of all shapes and for the page of a term. A constraint that is not
known here is shown by its own name and value: nothing is left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from markupsafe import Markup
from pyoxigraph import BlankNode, Literal, NamedNode

from kg import vocab
from kg.model import Node, value_of
from kg.site.components.nodes import Linker
from kg.site.languages import marked
from kg.site.lookups.memo import per_site
from kg.site.lookups.state import Site

_SH = vocab.SH
_DEEPEST = 6
TARGETS = {
    "targetClass": marked("every {term}"),
    "targetSubjectsOf": marked("everything that has {term}"),
    "targetObjectsOf": marked("every value of {term}"),
    "targetNode": marked("{term} alone"),
}
_VALUES = {
    "class": marked("each is of the class {value}"),
    "datatype": marked("each is of the datatype {value}"),
    "hasValue": marked("one of them is {value}"),
    "pattern": marked("each matches {value}"),
    "minLength": marked("at least {value} characters long"),
    "maxLength": marked("at most {value} characters long"),
    "minInclusive": marked("{value} or more"),
    "maxInclusive": marked("{value} or less"),
    "minExclusive": marked("more than {value}"),
    "maxExclusive": marked("less than {value}"),
    "equals": marked("the same values as {value}"),
    "disjoint": marked("no value that {value} has too"),
    "lessThan": marked("less than the values of {value}"),
    "lessThanOrEquals": marked("not more than the values of {value}"),
}
"""Constraints with one value, by local name: what they ask."""

_KINDS = {
    "IRI": marked("each has an address of its own (IRI)"),
    "Literal": marked("each is a literal"),
    "BlankNode": marked("each is a node without a name"),
    "BlankNodeOrIRI": marked("each is a thing, not a literal"),
    "IRIOrLiteral": marked("each has an address of its own (IRI) or is a literal"),
    "BlankNodeOrLiteral": marked("each is a literal or a node without a name"),
}
_LISTS = {"in": marked("each is one of {values}"), "languageIn": marked("each is in one of the languages {values}")}
_LOGIC = {
    "or": marked("at least one of these holds:"),
    "xone": marked("exactly one of these holds:"),
    "and": marked("all of these hold:"),
    "not": marked("this must not hold:"),
    "node": marked("each is as described here:"),
}
_PATHS = {
    "inversePath": marked("{path} in the other direction"),
    "zeroOrMorePath": marked("{path}, followed any number of times"),
    "oneOrMorePath": marked("{path}, followed once or more"),
    "zeroOrOnePath": marked("{path}, if there is one"),
}
_NO_CONSTRAINTS = frozenset(
    _SH + name
    for name in (
        *TARGETS,
        *(
            "path",
            "name",
            "description",
            "message",
            "severity",
            "order",
            "group",
            "deactivated",
            "minCount",
            "maxCount",
        ),
        *("defaultValue", "flags", "ignoredProperties", "qualifiedMinCount", "qualifiedMaxCount"),
        *("qualifiedValueShapesDisjoint", "select", "ask", "prefixes", "declare"),
    )
) | {vocab.RDF_TYPE, vocab.RDFS_LABEL, vocab.RDFS_COMMENT, vocab.RDFS + "isDefinedBy"}

_BySubject = dict[str, dict[str, list[Node]]]


class Rule(NamedTuple):
    """A sentence of a shape; ``about``: the terms that it speaks of, and those of what hangs from it."""

    html: Markup
    about: frozenset[str]


class Shape(NamedTuple):
    """A shape with a name, in words. ``targets`` and ``rules`` may be empty: other shapes refer to it then."""

    iri: str
    anchor: str
    name: Markup
    messages: tuple[Markup, ...]
    severity: str
    deactivated: bool
    targets: tuple[Rule, ...]
    rules: tuple[Rule, ...]


# The page of the ontology asks for them at each of its terms.
@per_site(16)
def shapes(site: Site, linker: Linker) -> tuple[Shape, ...]:
    """Every shape that has a name, by that."""
    writer = _Writer(site, linker)
    found = [writer.shape(iri) for iri in _described(site) if writer.is_named_shape(iri)]
    return tuple(sorted(found, key=lambda shape: shape.iri))


def about(site: Site, linker: Linker, iri: str) -> list[Shape]:
    """The shapes that look at something because of a term, or speak of it; of the latter the rules that do."""
    above = site.schema.ancestors((iri,))
    found = []
    for shape in shapes(site, linker):
        if not shape.targets:
            continue
        if any(above & target.about for target in shape.targets):
            found.append(shape)
        elif rules := tuple(rule for rule in shape.rules if iri in rule.about):
            found.append(shape._replace(rules=rules))
    return found


@per_site()
def _described(site: Site) -> _BySubject:
    found: _BySubject = defaultdict(lambda: defaultdict(list))
    for q in site.schema.shapes:
        if isinstance(q.subject, NamedNode | BlankNode) and isinstance(q.object, Node):
            found[_key(q.subject)][q.predicate.value].append(q.object)
    return {subject: dict(values) for subject, values in found.items()}


def _key(node: Node) -> str:
    return f"_:{node.value}" if isinstance(node, BlankNode) else node.value


class _Writer:
    """Puts the shapes of a site into words, with links for pages at one depth."""

    def __init__(self, site: Site, linker: Linker) -> None:
        self._site = site
        self._linker = linker
        self._described = _described(site)
        self._gettext = site.language.gettext

    def is_named_shape(self, iri: str) -> bool:
        """Whether an IRI is that of a shape, and not that of a group or of a list of prefixes."""
        known = self._described[iri]
        types = {value_of(t).removeprefix(_SH) for t in known.get(vocab.RDF_TYPE, ())}
        shaped = any(p.startswith(_SH) and p not in (_SH + "declare", _SH + "order") for p in known)
        return not iri.startswith("_:") and (bool(types & {"NodeShape", "PropertyShape"}) or shaped)

    def shape(self, iri: str) -> Shape:
        local = self._site.names.local(iri)
        anchor = (iri if local is None else local).removeprefix("shapes#")
        name = self._text(iri, "name") or self._best(iri, vocab.RDFS_LABEL)
        severity = value_of(next(iter(self._values(iri, "severity")), None)).removeprefix(_SH)
        path = self._values(iri, "path")
        return Shape(
            iri=iri,
            anchor=anchor,
            name=self._linker.node(name) if name else Markup("{}").format(anchor),
            messages=tuple(self._linker.node(m) for m in self._readable(self._values(iri, "message"))),
            severity=severity or "Violation",
            deactivated=any(value_of(v) in ("true", "1") for v in self._values(iri, "deactivated")),
            targets=tuple(self._targets(iri)),
            rules=(self._property(iri, 0),) if path else tuple(self._rules(iri, 0)),
        )

    def _targets(self, iri: str) -> Iterable[Rule]:
        for name, said in TARGETS.items():
            for value in sorted(self._values(iri, name), key=str):
                yield self._say(said, value, "term")
        if any(value_of(t) in vocab.CLASSES for t in self._described[iri].get(vocab.RDF_TYPE, ())):
            yield self._say(TARGETS["targetClass"], NamedNode(iri), "term")

    def _rules(self, key: str, depth: int) -> list[Rule]:
        """What a shape asks of each node (or value) that it looks at."""
        found = [self._count(key)] if self._values(key, "minCount") or self._values(key, "maxCount") else []
        for predicate, values in sorted(self._described.get(key, {}).items()):
            if predicate not in _NO_CONSTRAINTS:
                found += self._constraint(key, predicate, values, depth)
        return found

    def _constraint(self, key: str, predicate: str, values: list[Node], depth: int) -> list[Rule]:
        name = predicate.removeprefix(_SH)
        ordered = sorted(values, key=str)
        if name in _VALUES:
            return [self._say(_VALUES[name], value, "value") for value in ordered]
        if name == "nodeKind":
            return [self._plain(_KINDS.get(value_of(v).removeprefix(_SH), value_of(v))) for v in ordered]
        if name in _LISTS:
            return [self._one_of(_LISTS[name], self._list(value)) for value in ordered]
        if name == "uniqueLang":
            return (
                [self._plain(marked("at most one for each language"))] if value_of(ordered[0]) in ("true", "1") else []
            )
        if name == "closed":
            closed = value_of(ordered[0]) in ("true", "1")
            return [self._plain(marked("no other properties than these"))] if closed else []
        if name == "property":
            parts = (self._property(_key(value), depth + 1) for value in values)
            return sorted(parts, key=lambda rule: rule.html.striptags())
        if name == "sparql":
            return [self._query(_key(value)) for value in ordered]
        if name in _LOGIC:
            return [self._logic(name, value, depth) for value in ordered]
        if name == "qualifiedValueShape":
            return [self._qualified(key, value, depth) for value in ordered]
        return [self._named(predicate, value) for value in ordered]

    def _property(self, key: str, depth: int) -> Rule:
        """What a property shape asks of the values of its path."""
        path = next(iter(self._values(key, "path")), None)
        said, about_path = self._path(path) if path is not None else (Markup(""), frozenset[str]())
        if depth > _DEEPEST:
            return Rule(said, about_path)
        rules = self._rules(key, depth)
        html = Markup('<span class="path">{}</span>: {}').format(said, _joined(rules))
        return Rule(html, about_path.union(*(rule.about for rule in rules)))

    def _logic(self, name: str, value: Node, depth: int) -> Rule:
        parts = self._list(value) if name in ("or", "xone", "and") else [value]
        rules = [self._nested(part, depth) for part in parts]
        return self._listed(self._gettext(_LOGIC[name]), rules)

    def _nested(self, node: Node, depth: int) -> Rule:
        """A shape inside another one, as one sentence; one that has a name, by it."""
        key = _key(node)
        if depth > _DEEPEST:
            return Rule(self._linker.node(node), frozenset())
        if self._values(key, "path"):
            return self._property(key, depth + 1)
        rules = self._rules(key, depth + 1)
        return Rule(_joined(rules), frozenset().union(*(rule.about for rule in rules)))

    def _qualified(self, key: str, value: Node, depth: int) -> Rule:
        least = value_of(next(iter(self._values(key, "qualifiedMinCount")), None))
        most = value_of(next(iter(self._values(key, "qualifiedMaxCount")), None))
        return self._listed(_counted(self._gettext, least, most) + ":", [self._nested(value, depth)])

    def _count(self, key: str) -> Rule:
        least = value_of(next(iter(self._values(key, "minCount")), None))
        most = value_of(next(iter(self._values(key, "maxCount")), None))
        return Rule(Markup("{}").format(_counted(self._gettext, least, most)), frozenset())

    def _query(self, key: str) -> Rule:
        query = value_of(next(iter((*self._values(key, "select"), *self._values(key, "ask"))), None))
        lines = [line for line in query.splitlines() if line.strip()]
        margin = min((len(line) - len(line.lstrip()) for line in lines), default=0)
        text = "\n".join(line[margin:] for line in lines)
        said = self._gettext("a query finds nothing wrong")
        html = Markup('<details><summary>{}</summary><pre tabindex="0"><code>{}</code></pre></details>')
        return Rule(html.format(said, text), frozenset())

    def _named(self, predicate: str, value: Node) -> Rule:
        return Rule(
            Markup("<code>{}</code> {}").format(self._site.labels.curie(predicate) or predicate, self._value(value)),
            frozenset({value_of(value)}),
        )

    def _one_of(self, said: str, values: list[Node]) -> Rule:
        listed = Markup(", ").join(map(self._value, values))
        html = Markup("{}").format(self._gettext(said)).format(values=listed)
        return Rule(html, frozenset(map(value_of, values)))

    def _listed(self, said: str, rules: list[Rule]) -> Rule:
        items = Markup("").join(Markup("<li>{}</li>").format(rule.html) for rule in rules)
        about_parts = frozenset[str]().union(*(rule.about for rule in rules))
        return Rule(Markup("{}<ul>{}</ul>").format(said, items), about_parts)

    def _say(self, said: str, value: Node, name: str) -> Rule:
        html = Markup("{}").format(self._gettext(said)).format(**{name: self._value(value)})
        return Rule(html, frozenset({value_of(value)}) if isinstance(value, NamedNode) else frozenset())

    def _plain(self, said: str) -> Rule:
        return Rule(Markup("{}").format(self._gettext(said)), frozenset())

    def _value(self, value: Node) -> Markup:
        if isinstance(value, Literal):
            return Markup("<code>{}</code>").format(value.value)
        return self._linker.term(value.value) if isinstance(value, NamedNode) else self._linker.node(value)

    def _path(self, node: Node) -> tuple[Markup, frozenset[str]]:
        """A property path (SHACL, section 2.3.1) and the properties in it."""
        if isinstance(node, NamedNode):
            return self._linker.term(node.value), frozenset({node.value})
        key = _key(node)
        for name, said in _PATHS.items():
            for inner in self._values(key, name):
                html, about_path = self._path(inner)
                return Markup("{}").format(self._gettext(said)).format(path=html), about_path
        either = self._values(key, "alternativePath")
        parts = [self._path(part) for part in self._list(either[0] if either else node)]
        joint = Markup(" {} ").format(self._gettext("or")) if either else Markup(" → ")
        return joint.join(html for html, _ in parts), frozenset[str]().union(*(about_path for _, about_path in parts))

    def _list(self, node: Node) -> list[Node]:
        """The members of an RDF list."""
        found: list[Node] = []
        key, seen = _key(node), set[str]()
        while key not in seen and (first := self._described.get(key, {}).get(vocab.RDF + "first")):
            seen.add(key)
            found.append(first[0])
            rest = self._described[key].get(vocab.RDF + "rest", [])
            key = _key(rest[0]) if rest else ""
        return found

    def _values(self, key: str, name: str) -> list[Node]:
        return self._described.get(key, {}).get(_SH + name, [])

    def _text(self, key: str, name: str) -> Literal | None:
        return self._best(key, _SH + name)

    def _best(self, key: str, predicate: str) -> Literal | None:
        return next(iter(self._readable(self._described.get(key, {}).get(predicate, []))), None)

    def _readable(self, values: Iterable[Node]) -> list[Literal]:
        """Texts in the language that the reader gets of them."""
        texts = sorted(
            (v for v in values if isinstance(v, Literal)),
            key=lambda v: self._site.labels.rank(v.value, v.language or ""),
        )
        return [text for text in texts if text.language == texts[0].language]


def _joined(rules: Iterable[Rule]) -> Markup:
    return Markup("; ").join(rule.html for rule in rules)


def _counted(gettext: Callable[[str], str], least: str, most: str) -> str:
    """How many values there are to be.

    >>> [_counted(str, *bounds) for bounds in (("1", "1"), ("1", ""), ("", "0"), ("2", "4"))]
    ['exactly 1', 'at least 1', 'none', 'from 2 to 4']
    """
    if most == "0":
        return gettext("none")
    if least == most:
        return gettext("exactly {count}").format(count=least)
    if not most:
        return gettext("at least {count}").format(count=least)
    if least in ("", "0"):
        return gettext("at most {count}").format(count=most)
    return gettext("from {least} to {most}").format(least=least, most=most)
