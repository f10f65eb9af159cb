"""What goes wrong while a release is published, kept and served. The old release stays, and nobody has to tidy up.

Publishing is killed at its steps, disks are full or cannot be written, files are damaged, servers are killed.
"""

from __future__ import annotations

import http.client
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from kg import build
from kg.config import load
from kg.release import Release, current_version, listing, versions

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


@pytest.fixture
def built(starter: Path) -> Path:
    """The starter project with a first release."""
    assert build.build(load(starter))[0] is not None
    return starter


def intact(project: Path) -> str:
    """Every release that is there verifies, and one is current; returns which."""
    releases = load(project).releases
    assert [row.problem for row in listing(releases) if row.problem] == []
    return Release.open(releases / "current").version


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


@pytest.mark.parametrize("room", [pytest.param("1k", marks=pytest.mark.soak), "300k"])
def test_a_disk_that_runs_full_is_one_line_and_the_release_before_stays(
    room: str, built: Path, tmp_path: Path, kg
) -> None:
    size = sum(path.stat().st_size for path in built.rglob("*") if path.is_file())
    free = {"1k": 1_000, "300k": 300_000}[room]
    with disk(tmp_path / "disk", str(size * 2 + 200_000 + free)) as place:
        project = place / "project"
        shutil.copytree(built, project, symlinks=True)
        filler = place / "filler"
        with filler.open("wb") as stream, suppress(OSError):
            stat = os.statvfs(place)
            stream.write(b"x" * max(0, stat.f_bavail * stat.f_frsize - free))
        before = intact(project)
        toml = project / "kg.toml"
        with toml.open("r+") as stream:  # in place: there is no room for another file
            text = stream.read().replace("My knowledge graph", "Another graphs! ok")
            stream.seek(0)
            stream.write(text)
        done = kg("build", cwd=project)
        assert done.returncode == 1, done.stdout
        assert "cannot be written" in done.stderr
        assert done.stderr.count("\n") == 1
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
                assert get(address, "/" + path)[0] == 200, path


def get(address: str, path: str) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()


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


# Servers


QUERY = "SELECT ?s ?p ?o { ?s ?p ?o } ORDER BY ?s ?p ?o LIMIT 50"


class Load(threading.Thread):
    """Asks for pages and queries again and again, counts what came whole, and keeps what was none of the answers."""

    def __init__(self, address: str, expected: dict[str, bytes]) -> None:
        super().__init__(daemon=True)
        self.address = address
        self.expected = expected
        self.stop = threading.Event()
        self.answers: list[int] = []
        self.wrong: list[bytes] = []

    def run(self) -> None:
        while not self.stop.is_set():
            for path, body in self.expected.items():
                try:
                    status, got = get(self.address, path)
                except (OSError, http.client.HTTPException):
                    time.sleep(0.01)
                    continue
                self.answers.append(status)
                if status == 200 and got != body:
                    self.wrong.append(got)


@contextmanager
def server(project: Path, workers: int = 2) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "kg.cli", "serve", "--port", "0", "--workers", str(workers)]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            process.stdout.readline()
            yield process, process.stdout.readline().split()[0]
        finally:
            process.terminate()
            process.wait(timeout=40)


def children(pid: int) -> list[int]:
    """The processes below one, nearest first."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            name, _, rest = stat.read_text().partition(") ")
            if int(rest.split()[1]) == pid:
                found.append(int(name.partition(" ")[0]))
    return found + [below for child in found for below in children(child)]


def roles(master: int) -> dict[str, list[int]]:
    """The processes of a server by what they do."""
    web = [pid for pid in children(master) if parent(pid) == master]
    brokers = [pid for pid in children(master) if parent(pid) in web and "kg.query.broker" in command_of(pid)]
    queries = [pid for pid in children(master) if parent(pid) in brokers]
    return {"master": [master], "web": web, "broker": brokers, "query": queries}


def parent(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])
    return 0


def command_of(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return ""


def kill_servers(project: Path, times: int) -> None:
    """Kill one of a server's processes again and again, under load; start it again where that was the master."""
    dice = random.Random(20261126)
    with server(project) as (_, address):
        expected = {path: get(address, path)[1] for path in ("/page/kg", "/sparql?query=" + quote(QUERY))}
        port = urlsplit(address).port or 0
    loads = [Load(address, expected) for _ in range(2)]
    seen: set[int] = set()
    killed: Counter[str] = Counter()
    process = served(project, port)
    try:
        for load_ in loads:
            load_.start()
        while killed.total() < times:
            time.sleep(dice.uniform(0.05, 0.6))
            found = roles(process.pid)
            seen.update(pid for some in found.values() for pid in some)
            kind = dice.choice(list(found))
            if not found[kind]:
                continue  # it is just being made again
            with suppress(ProcessLookupError):
                os.kill(dice.choice(found[kind]), signal.SIGKILL)
            killed[kind] += 1
            if kind == "master":
                ended(process)
                process = served(project, port)
        for load_ in loads:
            load_.stop.set()
            load_.join(timeout=60)
        end = time.monotonic() + 60
        while [_answer(address, path) for path in expected] != [(200, body) for body in expected.values()]:
            assert time.monotonic() < end, "it does not come back"
            time.sleep(0.1)
        while {kind: len(pids) for kind, pids in roles(process.pid).items() if kind != "query"} != {
            "master": 1,
            "web": 2,
            "broker": 1,
        }:
            assert time.monotonic() < end, roles(process.pid)
            time.sleep(0.1)
        seen.update(children(process.pid))
    finally:
        process.terminate()
        ended(process)
    assert len(killed) == min(4, times) or times < 20, killed
    answers = [answer for load_ in loads for answer in load_.answers]
    assert answers.count(200) > times
    # A query whose process was killed is told so; nothing else goes wrong, and nothing is mixed or cut.
    assert set(answers) <= {200, 500, 503}
    assert [load_.wrong for load_ in loads] == [[], []]
    end = time.monotonic() + 30
    while left := [pid for pid in seen if "kg" in command_of(pid)]:
        assert time.monotonic() < end, [command_of(pid) for pid in left]
        time.sleep(0.1)
    assert intact(project)


