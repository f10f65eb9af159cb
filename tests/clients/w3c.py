"""Fetches rdflib's source package, in which the W3C's SPARQL queries are, and unpacks these: python w3c.py FOLDER.

`make clients` runs it. The W3C's tests are not ours to hand on, and their own place is no package registry.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path


def main(target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="kg-w3c-") as scratch:
        wanted = f"rdflib=={version('rdflib')}"
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
        subprocess.run([*command, "--no-binary", "rdflib", "--dest", scratch, wanted], check=True)
        (archive,) = Path(scratch).glob("*.tar.gz")
        with tarfile.open(archive) as tar:
            for member in tar:
                _, _, path = member.name.partition("/w3c/")
                if member.isfile() and path.endswith((".rq", ".ttl")) and ".." not in path:
                    file = tar.extractfile(member)
                    assert file is not None
                    (target / path).parent.mkdir(parents=True, exist_ok=True)
                    (target / path).write_bytes(file.read())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
