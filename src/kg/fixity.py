"""Fixity: whether the files of a release are what they were when it was sealed.

Every byte is hashed. Web processes are forks of a process that has just done so: they look whether a file was written
to since, which the system says (:func:`compare_all`), and hash again only if one was.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from kg.bounds import processors
from kg.errors import ReleaseError
from kg.model import FileEntry

_TRUSTED = 600 * 10**9
"""Nanoseconds after which everything is hashed again: a disk that loses bits says no other time of change."""

_CLOCK = 10**9
"""Nanoseconds in which a file may be written to twice and say one time of change: the clocks of disks are coarse."""


class _Marks(NamedTuple):
    """What changes whenever a file is written to, or another takes its place.

    ``sha256``: over each file's number on the disk, size and time of change (ctime, which nobody can set). ``taken``,
    ``newest``: when that was, and the last of these times, in nanoseconds since 1970.
    """

    sha256: str
    taken: int
    newest: int


_compared: dict[Path, _Marks] = {}
"""Of each folder, its marks from before all of it was found to be as it was sealed."""


def file_entry(root: Path, path: Path, count: int | None = None) -> FileEntry:
    """Hash a file of the release under ``root``."""
    with path.open("rb") as file:
        sha = hashlib.file_digest(file, "sha256").hexdigest()
    return FileEntry(path.relative_to(root).as_posix(), sha, path.stat().st_size, count)


def compare_all(root: Path, entries: Collection[FileEntry], beside: Sequence[str] = ()) -> None:
    """Compare the files of a release, unless this process, or the one that it is a fork of, did so a short while ago.

    ``beside``: files that say what the others should be. On all processors, the largest first: hashing lets other
    threads run.

    :raises ReleaseError: naming a file that is not what it was.
    """
    marks = _marks(root, [*(entry.path for entry in entries), *beside])
    if _is_known(root, marks):
        return
    with ThreadPoolExecutor(processors()) as pool:
        tasks = [pool.submit(compare, root, e) for e in sorted(entries, key=lambda e: (-e.size, e.path))]
        try:
            for task in tasks:
                task.result()
        except ReleaseError:
            pool.shutdown(cancel_futures=True)
            raise
    _compared[root] = marks


def _is_known(root: Path, marks: _Marks) -> bool:
    before = _compared.get(root)
    return (
        before is not None
        and before.sha256 == marks.sha256
        and before.newest + _CLOCK < before.taken
        and before.taken <= marks.taken < before.taken + _TRUSTED
    )


def _marks(root: Path, names: Iterable[str]) -> _Marks:
    taken, newest, sha = time.time_ns(), 0, hashlib.sha256()
    for name in sorted(names):
        try:
            found = os.lstat(root / name)
        except OSError as e:
            raise ReleaseError(f"{root / name}: cannot be read: {e.strerror}", file=name) from e
        newest = max(newest, found.st_ctime_ns)
        sha.update(repr((name, found.st_dev, found.st_ino, found.st_size, found.st_ctime_ns)).encode())
    return _Marks(sha.hexdigest(), taken, newest)


def compare(root: Path, entry: FileEntry) -> None:
    """Compare one file.

    :raises ReleaseError: if it is not what it was.
    """
    path = root / entry.path
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise ReleaseError(f"{path}: is not a file, which it was when the release was sealed", file=entry.path)
        if not path.exists():
            raise ReleaseError(f"{path}: is missing", file=entry.path)
        if path.stat().st_size != entry.size:
            raise ReleaseError(
                f"{path}: has {path.stat().st_size} bytes where the release was sealed with {entry.size}",
                file=entry.path,
            )
        if file_entry(root, path).sha256 != entry.sha256:
            raise ReleaseError(f"{path}: was changed after the release was sealed", file=entry.path)
    except OSError as e:
        raise ReleaseError(f"{path}: cannot be read: {e.strerror}", file=entry.path) from e
