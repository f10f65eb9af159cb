"""Many documents: whoever makes the parts, and whatever was made before, the release is the same."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import DefaultGraph
from tests.patience import PATIENCE, until

from kg import build, vocab
from kg.build import How
from kg.build.apart import Apart
from kg.build.ground import text_folders
from kg.build.passes import shards
from kg.build.passes.first import make_parts
from kg.build.passes.project import read_project
from kg.build.passes.shards import Cache
from kg.build.shacl.deadline import Endless
from kg.build.workers import Cluster, Here
from kg.config import load
from kg.errors import BuildError, ConfigError
from kg.model import Severity

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = 24
Generate = Callable[..., list[Any]]


@pytest.fixture(scope="session")
def generate() -> Generate:
    """The generator of ``bench/``."""
    spec = spec_from_file_location("corpus", ROOT / "bench/corpus.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["corpus"] = module
    spec.loader.exec_module(module)
    found: Generate = module.generate
    return found


@pytest.fixture(scope="session")
def corpus(generate: Generate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some dozens of documents that share things and differ, never changed by a test."""
    root = tmp_path_factory.mktemp("corpus") / "project"
    generate(root, documents=DOCUMENTS, claims=12, conflicts=20)
    return root


@pytest.fixture
def project(corpus: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(corpus, tmp_path / "project"))


