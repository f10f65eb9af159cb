"""What is said of a thing, arranged for people: sections by who says it, rows by property, values with their claims.

The order is the shapes': group, then ``sh:order``, then the name. Values of one property stay together in the section
of their strongest evidence, and each names every claim behind it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from markupsafe import Markup, escape
from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad

from kg import vocab
from kg.site.components import compared
from kg.site.components.compared import ByProperty
from kg.site.components.nodes import Linker, sort_key
from kg.site.languages import marked
from kg.site.lookups import index
from kg.site.lookups.evidence import STATUSES, UNCLAIMED, Source
from kg.site.lookups.labels import OWN_LABELS, isolated
from kg.site.lookups.schema import UNSHAPED, Shown
from kg.site.lookups.state import Site

MOST_VALUES = 50
"""Values of one property that a page shows; it says how many more there are."""

MOST_CLAIMS = 100
"""Claims that a thing's page lists; it says how many more there are."""

MOST_QUADS = 5_000
"""Quads that a page looks at in each direction; the data formats have all."""

_DEFAULT = DefaultGraph()
_DEPTH = 3
_UNMARKED = Markup("")
_HIDDEN = frozenset({*(p.value for p in OWN_LABELS), vocab.SH + "order"})
"""Properties that a page shows elsewhere: in its heading."""

_COMPARED = ("comparedSubject", "comparedProperty", "comparedValue")
"""Links from comparisons: a page shows them as marks beside the values."""

LINKS_HERE = marked("What links here")

Node = NamedNode | BlankNode | Literal


class Value(NamedTuple):
    """A value as HTML, and what hangs from it if it has no name or is a fragment (``anchor``) of the page's thing."""

    html: Markup
    parts: tuple[Row, ...] = ()
    anchor: str = ""


class Group(NamedTuple):
    """Values that the same claims give; ``evidence`` says who gives them, and who gives others."""

    values: tuple[Value, ...]
    evidence: Markup


class Row(NamedTuple):
    """A property with its values; ``inverse``: the page's thing is the value, and these are the subjects.

    Rows with the same ``heading`` (the label of a sh:group, or nothing) follow each other.
    """

    name: Markup
    groups: tuple[Group, ...]
    more: int
    predicate: str
    inverse: bool
    heading: Markup


class Section(NamedTuple):
    """All rows of one status."""

    status: str
    rows: tuple[Row, ...]


class Said(NamedTuple):
    """``cut``: more is said than was looked at. ``facts``: properties and values, of the default graph.

    ``claims``: the IRIs of the claims that mention it.
    """

    sections: tuple[Section, ...]
    cut: bool
    facts: tuple[tuple[str, Node], ...]
    claims: tuple[str, ...]


class _View(NamedTuple):
    """The page that rows are made for; ``whole``: the IRI whose fragments it shows in full.

    ``compared``: the comparisons of what the page is about.
    """

    site: Site
    linker: Linker
    whole: str = ""
    depth: int = 0
    compared: ByProperty = compared.NOTHING


class _Told(NamedTuple):
    """A quad of the page's thing. ``other`` is its other end; ``graph`` is ``None`` for the default graph.

    Each part of a quad that is looked at is made anew, so they are taken out of it once.
    """

    predicate: str
    other: Node
    graph: str | None


class _Statement(NamedTuple):
    predicate: str
    node: Node
    inverse: bool
    sources: tuple[Source, ...]


def said(site: Site, linker: Linker, iri: str) -> Said:
    """Everything said of a thing and linking to it, strongest evidence first."""
    node = NamedNode(iri)
    outgoing = _read(site.store.quads(node), inverse=False)
    incoming = _read(site.store.quads(None, None, node), inverse=True)
    claims = _subjects(incoming, site.names.kg + "mentions")
    site.evidence.expect((*filter(None, (told.graph for told in (*outgoing, *incoming))), *claims[:MOST_CLAIMS]))
    others = (told.other.value for told in (*outgoing, *incoming) if isinstance(told.other, NamedNode))
    site.labels.expect((iri, *others))
    by_status: dict[str, list[_Statement]] = defaultdict(list)
    for statement in (
        *_statements(site, node, outgoing, inverse=False),
        *_statements(site, node, incoming, inverse=True),
    ):
        by_status[statement.sources[0].status if statement.sources else UNCLAIMED].append(statement)
    order = site.schema.order(kinds_in((told.predicate, told.other) for told in outgoing))
    sides = _subjects(incoming, compared.is_about(site))
    view = _View(site, linker, compared=compared.by_property(site, sides) if sides else compared.NOTHING)
    found = tuple(
        Section(status, _rows(view, by_status[status], order))
        for status in (*STATUSES, UNCLAIMED)
        if status in by_status
    )
    facts = tuple((told.predicate, told.other) for told in outgoing if told.graph is None)
    return Said(found, max(len(outgoing), len(incoming)) > MOST_QUADS, facts, tuple(claims))


