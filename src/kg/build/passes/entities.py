"""The files in ``data/entities``: labels of things, and what was merged into what; as sorted lines.

They belong to no document, and one file may have millions of labels: they are read one by one. A line of ``labels``::

    IRI  TAB  number in the order of the files  TAB  mark  TAB  language  TAB  label  TAB  line  TAB  file

Marks: ``l`` ``rdfs:label``, ``p`` another label that a page can show, ``e`` anything else, ``r`` merged (the other
thing is in the label's place).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pyoxigraph import BlankNode, Literal

from kg import tags, vocab
from kg.build.assemble import skolemise
from kg.build.collect import collect
from kg.build.limit import RULE
from kg.build.lines import SortedFile, write_merged, write_sorted
from kg.build.parse import MAX_FILE, SourceFile, Sources, Unreadable, read_file, stream_rdf
from kg.build.passes.tables import Tables
from kg.errors import SourceError
from kg.model import Finding, Place, SourceQuad, error, value_of

_AT_ONCE = 50_000
"""Triples of a file that are held at the same time."""

_MARKS = {vocab.RDFS_LABEL: "l", vocab.SKOS_PREF_LABEL: "p", vocab.REPLACED_BY: "r"}


class Label(NamedTuple):
    """A line of ``labels``."""

    iri: str
    mark: str
    language: str
    text: str
    place: Place


@dataclass(slots=True)
class Entities:
    """``facts``: triples. ``labels``, ``places``: lines. What is wrong, by the gate it closes; prefixes by file."""

    facts: SortedFile
    labels: SortedFile
    places: SortedFile
    parsed: tuple[Finding, ...]
    collected: tuple[Finding, ...]
    prefixes: dict[str, dict[str, str]]

    def of(self, iri: str) -> Iterator[Label]:
        """What the files say of a thing, in their order."""
        return map(read_label, self.labels.starting(f"{iri}\t".encode()))


def read_label(line: bytes) -> Label:
    iri, _, mark, language, text, number, file = line.decode().rstrip("\n").split("\t")
    return Label(iri, mark, language, _unescaped(text), Place(file, int(number)))


def read_entities(files: Sequence[SourceFile], base: str, terms: frozenset[str], tables: Tables) -> Entities:
    """Read the files into sorted ones; where none of them changed, those of the build before are taken."""
    digest = _digest(files)
    kept = tables.kept("of entities")
    if kept and kept[0] == digest:
        facts, labels, places = map(tables.take_over, _FILES)
        found = Entities(facts, labels, places, *kept[1:])
    else:
        found = _read(files, base, terms, tables)
        if _digest(files) != digest:
            digest = ""  # somebody saved a file meanwhile, and nobody knows which of its contents was read
    tables.values["of entities"] = (digest, found.parsed, found.collected, found.prefixes)
    return found


_FILES = ("entities", "labels", "places")


def _digest(files: Sequence[SourceFile]) -> str:
    contents = hashlib.sha256()
    for file in files:
        contents.update(f"{file.shown} {_hash(file.path)}\n".encode())
    return contents.hexdigest()


def _hash(path: Path) -> str:
    try:
        if not path.is_file() or path.stat().st_size > MAX_FILE:
            return "is not read"  # a pipe would never answer
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as e:
        return f"cannot be read: {e.strerror}"


def _read(files: Sequence[SourceFile], base: str, terms: frozenset[str], tables: Tables) -> Entities:
    parsed: list[Finding] = []
    collected: list[Finding] = []
    prefixes: dict[str, dict[str, str]] = {}
    pieces: dict[str, list[SortedFile]] = {name: [] for name in _FILES}
    number = 0
    for quads in _chunks(files, base, parsed, prefixes):
        collected += collect(Sources(entities=tuple(quads)), base, terms).findings
        if any(finding.rule == RULE for finding in collected):
            break  # nothing is made of files with errors, and these have too many
        described = skolemise(quads, vocab.Names(base))
        triples = [f"{q.quad.triple} ." for q in described]
        lines = {
            "entities": triples,
            "labels": [_line(q, number + at) for at, q in enumerate(described)],
            "places": [f"{t}\t{q.place.line}\t{q.place.file}" for t, q in zip(triples, described, strict=True)],
        }
        for name, some in lines.items():
            path = tables.path(f"{name}-{len(pieces[name])}")
            pieces[name].append(write_sorted(path, (f"{line}\n".encode() for line in some)))
        number += len(described)
    for name, files_of in pieces.items():
        tables.compared(name, write_merged(tables.path(name), files_of))
        for at in range(len(files_of)):
            tables.path(f"{name}-{at}").unlink()
    facts, labels, places = map(tables.file, _FILES)
    return Entities(facts, labels, places, tuple(parsed), tuple(collected), prefixes)


def _chunks(
    files: Iterable[SourceFile], base: str, findings: list[Finding], prefixes: dict[str, dict[str, str]]
) -> Iterator[list[SourceQuad]]:
    """Some triples at a time; those with blank nodes together, at the end of their file."""
    for file in files:
        data = read_file(file.path, file.shown)
        if isinstance(data, Unreadable):
            findings.append(error("syntax", data.message, data.place))
            continue
        nameless: list[SourceQuad] = []
        declared = prefixes.setdefault(file.shown, {})
        stream = stream_rdf(data, file.path.suffix, file.shown, base, findings, prefixes=declared)
        try:
            while some := list(islice(stream, _AT_ONCE)):
                named = [q for q in some if not _touches_blank(q)]
                if len(named) < len(some):
                    nameless += filter(_touches_blank, some)
                yield named
        except SourceError as e:
            findings.append(error("syntax", str(e), Place(e.file, e.line)))
            continue  # nothing is made of half a file
        if nameless:
            yield nameless


def _touches_blank(q: SourceQuad) -> bool:
    return isinstance(q.quad.subject, BlankNode) or isinstance(q.quad.object, BlankNode)


def _line(q: SourceQuad, number: int) -> str:
    value = q.quad.object
    language = (value.language or "") if isinstance(value, Literal) else ""
    mark = _MARKS.get(q.quad.predicate.value, "e")
    fields = (value_of(q.quad.subject), f"{number:012}", mark, language, _escaped(value_of(value)))
    return "\t".join((*fields, str(q.place.line), q.place.file))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _unescaped(text: str) -> str:
    letters = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}
    return re.sub(r"\\(.)", lambda match: letters[match[1]], text)


class Labels:
    """The words for things and terms."""

    def __init__(self, entities: Entities, ontology: Iterable[SourceQuad]) -> None:
        self._entities = entities
        self._terms: dict[str, list[Literal]] = {}
        for q in ontology:
            if q.quad.predicate.value == vocab.RDFS_LABEL and isinstance(q.quad.object, Literal):
                self._terms.setdefault(value_of(q.quad.subject), []).append(q.quad.object)
        self.of_speaker = lru_cache(maxsize=10_000)(self._of_speaker)

    def _of_speaker(self, iri: str) -> str | None:
        """The first label of a thing."""
        return next((label.text for label in self._entities.of(iri) if label.mark == "l"), None)

    def preferred(self, iri: str) -> str | None:
        """The English label, else one in no language, else in any other."""
        known = [
            *((label.text, label.language) for label in self._entities.of(iri) if label.mark == "l"),
            *((term.value, term.language or "") for term in self._terms.get(iri, ())),
        ]
        return min(known, key=lambda one: tags.order(one, ("en",)))[0] if known else None