def manifest(project: Path, how: How) -> dict[str, Any]:
    """Builds, and gives the manifest with the digest of all content."""
    release, findings = build.build(load(project), how=how)
    assert release is not None, [str(f) for f in findings if f.severity is Severity.ERROR]
    found: dict[str, Any] = json.loads((release.path / "manifest.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="session")
def alone(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What this process alone makes of it."""
    project = Path(shutil.copytree(corpus, tmp_path_factory.mktemp("alone") / "project"))
    return manifest(project, How(workers=0))


def test_the_same_numbers_give_the_same_corpus(generate: Generate, corpus: Path, tmp_path: Path) -> None:
    generate(tmp_path, documents=DOCUMENTS, claims=12, conflicts=20)
    files = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {path.relative_to(corpus) for path in corpus.rglob("*") if path.is_file()}
    assert all((tmp_path / file).read_bytes() == (corpus / file).read_bytes() for file in files)


def test_documents_of_a_corpus_share_things_agree_and_differ(project: Path, quads_of) -> None:
    kinds = {str(q.object).rpartition("#")[2] for q in quads_of(project) if q.graph_name == DefaultGraph()}
    assert {"Disagreement>", "Corroboration>"} <= kinds


def test_every_planted_error_is_found_in_its_file(generate: Generate, project: Path, tmp_path: Path) -> None:
    """One after the other, because a gate that one closes hides the rest."""
    planted = generate(tmp_path / "spoilt", documents=DOCUMENTS, claims=12, conflicts=20, errors=6)
    assert len({one.rule for one in planted}) == 6
    for one in planted:
        whole = (project / one.file).read_bytes()
        shutil.copy(tmp_path / "spoilt" / one.file, project / one.file)
        found = {(f.place.file, f.rule) for f in build.check(load(project)).findings if f.severity is Severity.ERROR}
        assert (one.file, one.rule) in found
        (project / one.file).write_bytes(whole)


def test_a_shell_that_lets_few_files_be_open_is_no_bound(
    project: Path, alone: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All shards are open side by side, and there may be thousands of them."""
    monkeypatch.setattr(shards, "_DOCUMENTS", 1)
    monkeypatch.setattr("kg.build.passes.project.MANY", DOCUMENTS)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(list(Path("/dev/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + DOCUMENTS // 2, hard))
    try:
        assert manifest(project, How(workers=0)) == alone
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_pool_makes_what_one_process_makes(project: Path, alone: dict[str, Any]) -> None:
    assert manifest(project, How(workers=2)) == alone


def test_one_changed_document_is_the_only_one_made_again(project: Path, tmp_path: Path) -> None:
    """And the release is the one that a build of everything makes."""
    cache = tmp_path / "cache"
    manifest(project, How(workers=0, cache=cache))
    before = {path.name for path in (cache / "parts").iterdir()}
    assert len(before) == DOCUMENTS
    claims = project / "data/claims/d000007.trig"
    changed = claims.read_text("utf-8").replace('rdfs:label "', 'rdfs:label "Changed: ', 1)
    claims.write_text(changed, "utf-8")
    again = manifest(project, How(workers=0, cache=cache))
    after = {path.name for path in (cache / "parts").iterdir()}
    assert (len(after - before), len(before - after)) == (1, 1)
    shutil.rmtree(project / "releases")
    assert manifest(project, How(workers=0)) == again


@pytest.mark.parametrize("file", ["ontology/chronicle.ttl", "shapes/chronicle.ttl"])
def test_another_ontology_or_shape_makes_everything_again(file: str, project: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    manifest(project, How(workers=0, cache=cache))
    before = {path.name for path in (cache / "parts").iterdir()}
    (project / file).write_text((project / file).read_text("utf-8") + "# changed\n", "utf-8")
    manifest(project, How(workers=0, cache=cache))
    assert before.isdisjoint(path.name for path in (cache / "parts").iterdir())


def test_a_text_that_changed_is_compared_again(project: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    manifest(project, How(workers=0, cache=cache))
    text = project / "data/documents/d000003.md"
    text.write_text(text.read_text("utf-8") + "One more.\n", "utf-8")
    found = [f for f in build.check(load(project), how=How(workers=0, cache=cache)).findings if f.rule == "fingerprint"]
    assert [(f.place.file, f.severity) for f in found] == [("data/documents/d000003.ttl", Severity.ERROR)]


def test_a_cache_that_was_cut_is_no_reason_to_fail(project: Path, tmp_path: Path, alone: dict[str, Any]) -> None:
    cache = tmp_path / "cache"
    manifest(project, How(workers=0, cache=cache))
    for path in (cache / "parts").iterdir():
        path.write_bytes(path.read_bytes()[:10])
    shutil.rmtree(cache / "shards")
    assert manifest(project, How(workers=0, cache=cache)) == alone


def test_files_may_hold_several_documents_in_any_order(project: Path, alone: dict[str, Any]) -> None:
    """Which file a claim stands in changes no file of the release but for the lines in the report."""
    claims = project / "data/claims"
    both = [claims / "d000002.trig", claims / "d000019.trig"]
    (claims / "mixed.trig").write_text("\n".join(path.read_text("utf-8") for path in reversed(both)), "utf-8")
    for path in both:
        path.unlink()

    def files(found: dict[str, Any]) -> dict[str, str]:
        return {entry["path"]: entry["sha256"] for entry in found["files"] if entry["path"] != "report.json"}

    assert files(manifest(project, How(workers=0))) == files(alone)


def test_both_engines_find_the_same_in_many_documents(generate: Generate, tmp_path: Path) -> None:
    """Values that are out of range, missing and doubled, in things that several documents speak of."""
    generate(tmp_path, documents=12, claims=12, conflicts=30)
    for n, path in enumerate(sorted((tmp_path / "data/claims").iterdir())):
        source = path.read_text("utf-8")
        source = source.replace(" chronicle:wells ", " chronicle:wells -", n % 3)
        source = source.replace("a kg:Event ; kg:agent", "a kg:Event ; kg:after", n % 4)
        path.write_text(source, "utf-8")
    compiled = build.check(load(tmp_path), engine="compiled").findings
    assert compiled == build.check(load(tmp_path), engine="pyshacl").findings
    assert {f.severity for f in compiled if f.rule == "shacl"} == {Severity.ERROR}
    assert any(f.rule == "disagreement" for f in compiled)


def test_a_scheduler_that_is_not_there_is_one_clear_line(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("dask.distributed")
    monkeypatch.setattr(sys.modules[Cluster.__module__], "TIMEOUT", 1)
    with pytest.raises(ConfigError, match=r"^--executor tcp://127\.0\.0\.1:9: no scheduler answers there"):
        build.check(load(project), how=How(executor="tcp://127.0.0.1:9"))


# -- a cluster -------------------------------------------------------------------------------------------------------


def address_in(file: Path) -> str:
    """The address that a scheduler has written down, once that is all there."""
    try:
        return str(json.loads(file.read_text())["address"])
    except (FileNotFoundError, ValueError):
        return ""


@contextmanager
def cluster(folder: Path, before: Sequence[str] = ()) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A real scheduler and two real workers, each a process of its own; ``before``: what starts a worker."""
    address = folder / "scheduler.json"
    common = ["--scheduler-file", str(address)]
    quiet: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    processes = [subprocess.Popen([*command, "--no-dashboard", *common], **quiet)]
    try:
        found = until(lambda: address_in(address) or processes[0].poll() is not None)
        assert processes[0].poll() is None
        worker = [
            *before,
            sys.executable,
            "-m",
            "distributed.cli.dask_worker",
            "--nthreads",
            "1",
            "--no-nanny",
            *common,
        ]
        processes += [subprocess.Popen([*worker, "--no-dashboard"], **quiet) for _ in range(2)]
        yield str(found), processes[1:]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_a_cluster_makes_the_same_although_a_worker_is_killed(
    project: Path, tmp_path: Path, alone: dict[str, Any]
) -> None:
    client = pytest.importorskip("dask.distributed").Client
    folder = tmp_path / "cluster"
    folder.mkdir()
    with cluster(folder) as (address, processes):
        with client(address, set_as_default=False) as watching:
            watching.wait_for_workers(2, timeout=4 * PATIENCE)
        seen: list[int] = []

        def kill_one(stage: str, done: int, of: int) -> None:
            if stage == "documents" and done and not seen:
                seen.append(done)
                processes[0].send_signal(signal.SIGKILL)
                processes[0].wait()

        release, findings = build.build(load(project), (), kill_one, how=How(executor=address))
        assert release is not None, [str(f) for f in findings]
        assert processes[1].poll() is None
    assert seen
    assert json.loads((release.path / "manifest.json").read_text(encoding="utf-8")) == alone


HIDE = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"']
"""Runs a command that finds a folder, the first argument, empty."""


def test_the_workers_of_a_cluster_need_no_common_disk(project: Path, tmp_path: Path, alone: dict[str, Any]) -> None:
    pytest.importorskip("dask.distributed")
    if shutil.which("unshare") is None or subprocess.run([*HIDE, tmp_path, "true"], check=False).returncode:
        pytest.skip("this system hides no folder from a process")
    folder, cache = tmp_path / "cluster", project / "cache"
    folder.mkdir()
    with cluster(folder, [*HIDE, str(project)]) as (address, _):
        found = manifest(project, How(executor=address, cache=cache))
    assert found == alone


@dataclass
class InThreads:
    """As a Dask worker does it: in a thread."""

    memory: int

    def map(self, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        with ThreadPoolExecutor(1) as threads:
            for item in items:
                yield item, threads.submit(Apart(function, self.memory), item).result()


def test_what_never_ends_is_stopped_in_a_thread_of_a_cluster_too(starter: Path, tmp_path: Path) -> None:
    mine = (
        "@prefix sh: <http://www.w3.org/ns/shacl#> .\n<shapes#Mine> a sh:NodeShape ; sh:targetClass "
        f'<ontology#Claim> ; sh:property [ sh:path <{vocab.RDFS_LABEL}> ; sh:pattern "([A-Za-z ]+)+$" ] .'
    )
    (starter / "shapes/evidence-mine.ttl").write_text(mine)
    config = load(starter)
    project = read_project(config, text_folders(starter, []), "compiled")
    with pytest.raises(Endless):
        make_parts(project, Cache(tmp_path / "cache"), InThreads(config.build.bytes), Here(), lambda *_: None)


def test_a_process_of_a_cluster_that_dies_is_named() -> None:
    with pytest.raises(BuildError, match=r"a worker process died over 1; this needs more memory"):
        Apart(os._exit, 1 << 30)(1)
    assert Apart(abs, 1 << 30)(-1) == 1


def test_without_dask_the_option_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dask", None)
    monkeypatch.setitem(sys.modules, "dask.distributed", None)
    with pytest.raises(ConfigError, match=r"pip install 'kg\[cluster\]'"):
        Cluster("tcp://127.0.0.1:1")


# -- the command line ------------------------------------------------------------------------------------------------


def test_progress_is_shown_on_request_with_what_is_left(project: Path, tmp_path: Path, kg) -> None:
    done = kg("build", "--progress", "--cache", tmp_path / "cache", cwd=project)
    assert done.returncode == 0
    assert f"documents: {DOCUMENTS} of {DOCUMENTS} in " in done.stderr
    assert "\x1b" not in done.stderr
    quiet = kg("build", "--cache", tmp_path / "cache", cwd=project)
    assert (quiet.returncode, quiet.stderr) == (0, "")


def test_workers_end_with_the_build_that_is_killed(project: Path) -> None:
    command = [sys.executable, "-m", "kg.cli", "build", "--workers", "2", "--progress"]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as building:
        assert building.stderr is not None
        reader = threading.Thread(target=building.stderr.readline)
        reader.start()
        reader.join(4 * PATIENCE)
        children = [int(pid) for pid in Path(f"/proc/{building.pid}/task/{building.pid}/children").read_text().split()]
        building.kill()
    assert children
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children))
