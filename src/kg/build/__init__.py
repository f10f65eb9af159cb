"""From sources to a sealed release. The order of the stages stands here; what a stage does stands in its module.

    for every document   parse → collect → ground → assemble → rules → validate      a part (part.py)
    for all of them      combine → rules → compare → put together → validate the rest → write (store, dumps …) → seal

Parts are made side by side, by this machine's processes or by a cluster's, and kept: what did not change is not made
again. Everything that all documents have a say in goes through sorted files, so that memory does not grow with them;
these too start from those of the last release (passes/tables.py).

Stages gather findings; three gates stop a build whose next stage could only repeat what was found. Nothing is
written before the last gate is passed, and what is written is published by one rename. :func:`fix` and
:func:`review` go no further than to ground: they give back lines for the sources, and no release.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from kg import vocab
from kg.bounds import more_files, more_memory
from kg.build import upkeep
from kg.build.collect import collect
from kg.build.ground import ground, read_texts, text_folders
from kg.build.limit import listed
from kg.build.parse import parse_sources
from kg.build.passes.entities import read_entities
from kg.build.passes.first import make_parts
from kg.build.passes.project import read_project
from kg.build.passes.second import SecondPass, second_pass
from kg.build.passes.shards import Cache
from kg.build.passes.tables import new_tables
from kg.build.review import review_lines
from kg.build.shacl.deadline import Endless
from kg.build.stray import stray
from kg.build.validate import DEFAULT_ENGINE, endless
from kg.build.workers import cluster, workers
from kg.build.writing.authority import check_catalog
from kg.build.writing.write import write_release
from kg.config import Config
from kg.disk import refusal
from kg.errors import BuildError, SourceError
from kg.model import Finding, Severity, has_errors
from kg.release import Release

Progress = Callable[[str, int, int], None]
"""Is told the stage, how much of it is done, and of how much (0 where nobody knows)."""


def _silent(_stage: str, _done: int, _of: int) -> None:
    """No progress is shown."""


@dataclass(frozen=True, slots=True)
class How:
    """How a build is run; the result does not depend on it.

    ``workers``: processes on this machine (``None``: as many as it has processors, if there are many documents; 0: this
    process alone). ``executor``: the address of a Dask scheduler, whose workers make the parts. ``cache``: the folder
    of what was made before; ``keep``: without one, the project's own is used if there are many documents.
    """

    workers: int | None = None
    executor: str = ""
    cache: Path | None = None
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """What ``check`` found; ``counts`` is empty where the sources could not be read to their end."""

    findings: tuple[Finding, ...]
    counts: dict[str, int]

    @property
    def failed(self) -> bool:
        return has_errors(self.findings)


def check(
    config: Config,
    documents: Sequence[Path] = (),
    progress: Progress = _silent,
    engine: str = DEFAULT_ENGINE,
    how: How | None = None,
) -> Checked:
    """Run every stage that reads, and gather what they find.

    ``documents`` are folders in which texts that may not be republished are at hand; ``engine`` is the one for SHACL.

    :raises ConfigError: if one of ``documents`` is no folder, or there is no cluster where ``how`` says.
    :raises BuildError: if worker processes died over the same files again and again.
    """
    with _disk(), examined(config, documents, progress, engine, how) as (findings, found):
        return Checked(findings, found.counts() if found else {})


def build(
    config: Config,
    documents: Sequence[Path] = (),
    progress: Progress = _silent,
    engine: str = DEFAULT_ENGINE,
    how: How | None = None,
) -> tuple[Release | None, tuple[Finding, ...]]:
    """Check the sources and, where there is no error, publish them as the current release.

    Returns the release, or ``None`` where errors were found: then nothing was written and the previous one stays.

    :raises ConfigError: if one of ``documents`` is no folder, or there is no cluster where ``how`` says.
    :raises BuildError: if another build is running or the release cannot be written.
    """
    with _disk(), examined(config, documents, progress, engine, how, to_write=True) as (findings, found):
        if found is None or has_errors(findings):
            return None, findings
        progress("write", 0, 0)
        rendered = found.rendered()
        content, store = found.content(rendered), found.store()
        release = write_release(config, content, rendered, store, findings, workers=found.workers)
        found.keep(release.version)
        return release, findings


@contextmanager
def _disk() -> Iterator[None]:
    """What a full disk or a folder without permission means to whoever builds."""
    try:
        yield
    except OSError as e:
        raise BuildError(refusal(e, "the folder for temporary files")) from e


@contextmanager
def examined(
    config: Config,
    documents: Sequence[Path] = (),
    progress: Progress = _silent,
    engine: str = DEFAULT_ENGINE,
    how: How | None = None,
    *,
    to_write: bool = False,
) -> Iterator[tuple[tuple[Finding, ...], SecondPass | None]]:
    """The findings, and where the sources could be read to their end everything there is to write.

    It lies on disk, and is gone when the context ends. ``to_write``: a release is wanted.
    """
    how = how or How()
    project = read_project(config, text_folders(config.root, documents), engine)
    if project.has_many:
        more_memory(project.memory)
        more_files()  # all shards are read side by side
    with ExitStack() as opened:
        kept = how.cache or (config.cache if how.keep and project.has_many else None)
        cache = Cache(kept or Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="kg-build-"))))
        near = opened.enter_context(workers(project.workers(how.workers), config.build.bytes))
        makers = opened.enter_context(cluster(how.executor, config.build.bytes)) if how.executor else near
        tables = opened.enter_context(new_tables(cache.path, project.key))
        found = [*check_catalog(config), *project.parsed]
        entities = read_entities(project.entities, config.base, project.common.terms, tables)
        found += entities.parsed
        try:
            made = make_parts(project, cache, makers, near, progress)
        except Endless as e:
            yield _sorted([*found, endless(e, project.common.shapes)]), None
            return
        found += made.parsed
        if not made.claims and not has_errors(found):
            found.append(project.no_claims)
        if has_errors(found):
            yield _sorted(found), None
            return
        found += [*project.collected, *entities.collected, *made.collected]
        if has_errors(found):
            yield _sorted(found), None
            return
        found += [*made.checks, *stray(config.root, made.combined.documents)]
        if any(finding.rule == "blank-nodes" for finding in found):
            yield _sorted(found), None
            return
        wanted = to_write and not has_errors(found)
        result = SecondPass(project, made, cache, tables, near, progress, entities, wanted)
        opened.callback(result.close)
        try:
            second_pass(result)
        except Endless as e:
            yield _sorted([*found, endless(e, project.common.shapes)]), None
            return
        yield _sorted([*found, *result.findings]), result


def fix(config: Config, documents: Sequence[Path] = ()) -> list[str]:
    """Rewrite the sources where passages moved without changing; returns what was done, a line each.

    :raises ConfigError: if one of ``documents`` is no folder.
    """
    folders = text_folders(config.root, documents)
    sources = parse_sources(config.root, config.base)
    collected = collect(sources, config.base)
    if has_errors(sources.findings) or has_errors(collected.findings):
        # Half-read sources are not rewritten; the check that follows says what is wrong.
        return []
    texts = read_texts(collected.documents, config.root, folders)
    return upkeep.fix(config.root, collected, ground(collected, config.base, texts))


def review(config: Config, documents: Sequence[Path], wanted: Sequence[str], reviewer: str) -> list[str]:
    """Lines for ``kg review``: what waits for a reader, or the reviews of the ``wanted`` claims, to paste.

    ``wanted`` are claims as ``claim/DOC/N``; ``reviewer`` is the name of a labelled agent, or empty to list only.

    :raises ConfigError: if one of ``documents`` is no folder.
    :raises SourceError: if the sources cannot be read to their end, or a wanted claim is not there.
    """
    folders = text_folders(config.root, documents)
    sources = parse_sources(config.root, config.base)
    collected = collect(sources, config.base)
    found = _sorted((*sources.findings, *collected.findings))
    if has_errors(found):
        raise SourceError(found[0].message, file=found[0].place.file, line=found[0].place.line)
    grounded = ground(collected, config.base, read_texts(collected.documents, config.root, folders))
    return review_lines(grounded, vocab.Names(config.base), wanted, reviewer, config.date())


def _sorted(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    order = list(Severity)

    def key(f: Finding) -> tuple[object, ...]:
        return order.index(f.severity), f.place, f.message, f.rule, f.subject

    return tuple(listed(sorted(dict.fromkeys(findings), key=key)))
