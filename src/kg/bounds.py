"""What sources may cost, however they are written: seconds for what does not end, and memory.

Where Python runs, a signal ends what takes too long (:class:`Clock`). An engine of another language does not hear it:
in a process that somebody supervises (``kg.cli.supervised``), the kernel ends the process, and whoever supervises
reads what it was at from memory that both have (:func:`doing`).
"""

from __future__ import annotations

import mmap
import os
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from kg.errors import KgError

GRACE = 1
"""CPU seconds after which a process that does not hear the signal is ended."""

STUCK = 120
"""Seconds of the clock after which a machine counts as stuck, where a process has a bound on its CPU seconds."""

TOO_LARGE = "this needs more memory than a build may take: divide it, or say `memory` under [build] in kg.toml"

ENDLESS = "this did not end in time: look for a pattern or a query that takes for ever (such as (a+)+)"

_AGAIN = 0.1
"""CPU seconds between two signals, should somebody have swallowed the first."""

_LONGEST = 400
_ROOM = 4000
"""Characters of a file's name, and bytes of all, that :func:`doing` notes."""


Where = Callable[[FrameType | None], Any]
"""Says of a frame what ran in it: when it has ended, nobody can tell any more."""


def processors() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # on macOS a process may use them all
        return os.cpu_count() or 1


class Overdue(KgError):
    """What ran did not end. ``where`` is where it was, ``seconds`` what it had."""

    def __init__(self, seconds: float, where: Any) -> None:
        super().__init__(f"did not end within {seconds:.0f} s")
        self.seconds = seconds
        self.where = where


class _TimeIsUp(BaseException):
    """Passes through the libraries that catch every exception."""

    def __init__(self, where: Any) -> None:
        super().__init__()
        self.where = where


class Clock:
    """CPU seconds for work that belongs together: ``seconds``, and as many again for every unit of work beyond."""

    def __init__(self, seconds: float, units: float = 0) -> None:
        self._seconds = seconds
        self._allowed = seconds * (1 + units)
        self._spent = self._start = 0.0
        self._stands = True

    def _left(self) -> float:
        return self._allowed - self._spent - (time.process_time() - self._start)

    @contextmanager
    def running(self, where: Where, units: float = 0) -> Iterator[None]:
        """Work of this size, which is stopped when the clock has run down.

        Outside of the main thread there are no signals, and so no bound.

        :raises Overdue: if it is not done by then.
        """
        self._allowed += self._seconds * units
        self._start = time.process_time()
        self._stands = False
        try:
            with self._signals(where), _killed_after(self._left()):
                yield
        except _TimeIsUp as e:
            raise Overdue(self._allowed, e.where) from None
        finally:
            self._stands = True
            self._spent += time.process_time() - self._start

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Something in between that is not part of the work, and takes as long as it takes."""
        before, stood = time.process_time(), self._stands
        self._stands = True
        try:
            with _killed_after(None):
                yield
        finally:
            self._allowed += 0 if stood else time.process_time() - before
            self._stands = stood

    @contextmanager
    def _signals(self, where: Where) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(_number: int, frame: FrameType | None) -> None:
            if not self._stands and self._left() <= 0:
                raise _TimeIsUp(where(frame))

        before = signal.signal(signal.SIGPROF, stop)
        try:
            signal.setitimer(signal.ITIMER_PROF, max(_AGAIN, self._left()), _AGAIN)
            yield
        finally:
            self._stands = True
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)


@contextmanager
def _killed_after(seconds: float | None) -> Iterator[None]:
    """Where somebody supervises, the kernel ends the process soon after so many seconds of CPU (``None``: never)."""
    if _note is None:
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_CPU)
    started = time.process_time()
    limit = before[1] if seconds is None else int(started + max(0, seconds)) + 1 + GRACE
    resource.setrlimit(resource.RLIMIT_CPU, (limit, before[1]))
    try:
        yield
    finally:
        soft = before[0]
        if seconds is None and soft != before[1]:
            soft += int(time.process_time() - started) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (soft, before[1]))


def bound_tool(seconds: int, memory: int) -> None:
    """Let this process, which does one task for another, have so many seconds of CPU and bytes of address space."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    with suppress(ValueError, OSError):  # not every system has this limit
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def bound_memory(size: int) -> None:
    """Let this process have so many bytes of its own; files that are mapped do not count."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    with suppress(ValueError):  # somebody has set a lower limit, which holds
        resource.setrlimit(resource.RLIMIT_DATA, (size, hard))


def unbound_memory() -> None:
    """Make room for the words that say what needed too much."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))


def more_memory(size: int) -> None:
    """Let this process have more than it began with, if it is bounded at all."""
    if _note is not None:
        bound_memory(size)


def more_files() -> None:
    """Let this process have as many files open as the system lets one have: a shell's 256 or 1,024 are soon in use."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in (hard, max(soft, _FILES)):
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            return


_FILES = 10_240
"""macOS says that there is no limit, and refuses more than this."""


def check_memory() -> None:
    """Notice in time that memory runs out: an engine of another language ends the process where Python would not.

    :raises MemoryError: if nine tenths of what the process may have are used.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
    if soft != resource.RLIM_INFINITY and _in_use() > soft * 0.9:
        raise MemoryError


def _in_use() -> int:
    """Bytes of its own that this process has; 0 where the system does not say."""
    try:
        resident, shared = _STATM.read_text(encoding="ascii").split()[1:3]
    except OSError:
        return 0
    return (int(resident) - int(shared)) * resource.getpagesize()


_STATM = Path("/proc/self/statm")
_note: mmap.mmap | None = None


def supervised(note: mmap.mmap) -> None:
    """From now on, this process notes what it is at for the one that reads ``note``."""
    global _note  # noqa: PLW0603 - a process is supervised or not
    _note = note


def new_note() -> mmap.mmap:
    """Memory that a process and its forks have in common."""
    return mmap.mmap(-1, _ROOM)


def doing(what: str) -> None:
    """Note the file, or the file and the line, that is being worked on."""
    if _note is None:
        return
    note, peak = Note.read(_note), _peak()
    Note(what, peak, *max((note.growth, note.largest), (peak - note.peak, note.at))).write(_note)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


class Note(NamedTuple):
    """``at``: what is worked on, begun with this ``peak`` of memory; ``largest``: what let it grow by ``growth``."""

    at: str = ""
    peak: int = 0
    growth: int = 0
    largest: str = ""

    @classmethod
    def read(cls, note: mmap.mmap) -> Note:
        fields = note[:].rstrip(b"\0").decode(errors="replace").split("\t")
        return cls(fields[0], int(fields[1]), int(fields[2]), fields[3]) if len(fields) == 4 else cls()

    def write(self, note: mmap.mmap) -> None:
        text = "\t".join((self.at[:_LONGEST], str(self.peak), str(self.growth), self.largest[:_LONGEST]))
        note[:] = text.encode(errors="backslashreplace")[:_ROOM].ljust(_ROOM, b"\0")

    def culprit(self, peak: int) -> str:
        """What took most of the memory, of which a process had ``peak`` at most."""
        return self.at if peak - self.peak >= self.growth else self.largest


def too_large() -> str:
    """What took most of this process's memory."""
    return Note.read(_note).culprit(_peak()) if _note is not None else ""
