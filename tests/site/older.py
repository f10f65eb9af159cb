"""Sites of releases that were built before their index had what it has today."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from copy import copy
from pathlib import Path

from flask import Flask

from kg.site import create_app
from kg.site.lookups.state import Site


def older(site: Site, folder: Path, without: str) -> Flask:
    """The site of the same release, copied to ``folder``, whose index was changed by the SQL of ``without``."""
    shutil.copytree(site.release.path, folder)
    with closing(sqlite3.connect(folder / "search.sqlite")) as database:
        database.executescript(without)
    release = copy(site.release)
    release.path = folder
    return create_app(release, site.config)
