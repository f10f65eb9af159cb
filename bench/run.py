"""Measures kg on its own dataset and prints one table: `make bench`.

CPU time is that of the whole process tree (from /proc, so Linux only) and steadier than the clock on a shared
machine; every figure is the median of several rounds. Goals stand beside the figures; nothing fails here.
"""

from __future__ import annotations

import http.client
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import shacl  # type: ignore[import-not-found]

ROOT = Path(__file__).resolve().parent.parent
KG = [sys.executable, "-m", "kg.cli"]
SOURCES = ("kg.toml", "ontology", "shapes", "data")
ROUNDS = 5
REQUESTS = 500


def main() -> None:
    rows: list[tuple[str, str, str]] = []
    with tempfile.TemporaryDirectory(prefix="kg-bench-") as scratch:
        project = copy_sources(Path(scratch))
        wall, cpu = zip(*(build(project) for _ in range(ROUNDS)), strict=True)
        rows.append(("build of the default dataset, clock", f"{statistics.median(wall):.2f} s", "3 s"))
        rows.append(("build of the default dataset, CPU", f"{statistics.median(cpu):.2f} s", ""))
        first = [time_to_first_page(project) for _ in range(ROUNDS)]
        rows.append(("first page after start", f"{statistics.median(first):.2f} s", "1 s"))
        views = [first_views(project) for _ in range(ROUNDS)]
        rows.append(("entity page, first view, CPU", f"{statistics.median(views):.2f} ms", "1.5 ms"))
        with serving(project) as (process, port):
            for name, path in pages(port).items():
                rows.append((f"{name}, CPU", f"{cpu_per_request(process, port, path):.2f} ms", ""))
    rows += shacl.measure(documents=100, claims=30, errors=5, alone=False)
    width = max(len(row[0]) for row in rows)
    print(f"{'what':<{width}}  {'median':>9}  goal")
    for name, figure, wanted in rows:
        print(f"{name:<{width}}  {figure:>9}  {wanted}")


def copy_sources(scratch: Path) -> Path:
    """A copy of the project, so that no release of a bench lands among the real ones."""
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, scratch / name)
        else:
            shutil.copy(source, scratch / name)
    return scratch


def build(project: Path) -> tuple[float, float]:
    """Seconds on the clock and of CPU for one ``kg build`` from nothing, interpreter start included."""
    shutil.rmtree(project / "releases", ignore_errors=True)
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([*KG, "build"], cwd=project, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@contextmanager
def serving(project: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A real ``kg serve`` on a free port."""
    command = [*KG, "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process, port_of(process)
        finally:
            process.terminate()


def port_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout
    for line in process.stdout:
        address = re.search(r"http://[^/]*:(\d+)/", line)
        if address:
            return int(address[1])
    raise SystemExit("kg serve ended before it said where it listens")


def time_to_first_page(project: Path) -> float:
    """Seconds from the start of the process to the last byte of its first page."""
    start = time.perf_counter()
    with serving(project) as (_, port):
        fetch(http.client.HTTPConnection("127.0.0.1", port), "/")
        return time.perf_counter() - start


def first_views(project: Path) -> float:
    """Milliseconds of CPU for an entity page that nobody has asked for before: every one of them, once."""
    with serving(project) as (process, port):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        first, *others = entities(connection)
        fetch(connection, first)
        before = cpu_of_tree(process)
        for path in others:
            fetch(connection, path)
        return (cpu_of_tree(process) - before) / len(others) * 1000


def subjects(connection: http.client.HTTPConnection) -> set[str]:
    """Paths, without the slash in front, of everything the facts describe."""
    return set(re.findall(_SUBJECT, fetch(connection, "/dumps/facts.nt"), re.MULTILINE))


_SUBJECT = r"^<[^>]*?//[^/>]+/((?:id|claim|document)/[^>#]+)>"


def entities(connection: http.client.HTTPConnection) -> list[str]:
    return sorted("/page/" + path.removeprefix("id/") for path in subjects(connection) if path.startswith("id/"))


def fetch(connection: http.client.HTTPConnection, path: str) -> str:
    connection.request("GET", path, headers={"Accept": "text/html"})
    answer = connection.getresponse()
    body = answer.read().decode()
    if answer.status != 200:
        raise SystemExit(f"{path}: {answer.status}")
    return body


def pages(port: int) -> dict[str, str]:
    """A page of each kind by a name for the table; entities by the length of their page."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    sizes = {path: len(fetch(connection, path)) for path in entities(connection)}
    ordered = sorted(sizes, key=lambda path: sizes[path])
    chosen = {
        "entity page (largest), again": ordered[-1],
        "entity page (median), again": ordered[len(ordered) // 2],
        "home page, again": "/",
    }
    for kind in ("claim", "document"):
        chosen[f"{kind} page, again"] = "/" + min(path for path in subjects(connection) if path.startswith(f"{kind}/"))
    return chosen


def cpu_of_tree(process: subprocess.Popen[str]) -> float:
    """CPU seconds of a process and all its living descendants, to the nanosecond."""
    total = 0.0
    for pid in family_of(process):
        with suppress(OSError):  # it has just ended
            total += time.clock_gettime(~pid << 3 | 2)  # the clock that clock_getcpuclockid(3) names, on Linux
    return total


def family_of(process: subprocess.Popen[str]) -> list[int]:
    """The numbers of a process and of all its living descendants."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            children.setdefault(int(parent), []).append(int(folder.name))
    family = [process.pid]
    for pid in family:
        family += children.get(pid, [])
    return family


def cpu_per_request(process: subprocess.Popen[str], port: int, path: str) -> float:
    """Milliseconds of CPU for one request over a kept-alive connection, the median of the rounds."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for _ in range(20):
        fetch(connection, path)
    figures = []
    for _ in range(ROUNDS):
        before = cpu_of_tree(process)
        for _ in range(REQUESTS):
            fetch(connection, path)
        figures.append((cpu_of_tree(process) - before) / REQUESTS * 1000)
    return statistics.median(figures)


if __name__ == "__main__":
    main()