def _read(quads: Iterator[Quad], *, inverse: bool) -> list[_Told]:
    """As many as a page looks at, and one more if there is one."""
    found = []
    for q in islice(quads, MOST_QUADS + 1):
        other, graph = q.subject if inverse else q.object, q.graph_name
        if isinstance(other, Node):
            name = None if graph == _DEFAULT else graph.value if isinstance(graph, NamedNode) else ""
            found.append(_Told(q.predicate.value, other, name))
    return found


def _subjects(incoming: list[_Told], predicate: str) -> list[str]:
    return [t.other.value for t in incoming if t.predicate == predicate and isinstance(t.other, NamedNode)]


def values(site: Site, iri: str, predicate: str, *, inverse: bool) -> list[Node]:
    """All values of one property, in the order of pages; ``inverse``: all subjects that have ``iri`` as the value."""
    node, property_ = NamedNode(iri), NamedNode(predicate)
    quads = site.store.quads(None, property_, node) if inverse else site.store.quads(node, property_)
    nodes = {q.subject if inverse else q.object for q in quads}
    return sorted((n for n in nodes if isinstance(n, Node)), key=lambda n: sort_key(n, site.labels))


def with_evidence(
    site: Site, linker: Linker, iri: str, predicate: str, found: Iterable[Node], *, inverse: bool
) -> tuple[Group, ...]:
    """Some values of one property with the claims that give them."""
    node, property_ = NamedNode(iri), NamedNode(predicate)
    statements = []
    for value in found:
        subject, object = (value, node) if inverse else (node, value)
        if isinstance(subject, NamedNode):
            sources = site.evidence.of(Quad(subject, property_, object))
            statements.append(_Statement(predicate, value, inverse, tuple(sources)))
    return _groups(_View(site, linker, compared=compared.about(site, iri)), statements)


def plain(site: Site, linker: Linker, iri: str, *, without: frozenset[str] = frozenset()) -> tuple[Row, ...]:
    """What the default graph says of a claim, a document or a passage, without evidence; its fragments in full.

    ``without``: properties that the page shows elsewhere.
    """
    return _plain(_View(site, linker, iri), iri, without)


def rows_of(site: Site, linker: Linker, quads: list[Quad]) -> tuple[Row, ...]:
    """Rows of quads with one subject, without evidence; of texts in several languages, those in the reader's."""
    told = {q.predicate for q in quads if isinstance(q.object, Literal) and _is_own(site, q.object)}
    return _rows_of(
        _View(site, linker),
        [
            q
            for q in quads
            if q.predicate not in told
            or not (isinstance(q.object, Literal) and q.object.language)
            or _is_own(site, q.object)
        ],
    )


def _is_own(site: Site, text: Literal) -> bool:
    return bool(text.language) and site.labels.is_own(text.language or "")


def _plain(view: _View, iri: str, without: frozenset[str] = frozenset()) -> tuple[Row, ...]:
    quads = islice(view.site.store.quads(NamedNode(iri), None, None, _DEFAULT), MOST_QUADS)
    return _rows_of(view, [q for q in quads if q.predicate.value not in without])


def _rows_of(view: _View, quads: list[Quad]) -> tuple[Row, ...]:
    statements = [
        _Statement(q.predicate.value, q.object, inverse=False, sources=())
        for q in quads
        if q.predicate.value not in _HIDDEN and isinstance(q.object, Node)
    ]
    return _rows(view, statements, view.site.schema.order(types_of(quads)))


def types_of(quads: Iterable[Quad]) -> frozenset[str]:
    """The classes that any of the quads names."""
    return kinds_in((q.predicate.value, q.object) for q in quads)


def kinds_in(facts: Iterable[tuple[str, object]]) -> frozenset[str]:
    """The same, of properties and values."""
    return frozenset(value.value for name, value in facts if name == vocab.RDF_TYPE and isinstance(value, NamedNode))


def kinds_of(site: Site, iri: str, graph: DefaultGraph | None = None) -> Iterable[str]:
    """The classes of a thing in a list, without a request to a store that is elsewhere."""
    if site.foreign:
        return index.kinds(site, iri)
    return types_of(site.local.quads(NamedNode(iri), NamedNode(vocab.RDF_TYPE), None, graph))


