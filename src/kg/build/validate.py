"""Stage 6: SHACL, by one of the engines in ``shacl/``, over two graphs and never their union.

- ``shapes/evidence*.ttl`` see the description of claims, passages and documents with ``kg:mentions``
- every other file in ``shapes/`` sees the default graph as it will be published

Queries inside shapes are refused where they could reach the network.

Where documents differ, both values are published, and that must not break the count of a property that can have only
one: such a result is a warning, if no document breaks the count alone.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, serialize
from pyshacl.errors import ConstraintLoadError, ReportableRuntimeError, ShapeLoadError, ShapeRecursionWarning
from rdflib import RDFS, XSD, BNode, URIRef
from rdflib import Literal as RdflibLiteral
from rdflib.term import Identifier, Node

from kg import vocab
from kg.bounds import Clock
from kg.build.assemble import Assembled
from kg.build.limit import MOST, first_named, left_out
from kg.build.messages import Messages
from kg.build.parse import FOLDERS
from kg.build.shacl import Result, reference, to_graph, to_rdflib, with_details
from kg.build.shacl.deadline import Endless, ending, shape_of
from kg.build.shacl.model import NotCovered
from kg.build.shacl.partial import Outcome, PartialData, Plans, check, read_plans
from kg.config import Build
from kg.errors import BuildError, QueryRefused
from kg.model import Finding, Place, Severity, SourceQuad, error, value_of
from kg.query.lexer import inspect

_SH = vocab.SH
_SEVERITIES = {
    _SH + "Violation": Severity.ERROR,
    _SH + "Warning": Severity.WARNING,
    _SH + "Info": Severity.INFO,
}
_QUERY_TEXTS = (_SH + "select", _SH + "ask", _SH + "construct", _SH + "update")
_MAX_DEPTH = 128
_NOT_APPLIED = tuple(_SH + name for name in ("js", "rule", "target", "expression"))
"""Of SHACL's Advanced Features and JavaScript Extensions: a shape with one of these would check less than it says."""

MANY = 100_000
"""Triples over which compiled shapes get their time once more; they take about a second."""

_MANY_FOR_SOME, _MANY_FOR_ALL = 10_000, 4_000
"""The same for the reference, over what is handed to it and with all shapes."""

_EVIDENCE = re.compile(r"shapes/evidence[^/]*$")
_BROKEN_BY_TWO = frozenset(
    _SH + name + "ConstraintComponent" for name in ("MaxCount", "LessThan", "LessThanOrEquals", "UniqueLang")
)
"""What two values can break that neither breaks alone (SHACL, sections 4.2.2, 4.5.3, 4.5.4 and 4.4.5)."""

_BY_DATATYPE = frozenset(
    f"{_SH}{name}ConstraintComponent"
    for name in ("Datatype", "In", "MinInclusive", "MinExclusive", "MaxInclusive", "MaxExclusive")
)
"""What a value can break by its datatype alone."""

Places = Mapping[tuple[str, str, str], Place]
"""The line of a triple, by its three terms in N-Triples form."""

Look = Callable[[str, str], Places]
"""The triples about a subject, with a property or (empty) with any."""

DEFAULT_ENGINE = "compiled"
"""Proven on W3C's test suite, the fixtures and generated data to find what pyshacl finds; it hands over the rest."""

Disputed = Mapping[tuple[str, str], tuple[str, ...]]
"""Subject and property → the claims of different documents that give it different values."""

GRAPHS = ("facts", "evidence")
_ADDED = ("disagreesWith", "corroborates")
"""Properties of claims that comparing adds, when all parts are there."""


@dataclass(frozen=True, slots=True)
class Shapes:
    """All shapes, and as N-Quads those that see each of ``GRAPHS``. Blank nodes are numbered in the files' order.

    ``seconds`` of CPU are what they may take over some data: see :class:`kg.config.Build`. ``language``: that of
    messages, where a shape has them in several.
    """

    quads: tuple[SourceQuad, ...]
    seeing: Mapping[str, bytes]
    engine: str
    seconds: float
    language: str

    @property
    def compiled(self) -> bool:
        return self.engine == "compiled"


