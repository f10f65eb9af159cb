"""What all parts make together, as sorted files: each made from that of the build before, where little changed.

A folder of the cache holds what the last release was made from, and is never changed::

    whole -> whole-XXXXXXXX/   the folder of the last build that made a release
        lock                   held by the builds that read or write here
        state                  for which shards, code, shapes …, the files' checksums, and the values that were kept
        facts, said, …         the lines of all shards, by name (extract.Lines), with what belongs to none
        asked, compared-by, …  what was worked out for each key: its first field

A build makes a new one. It reads the shards that are gone and those that are new, and takes the rest over. Where there
is nothing to take over, everything is new: the files are the same.
"""

from __future__ import annotations

import fcntl
import pickle
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from kg.build.intact import intact, sums, unwrapped, wrapped
from kg.build.lines import Change, SortedFile, differences, write_merged, write_sorted, write_spliced
from kg.build.passes.shards import DAMAGED, Shard
from kg.store.embedded import link_or_copy

MOST_SHARDS = 64
"""With more shards than this gone or new, everything is merged again: that takes no more time, and less memory."""

_STATE = "state"
_AT_ONCE = 200_000
"""Lines that are sorted in memory."""

_SHARED = frozenset({"facts", "graphs", "reached", "uses"})
"""Files whose lines parts may have in common. In others, each line names a claim or a passage, which is one part's."""

Shared = Callable[[bytes], bool]


@dataclass(frozen=True, slots=True)
class Before:
    """What the last release was made from. ``release``: its version."""

    path: Path
    release: str
    shards: tuple[str, ...]
    values: Mapping[str, Any]

    def file(self, name: str) -> SortedFile:
        return SortedFile(self.path / name)


def read_before(folder: Path, key: str) -> Before | None:
    """The last build's, if it is whole and was made with what ``key`` stands for: code, ontology, shapes …."""
    path = folder.resolve()
    try:
        data = unwrapped((path / _STATE).read_bytes(), _STATE)
        state: dict[str, Any] = pickle.loads(data)  # noqa: S301 - our own file
    except (OSError, *DAMAGED):
        return None
    if state["key"] != key or not intact(path, state["sums"]):
        return None
    return Before(path, state["release"], state["shards"], state["values"])