def served(project: Path, port: int) -> subprocess.Popen[str]:
    """A server on this port, started again, as a service manager does it, until the port is free."""
    command = [sys.executable, "-m", "kg.cli", "serve", "--port", str(port), "--workers", "2"]
    end = time.monotonic() + 60
    while True:
        process = subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert process.stdout
        process.stdout.readline()
        if process.stdout.readline():
            return process
        ended(process)
        assert time.monotonic() < end, "the port does not become free"


def ended(process: subprocess.Popen[str]) -> None:
    process.wait(timeout=40)
    assert process.stdout
    process.stdout.close()


def _answer(address: str, path: str) -> tuple[int, bytes]:
    with suppress(OSError, http.client.HTTPException):
        return get(address, path)
    return 0, b""


def test_processes_of_a_server_that_are_killed_are_replaced_under_load(built: Path) -> None:
    kill_servers(built, 6)


@pytest.mark.soak
def test_two_hundred_processes_of_a_server_are_killed(built: Path) -> None:
    kill_servers(built, 200)


def test_the_address_of_a_server_that_was_killed_is_free_again(built: Path) -> None:
    with server(built) as (process, address):
        below = children(process.pid)
        assert get(address, "/sparql?query=ASK%7B%7D")[0] == 200
        below = children(process.pid)
        process.kill()
        process.wait(timeout=20)
        end = time.monotonic() + 40
        while any(Path(f"/proc/{pid}").exists() for pid in below):
            assert time.monotonic() < end, "processes of it are left"
            time.sleep(0.1)
        port = str(urlsplit(address).port)
    command = [sys.executable, "-m", "kg.cli", "serve", "--port", port]
    with subprocess.Popen(command, cwd=built, stdout=subprocess.PIPE, text=True) as again:
        assert again.stdout
        assert [bool(again.stdout.readline()), port in again.stdout.readline()] == [True, True]
        again.terminate()


def test_a_long_answer_ends_before_the_server_that_is_told_to_stop(built: Path) -> None:
    words = "SELECT ?a ?b ?c WHERE { ?a ?p ?x . ?b ?q ?y . ?c ?r ?z } LIMIT 30000"
    with (
        server(built, 1) as (process, address),
        closing(http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)) as connection,
    ):
        connection.request("GET", "/sparql?query=" + quote(words), headers={"Accept": "text/csv"})
        answer = connection.getresponse()
        body = answer.read(1000)
        process.send_signal(signal.SIGTERM)
        while piece := answer.read(1 << 16):
            body += piece
        # A broken connection would have raised an exception.
        assert body.count(b"\n") == 30_001
        process.wait(timeout=40)
        assert process.returncode == 0
        assert re.fullmatch(rb"a,b,c", body.partition(b"\r\n")[0])
    assert versions(load(built).releases) == [current_version(load(built).releases)]


def test_an_answer_that_runs_into_its_deadline_breaks_off_and_nothing_is_logged(built: Path) -> None:
    settings = (built / "kg.toml").read_text(encoding="utf-8")
    (built / "kg.toml").write_text(settings.replace("deadline = 10", "deadline = 1"), encoding="utf-8")
    words = "SELECT * { ?a ?p ?x . ?b ?q ?y . ?c ?r ?z . ?d ?s ?w }"
    command = [sys.executable, "-m", "kg.cli", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=built, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        address = process.stdout.readline().split()[0]
        with pytest.raises(http.client.IncompleteRead):
            get(address, "/sparql?query=" + quote(words))
        assert get(address, "/health")[0] == 200
        process.terminate()
        assert process.communicate(timeout=40)[1] == ""
