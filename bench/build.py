"""Builds of generated corpora: seconds, memory, what one changed document costs, and loading beside ``oxigraph load``.

    python bench/build.py [--documents 100 1000] [--workers 1 2] [--claims 30] [--quick] [--keep FOLDER]

Every build is a process of its own, from nothing but for one, which has the cache of the build before and one document
changed; its release has to be the one that a build from nothing makes. ``--quick`` leaves that last build away, and
loading: two builds a size and number of workers then, some seven minutes of CPU for 10,000 documents. A table of all
sizes stands at the end.

Memory is the peak of the largest process and of all of them together, from /proc, so Linux only: what is their own,
and (``RSS``) with the mapped files that the system keeps for them while there is room. Clock and CPU both: on a machine
that is shared, the CPU tells more.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from corpus import generate  # type: ignore[import-not-found]

KG = [sys.executable, "-m", "kg.cli"]
OXIGRAPH = Path(sys.executable).with_name("oxigraph")


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds on the clock, seconds of CPU, and MB: of the largest process, and of all at the same time.

    ``resident``: of all, with the files that they have mapped.
    """

    wall: float
    cpu: float
    largest: float
    together: float
    resident: float


@dataclass(frozen=True, slots=True)
class Size:
    """What was measured of one size: builds from nothing by number of workers, and the one after a change."""

    documents: int
    quads: int
    full: dict[int, Run]
    again: Run


