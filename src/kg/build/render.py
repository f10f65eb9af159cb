"""Sorted lines in the syntaxes that people download, run by run.

A run has whole subjects (and whole graphs), so what it is in any syntax does not depend on what stands before it:
the runs' bodies one behind the other, between one head and one tail, are the same bytes as the whole at once. So runs
are rendered side by side, and a run that did not change is not rendered again.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any
from zlib import crc32

from pyoxigraph import RdfFormat, parse

from kg import media, vocab
from kg.build.lines import SortedFile, groups
from kg.build.tally import count

FACTS = ("ttl", "rdf", "jsonld")
_SUBJECTS = 512
"""Subjects of a run on average, where they are not a document's own."""

_DOCUMENTS = 16
"""Documents of a run on average."""


@dataclass(frozen=True, slots=True)
class Run:
    """The lines of a file between two offsets. ``kind`` is ``facts`` or ``graphs``."""

    kind: str
    file: Path
    start: int
    end: int
    base: str
    prefixes: tuple[tuple[str, str], ...]
    folder: Path

    @property
    def name(self) -> str:
        return f"{self.kind} at byte {self.start}"


def cuts(file: SortedFile, documents: list[str], kinds: tuple[str, ...], base: str) -> list[int]:
    """Where a file is cut, so that a change moves only the cuts around it: by the names that stand there."""
    offsets = {0, len(file.data)}
    skipped = []
    for kind in kinds:
        start, end = file.find(f"<{base}{kind}/".encode()), file.find(f"<{base}{kind}0".encode())
        skipped.append((start, end))
        at = start
        for name in documents:
            if crc32(name.encode()) % _DOCUMENTS == 0:
                at = file.find(f"<{base}{kind}/{name}/".encode(), at)
                offsets.add(at)
        offsets |= {start, end}
    skipped.append((len(file.data), len(file.data)))
    at = 0
    for start, end in sorted(skipped):
        for subject, group in groups(file.lines(at, start), b" "):
            if crc32(subject) % _SUBJECTS == 0:
                offsets.add(at)
            at += sum(map(len, group))
        at = end
    return sorted(offsets)


def runs(
    kind: str, path: Path, offsets: list[int], *, base: str, prefixes: Mapping[str, str], folder: Path
) -> Iterator[Run]:
    for start, end in pairwise(offsets):
        yield Run(kind, path, start, end, base, tuple(sorted(prefixes.items())), folder)


def render(run: Run) -> Path:
    """Write a run's bodies and counts, unless they are there; returns their path without an extension."""
    lines = bytes(SortedFile(run.file).data[run.start : run.end])
    key = sha256("\n".join((run.kind, run.base, *map(str, run.prefixes))).encode())
    key.update(lines)
    stem = run.folder / key.hexdigest()
    done = stem.with_suffix(".tally")
    if not done.exists():
        tally = None
        used: set[bytes] = set()
        if run.kind == "graphs":
            nquads = b"".join(graph_last(line) for line in lines.splitlines(keepends=True))
            body, used = _body(nquads, "trig", dict(run.prefixes))
            _write(stem.with_suffix(".trig"), body)
        else:
            for extension in FACTS:
                body, names = _body(lines, extension, dict(run.prefixes))
                used |= names
                _write(stem.with_suffix(f".{extension}"), body)
            tally = count(lines.splitlines(keepends=True), vocab.Names(run.base))
        _write(stem.with_suffix(".used"), pickle.dumps(sorted(used)))
        _write(done, pickle.dumps(tally))
    return stem


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all: another process may be writing the same."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    part.replace(path)


def graph_last(line: bytes) -> bytes:
    """A line of N-Quads from one with the graph first."""
    graph, _, rest = line.partition(b" ")
    return rest[:-2] + graph + b" .\n"


def _body(lines: bytes, extension: str, prefixes: Mapping[str, str]) -> tuple[bytes, set[bytes]]:
    """What a run is in a syntax, without head and tail, and the prefixes that it uses."""
    syntax = media.RDF_BY_EXTENSION[extension]
    format_ = RdfFormat.N_QUADS if syntax.format == RdfFormat.TRIG else RdfFormat.N_TRIPLES
    quads: Any = parse(lines, format=format_)
    _, body, _ = media.in_parts(quads, syntax, prefixes)
    return body, media.used_prefixes(body) if extension in ("ttl", "trig") else set()
