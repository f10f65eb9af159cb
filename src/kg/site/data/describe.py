"""What the data about one thing holds, in every format: always triples of the release, and nothing else.

- what is said of the thing, of the nameless nodes that hang from it, and of its own fragments (``…#position``)
- what links to it
- the names of everything that occurs in these

Formats without named graphs hold the default graph's part of this alone: elsewhere a plan, a rumour or a denial would
look like a fact. Formats with named graphs hold the claim graphs' part too, and who says each of these claims.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pyoxigraph import BlankNode, DefaultGraph, NamedNode, Quad, Triple

from kg import media, vocab
from kg.site.lookups.labels import OWN_LABELS
from kg.site.lookups.state import Site
from kg.store.base import Store

_DEFAULT = DefaultGraph()


class Description:
    """Gathers quads; ``graphs``: the format carries named graphs."""

    def __init__(self, site: Site, *, graphs: bool) -> None:
        self._site = site
        self._graphs = graphs
        self._quads: set[Quad] = set()

    def add(self, quads: Iterable[Quad]) -> None:
        """Keep those that the format can carry."""
        self._quads.update(q for q in quads if self._graphs or q.graph_name == _DEFAULT)

    def about(self, iri: str, store: Store | None = None) -> None:
        """What is said of ``iri``, its fragments, and the nameless nodes that it reaches; by the site's store."""
        store = store or self._site.store
        waiting: list[NamedNode | BlankNode] = [NamedNode(iri)]
        seen = {iri}
        while waiting:
            for q in store.quads(waiting.pop()):
                self.add((q,))
                value = q.object
                if isinstance(value, BlankNode) and value.value not in seen:
                    seen.add(value.value)
                    waiting.append(value)
                if isinstance(value, NamedNode) and value.value not in seen and self._is_part(value.value, iri):
                    seen.add(value.value)
                    waiting.append(value)

    def incoming(self, iri: str) -> None:
        """What has ``iri`` as its value."""
        self.add(self._site.store.quads(None, None, NamedNode(iri)))

    def graph(self, iri: str) -> None:
        """What a named graph holds; without graphs, as far as the default graph says the same."""
        for q in self._site.store.quads(None, None, None, NamedNode(iri)):
            if self._graphs:
                self._quads.add(q)
            elif isinstance(q.subject, NamedNode) and not isinstance(q.object, Triple):
                self.add(self._site.store.quads(q.subject, q.predicate, q.object, _DEFAULT))

    def sources(self) -> None:
        """Who says each of the claims whose triples were gathered."""
        for graph in {q.graph_name for q in self._quads if isinstance(q.graph_name, NamedNode)}:
            for q in self._site.local.quads(graph, None, None, _DEFAULT):
                if q.predicate.value != self._site.names.kg + "mentions":
                    self._quads.add(q)

    def names(self) -> None:
        """The labels of every IRI that occurs."""
        nodes = {n for q in self._quads for n in (q.subject, q.predicate, q.object) if isinstance(n, NamedNode)}
        self._site.local.expect((node.value for node in nodes), OWN_LABELS)
        for node in nodes:
            for predicate in OWN_LABELS:
                self.add(self._site.local.quads(node, predicate, None, _DEFAULT))

    def quads(self) -> frozenset[Quad]:
        """What was gathered."""
        return frozenset(self._quads)

    def serialise(self, format_: media.RdfMedia) -> bytes:
        """Sorted, so that the same release gives the same bytes."""
        prefixes = self._site.prefixes
        if format_.quads:
            return media.serialise(sorted(self._quads, key=_graph_first), format_, prefixes)
        triples: list[Triple] = sorted({q.triple for q in self._quads}, key=str)
        return media.serialise(triples, format_, prefixes)

    def _is_part(self, iri: str, whole: str) -> bool:
        return iri.startswith((self._site.names.genid, whole + "#"))


def _graph_first(quad: Quad) -> tuple[str, str]:
    return "" if quad.graph_name == _DEFAULT else str(quad.graph_name), str(quad)


def thing(site: Site, iri: str, *, graphs: bool) -> Description:
    """Data about a thing: said of it, linking to it, and named."""
    found = Description(site, graphs=graphs)
    found.about(iri)
    found.incoming(iri)
    found.sources()
    found.names()
    return found


def claim(site: Site, iri: str, *, graphs: bool) -> Description:
    """Data about a claim: its description, its passages, and its graph."""
    found = Description(site, graphs=graphs)
    found.about(iri)
    found.graph(iri)
    found.incoming(iri)
    source = site.evidence.claim(iri)
    for span in source.spans if source else ():
        found.about(span.iri)
    found.sources()
    found.names()
    return found


def graph(site: Site, iri: str, *, graphs: bool) -> Description:
    """Data about a named graph: what it holds."""
    found = thing(site, iri, graphs=graphs)
    found.graph(iri)
    found.names()
    return found


def terms(site: Site, iris: Iterable[str], *, graphs: bool) -> Description:
    """Data about terms: what is said of each, without their uses."""
    found = Description(site, graphs=graphs)
    for iri in iris:
        found.about(iri, site.local)
    found.names()
    return found


def instances(site: Site, kind: str, iris: Iterable[str], *, graphs: bool) -> Description:
    """Data about a class: its own description, and the named members that one page lists."""
    found = terms(site, (kind,), graphs=graphs)
    for iri in iris:
        found.add(site.local.quads(NamedNode(iri), NamedNode(vocab.RDF_TYPE)))
    found.names()
    return found


def members(site: Site, iris: Sequence[str], *, graphs: bool) -> Description:
    """Data about the things that one page of a list shows: their types and names."""
    found = Description(site, graphs=graphs)
    site.local.expect(iris, (NamedNode(vocab.RDF_TYPE), *OWN_LABELS))
    for iri in iris:
        node = NamedNode(iri)
        found.add(site.local.quads(node, NamedNode(vocab.RDF_TYPE), None))
        for predicate in OWN_LABELS:
            found.add(site.local.quads(node, predicate, None, _DEFAULT))
    return found
