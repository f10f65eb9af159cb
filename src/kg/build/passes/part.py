"""One part of a build: what comes of the files that speak of the same documents, by itself.

    parse → collect → ground → assemble → rules → validate (what is whole here)

A part depends on its files, on the texts of its documents and on what all parts share (:class:`Common`), and on nothing
else, so it is made once for the same bytes, by whichever process, on whichever machine. What other parts have a say in
is written down as sorted lines, to be merged: see :mod:`kg.build.passes.extract`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from pyoxigraph import DefaultGraph, NamedNode, Quad

from kg import vocab
from kg.build.assemble import assemble
from kg.build.collect import Collected, collect
from kg.build.compare import derivations
from kg.build.declared import other_datatypes
from kg.build.functional import Targets
from kg.build.ground import TextAtHand, ground
from kg.build.outside import outside
from kg.build.parse import SourceFile, Sources, Unreadable, parse_files
from kg.build.passes.extract import Lines, Staged, described, lines_of
from kg.build.rules import Own, check_own
from kg.build.shacl.partial import Outcome
from kg.build.validate import Shapes, check_part
from kg.build.writing.catalog import latest_day
from kg.build.writing.coverage import Share, share_of_document
from kg.build.writing.report import report_of_document
from kg.errors import SourceError
from kg.model import Check, Document, Finding, Place, Severity, error, has_errors, value_of


@dataclass(frozen=True, slots=True)
class Common:
    """What every part depends on: base, terms, classes of what happened, single-valued properties, shapes.

    ``datatypes``: property → the datatype that the ontology gives it.
    """

    base: str
    terms: frozenset[str]
    happened: frozenset[str]
    single: Targets
    superclasses: Mapping[str, frozenset[str]]
    datatypes: Mapping[str, str]
    shapes: Shapes


@dataclass(frozen=True, slots=True)
class Bundle:
    """The files of a part as they were read, and the texts at hand of the documents that are expected in it."""

    documents: frozenset[str]
    files: tuple[SourceFile, ...]
    contents: Mapping[str, bytes | Unreadable]
    texts: Mapping[str, TextAtHand]


@dataclass(frozen=True, slots=True)
class Part:
    """What came of a bundle. Findings are kept apart by the gate that they may close.

    ``describes``: the documents that its files speak of; where they are not those that were expected, the files belong
    to another bundle. ``files``: the same by file; ``prefixes``: by file, too. ``parsed``, ``collected``, ``checked``:
    the findings of the stages until a gate. ``derived``: documents, and what they were made from. ``pending``,
    ``said``, ``unsaid``: claims that other parts may know. ``nameless``: how many triples with a blank node there are.
    ``subclasses``: classes that claims put below others. ``counted``: passages, and those that are verified.
    ``modified``: the latest day on which a claim was made or reviewed. ``known``: IRIs with an error already, of which
    shapes need not speak again. ``facts``, ``evidence``: what SHACL left open or refused in each graph; ``findings``:
    what it found, by graph and shape.
    """

    describes: frozenset[str]
    files: Mapping[str, frozenset[str]]
    prefixes: Mapping[str, Mapping[str, str]]
    parsed: tuple[Finding, ...]
    collected: tuple[Finding, ...] = ()
    checked: tuple[Finding, ...] = ()
    documents: tuple[Document, ...] = ()
    derived: tuple[tuple[str, str], ...] = ()
    pending: tuple[tuple[str, Finding], ...] = ()
    said: frozenset[str] = frozenset()
    unsaid: tuple[tuple[str, Finding], ...] = ()
    lines: Lines = field(default_factory=Lines)
    nameless: int = 0
    subclasses: tuple[tuple[str, str], ...] = ()
    counted: tuple[int, int] = (0, 0)
    reports: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    shares: Mapping[str, tuple[Share, Share | None]] = field(default_factory=dict)
    modified: str = ""
    known: frozenset[str] = frozenset()
    facts: Outcome = field(default_factory=Outcome)
    evidence: Outcome = field(default_factory=Outcome)
    findings: Mapping[tuple[str, str], tuple[Finding, ...]] = field(default_factory=dict)


def make_part(bundle: Bundle, common: Common) -> Part:
    """Make a part; what is wrong with its files is in its findings."""
    sources, prefixes, files = _parsed(bundle, common.base)
    part = Part(describes=frozenset().union(*files.values()), files=files, prefixes=prefixes, parsed=sources.findings)
    if not part.describes <= bundle.documents or has_errors(sources.findings):
        return part
    collected = collect(sources, common.base, common.terms)
    names = vocab.Names(common.base)
    found = (
        *collected.findings,
        *outside(sources, common.superclasses, names),
        *other_datatypes(sources.claims, common.datatypes, names),
    )
    part = replace(
        part,
        collected=found,
        lines=Lines(described=described(collected)),
        pending=collected.pending,
        modified=latest_day(sources.claims, common.base),
    )
    if has_errors(found):
        return part
    grounded = ground(collected, common.base, bundle.texts)
    checked = [*grounded.findings, *check_own(Own(collected, grounded, common.happened), names)]
    try:
        assembled = assemble(sources, collected, grounded, common.base)
    except SourceError as e:
        checked.append(error("blank-nodes", str(e), Place(e.file, e.line)))
        return replace(part, checked=tuple(checked))
    staged = Staged(sources, collected, grounded, assembled)
    return _described(replace(part, checked=tuple(checked)), common, staged)


def _parsed(bundle: Bundle, base: str) -> tuple[Sources, dict[str, Mapping[str, str]], dict[str, frozenset[str]]]:
    """The quads; the prefixes of each file; and the documents that each speaks of."""
    names = vocab.Names(base)
    read = [(file, parse_files([file], base, bundle.contents)) for file in bundle.files]
    whole = Sources(
        documents=tuple(q for _, s in read for q in s.documents),
        claims=tuple(q for _, s in read for q in s.claims),
        findings=tuple(finding for _, s in read for finding in s.findings),
    )
    own = {base + "claim/", base + "passage"}
    prefixes: dict[str, Mapping[str, str]] = {
        file.shown: {
            # What a file calls its own claims is no name for anybody else, and differs in every file.
            prefix: base + "claim/" if any(namespace.startswith(o) for o in own) else namespace
            for prefix, namespace in s.prefixes.items()
        }
        for file, s in read
    }
    files = {file.shown: frozenset(_documents(s, names)) for file, s in read}
    return whole, prefixes, files


def _documents(sources: Sources, names: vocab.Names) -> Iterator[str]:
    """The documents that are described, and those whose passages claims rest on."""
    for q in (*sources.documents, *sources.claims):
        subject, graph = q.quad.subject, q.quad.graph_name
        nodes: list[object] = [subject if graph == DefaultGraph() else graph]
        if q.quad.predicate.value == vocab.OA_HAS_TARGET:
            nodes.append(q.quad.object)
        for node in nodes:
            kind, _, rest = (names.local(value_of(node)) or "").partition("/")
            if kind in ("claim", "passage", "document") and rest:
                yield rest.partition("/")[0].partition("#")[0]


def _described(part: Part, common: Common, staged: Staged) -> Part:
    """The part with all that other stages and the files of a release need of it."""
    names = vocab.Names(common.base)
    sources, collected, grounded, assembled = staged
    # That its text is missing is said once, and not again for each claim that quotes it.
    lost = {c.iri for c in collected.claims if c.quotes and c.document not in grounded.texts}
    seen = (*grounded.findings, *(f for f in part.checked if f.rule == "time"))
    known = lost | {f.subject for f in seen if f.severity is Severity.ERROR}
    facts, evidence, findings = check_part(assembled, common.shapes, common.superclasses, collected.documents, names)
    return replace(
        part,
        documents=tuple(collected.documents.values()),
        derived=tuple(derivations(sources)),
        said=frozenset(_said(collected, names)),
        unsaid=tuple(_unsaid(collected, names)),
        lines=lines_of(staged, common.single, common.superclasses, names),
        subclasses=tuple(
            (value_of(q.subject), value_of(q.object))
            for q in assembled.quads
            if q.predicate.value == vocab.RDFS_SUBCLASS and q.graph_name == DefaultGraph()
        ),
        nameless=len({q.quad.triple for c in grounded.claims for q in c.graph if "_:" in _nodes(q.quad)}),
        counted=(len(grounded.passages), sum(check is Check.VERIFIED for check in grounded.checks.values())),
        reports={name: report_of_document(name, grounded) for name in collected.documents},
        shares={name: share_of_document(name, grounded) for name in collected.documents},
        known=frozenset(known),
        facts=facts,
        evidence=evidence,
        findings=findings,
    )


def _nodes(quad: Quad) -> set[str]:
    return {str(node)[:2] for node in (quad.subject, quad.object)}


def _said(collected: Collected, names: vocab.Names) -> Iterator[str]:
    """Claims that a statement has as its content."""
    for claim in collected.claims:
        for q in claim.graph:
            if q.quad.predicate.value == names.kg + "content" and isinstance(q.quad.object, NamedNode):
                yield q.quad.object.value


def _unsaid(collected: Collected, names: vocab.Names) -> Iterator[tuple[str, Finding]]:
    """Claims of other speakers than their documents', each with what is found if nobody says that they were said."""
    for claim in collected.claims:
        document = collected.documents.get(claim.document)
        if document is not None and claim.speaker != document.author:
            message = (
                f"{names.local(claim.iri)} has another speaker than its document, and no statement has it as "
                "kg:content: say in a claim of the document's own voice that it was said"
            )
            yield claim.iri, error("unsaid", message, claim.place, claim.iri)
