"""Commands of whoever keeps releases: verify, query, releases, diff."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from kg import terminal
from kg.cli.endpoints import connect, profile_option
from kg.cli.root import fail, hand_out, main, open_release, say, settings
from kg.errors import QueryRefused
from kg.release import CURRENT, activate
from kg.shelf import before_current, listing, prune


@main.command()
@click.argument("version", required=False)
@click.pass_obj
def verify(project: Path, version: str | None) -> None:
    """Compare every file of a release with its seal (default: the current one).

    \b
    Example:    kg verify
    """
    release = open_release(settings(project), version)
    click.echo(f"{release.version}: sealed {release.sealed_at:%Y-%m-%d %H:%M:%S %Z}, every file as it was sealed")


@main.command()
@click.argument("query", required=False)
@click.option("--file", "-f", type=click.File(encoding="utf-8"), help="Read the query from a file (-: standard input).")
@click.option("--question", "-q", metavar="NAME", help="Run one of the example questions by name.")
@click.option("--set", "choices", metavar="NAME=VALUE", multiple=True, help="Choose for a parameter of the question.")
@click.option("--evidence", is_flag=True, help="With footnotes: one more column names the claims behind each row.")
@click.option("--format", "format_", help="csv, tsv, json, xml; for graphs ttl, nt, rdf, jsonld, trig, nq.")
@click.option("--endpoint", metavar="URL", help="Ask another SPARQL endpoint instead of the current release.")
@profile_option
@click.pass_obj
def query(
    project: Path,
    query: str | None,
    file: Any,
    question: str | None,
    choices: Sequence[str],
    evidence: bool,
    format_: str | None,
    endpoint: str | None,
    profile: str,
) -> None:
    """Ask the current release a SPARQL question.

    \b
    Example:    kg query 'SELECT ?claim ?gloss { ?claim a <ontology#Claim> ; rdfs:label ?gloss }'
                kg query --question claims --evidence

    The prefixes of the release (kg:, rdfs:, prov: …) need no declaration here, and relative IRIs start at its base.
    """
    from kg.query.command import ask_endpoint, ask_release, with_choices, with_prefixes

    if sum(value is not None for value in (query, file, question)) != 1:
        raise click.UsageError("give one of QUERY, --file and --question")
    if endpoint and question:
        raise click.UsageError("--question is one of the current release; with --endpoint, give the query itself")
    if endpoint and evidence:
        raise click.UsageError("--evidence is about claims of the current release, and goes not with --endpoint")
    if choices and not question:
        raise click.UsageError("--set chooses for a parameter of a --question")
    if unclear := [choice for choice in choices if "=" not in choice]:
        raise click.UsageError(f"--set {unclear[0]!r} is not of the form NAME=VALUE")
    text = query if query is not None else file.read() if file else ""
    if endpoint:
        terminal.hand_out(ask_endpoint(connect(endpoint, profile), text, format_), sys.stdout.buffer)
        return
    config = settings(project)
    release = open_release(config, None)
    if question:
        found = [q for q in release.queries if q.name == question]
        if not found:
            names = ", ".join(q.name for q in release.queries) or "there is none"
            raise click.UsageError(f"no question {question!r} in this release; known: {names}")
        try:
            text = with_choices(found[0], dict(choice.split("=", 1) for choice in choices), release.manifest.base)
        except QueryRefused as e:
            raise click.UsageError(str(e)) from e
    complete = with_prefixes(text, release.manifest.prefixes)
    try:
        answer = ask_release(release, complete, format_, config.query, evidence=evidence)
        terminal.hand_out(answer, sys.stdout.buffer)
    except QueryRefused as e:
        # Lines count from the query as it was typed, not from the prefixes in front of it.
        line = e.line - complete.count("\n") + text.count("\n")
        fail(f"line {line}, column {e.column}: {e}" if line > 0 else str(e))


@main.group(invoke_without_command=True)
@click.pass_context
def releases(ctx: click.Context) -> None:
    """List the releases, the one that is served marked with *.

    \b
    Example:    kg releases
    """
    if ctx.invoked_subcommand is not None:
        return
    rows = listing(settings(ctx.obj).releases)
    if not rows:
        click.echo("no release yet; `kg build` makes one")
    for row in rows:
        say(f"{'*' if row.current else ' '} {row.version}{'  DAMAGED: ' + row.problem if row.problem else ''}")


@releases.command("activate")
@click.argument("version")
@click.pass_obj
def activate_command(project: Path, version: str) -> None:
    """Make VERSION the release that `kg serve` opens.

    \b
    Example:    kg releases activate 2026-01-31-0123456789ab
    """
    config = settings(project)
    version = open_release(config, version).version
    activate(config.releases, version)
    click.echo(f"{version} is current")


@releases.command("rollback")
@click.pass_obj
def rollback_command(project: Path) -> None:
    """Make the release before the current one current again; damaged ones are passed over.

    \b
    Example:    kg releases rollback
    """
    folder = settings(project).releases
    version = before_current(folder)
    activate(folder, version)
    click.echo(f"{version} is current")


@releases.command("prune")
@click.option("--keep", type=click.IntRange(1), required=True, help="How many releases stay, the newest.")
@click.pass_obj
def prune_command(project: Path, keep: int) -> None:
    """Delete the oldest releases; the current one always stays.

    \b
    Example:    kg releases prune --keep 10
    """
    for version in prune(settings(project).releases, keep):
        click.echo(f"{version} is gone")


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

    config = settings(project)
    difference = comparing.compare(open_release(config, old), open_release(config, new))
    if format_ == "json":
        hand_out(json.dumps(comparing.as_json(difference), ensure_ascii=False, indent=1))
        return
    for line in comparing.as_patch(difference) if format_ == "patch" else comparing.in_words(difference):
        hand_out(line)
