"""A build that takes over what did not change makes what a build from nothing makes, after whatever edits."""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import Quad, RdfFormat, Store, parse
from tests.build.passes.test_many import Generate, generate  # noqa: F401 - a fixture

from kg import build
from kg.build import How
from kg.build.passes import entities, shards
from kg.build.passes.shards import Cache
from kg.build.writing import render
from kg.config import load
from kg.release import Release

DOCUMENTS = 8
Edit = Callable[[Path, random.Random], None]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards and runs so small that some of them change and others do not."""
    monkeypatch.setattr(shards, "_DOCUMENTS", 3)
    monkeypatch.setattr(render, "_DOCUMENTS", 3)
    monkeypatch.setattr(render, "_SUBJECTS", 8)


@pytest.fixture(scope="module")
def pool(generate: Generate, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """More documents than the project has at first: those that are added."""
    root = tmp_path_factory.mktemp("pool") / "project"
    generate(root, documents=DOCUMENTS + 6, claims=4, conflicts=40)
    return root


@pytest.fixture
def project(pool: Path, tmp_path: Path) -> Path:
    root = Path(shutil.copytree(pool, tmp_path / "project"))
    shutil.copytree(pool, tmp_path / "pool")
    for path in sorted((root / "data/claims").iterdir())[DOCUMENTS:]:
        for file in root.glob(f"data/*/{path.stem}.*"):
            file.unlink()
    return root


def made(project: Path, cache: Path | None) -> Release:
    """Builds; checks that the store has the quads of the dump, too."""
    release, findings = build.build(load(project), how=How(workers=0, cache=cache))
    assert release is not None, [str(f) for f in findings][:3]
    quads: Any = parse(path=str(release.path / "dumps/all.nq"), format=RdfFormat.N_QUADS)
    assert stored(release) == set(quads)
    return Release.open(release.path)


def stored(release: Release) -> set[Quad]:
    return set(Store.read_only(str(release.store_path)))


def content(release: Release) -> tuple[dict[str, Any], bytes]:
    """All that has to be the same: the manifest, and the file of statements, which the seal lists."""
    return json.loads((release.path / "manifest.json").read_bytes()), (release.store_path / "stated").read_bytes()


def from_nothing(project: Path) -> tuple[dict[str, Any], bytes]:
    shutil.rmtree(project / "releases")
    return content(made(project, None))


def documents(project: Path) -> list[str]:
    return sorted(path.stem for path in (project / "data/claims").glob("d*.trig"))


def add(project: Path, dice: random.Random) -> None:
    there = set(documents(project))
    new = [name for name in documents(project.parent / "pool") if name not in there]
    if new:
        name = dice.choice(new)
        for file in (project.parent / "pool").glob(f"data/*/{name}.*"):
            shutil.copy(file, project / file.relative_to(project.parent / "pool"))


def remove(project: Path, dice: random.Random) -> None:
    name = dice.choice(documents(project))
    for file in project.glob(f"data/*/{name}.*"):
        file.unlink()


def rename(project: Path, dice: random.Random) -> None:
    """The document, its author and all that is named after it."""
    name = dice.choice(documents(project))
    new = f"d{dice.randrange(900_000):06}x"
    for file in project.glob(f"data/*/{name}.*"):
        text = file.read_text("utf-8")
        if file.suffix != ".md":
            text = text.replace(f"document/{name}", f"document/{new}").replace(f"claim/{name}/", f"claim/{new}/")
            text = text.replace(f"doc:{name}", f"doc:{new}")
        file.with_name(new + file.suffix).write_text(text, "utf-8")
        file.unlink()


def replaced(old: str, new: str, folder: str = "claims") -> Edit:
    def edit(project: Path, dice: random.Random) -> None:
        path = dice.choice(sorted((project / "data" / folder).iterdir()))
        path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")

    return edit


def same_author(project: Path, dice: random.Random) -> None:
    """Two documents become one witness."""
    one, other = dice.sample(documents(project), 2)
    authors = [
        re.search(r"dcterms:creator (:\S+)", (project / f"data/documents/{name}.ttl").read_text("utf-8"))
        for name in (one, other)
    ]
    assert all(authors)
    to, of = (author[1] for author in authors if author)
    for path in (project / f"data/documents/{other}.ttl", project / f"data/claims/{other}.trig"):
        path.write_text(path.read_text("utf-8").replace(f"{of} ", f"{to} "), "utf-8")


EDITS: dict[str, Edit] = {
    "a document is added": add,
    "a document is removed": remove,
    "a document is renamed": rename,
    "a gloss changes": replaced('rdfs:label "', 'rdfs:label "Changed: '),
    "a value changes": replaced("chronicle:wells ", "chronicle:wells 1"),
    "a plan is only demanded": replaced("kg:modality kg:planned", "kg:modality kg:requested"),
    "a label changes": replaced('rdfs:label "', 'rdfs:label "New ', "entities"),
    "two documents have one author": same_author,
    "nothing changes": lambda _, __: None,
}


def run_of_edits(project: Path, cache: Path, dice: random.Random, names: list[str], every: int) -> None:
    """Each edit with a build that starts from the last; held against a build from nothing after so many of them."""
    made(project, cache)
    for number, name in enumerate(names, 1):
        EDITS[name](project, dice)
        again = made(project, cache)
        if number % every == 0:
            copy = Path(shutil.copytree(project, project.with_name("fresh"), symlinks=True))
            assert content(again) == from_nothing(copy), names[:number]
            shutil.rmtree(copy)


def test_after_every_edit_the_release_is_that_of_a_build_from_nothing(project: Path, tmp_path: Path) -> None:
    run_of_edits(project, tmp_path / "cache", random.Random(7), list(EDITS), every=3)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(8))
def test_after_many_edits_the_release_is_still_that(seed: int, project: Path, tmp_path: Path) -> None:
    dice = random.Random(seed)
    run_of_edits(project, tmp_path / "cache", dice, dice.choices(list(EDITS), k=25), every=1)


def test_files_of_the_store_are_shared_with_the_release_before(project: Path, tmp_path: Path) -> None:
    first = made(project, tmp_path / "cache")
    EDITS["a gloss changes"](project, random.Random(1))
    second = made(project, tmp_path / "cache")
    names = {path.name for path in first.store_path.glob("*.sst")} & {p.name for p in second.store_path.glob("*.sst")}
    assert any((second.store_path / name).samefile(first.store_path / name) for name in names)


def test_what_was_damaged_is_made_anew(project: Path, tmp_path: Path) -> None:
    """Files of the store and of the cache that were cut, one after the other."""
    cache = tmp_path / "cache"
    made(project, cache)
    for folder, pattern in (
        (project, "releases/current/store/*.sst"),
        (cache, "whole/facts"),
        (cache, "whole/state"),
        (cache, "runs/*.rows"),
    ):
        path = min(folder.glob(pattern))
        path.write_bytes(path.read_bytes()[:-10])
        EDITS["a gloss changes"](project, random.Random(1))
        made(project, cache)
    again = content(Release.open(project / "releases/current"))
    assert again == from_nothing(project)


CACHED = (
    *("runs/*.ttl", "runs/*.rows", "runs/*.nq", "runs/*.done", "runs/*.tally"),
    *("whole/facts", "whole/graphs", "whole/said", "whole/passages", "whole/state", "whole/labels"),
    *("shards/*/facts", "shards/*/parts", "shards/*/sums", "parts/*", "described"),
)


def test_what_a_disk_has_changed_in_the_cache_is_never_published(project: Path, tmp_path: Path) -> None:
    """One bit of each file of a kind; all files of a kind lost, or exchanged with each other."""
    cache, before = tmp_path / "cache", tmp_path / "before"
    made(project, cache)
    for folder in (project, cache):
        shutil.copytree(folder, before / folder.name, symlinks=True)
    EDITS["a value changes"](project, random.Random(1))
    expected = from_nothing(project)
    for damage in ("a bit", "lost", "exchanged"):
        for pattern in CACHED if damage == "a bit" else ("runs/*.ttl", "shards/*/facts", "parts/*"):
            for folder in (project, cache):
                shutil.rmtree(folder)
                shutil.copytree(before / folder.name, folder, symlinks=True)
            EDITS["a value changes"](project, random.Random(1))
            paths = sorted(path for path in cache.glob(pattern) if path.stat().st_size)
            assert paths, pattern
            whole = [path.read_bytes() for path in paths]
            for at, path in enumerate(paths):
                middle = len(whole[at]) // 2
                changed = whole[at][:middle] + bytes([whole[at][middle] ^ 1]) + whole[at][middle + 1 :]
                path.write_bytes(changed if damage == "a bit" else whole[at - 1])
                if damage == "lost":
                    path.unlink()
            assert content(made(project, cache)) == expected, (damage, pattern)


def test_a_file_that_is_saved_while_it_is_read_is_read_again(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, read = tmp_path / "cache", entities._read
    path = min((project / "data/entities").iterdir())
    before = path.read_text("utf-8")

    def saved_meanwhile(*given: Any) -> entities.Entities:
        path.write_text(before.replace('rdfs:label "', 'rdfs:label "New ', 1), "utf-8")
        return read(*given)

    with monkeypatch.context() as patched:
        patched.setattr(entities, "_read", saved_meanwhile)
        made(project, cache)
    path.write_text(before, "utf-8")
    again = content(made(project, cache))
    assert again == from_nothing(project)


def test_a_build_that_failed_leaves_what_the_next_one_starts_from(project: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    made(project, cache)
    killed = cache / "whole-killed"
    killed.mkdir()
    (killed / "lock").touch()
    path = project / "data/claims/d000003.trig"
    whole = path.read_text("utf-8")
    path.write_text(whole.replace("kg:modality kg:asserted", "kg:modality kg:assertd", 1), "utf-8")
    assert build.build(load(project), how=How(workers=0, cache=cache))[0] is None
    assert len(Cache(cache).described) == DOCUMENTS + 1, "what the failed build made is known to the next"
    path.write_text(whole.replace('rdfs:label "', 'rdfs:label "Changed: ', 1), "utf-8")
    again = content(made(project, cache))
    assert len(list(cache.glob("whole-*"))) == 1
    assert again == from_nothing(project)
