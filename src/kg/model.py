"""The values that the stages hand to each other: frozen, without behaviour beyond their own fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from pyoxigraph import BlankNode, Literal, NamedNode, Quad

Node = NamedNode | BlankNode | Literal
"""An RDF 1.1 term."""


def value_of(node: object) -> str:
    """An IRI, a blank node's label or a literal's lexical form; empty for anything else (RDF 1.2's triple terms)."""
    return node.value if isinstance(node, NamedNode | BlankNode | Literal) else ""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands in the sources: the file as the user knows it, the line from 1 (0: the whole file)."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file

    def __reduce__(self) -> tuple[type[Place], tuple[str, int]]:
        # A dataclass looks up its fields for every value that is pickled, which takes most of the time.
        return Place, (self.file, self.line)


@dataclass(frozen=True, slots=True)
class SourceQuad:
    """A quad and the line on which it was complete."""

    quad: Quad
    place: Place

    def __reduce__(self) -> tuple[type[SourceQuad], tuple[Quad, Place]]:
        return SourceQuad, (self.quad, self.place)


class Severity(StrEnum):
    """How bad a finding is. Only errors keep a release from being published."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something the build has to say about the sources.

    ``rule`` is a stable name that tests and scripts can hold on to; ``subject`` is the claim, shape or passage.
    """

    severity: Severity
    rule: str
    message: str
    place: Place
    subject: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.severity}: {self.message}"

    def as_json(self) -> dict[str, Any]:
        return {
            "severity": str(self.severity),
            "rule": self.rule,
            "message": self.message,
            "file": self.place.file,
            "line": self.place.line,
            "subject": self.subject,
        }


def error(rule: str, message: str, place: Place, subject: str = "") -> Finding:
    """A finding that keeps the release from being published."""
    return Finding(Severity.ERROR, rule, message, place, subject)


def warning(rule: str, message: str, place: Place, subject: str = "") -> Finding:
    """A finding that is shown and published with."""
    return Finding(Severity.WARNING, rule, message, place, subject)


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether any of them keeps the release from being published."""
    return any(finding.severity is Severity.ERROR for finding in findings)


class Check(StrEnum):
    """What this build could say about a passage: "verified" only where it compared the text itself."""

    VERIFIED = "passage verified"
    NOT_CHECKED = "not checked here"


@dataclass(frozen=True, slots=True)
class Document:
    """A source text's metadata. ``author`` is the agent whose voice the text is; ``sha256`` of the normalised text."""

    name: str
    iri: str
    author: str
    text_shown: bool
    sha256: str
    place: Place


@dataclass(frozen=True, slots=True)
class Passage:
    """A span of a document: ``start`` and ``end`` are 0-based, half-open code points of the normalised text."""

    iri: str
    document: str
    start: int
    end: int
    sha256: str
    rolling_hash: str
    paragraph: int | None
    sentence: int | None
    quote: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class Review:
    """A second reading: ``by`` is the reviewer's IRI, ``on`` a date, ``content`` the fingerprint of what was read."""

    by: str
    on: str
    content: str


@dataclass(frozen=True, slots=True)
class Claim:
    """The smallest thing a document says. ``graph`` holds its triples; modality and basis are local names.

    ``targets`` are IRIs of passages; ``quotes`` are words still to be found in the document (``kg:quote``).
    """

    iri: str
    document: str
    number: str
    gloss: str
    speaker: str
    modality: str
    basis: str
    targets: tuple[str, ...]
    quotes: tuple[str, ...]
    graph: tuple[SourceQuad, ...]
    place: Place
    review: Review | None = None


@dataclass(frozen=True, slots=True)
class ExampleQuery:
    """A question people may start from: ``text`` has every IRI absolute.

    ``parameters``: variables whose values readers choose, and what each is called (:mod:`kg.query.parameters`).
    ``columns``: what the columns of some variables are called on pages.
    """

    name: str
    title: str
    description: str
    text: str
    parameters: tuple[tuple[str, str], ...] = ()
    columns: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file of a release. ``count`` is its number of triples, quads or rows, where that means something."""

    path: str
    sha256: str
    size: int
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a release holds: every reproducible file, the base, and one digest over all of it."""

    base: str
    title: str
    description: str
    license: str
    publisher: str
    digest: str
    quads_sha256: str
    files: tuple[FileEntry, ...]
    counts: Mapping[str, int]
    prefixes: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
