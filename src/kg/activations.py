"""Which release was current from when on: ``releases/.activations``, a line each time another one became current::

    2026-01-31T12:00:00.000000+00:00 2026-01-31-0123456789ab

Sealed releases do not say it: going back to one seals nothing. Whoever follows the releases has to know it, so the
stream and the feed are made from these steps. Where the file says less than the link ``current``, because it was lost
or a process was killed between the two, the time of the link completes it.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from kg import disk

FILE = ".activations"
CURRENT = "current"
LINK = ".staging-link-"
"""How the name of a link begins that is about to be the current one; the number of its process follows."""
_TICK = timedelta(seconds=1)
"""Between two activations at least, so that HTTP's dates, which are whole seconds, tell them apart."""

_END = 9999
"""A year that no clock says, and behind which there is no time for the next activation."""


class Activation(NamedTuple):
    """A release that became current at a time."""

    at: datetime
    version: str


def read(releases: Path) -> list[Activation]:
    """All that is known, the earliest first; the last one is of the release that is current, if there is one."""
    path = releases / FILE
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines() if path.is_file() else []
    except OSError:
        lines = []
    found: list[Activation] = []
    for line in lines:
        when, _, version = line.partition(" ")
        with suppress(ValueError, OverflowError):
            at = datetime.fromisoformat(when)
            if at.tzinfo is not None and version and at.year < _END:
                found.append(Activation(at.astimezone(UTC), version))
    return [*found, *_unrecorded(releases, found)]


def first(releases: Path) -> dict[str, datetime]:
    """When each release became current for the first time.

    It tells the order of releases that were sealed in one second: sealing one makes it current.
    """
    found: dict[str, datetime] = {}
    for at, version in read(releases):
        found.setdefault(version, at)
    return found


def record(releases: Path) -> None:
    """Note the release that has just become current. Its time is later than all before, whatever the clock says.

    A disk that is full does not keep it from being current: the time of the link says the same, until it is replaced.
    """
    with suppress(OSError), disk.open_own(releases / FILE) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        there = file.read()
        lines = [f"{a.at.isoformat(timespec='microseconds')} {a.version}\n" for a in read(releases)]
        wanted = "".join(lines).encode()
        if not wanted.startswith(there):  # somebody else has written into it
            file.seek(0)
            file.truncate()
            there = b""
        file.write(wanted[len(there) :])


def _unrecorded(releases: Path, found: list[Activation]) -> list[Activation]:
    link = releases / CURRENT
    try:
        version, at = link.readlink().name, datetime.fromtimestamp(link.lstat().st_mtime, UTC)
    except OSError:
        return []
    if found and found[-1].version == version:
        return []
    return [Activation(max(at, found[-1].at + _TICK) if found else at, version)]


def tidy(releases: Path) -> None:
    """Remove the links that processes left which were killed as they made a release current.

    Nothing is said where that is not allowed: such a link is never read.
    """
    for link in releases.glob(LINK + "*"):
        if not _runs(link.name.removeprefix(LINK)):
            with suppress(OSError):
                link.unlink(missing_ok=True)


def _runs(process: str) -> bool:
    """Whether there is a process of this number."""
    try:
        os.kill(int(process), 0)
    except PermissionError:
        return True
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    return True
