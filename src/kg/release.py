"""A release: sealed, immutable, verified before it is opened. On disk::

    releases/
      .lock                   held by the build that is running
      .staging-XXXXXXXX/      a build in the making; the next build removes what a killed one left
      .staging-link-PID       the next ``current``, for a moment; the next command removes one whose process is gone
      .activations            which release was current from when on (kg.activations)
      current -> VERSION      the release that is served
      VERSION/                YYYY-MM-DD-DDDDDDDDDDDD: date and 12 hex digits of the manifest's digest
        manifest.json         content: base, counts, every reproducible file with sha256 and size, one digest
        seal.json             version, time of sealing, tool versions, sha256 of the manifest and of the store's
                              files, and of itself without that member
        store/                the quads, as RocksDB files (their bytes are not reproducible; seal.json has them), and
                              "stated": which claims state a fact (kg.store.stated). Files that RocksDB never writes
                              again may be hard links into the release before
        dumps/                facts.* (default graph), all.* (every graph), claims.csv, ontology.ttl, shapes.ttl
        documents/NAME.txt    the texts that may be shown, as they were read
        queries/NAME.rq       the example questions, every IRI absolute
        metadata/             void.ttl, catalog.ttl: how the release describes itself
        search.sqlite         the full-text index
        report.json           findings, counts, coverage of the evidence, and for every passage what was checked

A release is never written again. ``Release.open`` compares every hash first, because a damaged RocksDB store can
open as an empty one without an error.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

from kg import activations, disk
from kg.config import Config
from kg.errors import BuildError, ReleaseError
from kg.fixity import compare, compare_all, file_entry
from kg.model import ExampleQuery, FileEntry, Manifest
from kg.records import REPORT, json_bytes, read_head, read_json

MANIFEST = "manifest.json"
SEAL = "seal.json"
CURRENT = activations.CURRENT
STORE = "store"
STAGING = ".staging-"
"""How the names of folders begin that are no release yet, or none any more."""

_FOLDERS = {STORE, "dumps", "documents", "queries", "metadata"}
_TOOLS = ("kg", "pyoxigraph", "rdflib", "pyshacl")
_TEXTS = ("base", "title", "description", "license", "publisher", "digest", "quads_sha256")
_MOST = 1 << 63
"""No count of a release is as large: an index has no room for it."""


class Release:
    """One sealed release, opened and verified. Make it with :meth:`open`."""

    def __init__(self, path: Path, manifest: Manifest, seal: dict[str, Any]) -> None:
        self.path = path
        self.manifest = manifest
        self.version: str = seal["version"]
        self.sealed_at = datetime.fromisoformat(seal["sealed_at"])
        self.opened_at = time.time_ns()

    @classmethod
    def open(cls, path: Path) -> Release:
        """Read and verify the release at ``path`` (links are followed).

        :raises ReleaseError: naming the first file that is missing, cut, changed, or not listed.
        """
        try:
            path = path.resolve()
        except (OSError, RuntimeError):
            raise ReleaseError(f"{path}: is a link that leads to itself; `kg releases activate` mends it") from None
        if not path.is_dir():
            raise ReleaseError(f"{path}: there is no release here; `kg build` makes one", file=str(path))
        seal = read_json(path / SEAL, once=True)
        try:
            listed = [_entry(entry) for entry in seal["files"]]
            expected = {MANIFEST: next(entry for entry in listed if entry.path == MANIFEST)}
            compare(path, expected[MANIFEST])
            manifest = _manifest(path, seal)
            expected |= {entry.path: entry for entry in (*listed, *manifest.files)}
            if seal.pop("sha256") != _seal_sha256(seal) or not seal["version"].endswith(manifest.digest[:12]):
                raise ReleaseError(f"{path / SEAL}: was changed after the release was sealed", file=SEAL)
            release = cls(path, manifest, seal)
            if release.sealed_at.tzinfo is None:
                raise ValueError("sealed_at has no time zone")
            release.sealed_at.astimezone(UTC)
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError, StopIteration) as e:
            raise ReleaseError(f"{path / SEAL}: not the seal of a release ({e!r})", file=SEAL) from e
        if release.manifest.digest != digest(release.manifest):
            raise ReleaseError(f"{path / MANIFEST}: the digest does not fit the content", file=MANIFEST)
        present = _present(path) - {p.as_posix() for name in expected for p in Path(name).parents} - _FOLDERS
        for name in sorted(present ^ set(expected)):
            if name in expected:
                raise ReleaseError(f"{path / name}: {disk.why_not_there(path / name)}", file=name)
            raise ReleaseError(f"{str(path / name)!r}: does not belong to the release", file=name)
        compare_all(path, expected.values(), beside=(SEAL,))
        return release

    @property
    def store_path(self) -> Path:
        return self.path / STORE

    @cached_property
    def report(self) -> dict[str, Any]:
        """``report.json``, as :mod:`kg.build.writing.report` has it, without ``passages``, which may be millions."""
        return read_head(self.path / REPORT)

    @cached_property
    def queries(self) -> tuple[ExampleQuery, ...]:
        """The example questions in the order of their file names."""
        return tuple(
            read_query(Path(name).stem, self._text(name)) for name in sorted(self.files) if name.startswith("queries/")
        )

    @cached_property
    def files(self) -> dict[str, FileEntry]:
        """What the manifest lists, by path."""
        return {entry.path: entry for entry in self.manifest.files}

    def document_text(self, name: str) -> str | None:
        """The raw text of a document that may be shown, else ``None``.

        :raises ReleaseError: if it is not what was sealed.
        """
        path = f"documents/{name}.txt"
        return self._text(path) if path in self.files else None

    def compare(self, path: str) -> None:
        """Compare a file once more: somebody may have written to it since the release was opened.

        :raises ReleaseError: if it is not what was sealed.
        """
        compare(self.path, self.files[path])

    def _text(self, path: str) -> str:
        """A small file, compared once more."""
        self.compare(path)
        try:
            return (self.path / path).read_text(encoding="utf-8")
        except UnicodeDecodeError as e:
            raise ReleaseError(f"{self.path / path}: is no text in UTF-8", file=path) from e

    def dumps(self) -> tuple[FileEntry, ...]:
        """The files people download."""
        return tuple(entry for entry in self.manifest.files if entry.path.startswith("dumps/"))


def read_query(name: str, text: str) -> ExampleQuery:
    """Title, description, parameters and columns of a question stand in its leading comments.

    >>> read_query("q", "# title: Who?\\n# description: Asks\\n#   who.\\nASK {}").description
    'Asks who.'
    >>> read_query("q", "# parameter: place Where it was\\nASK {}").parameters
    (('place', 'Where it was'),)
    >>> read_query("q", "# column: ?from Handed over by\\nSELECT ?from {}").columns
    (('from', 'Handed over by'),)
    """
    fields: dict[str, str] = {}
    variables: dict[str, list[tuple[str, str]]] = {"parameter": [], "column": []}
    current = ""
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        words = line.lstrip("# ").strip()
        key, colon, rest = words.partition(":")
        if colon and key.lower() in ("title", "description"):
            current = key.lower()
            fields[current] = rest.strip()
        elif colon and key.lower() in variables:
            current = ""
            variable, _, called = rest.strip().partition(" ")
            variables[key.lower()].append((variable.lstrip("?$"), called.strip() or variable))
        elif current:
            fields[current] = f"{fields[current]} {words}".strip()
    return ExampleQuery(
        name,
        fields.get("title", name),
        fields.get("description", ""),
        text,
        parameters=tuple(variables["parameter"]),
        columns=tuple(variables["column"]),
    )


def digest(manifest: Manifest) -> str:
    """SHA-256 over the manifest's own content, the digest itself left empty."""
    return hashlib.sha256(json_bytes(replace(manifest, digest="").as_json())).hexdigest()


