"""Measurements can be made: what they use of the site and the build is there. What they find is for people to read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent / "bench"


def test_searches_can_be_measured() -> None:
    command = [sys.executable, str(BENCH / "search.py"), "--labels", "300"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "360 names" in done.stdout
    assert "twelve words" in done.stdout
