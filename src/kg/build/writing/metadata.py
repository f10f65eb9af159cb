"""Stage 7d: how a release describes itself, in ``metadata/``. ``DESCRIPTIONS`` is the list of what is written.

``void.ttl`` is served at ``/.well-known/void``, ``catalog.ttl`` at ``/catalog``. They hold only what the sources, the
published quads and ``kg.toml`` say: no clock, so that the same sources give the same bytes. The checksums of the files
stand in them, so they are no part of the dataset that they describe.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pyoxigraph import Triple

from kg import media, vocab
from kg.build.writing.catalog import describe_catalog
from kg.build.writing.content import Content
from kg.build.writing.void import describe_void
from kg.config import Config
from kg.model import FileEntry

Describer = Callable[[Content, Config, Sequence[FileEntry]], set[Triple]]

DESCRIPTIONS: dict[str, Describer] = {
    "catalog.ttl": describe_catalog,
    "void.ttl": describe_void,
}


def write_metadata(folder: Path, content: Content, config: Config, dumps: Sequence[FileEntry]) -> dict[str, int]:
    """Write every description into ``folder``; returns the count of triples of each by its file name.

    ``dumps`` are the files that people download, as they were written.
    """
    folder.mkdir()
    counts = {}
    prefixes = {**content.prefixes, **vocab.METADATA_PREFIXES}
    for name, describe in DESCRIPTIONS.items():
        triples = sorted(describe(content, config, dumps), key=str)
        (folder / name).write_bytes(media.serialise(triples, media.RDF_BY_EXTENSION["ttl"], prefixes))
        counts[name] = len(triples)
    return counts