@contextmanager
def staging(releases: Path) -> Iterator[Path]:
    """An empty folder on the same file system to build in; what is left in it at the end is removed.

    :raises BuildError: if another build is running, or the folder cannot be made.
    """
    try:
        releases.mkdir(parents=True, exist_ok=True)
        lock = disk.open_own(releases / ".lock")
    except OSError as e:
        raise BuildError(f"{e.filename or releases}: cannot be written: {e.strerror}") from e
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BuildError(f"{releases}: another build is running; wait for it to end") from None
        activations.tidy(releases)
        for left in releases.glob(STAGING + "*"):
            shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=STAGING, dir=releases))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def manifest_of(
    config: Config,
    *,
    quads_sha256: str,
    files: Iterable[FileEntry],
    counts: Mapping[str, int],
    prefixes: Mapping[str, str],
) -> Manifest:
    """What a release of a project holds, and what the project says of itself; :func:`seal` adds the digest."""
    return Manifest(
        base=config.base,
        title=config.title,
        description=config.description,
        license=config.license,
        publisher=config.publisher,
        digest="",
        quads_sha256=quads_sha256,
        files=tuple(sorted(files, key=lambda entry: entry.path)),
        counts=counts,
        prefixes=prefixes,
    )


def seal(folder: Path, config: Config, manifest: Manifest) -> Release:
    """Hash, sync and rename a staged build into place, and make it current; the same content is not kept twice."""
    manifest = replace(manifest, digest="")
    manifest = replace(manifest, digest=digest(manifest))
    short = manifest.digest[:12]
    for existing in sorted(config.releases.glob(f"*-{short}")):
        release = intact(existing)
        if release:
            os.utime(existing)  # asked for again
            activate(config.releases, release.version)
            return release
        shutil.rmtree(existing)
    version = f"{config.date()}-{short}"
    (folder / MANIFEST).write_bytes(json_bytes(manifest.as_json()))
    sealed = [file_entry(folder, folder / MANIFEST)]
    sealed += [file_entry(folder, folder / name) for name in sorted(disk.files(folder / STORE, folder))]
    content = {
        "version": version,
        "sealed_at": (config.now or datetime.now(UTC)).isoformat(timespec="milliseconds"),
        "tools": {name: package_version(name) for name in _TOOLS},
        "files": [asdict(entry) for entry in sealed],
    }
    (folder / SEAL).write_bytes(json_bytes({**content, "sha256": _seal_sha256(content)}))
    disk.sync(folder)
    # Staging is private (mkdtemp); a release is for every account of the machine to read.
    folder.chmod(0o755)
    target = config.releases / version
    folder.rename(target)
    disk.sync_folder(config.releases)
    activate(config.releases, version)
    # Everything in it was hashed a moment ago.
    return Release(target.resolve(), manifest, content)


