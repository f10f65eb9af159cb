"""What a thing is linked with, at most two steps away: a picture with real links, drawn by the server.

The thing stands left, what it is linked with in the middle, and what that is linked with at the right. A line is drawn
as the strongest claim for the link says it (:mod:`kg.site.lookups.evidence`). Every query is bounded, so a page costs
the same whether its thing has ten links or a million; the page's own list has all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from html import escape
from itertools import chain
from typing import NamedTuple

from markupsafe import Markup

from kg import vocab
from kg.caches import Forgetful
from kg.site.answers.links import page_path
from kg.site.lookups import index
from kg.site.lookups.database import marks
from kg.site.lookups.evidence import STATUSES, UNCLAIMED
from kg.site.lookups.evidence import status as status_of
from kg.site.lookups.labels import Label, shorten
from kg.site.lookups.memo import per_site
from kg.site.lookups.state import Site

NEAR = 8
"""Things one step away that are drawn."""

FAR = 2
"""Things that are drawn behind each of them."""

_LOOKED_AT = 24
_ROW = 44
_LEFT, _MIDDLE, _RIGHT, _WIDTH = 8, 270, 640, 960
"""Where the three columns begin, in pixels of the drawing."""

_REM = 16
"""Pixels of the drawing for each ``rem`` of the page: it grows with the letters, as large as a reader sets them."""

_LETTER, _BOLD, _FINE = 7.8, 9.0, 6.4
"""About how wide a letter is, in pixels; lines begin behind the words."""

_LONGEST = 38

_LINKS = """
SELECT * FROM (SELECT l.{this}, e.id, e.iri, l.property, {out}, c.modality, c.basis, c.own FROM link l
JOIN entry e ON e.id = l.{other} LEFT JOIN claim c ON c.entry = l.claim WHERE l.{this} = ? LIMIT {most})
"""
_BOTH_WAYS = " UNION ALL ".join(
    _LINKS.format(most=_LOOKED_AT, **way)
    for way in ({"out": 1, "other": "object", "this": "subject"}, {"out": 0, "other": "subject", "this": "object"})
)
_OF_EACH = {count: " UNION ALL ".join([_BOTH_WAYS] * count) for count in (1, NEAR)}
"""What one entry is linked with, and what several are: bounded for each."""


class Node(NamedTuple):
    """Something that may be drawn: ``outward``: the link leads to it, and not from it."""

    id: int
    iri: str
    property: str
    status: str
    outward: bool


class Neighbourhood(NamedTuple):
    """``iris``: the things that are drawn one step away; ``picture``: nothing, where there are none."""

    iris: tuple[str, ...]
    picture: Markup


def of(site: Site, iri: str, root: str) -> Neighbourhood:
    """The neighbourhood of a thing; ``root`` is the way from its page to the site's root."""
    row = index.query(site, "SELECT id FROM entry WHERE iri = ?", (iri,))
    if not row:
        return Neighbourhood((), Markup(""))
    id_ = row[0][0]
    near = _linked(site, (id_,))[id_][:NEAR]
    if not near:
        return Neighbourhood((), Markup(""))
    shown = {id_, *(node.id for node in near)}
    beyond = _linked(site, [node.id for node in near])
    far = [[n for n in beyond[node.id] if n.id not in shown][:FAR] for node in near]
    site.labels.expect(node.iri for node in chain(near, *far))
    return Neighbourhood(tuple(node.iri for node in near), _picture(site, root, site.labels[iri], near, far))


_REMEMBERED = 4096
"""Entries whose links are remembered: a thing is the neighbour of several others, whose pages ask for the same."""


@per_site()
def _known(_site: Site) -> Forgetful[int, list[Node]]:
    return Forgetful(_REMEMBERED)


def _linked(site: Site, wanted: Sequence[int]) -> Mapping[int, Sequence[Node]]:
    """What at most :data:`NEAR` entries are linked with, each once, the best vouched for and most mentioned first."""
    known = _known(site.origin or site)  # the same in every language
    found = {id_: nodes for id_ in wanted if (nodes := known.get(id_)) is not None}
    if missing := [id_ for id_ in wanted if id_ not in found]:
        found |= {id_: known.keep(id_, nodes) for id_, nodes in _read(site, missing).items()}
    return found


