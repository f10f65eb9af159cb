"""The bundle of styles and scripts, ``static/``, which ``hatch_build.py`` makes from ``web/``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kg.errors import ConfigError

FOLDER = Path(__file__).parent / "static"
ENCODINGS = {"br": ".br", "gzip": ".gz"}
"""How files are packed, and what is added to their names: the bundler writes them."""

NEEDED = ("site.css", "site.js", "reader.js", "copy.js", "watch.js", "favicon.svg")


@dataclass(frozen=True)
class Assets:
    """``versions`` has 12 hex digits of each file's content: a changed file is another address.

    ``packed`` are the encodings in which a file lies beside itself, the smallest first.
    """

    versions: Mapping[str, str]
    packed: Mapping[str, tuple[str, ...]]
    digest: str

    @classmethod
    def load(cls) -> Assets:
        """Read the bundle's content.

        :raises ConfigError: if it was not made; the message says how to make it.
        """
        missing = [name for name in NEEDED if not (FOLDER / name).is_file()]
        if missing:
            raise ConfigError(
                f"{FOLDER / missing[0]}: is missing: the site's styles and scripts were not bundled; "
                "install kg again (`pip install --editable .` in its repository does it)"
            )
        files = {path.relative_to(FOLDER).as_posix(): path for path in sorted(FOLDER.rglob("*")) if path.is_file()}
        versions = {
            name: hashlib.sha256(path.read_bytes()).hexdigest()[:12]
            for name, path in files.items()
            if path.suffix not in ENCODINGS.values()
        }
        packed = {
            name: tuple(encoding for encoding, suffix in ENCODINGS.items() if name + suffix in files)
            for name in versions
        }
        return cls(versions, packed, hashlib.sha256(json.dumps(versions).encode()).hexdigest())

    def address(self, name: str) -> str:
        """A file's address relative to the site's root."""
        return f"static/{name}?v={self.versions[name]}"
