"""The package as its users get it: built by pip and build, installed into an environment of its own.

Everything runs on a copy of the tree, so that bundling starts from nothing, and with a PATH on which there
is no Node.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BUNDLE = {
    *(
        "bundle.json",
        "copy.js",
        "countries.json",
        "favicon.svg",
        "map.css",
        "map.js",
        "query.css",
        "query.js",
        "reader.js",
        "site.css",
        "site.js",
        "watch.js",
    ),
    *(f"{name}.{packed}" for name in ("map.css", "map.js", "query.css", "query.js") for packed in ("br", "gz")),
    *(f"{name}.{packed}" for name in ("copy.js", "reader.js", "site.css", "site.js") for packed in ("br", "gz")),
    *("third-party.txt", "layers-2x.png", "layers.png", "marker-icon.png"),
}
NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", ".*_cache", "__pycache__", "dist", "node_modules", "releases", "static"
)


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a user without Node: nothing at all on PATH, and no settings for Python."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    variables["PATH"] = str(tmp_path_factory.mktemp("empty-bin"))
    assert shutil.which("node", path=variables["PATH"]) is None
    return variables


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources as a fresh clone has them, without a bundle, and with one link that is sure to be there."""
    copy = tmp_path_factory.mktemp("tree") / "kg"
    shutil.copytree(ROOT, copy, symlinks=True, ignore=NOT_COPIED)
    (copy / "src/kg/linked.txt").symlink_to("../../LICENSE")
    assert not (copy / "src/kg/site/static").exists()
    return copy


