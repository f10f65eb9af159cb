"""The index of a release, as a file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

WRITE = """
import resource, signal, sys
from pathlib import Path
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad
from kg import vocab
from kg.build.writing.index import write_index

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
names = vocab.Names("http://localhost:8000/")
things = (NamedNode(f"{names.id}t{n}") for n in range(3000))
label = NamedNode(vocab.RDFS_LABEL)
quads = (Quad(thing, label, Literal(f"thing {n}", language="en"), DefaultGraph()) for n, thing in enumerate(things))
try:
    write_index(Path(sys.argv[1]), quads, names)
except OSError as e:
    print(e.errno, e.filename)
"""


@pytest.mark.parametrize("size", [0, 10_000, 200_000])
def test_a_disk_that_is_full_is_an_error_of_the_disk(size: int, tmp_path: Path) -> None:
    file = tmp_path / "search.sqlite"
    command = [sys.executable, "-c", WRITE, str(file), str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    number, name = done.stdout.split()
    assert int(number) > 0
    assert name == str(file)