def _statements(site: Site, node: NamedNode, quads: list[_Told], *, inverse: bool) -> list[_Statement]:
    """The same triple in several graphs is one statement with several sources."""
    graphs: dict[tuple[str, Node], list[str]] = {}
    shown_elsewhere = {site.names.kg + name for name in ("mentions", *(_COMPARED if inverse else ()))}
    for predicate, other, graph in quads[:MOST_QUADS]:
        if predicate in shown_elsewhere or (predicate in _HIDDEN and graph is None and not inverse):
            continue
        names = graphs.setdefault((predicate, other), [])
        if graph:
            names.append(graph)
    if len(quads) > MOST_QUADS:
        # The default graph comes first: of what was not looked at, the claims are still to be asked for.
        return [
            _Statement(predicate, other, inverse, tuple(_sources_of(site, node, predicate, other, inverse=inverse)))
            for predicate, other in graphs
        ]
    return [
        _Statement(predicate, other, inverse, tuple(site.evidence.claims(names)))
        for (predicate, other), names in graphs.items()
    ]


def _sources_of(site: Site, node: NamedNode, predicate: str, other: Node, *, inverse: bool) -> list[Source]:
    subject, object = (other, node) if inverse else (node, other)
    return site.evidence.of(Quad(subject, NamedNode(predicate), object)) if isinstance(subject, NamedNode) else []


def _rows(view: _View, statements: list[_Statement], order: dict[str, Shown]) -> tuple[Row, ...]:
    grouped: dict[tuple[bool, str], list[_Statement]] = defaultdict(list)
    for statement in statements:
        grouped[statement.inverse, statement.predicate].append(statement)
    labels = view.site.labels

    def place(key: tuple[bool, str]) -> tuple[bool, bool, float, str, float, str]:
        inverse, predicate = key
        shown = order.get(predicate, UNSHAPED)
        is_type = predicate == vocab.RDF_TYPE
        return inverse, not is_type, shown.group_order, shown.group, shown.order, labels[predicate].key

    rows = []
    for key in sorted(grouped, key=place):
        inverse, predicate = key
        shown = order.get(predicate, UNSHAPED)
        values = sorted(grouped[key], key=lambda s: sort_key(s.node, labels))
        rows.append(
            Row(
                name=view.linker.term(predicate, "" if inverse else shown.name, shown.languages[1]),
                groups=_groups(view, values[:MOST_VALUES]),
                more=max(0, len(values) - MOST_VALUES),
                predicate=predicate,
                inverse=inverse,
                heading=_heading(view.site, shown, inverse=inverse),
            )
        )
    return tuple(rows)


def _heading(site: Site, shown: Shown, *, inverse: bool) -> Markup:
    if inverse:
        return escape(site.language.gettext(LINKS_HERE))
    if not shown.group:
        return _UNMARKED
    language = shown.languages[0]
    return isolated(shown.group, language, foreign=bool(language) and not site.labels.is_own(language))


def _groups(view: _View, statements: list[_Statement]) -> tuple[Group, ...]:
    """Values with the same sources stand together, in the order of the first of them."""
    by_sources: dict[tuple[tuple[Source, ...], Markup], list[Value]] = {}
    for statement in statements:
        sides = view.compared.get(statement.predicate, ()) if not statement.inverse else ()
        marks = compared.marks(view.site, view.linker, sides, statement.node, statement.sources) if sides else _UNMARKED
        by_sources.setdefault((statement.sources, marks), []).append(_value(view, statement))
    return tuple(Group(tuple(values), view.linker.evidence(s) + marks) for (s, marks), values in by_sources.items())


def _value(view: _View, statement: _Statement) -> Value:
    node, linker = statement.node, view.linker
    if isinstance(node, BlankNode) and view.depth < _DEPTH:
        # A store that kg did not build: what hangs from a nameless node came along with it.
        nameless = view._replace(depth=view.depth + 1, compared=compared.NOTHING)
        return Value(linker.node(node), _rows_of(nameless, list(view.site.store.quads(node))))
    if not isinstance(node, NamedNode):
        return Value(linker.node(node))
    iri = node.value
    if statement.inverse or view.depth >= _DEPTH:
        return Value(linker.link(iri))
    if statement.predicate == vocab.RDF_TYPE:
        return Value(linker.kind(iri))
    below = view._replace(depth=view.depth + 1, compared=compared.NOTHING)
    if iri.startswith(view.site.names.genid):
        # A nameless node's own triples stand in the same claim as the one that leads to it.
        quads = {q.triple: q for q in view.site.store.quads(node)}
        return Value(linker.link(iri), _rows_of(below, list(quads.values())))
    if view.whole and iri.startswith(view.whole + "#"):
        anchor = iri[len(view.whole) + 1 :]
        return Value(Markup("<code>#{}</code>").format(anchor), _plain(below, iri), anchor)
    return Value(linker.link(iri))
