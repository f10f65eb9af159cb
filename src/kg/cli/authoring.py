"""Commands of whoever writes claims: build, check, cite, review, init."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kg.cli.progress import Shown, silent
from kg.cli.root import documents_option, hand_out, main, say, settings
from kg.cli.supervised import supervise
from kg.config import FILE, Config
from kg.diff import plural, without_stone
from kg.errors import ConfigError
from kg.findings import as_json
from kg.model import Finding, Severity
from kg.release import Release, current_version

if TYPE_CHECKING:
    # Building takes its time to import: commands that do not build start without it.
    from kg.build import How, Progress

_base = click.option("--base", help='The address every IRI starts with; ends in "/". Overrides kg.toml.')
_format = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print.",
)
_engine = click.option(
    "--engine",
    type=click.Choice(["compiled", "pyshacl"]),
    default="compiled",
    show_default=True,
    help="What validates with SHACL; both find the same.",
)


_how = (
    click.option("--workers", type=click.IntRange(0, 256), help="Processes (default: one a processor, if it pays)."),
    click.option("--executor", default="", metavar="ADDRESS", help="A Dask scheduler, tcp://…, instead of processes."),
    click.option("--cache", type=click.Path(path_type=Path), help="Where parts that did not change are kept."),
    click.option("--fresh", is_flag=True, help="Keep nothing, and make everything anew."),
    click.option("--progress/--no-progress", default=None, help="Show how far it is (default: on a terminal)."),
)


def _with_how(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say how a build is run, as ``how`` and ``progress``."""

    @wraps(command)
    def run(
        project: Path,
        /,
        *,
        workers: int | None,
        executor: str,
        cache: Path | None,
        fresh: bool,
        progress: bool | None,
        **others: Any,
    ) -> None:
        config = settings(project, base=others.pop("base"))
        supervise(config)
        from kg.build import How

        shown = Shown(sys.stderr) if (sys.stderr.isatty() if progress is None else progress) else None
        try:
            command(
                config,
                how=How(workers, executor, None if fresh else cache, keep=not fresh),
                progress=shown or silent,
                **others,
            )
        finally:
            if shown:
                shown.clear()

    for option in reversed(_how):
        run = option(run)
    return run


@main.command("build")
@_base
@documents_option
@_format
@_engine
@click.pass_obj
@_with_how
def build_command(
    config: Config, documents: Sequence[Path], format_: str, engine: str, how: How, progress: Progress
) -> None:
    """Check the sources and publish them as a sealed release.

    Nothing of a failed build is published; the previous release stays.

    \b
    Example:    kg build --documents ~/texts
    """
    from kg import build as building

    before = current_version(config.releases)
    release, findings = building.build(config, documents, progress, engine, how)
    _clear(progress)
    _print_findings(findings, format_, release)
    if release is None:
        if format_ == "text":
            click.echo("nothing was published")
        sys.exit(1)
    if before and before != release.version and format_ == "text":
        _print_gone(before, without_stone(config.releases / before, release), config)


def _print_gone(before: str, gone: Sequence[str], config: Config) -> None:
    """Say which claims of the release before are no longer there: their numbers may not be used again."""
    if gone:
        named = ", ".join(iri.removeprefix(config.base) for iri in gone[:3]) + (", …" if gone[3:] else "")
        click.echo(
            f"({plural(len(gone), 'claim')} of {before} left no stone: {named}; their addresses are not found any "
            "more, which a kg:WithdrawnClaim mends)"
        )


@main.command()
@_base
@documents_option
@_format
@_engine
@click.option("--fix", is_flag=True, help="Rewrite the positions of passages that moved without changing.")
@click.pass_obj
@_with_how
def check(
    config: Config,
    *,
    documents: Sequence[Path],
    format_: str,
    engine: str,
    fix: bool,
    how: How,
    progress: Progress,
) -> None:
    """Check the sources; nothing is written to the project, but for --fix.

    \b
    Example:    kg check --format json | jq '.findings[].message'
    """
    from kg import build as building

    if fix:
        for line in building.fix(config, documents):
            say(line, err=True)
    checked = building.check(config, documents, progress, engine, how)
    _clear(progress)
    _print_findings(checked.findings, format_, None)
    if checked.failed:
        sys.exit(1)


