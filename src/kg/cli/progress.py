"""How far a build is: one line on standard error, with the rate and the time left."""

from __future__ import annotations

import time
from typing import TextIO

_OFTEN = 0.2
"""Seconds between two lines."""

_DULL = 5.0
"""Seconds between two lines where they cannot be written over."""


def silent(_stage: str, _done: int, _of: int) -> None:
    """No progress is shown."""


class Shown:
    """Shows the stage; of one that counts, how much is done, how many a second, and how long the rest will take."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._terminal = out.isatty()
        self._stage = ""
        self._began = self._last = 0.0

    def __call__(self, stage: str, done: int, of: int) -> None:
        now = time.monotonic()
        new = stage != self._stage
        if new:
            self._stage, self._began = stage, now
        if not new and done != of and now - self._last < (_OFTEN if self._terminal else _DULL):
            return
        self._last = now
        line = describe(stage, done, of, now - self._began)
        self._out.write(f"\r\x1b[K{line}" if self._terminal else f"{line}\n")
        self._out.flush()

    def clear(self) -> None:
        """Leave the terminal as it was."""
        if self._terminal and self._stage:
            self._out.write("\r\x1b[K")
            self._out.flush()
            self._stage = ""


def describe(stage: str, done: int, of: int, seconds: float) -> str:
    """A line of progress.

    >>> describe("documents", 250, 1000, 10)
    'documents: 250 of 1,000, 25 a second, 0:30 left'
    >>> describe("write", 0, 0, 3), describe("documents", 1000, 1000, 40)
    ('write …', 'documents: 1,000 of 1,000 in 0:40')
    """
    if not of:
        return f"{stage} …"
    line = f"{stage}: {done:,} of {of:,}"
    if done >= of:
        return f"{line} in {_clock(seconds)}"
    if not done or not seconds:
        return line
    rate = done / seconds
    return f"{line}, {rate:.3g} a second, {_clock((of - done) / rate)} left"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
