"""The releases of a project beside each other: listed, kept or removed, and which one to go back to."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from kg import activations
from kg.errors import ReleaseError
from kg.records import read_json
from kg.release import SEAL, STAGING, Release, current_version, intact, versions


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of ``kg releases``."""

    version: str
    current: bool
    problem: str


def listing(releases: Path) -> list[Listed]:
    """Every release with its state: ``problem`` is empty for one that verifies."""
    activations.tidy(releases)
    served = current_version(releases)
    rows = []
    for version in versions(releases):
        try:
            release = Release.open(releases / version)
            problem = "" if release.version == version else f"is the release {release.version}: its folder was renamed"
        except ReleaseError as e:
            problem = str(e)
        rows.append(Listed(version, version == served, problem))
    return rows


def prune(releases: Path, keep: int) -> list[str]:
    """Remove all but the ``keep`` releases sealed last; the current one always stays. Returns what was removed."""
    activations.tidy(releases)
    by_age = _by_age(releases)
    removed = [v for v in by_age[: max(0, len(by_age) - keep)] if v != current_version(releases)]
    for version in removed:
        remove(releases, version)
    return removed


def remove(releases: Path, version: str) -> None:
    """Delete a release; it is renamed before, so that it is never there in part."""
    going = releases / f"{STAGING}{version}"
    try:
        (releases / version).rename(going)
        shutil.rmtree(going)
    except OSError as e:
        raise ReleaseError(f"{releases / version}: cannot be removed: {e.strerror}", file=version) from e


def before_current(releases: Path) -> str:
    """The newest whole release that was sealed before the current one.

    :raises ReleaseError: if there is none.
    """
    by_age, current = _by_age(releases), current_version(releases)
    for version in reversed(by_age[: by_age.index(current)] if current in by_age else by_age):
        release = intact(releases / version)
        if release and release.version == version:
            return version
    raise ReleaseError(f"{releases}: there is no whole release before {current or 'the first'}", file=current)


def _by_age(releases: Path) -> list[str]:
    return sorted(versions(releases), key=lambda version: (_sealed_at(releases / version), version))


def _sealed_at(path: Path) -> str:
    """When a release says it was sealed; a damaged one counts as the oldest."""
    try:
        return str(read_json(path / SEAL)["sealed_at"])
    except (ReleaseError, KeyError, TypeError):
        return ""
