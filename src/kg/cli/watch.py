"""What ``kg serve --watch`` runs beside the site, as a process of its own: builds when a source changes.

Each build is a child process too, ``kg build --format json``; what it says goes to the findings file
(:mod:`kg.findings`), which the site shows, and to standard error. Sources are looked at instead of subscribed to: that
works on every file system, also where an editor replaces a file, and takes a millisecond for some hundred files.

The process ends when its standard input does, and with it the build that is running: so it never outlives the server.
"""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from kg import findings
from kg.config import FILE
from kg.errors import ReleaseError
from kg.model import Finding, Place, error
from kg.release import current_version, versions
from kg.shelf import remove
from kg.terminal import visible

INTERVAL = 0.2
"""Seconds between two looks at the sources."""

RETRY = 2.0
"""Seconds until a build is tried again that failed for a reason outside of the sources."""

DRAFTS = 1
"""Releases of its own that are kept beside the current one: requests may still be answered from them."""

SOURCES = (FILE, "ontology", "shapes", "data")
_PYTHON = (sys.executable, "-P")  # a kg.py in the project is not ours
_START = f"from {__name__} import main; main()"

Look = frozenset[tuple[str, int, int, int]]
"""Path, time of change, size and inode of every source."""


def start(root: Path, documents: Sequence[Path]) -> subprocess.Popen[bytes]:
    """Begin to watch a project. Whoever closes the process's standard input ends it."""
    folders = [str(folder) for folder in documents]
    return subprocess.Popen([*_PYTHON, "-c", _START, str(root), *folders], stdin=subprocess.PIPE)


def look(root: Path, documents: Sequence[Path]) -> Look:
    """The state of the sources; what cannot be read is left out."""
    return frozenset(_entries([*(root / name for name in SOURCES), *documents]))


def _entries(paths: Sequence[Path]) -> Iterator[tuple[str, int, int, int]]:
    for top in paths:
        yield from _entry(str(top))
        for folder, _, names in os.walk(top):
            for name in names:
                # Editors put their own files beside the sources, and take them away again.
                if not name.startswith(".") and not name.endswith("~"):
                    yield from _entry(f"{folder}/{name}")


def _entry(path: str) -> Iterator[tuple[str, int, int, int]]:
    try:
        found = os.stat(path)  # noqa: PTH116 - a Path for each of many files takes longer than the look
    except OSError:
        return
    if not stat.S_ISDIR(found.st_mode):
        yield path, found.st_mtime_ns, found.st_size, found.st_ino


class Watcher:
    """Builds a project again and again, until its process ends."""

    def __init__(self, root: Path, documents: Sequence[Path]) -> None:
        self._root = root
        self._documents = documents
        self._releases = root / "releases"
        self._child: subprocess.Popen[str] | None = None
        self._drafts: dict[str, int] = {}
        self._said: findings.Outcome | None = None

    def run(self) -> None:
        """Build, then wait for a change, for ever."""
        while True:
            before = look(self._root, self._documents)
            # Half of a file may have been written, or one of several: a moment later it is whole.
            time.sleep(INTERVAL / 2)
            if look(self._root, self._documents) != before:
                continue
            started = time.monotonic()
            again = not self.build()
            while look(self._root, self._documents) == before:
                time.sleep(INTERVAL)
                if again and time.monotonic() - started > RETRY:
                    break

    def build(self) -> bool:
        """Build once and tell; ``False`` if it failed for a reason outside of the sources."""
        options = [argument for folder in self._documents for argument in ("--documents", str(folder))]
        command = (*_PYTHON, "-m", "kg.cli", "--project", str(self._root), "build", "--format", "json", *options)
        self._forget_published()
        before = {*versions(self._releases)} - self._drafts.keys()
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        said, complaint = self._child.communicate()
        try:
            outcome, sources = findings.parse(said), True
        except ValueError:
            outcome, sources = self._outside(complaint), False
        findings.write(self._releases, outcome, current_version(self._releases))
        self._say(outcome)
        if outcome.release and outcome.release not in before:
            self._drafts.pop(outcome.release, None)
            self._drafts[outcome.release] = _touched(self._releases / outcome.release)
        self._forget_drafts(outcome.release, DRAFTS)
        return sources

    def stop(self) -> None:
        """End the build that is running; the current release stays, drafts before it go."""
        if self._child is not None:
            self._child.kill()
        self._forget_published()
        self._forget_drafts(current_version(self._releases), 0)

    def _forget_published(self) -> None:
        """A draft that somebody published, with ``kg build``, is none any more."""
        self._drafts = {name: at for name, at in self._drafts.items() if _touched(self._releases / name) == at}

    def _forget_drafts(self, current: str, keep: int) -> None:
        """Releases of an hour ago, one for each save, are nobody's history; what others made stays."""
        old = [draft for draft in self._drafts if draft != current]
        for draft in old[: max(0, len(old) - keep)]:
            with suppress(OSError, ReleaseError):
                remove(self._releases, draft)
            del self._drafts[draft]

    def _outside(self, complaint: str) -> findings.Outcome:
        """A failure that is no finding: one line of ours on standard error, or at worst the last of a traceback."""
        lines = complaint.strip().splitlines() or ["the build ended without a word"]
        said = lines[-1].removeprefix("kg: ")
        settings = f"{self._root / FILE}: "
        place = Place(FILE if said.startswith(settings) else "kg build")
        return findings.Outcome("", (error("build", said.removeprefix(settings), place),))

    def _say(self, outcome: findings.Outcome) -> None:
        if outcome == self._said:
            return
        self._said = outcome
        shown: list[Finding] = [*outcome.errors, *outcome.warnings]
        lines = [*map(str, shown), f"built {outcome.release}" if outcome.release else "nothing was published"]
        sys.stderr.write("".join(f"kg: {visible(line)}\n" for line in lines))
        sys.stderr.flush()


def _touched(folder: Path) -> int:
    """When a folder was last changed, or asked for again; -1 if it is gone."""
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return -1


def main() -> None:
    """The process: its arguments are the project and the folders of documents."""
    root, *documents = sys.argv[1:]
    watcher = Watcher(Path(root), [Path(folder) for folder in documents])
    # Ctrl+C reaches every process of the terminal: this one ends with the server.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def end(*_: object) -> None:
        watcher.stop()
        os._exit(0)

    def until_the_server_ends() -> None:
        sys.stdin.buffer.read()
        end()

    signal.signal(signal.SIGTERM, end)
    threading.Thread(target=until_the_server_ends, daemon=True).start()
    watcher.run()
