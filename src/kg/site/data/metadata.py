"""How the release describes itself, as its build wrote it: ``metadata/void.ttl`` and ``metadata/catalog.ttl``, read."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from pyoxigraph import Literal, NamedNode, Quad, Triple, parse

from kg import media, vocab
from kg.errors import ReleaseError
from kg.model import value_of
from kg.site.answers.respond import not_found
from kg.site.languages import marked
from kg.site.lookups.memo import per_site
from kg.site.lookups.state import Site


class Metadata:
    """The triples of one description, by subject and predicate."""

    def __init__(self, triples: list[Triple]) -> None:
        self.triples = triples
        self._table: dict[tuple[str, str], list[NamedNode | Literal]] = defaultdict(list)
        for t in triples:
            if isinstance(t.object, NamedNode | Literal):
                self._table[value_of(t.subject), t.predicate.value].append(t.object)

    def values(self, subject: str, predicate: str) -> list[str]:
        """IRIs and lexical forms, sorted."""
        return sorted(node.value for node in self._table.get((subject, predicate), ()))

    def value(self, subject: str, predicate: str) -> str:
        """The first of them; empty where nothing is said."""
        return next(iter(self.values(subject, predicate)), "")

    def box(self, place: str) -> tuple[str, ...]:
        """West, south, east, north of a place in degrees; empty where they are not known.

        The ring of its polygon starts in the south-west and turns against the clock.
        """
        numbers = re.findall(r"-?\d+(?:\.\d+)?", self.value(place, vocab.DCAT + "bbox"))
        return (numbers[0], numbers[1], numbers[4], numbers[5]) if len(numbers) == 10 else ()

    def number(self, subject: str, predicate: str) -> int:
        """A count."""
        return int(self.value(subject, predicate) or 0)


@per_site(8)
def read(site: Site, name: str) -> Metadata | None:
    """``"void"`` or ``"catalog"``; ``None`` for a release that was built before there were any.

    The catalogue also gets what only a sealed release knows: its version.
    """
    path = site.release.path / "metadata" / f"{name}.ttl"
    if f"metadata/{name}.ttl" not in site.release.files:
        return None
    try:
        quads: list[Quad] = list(parse(path=str(path), format=media.RDF_BY_EXTENSION["ttl"].format))
    except (OSError, SyntaxError) as e:
        raise ReleaseError(f"{path}: cannot be read: {e}", file=path.name) from e
    triples = [q.triple for q in quads]
    if name == "catalog":
        version = Literal(site.release.version)
        triples.append(Triple(NamedNode(site.names.dataset), NamedNode(vocab.DCAT + "version"), version))
    return Metadata(sorted(triples, key=str))


def required(site: Site, name: str) -> Metadata:
    """The same, where a page cannot be made without.

    :raises NotFound: where the release has none.
    """
    found = read(site, name)
    if found is None:
        raise not_found(
            marked("This release has no {name}: it was built before there was one."), name=f"metadata/{name}.ttl"
        )
    return found


def coverage(site: Site) -> dict[str, Any] | None:
    """The shares that the build measured (see :mod:`kg.build.writing.coverage`), or ``None`` where it did not yet."""
    found: dict[str, Any] | None = site.release.report.get("coverage")
    return found


def percent(share: dict[str, int] | None) -> str:
    """A share for people, rounded down: only a whole is 100 %.

    >>> percent({"part": 999, "whole": 1000}), percent({"part": 0, "whole": 0}), percent(None)
    ('99 %', '–', '–')
    """
    return f"{share['part'] * 100 // share['whole']} %" if share and share["whole"] else "–"
