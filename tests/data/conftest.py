"""The project of this repository, built once, without any text that is not in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyoxigraph import Store

from kg.build import build
from kg.config import load
from kg.release import Release

ROOT = Path(__file__).resolve().parent.parent.parent
PARTS = ("kg.toml", "ontology", "shapes", "data")


def copy_project(target: Path) -> Path:
    """The sources of this repository's own project, and nothing else of it."""
    target.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, target / part, dirs_exist_ok=True)
        else:
            shutil.copy(source, target / part)
    return target


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    project = copy_project(tmp_path_factory.mktemp("own") / "project")
    made, findings = build(load(project, environ={}))
    assert made is not None, "\n".join(map(str, findings))
    return made


@pytest.fixture(scope="session")
def store(release: Release) -> Iterator[Store]:
    """The release's quads, opened as a server opens them."""
    opened = Store.read_only(str(release.store_path))
    yield opened
    del opened
