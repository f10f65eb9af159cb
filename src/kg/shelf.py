"""The releases of a project beside each other: listed, kept or removed, and which one to go back to."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from kg import activations
from kg.errors import ReleaseError
from kg.records import read_json
from kg.release import SEAL, STAGING, Release, current_version, intact, versions

_NAME = re.compile(r"\d{4}-\d\d-\d\d-[0-9a-f]{12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of ``kg releases``."""

    version: str
    current: bool
    problem: str


def listing(releases: Path) -> list[Listed]:
    """Every release with its state, the oldest first: ``problem`` is empty for one that verifies."""
    activations.tidy(releases)
    served = current_version(releases)
    rows = []
    for version in _by_age(releases):
        try:
            release = Release.open(releases / version)
            problem = "" if release.version == version else f"is the release {release.version}: its folder was renamed"
        except ReleaseError as e:
            problem = str(e)
        rows.append(Listed(version, version == served, problem))
    return rows


def prune(releases: Path, keep: int) -> list[str]:
    """Remove all but the ``keep`` releases sealed last; returns what was removed.

    The current one always stays, and where that is damaged the newest whole one, which is then all there is to show.
    """
    activations.tidy(releases)
    by_age, current = _by_age(releases), current_version(releases)
    removed = [v for v in by_age[: max(0, len(by_age) - keep)] if v != current]
    if removed:
        whole = next((v for v in (current, *reversed(by_age)) if v and _is_whole(releases, v)), "")
        removed = [v for v in removed if v != whole]
    for version in removed:
        remove(releases, version)
    return removed


def remove(releases: Path, version: str) -> None:
    """Delete a release; it is renamed before, so that it is never there in part.

    :raises ReleaseError: if the disk refuses.
    """
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
        if _is_whole(releases, version):
            return version
    raise ReleaseError(f"{releases}: there is no whole release before {current or 'the first'}", file=current)


def _is_whole(releases: Path, version: str) -> bool:
    release = intact(releases / version)
    return release is not None and release.version == version


def _all(releases: Path) -> list[str]:
    """The releases by name, and folders that were some until they lost their seal."""
    left = (path for path in releases.glob("*") if _NAME.fullmatch(path.name))
    return sorted({*versions(releases), *(path.name for path in left if path.is_dir() and not path.is_symlink())})


def _by_age(releases: Path) -> list[str]:
    first = {version: at.isoformat() for version, at in activations.first(releases).items()}

    def age(version: str) -> tuple[str, str, str]:
        current_at = first.get(version, "")
        return _sealed_at(releases / version) or current_at, current_at, version

    return sorted(_all(releases), key=age)


def _sealed_at(path: Path) -> str:
    """When a release says it was sealed; nothing for one whose seal is damaged: it became current then, too."""
    try:
        return str(read_json(path / SEAL)["sealed_at"])
    except (ReleaseError, KeyError, TypeError):
        return ""
