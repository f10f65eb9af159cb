"""The group of all commands, and what they share."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from kg import terminal
from kg.bounds import TOO_LARGE, too_large, unbound_memory
from kg.config import FILE, Config, load
from kg.disk import refusal
from kg.errors import ConfigError, KgError, ReleaseError, SourceError
from kg.query.limits import Limits
from kg.release import CURRENT, Release, versions
from kg.terminal import visible

_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


class _Group(click.Group):
    """Turns our errors into one line and exit code 1, for every command."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SourceError as e:
            fail(f"{e.file}:{e.line}: {e}" if e.line else f"{e.file}: {e}")
        except KgError as e:
            fail(str(e))
        except OSError as e:
            if e.errno not in _OF_THE_DISK:
                raise
            fail(refusal(e, "a file"))
        except MemoryError:
            unbound_memory()
            fail(f"{too_large() or 'the sources'}: {TOO_LARGE}")


def settings(project: Path, base: str | None = None) -> Config:
    """What ``kg.toml`` says, and that all of it can be used: a limit of queries that is none is told before any runs.

    :raises ConfigError: if it is missing, or says something that cannot be used.
    """
    config = load(project, base=base)
    try:
        Limits.from_settings(config.query)
    except ConfigError as e:
        raise ConfigError(f"{project / FILE}: {e}") from None
    return config


def fail(message: str) -> NoReturn:
    say(f"kg: {message}", err=True)
    sys.exit(1)


def say(line: str, *, err: bool = False) -> None:
    """Print a line of words, on standard error if so said; it may have names and words of others in it."""
    click.echo(visible(line), err=err)


def hand_out(text: str) -> None:
    """Print data: nothing is changed for another program or a file."""
    terminal.hand_out([f"{text}\n".encode()], sys.stdout.buffer)
    sys.stdout.buffer.flush()


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


documents_option = click.option(
    "--documents",
    "-d",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="DIR",
    help="A folder with texts that are not in the project (NAME.txt, NAME.md). May be repeated.",
)


def open_release(config: Config, version: str | None) -> Release:
    """The release of a name, or the current one, verified.

    :raises ReleaseError: if it is not there, or not as it was sealed.
    """
    try:
        return _open_release(config, version)
    except PermissionError as e:
        raise ReleaseError(f"{e.filename}: cannot be read: {e.strerror}") from e


def _open_release(config: Config, version: str | None) -> Release:
    path = config.releases / (CURRENT if version is None else version)
    there = versions(config.releases)
    names = f"there {'are' if there[1:] else 'is'} {', '.join(there[-5:])}"
    if there and version is not None and (not version or not path.is_dir()):
        raise ReleaseError(f"{path}: no such release; {names}")
    if there and path.is_symlink() and not path.exists():
        raise ReleaseError(
            f"{path}: leads to {path.readlink()}, which is not there; `kg releases activate VERSION` makes another "
            f"release current; {names}"
        )
    if path.is_symlink() and path.exists() and path.resolve().parent != config.releases.resolve():
        raise ReleaseError(
            f"{path}: leads to {path.resolve()}, outside of this folder; `kg releases activate VERSION` makes one "
            f"in it the current one{f'; {names}' if there else ''}"
        )
    release = Release.open(path)
    if release.version != release.path.name:
        raise ReleaseError(
            f"{release.path}: is the release {release.version}: its folder was renamed; give it that name again"
        )
    return release
