"""Stage 7: write dumps, index, report, metadata and queries beside the store, and have the release sealed."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pyoxigraph import Literal

from kg import text, vocab
from kg.build.parse import Sources, read_utf8
from kg.build.workers import Workers
from kg.build.writing.content import Content
from kg.build.writing.dumps import Rendered, write_dumps
from kg.build.writing.index import Indexing, make_index
from kg.build.writing.metadata import write_metadata
from kg.build.writing.report import write_report
from kg.config import Config
from kg.errors import BuildError
from kg.fixity import file_entry
from kg.model import FileEntry, Finding, Manifest
from kg.release import STORE, Release, manifest_of, seal, staging
from kg.store import stated


def write_release(
    config: Config,
    content: Content,
    rendered: Rendered,
    store: Path,
    findings: Sequence[Finding],
    *,
    workers: Workers,
) -> Release:
    """Write everything and publish it by one rename. ``store`` is moved into the release; workers write the index.

    :raises BuildError: if another build is running, or the disk refuses.
    """
    try:
        with staging(config.releases) as folder:
            _move(store, folder / STORE)
            job = Indexing(folder / "search.sqlite", rendered.facts, config.base)
            with workers.begun(make_index, [job]) as indexing:
                manifest = _write(folder, config, content, rendered, findings, indexing=indexing)
            return seal(folder, config, manifest)
    except OSError as e:
        raise BuildError(f"{config.releases}: the release cannot be written: {e.strerror or e}") from e


def _move(store: Path, place: Path) -> None:
    """Move a store, also to another disk; :func:`shutil.move` tells of each file that the disk refuses, in one line."""
    try:
        store.rename(place)
    except OSError as e:
        if e.errno != errno.EXDEV:
            raise
        place.mkdir()
        for file in store.iterdir():
            shutil.copyfile(file, place / file.name)


def _write(
    folder: Path,
    config: Config,
    content: Content,
    rendered: Rendered,
    findings: Sequence[Finding],
    *,
    indexing: Iterable[tuple[Indexing, int]],
) -> Manifest:
    (folder / STORE / stated.NAME).write_bytes(_stated(content))
    counts = {f"dumps/{name}": count for name, count in write_dumps(folder / "dumps", content, rendered).items()}
    for name, directory, some in (
        ("rq", "queries", ((query.name, query.text.encode()) for query in content.queries)),
        ("txt", "documents", _shown_texts(content)),
    ):
        (folder / directory).mkdir()
        for stem, whole in some:
            # A text's own line ends are part of what is shown.
            (folder / directory / f"{stem}.{name}").write_bytes(whole)
    dumps = _entries(folder, (folder / "dumps").iterdir(), counts)
    described = write_metadata(folder / "metadata", content, config, dumps)
    counts |= {f"metadata/{name}": count for name, count in described.items()}
    write_report(folder / "report.json", content, findings)
    counts |= {job.path.name: count for job, count in indexing}
    others = (p for p in folder.rglob("*") if p.relative_to(folder).parts[0] not in (STORE, "dumps"))
    return manifest_of(
        config,
        quads_sha256=next(entry.sha256 for entry in dumps if entry.path == "dumps/all.nq"),
        files=(*dumps, *_entries(folder, others, counts)),
        counts=content.counts,
        prefixes=content.prefixes,
    )


def _stated(content: Content) -> bytes:
    """The file that leads from a fact to the claims that state it."""
    lines = (line.decode().split("\t") for line in content.stated.lines())
    return stated.table(((claim, int(key, 16)) for claim, key in lines), content.stated.count())


def _shown_texts(content: Content) -> Iterator[tuple[str, bytes]]:
    """The texts that may be shown, as they are now.

    :raises BuildError: if somebody saved one after its passages were compared with it.
    """
    for name, document in content.documents.items():
        if document.text_shown and name in content.texts:
            path = content.texts[name]
            read = read_utf8(path, str(path))
            if text.sha256(text.content(read.decode())) != document.sha256:
                raise BuildError(f"{path}: was changed while it was built: build once more")
            yield name, read


def _entries(folder: Path, paths: Iterable[Path], counts: Mapping[str, int]) -> tuple[FileEntry, ...]:
    """Files with hash and count; never the store's, whose bytes no engine promises to repeat."""
    entries = (file_entry(folder, p, counts.get(p.relative_to(folder).as_posix())) for p in paths if p.is_file())
    return tuple(sorted(entries, key=lambda entry: entry.path))


def display_prefixes(sources: Sources, declared: Mapping[str, str], names: vocab.Names) -> dict[str, str]:
    """Prefix → namespace for output: ours, those the ontologies prefer, then those the sources declare."""
    prefixes = names.prefixes()
    preferred: dict[str, dict[str, str]] = {}
    for q in sources.ontology:
        if q.quad.predicate.value in (vocab.VANN_PREFIX, vocab.VANN_NAMESPACE) and isinstance(q.quad.object, Literal):
            preferred.setdefault(str(q.quad.subject), {})[q.quad.predicate.value] = q.quad.object.value
    for pair in preferred.values():
        if len(pair) == 2:
            prefixes.setdefault(pair[vocab.VANN_PREFIX], pair[vocab.VANN_NAMESPACE])
    named = set(prefixes.values())
    for prefix, namespace in sorted(declared.items()):
        # A claims file calls its own claims "claim:"; that is no name outside of the file.
        if namespace not in named and not namespace.startswith((names.base + "claim/", names.base + "passage")):
            named.add(prefixes.setdefault(prefix, namespace))
    return dict(sorted(prefixes.items()))
