"""Folders on the disk: what is in one, and writing so that it is still there after a power cut."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_MOST = 1 << 20
"""Bytes that are copied at once."""

_AT_ONCE, _FEW = 8, 64
"""Tasks that write out files at the same time, and files of a task: the journal takes what comes together at once."""

_OF_SQLITE = {
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_IOERR: errno.EIO,
    sqlite3.SQLITE_READONLY: errno.EROFS,
    sqlite3.SQLITE_CANTOPEN: errno.EACCES,
}


def open_own(path: Path) -> BinaryIO:
    """A file of ours, to read and write, made if it is not there.

    Folders come from strangers: what a link in its place leads to is not ours to write, and a pipe never answers.

    :raises OSError: if it cannot be opened, or is no regular file.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "is not a regular file", str(path))
    return os.fdopen(descriptor, "r+b")


class Connection(sqlite3.Connection):
    """One that is closed when nobody has it any more: from Python 3.13 on that is a warning for any other.

    Open it with ``check_same_thread=False``: who lets go last may be another thread.
    """

    def __del__(self) -> None:
        with suppress(sqlite3.ProgrammingError):  # it was never opened
            self.close()


def refusal(e: OSError, place: str) -> str:
    """The line for a disk that is full or broken, or a folder without permission; ``place``: where, if nobody says."""
    what = "read or written" if e.errno in (errno.EACCES, errno.EPERM, errno.EIO) else "written"
    return f"{e.filename or place}: cannot be {what}: {e.strerror or e}"


@contextmanager
def of_database(path: Path) -> Iterator[None]:
    """Within it, what the disk refuses to SQLite is an :class:`OSError`, as it is for all who write files.

    Other errors of SQLite are faults of ours, and stay what they are. https://www.sqlite.org/rescode.html

    :raises OSError: naming the file.
    """
    try:
        yield
    except sqlite3.OperationalError as e:
        number = _OF_SQLITE.get(getattr(e, "sqlite_errorcode", 0) & 0xFF)  # without what an extended code adds
        if number is None:
            raise
        raise OSError(number, str(e), str(path)) from e


def sync(folder: Path) -> None:
    """Write out a folder with everything in it."""
    directories: list[Path] = []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for directory, _, names in os.walk(folder):
            directories.append(Path(directory))
            tasks = [(Path(directory), names[at : at + _FEW]) for at in range(0, len(names), _FEW)]
            for _done in pool.map(_sync_files, tasks):
                """The error of a task is raised here."""
    for path in directories:
        sync_folder(path)


def _sync_files(task: tuple[Path, list[str]]) -> None:
    directory, names = task
    for name in names:
        with (directory / name).open("rb") as file:
            os.fsync(file.fileno())


def append(out: BinaryIO, path: Path, start: int = 0, end: int | None = None) -> None:
    """Write a file, or the bytes of it between two offsets, behind what was written to ``out``.

    The system copies by itself where it can.

    :raises OSError: if the disk refuses, or the file is shorter than ``end``.
    """
    with path.open("rb") as file:
        left = (os.fstat(file.fileno()).st_size if end is None else end) - start
        file.seek(start)
        out.flush()
        with suppress(AttributeError, OSError):  # no such call here, or not between these two disks
            # What was copied is behind both files' positions.
            while left and (copied := os.copy_file_range(file.fileno(), out.fileno(), min(left, _MOST))):
                left -= copied
        while left:
            some = file.read(min(left, _MOST))
            if not some:
                raise OSError(errno.EIO, "is shorter than it was", str(path))
            out.write(some)
            left -= len(some)


def sync_folder(folder: Path) -> None:
    """Write out which names a folder has."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def files(folder: Path, root: Path | None = None) -> Iterator[str]:
    """Every path under ``folder`` that is no folder, relative to ``root``."""
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_dir():
            yield path.relative_to(root or folder).as_posix()


def folders(folder: Path) -> Iterator[str]:
    """Every folder below one, relative to it."""
    return (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_dir() and not p.is_symlink())


def why_not_there(path: Path) -> str:
    """What is said of a file that should be there and was not found."""
    try:
        path.lstat()
    except PermissionError as e:
        return f"cannot be read: {e.strerror}"
    except (OSError, ValueError):
        pass
    return "is missing"
