"""One part of a build: what comes of the files that speak of the same documents, by itself.

    parse → collect → ground → assemble → rules → validate (what is whole here)

A part depends on its files, on the texts of its documents and on what all parts share (:class:`Common`), and on nothing
else, so it is made once for the same bytes, by whichever process, on whichever machine. What other parts have a say in
is written down as sorted lines, to be merged: see :class:`Part`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from pyoxigraph import DefaultGraph, NamedNode, Quad

from kg import vocab
from kg.build.assemble import Assembled, assemble, in_default_graph
from kg.build.catalog import latest_day
from kg.build.collect import Collected, collect
from kg.build.compare import derivations, values_of
from kg.build.coverage import Share, share_of_document
from kg.build.dumps import claim_row, in_document_order
from kg.build.ground import Grounded, TextAtHand, ground
from kg.build.parse import SourceFile, Sources, Unreadable, parse_files
from kg.build.report import report_of_document
from kg.build.review import stale_reviews
from kg.build.rules import Spoken, happened_only_if_asserted
from kg.build.shacl.bound import Checked
from kg.build.single import Targets, reaches
from kg.build.validate import Shapes, check_part
from kg.errors import SourceError
from kg.model import Check, Document, Finding, Place, Severity, error, value_of


@dataclass(frozen=True, slots=True)
class Common:
    """What every part depends on: base, terms, classes of what happened, single-valued properties, shapes."""

    base: str
    terms: frozenset[str]
    happened: frozenset[str]
    single: Targets
    superclasses: Mapping[str, frozenset[str]]
    shapes: Shapes


@dataclass(frozen=True, slots=True)
class Bundle:
    """The files of a part as they were read, and the texts at hand of the documents that are expected in it."""

    documents: frozenset[str]
    files: tuple[SourceFile, ...]
    contents: Mapping[str, bytes | Unreadable]
    texts: Mapping[str, TextAtHand]


@dataclass(frozen=True, slots=True)
class Lines:
    """Sorted lines, by what they are; every field is the content of a file as in :mod:`kg.build.lines`.

    ``facts``: the default graph's triples. ``graphs``: quads, the graph first. ``claimed``: triples of claims' graphs.
    ``values``, ``reached``: see :mod:`kg.build.compare`, :mod:`kg.build.single`. ``uses``: IRIs, and how they are used.
    ``places``: where a triple stands. ``records``: the same, of what is said of documents without a claim.
    """

    facts: bytes = b""
    graphs: bytes = b""
    claimed: bytes = b""
    values: bytes = b""
    reached: bytes = b""
    uses: bytes = b""
    places: bytes = b""
    records: bytes = b""


@dataclass(frozen=True, slots=True)
class Part:
    """What came of a bundle. Findings are kept apart by the gate that they may close.

    ``describes``: the documents that its files speak of; where they are not those that were expected, the files belong
    to another bundle. ``prefixes``: by file. ``pending``, ``said``, ``unsaid``: claims that other parts may know.
    ``subclasses``: classes that claims put below others.
    """

    describes: frozenset[str]
    files: Mapping[str, frozenset[str]]
    prefixes: Mapping[str, Mapping[str, str]]
    parsed: tuple[Finding, ...]
    collected: tuple[Finding, ...] = ()
    checked: tuple[Finding, ...] = ()
    documents: tuple[Document, ...] = ()
    derived: tuple[tuple[str, str], ...] = ()
    described: frozenset[str] = frozenset()
    pending: tuple[tuple[str, Finding], ...] = ()
    said: frozenset[str] = frozenset()
    unsaid: tuple[tuple[str, Finding], ...] = ()
    spoken: tuple[Spoken, ...] = ()
    lines: Lines = field(default_factory=Lines)
    nameless: int = 0
    subclasses: tuple[tuple[str, str], ...] = ()
    rows: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    passages: Mapping[str, Check] = field(default_factory=dict)
    counted: tuple[int, int] = (0, 0)
    reports: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    shares: Mapping[str, tuple[Share, Share | None]] = field(default_factory=dict)
    modified: str = ""
    known: frozenset[str] = frozenset()
    facts: Checked = field(default_factory=Checked)
    evidence: Checked = field(default_factory=Checked)
    findings: Mapping[tuple[str, str], tuple[Finding, ...]] = field(default_factory=dict)


def make_part(bundle: Bundle, common: Common) -> Part:
    """Make a part; what is wrong with its files is in its findings."""
    sources, prefixes, files = _parsed(bundle, common.base)
    part = Part(describes=frozenset().union(*files.values()), files=files, prefixes=prefixes, parsed=sources.findings)
    if not part.describes <= bundle.documents or _failed(sources.findings):
        return part
    collected = collect(sources, common.base, common.terms)
    part = replace(
        part,
        collected=collected.findings,
        described=collected.described,
        pending=collected.pending,
        modified=latest_day(sources.claims, common.base),
    )
    if _failed(collected.findings):
        return part
    grounded = ground(collected, common.base, bundle.texts)
    names = vocab.Names(common.base)
    checked = [*grounded.findings, *stale_reviews(grounded, names)]
    try:
        assembled = assemble(sources, collected, grounded, common.base)
    except SourceError as e:
        checked.append(error("blank-nodes", str(e), Place(e.file, e.line)))
        return replace(part, checked=tuple(checked))
    checked += happened_only_if_asserted(common.happened, collected, names)
    made = _Made(sources, collected, grounded, assembled)
    return _described(replace(part, checked=tuple(checked)), common, made)


def _failed(findings: Iterable[Finding]) -> bool:
    return any(finding.severity is Severity.ERROR for finding in findings)


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


class _Made(NamedTuple):
    """What the stages made of a bundle."""

    sources: Sources
    collected: Collected
    grounded: Grounded
    assembled: Assembled


def _described(part: Part, common: Common, made: _Made) -> Part:
    """The part with all that other stages and the files of a release need of it."""
    names = vocab.Names(common.base)
    sources, collected, grounded, assembled = made
    # That its text is missing is said once, and not again for each claim that quotes it.
    lost = {c.iri for c in collected.claims if c.quotes and c.document not in grounded.texts}
    known = lost | {f.subject for f in grounded.findings if f.severity is Severity.ERROR}
    facts, evidence, findings = check_part(assembled, common.shapes, common.superclasses, collected.documents, names)
    ordered = in_document_order(grounded.claims, grounded)
    return replace(
        part,
        documents=tuple(collected.documents.values()),
        derived=tuple(derivations(sources)),
        said=frozenset(_said(collected, names)),
        unsaid=tuple(_unsaid(collected, names)),
        spoken=tuple(_spoken(collected)),
        lines=_lines(sources, collected, assembled, common, names),
        subclasses=tuple(
            (value_of(q.subject), value_of(q.object))
            for q in assembled.quads
            if q.predicate.value == vocab.RDFS_SUBCLASS and q.graph_name == DefaultGraph()
        ),
        nameless=len({q.quad.triple for c in grounded.claims for q in c.graph if "_:" in _nodes(q.quad)}),
        rows={
            name: tuple(claim_row(claim, grounded, document.author) for claim in ordered if claim.document == name)
            for name, document in collected.documents.items()
        },
        passages=grounded.checks,
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


def _spoken(collected: Collected) -> Iterator[Spoken]:
    for claim in collected.claims:
        yield Spoken(claim.speaker, claim.iri, claim.place, speaker=True)
        for q in claim.graph:
            for node in (q.quad.subject, q.quad.object):
                if isinstance(node, NamedNode):
                    yield Spoken(node.value, claim.iri, q.place, speaker=False)


# -- lines -----------------------------------------------------------------------------------------------------------


def _lines(sources: Sources, collected: Collected, assembled: Assembled, common: Common, names: vocab.Names) -> Lines:
    default = DefaultGraph()
    claims = {claim.iri: claim for claim in collected.claims}
    facts, graphs, claimed = [], [], []
    named: list[Quad] = []
    for quad in assembled.quads:
        triple = str(quad.triple)
        if quad.graph_name == default:
            facts.append(f"{triple} .")
        else:
            graphs.append(f"{quad.graph_name} {triple} .")
            named.append(quad)
            if value_of(quad.graph_name) in claims:
                claimed.append(f"{triple} .")
    published = {
        iri: in_default_graph(claim, collected.documents[claim.document].author) for iri, claim in claims.items()
    }
    return Lines(
        facts=_sorted(facts),
        graphs=_sorted(graphs),
        claimed=_sorted(claimed),
        values=_sorted(values_of(named, claims, collected.documents, published, names)),
        reached=_sorted(reaches(named, common.single, common.superclasses)),
        uses=_sorted(_uses(sources, collected, assembled, names)),
        places=_sorted(_places(assembled)),
        records=_sorted(f"{q.quad.triple} .\t{q.place.line}\t{q.place.file}" for q in sources.documents),
    )


def _sorted(lines: Iterable[str]) -> bytes:
    return b"".join(sorted({f"{line}\n".encode() for line in lines}))


def _uses(sources: Sources, collected: Collected, assembled: Assembled, names: vocab.Names) -> Iterator[str]:
    """IRI and a letter: ``s`` a speaker or author, ``t`` a thing in a claim, ``m`` mentioned, ``u`` anything else."""
    for document in collected.documents.values():
        if document.author:
            yield f"{document.author}\ts"
    for claim in collected.claims:
        yield f"{claim.speaker}\ts"
        for q in claim.graph:
            for node in (q.quad.subject, q.quad.object):
                if isinstance(node, NamedNode):
                    yield f"{node.value}\t{'t' if node.value.startswith(names.id) else 'u'}"
    for q in (*sources.documents, *sources.claims):
        if isinstance(q.quad.object, NamedNode):
            yield f"{q.quad.object.value}\tu"
    for quad in assembled.evidence:
        if quad.predicate.value == names.kg + "mentions":
            yield f"{value_of(quad.object)}\tm"


def _places(assembled: Assembled) -> Iterator[str]:
    for (subject, predicate, value), place in assembled.places.items():
        yield f"{subject} {predicate} {value} .\t{place.line}\t{place.file}"
