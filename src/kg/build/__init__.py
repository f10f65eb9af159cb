"""From sources to a sealed release. The order of the stages stands here, and nothing more.

    parse → collect → ground → assemble → compare → rules → validate → write (store, dumps, metadata …) → seal

Stages gather findings; three gates stop a build whose next stage could only repeat what was found. Nothing is
written before the last gate is passed, and what is written is published by one rename.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kg import vocab
from kg.build import upkeep
from kg.build.assemble import assemble
from kg.build.authority import check_catalog
from kg.build.collect import collect
from kg.build.compare import compare
from kg.build.dumps import Content
from kg.build.ground import ground, text_folders
from kg.build.parse import parse_sources
from kg.build.review import review_lines, stale_reviews
from kg.build.rules import check_rules
from kg.build.validate import DEFAULT_ENGINE, validate
from kg.build.write import display_prefixes, write_release
from kg.config import Config
from kg.errors import SourceError
from kg.model import Finding, Place, Severity, error
from kg.release import Release

Progress = Callable[[str], None]
"""Is told the name of each stage as it begins."""


def _silent(_stage: str) -> None:
    """No progress is shown."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What ``check`` found; ``content`` is ``None`` where the sources could not be read to their end."""

    findings: tuple[Finding, ...]
    content: Content | None

    @property
    def failed(self) -> bool:
        return any(finding.severity is Severity.ERROR for finding in self.findings)


def check(
    config: Config, documents: Sequence[Path] = (), progress: Progress = _silent, engine: str = DEFAULT_ENGINE
) -> Checked:
    """Run every stage that reads, and gather what they find.

    ``documents`` are folders in which texts that may not be republished are at hand; ``engine`` is the one for SHACL.

    :raises ConfigError: if one of ``documents`` is no folder.
    """
    names = vocab.Names(config.base)
    folders = text_folders(config.root, documents)
    progress("parse")
    sources = parse_sources(config.root, config.base)
    found = [*check_catalog(config), *sources.findings]
    if _failed(found):
        return Checked(_sorted(found), None)
    progress("collect")
    collected = collect(sources, config.base)
    found += collected.findings
    if _failed(found):
        return Checked(_sorted(found), None)
    progress("ground")
    grounded = ground(collected, config.base, config.root, folders)
    found += grounded.findings
    found += stale_reviews(grounded, names)
    progress("assemble")
    try:
        assembled = assemble(sources, collected, grounded, config.base)
    except SourceError as e:
        found.append(error("blank-nodes", str(e), Place(e.file, e.line)))
        return Checked(_sorted(found), None)
    compared = compare(sources, collected, assembled, config.base)
    assembled = compared.added_to(assembled)
    found += check_rules(sources, collected, config.base)
    progress("validate")
    # What SHACL says of a passage that was not found, or of its claim, only repeats that.
    known = {finding.subject for finding in grounded.findings if finding.severity is Severity.ERROR}
    validated = validate(sources, assembled, config.base, compared.disputed, engine)
    found += (finding for finding in validated if finding.subject not in known)
    prefixes = display_prefixes(sources, names)
    return Checked(_sorted(found), Content(sources, collected, grounded, assembled, names, prefixes))


def fix(config: Config, documents: Sequence[Path] = ()) -> list[str]:
    """Rewrite the sources where passages moved without changing; returns what was done, a line each.

    :raises ConfigError: if one of ``documents`` is no folder.
    """
    folders = text_folders(config.root, documents)
    sources = parse_sources(config.root, config.base)
    collected = collect(sources, config.base)
    if _failed(sources.findings) or _failed(collected.findings):
        # Half-read sources are not rewritten; the check that follows says what is wrong.
        return []
    return upkeep.fix(config.root, collected, ground(collected, config.base, config.root, folders))


def review(config: Config, documents: Sequence[Path], wanted: Sequence[str], reviewer: str) -> list[str]:
    """Lines for ``kg review``: what waits for a reader, or the reviews of the ``wanted`` claims, to paste.

    ``wanted`` are claims as ``claim/DOC/N``; ``reviewer`` is the name of a labelled agent, or empty to list only.

    :raises ConfigError: if one of ``documents`` is no folder.
    :raises SourceError: if the sources cannot be read to their end, or a wanted claim is not there.
    """
    checked = check(config, documents)
    if checked.content is None:
        first = checked.findings[0]
        raise SourceError(first.message, file=first.place.file, line=first.place.line)
    content = checked.content
    return review_lines(content.grounded, content.names, wanted, reviewer, config.date())


def build(
    config: Config, documents: Sequence[Path] = (), progress: Progress = _silent, engine: str = DEFAULT_ENGINE
) -> tuple[Release | None, tuple[Finding, ...]]:
    """Check the sources and, where there is no error, publish them as the current release.

    Returns the release, or ``None`` where errors were found: then nothing was written and the previous one stays.

    :raises ConfigError: if one of ``documents`` is no folder.
    :raises BuildError: if another build is running or the release cannot be written.
    """
    checked = check(config, documents, progress, engine)
    if checked.failed or checked.content is None:
        return None, checked.findings
    progress("write")
    return write_release(config, checked.content, checked.findings), checked.findings


def _failed(findings: Sequence[Finding]) -> bool:
    return any(finding.severity is Severity.ERROR for finding in findings)


def _sorted(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    order = list(Severity)
    return tuple(sorted(dict.fromkeys(findings), key=lambda f: (order.index(f.severity), f.place, f.message)))