def read_shapes(
    quads: Iterable[SourceQuad], engine: str, seconds: float = Build().seconds, language: str = "en"
) -> Shapes:
    """Sort the shapes by what they see."""
    numbers: dict[BlankNode, BlankNode] = {}

    def numbered(node: Any) -> Any:
        return numbers.setdefault(node, BlankNode(f"b{len(numbers)}")) if isinstance(node, BlankNode) else node

    named = tuple(
        SourceQuad(Quad(numbered(q.quad.subject), q.quad.predicate, numbered(q.quad.object)), q.place) for q in quads
    )
    seeing = {
        graph: serialize((q.quad for q in named if _sees(q) == graph), format=RdfFormat.N_QUADS) for graph in GRAPHS
    }
    return Shapes(named, {graph: found or b"" for graph, found in seeing.items()}, engine, seconds, language)


def _sees(q: SourceQuad) -> str:
    return "evidence" if _EVIDENCE.match(q.place.file) else "facts"


def check_part(
    assembled: Assembled,
    shapes: Shapes,
    superclasses: Mapping[str, Collection[str]],
    documents: Collection[str],
    names: vocab.Names,
) -> tuple[Outcome, Outcome, dict[tuple[str, str], tuple[Finding, ...]]]:
    """Check the claims, passages and documents of a part, as far as the part knows all about them.

    Returns for facts and evidence what is left open and refused, and the findings by graph and shape.

    :raises Endless: if that takes too long.
    """

    def own(kinds: Collection[str]) -> Callable[[str], bool]:
        def is_own(iri: str) -> bool:
            kind, _, rest = (names.local(iri) or "").partition("/")
            return kind in kinds and rest.partition("/")[0].partition("#")[0] in documents

        return is_own

    evidence_nodes = own(("claim", "passage", "document"))
    data = {
        "facts": ([q for q in assembled.quads if not isinstance(q.graph_name, NamedNode)], own(("claim", "passage"))),
        "evidence": (assembled.evidence, lambda iri: evidence_nodes(iri) or iri.startswith(names.genid)),
    }
    checked: dict[str, Outcome] = {}
    findings: dict[tuple[str, str], tuple[Finding, ...]] = {}
    clock = Clock(shapes.seconds)
    places = _by_subject(assembled.places)
    for graph, (quads, whole) in data.items():
        with ending(clock, len(quads) / MANY):
            plans = _plans(shapes, graph)
            added = [names.kg + name for name in _ADDED]
            above = superclasses if graph == "facts" else {}
            found = check(plans, PartialData(list(quads), plans.wanted, whole, above, added=added), whole)
        for shape, results in found.results.items():
            lines = findings_of(results, shapes, lambda subject, _: places.get(subject, {}), {}, names)
            findings[graph, str(shape)] = tuple(dict.fromkeys(lines))
        checked[graph] = replace(found, results={})
    return checked["facts"], checked["evidence"], findings


def _by_subject(places: Places) -> dict[str, dict[tuple[str, str, str], Place]]:
    found: dict[str, dict[tuple[str, str, str], Place]] = defaultdict(dict)
    for key, place in places.items():
        found[key[0]][key] = place
    return found


def _plans(shapes: Shapes, graph: str) -> Plans:
    """The compiled plans, none where another engine is wanted or the reference has to say what is wrong."""
    try:
        if shapes.compiled:
            return read_plans(shapes.seeing[graph])
    except NotCovered:
        pass
    return Plans({}, {}, {}, frozenset())


def refused_queries(shapes: Iterable[SourceQuad]) -> Iterable[Finding]:
    """No query in a shape may reach the network (SERVICE) or nest until the parser dies, and no part is passed over."""
    for q in shapes:
        if q.quad.predicate.value in _QUERY_TEXTS and isinstance(q.quad.object, Literal):
            try:
                inspect(q.quad.object.value, depth=_MAX_DEPTH)
            except QueryRefused as e:
                yield error("shape", f"this query in a shape is not run: {e}", q.place)
        elif q.quad.predicate.value in _NOT_APPLIED:
            name = "sh:" + q.quad.predicate.value.removeprefix(_SH)
            yield error("shape", f"{name} is not applied here: say it in SHACL Core or with sh:sparql", q.place)


