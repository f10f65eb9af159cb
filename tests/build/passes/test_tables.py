"""Files of the tables that are made from those of the build before are those that are made from nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.build.lines import write_sorted
from kg.build.passes.shards import Shard
from kg.build.passes.tables import Tables, new_tables

NAMES = ("facts", "graphs", "uses")
words = st.lists(st.sampled_from([f"<{word}> x\n".encode() for word in "abcdefgh"]), max_size=5)
shards = st.dictionaries(st.integers(0, 9), words, min_size=1, max_size=6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


def build(cache: Path, content: dict[int, list[bytes]], more: list[bytes]) -> Tables:
    """One build: shards are called after what is in them."""
    with new_tables(cache, "key") as tables:
        for lines in content.values():
            path = cache / "shards" / f"{sorted(set(lines))!r}".replace("/", "")
            path.mkdir(parents=True, exist_ok=True)
            for name in NAMES:
                write_sorted(path / name, lines)
        names = sorted({f"{sorted(set(lines))!r}".replace("/", "") for lines in content.values()})
        tables.shards = [Shard(cache / "shards" / name) for name in names]
        tables.write("terms", more)
        for name in NAMES:
            found = bytes(tables.merged(name, more=("terms",) if name == "facts" else ()).data)
            wanted = {line for lines in content.values() for line in lines} | set(more if name == "facts" else ())
            assert found == b"".join(sorted(wanted))
        for name in NAMES if tables.before else ():
            old = set(tables.before.file(name).lines()) if tables.before else set()
            new = set(tables.file(name).lines())
            assert tables.changes[name] == (sorted(old - new), sorted(new - old))
        tables.keep(cache, "release")
    return tables


@settings(max_examples=120, deadline=None)
@given(builds=st.lists(st.tuples(shards, words), min_size=2, max_size=4))
def test_lines_that_several_shards_have_stay_as_long_as_one_has_them(
    folder: Path, builds: list[tuple[dict[int, list[bytes]], list[bytes]]]
) -> None:
    cache = folder / "cache"
    shutil.rmtree(cache, ignore_errors=True)
    cache.mkdir()
    for number, (content, more) in enumerate(builds):
        tables = build(cache, content, more)
        assert (tables.before is None) == (number == 0)
    assert len(list(cache.glob("whole-*"))) == 1
