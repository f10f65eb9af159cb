"""What changed between two releases: by claim and by thing, in words, as JSON, and as an RDF patch.

Read from the sealed dumps (``all.nq``), so that releases of other machines and years can be compared too.
"""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from pyoxigraph import DefaultGraph, NamedNode, Quad, RdfFormat, Store, parse

from kg import vocab
from kg.model import value_of
from kg.release import Release

INDEX = "search.sqlite"


@dataclass(frozen=True, slots=True)
class Change:
    """One claim, thing, document or other subject: what was said of it before only, and what only after.

    ``what`` is ``added``, ``removed`` or ``changed``; ``before`` and ``after`` are its labels. What a claim's own
    graph says counts as the claim's.
    """

    kind: str
    iri: str
    what: str
    before: str
    after: str
    removed: tuple[Quad, ...]
    added: tuple[Quad, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything that differs; ``changes`` are sorted by kind and IRI, numbers in IRIs as numbers."""

    old: str
    new: str
    changes: tuple[Change, ...]
    removed: tuple[Quad, ...]
    added: tuple[Quad, ...]


def without_stone(old: Path, new: Release) -> list[str]:
    """The IRIs of claims that an earlier release has and a new one no longer knows, not even as withdrawn; sorted.

    ``old`` is the folder of the earlier one. Read from the indexes of both, so that it costs little beside a build;
    what has another base or no index is not compared.
    """
    found = set[str]()
    with closing(sqlite3.connect("file::memory:", uri=True)) as database:
        try:
            for name, folder in (("before", old), ("after", new.path)):
                database.execute(f"ATTACH ? AS {name}", [f"{(folder / INDEX).resolve().as_uri()}?mode=ro&immutable=1"])
            query = "SELECT iri FROM before.entry WHERE kind = 'claim' AND iri NOT IN (SELECT iri FROM after.entry)"
            found = {row[0] for row in database.execute(query) if row[0].startswith(new.manifest.base)}
        except sqlite3.Error:
            return []
    if not found:
        return []
    try:
        store = Store.read_only(str(new.store_path))
    except (OSError, ValueError):  # somebody has taken the release away meanwhile
        return []
    return sorted(iri for iri in found if not any(store.quads_for_pattern(NamedNode(iri), None, None)))


def compare(old: Release, new: Release) -> Difference:
    """The difference of two releases with the same base.

    IRIs under different bases are different IRIs: then everything of ours has changed.
    """
    before, after = _quads(old), _quads(new)
    removed, added = before - after, after - before
    names = vocab.Names(new.manifest.base)
    labels_before, labels_after = labels_of(before), labels_of(after)
    subjects_before, subjects_after = _subjects(before), _subjects(after)
    gone, come = _by_owner(removed), _by_owner(added)
    changes = []
    for iri in gone.keys() | come.keys():
        known_before, known_after = iri in subjects_before, iri in subjects_after
        what = "changed" if known_before and known_after else "removed" if known_before else "added"
        changes.append(
            Change(
                kind=(names.local(iri) or "other").partition("/")[0].partition("#")[0],
                iri=iri,
                what=what,
                before=labels_before.get(iri, ""),
                after=labels_after.get(iri, ""),
                removed=tuple(sorted(gone[iri], key=str)),
                added=tuple(sorted(come[iri], key=str)),
            )
        )
    return Difference(
        old=old.version,
        new=new.version,
        changes=tuple(sorted(changes, key=lambda c: (_ORDER.get(c.kind, len(_ORDER)), c.kind, _counted(c.iri)))),
        removed=tuple(sorted(removed, key=str)),
        added=tuple(sorted(added, key=str)),
    )


def _counted(iri: str) -> list[tuple[int, str]]:
    """What sorts ``claim/letter/9`` before ``claim/letter/10``.

    >>> sorted(["claim/letter/10", "claim/letter/9", "claim/letter"], key=_counted)
    ['claim/letter', 'claim/letter/9', 'claim/letter/10']
    """
    return [(len(part) if part[:1].isdecimal() else 0, part) for part in re.split(r"([0-9]+)", iri)]


_ORDER = {kind: n for n, kind in enumerate(("claim", "id", "document", "passage", "ontology"))}
_NOUNS = {"id": "thing", "ontology": "term", ".well-known": "node"}


def _quads(release: Release) -> set[Quad]:
    return set(parse(path=str(release.path / "dumps/all.nq"), format=RdfFormat.N_QUADS))


def labels_of(quads: Iterable[Quad]) -> dict[str, str]:
    labels: dict[str, str] = {}
    for quad in sorted((q for q in quads if q.predicate.value in _LABELS), key=str):
        if quad.graph_name == DefaultGraph():
            labels.setdefault(value_of(quad.subject), value_of(quad.object))
    return labels


_LABELS = (vocab.RDFS_LABEL, vocab.DCTERMS_TITLE)


def _subjects(quads: Iterable[Quad]) -> set[str]:
    return {owner_of(quad) for quad in quads}


def owner_of(quad: Quad) -> str:
    """What a quad belongs to: the claim whose graph it is in, or else its subject."""
    if isinstance(quad.graph_name, NamedNode) and "/claim/" in quad.graph_name.value:
        return quad.graph_name.value
    return value_of(quad.subject).partition("#")[0] if "/passage/" in value_of(quad.subject) else value_of(quad.subject)


def _by_owner(quads: Iterable[Quad]) -> defaultdict[str, list[Quad]]:
    found: defaultdict[str, list[Quad]] = defaultdict(list)
    for quad in quads:
        found[owner_of(quad)].append(quad)
    return found


def in_words(difference: Difference) -> Iterator[str]:
    """A line for every change, and one count."""
    for change in difference.changes:
        noun = _NOUNS.get(change.kind, change.kind)
        label = change.after or change.before
        line = f"{change.what}: {noun} <{change.iri}>" + (f" {label!r}" if label else "")
        if change.what == "changed":
            if change.before != change.after:
                line += f", was {change.before!r}"
            line += f" (-{len(change.removed)} +{len(change.added)} triples)"
        yield line
    yield (
        f"{plural(len(difference.changes), 'change')} from {difference.old} to {difference.new}: "
        f"{plural(len(difference.removed), 'quad')} removed, {len(difference.added)} added"
    )


def plural(count: int, noun: str) -> str:
    """A count with its noun.

    >>> plural(1, "change"), plural(2, "change")
    ('1 change', '2 changes')
    """
    return f"{count} {noun}{'' if count == 1 else 's'}"


def of_words(before: str, after: str) -> list[tuple[str, str]]:
    """Two labels as one text: pieces that are in both (``""``), gone (``"del"``) or new (``"ins"``).

    >>> of_words("The red bridge is closed.", "The bridge is open.")
    [('', 'The '), ('del', 'red '), ('', 'bridge is '), ('del', 'closed.'), ('ins', 'open.')]
    """
    old, new = (re.findall(r"\S+\s*", text) for text in (before, after))
    found: list[tuple[str, str]] = []
    for what, old_from, old_to, new_from, new_to in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            found.append(("", "".join(new[new_from:new_to])))
            continue
        pieces = (("del", "".join(old[old_from:old_to])), ("ins", "".join(new[new_from:new_to])))
        found += (piece for piece in pieces if piece[1])
    return found


def as_json(difference: Difference) -> dict[str, Any]:
    """The same for programs; quads as N-Quads lines without the full stop."""
    return {
        "old": difference.old,
        "new": difference.new,
        "changes": [
            {
                "kind": _NOUNS.get(c.kind, c.kind),
                "iri": c.iri,
                "what": c.what,
                "before": c.before,
                "after": c.after,
                "removed": [str(q) for q in c.removed],
                "added": [str(q) for q in c.added],
            }
            for c in difference.changes
        ],
    }


def as_patch(difference: Difference) -> Iterator[str]:
    """An RDF Patch (https://afs.github.io/rdf-patch/): deletions, then additions, in one transaction."""
    yield f"H id <urn:x-kg:release:{difference.new}> ."
    yield f"H prev <urn:x-kg:release:{difference.old}> ."
    yield "TX ."
    yield from (f"D {quad} ." for quad in difference.removed)
    yield from (f"A {quad} ." for quad in difference.added)
    yield "TC ."
