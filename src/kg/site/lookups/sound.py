"""Whether the files of a release say what pages rely on, looked at before a release is shown.

Seals tell that files are as they were sealed, and not that kg made them: a release that was put together by another
program, or by hand, verifies as well. The shape of what is small is held against what pages read of it, and the index
against its tables and the number of its entries; what single rows and texts say is not looked at.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from pyoxigraph import RdfFormat, serialize

from kg.config import check_base
from kg.errors import ConfigError, ReleaseError
from kg.records import REPORT
from kg.release import MANIFEST, Release
from kg.site.lookups.database import Database

_COLUMNS = {
    "entry": "id iri kind label language",
    "name": "folded entry language",
    "words": "label other text sound",
    "value": "id text",
    "claim": "entry document speaker modality basis own",
    "mention": "thing claim",
    "trait": "facet value thing",
    "link": "subject property object claim",
    "span": "thing property time first last how worked_out",
    "point": "thing lat lon node",
}
"""What every index has; later columns and tables are asked for by :meth:`Database.has`."""

_TARGETS = {"target": "claim passage paragraph sentence verified sha256 rolling"}
"""Came with the column "reviewed" of claims, by which :mod:`kg.site.lookups.evidence` knows that they are there."""

_BITMAPS = {"bits": "pairs facet value bits", "mention": "thing claim at beside"}

_COUNTS = ("claims", "default_graph", "documents", "facts", "passages", "things", "verified")
_OF_DATA = ("things", "classes")
_SHARE = {"part": int, "whole": int}
_SHARES = dict.fromkeys(("facts", "triples", "claims", "sentences"), _SHARE)


class _Each:
    """Any number of members, each with a value of this form."""

    def __init__(self, form: object) -> None:
        self.form = form


_FIGURES = {"claims": int, "passages": int, "sentences": int | None, "sentences_with_claim": int, "checked": bool}
_FINDING = {"severity": str, "message": str, "file": str, "line": int}
_REPORT: Mapping[str, object] = {"documents": _Each(_FIGURES), "findings": [_FINDING]}
_LATER: Mapping[str, object] = {
    "classes": _Each(int),
    "coverage": {**_SHARES, "classes": _Each(_SHARE), "properties": _Each(_SHARE)},
    "facets": [str],
}
"""Members that reports of releases from before do not have."""


def check(release: Release, index: Database, *, foreign: bool) -> None:
    """Look at a release that was verified; ``foreign``: it is what was gathered of data that kg did not build.

    :raises ReleaseError: naming the file that is not what pages rely on.
    """
    manifest = release.manifest
    try:
        check_base(manifest.base)
        serialize((), io.BytesIO(), format=RdfFormat.TURTLE, prefixes=dict(manifest.prefixes))
    except (ConfigError, ValueError) as e:
        raise _not_ours(release, MANIFEST, str(e)) from e
    _complete(release, MANIFEST, "counts", manifest.counts, dict.fromkeys(_OF_DATA if foreign else _COUNTS, int))
    report = release.report
    later = {name: form for name, form in _LATER.items() if name in report}
    for name, form in {**_REPORT, **later}.items():
        _complete(release, REPORT, name, report.get(name), form)
    if not foreign:
        _complete(release, REPORT, "counts", report.get("counts"), dict.fromkeys(_COUNTS, int))
    _check_index(release, index)


def _check_index(release: Release, index: Database) -> None:
    try:
        there = index.columns()
    except ReleaseError as e:
        raise _not_ours(release, index.name, f"it is no index ({e.__cause__})") from e
    wanted = dict(_COLUMNS)
    if "reviewed" in there.get("claim", ()):
        wanted |= _TARGETS
    if "bits" in there:
        wanted |= _BITMAPS
    for table, columns in wanted.items():
        if lacks := set(columns.split()) - there.get(table, set()):
            raise _not_ours(release, index.name, f"{table} has no {', '.join(sorted(lacks))}")
    found = index.rows("SELECT count(*) FROM entry")[0][0]
    entry = release.files.get(index.name)
    if entry is not None and entry.count is not None and found != entry.count:
        raise _not_ours(release, index.name, f"has {found:,} entries, and the manifest says {entry.count:,}")


def _complete(release: Release, file: str, name: str, found: object, form: object) -> None:
    if not fits(found, form):
        raise _not_ours(release, file, f"its {name!r} is not as kg writes it")


def _not_ours(release: Release, file: str, why: str) -> ReleaseError:
    return ReleaseError(f"{release.path / file}: was sealed with what no build of kg writes: {why}", file=file)


def fits(found: object, form: Any) -> bool:
    """Whether a value out of JSON has a form: a type, a list of one form, or an object with at least these members.

    >>> fits({"a": [1, 2], "b": None}, {"a": [int]}), fits({"a": [True]}, {"a": [int]}), fits({}, {"a": int})
    (True, False, False)
    """
    if isinstance(form, _Each):
        return isinstance(found, dict) and all(fits(value, form.form) for value in found.values())
    if isinstance(form, list):
        return isinstance(found, list) and all(fits(value, form[0]) for value in found)
    if isinstance(form, Mapping):
        return isinstance(found, Mapping) and all(n in found and fits(found[n], f) for n, f in form.items())
    return isinstance(found, form) and (form is bool or not isinstance(found, bool))
