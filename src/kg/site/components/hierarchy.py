"""Where a term stands: what is above it and below it, as a tree from the top.

A class or property stands below those that ``rdfs:subClassOf`` and ``rdfs:subPropertyOf`` name; a concept below broader
ones, or below its scheme. A term with several above it stands in the tree once for each of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from markupsafe import Markup
from pyoxigraph import DefaultGraph, NamedNode

from kg import vocab
from kg.model import value_of
from kg.site.components.nodes import Linker
from kg.site.lookups.state import Site

MOST = 200
"""Terms that are drawn."""

_DEEPEST = 12
_BROADER = (vocab.SKOS + "broader",), (vocab.SKOS + "narrower",)
_IN_SCHEME = (vocab.SKOS + "topConceptOf", vocab.SKOS + "inScheme"), (vocab.SKOS + "hasTopConcept",)
"""Properties that lead up, and their inverses, which lead down."""


class Branch(NamedTuple):
    """A term in the tree; ``here``: it is the one that the page is about. ``more``: so many below are not drawn."""

    link: Markup
    here: bool
    below: tuple[Branch, ...]
    more: int = 0


def of(site: Site, linker: Linker, iri: str) -> tuple[Branch, ...]:
    """The trees that a term stands in; none where it stands alone."""
    drawing = _Drawing(site, linker, iri)
    roots = drawing.roots()
    return () if roots == [iri] and not drawing.below(iri) else tuple(drawing.branch(root, ()) for root in roots)


class _Drawing:
    def __init__(self, site: Site, linker: Linker, iri: str) -> None:
        self._site = site
        self._linker = linker
        self._iri = iri
        self._left = MOST
        self._shown = False
        self._above = self._all_above()

    def _all_above(self) -> set[str]:
        found: set[str] = set()
        waiting = [self._iri]
        while waiting and len(found) < MOST:
            term = waiting.pop()
            if term not in found:
                found.add(term)
                waiting += self.above(term)
        return found

    def above(self, iri: str) -> list[str]:
        """The terms directly above one; a scheme only where there is no broader concept."""
        found = self._sorted(self._site.schema.parents.get(iri, ()))
        return found or self._values(iri, *_BROADER) or self._values(iri, *_IN_SCHEME)

    def below(self, iri: str) -> list[str]:
        """The terms directly below one."""
        found = set(self._site.schema.children.get(iri, ()))
        for up, down in (_BROADER, _IN_SCHEME):
            found.update(self._values(iri, down, up))
        return self._sorted(term for term in found if iri in self.above(term))

    def roots(self) -> list[str]:
        """The terms above with nothing above them; in a circle, the term itself."""
        return self._sorted(term for term in self._above if not self.above(term)) or [self._iri]

    def branch(self, iri: str, path: tuple[str, ...]) -> Branch:
        """A term with those of the terms below it that lead to the page's, or that are below that."""
        self._left -= 1
        here = iri == self._iri
        inside = here or self._iri in path
        below = [term for term in self.below(iri) if term not in (*path, iri)]
        # A scheme is shown whole: its concepts say what each of them is not.
        wanted = below if inside or self._is_scheme(iri) else [term for term in below if term in self._above]
        again, self._shown = here and self._shown, self._shown or here
        drawn = wanted[: max(0, self._left)] if len(path) < _DEEPEST and not again else []
        branches = tuple(self.branch(term, (*path, iri)) for term in drawn)
        link = self._site.labels[iri].html if here else self._linker.term(iri)
        return Branch(link, here, branches, 0 if again else len(wanted) - len(drawn))

    def _is_scheme(self, iri: str) -> bool:
        return vocab.SKOS + "ConceptScheme" in self._site.schema.terms.get(iri, frozenset())

    def _values(self, iri: str, forward: Iterable[str], backward: Iterable[str]) -> list[str]:
        node, default = NamedNode(iri), DefaultGraph()
        found: set[str] = set()
        for predicate in forward:
            quads = self._site.local.quads(node, NamedNode(predicate), None, default)
            found |= {q.object.value for q in quads if isinstance(q.object, NamedNode)}
        for predicate in backward:
            found |= {value_of(q.subject) for q in self._site.local.quads(None, NamedNode(predicate), node, default)}
        return self._sorted(found)

    def _sorted(self, iris: Iterable[str]) -> list[str]:
        # What has no name is described where it is used; it has no place in a tree.
        named = {iri for iri in iris if not iri.startswith(self._site.names.genid)}
        return sorted(named, key=lambda iri: (self._site.labels[iri].key, iri))
