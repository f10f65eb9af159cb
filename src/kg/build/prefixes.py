"""Prefixes that lead elsewhere than they seem to: every term under such a one would be another, and none be missed.

``@prefix schema: <http://schema.org>`` makes ``http://schema.orgname`` of ``schema:name``, which no vocabulary and no
shape knows, and no parser refuses.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from functools import cache

from kg import vocab
from kg.model import Finding, Place, error, warning

_KINDS = ("id", "claim", "document", "passage", "ontology", "shapes", "graph", "catalog", "comparison")
"""Where the addresses begin that this site has; things, claims, documents and passages first."""

_LIKE = 0.8
"""How like one of them, from 0 to 1, a beginning is that is a slip (:mod:`difflib`): ``ids``, ``claims``."""

_IS_MODULE = re.compile(r"(?:ontology|shapes)(?:/[^#]*\w)?$")


def slips(prefixes: Mapping[str, str], data: bytes, shown: str, base: str) -> Iterator[Finding]:
    """What is found of each prefix of a file that is a slip, with the line that declares it.

    An error; of a module of the ontology without its ``#`` a warning, because that may be the module itself.
    ``prefixes`` are absolute, as they were read from ``data``, the bytes of the file.
    """
    names = vocab.Names(base)
    for prefix, namespace in prefixes.items():
        meant = _meant(prefix, namespace, names)
        if meant:
            local = names.local(namespace)
            message = (
                f"the prefix {prefix}: is <{namespace if local is None else local}>, so its terms are others than "
                f"those of <{names.local(meant) or meant}>: write @prefix {prefix}: <{names.local(meant) or meant}> ."
            )
            found = warning if _IS_MODULE.match(local or "") else error
            yield found("prefix", message, Place(shown, _line(prefix, data)))


def _meant(prefix: str, namespace: str, names: vocab.Names) -> str:
    """The namespace that was meant in place of this one, or nothing where it may well be right."""
    local = names.local(namespace)
    if prefix == "kg" and namespace != names.kg and (local is not None or namespace.endswith("/ontology#")):
        return names.kg
    known = _vocabularies().get(_bare(namespace), ())
    if known and namespace not in known:
        return known[0]
    if local is None:
        return ""
    if _IS_MODULE.match(local):
        return namespace + "#"
    kind, rest = re.fullmatch(r"([^/#]*)(.*)", local, re.DOTALL).groups()  # type: ignore[union-attr] # all match
    near = difflib.get_close_matches(kind, _KINDS, n=1, cutoff=_LIKE) if kind else []
    if kind in _KINDS[:4] and rest in ("", "#"):
        return f"{names.base}{kind}/"
    return names.base + near[0] + rest if near and kind not in _KINDS else ""


@cache
def _vocabularies() -> dict[str, tuple[str, ...]]:
    """The namespaces of well-known vocabularies by what is left of them without scheme and end."""
    known = {_bare(namespace): (namespace,) for namespace in vocab.EXTERNAL_PREFIXES.values()}
    return known | {_bare(vocab.SCHEMA): (vocab.SCHEMA, vocab.SCHEMA_HTTPS)}


def _bare(namespace: str) -> str:
    """An address without its scheme, ``www.`` and the sign that it ends in, in lower case."""
    return re.sub(r"^https?://(?:www\.)?|[#/]+$", "", namespace.lower())


def _line(prefix: str, data: bytes) -> int:
    declared = re.search(rb"(?i)prefix\s+" + re.escape(prefix.encode()) + rb":", data)
    return data.count(b"\n", 0, declared.start()) + 1 if declared else 1
