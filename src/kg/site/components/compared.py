"""Claims held side by side, as the build wrote them (``kg:Comparison`` in the ontology), and the marks they leave."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad

from kg import vocab
from kg.model import Node, value_of
from kg.site.answers.links import page_path
from kg.site.components.nodes import Linker
from kg.site.languages import marked
from kg.site.lookups.evidence import Source
from kg.site.lookups.labels import Label
from kg.site.lookups.state import Site

MOST_OTHERS = 3
"""Claims that a mark of disagreement names; the comparison has all of them."""

_TITLES = {
    "Disagreement": marked("Different values: {property}, {subject}"),
    "Corroboration": marked("The same value: {property}, {subject}"),
}
_DEFAULT = DefaultGraph()


class Compared(NamedTuple):
    """``kind`` is ``Disagreement`` or ``Corroboration``; ``independent`` counts documents, 0 for a disagreement."""

    iri: str
    kind: str
    subject: str
    predicate: str
    values: frozenset[Node]
    claims: tuple[str, ...]
    independent: int


ByProperty = Mapping[str, Sequence[Compared]]
NOTHING: ByProperty = {}


def is_about(site: Site) -> str:
    """The property from a comparison to the thing that it is about."""
    return site.names.kg + "comparedSubject"


def is_comparison(site: Site, iri: str) -> bool:
    """Whether the release has such a comparison."""
    return any(site.local.quads(NamedNode(iri), NamedNode(site.names.kg + "compares"), None, _DEFAULT))


def read(site: Site, iri: str, *, ordered: bool = True) -> Compared | None:
    """A comparison of the release, or ``None`` where there is none.

    ``ordered``: its claims as everywhere, the strongest first; otherwise by IRI, which takes no look at any of them.
    """
    kg = site.names.kg
    said: dict[str, list[Node]] = defaultdict(list)
    for q in site.local.quads(NamedNode(iri), None, None, _DEFAULT):
        if isinstance(q.object, NamedNode | Literal):
            said[q.predicate.value.removeprefix(kg)].append(q.object)
    if not said["compares"]:
        return None
    claims = [value_of(claim) for claim in said["compares"]]
    count = value_of(said["independentDocuments"][0]) if said["independentDocuments"] else "0"
    return Compared(
        iri=iri,
        kind=min((value_of(t).removeprefix(kg) for t in said[vocab.RDF_TYPE]), default=""),
        subject=min(map(value_of, said["comparedSubject"]), default=""),
        predicate=min(map(value_of, said["comparedProperty"]), default=""),
        values=frozenset(said["comparedValue"]),
        claims=tuple(s.iri for s in site.evidence.claims(claims)) if ordered else tuple(sorted(claims)),
        independent=int(count) if count.isdecimal() else 0,
    )


def title(site: Site, compared: Compared) -> Label:
    """What a comparison is called in the reader's language; its label in the data is English."""
    label = site.labels[compared.iri]
    if compared.kind not in _TITLES or not compared.predicate or not compared.subject:
        return label
    said = site.language.gettext(_TITLES[compared.kind])
    of, name = site.labels[compared.predicate], site.labels[compared.subject]
    html = Markup(said).format(property=of.html, subject=name.html)  # noqa: S704 - of a catalogue
    return label._replace(text=said.format(property=of.text, subject=name.text), html=html)


def by_property(site: Site, iris: Iterable[str]) -> ByProperty:
    """The comparisons of one thing."""
    found: dict[str, list[Compared]] = defaultdict(list)
    for iri in sorted(iris):
        compared = read(site, iri)
        if compared is not None:
            found[compared.predicate].append(compared)
    return found


def about(site: Site, iri: str) -> ByProperty:
    """The comparisons of one thing, looked up."""
    quads: Iterable[Quad] = site.local.quads(None, NamedNode(is_about(site)), NamedNode(iri), _DEFAULT)
    return by_property(site, (value_of(q.subject) for q in quads))


def marks(site: Site, linker: Linker, compared: Sequence[Compared], value: Node, sources: Sequence[Source]) -> Markup:
    """What stands beside a value: that others give another, and how many documents give it independently."""
    own = {source.iri for source in sources}
    found = Markup("")
    for c in compared:
        href = linker.prefix + page_path(site.names.local(c.iri) or "")
        if c.kind == "Corroboration" and value in c.values:
            agreed = site.language.ngettext(
                "{count} independent document", "{count} independent documents", c.independent
            )
            found += Markup('<span class="compared agreed"><a href="{}">{}</a></span>').format(
                href, agreed.format(count=site.language.number(c.independent))
            )
        elif c.kind == "Disagreement" and own.intersection(c.claims):
            others = [iri for iri in c.claims if iri not in own]
            links = Markup("; ").join(linker.link(iri) for iri in others[:MOST_OTHERS])
            rest = site.language.number(len(others) - MOST_OTHERS)
            more = (
                "; " + site.language.gettext("and {count} more").format(count=rest) if len(others) > MOST_OTHERS else ""
            )
            found += Markup('<span class="compared disagreed"><a class="differs" href="{}">{}</a> {}{}</span>').format(
                href, site.language.gettext("disagreed"), links, more
            )
    return found
