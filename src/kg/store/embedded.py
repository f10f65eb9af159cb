"""The store inside a release: RocksDB files, written once by the build, opened read-only ever after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pyoxigraph import NamedNode, Quad, RdfFormat
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
    for file in files:
        if file.stat().st_size:
            store.bulk_load(path=str(file), format=RdfFormat.N_QUADS)
    store.flush()
    return store


def write(path: Path, quads: Iterable[Quad]) -> None:
    """Write a new store at ``path`` and close it, so that it can be sealed and opened read-only."""
    store = Oxigraph(str(path))
    store.bulk_extend(quads)
    store.optimize()
    store.flush()
    del store