def verified_store(path: Path) -> Path | None:
    """The store of a release, if it and its seal are what they were; the rest of the release is not looked at."""
    try:
        seal = read_json(path / SEAL)
        if seal.pop("sha256") != _seal_sha256(seal):
            return None
        listed = [FileEntry(**entry) for entry in seal["files"] if entry["path"].startswith(f"{STORE}/")]
        if {entry.path for entry in listed} != set(disk.files(path / STORE, path)):
            return None
        for entry in listed:
            compare(path, entry)
    except (ReleaseError, KeyError, TypeError):
        return None
    return path / STORE


def activate(releases: Path, version: str) -> None:
    """Point ``current`` at a release, atomically.

    :raises ReleaseError: if there is no release of that name.
    """
    if "/" in version or version.startswith(".") or not (releases / version / SEAL).is_file():
        raise ReleaseError(f"{releases / version}: no such release; `kg releases` lists them", file=version)
    current = releases / CURRENT
    if current.is_dir() and not current.is_symlink():
        raise ReleaseError(f"{current}: is a folder where a link should be: move it away", file=CURRENT)
    activations.tidy(releases)
    link = releases / f"{activations.LINK}{os.getpid()}"
    try:
        link.unlink(missing_ok=True)
        link.symlink_to(version)
        activations.record(releases)  # the one before, should that not have been done
        link.replace(current)
        disk.sync_folder(releases)
    except OSError as e:
        raise ReleaseError(f"{releases}: cannot be written: {e.strerror}", file=CURRENT) from e
    activations.record(releases)


def current_version(releases: Path) -> str:
    """The name of the release that is current; empty if none is."""
    link = releases / CURRENT
    try:
        return link.readlink().name
    except OSError:
        return ""


def versions(releases: Path) -> list[str]:
    """The names of the releases that are there, oldest first by name."""
    found = (p.parent for p in releases.glob(f"[!.]*/{SEAL}"))
    return sorted(path.name for path in found if path.name != CURRENT and not path.is_symlink())


def intact(path: Path) -> Release | None:
    """The release at a path, if it verifies."""
    try:
        return Release.open(path)
    except ReleaseError:
        return None


def _manifest(path: Path, seal: dict[str, Any]) -> Manifest:
    """The manifest of the release at ``path``: what pages and dumps rely on has the type that they rely on.

    :raises ReleaseError: if it was written by another version of kg, whose manifests say something else.
    """
    table = read_json(path / MANIFEST, once=True)
    try:
        manifest = Manifest(files=tuple(map(_entry, table.pop("files"))), **table)
        texts = [*(getattr(manifest, name) for name in _TEXTS), *manifest.counts, *manifest.prefixes]
        numbers = [*manifest.counts.values(), *(e.count for e in manifest.files if e.count is not None)]
        if not all(type(number) is int and 0 <= number < _MOST for number in numbers):
            raise TypeError("a count that is none")
        "".join((*texts, *manifest.prefixes.values())).encode()
    except (AttributeError, KeyError, TypeError, ValueError) as e:
        message = f"not a manifest for kg {package_version('kg')}: it was written by kg {seal['tools']['kg']} ({e})"
        raise ReleaseError(f"{path / MANIFEST}: {message}", file=MANIFEST) from e
    return manifest


def _entry(table: dict[str, Any]) -> FileEntry:
    if not all(isinstance(table[name], kind) for name, kind in (("path", str), ("sha256", str), ("size", int))):
        raise TypeError(f"{table} is no file")
    return FileEntry(**table)


def _present(path: Path) -> set[str]:
    """Files and folders of a release, without its seal."""
    try:
        return {*disk.files(path), *disk.folders(path)} - {SEAL}
    except OSError as e:
        raise ReleaseError(f"{e.filename or path}: cannot be read: {e.strerror}", file=path.name) from e


def _seal_sha256(content: dict[str, Any]) -> str:
    return hashlib.sha256(json_bytes(content)).hexdigest()
