"""A class as a table: the query for its instances, with a column for what most of them have one value of."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from pyoxigraph import DefaultGraph, NamedNode

from kg import vocab
from kg.site.lookups.labels import LABELS
from kg.site.lookups.state import Site

LOOKED_AT = 100
"""Instances whose properties decide about the columns."""
MOST = 8
"""Columns beside the instance itself."""
MOST_KINDS = 50
"""Classes that are named one by one, so that footnotes can be traced."""

_MANY = 1.5
"""Values that an instance has on average of a property that gets no column: each would be a row of its own."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_OTHER = re.compile(r"\W+", re.ASCII)
_NO_COLUMN = frozenset({vocab.RDF_TYPE, *(predicate.value for predicate in LABELS)})
_DEFAULT = DefaultGraph()


def query(site: Site, kind: str, members: Sequence[str]) -> str:
    """The query for a class, or nothing where its instances are only said to be some, or have no values to show."""
    kinds = site.schema.below(kind)
    owners: Counter[str] = Counter()
    values: Counter[str] = Counter()
    used: set[str] = set()
    for member in members[:LOOKED_AT]:
        quads = list(site.local.quads(NamedNode(member), None, None, _DEFAULT))
        types = {
            q.object.value for q in quads if q.predicate.value == vocab.RDF_TYPE and isinstance(q.object, NamedNode)
        }
        if not types & kinds:
            continue
        used |= types & kinds
        # Other names and notes (SKOS) describe the data, and no claim states them.
        predicates = [q.predicate.value for q in quads]
        had = [p for p in predicates if p not in _NO_COLUMN and not p.startswith(vocab.SKOS)]
        values.update(had)
        owners.update(set(had))
    fit = (p for p in owners if values[p] <= _MANY * owners[p])
    columns = sorted(fit, key=lambda p: (-owners[p], site.labels[p].key, p))[:MOST]
    return _written(site, kind, used if len(members) <= LOOKED_AT else kinds, columns) if columns else ""


def _written(site: Site, kind: str, kinds: set[str], columns: Sequence[str]) -> str:
    prefixes: dict[str, str] = {}

    def term(iri: str) -> str:
        prefix, _, local = (site.labels.curie(iri) or "").partition(":")
        if not _NAME.fullmatch(local):
            return f"<{iri}>"
        prefixes[prefix] = site.prefixes[prefix]
        return f"{prefix}:{local}"

    if len(kinds) > MOST_KINDS:
        prefixes["rdfs"] = vocab.RDFS
        what = [f"  ?thing a/rdfs:subClassOf* {term(kind)} ."]
    elif len(kinds) > 1:
        what = [f"  VALUES ?kind {{ {' '.join(term(k) for k in sorted(kinds))} }}", "  ?thing a ?kind ."]
    else:
        what = [f"  ?thing a {' '.join(map(term, kinds))} ."]
    names = ["thing"]
    for column in columns:
        name = _OTHER.sub("_", (site.labels.curie(column) or column).rpartition(":")[2]).strip("_") or "value"
        names.append(name if name not in (*names, "kind", "evidence") else f"{name}_{len(names)}")
        what.append(f"  OPTIONAL {{ ?thing {term(column)} ?{names[-1]} }}")
    head = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in sorted(prefixes.items()))
    distinct = "DISTINCT " if len(kinds) > 1 else ""
    return f"{head}\nSELECT {distinct}{' '.join('?' + name for name in names)} WHERE {{\n" + "\n".join(what) + "\n}"