def measured(command: list[str], cwd: Path) -> Run:
    """Run a command and look at its processes meanwhile."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    peak = [0.0, 0.0, 0.0]
    with subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        ended = threading.Event()
        watcher = threading.Thread(target=_watch, args=(process.pid, ended, peak))
        watcher.start()
        _, said = process.communicate()
        ended.set()
        watcher.join()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed: {said}")
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall, cpu, *peak)


def _watch(pid: int, ended: threading.Event, peak: list[float]) -> None:
    while not ended.wait(0.1):
        sizes = [_memory(one) for one in _tree(pid)]
        own, resident = [size[0] for size in sizes], [size[1] for size in sizes]
        peak[:] = max(peak[0], *own), max(peak[1], sum(own)), max(peak[2], sum(resident))


def _tree(pid: int) -> list[int]:
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                waiting += map(int, task.read_text().split())
            except OSError:
                continue
    return found


def _memory(pid: int) -> tuple[float, float]:
    """MB that a process holds: of its own, and with files that are mapped, which the system can drop."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0, 0.0
    own, resident = (
        sum(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024 for name in ("RssAnon:", "VmRSS:")
    )
    return own, resident


def digest(project: Path) -> str:
    manifest = json.loads((project / "releases/current/manifest.json").read_text(encoding="utf-8"))
    return str(manifest["digest"])


def counts(project: Path) -> dict[str, int]:
    manifest = json.loads((project / "releases/current/manifest.json").read_text(encoding="utf-8"))
    found: dict[str, int] = manifest["counts"]
    return found


def change(project: Path) -> None:
    """One claim of one document gets another gloss."""
    path = min((project / "data/claims").iterdir())
    path.write_text(path.read_text("utf-8").replace('rdfs:label "', 'rdfs:label "Changed: ', 1), "utf-8")


def builds(project: Path, documents: int, workers: list[int], *, quick: bool) -> Size:
    """A line for each number of workers, then for the build after a change."""
    full: dict[int, Run] = {}
    digests, options, quads = set[str](), list[str](), 0
    with tempfile.TemporaryDirectory(prefix="kg-bench-cache-", dir=project) as scratch:
        for count in workers:
            shutil.rmtree(project / "releases", ignore_errors=True)
            shutil.rmtree(scratch)
            options = ["--workers", str(count), "--cache", scratch]
            full[count] = run = measured([*KG, "build", *options], project)
            digests.add(digest(project))
            quads = counts(project)["quads"]
            line(f"{documents:,} documents, {quads:,} quads, {count} workers", run)
            print(f"{'':<58}{run.cpu / documents * 1000:>8.1f} ms of CPU a document", flush=True)
        if len(digests) > 1:
            raise SystemExit("the releases differ with the number of workers")
        change(project)
        again = measured([*KG, "build", *options], project)
    line(f"{documents:,} documents, one changed", again)
    whole = full[workers[-1]]
    print(f"{'':<58}{again.wall / whole.wall:>8.1%} of the clock, {again.cpu / whole.cpu:.1%} of the CPU (goal 5 %)")
    if len(full) > 1:
        least, most = full[min(workers)], full[max(workers)]
        print(f"{'':<58}{least.wall / most.wall:>8.2f} x as fast with {max(workers)} workers as with {min(workers)}")
    if not quick:
        after = digest(project)
        shutil.rmtree(project / "releases")
        measured([*KG, "build", "--fresh", "--workers", str(workers[-1])], project)
        if digest(project) != after:
            raise SystemExit("the build after a change made another release than a build from nothing")
    return Size(documents, quads, full, again)


def table(sizes: list[Size]) -> None:
    """All sizes side by side, by number of workers: is it linear?"""
    head = (
        "documents",
        "quads",
        "workers",
        "CPU s",
        "ms/doc",
        "wall s",
        "largest MB",
        "all MB",
        "RSS MB",
        "one changed",
    )
    print("\n" + "  ".join(f"{name:>{max(9, len(name))}}" for name in head))
    for size in sizes:
        for count, run in size.full.items():
            last = count == list(size.full)[-1]
            cells = (
                f"{size.documents:,}",
                f"{size.quads:,}",
                str(count),
                f"{run.cpu:.1f}",
                f"{run.cpu / size.documents * 1000:.1f}",
                f"{run.wall:.1f}",
                f"{run.largest:.0f}",
                f"{run.together:.0f}",
                f"{run.resident:.0f}",
                f"{size.again.cpu / run.cpu:.1%}" if last else "",
            )
            print("  ".join(f"{cell:>{max(9, len(name))}}" for name, cell in zip(head, cells, strict=True)))


def loads(project: Path) -> None:
    """Our loading of the store beside Oxigraph's own, of the same file."""
    quads, source = counts(project)["quads"], project / "releases/current/dumps/all.nq"
    ours = (
        "import sys; from pathlib import Path; from kg.store.embedded import load; "
        "load(Path(sys.argv[1]), [Path(sys.argv[2])])"
    )
    with tempfile.TemporaryDirectory(prefix="kg-bench-store-", dir=project) as scratch:
        commands = {
            "kg": [sys.executable, "-c", ours, f"{scratch}/kg", str(source)],
            "oxigraph load": [str(OXIGRAPH), "load", "--location", f"{scratch}/oxigraph", "--file", str(source)],
        }
        for name, command in commands.items():
            if name != "kg" and not OXIGRAPH.exists():
                print("oxigraph is not installed: pip install oxigraph")
                continue
            run = measured(command, project)
            line(f"loading {quads:,} quads, {name}, {quads / run.wall:,.0f} quads/s", run)


def line(what: str, run: Run) -> None:
    memory = f"{run.largest:6.0f} MB, all {run.together:6.0f} MB"
    print(f"{what:<58}{run.wall:>8.1f} s  CPU {run.cpu:>7.1f} s  {memory}", flush=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--documents", type=int, nargs="+", default=[100, 1000])
    arguments.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    arguments.add_argument("--claims", type=int, default=30)
    arguments.add_argument("--quick", action="store_true", help="leave away what only compares")
    arguments.add_argument("--keep", type=Path, help="a folder on the disk to use; it stays")
    given = arguments.parse_args()
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="kg-bench-") as scratch:
        folder, sizes = given.keep or Path(scratch), []
        for documents in given.documents:
            project = folder / f"{documents}-documents"
            if not project.exists():
                generate(project, documents=documents, claims=given.claims)
            sizes.append(builds(project, documents, given.workers, quick=given.quick))
            if not given.quick:
                loads(project)
        table(sizes)


if __name__ == "__main__":
    main()
