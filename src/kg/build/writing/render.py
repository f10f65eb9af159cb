"""Sorted lines in the syntaxes that people download, with their counts and their rows for the index, run by run.

A run has whole subjects (and whole graphs), so what it is in any syntax does not depend on what stands before it:
the runs' bodies one behind the other, between one head and one tail, are the same bytes as the whole at once. So runs
are rendered side by side, and a run that did not change is not rendered again.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any
from zlib import crc32

from pyoxigraph import RdfFormat, parse

from kg import media, vocab
from kg.build.intact import Damaged, Sums, intact, sums, unwrapped, wrapped
from kg.build.lines import SortedFile
from kg.build.writing.coverage import cover
from kg.build.writing.entries import Rows, rows_of_lines
from kg.build.writing.tally import Tally, count

FACTS = ("ttl", "rdf", "jsonld")
_SUBJECTS = 512
"""Subjects of a run on average, where they are not a document's own."""

_DOCUMENTS = 16
"""Documents of a run on average."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What rendering depends on beside the lines: ``code`` stands for our own. ``language``: that of labels."""

    code: str
    base: str
    prefixes: tuple[tuple[str, str], ...]
    language: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Run:
    """The lines of a file between two offsets. ``kind`` is ``facts`` or ``graphs``.

    ``said``: of facts, the stretch of claims' triples with the same subjects, between two offsets of another file.
    """

    kind: str
    file: Path
    start: int
    end: int
    rules: Rules
    said: tuple[Path, int, int] | None = None

    @property
    def name(self) -> str:
        return f"{self.kind} at byte {self.start}"

    def read(self) -> tuple[bytes, bytes]:
        """The lines, and those of claims."""
        said = b""
        if self.said:
            path, start, end = self.said
            said = bytes(SortedFile(path).data[start:end])
        return bytes(SortedFile(self.file).data[self.start : self.end]), said

    def stem(self, content: tuple[bytes, bytes]) -> Path:
        """Where what comes of the lines is kept, without an extension."""
        rules = self.rules
        key = sha256("\n".join((self.kind, rules.code, rules.base, rules.language, *map(str, rules.prefixes))).encode())
        for lines in content:
            key.update(b"%d\n" % len(lines))
            key.update(lines)
        return rules.folder / key.hexdigest()


def cuts(file: SortedFile, documents: Sequence[str], kinds: Sequence[str], base: str) -> list[int]:
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
        for found in _SUBJECT.finditer(file.data, at, start):
            if crc32(found[1]) % _SUBJECTS == 0:
                offsets.add(found.start())
        at = end
    return sorted(offsets)


_SUBJECT = re.compile(rb"^([^ ]+) .*\n(?:\1 .*\n)*", re.MULTILINE)
"""All lines of a subject."""


def runs_of_facts(facts: Path, said: Path, documents: Sequence[str], rules: Rules) -> Iterator[Run]:
    """The default graph; what claims say of a subject that it does not have goes with the one before it."""
    lines, claimed = SortedFile(facts), SortedFile(said)
    offsets = cuts(lines, documents, ("claim", "document", "passage"), rules.base)
    at = 0
    for start, end in pairwise(offsets):
        subject = lines.data[end : lines.data.find(b" ", end)] if end < len(lines.data) else None
        stop = len(claimed.data) if subject is None else claimed.find(subject, at)
        yield Run("facts", facts, start, end, rules, (said, at, stop))
        at = stop


def runs_of_graphs(path: Path, documents: Sequence[str], rules: Rules) -> Iterator[Run]:
    """The graphs with a name."""
    for start, end in pairwise(cuts(SortedFile(path), documents, ("claim",), rules.base)):
        yield Run("graphs", path, start, end, rules)


def render(run: Run) -> Path:
    """Write a run's bodies, counts and rows, unless they are there; returns their path without an extension."""
    lines, said = run.read()
    stem = run.stem((lines, said))
    if _is_rendered(stem):
        return stem
    found = _of_graphs(lines, run.rules) if run.kind == "graphs" else _of_facts(lines, said, run.rules)
    for suffix, content in found.items():
        _write(stem.with_suffix(suffix), content)
    used = set().union(*(media.used_prefixes(found[suffix]) for suffix in (".ttl", ".trig") if suffix in found))
    known = sums(stem.parent, [f"{stem.name}{suffix}" for suffix in found])
    done = stem.with_suffix(".done")
    _write(done, wrapped(pickle.dumps((sorted(used), known)), done.name))
    return stem


def _is_rendered(stem: Path) -> bool:
    """Whether somebody did it before, and all of it is there and what it was."""
    try:
        return intact(stem.parent, _read_done(stem)[1])
    except (OSError, Damaged):
        return False


def _of_graphs(lines: bytes, rules: Rules) -> dict[str, bytes]:
    nquads = b"".join(graph_last(line) for line in lines.splitlines(keepends=True))
    return {".trig": _body(nquads, "trig", rules), ".nq": nquads}


def _of_facts(lines: bytes, said: bytes, rules: Rules) -> dict[str, bytes]:
    names, triples = vocab.Names(rules.base), lines.splitlines(keepends=True)
    tally = count(triples, names)
    tally.covered = cover(triples, said.splitlines(keepends=True), names)
    rows = rows_of_lines(lines, said, names, rules.language)
    return {
        **{f".{extension}": _body(lines, extension, rules) for extension in FACTS},
        ".tally": pickle.dumps(tally),
        ".rows": pickle.dumps(rows, protocol=pickle.HIGHEST_PROTOCOL),
    }


def _read_done(stem: Path) -> tuple[list[bytes], Sums]:
    """The prefixes that the bodies use, and the checksums of all files."""
    done = stem.with_suffix(".done")
    found: tuple[list[bytes], Sums] = pickle.loads(unwrapped(done.read_bytes(), done.name))  # noqa: S301 - our own file
    return found


def read_tally(stem: Path) -> Tally:
    found: Tally = pickle.loads(stem.with_suffix(".tally").read_bytes())  # noqa: S301 - our own file
    return found


def read_rows(stem: Path) -> Rows:
    found: Rows = pickle.loads(stem.with_suffix(".rows").read_bytes())  # noqa: S301 - our own file
    return found


def used_prefixes(stem: Path) -> list[bytes]:
    """The prefixes that the bodies of a run use."""
    return _read_done(stem)[0]


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all: another process may be writing the same."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    part.replace(path)


def graph_last(line: bytes) -> bytes:
    """A line of N-Quads from one with the graph first."""
    graph, _, rest = line.partition(b" ")
    return rest[:-2] + graph + b" .\n"


def _body(lines: bytes, extension: str, rules: Rules) -> bytes:
    """What a run is in a syntax, without head and tail."""
    syntax = media.RDF_BY_EXTENSION[extension]
    format_ = RdfFormat.N_QUADS if syntax.format == RdfFormat.TRIG else RdfFormat.N_TRIPLES
    quads: Any = parse(lines, format=format_)
    _, body, _ = media.in_parts(quads, syntax, dict(rules.prefixes))
    return body
