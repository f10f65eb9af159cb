"""The README's first command on a fresh clone: nothing but Python and make, and then a page."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The files that a clone of this state would have: no environment, no bundle, no release, no shared folder."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    folder = tmp_path / "clone"
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)
    return folder


@pytest.fixture
def served(clone: Path) -> Iterator[str]:
    """The address that `make serve` prints; a PATH without Node shows that none is needed."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MAKE", "VIRTUAL_ENV"))}
    with subprocess.Popen(
        ["make", "serve", "PORT=0"],
        cwd=clone,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        said = []
        try:
            for line in process.stdout:
                said.append(line)
                address = re.search(r"http://127\.0\.0\.1:\d+", line)
                if address:
                    yield address[0] + "/"
                    break
            else:
                pytest.fail("make serve ended: " + "".join(said))
        finally:
            os.killpg(process.pid, signal.SIGTERM)


@pytest.mark.timeout(3600)  # what is installed comes from the network, and is compiled
def test_make_serve_shows_the_default_dataset_with_its_styles(served: str) -> None:
    with urllib.request.urlopen(served, timeout=PATIENCE) as answer:
        home = answer.read().decode()
    assert "<h1" in home
    style = re.search(r'href="([^"]+\.css[^"]*)"', home)
    assert style, "the bundle was made"
    with urllib.request.urlopen(served + style[1].lstrip("./"), timeout=PATIENCE) as answer:
        assert answer.headers.get_content_type() == "text/css"
