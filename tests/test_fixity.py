"""What was compared a short while ago is hashed again exactly if somebody may have written to it since."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kg import fixity
from kg.errors import ReleaseError
from kg.fixity import compare_all, file_entry
from kg.model import FileEntry

Touch = Callable[[Path], object]


@pytest.fixture
def entries(tmp_path: Path) -> list[FileEntry]:
    """Two files, and a seal beside them."""
    for name in ("small", "large", "seal"):
        (tmp_path / name).write_text(name * (1000 if name == "large" else 1), "utf-8")
    written, clock = (tmp_path / "seal").stat().st_ctime_ns, tmp_path / "clock"
    clock.touch()
    while clock.stat().st_ctime_ns == written:
        clock.touch()  # what is written from now on has another time of change
    return [file_entry(tmp_path, tmp_path / name) for name in ("small", "large")]


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are hashed, of a release that was sealed long ago."""
    found: list[str] = []
    compare = fixity.compare

    def noted(root: Path, entry: FileEntry) -> None:
        found.append(entry.path)
        compare(root, entry)

    monkeypatch.setattr(fixity, "compare", noted)
    monkeypatch.setattr(fixity, "_CLOCK", -(10**18))
    return found


def rewritten(path: Path) -> None:
    """Another byte in its place, and the old time of writing."""
    before = path.stat()
    with path.open("r+b") as file:
        file.write(b"X")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced(path: Path) -> None:
    beside = path.with_name("beside")
    beside.write_bytes(path.read_bytes())
    beside.replace(path)


def test_what_was_compared_is_not_hashed_again(entries: list[FileEntry], hashed: list[str], tmp_path: Path) -> None:
    compare_all(tmp_path, entries, beside=("seal",))
    assert sorted(hashed) == ["large", "small"]
    compare_all(tmp_path, entries, beside=("seal",))
    assert len(hashed) == 2


@pytest.mark.parametrize("name", ["small", "seal"])
@pytest.mark.parametrize("touch", [rewritten, replaced, os.utime, lambda path: path.chmod(0o400)])
def test_what_was_touched_is_hashed_again(
    touch: Touch, name: str, entries: list[FileEntry], hashed: list[str], tmp_path: Path
) -> None:
    compare_all(tmp_path, entries, beside=("seal",))
    touch(tmp_path / name)
    if touch is rewritten and name == "small":
        with pytest.raises(ReleaseError, match="small: was changed after the release was sealed"):
            compare_all(tmp_path, entries, beside=("seal",))
    else:
        compare_all(tmp_path, entries, beside=("seal",))
    assert hashed.count("small") == 2


def test_what_is_damaged_stays_so_however_often_one_asks(entries: list[FileEntry], tmp_path: Path) -> None:
    rewritten(tmp_path / "large")
    for _ in range(3):
        with pytest.raises(ReleaseError, match="large: was changed"):
            compare_all(tmp_path, entries, beside=("seal",))


def test_what_was_written_just_now_may_be_written_again_unseen(
    entries: list[FileEntry], hashed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fixity, "_CLOCK", 10**18)
    for _ in range(2):
        compare_all(tmp_path, entries, beside=("seal",))
    assert len(hashed) == 4


def test_a_disk_is_not_trusted_for_long(
    entries: list[FileEntry], hashed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare_all(tmp_path, entries, beside=("seal",))
    monkeypatch.setattr(fixity, "_TRUSTED", 0)
    compare_all(tmp_path, entries, beside=("seal",))
    assert len(hashed) == 4


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: (path.unlink(), path.mkdir())])
def test_what_is_missing_or_no_file_is_said(damage: Touch, entries: list[FileEntry], tmp_path: Path) -> None:
    compare_all(tmp_path, entries)
    damage(tmp_path / "small")
    with pytest.raises(ReleaseError, match=r"small: (cannot be read|is not a file)"):
        compare_all(tmp_path, entries)
