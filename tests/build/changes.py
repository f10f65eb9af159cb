"""Changes to the files of a project, at once or for later."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Change = Callable[[Path], None]


def edit(project: Path, file: str, old: str, new: str, times: int = -1) -> None:
    """Write ``new`` in place of ``old``, which must be there."""
    path = project / file
    before = path.read_text(encoding="utf-8")
    assert old in before
    path.write_text(before.replace(old, new, times), encoding="utf-8")


def replaced(file: str, old: str, new: str) -> Change:
    """Writes ``new`` where ``old`` stands first."""
    return lambda project: edit(project, file, old, new, 1)


def added(file: str, content: str | bytes) -> Change:
    """Writes something at the end of a file, which is made if need be."""

    def add(project: Path) -> None:
        path = project / file
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as stream:
            stream.write(content if isinstance(content, bytes) else content.encode())

    return add
