"""The store inside a release: RocksDB files, written once by the build, opened read-only ever after."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from pyoxigraph import NamedNode, Quad, RdfFormat, parse
from pyoxigraph import Store as Oxigraph

from kg.errors import ReleaseError
from kg.store.base import Graph, Subject, Term


class EmbeddedStore:
    """A sealed release's store. Verify the release's hashes first: a damaged store can open as an empty one."""

    def __init__(self, path: Path) -> None:
        try:
            self._store = Oxigraph.read_only(str(path))
        except (OSError, ValueError) as e:
            raise ReleaseError(f"{path}: the store cannot be opened: {e}", file=str(path)) from e

    def quads(
        self,
        subject: Subject | None = None,
        predicate: NamedNode | None = None,
        object: Term | None = None,
        graph: Graph | None = None,
    ) -> Iterator[Quad]:
        return self._store.quads_for_pattern(subject, predicate, object, graph)

    def expect(self, subjects: Iterable[str], predicates: Sequence[NamedNode] = ()) -> None:
        """Nothing is far away here."""

    def close(self) -> None:
        del self._store


def load(path: Path, files: Iterable[Path]) -> Oxigraph:
    """A new store at ``path`` with the triples and quads of N-Triples and N-Quads files.

    Close it (forget it) before it is sealed.
    """
    store = Oxigraph(str(path))
    for lines in chain.from_iterable(map(_batches, files)):
        store.bulk_load(lines, RdfFormat.N_QUADS)
    store.flush()
    return store


def _batches(file: Path) -> Iterator[bytes]:
    """The lines of a file, some at a time."""
    with file.open("rb") as opened:
        while lines := opened.read(_BATCH):
            yield lines + opened.readline()


def changed(path: Path, old: Path, gone: Iterable[bytes], come: Iterable[bytes]) -> Oxigraph:
    """A new store at ``path``: another one without the quads that are gone and with those that came, as N-Quads.

    Files that RocksDB never writes again are one file under two names, where the disk allows it. Close it (forget it)
    before it is sealed.
    """
    path.mkdir()
    for file in old.iterdir():
        if file.suffix in _FINAL:
            link_or_copy(file, path / file.name)
        elif file.name.startswith(_STATE) or file.suffix == ".log":
            shutil.copyfile(file, path / file.name)
    store = Oxigraph(str(path))
    quads: Any
    for quads, act in ((gone, store.remove), (come, store.add)):
        for quad in parse(b"".join(quads), format=RdfFormat.N_QUADS):
            act(quad)
    store.flush()
    return store


_BATCH = 64 << 20
"""Bytes that the engine is given at once, some 500,000 quads: it sorts a million in memory, in several threads, if it
is left alone, which takes 1.5 GB and more. With smaller ones, what they have in common is on the disk more often."""

_FINAL = frozenset({".sst", ".blob"})
_STATE = ("CURRENT", "IDENTITY", "MANIFEST", "OPTIONS")
"""RocksDB's files: data, which it never writes again, and what says which of them count."""


def link_or_copy(source: Path, target: Path) -> None:
    """One file under two names, where the disk allows it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def write(path: Path, quads: Iterable[Quad]) -> None:
    """Write a new store at ``path`` and close it, so that it can be sealed and opened read-only."""
    store = Oxigraph(str(path))
    store.bulk_extend(quads)
    store.optimize()
    store.flush()
    del store
