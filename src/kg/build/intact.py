"""Files of the cache, told from those that a disk has changed: what is taken over is published unseen.

A checksum (CRC-32) stands beside each, over its name too, so that of two files that were exchanged neither passes. It
is no guard against people: who can write to the cache can run code here.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

_SIZE = 4
_AT_ONCE = 1 << 20

Sums = dict[str, tuple[int, int]]
"""By name, the bytes of a file and its checksum."""


class Damaged(Exception):
    """A file is not what was written."""


def wrapped(content: bytes, name: str) -> bytes:
    """What is to be written as the file of a name, for :func:`unwrapped`."""
    return _sum(content, name).to_bytes(_SIZE, "big") + content


def unwrapped(data: bytes, name: str) -> bytes:
    """What was wrapped under this name.

    :raises Damaged: if it is anything else.
    """
    content = data[_SIZE:]
    if data[:_SIZE] != _sum(content, name).to_bytes(_SIZE, "big"):
        raise Damaged(f"{name} was changed")
    return content


def sums(folder: Path, names: Iterable[str]) -> Sums:
    """The checksums of files in a folder.

    :raises OSError: if one of them cannot be read.
    """
    return {name: _sum_of_file(folder / name) for name in names}


def intact(folder: Path, expected: Mapping[str, tuple[int, int]]) -> bool:
    """Whether the files in a folder are what they were."""
    try:
        # Sizes first: they cost nothing.
        return all((folder / name).stat().st_size == size for name, (size, _) in expected.items()) and all(
            _sum_of_file(folder / name) == known for name, known in expected.items()
        )
    except OSError:
        return False


def _sum(content: bytes, name: str) -> int:
    return zlib.crc32(content, zlib.crc32(name.encode()))


def _sum_of_file(path: Path) -> tuple[int, int]:
    found, size = zlib.crc32(path.name.encode()), 0
    with path.open("rb") as file:
        while some := file.read(_AT_ONCE):
            found, size = zlib.crc32(some, found), size + len(some)
    return size, found