@pytest.fixture(scope="module")
def dist(tree: Path, env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An sdist of the tree, and the wheel made from that sdist."""
    folder = tmp_path_factory.mktemp("dist")
    succeed([sys.executable, "-m", "build", "--outdir", str(folder), str(tree)], env)
    assert not (tree / "src/kg/site/static").exists(), "an sdist needs no bundle"
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Iterator[zipfile.ZipFile]:
    (path,) = dist.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


@pytest.fixture(scope="module")
def editable(tree: Path, env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment's Python in which ``pip install -e`` was run on the tree."""
    python = environment(tmp_path_factory.mktemp("editable"))
    succeed(pip_install(python, "--editable", str(tree)), env)
    return python


@pytest.fixture(scope="module")
def hurried(editable: Path, env: dict[str, str]) -> list[str]:
    """The command that installs the tree again, in an environment that keeps Node: 2 s instead of 13."""
    node = re.search(r'^NODE = "(.+)"$', (ROOT / "hatch_build.py").read_text(), re.MULTILINE)
    assert node
    succeed(pip_install(editable, node[1]), env)
    return pip_install(editable, "--no-build-isolation", "--editable")


def environment(folder: Path) -> Path:
    """Makes a virtual environment and returns its Python; our dependencies, but not our kg, are in reach.

    The .pth file saves half a minute of installing them again. It adds a folder to the end of the path
    without running the .pth files in that folder, so the kg under test here is not found.
    """
    succeed([sys.executable, "-m", "venv", "--without-pip", str(folder)], dict(os.environ))
    (library,) = folder.glob("lib/python3*/site-packages")
    (library / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin/python"


def pip_install(python: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", *arguments]


def run(command: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    # Not in the tree: there, `import kg` could find the sources.
    return subprocess.run(command, env=env, cwd="/", capture_output=True, text=True, check=False)


def succeed(command: list[str], env: dict[str, str]) -> str:
    done = run(command, env)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("folder", ["web", "tests/clients"])
def test_the_lockfile_names_no_host_and_every_package_by_its_hash(folder: str) -> None:
    packages = json.loads((ROOT / folder / "package-lock.json").read_text())["packages"]
    packages.pop("")
    assert packages
    assert {name for name, package in packages.items() if "resolved" in package} == set()
    assert {name for name, package in packages.items() if "integrity" not in package} == set()


@pytest.mark.parametrize("folder", ["web", "tests/clients"])
def test_the_lockfile_belongs_to_package_json_and_pins_its_tools(folder: str) -> None:
    package = json.loads((ROOT / folder / "package.json").read_text())
    locked = json.loads((ROOT / folder / "package-lock.json").read_text())["packages"]
    assert package["private"] is True
    for kind in ("dependencies", "devDependencies"):
        assert locked[""].get(kind, {}) == package.get(kind, {})
        for name, version in package.get(kind, {}).items():
            assert locked[f"node_modules/{name}"]["version"] == version, "an exact version, not a range"


def test_the_running_package_has_its_bundle_and_its_types() -> None:
    package = importlib.resources.files("kg")
    assert {name for name in BUNDLE if not (package / "site/static" / name).is_file()} == set()
    assert (package / "py.typed").is_file()


def test_the_sdist_holds_the_web_sources_and_nothing_installed_or_bundled(dist: Path) -> None:
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "web/src").rglob("*") if path.is_file()}
    assert names >= sources | {"hatch_build.py", "web/.npmrc", "web/build.mjs", "web/package-lock.json"}
    assert {name for name in names if "node_modules" in name or "site/static" in name} == set()
    assert {name for name in names if name.startswith((".venv", "releases", "dist"))} == set()


def test_the_wheel_holds_every_module_the_bundle_the_licences_and_py_typed(wheel: zipfile.ZipFile, tree: Path) -> None:
    names = set(wheel.namelist())
    modules = {path.relative_to(tree / "src").as_posix() for path in (tree / "src/kg").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == modules
    bundle = {f"kg/site/static/{name}" for name in BUNDLE}
    assert names >= bundle | {"kg/py.typed"}
    assert {name for name in names if "/licenses/" in name} == {
        "kg-0.1.0.dist-info/licenses/LICENSE",
        "kg-0.1.0.dist-info/licenses/LICENSE-DATA.md",
    }
    assert {name for name in names if "node_modules" in name or not name.startswith("kg")} == set()
    for name in bundle:
        assert wheel.getinfo(name).file_size > 0


def test_a_file_linked_into_the_package_arrives_with_its_content(wheel: zipfile.ZipFile, tree: Path) -> None:
    package = tree / "src/kg"
    linked = [
        file
        for path in package.rglob("*")
        if path.is_symlink()
        for file in ([path] if path.is_file() else path.rglob("*"))
        if file.is_file()
    ]
    assert package / "linked.txt" in linked
    for path in linked:
        info = wheel.getinfo(path.relative_to(package.parent).as_posix())
        kind = (info.external_attr >> 16) & 0o170000
        assert kind in {0, 0o100000}, f"{info.filename} is no regular file"
        assert wheel.read(info) == path.read_bytes()


def test_the_bundle_is_what_its_manifest_says(wheel: zipfile.ZipFile) -> None:
    manifest = json.loads(wheel.read("kg/site/static/bundle.json"))
    assert set(manifest["files"]) == BUNDLE - {"bundle.json"}
    for name, expected in manifest["files"].items():
        assert hashlib.sha256(wheel.read(f"kg/site/static/{name}")).hexdigest() == expected


def test_an_installed_wheel_runs_in_an_environment_of_its_own(dist: Path, env: dict[str, str], tmp_path: Path) -> None:
    python = environment(tmp_path)
    (path,) = dist.glob("*.whl")
    # The kg under test, of the same version, is in reach as well: pip would call it installed.
    succeed(pip_install(python, "--no-index", "--ignore-installed", str(path)), env)

    where = Path(succeed([str(python), "-c", "import kg; print(kg.__file__)"], env).strip())
    assert where.is_relative_to(tmp_path), "the wheel is imported, not the sources"
    assert (where.parent / "site/static/site.css").is_file()

    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert succeed([str(python.parent / "kg"), "--version"], env) == f"kg, version {version}\n"


def test_an_editable_install_bundles_into_the_tree(editable: Path, tree: Path, env: dict[str, str]) -> None:
    where = Path(succeed([str(editable), "-c", "import kg; print(kg.__file__)"], env).strip())
    assert where == tree / "src/kg/__init__.py"
    assert {path.name for path in (tree / "src/kg/site/static").iterdir()} == BUNDLE
    assert not (tree / "web/node_modules").exists(), "npm works on a copy"


def test_a_wheel_from_the_tree_equals_the_wheel_from_the_sdist(
    editable: Path, tree: Path, wheel: zipfile.ZipFile, env: dict[str, str], tmp_path: Path
) -> None:
    assert editable.exists(), "the tree holds a bundle now, which this wheel takes over"
    succeed([sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(tree)], env)
    (path,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(path) as other:
        assert {name: other.read(name) for name in other.namelist()} == {
            name: wheel.read(name) for name in wheel.namelist()
        }


class TestWithoutRegistry:
    """The npm registry does not answer, and nothing is cached."""

    @pytest.fixture
    def offline(self, env: dict[str, str], tmp_path: Path) -> dict[str, str]:
        # Port 9 (discard) on this machine refuses at once.
        settings = {"npm_config_registry": "http://127.0.0.1:9/", "npm_config_cache": str(tmp_path / "cache")}
        return env | settings | {"npm_config_fetch_retries": "0"}

    def test_a_bundle_that_belongs_to_the_sources_is_kept_without_asking(
        self, editable: Path, tree: Path, offline: dict[str, str]
    ) -> None:
        stamp = (tree / "src/kg/site/static/site.css").stat().st_mtime_ns
        succeed(pip_install(editable, "--editable", str(tree)), offline)
        assert (tree / "src/kg/site/static/site.css").stat().st_mtime_ns == stamp

    def test_a_bundle_that_cannot_be_renewed_stays_and_one_line_says_why(
        self, hurried: list[str], tree: Path, offline: dict[str, str]
    ) -> None:
        static, source = tree / "src/kg/site/static", tree / "web/src/site.css"
        before = {path.name: path.read_bytes() for path in static.iterdir()}
        css = source.read_bytes()
        source.write_bytes(css + b"b { color: red }\n")
        try:
            done = run([*hurried, str(tree)], offline)
        finally:
            source.write_bytes(css)
        assert done.returncode != 0
        (line,) = [line.strip() for line in done.stderr.splitlines() if "npm" in line]
        assert line.startswith("kg: web/ was not bundled, because the npm registry cannot be reached")
        assert "ECONNREFUSED" in line
        assert line.endswith(f"The old bundle stays in {static}.")
        assert "Traceback" not in done.stderr
        assert {path.name: path.read_bytes() for path in static.iterdir()} == before
        assert list(static.parent.glob(".static-*")) == []


def test_a_fault_in_the_sources_is_shown_with_its_line_and_the_old_bundle_stays(
    hurried: list[str], tree: Path, env: dict[str, str]
) -> None:
    static, source = tree / "src/kg/site/static", tree / "web/src/site.js"
    before = (static / "site.js").read_bytes()
    script = source.read_bytes()
    source.write_bytes(b"const = 1;\n" + script)
    try:
        done = run([*hurried, str(tree)], env)
    finally:
        source.write_bytes(script)
    assert done.returncode != 0
    assert "src/site.js:1:6" in done.stderr
    assert (static / "site.js").read_bytes() == before
