"""What goes wrong around a build: killed, no disk, five at once. The last good release stays, the next build works."""

from __future__ import annotations

import fcntl
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Kg, intact
from tests.patience import until

from kg.cli import supervised
from kg.config import load
from kg.release import current_version
from kg.shelf import listing
from kg.vocab import SKOS_ALT_LABEL

BUILD = [sys.executable, "-m", "kg.cli", "build"]


def change(project: Path, turn: int) -> None:
    """Makes the next build another release."""
    path = project / "data/entities/labels.ttl"
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if "turn" not in line]
    path.write_text("\n".join([*lines, f':kg <{SKOS_ALT_LABEL}> "turn {turn}"@en .']) + "\n", encoding="utf-8")


def kill_builds(project: Path, times: int) -> None:
    dice = random.Random(20261123)  # the same moments in every run
    start = time.monotonic()
    subprocess.run(BUILD, cwd=project, check=True, capture_output=True)
    whole = time.monotonic() - start
    finished = 0
    for turn in range(times):
        change(project, turn)
        before = current_version(load(project).releases)
        with subprocess.Popen(BUILD, cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            time.sleep(dice.uniform(0.2, 1.1) * whole)
            process.send_signal(signal.SIGKILL)
        after = intact(project)
        finished += after != before
    change(project, times)
    assert subprocess.run(BUILD, cwd=project, check=False, capture_output=True).returncode == 0
    releases = load(project).releases
    assert {p.name for p in releases.iterdir() if p.name.startswith(".")} == {".lock", ".activations"}, (
        "nothing is left lying about"
    )
    assert len(listing(releases)) >= 2 + finished


def test_a_build_that_is_killed_at_any_moment_leaves_whole_releases(built: Path) -> None:
    kill_builds(built, 8)


def test_a_build_that_is_stopped_leaves_no_temporary_files(built: Path, tmp_path: Path) -> None:
    """By SIGTERM: what was started in the background of a shell does not hear the others."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    for turn in range(20):
        change(built, turn)
        with subprocess.Popen(BUILD, cwd=built, env={**os.environ, "TMPDIR": str(scratch)}, **quiet) as one:
            until(lambda: any(scratch.glob("*/kg-build-*/shards")) or one.poll() is not None)
            one.terminate()
        assert list(scratch.iterdir()) == []
        intact(built)
        if one.returncode:
            return
    pytest.fail("every build was done before it could be stopped")


def test_what_a_build_that_was_killed_left_is_removed_by_the_next(built: Path, tmp_path: Path, kg: Kg) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environ = {"TMPDIR": str(scratch)}
    with subprocess.Popen(BUILD, cwd=built, env={**os.environ, **environ}, **quiet) as one:
        until(lambda: any(scratch.iterdir()))
        one.kill()
    (left,) = scratch.iterdir()
    (scratch / "kg-of-others").mkdir()
    running = scratch / "kg-scratch-of-one-that-runs"
    running.mkdir()
    held = os.open(running, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    # Its child ends with it, at some moment.
    until(lambda: kg("build", cwd=built, env=environ).returncode == 0 and not left.exists())
    assert {path.name for path in scratch.iterdir()} == {"kg-of-others", running.name}
    os.close(held)


@pytest.mark.soak
def test_two_hundred_builds_that_are_killed(built: Path) -> None:
    kill_builds(built, 200)


def _no_file_beyond(size: int) -> Callable[[], None]:
    def limit() -> None:
        # As a full disk does: writing fails, with an error instead of a signal.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


@pytest.mark.parametrize("size", [0, 1_000, 30_000, 100_000, 160_000])
def test_a_disk_that_is_full_is_one_clear_line_and_the_release_before_stays(size: int, built: Path) -> None:
    before = intact(built)
    change(built, 1)
    done = subprocess.run(
        BUILD, cwd=built, preexec_fn=_no_file_beyond(size), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert intact(built) == before
    assert subprocess.run(BUILD, cwd=built, check=False, capture_output=True).returncode == 0
    assert intact(built) != before


def test_of_five_builds_at_once_at_least_one_publishes_and_the_others_say_why_not(built: Path) -> None:
    change(built, 1)
    running = [
        subprocess.Popen(BUILD, cwd=built, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(5)
    ]
    ended = [(process.communicate(), process.returncode) for process in running]
    assert {code for _, code in ended} <= {0, 1}
    assert any(code == 0 for _, code in ended)
    for (_, said), code in ended:
        assert (code == 0) == (said == "")
        if code:
            assert "another build is running; wait for it to end" in said
    intact(built)


def test_a_folder_that_cannot_be_written_to_is_one_clear_line(starter: Path) -> None:
    (starter / "releases").write_text("a file where the folder should be")
    done = subprocess.run(BUILD, cwd=starter, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("epoch", ["0", "4102444800"])
def test_a_clock_that_is_wrong_changes_the_name_and_not_the_content(epoch: str, built: Path) -> None:
    first = intact(built)
    change(built, 1)
    env = {**os.environ, "SOURCE_DATE_EPOCH": epoch}
    subprocess.run(BUILD, cwd=built, env=env, check=True, capture_output=True)
    second = intact(built)
    change(built, 2)
    subprocess.run(BUILD, cwd=built, check=True, capture_output=True)
    assert len({first, second, intact(built)}) == 3
    manifest = json.loads((built / "releases" / second / "manifest.json").read_text())
    assert second.endswith(manifest["digest"][:12])


def test_a_folder_for_temporary_files_that_another_command_took_for_left_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []
    mkdtemp = tempfile.mkdtemp

    def taken_once(prefix: str) -> str:
        made.append(Path(mkdtemp(prefix=prefix, dir=tmp_path)))
        if len(made) == 1:
            made[0].rmdir()
        return str(made[-1])

    monkeypatch.setattr(tempfile, "mkdtemp", taken_once)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert Path(supervised._scratch()) == made[1]
    assert made[1].is_dir()
