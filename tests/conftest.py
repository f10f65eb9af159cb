"""What all tests share: projects to build from, and the command line as a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
Kg = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_configure() -> None:
    # A clock or a base from the tester's shell would change what the tests build.
    for name in ("KG_BASE", "SOURCE_DATE_EPOCH"):
        os.environ.pop(name, None)


@pytest.fixture(scope="session")
def kg() -> Kg:
    """Runs ``kg ARGUMENTS`` as a process; ``cwd`` is the project, ``env`` is added to the environment."""

    def run(
        *arguments: str | Path, cwd: Path, env: dict[str, str] | None = None, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "kg.cli", *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def starter(tmp_path: Path) -> Path:
    """A fresh copy of the project that ``kg init`` writes: the smallest that builds."""
    project = tmp_path / "project"
    shutil.copytree(ROOT / "src/kg/starter", project)
    return project
