"""Folders on the disk: what is in one, and writing so that it is still there after a power cut."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


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
