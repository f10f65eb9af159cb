"""Sorted files of lines: how a dataset that is larger than memory is put in order.

Every line is UTF-8, ends in a line feed, and stands in the order of its bytes, which is that of its code points. No
file has a line twice. N-Triples and tables with tabs between their fields sort by their first field this way, because
a tab and the ``>`` of an IRI come before everything that can go on.
"""

from __future__ import annotations

import heapq
import mmap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from kg.disk import append

_STEP = 1 << 12
"""Bytes that a merge first looks ahead for a run of lines that no other file interrupts."""


_MOST = 1 << 20
"""Bytes that are compared or written at once."""


class Change(NamedTuple):
    """Lines that a file does not have any more, and those that it had not before; both in order."""

    gone: list[bytes]
    come: list[bytes]


class SortedFile:
    """A sorted file, looked into without reading it; an empty or missing one has no lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data: mmap.mmap | bytes = b""
        if path.exists() and path.stat().st_size:
            with path.open("rb") as file:
                self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def find(self, key: bytes, start: int = 0, end: int | None = None) -> int:
        """The offset of the first line between two offsets that is not less than ``key``; ``end`` if there is none."""
        low, high = start, len(self.data) if end is None else end
        while low < high:
            middle = self.data.rfind(b"\n", low, (low + high) // 2) + 1 or low
            stop = self.data.find(b"\n", middle) + 1 or len(self.data)
            if self.data[middle:stop] < key:
                low = stop
            else:
                high = middle
        return low

    def starting(self, prefix: bytes) -> Iterator[bytes]:
        """The lines that begin with ``prefix``."""
        at = self.find(prefix)
        while self.data[at : at + len(prefix)] == prefix and prefix:
            end = self.data.find(b"\n", at) + 1
            yield bytes(self.data[at:end])
            at = end

    def count(self) -> int:
        """How many lines there are."""
        return sum(some.count(b"\n") for some in self.chunks())

    def chunks(self) -> Iterator[bytes]:
        """The content, whole lines at a time."""
        at = 0
        while at < len(self.data):
            end = self.data.rfind(b"\n", at, at + _MOST) + 1 or self.data.find(b"\n", at) + 1
            yield self.data[at:end]
            at = end

    def __contains__(self, line: bytes) -> bool:
        at = self.find(line)
        return self.data[at : at + len(line)] == line

    def lines(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The lines between two offsets."""
        data, end = self.data, len(self.data) if end is None else end
        while start < end:
            stop = data.find(b"\n", start) + 1
            yield bytes(data[start:stop])
            start = stop


def merged(files: Sequence[SortedFile]) -> Iterator[bytes]:
    """The lines of all files in order, each once, many at a time.

    Files of different documents mostly lie beside each other, so whole runs are taken over without a look inside.
    """
    heads: list[tuple[bytes, int, int]] = []
    for number, file in enumerate(files):
        if file.data:
            end = file.data.find(b"\n") + 1
            heads.append((bytes(file.data[:end]), number, end))
    heapq.heapify(heads)
    last = b""
    while heads:
        line, number, at = heads[0]
        file = files[number]
        if line != last:
            yield line
            last = line
        limit = min((head[0] for head in heads[1:3]), default=None)
        stop = len(file.data) if limit is None else _run(file, at, limit)
        if stop > at:
            yield bytes(file.data[at:stop])
            last = bytes(file.data[file.data.rfind(b"\n", at, stop - 1) + 1 or at : stop])
        if stop == len(file.data):
            heapq.heappop(heads)
        else:
            end = file.data.find(b"\n", stop) + 1
            heapq.heapreplace(heads, (bytes(file.data[stop:end]), number, end))


def _run(file: SortedFile, at: int, limit: bytes) -> int:
    """Where the lines from ``at`` on stop being less than ``limit``."""
    data, size, step = file.data, len(file.data), _STEP
    end = data.find(b"\n", at) + 1
    if at == size or data[at:end] >= limit:
        return at
    low = end
    while low < size:
        probe = data.rfind(b"\n", low, min(low + step, size - 1)) + 1 or low
        stop = data.find(b"\n", probe) + 1 or size
        if data[probe:stop] >= limit:
            return file.find(limit, low, probe)
        low, step = stop, step * 2
    return size


def write_merged(path: Path, files: Sequence[SortedFile]) -> SortedFile:
    """Write the lines of all files into one."""
    with path.open("wb") as out:
        out.writelines(merged(files))
    return SortedFile(path)


def write_sorted(path: Path, lines: Iterable[bytes]) -> SortedFile:
    """Write lines that fit into memory."""
    with path.open("wb") as out:
        out.writelines(sorted(set(lines)))
    return SortedFile(path)


def differences(old: SortedFile, new: SortedFile) -> Change:
    """What is in one file only. What both have costs no more than to read it."""
    one, other, found = old.data, new.data, Change([], [])
    at, there, step = 0, 0, _STEP
    while at < len(one) and there < len(other):
        length = min(step, len(one) - at, len(other) - there)
        same = one[at : at + length] == other[there : there + length]
        if same and (end := one.rfind(b"\n", at, at + length) + 1):
            at, there, step = end, there + end - at, min(step * 2, _MOST)
            continue
        if not same and step > _STEP:
            step = max(step // 8, _STEP)
            continue
        end, stop = one.find(b"\n", at) + 1, other.find(b"\n", there) + 1
        line, beside = one[at:end], other[there:stop]
        if line <= beside:
            at = end
        if line >= beside:
            there = stop
        if line < beside:
            found.gone.append(line)
        elif line > beside:
            found.come.append(beside)
    found.gone.extend(old.lines(at))
    found.come.extend(new.lines(there))
    return found


def write_spliced(path: Path, old: SortedFile, change: Change) -> SortedFile:
    """Write a file again without the lines that are gone, and with those that came."""
    edits = sorted([*((line, False) for line in change.gone), *((line, True) for line in change.come)])
    at = 0
    with path.open("wb") as out:
        for line, come in [*edits, (b"", True)]:
            stop = old.find(line, at) if line else len(old.data)
            if stop - at > _MOST:
                append(out, old.path, at, stop)
            else:
                out.write(old.data[at:stop])
            at = stop
            if come:
                out.write(line)
            else:
                at += len(line)
    return SortedFile(path)


def common(one: Iterator[bytes], other: Iterator[bytes]) -> Iterator[bytes]:
    """The lines that both have; both are in order."""
    a, b = next(one, None), next(other, None)
    while a is not None and b is not None:
        if a == b:
            yield a
        if a <= b:
            a, b = next(one, None), next(other, None) if a == b else b
        else:
            b = next(other, None)


def groups(lines: Iterable[bytes], separator: bytes) -> Iterator[tuple[bytes, list[bytes]]]:
    """Lines with the same first field, together."""
    key, group = b"", list[bytes]()
    for line in lines:
        first = line[: line.index(separator)]
        if first != key and group:
            yield key, group
            group = []
        key = first
        group.append(line)
    if group:
        yield key, group
