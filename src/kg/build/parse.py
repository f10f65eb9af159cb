"""Stage 1: read every source file into quads that know their file and line. On disk::

    ontology/**            Turtle    terms, their labels and definitions
    shapes/**              Turtle    SHACL shapes
    data/documents/**      Turtle    metadata; the texts themselves lie beside them (read by ``ground``)
    data/claims/**         TriG      one named graph a claim, and its metadata
    data/entities/**       Turtle    labels only
    data/queries/*.rq      SPARQL    example questions

Turtle, TriG, N-Triples and N-Quads are read, with relative IRIs resolved against the base, always. A file that
cannot be read becomes findings and gives no quads at all: nothing is loaded in part.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, NamedTuple, TypeVar, cast
from urllib.parse import urljoin

from pyoxigraph import BlankNode, Literal, Quad, RdfFormat, parse

from kg import vocab
from kg.bounds import check_memory, doing
from kg.build.limit import Limit
from kg.build.prefixes import slips
from kg.build.stored import stored
from kg.build.syntax_errors import readable, two_values
from kg.errors import SourceError
from kg.model import Finding, Place, SourceQuad, error, warning

FORMATS = {
    ".ttl": RdfFormat.TURTLE,
    ".trig": RdfFormat.TRIG,
    ".nt": RdfFormat.N_TRIPLES,
    ".nq": RdfFormat.N_QUADS,
}
UNREAD = {".rdf", ".owl", ".xml", ".jsonld", ".json", ".n3", ".csv"}
"""Data that somebody may expect to be read: refused by name instead of being passed over."""

PACKED = {".gz", ".tgz", ".bz2", ".xz", ".zst", ".zip", ".tar", ".7z"}

_ORIGINALS = {".xml", ".json", ".csv", *PACKED}
_BESIDE = {".md", ".txt", ""}
"""Notes may lie beside sources; beside descriptions of documents, whatever they describe."""

Item = TypeVar("Item")

FOLDERS = {
    "ontology": Path("ontology"),
    "shapes": Path("shapes"),
    "documents": Path("data/documents"),
    "claims": Path("data/claims"),
    "entities": Path("data/entities"),
}

MAX_FILE = 256 << 20
"""Bytes of one source file: it is read whole."""

MAX_LINES = 8_000_000
"""Lines of one source file: each is handed to the parser by itself."""

_MAX_BLANK = 100_000
"""Triples in one file whose subject has no name. More are a list or a nest that somebody wrote by mistake or in malice,
and would have to be told apart."""

_A_WHILE = 10_000  # triples after which somebody looks how much memory is left

_MAX_PREFIXES = 1000

_MAX_TRIPLE_TERMS = 1000
"""Triple terms are refused one by one, with their lines; a file with more is not parsed: nesting kills parsers."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that was read, by folder."""

    ontology: tuple[SourceQuad, ...] = ()
    shapes: tuple[SourceQuad, ...] = ()
    documents: tuple[SourceQuad, ...] = ()
    claims: tuple[SourceQuad, ...] = ()
    entities: tuple[SourceQuad, ...] = ()
    prefixes: dict[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def parse_sources(root: Path, base: str) -> Sources:
    """Read the sources under ``root``; what cannot be read is in ``findings``."""
    findings: list[Finding] = []
    files = [file for folder in FOLDERS for file in list_files(root, folder, findings)]
    sources = parse_files(files, base)
    findings += sources.findings
    if not sources.claims and not findings:
        findings.append(no_claims())
    return replace(sources, findings=tuple(findings))


def no_claims() -> Finding:
    """What is said of a project without a claim."""
    place = Place(FOLDERS["claims"].as_posix())
    return error("no-claims", "there is no claim here; `kg cite` helps to write the first", place)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file in one of ``FOLDERS``, as the user knows it (``shown``)."""

    folder: str
    shown: str
    path: Path


def list_files(root: Path, folder: str, findings: list[Finding]) -> Iterator[SourceFile]:
    """The files of a folder that are read, by path; what cannot be read is in ``findings``."""
    for path in _files(root, FOLDERS[folder], findings):
        shown = shown_path(path, root)
        if is_readable(path, root):
            yield SourceFile(folder, shown, path)
        else:
            findings.append(bad_name(shown))


def shown_path(path: Path, root: Path) -> str:
    """A file as the user knows it; what would break a line, or is no text at all, is escaped.

    >>> shown_path(Path("data/a\\nb\\udcff.ttl"), Path("data"))
    'a\\\\nb\\\\udcff.ttl'
    """
    return _NOT_IN_LINES.sub(lambda found: ascii(found[0])[1:-1], path.relative_to(root).as_posix())


def is_readable(path: Path, root: Path) -> bool:
    """Whether people can read the path of a file under ``root``."""
    return not _NOT_IN_LINES.search(path.relative_to(root).as_posix())


def bad_name(shown: str) -> Finding:
    """What is said of a file whose name nobody can read."""
    return error("name", "has a name with control characters, or one that is not UTF-8: rename it", Place(shown))


_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""Its byte order marks: what some editors call Unicode."""


class Unreadable(NamedTuple):
    """Why a file that is there could not be read."""

    message: str
    place: Place


def read_file(path: Path, shown: str) -> bytes | Unreadable:
    """The bytes of a file, or why not."""
    doing(shown)
    try:
        return read_utf8(path, shown)
    except SourceError as e:
        return Unreadable(str(e), Place(e.file, e.line))


def parse_files(
    files: Iterable[SourceFile], base: str, contents: Mapping[str, bytes | Unreadable] | None = None
) -> Sources:
    """Read files in their order. ``contents``: what somebody has read of them already, by ``shown``."""
    findings: list[Finding] = []
    prefixes: dict[str, str] = {}
    quads: dict[str, list[SourceQuad]] = {folder: [] for folder in FOLDERS}
    for file in files:
        doing(file.shown)
        data = (contents or {}).get(file.shown) or read_file(file.path, file.shown)
        if isinstance(data, Unreadable):
            findings.append(error("syntax", data.message, data.place))
            continue
        try:
            quads[file.folder] += parse_rdf(data, file.path.suffix, file.shown, base, findings, prefixes=prefixes)
        except SourceError as e:
            findings.append(error("syntax", str(e), Place(e.file, e.line)))
    parts = {folder: tuple(resolve_namespace(q, base) for q in found) for folder, found in quads.items()}
    sources = Sources(prefixes=prefixes, findings=tuple(findings))
    return replace(sources, **parts)  # type: ignore[arg-type] # the folders are the fields


def read_rdf(
    path: Path, shown: str, base: str, findings: list[Finding], prefixes: dict[str, str] | None = None
) -> list[SourceQuad]:
    """The quads of one file, each with the line on which it was complete.

    :raises SourceError: if the file cannot be read, is empty, is not UTF-8, or breaks the grammar.
    """
    return parse_rdf(read_utf8(path, shown), path.suffix, shown, base, findings, prefixes=prefixes)


def parse_rdf(
    data: bytes, suffix: str, shown: str, base: str, findings: list[Finding], *, prefixes: dict[str, str] | None = None
) -> list[SourceQuad]:
    """The quads of a file's bytes; ``suffix`` says which syntax they are in.

    :raises SourceError: if they break the grammar or hold no triple.
    """
    return list(stream_rdf(data, suffix, shown, base, findings, prefixes=prefixes))


def stream_rdf(
    data: bytes, suffix: str, shown: str, base: str, findings: list[Finding], *, prefixes: dict[str, str] | None = None
) -> Iterator[SourceQuad]:
    """As :func:`parse_rdf`, one by one; whoever takes some must not keep them unless the last one came."""
    _check_size(data, shown)
    lines = _Lines(data)
    blank = 0
    empty = True
    limit, found = Limit(), list[Finding]()
    try:
        # pyoxigraph only needs read(); typing asks for all of IO.
        parser = parse(cast(IO[bytes], lines), format=FORMATS[suffix], base_iri=base, rename_blank_nodes=True)
        for item in _while_there_is_memory(parser):
            place = Place(shown, lines.count)
            blank += isinstance(item.subject, BlankNode)
            if blank > _MAX_BLANK:
                message = f"more than {_MAX_BLANK} triples in this file have a subject without a name: give them IRIs"
                raise SourceError(message, file=shown, line=lines.count)
            quad = stored(cast(Quad, item), place, found)
            findings += filter(None, map(limit, found))
            found.clear()
            if limit.is_full:
                return  # of a file with an error nothing is made
            if quad is not None:
                empty = False
                yield SourceQuad(quad, place)
    except SyntaxError as e:
        raise SourceError(readable(str(e.msg), suffix), file=shown, line=e.lineno or lines.count) from None
    except MemoryError as e:
        if not e.args:  # the parser's own says why
            raise
        raise SourceError("a name or literal is longer than 16 MiB", file=shown, line=lines.count) from None
    if len(parser.prefixes) > _MAX_PREFIXES:
        raise SourceError(f"declares more than {_MAX_PREFIXES} prefixes", file=shown)
    findings += slips(parser.prefixes, data, shown, base)
    findings += two_values(data, shown) if suffix in (".ttl", ".trig") else ()
    if prefixes is not None:
        prefixes.update((k, v) for k, v in parser.prefixes.items() if k not in prefixes)
    if empty:
        raise SourceError("there is no triple in this file", file=shown)


def _check_size(data: bytes, shown: str) -> None:
    if data.count(b"<<(") > _MAX_TRIPLE_TERMS:
        raise SourceError("triple terms are not stored: write claims instead", file=shown)
    if data.count(b"\n") > MAX_LINES:
        raise SourceError(f"has more than {MAX_LINES} lines: split it", file=shown)


def _while_there_is_memory(items: Iterable[Item]) -> Iterator[Item]:
    for number, item in enumerate(items, 1):
        if number % _A_WHILE == 0:
            check_memory()
        yield item


def read_utf8(path: Path, shown: str) -> bytes:
    """A file's bytes without a byte order mark.

    :raises SourceError: if it is no regular file, cannot be read, is empty, or is not UTF-8.
    """
    if path.is_dir():
        raise SourceError("is a folder where a file was expected", file=shown)
    if not path.is_file():
        broken = "is a link that leads nowhere" if path.is_symlink() else "does not exist"
        raise SourceError("is not a regular file that can be read" if path.exists() else broken, file=shown)
    try:
        if path.stat().st_size > MAX_FILE:
            raise SourceError(f"is larger than {MAX_FILE >> 20} MiB: split it", file=shown)
        data = path.read_bytes()
    except OSError as e:
        raise SourceError(f"cannot be read: {e.strerror}", file=shown) from e
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as e:
        line = data.count(b"\n", 0, e.start) + 1
        what = "UTF-16, and not UTF-8" if data.startswith(_UTF_16) else f"not UTF-8 (byte 0x{data[e.start]:02x})"
        raise SourceError(f"is {what}: save the file as UTF-8", file=shown, line=line) from None
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        raise SourceError("is empty", file=shown)
    return data


class _Lines:
    """Hands a parser at most one line a read, so that the number of lines begun is the line of what it yields."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)
        self._at_start = True
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        # Never more than was asked for: the parser's buffer has no room for it, and its process aborts.
        part = self._file.readline(size)
        self.count += bool(part) and self._at_start
        self._at_start = part.endswith(b"\n")
        return part


def _files(root: Path, folder: Path, findings: list[Finding]) -> Iterator[Path]:
    top = root / folder
    findings += (wrong := [*no_folder(root, folder)])
    if wrong:
        return
    for path in [top, *sorted(top.rglob("*"))]:
        if path.is_dir() and not os.access(path, os.R_OK | os.X_OK):
            findings.append(error("folder", "this folder cannot be read", Place(shown_path(path, root))))
        if path == top or is_hidden(path, top):
            continue
        if path.suffix in FORMATS:
            yield path
        elif not path.is_dir():
            findings += _passed_over(path, folder, Place(shown_path(path, root)))


def no_folder(root: Path, folder: Path) -> Iterator[Finding]:
    """What is wrong where something else stands in place of a folder; a link that leads nowhere is no empty folder."""
    top = root / folder
    if os.path.lexists(top) and not top.is_dir():
        leads = f", and is a link to {top.readlink()}, where none is" if top.is_symlink() else ""
        yield error("folder", f"must be a folder{leads}", Place(folder.as_posix()))


def is_hidden(path: Path, top: Path) -> bool:
    """Whether a path below a folder is hidden, or lies in a hidden folder (``.ipynb_checkpoints``)."""
    return any(part.startswith(".") for part in path.relative_to(top).parts)


def _has_text(path: Path) -> bool:
    return any(path.with_suffix(suffix).is_file() for suffix in (".txt", ".md"))


def _passed_over(path: Path, folder: Path, place: Place) -> Iterator[Finding]:
    """A file that is not read is never passed over in silence, if somebody may take it for data.

    A page or a table beside a text of its name is what the text was made from.
    """
    suffix = path.suffix.lower()
    if folder == FOLDERS["documents"] and suffix in _ORIGINALS and _has_text(path):
        return
    if suffix in UNREAD:
        how = "" if suffix == ".csv" else " (docs/publishing.md says how)"
        yield error("format", f"{path.suffix} is not read here: convert it to Turtle or TriG{how}", place)
    elif suffix in PACKED:
        yield error("format", f"{path.suffix} is not read here: unpack it", place)
    elif suffix in FORMATS:
        yield error("format", f"{path.suffix} is not read here: write {suffix}", place)
    elif suffix not in _BESIDE and folder != FOLDERS["documents"] and not path.name.endswith("~"):
        yield warning("format", f"is not read: only {', '.join(FORMATS)} are", place)


def absolute(reference: str, base: str) -> str:
    """An IRI reference resolved against the base (RFC 3986, section 5.2), an empty fragment kept.

    >>> absolute("ontology#", "http://localhost:8000/")
    'http://localhost:8000/ontology#'
    >>> absolute("http://www.w3.org/2002/07/owl#", "https://example.org/")
    'http://www.w3.org/2002/07/owl#'
    """
    joined = urljoin(base, reference)
    # urljoin mostly drops an empty fragment, and with it the "#" that a namespace ends in.
    return joined + "#" if reference.endswith("#") and not joined.endswith("#") else joined


def resolve_namespace(q: SourceQuad, base: str) -> SourceQuad:
    """Namespaces in ``sh:declare`` and ``vann:`` are literals, which no parser resolves against the base.

    Left relative, a query in a shape (SHACL, section 5.2.1) expands to terms that do not exist, and a violating
    graph passes.
    """
    quad = q.quad
    if quad.predicate.value not in _NAMESPACES or not isinstance(quad.object, Literal):
        return q
    value = Literal(absolute(quad.object.value, base), datatype=quad.object.datatype)
    return SourceQuad(Quad(quad.subject, quad.predicate, value, quad.graph_name), q.place)


_NOT_IN_LINES = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NAMESPACES = (vocab.SH + "namespace", vocab.VANN_NAMESPACE)
