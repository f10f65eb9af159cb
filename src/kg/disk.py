"""Folders on the disk: what is in one, and writing so that it is still there after a power cut."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


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


def sync(folder: Path) -> None:
    """Write out a folder with everything in it."""
    for directory, _, names in os.walk(folder):
        for name in names:
            with (Path(directory) / name).open("rb") as file:
                os.fsync(file.fileno())
        sync_folder(Path(directory))


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
