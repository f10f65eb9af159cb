"""The index of the history is made of the releases alone: whatever became of it, it says what they say."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.conftest import Kept

from kg import build, shelf
from kg.config import load
from kg.history import FILE, History, MemberState
from kg.release import activate


def test_the_index_is_made_again_and_forgets_what_is_gone(kept: Kept, tmp_path: Path) -> None:
    copy = tmp_path / "releases"
    shutil.copytree(kept.root / "releases", copy, symlinks=True)
    (copy / FILE).write_bytes(b"this is no database, and must not be taken for one" * 100)
    history = History(copy)
    history.update()
    assert [r.version for r in history.releases()] == [r.version for r in kept.releases]
    shutil.rmtree(copy / kept.releases[0].version)
    history.update()
    assert [r.version for r in history.releases()] == [r.version for r in kept.releases[1:]]
    history.close()


def test_releases_of_one_second_are_in_the_order_in_which_they_were_made(
    starter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in that of their names, which end in a hash."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    releases, made = starter / "releases", []
    for turn in range(6):
        release, _ = build.build(replace(load(starter), title=f"Turn {turn}"))
        assert release is not None
        made.append(release.version)
    with closing(History(releases)) as history:
        history.update()
        assert [release.version for release in history.releases()] == made
        assert [(step.release.version, step.at) for step in history.steps()] == [(version, None) for version in made]
    assert [row.version for row in shelf.listing(releases)] == made
    for version in reversed(made[:-1]):
        assert shelf.before_current(releases) == version
        activate(releases, version)
    activate(releases, made[-1])
    assert shelf.prune(releases, keep=4) == made[:2]


def test_an_index_of_which_a_disk_changed_a_bit_is_made_again(kept: Kept, tmp_path: Path) -> None:
    """SQLite reads most of them without a complaint."""
    copy = tmp_path / "releases"
    shutil.copytree(kept.root / "releases", copy, symlinks=True)
    old, _, new = (release.version for release in kept.releases)

    def told() -> list[MemberState]:
        with closing(History(copy)) as history:
            history.update()
            return history.changes(old, new, load(kept.root).base, 1000, 0)

    expected = told()
    whole = (copy / FILE).read_bytes()
    place = whole.index(b"claim/about-kg/1")
    for at in (place, 100, *range(200, len(whole), len(whole) // 40)):
        (copy / FILE).write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert told() == expected, at
        assert told() == expected, f"{at}, and from the index that was made again"


def test_an_index_that_is_damaged_while_it_is_read_is_done_without(kept: Kept, tmp_path: Path) -> None:
    copy = tmp_path / "releases"
    shutil.copytree(kept.root / "releases", copy, symlinks=True)
    with closing(History(copy)) as history:
        history.update()
        size = (copy / FILE).stat().st_size
        (copy / FILE).write_bytes(b"x" * size)
        assert [r.version for r in history.releases()] == [r.version for r in kept.releases]
        assert history.events(load(kept.root).base + "claim/about-kg/1")


def test_an_index_that_was_cut_is_done_without(kept: Kept, tmp_path: Path) -> None:
    copy = tmp_path / "releases"
    shutil.copytree(kept.root / "releases", copy, symlinks=True)
    history = History(copy)
    history.update()
    history.close()
    whole = (copy / FILE).read_bytes()
    for size in range(100, len(whole), len(whole) // 9):
        (copy / FILE).write_bytes(whole[:size])
        history = History(copy)
        history.update()
        assert [r.version for r in history.releases()] == [r.version for r in kept.releases], size
        history.close()
