"""A sealed release: verified before it is opened, never written again, published by one rename."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from kg import activations, build
from kg.config import Config, load
from kg.errors import BuildError, ReleaseError
from kg.fixity import file_entry
from kg.history import History
from kg.records import json_bytes, read_head
from kg.release import Release, activate, staging, versions
from kg.shelf import listing

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of the starter project, to be copied before it is damaged."""
    project = tmp_path_factory.mktemp("sealed") / "project"
    shutil.copytree(ROOT / "src/kg/starter", project)
    release, findings = build.build(load(project))
    assert release is not None, findings
    return release.path


@pytest.fixture
def release(sealed: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "releases" / sealed.name
    shutil.copytree(sealed, copy)
    return copy


def files_of(path: Path) -> list[str]:
    return sorted(p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file())


def test_an_untouched_release_opens_and_lists_what_it_holds(release: Path) -> None:
    opened = Release.open(release)
    listed = {entry.path for entry in opened.manifest.files}
    assert listed == {f for f in files_of(release) if not f.startswith(("store/", "seal", "manifest"))}
    assert opened.version == release.name
    assert opened.version.endswith(opened.manifest.digest[:12])


@pytest.mark.parametrize(
    "damage", ["removed", "cut in half", "one byte changed", "one byte added", "a folder", "emptied"]
)
def test_every_single_damaged_file_is_refused_by_name(damage: str, sealed: Path, tmp_path: Path) -> None:
    for name in files_of(sealed):
        copy = tmp_path / "copy"
        shutil.copytree(sealed, copy)
        path = copy / name
        data = path.read_bytes()
        if damage == "removed":
            path.unlink()
        elif damage == "a folder":
            path.unlink()
            path.mkdir()
        else:
            middle = len(data) // 2
            path.write_bytes(
                {
                    "cut in half": data[:middle],
                    "one byte changed": data[:middle] + bytes([data[middle] ^ 1 if data else 0]) + data[middle + 1 :],
                    "one byte added": data + b"x",
                    "emptied": b"",
                }[damage]
                if data
                else b"x"
            )
        with pytest.raises(ReleaseError) as refused:
            Release.open(copy)
        assert refused.value.file == name
        assert name in str(refused.value)
        shutil.rmtree(copy)


@pytest.mark.parametrize(
    "name",
    [
        *("stranger.txt", "store/stranger.sst", "dumps/stranger.ttl", ".hidden"),
        *("empty/", "store/lost/", "dumps/more/"),
    ],
)
def test_what_was_added_is_refused_by_name(name: str, release: Path) -> None:
    if name.endswith("/"):
        (release / name).mkdir()
    else:
        (release / name).write_text("x")
    with pytest.raises(ReleaseError, match="does not belong to the release") as refused:
        Release.open(release)
    assert refused.value.file == name.removesuffix("/")


@pytest.mark.parametrize("name", ["seal.json", "manifest.json", "report.json"])
def test_what_is_no_file_or_has_no_end_is_refused_at_once(name: str, release: Path) -> None:
    (release / name).unlink()
    os.mkfifo(release / name)
    with pytest.raises(ReleaseError, match=r"is not a (regular )?file"):
        Release.open(release)
    (release / name).unlink()
    with (release / name).open("wb") as file:
        file.truncate(1 << 40)  # takes no room on the disk
    with pytest.raises(ReleaseError, match=rf"{name}: (is not a regular file of at most|has 1099511627776 bytes)"):
        Release.open(release)


def test_two_files_of_the_same_size_that_were_swapped_are_refused(release: Path) -> None:
    content = (release / "report.json").read_bytes()
    changed = bytes(reversed(content))
    times = (release / "report.json").stat()
    (release / "report.json").write_bytes(changed)
    os.utime(release / "report.json", ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(ReleaseError, match=r"report\.json: was changed"):
        Release.open(release)


def test_a_release_in_a_folder_of_another_name_is_not_taken_for_one(release: Path, kg) -> None:
    folder = release.parent
    (folder.parent / "kg.toml").write_text("")
    copy = folder / ("2020-01-01" + release.name[10:])
    shutil.copytree(release, copy)
    assert [(row.version, "renamed" in row.problem) for row in listing(folder)] == [
        (copy.name, True),
        (release.name, False),
    ]
    done = kg("releases", "activate", copy.name, cwd=folder.parent)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"is the release {release.name}: its folder was renamed" in done.stderr


@pytest.mark.parametrize("command", [["verify"], ["serve", "--port", "0"]])
def test_a_current_that_leads_out_of_the_folder_is_refused(command: list[str], release: Path, kg) -> None:
    folder = release.parent
    (folder.parent / "kg.toml").write_text("")
    release.rename(folder.parent / release.name)
    (folder / "current").symlink_to(f"../{release.name}")
    done = kg(*command, cwd=folder.parent)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"current: leads to {folder.parent / release.name}, outside of this folder" in done.stderr


@pytest.mark.parametrize("wrong", ["gone", "loop", "folder"])
def test_a_current_that_leads_nowhere_is_one_line_that_says_what_to_do(wrong: str, release: Path, kg) -> None:
    folder = release.parent
    (folder.parent / "kg.toml").write_text("")
    current = folder / "current"
    if wrong == "folder":
        current.mkdir()
        done = kg("releases", "activate", release.name, cwd=folder.parent)
        assert "current: is a folder where a link should be: move it away" in done.stderr
    else:
        current.symlink_to("current" if wrong == "loop" else "2020-01-01-000000000000")
        done = kg("verify", cwd=folder.parent)
        assert "`kg releases activate VERSION` makes another release current; there is " + release.name in done.stderr
        assert kg("releases", "activate", release.name, cwd=folder.parent).returncode == 0
        assert kg("verify", cwd=folder.parent).returncode == 0
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)


def test_a_link_in_place_of_a_file_is_refused(release: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    (release / "report.json").rename(target)
    (release / "report.json").symlink_to(target)
    with pytest.raises(ReleaseError, match=r"report\.json"):
        Release.open(release)


def test_a_seal_rewritten_to_hide_a_lost_file_is_refused(release: Path) -> None:
    seal = json.loads((release / "seal.json").read_text())
    lost = next(entry for entry in seal["files"] if entry["path"].startswith("store/MANIFEST"))
    seal["files"].remove(lost)
    (release / lost["path"]).unlink()
    (release / "seal.json").write_text(json.dumps(seal))
    with pytest.raises(ReleaseError, match=r"seal\.json: was changed"):
        Release.open(release)


def test_a_seal_with_a_member_that_stands_twice_is_refused(release: Path) -> None:
    seal = (release / "seal.json").read_text()
    (release / "seal.json").write_text(seal.replace("{", '{"version": "2020-01-01-000000000000",', 1))
    with pytest.raises(ReleaseError, match=r"seal\.json: cannot be read: a member stands twice in it"):
        Release.open(release)


@pytest.mark.parametrize("content", ["", "[]", "{}", "null", '{"files": 3}', '{"files": [{}]}', "\x00"])
def test_nonsense_for_a_seal_is_refused(content: str, release: Path) -> None:
    (release / "seal.json").write_text(content)
    with pytest.raises(ReleaseError, match=r"seal\.json"):
        Release.open(release)


@pytest.mark.parametrize(
    "change",
    [
        {"title": None},
        {"license": ["CC"]},
        {"counts": {"claims": "many"}},
        {"counts": {"claims": -1}},
        {"prefixes": ["kg"]},
        {"base": 3},
        {"member of a later version": 1},
    ],
    ids=str,
)
def test_a_manifest_of_another_version_is_refused_as_such(change: dict[str, object], release: Path) -> None:
    """It may be sealed all the same; pages would end in a traceback."""
    manifest = {**json.loads((release / "manifest.json").read_text()), **change, "digest": ""}
    manifest["digest"] = hashlib.sha256(json_bytes(manifest)).hexdigest()
    (release / "manifest.json").write_bytes(json_bytes(manifest))
    seal = json.loads((release / "seal.json").read_text())
    del seal["sha256"]
    seal["version"] = f"2026-01-01-{manifest['digest'][:12]}"
    seal["tools"]["kg"] = "99.0"
    entry = next(entry for entry in seal["files"] if entry["path"] == "manifest.json")
    entry |= asdict(file_entry(release, release / "manifest.json"))
    (release / "seal.json").write_bytes(json_bytes({**seal, "sha256": hashlib.sha256(json_bytes(seal)).hexdigest()}))
    with pytest.raises(ReleaseError, match=r"manifest\.json: not a manifest for kg [\d.]+: it was written by kg 99\.0"):
        Release.open(release)


def test_reading_a_release_changes_no_byte_of_it(release: Path) -> None:
    from kg.store.embedded import EmbeddedStore

    before = {name: (release / name).read_bytes() for name in files_of(release)}
    store = EmbeddedStore(Release.open(release).store_path)
    assert sum(1 for _ in store.quads(None, None, None, None)) > 0
    assert {name: (release / name).read_bytes() for name in files_of(release)} == before


def test_the_same_sources_give_the_same_release_and_it_is_kept(starter: Path) -> None:
    config = load(starter)
    first, _ = build.build(config)
    second, _ = build.build(config)
    assert first is not None
    assert second is not None
    assert first.version == second.version
    assert versions(config.releases) == [first.version]


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_content_is_byte_identical_whatever_folder_hash_seed_time_zone_and_locale(
    seed: str, sealed: Path, starter: Path, kg
) -> None:
    env = {"PYTHONHASHSEED": seed, "TZ": "Pacific/Kiritimati", "LC_ALL": "C", "SOURCE_DATE_EPOCH": "0"}
    done = kg("build", cwd=starter, env=env)
    assert done.returncode == 0, done.stdout
    made = starter / "releases/current"
    assert made.readlink().name.startswith("1970-01-01-")
    assert (made / "manifest.json").read_bytes() == (sealed / "manifest.json").read_bytes()
    for name in files_of(sealed):
        if not name.startswith(("store/", "seal.json")):
            assert (made / name).read_bytes() == (sealed / name).read_bytes(), name


def test_a_second_build_at_the_same_time_is_refused(starter: Path) -> None:
    config = load(starter)
    with staging(config.releases), pytest.raises(BuildError, match="another build is running"):
        build.build(config)


@pytest.mark.parametrize("name", [".lock", ".activations", ".history.sqlite", ".history.sum"])
def test_a_link_among_the_releases_never_lets_kg_write_elsewhere(name: str, release: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (release.parent / name).symlink_to(victim)
    if name == ".lock":
        with pytest.raises(BuildError, match=r"\.lock: cannot be written"), staging(release.parent):
            pass
    activate(release.parent, release.name)
    History(release.parent).close()
    assert victim.read_text() == "mine"


@pytest.mark.parametrize("name", [".history.sqlite", ".history.sum"])
def test_a_pipe_in_place_of_the_index_of_the_history_is_done_without(name: str, release: Path) -> None:
    os.mkfifo(release.parent / name)
    history = History(release.parent)
    history.update()
    assert [r.version for r in history.releases()] == [release.name]
    history.close()


def test_a_pipe_in_place_of_the_lock_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".lock")
    with pytest.raises(BuildError, match=r"\.lock: cannot be written: is not a regular file"), staging(tmp_path):
        pass


def test_what_a_killed_build_left_is_removed_by_the_next(starter: Path) -> None:
    config = load(starter)
    script = (
        "import os, pathlib, signal; from kg.release import staging\n"
        f"with staging(pathlib.Path({str(config.releases)!r})) as folder:\n"
        "    (folder / 'half').write_text('x'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    assert list(config.releases.glob(".staging-*"))
    assert build.build(config)[0] is not None
    assert list(config.releases.glob(".staging-*")) == []


def test_a_damaged_release_is_not_taken_for_the_same_content(starter: Path) -> None:
    config = load(starter)
    first, _ = build.build(config)
    assert first is not None
    (first.path / "dumps/all.nq").write_text("")
    again, _ = build.build(config)
    assert again is not None
    assert Release.open(config.releases / "current").version == again.version


def test_activating_switches_and_refuses_what_is_no_release(starter: Path) -> None:
    config = load(starter)
    first, _ = build.build(config)
    second, _ = build.build(replace(config, title="Another title"))
    assert first is not None
    assert second is not None
    assert _current(config) == second.version
    activate(config.releases, first.version)
    assert _current(config) == first.version
    for name in ("nothing", "../project", ".", "current/..", ""):
        with pytest.raises(ReleaseError, match="no such release"):
            activate(config.releases, name)
    assert [(row.version, row.current, row.problem) for row in listing(config.releases)] == sorted(
        [(first.version, True, ""), (second.version, False, "")]
    )


def _current(config: Config) -> str:
    return Release.open(config.releases / "current").version


@pytest.mark.parametrize("line", ["9999-12-31T23:59:59+00:00 x", "0001-01-01T00:00:00+14:00 x", "2026-13-45 x", "\xff"])
def test_nonsense_among_the_activations_stops_nothing(line: str, release: Path) -> None:
    (release.parent / ".activations").write_text(f"{line}\n", encoding="latin-1")
    activate(release.parent, release.name)
    assert activations.read(release.parent)[-1].version == release.name


def test_of_a_report_the_passages_are_left_where_they_are(release: Path, tmp_path: Path) -> None:
    whole = json.loads((release / "report.json").read_text("utf-8"))
    passages = whole.pop("passages")
    assert passages
    assert Release.open(release).report == whole
    # What follows is not even looked at; words of a finding that look like the line where it begins change nothing.
    hostile = {"findings": ['\n "passages": {\n'], "documents": {"d": {"passages": {"x": 1}}}}
    lines = json.dumps(hostile, indent=1).removesuffix("\n}") + ',\n "passages": {\n never read'
    (tmp_path / "report.json").write_text(lines, "utf-8")
    assert read_head(tmp_path / "report.json") == hostile
    (tmp_path / "report.json").write_text(json.dumps({**hostile, "passages": {}}), "utf-8")
    assert read_head(tmp_path / "report.json") == hostile
