"""The command line: parse, call, print, exit code; nothing else.

Commands import what they call, so that `kg serve` does not wait for the tools of `kg build`.

Exit codes: 0 done · 1 findings, or an error of ours (one line on standard error) · 2 the command was misused.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from kg.config import FILE, Config, load
from kg.errors import ConfigError, KgError, QueryRefused, SourceError
from kg.model import Finding, Severity
from kg.release import CURRENT, Release, activate, current_version, listing

_Command = TypeVar("_Command", bound=Callable[..., Any])


class _Group(click.Group):
    """Turns our errors into one line and exit code 1, for every command."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SourceError as e:
            _fail(f"{e.file}:{e.line}: {e}" if e.line else f"{e.file}: {e}")
        except KgError as e:
            _fail(str(e))


def _fail(message: str) -> NoReturn:
    click.echo(f"kg: {message}", err=True)
    sys.exit(1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="kg")
@click.option(
    "--project",
    "-C",
    type=click.Path(path_type=Path),
    default=Path(),
    help="The project's folder, with kg.toml in it (default: this one).",
)
@click.pass_context
def main(ctx: click.Context, project: Path) -> None:
    """Publish a knowledge graph in which every fact shows where it comes from.

    \b
    Start:      kg init facts && cd facts && kg build && kg serve
    """
    ctx.obj = project


_base = click.option("--base", help='The address every IRI starts with; ends in "/". Overrides kg.toml.')
_documents = click.option(
    "--documents",
    "-d",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="DIR",
    help="A folder with texts that are not in the project (NAME.txt, NAME.md). May be repeated.",
)
_format = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print.",
)


@main.command("build")
@_base
@_documents
@_format
@click.pass_obj
def build_command(project: Path, base: str | None, documents: Sequence[Path], format_: str) -> None:
    """Check the sources and publish them as a sealed release.

    Nothing of a failed build is published; the previous release stays.

    \b
    Example:    kg build --documents ~/texts
    """
    from kg import build as building

    config = load(project, base=base)
    release, findings = building.build(config, documents, _progress())
    _clear_progress()
    _print_findings(findings, format_, release)
    if release is None:
        sys.exit(1)


@main.command()
@_base
@_documents
@_format
@click.option("--fix", is_flag=True, help="Rewrite the positions of passages that moved without changing.")
@click.pass_obj
def check(project: Path, base: str | None, documents: Sequence[Path], format_: str, fix: bool) -> None:
    """Check the sources; nothing is written, but for --fix.

    \b
    Example:    kg check --format json | jq '.findings[].message'
    """
    from kg import build as building

    config = load(project, base=base)
    if fix:
        for line in building.fix(config, documents):
            click.echo(line, err=True)
    checked = building.check(config, documents, _progress())
    _clear_progress()
    _print_findings(checked.findings, format_, None)
    if checked.failed:
        sys.exit(1)


def _progress() -> Callable[[str], None]:
    """Names the stage on a terminal; silent in a pipe."""
    if not sys.stderr.isatty():
        return lambda _stage: None
    return lambda stage: click.echo(f"\r\x1b[K{stage} …", err=True, nl=False)


def _clear_progress() -> None:
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", err=True, nl=False)


def _print_findings(findings: Sequence[Finding], format_: str, release: Release | None) -> None:
    tally = {severity: sum(f.severity is severity for f in findings) for severity in Severity}
    if format_ == "json":
        content = {
            "release": release.version if release else None,
            "counts": {str(severity): count for severity, count in tally.items()},
            "findings": [finding.as_json() for finding in findings],
        }
        click.echo(json.dumps(content, ensure_ascii=False, indent=1))
        return
    for finding in findings:
        click.echo(str(finding))
    click.echo(", ".join(_plural(tally[s], s) for s in (Severity.ERROR, Severity.WARNING)))
    if release:
        counts = release.manifest.counts
        unchecked = counts["passages"] - counts["verified"]
        click.echo(
            f"{release.version}: {_plural(counts['claims'], 'claim')} from {_plural(counts['documents'], 'document')}, "
            f"{_plural(counts['verified'], 'passage')} verified, {unchecked} not checked here"
        )
        if unchecked:
            click.echo("(a text that may not be republished is checked where you have it: --documents DIR)")
    elif tally[Severity.ERROR]:
        click.echo("nothing was published")


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="The port; 0: a free one.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Web processes.")
@click.option("--threads", default=16, show_default=True, type=click.IntRange(1, 256), help="Threads in each.")
@click.option("--release", "version", help="A version other than the current one.")
@click.pass_obj
def serve(project: Path, host: str, port: int, workers: int, threads: int, version: str | None) -> None:
    """Serve a release: pages, data, /sparql, dumps.

    The release is verified before the first answer; a damaged one is refused. When another release becomes current
    (kg build, kg releases activate), it is served from the next request on; --release stays with one.

    \b
    Example:    kg serve --host 0.0.0.0 --port 8000
    """
    config = load(project)
    release = _open(config, version)
    from kg.site import create_app
    from kg.site.server import serve as run

    click.echo(f"{release.manifest.title} · release {release.version}")
    run(
        lambda wanted, archived: create_app(_open(config, wanted), config, archived=archived),
        lambda: version or current_version(config.releases),
        release.version,
        host,
        port,
        workers=workers,
        threads=threads,
    )


@main.command()
@click.argument("version", required=False)
@click.pass_obj
def verify(project: Path, version: str | None) -> None:
    """Compare every file of a release with its seal (default: the current one).

    \b
    Example:    kg verify
    """
    release = _open(load(project), version)
    click.echo(f"{release.version}: sealed {release.sealed_at:%Y-%m-%d %H:%M:%S %Z}, every file as it was sealed")