def findings_of(
    results: Iterable[Result], shapes: Shapes, places: Look, disputed: Disputed, names: vocab.Names
) -> Iterator[Finding]:
    """What results say to whoever wrote the sources; ``places`` gives the lines of the triples about a node.

    Those of one shape that are too many are left out, apart from those that are no error because documents differ.
    """
    chain_of = cache(lambda shape: _chain(shape, shapes.quads))
    messages = Messages(shapes.quads, shapes.language, lambda iri: _readable(iri, names))
    given: Counter[tuple[Node, bool]] = Counter()
    for result in with_details(results):
        claims = _differing(result, disputed)
        kind = (result.shape, bool(claims))
        given[kind] += 1
        if given[kind] > MOST + 1:
            continue
        finding = _finding(result, chain_of(result.shape), messages, places, names)
        finding = _between_documents(finding, claims, names) if claims else finding
        yield finding if given[kind] <= MOST else left_out(finding)


def by_reference(
    quads: Collection[Quad], shapes: Shapes, graph: str, covered: Collection[Node], clock: Clock
) -> list[Result] | Finding:
    """The results of the shapes that are not ``covered``, by the reference; or why they cannot be used.

    :raises Endless: if that takes too long.
    """
    seen = [q for q in shapes.quads if _sees(q) == graph]
    place = seen[0].place
    data = to_graph(quads)
    try:
        units = len(quads) / (_MANY_FOR_SOME if shapes.compiled else _MANY_FOR_ALL)
        with warnings.catch_warnings(), ending(clock, units):
            # pyshacl warns, and lets pass what it did not look at.
            warnings.simplefilter("error", ShapeRecursionWarning)
            return reference.run(data, [q.quad for q in seen], covered)
    except Endless:
        raise
    except BuildError as e:
        return error("shape", str(e), Place(place.file))
    except RecursionError as e:
        message = "this shape cannot be checked: something in it nests too deep"
        return error("shape", message, place_of(shape_of(e), shapes))
    except re.error as e:
        message = f"a pattern in this shape is no regular expression (sh:pattern is read as Python's): {e}"
        return error("shape", message, place_of(shape_of(e), shapes))
    except ShapeRecursionWarning as e:
        message = "this shape leads back to itself, and SHACL (section 3.4.3) does not say what that means: divide it"
        return error("shape", message, place_of(shape_of(e), shapes))
    except (ShapeLoadError, ConstraintLoadError, ReportableRuntimeError) as e:
        message = " ".join(str(getattr(e, "message", e)).split())
        shape = shape_of(e)
        where = _named(message, seen) or (place_of(shape, shapes) if shape else Place(place.file))
        return error("shape", f"a shape cannot be used: {message[:300]}", where)
    except Exception as e:  # noqa: BLE001 - rdflib's errors out of a query in a shape have no common class
        what = "list in this shape cannot be read" if "rdf:rest" in str(e) else "query in this shape cannot be run"
        message = f"a {what}: {' '.join(str(e).split())[:300]}"
        return error("shape", message, place_of(shape_of(e), shapes))


def endless(e: Endless, shapes: Shapes) -> Finding:
    """What is said of a shape whose check did not end, with its line."""
    place = place_of(e.shape, shapes)
    message = (
        f"the check of this shape was stopped after {e.seconds:.0f} s of CPU: look for a pattern or a query in it that "
        f"takes for ever (such as (a+)+), or say more than {shapes.seconds:g} `seconds` under [build] in kg.toml"
    )
    return error("shape", message, place)


def place_of(shape: Node | None, shapes: Shapes) -> Place:
    """Where a shape is described; the folder if it is not known."""
    found = (q.place for q in shapes.quads if shape is not None and value_of(q.quad.subject) == str(shape))
    return min(found, default=Place(FOLDERS["shapes"].as_posix()))