@dataclass(slots=True)
class Tables:
    """The one in the making. ``changes``: by name, of files of which it is known what changed."""

    folder: Path
    key: str
    before: Before | None
    shards: Sequence[Shard] = ()
    changes: dict[str, Change] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def begin(self, shards: Sequence[Shard]) -> None:
        """Say which shards there are now. From a build whose own are not whole any more, nothing is taken over."""
        self.shards = shards
        here = {shard.path.name for shard in shards}
        gone = [key for key in self.before.shards if key not in here] if self.before else []
        if not all(Shard(self._beside(key)).is_intact() for key in gone):
            self.before = None

    def path(self, name: str) -> Path:
        return self.folder / name

    def file(self, name: str) -> SortedFile:
        return SortedFile(self.folder / name)

    def kept(self, name: str) -> Any:
        """A value of the build before; ``None`` without one."""
        return self.before.values.get(name) if self.before else None

    def write(self, name: str, lines: Iterable[bytes]) -> SortedFile:
        """A file of lines in any order, some of which are in memory at a time."""
        waiting, pieces = iter(lines), list[SortedFile]()
        while some := list(islice(waiting, _AT_ONCE)):
            pieces.append(write_sorted(self.path(f"{name}-{len(pieces)}"), some))
        write_merged(self.path(name), pieces)
        for number in range(len(pieces)):
            self.path(f"{name}-{number}").unlink()
        return self.compared(name, self.file(name))

    def compared(self, name: str, file: SortedFile) -> SortedFile:
        """Note what changed in a file that was written anew."""
        if self.before:
            self.changes[name] = differences(self.before.file(name), file)
        return file

    def take_over(self, name: str) -> SortedFile:
        """The file of the build before, in which nothing changed."""
        assert self.before is not None
        link_or_copy(self.before.path / name, self.path(name))
        self.changes[name] = Change([], [])
        return self.file(name)

    def merged(self, name: str, own: Shared = lambda _: False, more: Sequence[str] = ()) -> SortedFile:
        """The lines of all shards, and of other files of this folder.

        ``own`` tells lines that only one part can have.
        """
        shards = {shard.path.name: shard for shard in self.shards}
        before = self.before
        gone = [Shard(self._beside(key)) for key in before.shards if key not in shards] if before else []
        come = [shard for key, shard in shards.items() if before is None or key not in before.shards]
        if before is None or len(gone) + len(come) > MOST_SHARDS:
            return write_merged(self.path(name), [s.lines(name) for s in self.shards] + [self.file(n) for n in more])
        lost = {line for shard in gone for line in shard.lines(name).lines()}
        found = {line for shard in come for line in shard.lines(name).lines()}
        lost, found = lost - found, found - lost
        for other in more:
            lost.update(self.changes[other].gone)
            found.update(self.changes[other].come)
        old = before.file(name)
        rest = [shard for key, shard in shards.items() if key in before.shards]
        anywhere = [*come, *rest] if name in _SHARED else []
        others = [shard.lines(name) for shard in anywhere] + [self.file(other) for other in more]
        change = Change(
            sorted(line for line in lost if own(line) or not any(line in file for file in others)),
            sorted(line for line in found if line not in old),
        )
        self.changes[name] = change
        if change == ([], []):
            return self.take_over(name)
        return write_spliced(self.path(name), old, change)

    def _beside(self, key: str) -> Path:
        return self.folder.parent / "shards" / key

    def changed(self, name: str) -> set[bytes] | None:
        """The first fields, up to a tab or a space, of the lines that changed; ``None`` if that is not known."""
        change = self.changes.get(name)
        return None if change is None else {_first(line) for lines in change for line in lines}

    def by_key(
        self,
        name: str,
        keys: Iterable[bytes] | None,
        everything: Callable[[], Iterable[bytes]],
        one: Callable[[bytes], Iterable[bytes]],
    ) -> SortedFile:
        """Lines that follow from a key: for the ``keys`` that something changed of, or for all (``None``)."""
        if keys is None or self.before is None:
            return self.write(name, everything())
        old, change = self.before.file(name), Change([], [])
        for key in sorted(set(keys)):
            had, has = set(old.starting(key + b"\t")), set(one(key))
            change.gone.extend(had - has)
            change.come.extend(has - had)
        self.changes[name] = Change(sorted(change.gone), sorted(change.come))
        return write_spliced(self.path(name), old, self.changes[name])

    def keep(self, cache: Path, release: str) -> None:
        """Make this what the next build starts from."""
        state = {
            "key": self.key,
            "release": release,
            "shards": tuple(shard.path.name for shard in self.shards),
            "sums": sums(self.folder, [path.name for path in self.folder.iterdir() if path.is_file()]),
            "values": self.values,
        }
        packed = pickle.dumps(state, protocol=pickle.HIGHEST_PROTOCOL)
        self.path(_STATE).write_bytes(wrapped(packed, _STATE))
        beside = cache / "whole.new"
        beside.unlink(missing_ok=True)
        beside.symlink_to(self.folder.name)
        beside.replace(cache / "whole")


@contextmanager
def new_tables(cache: Path, key: str) -> Iterator[Tables]:
    """A new folder in the cache; in the end, only the one that was kept last is left."""
    folder = Path(tempfile.mkdtemp(prefix="whole-", dir=cache)).resolve()
    link = cache / "whole"
    try:
        with _held(folder), _held(link.resolve()):
            yield Tables(folder, key, read_before(link, key))
    finally:
        for other in cache.glob("whole-*"):
            if other.resolve() != link.resolve() and _is_free(other):
                shutil.rmtree(other, ignore_errors=True)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Nobody removes the folder meanwhile; a process that is killed lets go."""
    if not folder.is_dir():
        yield
        return
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def _is_free(folder: Path) -> bool:
    try:
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _first(line: bytes) -> bytes:
    return line.split(b"\t", 1)[0].split(b" ", 1)[0].rstrip(b"\n")