@main.command()
@click.argument("query", required=False)
@click.option("--file", "-f", type=click.File(encoding="utf-8"), help="Read the query from a file (-: standard input).")
@click.option("--question", "-q", metavar="NAME", help="Run one of the example questions by name.")
@click.option("--format", "format_", help="csv, tsv, json, xml; for graphs ttl, nt, rdf, jsonld, trig, nq.")
@click.option("--endpoint", metavar="URL", help="Ask another SPARQL endpoint instead of the current release.")
@click.pass_obj
def query(
    project: Path,
    query: str | None,
    file: Any,
    question: str | None,
    format_: str | None,
    endpoint: str | None,
) -> None:
    """Ask the current release a SPARQL question.

    \b
    Example:    kg query 'SELECT ?claim ?gloss { ?claim a <ontology#Claim> ; rdfs:label ?gloss }'

    The prefixes of the release (kg:, rdfs:, prov: …) need no declaration here, and relative IRIs start at its base.
    """
    from kg.query.command import ask_endpoint, ask_release, with_prefixes

    if sum(value is not None for value in (query, file, question)) != 1:
        raise click.UsageError("give one of QUERY, --file and --question")
    text = query if query is not None else file.read() if file else ""
    if endpoint:
        click.echo(ask_endpoint(endpoint, text, format_), nl=False)
        return
    config = load(project)
    release = _open(config, None)
    if question:
        found = [q for q in release.queries if q.name == question]
        if not found:
            names = ", ".join(q.name for q in release.queries) or "there is none"
            raise click.UsageError(f"no question {question!r} in this release; known: {names}")
        text = found[0].text
    complete = with_prefixes(text, release.manifest.prefixes)
    try:
        for chunk in ask_release(release.store_path, release.manifest.base, complete, format_, config.query):
            sys.stdout.buffer.write(chunk)
    except QueryRefused as e:
        # Lines count from the query as it was typed, not from the prefixes in front of it.
        line = e.line - complete.count("\n") + text.count("\n")
        _fail(f"line {line}, column {e.column}: {e}" if line > 0 else str(e))


@main.command()
@click.argument("document")
@click.argument("words", required=False)
@_documents
@click.pass_obj
def cite(project: Path, document: str, words: str | None, documents: Sequence[Path]) -> None:
    """Print the passage that WORDS are in DOCUMENT, as TriG to paste into data/claims.

    Says so when the words stand there twice, or not at all. Without WORDS: the document's own description.

    \b
    Example:    kg cite us-army-iraq-bases "a few words" --documents ~/texts
    """
    from kg.build import cite as citing

    config = load(project)
    if words is None:
        click.echo(citing.document_turtle(config, document, documents))
        return
    passage, sentence, shown = citing.cite(config, document, words, documents)
    click.echo(f"# paragraph {passage.paragraph}, sentence {passage.sentence}: {sentence}", err=True)
    click.echo(citing.passage_trig(passage, quote=shown))


@main.command()
@click.argument("claims", nargs=-1, metavar="[CLAIM]...")
@click.option("--by", "reviewer", metavar="NAME", default="", help="Print the reviews of these claims by id/NAME.")
@_documents
@click.pass_obj
def review(project: Path, claims: Sequence[str], reviewer: str, documents: Sequence[Path]) -> None:
    """List the claims that nobody has read a second time, or that were changed since.

    With --by: print the reviews of the CLAIMs that NAME has just read against their passages, to paste into
    data/claims. The review holds as long as gloss, marks, triples and passages stay the same.

    \b
    Example:    kg review claim/about-kg/1 --by a-colleague
    """
    from kg import build as building

    if reviewer and not claims:
        raise click.UsageError("--by needs the claims that were read, as claim/DOCUMENT/N")
    for line in building.review(load(project), documents, claims, reviewer):
        click.echo(line)


@main.group(invoke_without_command=True)
@click.pass_context
def releases(ctx: click.Context) -> None:
    """List the releases, the one that is served marked with *.

    \b
    Example:    kg releases
    """
    if ctx.invoked_subcommand is not None:
        return
    rows = listing(load(ctx.obj).releases)
    if not rows:
        click.echo("no release yet; `kg build` makes one")
    for row in rows:
        click.echo(f"{'*' if row.current else ' '} {row.version}{'  DAMAGED: ' + row.problem if row.problem else ''}")


@releases.command("activate")
@click.argument("version")
@click.pass_obj
def activate_command(project: Path, version: str) -> None:
    """Make VERSION the release that `kg serve` opens.

    \b
    Example:    kg releases activate 2026-01-31-0123456789ab
    """
    config = load(project)
    activate(config.releases, _open(config, version).version)
    click.echo(f"{version} is current")


@main.command()
@click.argument("old")
@click.argument("new", default=CURRENT)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "patch"]),
    default="text",
    show_default=True,
    help="Words, JSON, or an RDF patch.",
)
@click.pass_obj
def diff(project: Path, old: str, new: str, format_: str) -> None:
    """Say what changed from release OLD to release NEW (default: the current one), by claim and by thing.

    \b
    Example:    kg diff 2026-01-31-0123456789ab
    """
    from kg import diff as comparing

    config = load(project)
    difference = comparing.compare(_open(config, old), _open(config, new))
    if format_ == "json":
        click.echo(json.dumps(comparing.as_json(difference), ensure_ascii=False, indent=1))
        return
    for line in comparing.as_patch(difference) if format_ == "patch" else comparing.in_words(difference):
        click.echo(line)


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
        shutil.copytree(starter, directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    click.echo(f"wrote {directory}/{FILE} and a dataset to start from; next:\n  cd {directory}\n  kg build\n  kg serve")


def _open(config: Config, version: str | None) -> Release:
    return Release.open(config.releases / (version or CURRENT))


if __name__ == "__main__":
    main()
