"""Commands that read sources do so in a child process with bounds, so that whatever ends it is one clear line.

The child goes on with the command; the process that was started waits, hands on signals, and exits as the child does.
Where the child died instead, it says what it was at (:mod:`kg.bounds`), and removes what the child left in the folder
for temporary files. If it is killed itself, the child ends too, and the next such command removes what both left: the
folder is locked as long as one of them lives.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import signal
import sys
import tempfile
import threading
from contextlib import suppress
from mmap import mmap
from pathlib import Path
from types import FrameType
from typing import NoReturn

from kg.bounds import ENDLESS, TOO_LARGE, Note, bound_memory, new_note, supervised
from kg.cli.root import fail
from kg.config import Config

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_SCRATCH = "kg-scratch-"
"""How the names of folders for temporary files begin."""

_HANDED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def supervise(config: Config) -> None:
    """Return in a child process, with the bounds of ``[build]``; in this process, never."""
    if threading.active_count() > 1:  # a fork would have this thread alone
        return
    note = new_note()
    parent = os.getpid()
    try:
        scratch = _scratch()
    except OSError as e:
        fail(f"the folder for temporary files: cannot be written: {e.strerror or e}")
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        try:
            _end_like(child, note)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    tempfile.tempdir = scratch
    _end_with(parent)
    bound_memory(config.build.bytes)
    supervised(note)


def _scratch() -> str:
    """A folder for temporary files; those of commands that were killed are removed.

    :raises OSError: if none can be made.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{_SCRATCH}*"):
        _remove_left(left)
    while True:
        folder = tempfile.mkdtemp(prefix=_SCRATCH)
        try:
            # Kept open to the end, by the child too: that is the lock.
            held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue  # another command took it for one that was left
        with suppress(OSError):  # a disk without locks, where nobody removes anything
            fcntl.flock(held, fcntl.LOCK_EX)
        if Path(folder).is_dir():
            return folder
        os.close(held)  # as above, a moment later


def _remove_left(folder: Path) -> None:
    """Remove a folder of ours that nobody holds."""
    with suppress(OSError):
        found = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if os.fstat(found).st_uid == os.geteuid():
                fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(found)


def _end_with(parent: int) -> None:
    """End this process when its parent does, where the system can do that (Linux)."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _end_like(child: int, note: mmap) -> NoReturn:
    """Wait for the child, and exit as it did."""

    def hand_on(number: int, _frame: FrameType | None) -> None:
        # Ctrl+C has reached both.
        if number != signal.SIGINT or not _has_terminal():
            with suppress(ProcessLookupError):
                os.kill(child, number)

    for number in _HANDED_ON:
        signal.signal(number, hand_on)
    _, status, used = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        sys.exit(code)
    if -code in _HANDED_ON:
        sys.exit(128 - code)
    said = Note.read(note)
    if -code == signal.SIGXCPU:
        fail(f"{said.at}: {ENDLESS}, or say more `seconds` under [build] in kg.toml")
    culprit = said.culprit(used.ru_maxrss) or "the sources"
    fail(f"{culprit}: the process that was at this has ended ({signal.Signals(-code).name}); {TOO_LARGE}")


def _has_terminal() -> bool:
    """Whether the terminal sends its signals to the processes of this command."""
    with suppress(OSError):
        return os.tcgetpgrp(0) == os.getpgrp()
    return False