def _named(message: str, seen: Sequence[SourceQuad]) -> Place | None:
    """Where the first shape is described whose IRI is in a message, if there is one."""
    iris = set(re.findall(r"<(?:\w+ )?([^<> ]+)>", message))
    return next((q.place for q in seen if value_of(q.quad.subject) in iris), None)


def _differing(result: Result, disputed: Disputed) -> tuple[str, ...]:
    """The claims whose documents differ, if that is all that a result is about."""
    if str(result.component) not in _BROKEN_BY_TWO:
        return ()
    return disputed.get((str(result.focus), str(result.path)), ())


def _between_documents(finding: Finding, claims: tuple[str, ...], names: vocab.Names) -> Finding:
    who = first_named([names.local(claim) or claim for claim in claims])
    text = f"{finding.message}; the documents do not say the same, and what each says is published ({who})"
    severity = Severity.WARNING if finding.severity is Severity.ERROR else finding.severity
    return replace(finding, severity=severity, rule="disagreement", message=text)


def _finding(result: Result, chain: Sequence[Node], messages: Messages, places: Look, names: vocab.Names) -> Finding:
    focus, path, value = result.focus, result.path, result.value
    about = focus
    if isinstance(value, URIRef) and names.local(str(focus)) == _OWN:
        about = value
    severity = _SEVERITIES.get(str(result.severity), Severity.ERROR)
    details = [names.local(str(about)) or str(about)]
    if isinstance(path, URIRef):
        details.append(_readable(str(path), names))
    if value is not None and value != about:
        details.append(f"value {_readable(str(value), names)!r}{_kind(result, names)}")
    shape_name = names.local(str(chain[-1])) or str(chain[-1])
    said = messages.of(result, chain)
    text = f"{', '.join(details)}: {' '.join(said) or 'does not conform'} [{shape_name}]"
    if about is not focus:
        path = RDFS.label  # what a look at all of the graph found is mended where it is named
    place = _place(about, path, value, places) if isinstance(about, URIRef) else Place("data")
    return Finding(severity, "shacl", text, place, str(about))


def _kind(result: Result, names: vocab.Names) -> str:
    """The datatype of a value, where the trouble may be that it has the wrong one: ``4`` is no ``xsd:decimal``."""
    value = result.value
    if not isinstance(value, RdflibLiteral) or str(result.component) not in _BY_DATATYPE:
        return ""
    return f" (@{value.language})" if value.language else f" ({_readable(value.datatype or XSD.string, names)})"


_OWN = "shapes"
"""The shapes' own IRI: a shape that targets it looks at all of the graph, and what it finds is in its values."""


def _readable(iri: str, names: vocab.Names) -> str:
    return names.curie(iri) or names.local(iri) or iri


def _chain(shape: Node, quads: Collection[SourceQuad]) -> list[Node]:
    """The shape and, as long as one has no IRI, the shape that holds it."""
    chain = [shape]
    while isinstance(chain[-1], BNode):
        inner = str(chain[-1])
        holders = (
            q.quad.subject for q in quads if isinstance(q.quad.object, BlankNode) and q.quad.object.value == inner
        )
        holder = next(holders, None)
        if holder is None:
            break
        chain.append(to_rdflib(holder))
    return chain


def _place(focus: URIRef, path: Node | None, value: Node | None, places: Look) -> Place:
    """The line of the triple that violates, or else of the first triple about the focus node."""
    subject, predicate = focus.n3(), path.n3() if isinstance(path, URIRef) else ""
    known = {key: place for key, place in places(subject, predicate).items() if predicate in ("", key[1])}
    if predicate and isinstance(value, Identifier) and (exact := known.get((subject, predicate, value.n3()))):
        return exact
    known = known or dict(places(subject, ""))
    for key, place in known.items():
        if value is not None and str(value) in key[2]:
            return place
    return min(known.values(), default=Place("data"))
