"""Releases that verify although no build made them: changed, and sealed once more."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kg import disk
from kg.fixity import file_entry
from kg.records import json_bytes

Change = Callable[[Path], object]


def forge(path: Path, releases: Path, change: Change, **members: Any) -> Path:
    """A copy of a release after a change, with other members of its manifest, sealed as one; where it is."""
    made = releases / "made"
    shutil.copytree(path, made)
    change(made)
    manifest = json.loads((made / "manifest.json").read_text())
    counts = {entry["path"]: entry["count"] for entry in manifest["files"]}
    listed = [name for name in sorted(disk.files(made)) if not name.startswith(("store/", "manifest", "seal"))]
    manifest["files"] = [asdict(file_entry(made, made / name, counts.get(name))) for name in listed]
    manifest |= {**members, "digest": ""}
    manifest["digest"] = hashlib.sha256(json_bytes(manifest)).hexdigest()
    (made / "manifest.json").write_bytes(json_bytes(manifest))
    seal = json.loads((made / "seal.json").read_text())
    del seal["sha256"]
    seal["version"] = f"2026-01-01-{manifest['digest'][:12]}"
    names = ["manifest.json", *sorted(disk.files(made / "store", made))]
    seal["files"] = [asdict(file_entry(made, made / name)) for name in names]
    (made / "seal.json").write_bytes(json_bytes({**seal, "sha256": hashlib.sha256(json_bytes(seal)).hexdigest()}))
    return made.rename(releases / seal["version"])


def written(name: str, content: bytes | None) -> Change:
    """A file with another content, or none."""

    def change(path: Path) -> None:
        (path / name).unlink()
        if content is not None:
            (path / name).write_bytes(content)

    return change


def indexed(*statements: str) -> Change:
    """An index that was changed by SQL."""

    def change(path: Path) -> None:
        with closing(sqlite3.connect(path / "search.sqlite")) as database, database:
            for statement in statements:
                database.execute(statement)

    return change


def reported(name: str, *values: object) -> Change:
    """A report whose member has another value, or is missing."""

    def change(path: Path) -> None:
        report = json.loads((path / "report.json").read_text())
        del report[name]
        for value in values:
            report[name] = value
        (path / "report.json").write_bytes(json_bytes(report))

    return change
