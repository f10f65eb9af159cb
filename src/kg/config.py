"""Configuration is a value: read once, at the edge, from ``kg.toml`` and the environment, then passed in.

``kg.toml`` stands at the root of a project::

    base = "https://facts.example.org/"      # ends in "/"; every IRI that kg mints starts with it
    title = "Facts of the report"
    description = "One paragraph for the home page."
    license = "https://creativecommons.org/licenses/by/4.0/"
    publisher = "The newsroom"
    language = "en"
    report = "mailto:facts@example.org"      # whom readers tell of a wrong claim: see check_report

    [query]                                  # limits of /sparql: see kg.query.limits
    deadline = 10

    [catalog]                                # what /catalog says beside that: see Catalog
    keywords = ["harbours"]
    [serve]                                  # what one client may ask: see Serve
    trusted_proxies = ["127.0.0.1"]
    [build]                                  # what sources may cost: see Build

    [links]                                  # at the foot of every page: what they are called, where they lead
    Imprint = "https://example.org/imprint"

    [security]                               # /.well-known/security.txt: see Security
    contact = "mailto:security@example.org"
    expires = 2030-01-01T00:00:00Z

Environment: ``KG_BASE`` overrides ``base``; ``XDG_CACHE_HOME`` is where caches are; ``SOURCE_DATE_EPOCH`` (seconds)
replaces the clock in a release's name (https://reproducible-builds.org/specs/source-date-epoch/).
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kg import settings
from kg.errors import ConfigError

DEFAULT_BASE = "http://localhost:8000/"
FILE = "kg.toml"
MOST_BYTES = 1 << 20
REPORT_FIELDS = ("title", "body", "claim", "gloss", "release")
"""What a page fills in where ``report`` names it in braces."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """What only the publisher knows of the dataset; what is not said, the catalogue leaves out.

    Codes are DCAT-AP's. ``issued``, ``start`` and ``end`` are dates; ``place`` is an IRI; ``bbox`` is west, south,
    east, north in degrees. Without ``start``, ``end`` and ``bbox``, the data give what they enclose.
    """

    homepage: str = ""
    publisher_type: str = ""
    contact: str = ""
    email: str = ""
    contact_page: str = ""
    keywords: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    frequency: str = ""
    availability: str = ""
    access: str = ""
    issued: str = ""
    start: str = ""
    end: str = ""
    place: str = ""
    bbox: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Security:
    """``security.txt`` (RFC 9116, section 2.5): whom to tell of a weakness, and until when that is true."""

    contact: str = ""
    expires: str = ""
    policy: str = ""


@dataclass(frozen=True, slots=True)
class Build:
    """What sources may cost: ``seconds`` of CPU for the shapes, over each that they check; ``memory`` in MiB."""

    seconds: float = 3
    memory: float = 900

    @property
    def bytes(self) -> int:
        return int(self.memory * (1 << 20))


@dataclass(frozen=True, slots=True)
class Serve:
    """What one client may ask of ``/sparql``, of all web processes together; 0 switches a bound off.

    ``seconds`` of queries a minute, ``burst`` of them saved up, ``errors`` a minute, ``at_once`` at the same time.
    ``trusted_proxies`` are addresses or networks whose X-Forwarded-For is believed; else whoever is connected asks.
    """

    seconds: float = 60
    burst: float = 120
    errors: float = 30
    at_once: int = 5
    trusted_proxies: tuple[str, ...] = ()


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
    report: str = ""
    query: Mapping[str, float] = field(default_factory=dict)
    catalog: Catalog = field(default_factory=Catalog)
    security: Security = field(default_factory=Security)
    build: Build = field(default_factory=Build)
    serve: Serve = field(default_factory=Serve)
    links: Mapping[str, str] = field(default_factory=dict)
    now: datetime | None = None
    caches: Path = Path("~/.cache/kg")

    def __post_init__(self) -> None:
        check_base(self.base)
        check_report(self.report)
        if not re.fullmatch(r"([A-Za-z]{2,3}|[xXiI](?=-))(-[A-Za-z0-9]{1,8})*", self.language):
            raise ConfigError(f"language {self.language!r} is no tag of a language such as en or de-AT")

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def cache(self) -> Path:
        """Where this project's parts are kept, outside of it: what lies in a project may be a stranger's."""
        return self.caches / sha256(str(self.root.resolve()).encode()).hexdigest()[:16]

    def date(self) -> str:
        """Today, or the date of ``SOURCE_DATE_EPOCH``, as ``YYYY-MM-DD`` in UTC."""
        return (self.now or datetime.now(UTC)).strftime("%Y-%m-%d")


def endpoint_credentials(environ: Mapping[str, str] | None = None) -> tuple[str, str] | None:
    """User and password for a SPARQL endpoint; a token has no user. They are in no file and no option."""
    environ = os.environ if environ is None else environ
    password = environ.get("KG_ENDPOINT_PASSWORD", "")
    return (environ.get("KG_ENDPOINT_USER", ""), password) if password else None


def check_base(base: str) -> None:
    """Refuse a base that relative IRIs could not be resolved against.

    :raises ConfigError: unless it is an absolute http(s) IRI that ends in ``/``, without query and fragment.
    """
    if len(base) > 1000:
        raise ConfigError(f"base {base[:60]}… is longer than 1000 characters: every IRI begins with it")
    try:
        parts = urlsplit(base)
    except ValueError as e:
        raise ConfigError(f"base {base!r} is not an address: {e}") from e
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ConfigError(f"base {base!r} must be an absolute http or https address, as in {DEFAULT_BASE}")
    if "?" in base or "#" in base or not settings.is_address(base):
        raise ConfigError(f"base {base!r} must have no query, fragment, or character that IRIs exclude")
    if not base.endswith("/"):
        raise ConfigError(f"base {base!r} must end in '/': write {base + '/'!r}")


def check_report(report: str) -> None:
    """Refuse an address for reports that pages could not link to.

    It starts with ``mailto:`` or ``https://``; the names of ``REPORT_FIELDS`` in braces stand for what a page fills in.

    :raises ConfigError: for any other address, and for an unknown name in braces.
    """
    if not report:
        return
    if not report.startswith(("mailto:", "https://")) or not settings.is_line(re.sub(r"\{\w+\}", "", report)):
        raise ConfigError(f"report {report!r} must be an address that starts with mailto: or https://")
    unknown = sorted(set(re.findall(r"\{(\w+)\}", report)) - set(REPORT_FIELDS))
    if unknown:
        raise ConfigError(f"report: unknown {{{unknown[0]}}}; known: {{{'}, {'.join(REPORT_FIELDS)}}}")


_TEXTS = ("base", "title", "description", "license", "publisher", "language", "report")
_TABLES = ("query", "catalog", "security", "build", "serve", "links")


def load(root: Path, *, base: str | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """Read ``kg.toml`` in ``root``; ``base`` (an option) wins over the environment, which wins over the file.

    :raises ConfigError: if the file is missing, is not TOML, or says something that cannot be used.
    """
    environ = os.environ if environ is None else environ
    path = root / FILE
    try:
        if path.exists() and (not path.is_file() or path.stat().st_size > MOST_BYTES):
            raise ConfigError(f"{path}: is not a regular file of at most {MOST_BYTES} bytes")
        table = tomllib.loads(path.read_bytes().decode("utf-8-sig"))  # some editors write a byte order mark
    except FileNotFoundError:
        raise ConfigError(f"{path}: not found; {_elsewhere(root)}") from None
    except UnicodeDecodeError as e:
        raise ConfigError(f"{path}: is not UTF-8 (byte 0x{e.object[e.start]:02x}): save the file as UTF-8") from None
    except OSError as e:
        raise ConfigError(f"{path}: cannot be read: {e.strerror or e}") from e
    except ValueError as e:  # also for a number of more digits than Python reads
        hint = '; a text stands in quotes: title = "…"' if "Invalid value" in str(e) else ""
        raise ConfigError(f"{path}: not TOML: {e}{hint}") from e
    except RecursionError:
        raise ConfigError(f"{path}: nests too deep") from None
    unknown = sorted(set(table) - {*_TEXTS, *_TABLES})
    if unknown:
        raise ConfigError(f"{path}: unknown setting {unknown[0]!r}; known: {', '.join((*_TEXTS, *_TABLES))}")
    texts = {name: _text(path, table, name) for name in _TEXTS if name in table}
    for name, given in (("--base", base), ("KG_BASE", environ.get("KG_BASE"))):
        if given:
            texts["base"] = _given_base(name, given)
            break
    try:
        config = Config(
            root=root,
            query=settings.numbers("query", table.get("query", {})),
            catalog=_catalog(table.get("catalog", {})),
            security=_security(table.get("security", {})),
            build=_build(table.get("build", {})),
            serve=_serve(table.get("serve", {})),
            links=settings.addresses("links", table.get("links", {})),
            now=_epoch(environ),
            caches=_caches(environ),
            **texts,
        )
        settings.check_characters("", table)
    except ConfigError as e:
        raise ConfigError(f"{path}: {e}") from None
    return config


def _elsewhere(root: Path) -> str:
    """Where to look instead: the project that this folder is in, if it is in one."""
    around = next((folder for folder in root.resolve().parents if (folder / FILE).is_file()), None)
    if around:
        return f"{around} has one: go there, or write `kg -C {around} …`"
    return "go to the project's folder or name it with `kg -C DIR …`; `kg init DIR` writes a project to start from"


def _given_base(name: str, base: str) -> str:
    try:
        check_base(base)
    except ConfigError as e:
        raise ConfigError(f"{name}: {e}") from None
    return base


def _text(path: Path, table: dict[str, Any], name: str) -> str:
    value = table[name]
    if not isinstance(value, str):
        raise ConfigError(f"{path}: {name} must be a text in quotes, not {value!r}")
    return value


def _catalog(table: object) -> Catalog:
    values = settings.texts("catalog", Catalog, table)
    bbox = values.get("bbox", ())
    if bbox and not (len(bbox) == 4 and -180 <= bbox[0] <= bbox[2] <= 180 and -90 <= bbox[1] <= bbox[3] <= 90):
        raise ConfigError("catalog.bbox must be [west, south, east, north] in degrees")
    if ("start" in values) != ("end" in values) or values.get("start", "") > values.get("end", ""):
        raise ConfigError("catalog.start and catalog.end must both be set, and start must not be the later one")
    email = values.get("email", "")
    if "email" in values and not (re.fullmatch(r"[^\s@]+@[^\s@]+", email) and settings.is_iri(f"mailto:{email}")):
        raise ConfigError(f"catalog.email {email!r} is no address")
    return Catalog(**values)


def _security(table: object) -> Security:
    values = settings.texts("security", Security, table)
    if not values:
        return Security()
    if not values.get("contact", "").startswith(("mailto:", "https://", "tel:")) or not settings.is_line(
        values["contact"]
    ):
        raise ConfigError("security.contact must start with mailto:, https:// or tel:")
    try:
        expires = datetime.fromisoformat(values.get("expires", ""))
    except ValueError:
        expires = None
    if expires is None or expires.tzinfo is None:
        raise ConfigError("security.expires must be a date and time with its zone, as in 2030-01-01T00:00:00Z")
    return Security(**{**values, "expires": expires.isoformat()})


def _build(table: object) -> Build:
    values = settings.known("build", Build, table)
    for name, value in values.items():
        if not settings.is_number(value) or not 0 < value < 1e9:
            raise ConfigError(f"build.{name} must be a number above 0, not {value!r}")
    return Build(**values)


def _serve(table: object) -> Serve:
    values = settings.known("serve", Serve, table)
    for name, value in values.items():
        if name == "trusted_proxies":
            values[name] = settings.networks("serve.trusted_proxies", value)
        elif not settings.is_number(value) or value < 0:
            raise ConfigError(f"serve.{name} must be a number, 0 or more, not {value!r}")
    if values.get("burst") == 0:
        raise ConfigError("serve.burst must be more than 0")
    return Serve(**values)


def _caches(environ: Mapping[str, str]) -> Path:
    given = environ.get("XDG_CACHE_HOME", "")
    # A relative one counts for nothing (https://specifications.freedesktop.org/basedir-spec/).
    return (Path(given) if given.startswith("/") else Path("~/.cache").expanduser()) / "kg"


def _epoch(environ: Mapping[str, str]) -> datetime | None:
    text = environ.get("SOURCE_DATE_EPOCH")
    if not text:
        return None
    try:
        return datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError) as e:
        raise ConfigError(f"SOURCE_DATE_EPOCH must be seconds since 1970, not {text!r}") from e