def _clear(progress: Progress) -> None:
    """Take the line of progress away before something is printed in its place."""
    if isinstance(progress, Shown):
        progress.clear()


def _print_findings(findings: Sequence[Finding], format_: str, release: Release | None) -> None:
    tally = {severity: sum(f.severity is severity for f in findings) for severity in Severity}
    if format_ == "json":
        content = as_json(release.version if release else None, findings)
        hand_out(json.dumps(content, ensure_ascii=False, indent=1))
        return
    for finding in findings:
        say(str(finding))
    shown = [s for s in Severity if tally[s] or s is not Severity.INFO]
    click.echo(", ".join(plural(tally[s], s) for s in shown))
    if release:
        counts = release.manifest.counts
        unchecked = counts["passages"] - counts["verified"]
        click.echo(
            f"{release.version}: {plural(counts['claims'], 'claim')} from {plural(counts['documents'], 'document')}, "
            f"{plural(counts['verified'], 'passage')} verified, {unchecked} not checked here"
        )
        if unchecked:
            click.echo("(a text that may not be republished is checked where you have it: --documents DIR)")


@main.command()
@click.argument("document")
@click.argument("words", required=False)
@documents_option
@click.pass_obj
def cite(project: Path, document: str, words: str | None, documents: Sequence[Path]) -> None:
    """Print the passage that WORDS are in DOCUMENT, as TriG to paste into data/claims.

    Says so when the words stand there twice, or not at all. Without WORDS: the document's own description.

    \b
    Example:    kg cite us-army-iraq-bases "a few words" --documents ~/texts
    """
    config = settings(project)
    supervise(config)
    from kg.build import cite as citing

    if words is None:
        hand_out(citing.document_turtle(config, document, documents))
        return
    passage, sentence, shown = citing.cite(config, document, words, documents)
    say(f"# paragraph {passage.paragraph}, sentence {passage.sentence}: {sentence}", err=True)
    hand_out(citing.passage_trig(passage, quote=shown))


@main.command()
@click.argument("claims", nargs=-1, metavar="[CLAIM]...")
@click.option("--by", "reviewer", metavar="NAME", default="", help="Print the reviews of these claims by id/NAME.")
@documents_option
@click.pass_obj
def review(project: Path, claims: Sequence[str], reviewer: str, documents: Sequence[Path]) -> None:
    """List the claims that nobody has read a second time, or that were changed since.

    With --by: print the reviews of the CLAIMs that NAME has just read against their passages, to paste into
    data/claims. The review holds as long as gloss, marks, triples and passages stay the same.

    \b
    Example:    kg review claim/about-kg/1 --by a-colleague
    """
    if reviewer and not claims:
        raise click.UsageError("--by needs the claims that were read, as claim/DOCUMENT/N")
    config = settings(project)
    supervise(config)
    from kg import build as building

    for line in building.review(config, documents, claims, reviewer):
        say(line)


@main.command()
@click.argument("directory", type=click.Path(path_type=Path))
def init(directory: Path) -> None:
    """Write a starter project: a short document, two claims, ontology, shapes, a question.

    \b
    Example:    kg init facts && cd facts && kg build && kg serve
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise ConfigError(f"{directory}: is not an empty folder; choose another name")
    with resources.as_file(resources.files("kg") / "starter") as starter:
        try:
            shutil.copytree(
                starter, directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "*.py")
            )
        except OSError as e:
            raise ConfigError(f"{directory}: cannot be written: {e.strerror or e}") from e
    click.echo(f"wrote {directory}/{FILE} and a dataset to start from; next:\n  cd {directory}\n  kg build\n  kg serve")
