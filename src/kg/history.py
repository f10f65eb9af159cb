"""What every release said of every IRI: an index beside ``releases/``, made from the sealed releases alone.

``releases/.history.sqlite`` can be deleted at any time and is made again, as it is when it does not fit the checksum
in ``releases/.history.sum``, or turns out to be damaged. Where it cannot be written, the index is kept in memory. A
release is read when it is seen for the first time, and forgotten when its folder is gone.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple

from pyoxigraph import NamedNode, RdfFormat, parse

from kg import activations, disk
from kg.diff import labels_of, owner_of
from kg.errors import ReleaseError
from kg.release import Release, versions

FILE = ".history.sqlite"
SUM = ".history.sum"
"""Has the sha256 of the file, and is locked by whoever writes to it."""

AGAIN = 60.0
"""Seconds until a release that is damaged is looked at again: that compares every file."""

_FORMAT = 2
"""Of the index: one of another is made again."""

_WITHDRAWN = "-"
"""Stands before the digest of a claim that was withdrawn and left its stone."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS release(version TEXT PRIMARY KEY, sealed_at TEXT NOT NULL, title TEXT, counts TEXT);
CREATE TABLE IF NOT EXISTS state(
    iri TEXT NOT NULL, version TEXT NOT NULL, digest TEXT NOT NULL, label TEXT NOT NULL, PRIMARY KEY (iri, version)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS state_of_release ON state(version, iri);
"""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A release as the index knows it: ``counts`` as in its manifest."""

    version: str
    sealed_at: datetime
    title: str
    counts: dict[str, int]


class Step(NamedTuple):
    """A release that became current after another (``None``: after nothing that is kept).

    ``at``: the time, if it had been current before, or one was gone back to earlier: then the time of its seal does
    not say when it took the other's place.
    """

    release: Sealed
    before: Sealed | None
    at: datetime | None

    @property
    def when(self) -> datetime:
        return self.at or self.release.sealed_at


class MemberState(NamedTuple):
    """What a release made of an IRI: ``what`` as in :class:`Event`."""

    iri: str
    what: str


@dataclass(frozen=True, slots=True)
class Event:
    """What became of an IRI in a release: ``stated``, ``changed`` or ``withdrawn``, and its label from then on."""

    release: Sealed
    what: str
    label: str
    label_before: str


def _opened(place: str) -> sqlite3.Connection:
    database = sqlite3.connect(
        place, timeout=30, check_same_thread=False, isolation_level=None, factory=disk.Connection
    )
    try:
        if database.execute("PRAGMA user_version").fetchone()[0] != _FORMAT:
            database.executescript("DROP TABLE IF EXISTS release; DROP TABLE IF EXISTS state")
            database.execute(f"PRAGMA user_version = {_FORMAT}")
        database.executescript(_SCHEMA)
        database.execute("DELETE FROM state WHERE version NOT IN (SELECT version FROM release)")
    except BaseException:
        database.close()
        raise
    return database


@contextmanager
def _locked(releases: Path) -> Iterator[BinaryIO]:
    """The file with the checksum, which nobody else has meanwhile.

    :raises OSError: if it cannot be written.
    """
    with disk.open_own(releases / SUM) as known:
        fcntl.flock(known, fcntl.LOCK_EX)
        yield known


def _sum(file: Path) -> bytes:
    """The checksum of a file; empty if there is none."""
    try:
        if not file.is_file():
            return b""  # a pipe would never answer
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest().encode()
    except OSError:
        return b""


class History:
    """The index of one folder of releases; safe to use from several threads and processes."""

    def __init__(self, releases: Path) -> None:
        self._releases = releases
        self._lock = threading.Lock()
        self._damaged: dict[str, float] = {}
        self._file: Path | None = releases / FILE
        self._database = self._open(self._file)

    def _open(self, file: Path) -> sqlite3.Connection:
        # What a link leads to is not ours to write.
        with suppress(OSError, sqlite3.Error):
            if not file.is_symlink():
                return self._whole(file)
        # Not ours to write to, or not a database: the index can do without a file.
        self._file = None
        return _opened(":memory:")

    def _whole(self, file: Path) -> sqlite3.Connection:
        """The file as it was written, or a new one.

        :raises OSError: if it is not ours to write, and is not what was written.
        """
        try:
            with _locked(self._releases) as known:
                if known.read() != _sum(file):
                    # SQLite does not tell a page that a disk has changed from one that it wrote.
                    for path in (file, file.with_name(f"{FILE}-journal")):
                        path.unlink(missing_ok=True)
                database = _opened(str(file))
                self._note(known, file)
                return database
        except OSError:
            noted = self._releases / SUM
            if not noted.is_file() or noted.read_bytes() != _sum(file):
                raise
            return _opened(str(file))

    @staticmethod
    def _note(known: BinaryIO, file: Path) -> None:
        known.seek(0)
        known.truncate()
        known.write(_sum(file))

    def close(self) -> None:
        self._database.close()

    def update(self) -> None:
        """Take in releases that are new and forget those that are gone; damaged ones are left out."""
        try:
            self._update()
        except (OSError, sqlite3.DatabaseError):
            # The disk is full, or the file was damaged.
            self._do_without_file()

    def _do_without_file(self) -> None:
        """Make the index again, in memory."""
        with self._lock:
            self._database.close()
            self._database, self._file = _opened(":memory:"), None
        self._update()

    def _update(self) -> None:
        present = set(versions(self._releases))
        known = {row[0] for row in self._rows("SELECT version FROM release")}
        for version in sorted(present - known):
            if time.monotonic() < self._damaged.get(version, 0):
                continue
            try:
                self._read(Release.open(self._releases / version))
            except ReleaseError:
                self._damaged[version] = time.monotonic() + AGAIN
        for version in known - present:
            self._forget(version)

    def damaged(self, version: str) -> None:
        """Leave out a release that was found to be no longer what it was, until it is whole again."""
        self._damaged[version] = time.monotonic() + AGAIN
        self._forget(version)

    def _forget(self, version: str) -> None:
        with self._writing():
            self._database.execute("DELETE FROM state WHERE version = ?", (version,))
            self._database.execute("DELETE FROM release WHERE version = ?", (version,))

    def releases(self) -> list[Sealed]:
        """Every whole release, the oldest first; those of one second as they first became current."""
        rows = self._rows("SELECT version, sealed_at, title, counts FROM release")
        found = [Sealed(v, datetime.fromisoformat(at), title, json.loads(counts)) for v, at, title, counts in rows]
        first = activations.first(self._releases)
        return sorted(found, key=lambda r: (r.sealed_at, first.get(r.version, r.sealed_at), r.version))

    def steps(self) -> list[Step]:
        """How the releases that are kept took each other's place, the earliest first.

        Releases from before activations were recorded are taken to have been current in the order of their seals.
        """
        kept = {release.version: release for release in self.releases()}
        order = {version: place for place, version in enumerate(kept)}
        recorded = activations.read(self._releases)
        named = {version for _, version in recorded}
        since = recorded[0].at if recorded else datetime.max.replace(tzinfo=UTC)
        early = [(r.sealed_at, v) for v, r in kept.items() if v not in named and r.sealed_at <= since]
        found: list[Step] = []
        seen: set[str] = set()
        before: Sealed | None = None
        linear = True
        for at, version in (*early, *recorded):
            release = kept.get(version)
            later = before is None or release is None or order[version] > order[before.version]
            linear = linear and version not in seen and later
            seen.add(version)
            if release is None or release is before:
                continue
            found.append(Step(release, before, None if linear else at))
            before = release
        return found

    def holding(self, iri: str) -> list[Sealed]:
        """The releases that say something of an IRI, the oldest first."""
        held = {row[0] for row in self._rows("SELECT version FROM state WHERE iri = ?", iri)}
        return [release for release in self.releases() if release.version in held]

    def events(self, iri: str) -> list[Event]:
        """What became of an IRI, the oldest first; releases in which nothing changed are left out."""
        states = {
            version: (digest, label)
            for version, digest, label in self._rows("SELECT version, digest, label FROM state WHERE iri = ?", iri)
        }
        found: list[Event] = []
        before = ("", "")
        for release in self.releases():
            now = states.get(release.version, ("", ""))
            if now[0] != before[0]:
                withdrawn = not now[0] or (now[0].startswith(_WITHDRAWN) and not before[0].startswith(_WITHDRAWN))
                what = "withdrawn" if withdrawn else "changed" if before[0] else "stated"
                found.append(Event(release, what, now[1], before[1]))
            before = now
        return found

    def changes(self, old: str, new: str, base: str, count: int, start: int) -> list[MemberState]:
        """What release ``new`` states otherwise than ``old`` (empty: than nothing) of IRIs that begin with ``base``.

        Sorted by IRI; at most ``count`` of them, from number ``start``, which counts from 0.
        """
        within = f"substr(now.iri, 1, {len(base)}) = ?"
        rows = self._rows(
            f"""
            SELECT now.iri, CASE WHEN old.iri IS NULL THEN 'stated' ELSE 'changed' END FROM state now
            LEFT JOIN state old ON old.iri = now.iri AND old.version = ?
            WHERE now.version = ? AND {within} AND old.digest IS NOT now.digest
            UNION ALL
            SELECT now.iri, 'withdrawn' FROM state now WHERE now.version = ? AND {within}
            AND NOT EXISTS (SELECT 1 FROM state new WHERE new.iri = now.iri AND new.version = ?)
            ORDER BY 1 LIMIT ? OFFSET ?
            """,  # noqa: S608 - a number of ours
            *(old, new, base),
            *(old, base, new),
            *(count, start),
        )
        return [MemberState(*row) for row in rows]

    def _rows(self, query: str, *values: str | int) -> list[tuple[str, ...]]:
        try:
            with self._lock:
                return self._database.execute(query, values).fetchall()
        except sqlite3.DatabaseError:
            if self._file is None:
                raise
        self._do_without_file()
        return self._rows(query, *values)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """A change of the index, and of the checksum of its file."""
        file = self._file
        if file is None:
            with self._changing():
                yield
            return
        with _locked(self._releases) as known:
            with self._changing():
                yield
            self._note(known, file)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def _read(self, release: Release) -> None:
        quads = list(parse(path=str(release.path / "dumps/all.nq"), format=RdfFormat.N_QUADS))
        labels = labels_of(quads)
        said: defaultdict[str, list[str]] = defaultdict(list)
        stone, gone = NamedNode(f"{release.manifest.base}ontology#WithdrawnClaim"), set[str]()
        for quad in quads:
            owner = owner_of(quad)
            said[owner].append(str(quad))
            if quad.object == stone:
                gone.add(owner)
        rows = (
            (
                iri,
                release.version,
                (_WITHDRAWN if iri in gone else "")
                + hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:32],
                labels.get(iri, ""),
            )
            for iri, lines in said.items()
        )
        manifest = release.manifest
        with self._writing():
            self._database.executemany("INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?)", rows)
            self._database.execute(
                "INSERT OR REPLACE INTO release VALUES (?, ?, ?, ?)",
                (release.version, release.sealed_at.isoformat(), manifest.title, json.dumps(dict(manifest.counts))),
            )