def _read(site: Site, ids: Sequence[int]) -> dict[int, list[Node]]:
    texts, found = _texts(site), dict[int, dict[int, Node]]()
    count = 1 if len(ids) == 1 else NEAR
    asked = chain.from_iterable((id_, id_) for id_ in (*ids, *[0] * (count - len(ids))))
    for this, other, iri, property_, out, modality, basis, own in index.query(site, _OF_EACH[count], tuple(asked)):
        nodes = found.setdefault(this, {})
        known = nodes.get(other)
        status = _status(texts.get(modality, ""), texts.get(basis, ""), own)
        if known is None or _rank(status) < _rank(known.status):
            nodes[other] = Node(other, iri, site.index.text(property_), status, bool(out))
    return {id_: _ordered(found.get(id_, {}).values()) for id_ in ids}


def _ordered(nodes: Iterable[Node]) -> list[Node]:
    return sorted(nodes, key=lambda node: (_rank(node.status), node.id))[: 1 + NEAR + FAR]


@per_site()
def _texts(site: Site) -> dict[int, str]:
    """The local names of modalities and bases by the numbers that the index has for them."""
    names = [site.names.kg + name for name in (*vocab.MODALITIES, *vocab.BASES)]
    sql = f"SELECT id, text FROM value WHERE text IN ({marks(names)})"  # noqa: S608 - marks
    return {number: text.removeprefix(site.names.kg) for number, text in index.query(site, sql, names)}


@lru_cache(maxsize=256)
def _status(modality: str, basis: str, own: int | None) -> str:
    return UNCLAIMED if own is None else status_of(modality, basis, own_voice=bool(own))


_RANKS = {status: rank for rank, status in enumerate((*STATUSES, UNCLAIMED))}


def _rank(status: str) -> int:
    return _RANKS[status]


def _picture(site: Site, root: str, me: Label, near: Sequence[Node], far: Sequence[Sequence[Node]]) -> Markup:
    """Rows from the top; what stands behind two things is drawn behind the first, with a line to both."""
    row = 0
    places: dict[int, tuple[float, float]] = {}
    lines: list[str] = []
    words: list[str] = []
    seen: dict[int, float] = {}
    for node, behind in zip(near, far, strict=True):
        fresh = [n for n in behind if n.id not in seen]
        y = (row + max(0, len(fresh) - 1) / 2) * _ROW + _ROW / 2
        for n in fresh:
            seen[n.id] = row * _ROW + _ROW / 2
            words.append(_node(site, root, n, _RIGHT, seen[n.id]))
            row += 1
        row += not fresh
        said = len(shorten(site.labels[node.property].text, _LONGEST)) + 2
        width = max(len(shorten(site.labels[node.iri].text, _LONGEST)) * _LETTER, said * _FINE)
        places[node.id] = min(_RIGHT - 30, _MIDDLE + width + 10), y
        words.append(_node(site, root, node, _MIDDLE, y))
        lines += [_line(*places[node.id], _RIGHT - 8, seen[n.id], n.status) for n in behind]
    height = row * _ROW
    title = shorten(me.text, 22)
    begin = _LEFT + len(title) * _BOLD + 10
    middle = height / 2
    lines += [_line(begin, middle, _MIDDLE - 8, places[node.id][1], node.status) for node in near]
    centre = f'<text class="me" x="{_LEFT}" y="{middle + 5:.0f}"{_lang(me.language)}>{escape(title)}</text>'
    return Markup(  # noqa: S704 - every text was escaped where it came in
        f'<svg class="neighbours" role="group" aria-labelledby="around" width="{_WIDTH / _REM:g}rem" '
        f'height="{height / _REM:g}rem" '
        f'viewBox="0 0 {_WIDTH} {height}"><g aria-hidden="true">{"".join(lines)}{centre}</g>{"".join(words)}</svg>'
    )


def _node(site: Site, root: str, node: Node, x: int, y: float) -> str:
    name, called = site.labels[node.property], site.labels[node.iri]
    property_ = shorten(name.text, _LONGEST)
    said = f"{property_} →" if node.outward else f"← {property_}"
    label = shorten(called.text, _LONGEST)
    href = site.linker(root).href(node.iri) or root + page_path(site.names.local(node.iri) or "")
    lang = _lang(called.language)
    whole = f"<title{lang}>{escape(shorten(called.text, 200))}</title>" if label != called.text else ""
    return (
        f'<text class="by {node.status}" x="{x}" y="{y - 5:.0f}"{_lang(name.language)}>{escape(said)}</text>'
        f'<a href="{escape(href)}">{whole}<text x="{x}" y="{y + 12:.0f}"{lang}>{escape(label)}</text></a>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, status: str) -> str:
    bend = (x1 + x2) / 2
    return f'<path class="{status}" d="M{x1:.0f} {y1:.0f}C{bend:.0f} {y1:.0f} {bend:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"/>'


def _lang(language: str) -> str:
    return f' lang="{escape(language)}"' if language else ""
