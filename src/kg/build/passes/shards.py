"""Parts and shards on disk, under the hash of everything that they depend on. In the cache's folder::

    CACHEDIR.TAG, .gitignore     for backup programs and Git: all of it can be made again
    parts/KEY                    one part, pickled and compressed
    described                    of which documents the files of each part speak
    shards/KEY/                  parts of documents that are neighbours by name, put together
        facts, graphs …          the sorted lines of all of them: the fields of kg.build.passes.extract.Lines
        parts                    the parts without their lines
        sums                     the checksums of all of these
    runs/KEY.*                   runs of the dataset in other syntaxes (see kg.build.writing.render)

Nothing in it is ever changed; what the last build did not use is removed. What a disk has changed is made again
(:mod:`kg.build.intact`). Whoever can write to it can run code here: it holds pickles.
"""

from __future__ import annotations

import hashlib
import pickle
import shutil
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from zlib import crc32

from kg.build.intact import Damaged, Sums, intact, sums, unwrapped, wrapped
from kg.build.lines import SortedFile
from kg.build.passes.extract import Lines
from kg.build.passes.part import Bundle, Common, Part, make_part

NAMES = tuple(field.name for field in fields(Lines))
DAMAGED = (Damaged, FileNotFoundError)
"""What reading something raises that was cut or changed, or that somebody removed."""

Files = Mapping[str, frozenset[str]]
"""File → the documents that it speaks of."""

_SUMS = "sums"
_DOCUMENTS = 32
"""Documents of a shard on average."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard that is on disk."""

    path: Path

    def lines(self, name: str) -> SortedFile:
        return SortedFile(self.path / name)

    def parts(self) -> Sequence[Part]:
        parts: Sequence[Part] = pickle.loads((self.path / "parts").read_bytes())  # noqa: S301 - our own file
        return parts

    def is_intact(self) -> bool:
        """Whether all of its files are there, and what they were."""
        try:
            data = (self.path / _SUMS).read_bytes()
            known: Sums = pickle.loads(unwrapped(data, self.path.name))  # noqa: S301 - our own file
        except (OSError, Damaged):
            return False
        return intact(self.path, known)


class Cache:
    """The folder. Made at the first use."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for name in ("parts", "shards", "runs"):
            (path / name).mkdir(parents=True, exist_ok=True)
        (path / ".gitignore").write_text("*\n", encoding="utf-8")
        (path / "CACHEDIR.TAG").write_text("Signature: 8a477f597d28d172789f06886806bc55\n", encoding="utf-8")
        self.described: dict[str, Files] = self._read_described()

    def _read_described(self) -> dict[str, Files]:
        """Of which documents the files of each part speak; only of parts that are there."""
        there = {path.name for path in (self.path / "parts").iterdir()}
        try:
            data = unwrapped((self.path / "described").read_bytes(), "described")
            known: dict[str, Files] = pickle.loads(data)  # noqa: S301 - our own file
        except (OSError, Damaged):
            known = {}
        return {key: files for key, files in known.items() if key in there}

    def clear(self) -> None:
        """Forget everything."""
        self.described.clear()
        self.keep((), (), ())

    def part(self, key: str) -> Path:
        return self.path / "parts" / key

    def put(self, key: str, packed: bytes, files: Files) -> None:
        """Keep a part."""
        self.described[key] = files
        path = self.part(key)
        beside = path.with_name(f"{key}.new")
        beside.write_bytes(wrapped(packed, key))
        beside.replace(path)

    @property
    def runs(self) -> Path:
        return self.path / "runs"

    def note(self, parts: Iterable[str] | None = None) -> None:
        """Write down of which documents the files of these parts speak, or of all: without that they are made again."""
        known = self.described if parts is None else {key: self.described[key] for key in parts}
        beside = self.path / "described.new"
        beside.write_bytes(wrapped(pickle.dumps(known), "described"))
        beside.replace(self.path / "described")

    def keep(self, parts: Iterable[str], shards: Iterable[str], runs: Iterable[str]) -> None:
        """Remove everything else."""
        parts = set(parts)
        self.note(parts & self.described.keys())
        for name, keys in (("parts", parts), ("shards", set(shards)), ("runs", set(runs))):
            for path in (self.path / name).iterdir():
                if path.name.partition(".")[0] not in keys:
                    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def pack(part: Part) -> bytes:
    return zlib.compress(pickle.dumps(part, protocol=pickle.HIGHEST_PROTOCOL), 1)


def unpack(packed: bytes) -> Part:
    part: Part = pickle.loads(zlib.decompress(packed))  # noqa: S301 - our own file
    return part


@dataclass(frozen=True, slots=True)
class Job:
    """Bundles for one worker, with what all parts depend on, packed."""

    bundles: tuple[tuple[str, Bundle], ...]
    common: bytes

    @property
    def name(self) -> str:
        return "documents " + ", ".join(sorted(d for _, bundle in self.bundles for d in bundle.documents))


_COMMON: dict[bytes, Common] = {}


def run_job(job: Job) -> list[tuple[str, bytes, Files]]:
    """Make the parts of a job: key, the part, packed, and of which documents its files speak."""
    digest = hashlib.sha256(job.common).digest()
    if digest not in _COMMON:
        _COMMON.clear()
        _COMMON[digest] = pickle.loads(job.common)  # noqa: S301 - from the process that gave the job
    parts = ((key, make_part(bundle, _COMMON[digest])) for key, bundle in job.bundles)
    return [(key, pack(part), part.files) for key, part in parts]


@dataclass(frozen=True, slots=True)
class Assembly:
    """Parts that make a shard, as paths."""

    parts: tuple[Path, ...]
    target: Path

    @property
    def name(self) -> str:
        return f"shard {self.target.name}"


def divided(keys: Sequence[tuple[str, str]], cache: Cache) -> Iterator[Assembly]:
    """Parts as shards; ``keys`` are names and keys of parts, in the order of the names.

    Where a shard ends depends on the name that stands there alone, so that a new document changes one shard.
    """
    group: list[str] = []
    for name, key in keys:
        if group and crc32(name.encode()) % _DOCUMENTS == 0:
            yield _assembly(group, cache)
            group = []
        group.append(key)
    if group:
        yield _assembly(group, cache)


def _assembly(keys: Sequence[str], cache: Cache) -> Assembly:
    name = hashlib.sha256("\n".join(keys).encode()).hexdigest()
    return Assembly(tuple(cache.part(key) for key in keys), cache.path / "shards" / name)


def assemble_shard(job: Assembly) -> None:
    """Put the parts of a shard together, unless it is there and whole."""
    if Shard(job.target).is_intact():
        return
    shutil.rmtree(job.target, ignore_errors=True)
    parts = [unpack(unwrapped(path.read_bytes(), path.name)) for path in job.parts]
    folder = Path(tempfile.mkdtemp(dir=job.target.parent, prefix="new-"))
    for name in NAMES:
        lines = {line for part in parts for line in getattr(part.lines, name).splitlines(keepends=True)}
        (folder / name).write_bytes(b"".join(sorted(lines)))
    light = [replace(p, lines=Lines(), describes=frozenset()) for p in parts]
    (folder / "parts").write_bytes(pickle.dumps(light, protocol=pickle.HIGHEST_PROTOCOL))
    written = pickle.dumps(sums(folder, (*NAMES, "parts")))
    (folder / _SUMS).write_bytes(wrapped(written, job.target.name))
    try:
        folder.rename(job.target)
    except OSError:
        # Another process was faster with the same.
        shutil.rmtree(folder, ignore_errors=True)
