"""Files on the disk: put behind each other, and written out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kg import disk


@pytest.mark.parametrize("refused", [False, True])
def test_a_file_is_put_behind_what_was_written(refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the system cannot copy between two files by itself, and begins to."""
    (tmp_path / "part").write_bytes(bytes(range(256)) * 10_000)

    def refuse(*_: int) -> int:
        raise OSError(18, "Invalid cross-device link")

    if refused:
        monkeypatch.setattr(os, "copy_file_range", refuse, raising=False)
    with (tmp_path / "whole").open("wb") as out:
        out.write(b"head,")
        disk.append(out, tmp_path / "part")
        out.write(b",tail")
    assert (tmp_path / "whole").read_bytes() == b"head," + bytes(range(256)) * 10_000 + b",tail"


def test_every_file_of_a_folder_is_written_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    for number in range(200):
        (tmp_path / "a/b" / str(number)).touch()
    (tmp_path / "top").touch()
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda number: synced.append(str(Path(f"/proc/self/fd/{number}").readlink())))
    disk.sync(tmp_path)
    assert sorted(synced) == sorted(map(str, (tmp_path, *tmp_path.rglob("*"))))


def test_an_error_of_the_disk_is_not_swallowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()

    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output error"):
        disk.sync(tmp_path)
