"""Sorted files are merged, looked into and rendered as if everything were in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import RdfFormat, parse

from kg import media
from kg.build import lines
from kg.build.lines import SortedFile, common, differences, merged, write_sorted, write_spliced

words = st.text("ab/0", max_size=6).map(lambda word: f"{word}\n".encode())
files = st.lists(st.lists(words, max_size=40), min_size=1, max_size=5)
triples = st.lists(
    st.tuples(
        st.sampled_from(["<urn:a>", "<urn:a/b>", "<urn:x:c>", "<http://x.example/d>"]),
        st.sampled_from(["<http://x.example/p>", "<http://x.example/q>", "<http://y.example/#r>"]),
        st.sampled_from(["<urn:a>", '"é"', '"x"@en', '"1"^^<http://www.w3.org/2001/XMLSchema#integer>', '"a: b\\n"']),
    ),
    min_size=1,
).map(lambda found: sorted({f"{' '.join(one)} .\n".encode() for one in found}))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lines")


@settings(max_examples=150, deadline=None)
@given(found=files, step=st.sampled_from([1, 8, 4096]))
def test_files_are_merged_in_order_each_line_once(folder: Path, found: list[list[bytes]], step: int) -> None:
    patch = pytest.MonkeyPatch()
    patch.setattr(lines, "_STEP", step)
    sources = [write_sorted(folder / str(number), some) for number, some in enumerate(found)]
    whole = sorted({line for some in found for line in some})
    assert b"".join(merged(sources)) == b"".join(whole)
    patch.undo()
    one, other = ({*found[0]}, {*found[-1]})
    assert list(common(sources[0].lines(), sources[-1].lines())) == sorted(one & other)


@settings(max_examples=150, deadline=None)
@given(found=st.lists(words, max_size=60), wanted=words)
def test_a_sorted_file_is_looked_into_as_a_set_is(folder: Path, found: list[bytes], wanted: bytes) -> None:
    file = write_sorted(folder / "one", found)
    assert (wanted in file) == (wanted in found)
    prefix = wanted[:2].strip()
    if prefix:
        assert list(file.starting(prefix)) == sorted({line for line in found if line.startswith(prefix)})
    assert list(file.lines(file.find(wanted))) == sorted({line for line in found if line >= wanted})


@settings(max_examples=200, deadline=None)
@given(old=st.lists(words, max_size=60), new=st.lists(words, max_size=60), step=st.sampled_from([1, 8, 4096]))
def test_a_file_with_its_differences_is_the_other_file(
    folder: Path, old: list[bytes], new: list[bytes], step: int
) -> None:
    patch = pytest.MonkeyPatch()
    patch.setattr(lines, "_STEP", step)
    before, after = write_sorted(folder / "old", old), write_sorted(folder / "new", new)
    change = differences(before, after)
    assert (change.gone, change.come) == (sorted({*old} - {*new}), sorted({*new} - {*old}))
    assert bytes(write_spliced(folder / "spliced", before, change).data) == bytes(after.data)
    patch.undo()


def test_a_file_that_is_not_there_has_no_lines(folder: Path) -> None:
    assert list(SortedFile(folder / "nowhere").lines()) == []


@pytest.mark.parametrize("extension", ["ttl", "rdf", "jsonld", "nt"])
@settings(max_examples=60, deadline=None)
@given(found=triples)
def test_runs_of_subjects_are_in_any_syntax_what_the_whole_is(extension: str, found: list[bytes]) -> None:
    """Each subject rendered by itself, between one head and one tail."""
    syntax, prefixes = media.RDF_BY_EXTENSION[extension], {"x": "http://x.example/", "y": "http://y.example/#"}

    def parts(some: list[bytes]) -> tuple[bytes, bytes, bytes]:
        read: Any = parse(b"".join(some), format=RdfFormat.N_TRIPLES)
        return media.in_parts(read, syntax, prefixes)

    subjects = sorted({line.partition(b" ")[0] for line in found})
    bodies = [parts([line for line in found if line.partition(b" ")[0] == subject])[1] for subject in subjects]
    whole = parts(found)
    assert (b"," if extension == "jsonld" else b"").join(bodies) == whole[1]
    assert set().union(*map(media.used_prefixes, bodies)) == media.used_prefixes(whole[1])
