"""Stage 7: write store, dumps, index, report, metadata and queries into staging, and have the release sealed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pyoxigraph import Literal

from kg import vocab
from kg.build.assemble import in_default_graph
from kg.build.coverage import measure
from kg.build.dumps import Content, write_dumps
from kg.build.index import write_index
from kg.build.metadata import write_metadata
from kg.build.parse import Sources
from kg.build.report import make_report
from kg.config import Config
from kg.errors import BuildError
from kg.model import FileEntry, Finding, Manifest
from kg.release import STORE, Release, file_entry, seal, staging
from kg.store import embedded, stated


def write_release(config: Config, content: Content, findings: Sequence[Finding]) -> Release:
    """Write everything and publish it by one rename.

    :raises BuildError: if another build is running, or the disk refuses.
    """
    try:
        with staging(config.releases) as folder:
            manifest = _write(folder, config, content, findings)
            return seal(folder, config, manifest)
    except OSError as e:
        raise BuildError(f"{config.releases}: the release cannot be written: {e.strerror or e}") from e


def _write(folder: Path, config: Config, content: Content, findings: Sequence[Finding]) -> Manifest:
    quads = content.assembled.quads
    embedded.write(folder / STORE, quads)
    collected = content.collected
    facts = {c.iri for c in content.grounded.claims if in_default_graph(c, collected.documents[c.document].author)}
    stated.write(folder / STORE, facts)
    counts = {f"dumps/{name}": count for name, count in write_dumps(folder / "dumps", content).items()}
    counts["search.sqlite"] = write_index(folder / "search.sqlite", quads, content.names, config.language)
    for name, directory, texts in (
        ("rq", "queries", {query.name: query.text for query in content.sources.queries}),
        ("txt", "documents", _shown_texts(content)),
    ):
        (folder / directory).mkdir()
        for stem, text in texts.items():
            # newline="": a text's own line ends are part of what is shown.
            (folder / directory / f"{stem}.{name}").write_text(text, encoding="utf-8", newline="")
    coverage = measure(content.collected, content.grounded, content.assembled, content.names)
    dumps = [entry for entry in _entries(folder, counts) if entry.path.startswith("dumps/")]
    described = write_metadata(folder / "metadata", content, coverage, config, dumps)
    counts |= {f"metadata/{name}": count for name, count in described.items()}
    report = make_report(content.collected, content.grounded, content.assembled, coverage, findings)
    text = json.dumps(report, ensure_ascii=False, indent=1, sort_keys=True)
    (folder / "report.json").write_text(text + "\n", encoding="utf-8")
    return Manifest(
        base=config.base,
        title=config.title,
        description=config.description,
        license=config.license,
        publisher=config.publisher,
        digest="",
        quads_sha256=file_entry(folder, folder / "dumps/all.nq").sha256,
        files=_entries(folder, counts),
        counts=report["counts"],
        prefixes=content.prefixes,
    )


def _shown_texts(content: Content) -> dict[str, str]:
    return {name: raw for name, raw in content.grounded.raw.items() if content.collected.documents[name].text_shown}


def _entries(folder: Path, counts: dict[str, int]) -> tuple[FileEntry, ...]:
    """Every file but the store's, whose bytes no engine promises to repeat."""
    paths = (p for p in folder.rglob("*") if p.is_file() and p.relative_to(folder).parts[0] != STORE)
    entries = (file_entry(folder, p, counts.get(p.relative_to(folder).as_posix())) for p in paths)
    return tuple(sorted(entries, key=lambda entry: entry.path))


def display_prefixes(sources: Sources, names: vocab.Names) -> dict[str, str]:
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
    for prefix, namespace in sorted(sources.prefixes.items()):
        # A claims file calls its own claims "claim:"; that is no name outside of the file.
        if namespace not in named and not namespace.startswith((names.base + "claim/", names.base + "passage")):
            named.add(prefixes.setdefault(prefix, namespace))
    return dict(sorted(prefixes.items()))
