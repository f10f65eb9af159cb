"""Configuration is a value: read once, at the edge, from ``kg.toml`` and the environment, then passed in.

``kg.toml`` stands at the root of a project::

    base = "https://facts.example.org/"      # ends in "/"; every IRI that kg mints starts with it
    title = "Facts of the report"
    description = "One paragraph for the home page."
    license = "https://creativecommons.org/licenses/by/4.0/"
    publisher = "The newsroom"
    language = "en"

    [query]                                  # limits of /sparql: see kg.query.limits
    deadline = 10

Environment: ``KG_BASE`` overrides ``base``; ``SOURCE_DATE_EPOCH`` (seconds) replaces the clock in a release's name
(https://reproducible-builds.org/specs/source-date-epoch/).
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kg.errors import ConfigError

DEFAULT_BASE = "http://localhost:8000/"
FILE = "kg.toml"


@dataclass(frozen=True, slots=True)
class Config:
    """One project's settings. ``root`` is the folder of ``kg.toml``; ``query`` the raw table of query limits."""

    root: Path
    base: str = DEFAULT_BASE
    title: str = "Knowledge graph"
    description: str = ""
    license: str = ""
    publisher: str = ""
    language: str = "en"
    query: Mapping[str, float] = field(default_factory=dict)
    now: datetime | None = None

    def __post_init__(self) -> None:
        check_base(self.base)

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    def date(self) -> str:
        """Today, or the date of ``SOURCE_DATE_EPOCH``, as ``YYYY-MM-DD`` in UTC."""
        return (self.now or datetime.now(UTC)).strftime("%Y-%m-%d")


def check_base(base: str) -> None:
    """Refuse a base that relative IRIs could not be resolved against.

    :raises ConfigError: unless it is an absolute http(s) IRI that ends in ``/``, without query and fragment.
    """
    try:
        parts = urlsplit(base)
    except ValueError as e:
        raise ConfigError(f"base {base!r} is not an address: {e}") from e
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ConfigError(f"base {base!r} must be an absolute http or https address, as in {DEFAULT_BASE}")
    if "?" in base or "#" in base or any(c.isspace() or c in '<>"{}|\\^`' for c in base):
        raise ConfigError(f"base {base!r} must have no query, fragment, or character that IRIs exclude")
    if not base.endswith("/"):
        raise ConfigError(f"base {base!r} must end in '/': write {base + '/'!r}")


_TEXTS = ("base", "title", "description", "license", "publisher", "language")


def load(root: Path, *, base: str | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """Read ``kg.toml`` in ``root``; ``base`` (an option) wins over the environment, which wins over the file.

    :raises ConfigError: if the file is missing, is not TOML, or says something that cannot be used.
    """
    environ = os.environ if environ is None else environ
    path = root / FILE
    try:
        with path.open("rb") as file:
            table = tomllib.load(file)
    except FileNotFoundError:
        raise ConfigError(f"{path}: not found; `kg init DIR` writes a project to start from") from None
    except (OSError, UnicodeDecodeError) as e:
        raise ConfigError(f"{path}: cannot be read: {e}") from e
    except tomllib.TOMLDecodeError as e:
        raise ConfigError(f"{path}: not TOML: {e}") from e
    unknown = sorted(set(table) - {*_TEXTS, "query"})
    if unknown:
        raise ConfigError(f"{path}: unknown setting {unknown[0]!r}; known: {', '.join((*_TEXTS, 'query'))}")
    texts = {name: _text(path, table, name) for name in _TEXTS if name in table}
    chosen = base or environ.get("KG_BASE")
    if chosen:
        texts["base"] = chosen
    try:
        return Config(root=root, query=_numbers(path, table.get("query", {})), now=_epoch(environ), **texts)
    except ConfigError as e:
        raise ConfigError(f"{path}: {e}") from None


def _text(path: Path, table: dict[str, Any], name: str) -> str:
    value = table[name]
    if not isinstance(value, str):
        raise ConfigError(f"{path}: {name} must be a text in quotes, not {value!r}")
    return value


def _numbers(path: Path, table: object) -> dict[str, float]:
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: [query] must be a table")
    for name, value in table.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigError(f"{path}: query.{name} must be a number, not {value!r}")
    return dict(table)


def _epoch(environ: Mapping[str, str]) -> datetime | None:
    text = environ.get("SOURCE_DATE_EPOCH")
    if not text:
        return None
    try:
        return datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError) as e:
        raise ConfigError(f"SOURCE_DATE_EPOCH must be seconds since 1970, not {text!r}") from e
