"""What goes wrong while a release is published and kept. The old release stays, and nobody has to tidy up.

Publishing is killed at its steps, disks are full or cannot be written, files are damaged.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest
from tests.asking import ask
from tests.conftest import intact

from kg.release import Release, versions

ROOT = Path(__file__).resolve().parent.parent
Serve = Callable[..., AbstractContextManager[str]]

# Builds in one child after the other, each of which is killed as it makes its n-th step on the disk, counted from the
# folder that it stages in. Prints the steps.
KILLER = r"""
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from kg import build
from kg.config import load

turn, every = int(sys.argv[1]), int(sys.argv[2])
config = load(Path.cwd())
while True:
    pid = os.fork()
    if pid == 0:
        left = [0]
        def stepping(name, step):
            def stepped(path, *arguments, **options):
                if name == "mkdir" and ".staging-" in str(path) and not left[0]:
                    left[0] = turn
                elif left[0]:
                    left[0] -= 1
                    if left[0] == 0:
                        os.kill(os.getpid(), signal.SIGKILL)
                return step(path, *arguments, **options)
            return stepped
        for name in ("fsync", "rename", "replace", "symlink", "unlink", "mkdir", "chmod"):
            setattr(os, name, stepping(name, getattr(os, name)))
        release, _ = build.build(replace(config, title=f"Turn {turn}"))
        os._exit(0 if release else 1)
    ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if ended != -signal.SIGKILL:
        sys.exit(ended)
    print(turn, flush=True)
    sys.stdin.readline()
    turn += every
"""


def kill_at_each_step(project: Path, first: int, every: int) -> int:
    """Kill the publishing of a release at its steps; returns the last step."""
    before = intact(project)
    last = 0
    command = [sys.executable, "-c", KILLER, str(first), str(every)]
    with subprocess.Popen(command, cwd=project, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        for line in process.stdout:
            last = int(line)
            now = intact(project)
            # What was current stays, until what takes its place is whole.
            assert now == before or Release.open(project / "releases" / now).manifest.title == f"Turn {last}"
            before = now
            process.stdin.write("\n")
            process.stdin.flush()
    assert process.returncode == 0
    assert list((project / "releases").glob(".staging-*")) == [], "the build that was not killed has tidied up"
    assert Release.open(project / "releases/current").manifest.title == f"Turn {last + every}"
    return last


def test_publishing_may_be_killed_at_any_step(built: Path) -> None:
    assert kill_at_each_step(built, 10, 40) > 20


@pytest.mark.soak
def test_publishing_is_killed_at_every_step(built: Path) -> None:
    assert kill_at_each_step(built, 1, 1) > 20


# Makes the release of a name current, and is killed when the link is there and not yet in its place.
ACTIVATION = """
import os, signal, sys
from pathlib import Path
from kg.release import activate

os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
activate(Path(sys.argv[1]), sys.argv[2])
"""


@pytest.mark.parametrize("command", ["releases", "releases activate", "releases rollback", "releases prune", "build"])
def test_a_link_that_a_killed_activation_left_is_removed_by_the_next_command(command: str, built: Path, kg) -> None:
    (built / "kg.toml").write_text((built / "kg.toml").read_text().replace("title = ", "title = 'Other' # "))
    assert kg("build", cwd=built).returncode == 0
    releases = built / "releases"
    before = intact(built)
    other = next(version for version in versions(releases) if version != before)
    done = subprocess.run([sys.executable, "-c", ACTIVATION, str(releases), other], check=False)
    assert done.returncode == -signal.SIGKILL
    ours = releases / f".staging-link-{os.getpid()}"
    ours.symlink_to(other)
    (left,) = set(releases.glob(".staging-*")) - {ours}
    assert left.is_symlink()
    more = {"releases activate": [other], "releases prune": ["--keep", "9"]}
    assert kg(*command.split(), *more.get(command, []), cwd=built).returncode == 0
    assert list(releases.glob(".staging-*")) == [ours], "that of a process that runs stays"
    assert intact(built) == (before if command in ("releases", "releases prune", "build") else other)


@contextmanager
def disk(place: Path, size: str) -> Iterator[Path]:
    """A disk of its own, where this process may mount one."""
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], check=False, capture_output=True
    )
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.decode().strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@pytest.mark.parametrize("room", [300_000, *(pytest.param(n, marks=pytest.mark.soak) for n in (1_000, 700_000, 10**6))])
def test_a_disk_that_runs_full_is_one_line_and_the_release_before_stays(
    room: int, built: Path, tmp_path: Path, kg
) -> None:
    size = sum(path.stat().st_size for path in built.rglob("*") if path.is_file())
    with disk(tmp_path / "disk", str(size * 4 + room)) as place:
        project = place / "project"
        shutil.copytree(built, project, symlinks=True)
        filler = place / "filler"
        with filler.open("wb") as stream, suppress(OSError):
            stat = os.statvfs(place)
            stream.write(b"x" * max(0, stat.f_bavail * stat.f_frsize - room))
        before = intact(project)
        toml = project / "kg.toml"
        with toml.open("r+") as stream:  # in place: there is no room for another file
            text = stream.read().replace("My knowledge graph", "Another graphs! ok")
            stream.seek(0)
            stream.write(text)
        done = kg("build", cwd=project)
        assert done.returncode == 1, done.stdout
        assert re.fullmatch(r"kg: \S+: the release cannot be written: [^\n:]{,60}\n", done.stderr)
        assert intact(project) == before
        filler.unlink()
        assert kg("build", cwd=project).returncode == 0
        assert intact(project) != before


def test_a_disk_that_cannot_be_written_is_served_from_and_not_built_on(
    built: Path, tmp_path: Path, serve: Serve, kg
) -> None:
    with disk(tmp_path / "disk", "64m") as place:
        project = place / "project"
        shutil.copytree(built, project, symlinks=True)
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        done = kg("build", cwd=project)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert "cannot be written" in done.stderr
        with serve(project) as address:
            for path in ("", "page/kg", "history/claim/about-kg/1", "releases/", "sparql?query=ASK%7B%7D"):
                assert ask(address, "/" + path)[0] == 200, path


@pytest.mark.parametrize("damage", ["cut", *(pytest.param(d, marks=pytest.mark.soak) for d in ("emptied", "removed"))])
def test_no_damaged_release_gives_a_first_answer(damage: str, built: Path, kg) -> None:
    release = built / "releases/current"
    # A RocksDB MANIFEST that was cut in half opens as an empty store without an error.
    for pattern in ("store/MANIFEST-*", "search.sqlite"):
        (path,) = release.glob(pattern)
        data = path.read_bytes()
        if damage == "removed":
            path.unlink()
        else:
            path.write_bytes(data[: len(data) // 2 if damage == "cut" else 0])
        for command in (("serve", "--port", "0"), ("verify",), ("query", "ASK {}")):
            done = kg(*command, cwd=built)
            assert done.returncode == 1, command
            assert path.name in done.stderr
            assert "http://127" not in done.stdout
        path.write_bytes(data)
    assert kg("verify", cwd=built).returncode == 0


def test_a_server_that_may_not_open_enough_files_says_so_and_ends(built: Path) -> None:
    """By the words of the engine, not in a traceback of the process that serves."""
    command = [sys.executable, "-m", "kg.cli", "serve", "--port", "0"]
    few = (60, 60)
    done = subprocess.run(
        command,
        cwd=built,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, few),
    )
    assert done.returncode != 0
    assert "the store cannot be opened: " in done.stderr.splitlines()[0]
    assert "Traceback" not in done.stderr
