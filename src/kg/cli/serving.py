"""The command that runs the site, and what it starts beside it: serve."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from kg.cli import watch as watching
from kg.cli.endpoints import connect, profile_option, serve_endpoint
from kg.cli.root import documents_option, main, open_release, say, settings
from kg.config import Config
from kg.errors import BuildError, ReleaseError
from kg.release import current_version
from kg.shelf import before_current

PATIENCE = 5
"""Seconds that the watching process has to end."""


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="The port; 0: a free one.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Web processes.")
@click.option("--threads", default=64, show_default=True, type=click.IntRange(1, 256), help="Threads in each.")
@click.option("--release", "version", help="A version other than the current one.")
@click.option("--endpoint", metavar="URL", help="Show what this SPARQL endpoint holds: a pushed release, or any data.")
@profile_option
@click.option(
    "--graph",
    "graphs",
    metavar="IRI",
    multiple=True,
    help="Of data kg did not build: only this graph. May be repeated.",
)
@click.option("--refresh", is_flag=True, help="Of other data: read the names to search by anew.")
@click.option("--watch", is_flag=True, help="Build when a source changes, and show on every page what is found.")
@documents_option
@click.pass_obj
def serve(
    project: Path,
    *,
    host: str,
    port: int,
    workers: int,
    threads: int,
    version: str | None,
    endpoint: str | None,
    profile: str,
    graphs: Sequence[str],
    refresh: bool,
    watch: bool,
    documents: Sequence[Path],
) -> None:
    """Serve a release: pages, data, /sparql, dumps.

    The release is verified before the first answer; a damaged one is refused. When another release becomes current
    (kg build, kg releases activate), it is served from the next request on; --release stays with one.

    With --endpoint, the facts come from that store. If `kg push` put a release of this project there, that one is
    shown, with what lies here of it; else whatever the store holds, and pages say that no evidence is recorded.

    --watch is for authors. While the sources do not build, the last good release stays up. --documents is for its
    builds.

    \b
    Example:    kg serve --host 0.0.0.0 --port 8000
                kg serve --watch --documents ~/texts
                kg serve --endpoint http://localhost:3030/ds/query --engine-profile fuseki
    """
    if endpoint and (version or watch):
        raise click.UsageError("--endpoint goes neither with --release nor with --watch")
    if (graphs or refresh) and not endpoint:
        raise click.UsageError("--graph and --refresh go with --endpoint")
    if watch and version:
        raise click.UsageError("--watch serves what it builds, --release another: choose one")
    if documents and not watch:
        raise click.UsageError("--documents goes with --watch; without it, give it to kg build")
    config = settings(project)
    if config.security.expires and datetime.fromisoformat(config.security.expires) < datetime.now(UTC):
        # Whoever finds a weakness is told by RFC 9116, section 2.5.5, not to trust such a file.
        say(
            "kg: security.expires in kg.toml is over: see that the contact is still true, and set a later day", err=True
        )
    if endpoint:
        serve_endpoint(
            config,
            connect(endpoint, profile),
            graphs=tuple(graphs),
            refresh=refresh,
            where=(host, port),
            workers=workers,
            threads=threads,
        )
        return
    with _watched(config, documents) if watch else nullcontext():
        release = open_release(config, version)
        if release.manifest.base != config.base:
            # Every IRI on the pages would be another than the one that kg.toml lets one expect.
            said = f"this release was built for {release.manifest.base}, and the base is {config.base} now"
            say(f"kg: {said}: kg build makes one for it", err=True)
        say(f"{release.manifest.title} · release {release.version}")
        from kg.site import create_app
        from kg.site.serving.server import serve as run

        run(
            lambda wanted, archived, exchange: create_app(
                open_release(config, wanted), config, exchange=exchange, archived=archived, watching=watch
            ),
            lambda: version or current_version(config.releases),
            release.version,
            host,
            port,
            workers=workers,
            threads=threads,
            earlier=tuple if version else partial(_earlier, config),
        )


def _earlier(config: Config) -> Iterator[str]:
    """The last whole release before the current one, if there is one."""
    with suppress(ReleaseError):
        yield before_current(config.releases)


@contextmanager
def _watched(config: Config, documents: Sequence[Path]) -> Iterator[None]:
    """Builds go on beside this; there is a release when it begins.

    :raises BuildError: if the process that watches ended.
    """
    starter = os.getpid()
    process = watching.start(config.root, documents)
    try:
        while not current_version(config.releases):
            if process.poll() is not None:
                raise BuildError("the process that watches the sources has ended")
            time.sleep(0.1)
        yield
    finally:
        # Web processes may be forks of this one, and pass here too when they end.
        if os.getpid() == starter:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
