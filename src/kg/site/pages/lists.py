"""``/things``, ``/documents``, ``/claims``: everything there is, a page at a time, as HTML or RDF."""

from __future__ import annotations

from typing import NamedTuple

from flask import Blueprint, Response
from pyoxigraph import DefaultGraph

from kg.site.answers.address import FORMAT, here
from kg.site.answers.respond import Page, answer
from kg.site.components.nodes import Linker
from kg.site.components.paging import PER_PAGE, Chained, Items, Listing, paged
from kg.site.components.rows import kinds_of
from kg.site.data import describe
from kg.site.languages import marked
from kg.site.lookups.index import Labelled
from kg.site.lookups.memo import per_site
from kg.site.lookups.state import Site, current
from kg.site.templating import render

bp = Blueprint("lists", __name__)

DIGITS = "0–9"
MOST_LETTERS = 80
"""Letters that are listed: those of a few alphabets."""
TITLES = {
    "things": (marked("Things"), marked("What the documents speak of, in the order of the alphabet.")),
    "documents": (marked("Documents"), marked("The sources. Every fact names the passage of one of them.")),
    "claims": (marked("Claims"), marked("The smallest things that documents say, in the order of the text.")),
}


@bp.get("/<any(things,documents,claims):name>")
@bp.get(f"/<any(things,documents,claims):name>.{FORMAT}")
def listing(name: str, extension: str | None = None) -> Response:
    """One page of a list."""
    site = current()
    found = paged(_members(site, name))
    page = Page(
        iri=site.base + name,
        address=lambda extension: found.address(f"{name}.{extension}" if extension else name),
        html=lambda: _html(site, name, found),
        data=lambda format_: describe.members(site, found.items, graphs=format_.quads).serialise(format_),
    )
    return answer(page, extension)


@per_site(8)
def _members(site: Site, name: str) -> Items[str]:
    if name == "things":
        return Labelled(site, "thing")
    figures = site.release.report["documents"]
    documents = sorted(figures)
    if name == "documents":
        return tuple(site.names.document(document) for document in documents)
    counts = (figures[document]["claims"] for document in documents)
    return Chained(counts, lambda number, part: site.evidence.of_document(documents[number])[part])


class Letter(NamedTuple):
    """A letter that names begin with, or all digits: how it is shown, and the number of the first such name, from 0.

    ``language``: of a name with it.
    """

    sign: str
    first: int
    language: str

    @property
    def page(self) -> int:
        return self.first // PER_PAGE + 1


@per_site()
def _letters(site: Site) -> tuple[Letter, ...]:
    """The letters of the list of things; none for scripts that have more of them than anybody looks through."""
    found: dict[str, Letter] = {}
    at = 0
    for sign, count, language in Labelled(site, "thing").initials():
        shown = DIGITS if sign.isdigit() else sign.upper() if sign.isalpha() else ""
        if shown:
            found.setdefault(shown, Letter(shown, at, language))
        at += count
    return tuple(found.values()) if len(found) <= MOST_LETTERS else ()


def _html(site: Site, name: str, found: Listing[str]) -> str:
    root = here()
    linker = site.linker(root)
    title, lead = map(site.language.gettext, TITLES[name])
    letters = _letters(site) if name == "things" and found.pages > 1 else ()
    return render(
        "list.html",
        root=root,
        title=title,
        lead=lead,
        name=name,
        list=found,
        letters=letters,
        first={letter.first % PER_PAGE: letter.sign for letter in letters if letter.page == found.page},
        items=[_item(site, linker, name, iri) for iri in found.items],
        address=lambda extension: root + found.address(f"{name}.{extension}"),
    )


def _item(site: Site, linker: Linker, name: str, iri: str) -> tuple[object, ...]:
    """A link and what stands beside it."""
    if name == "claims":
        source = site.evidence.claim(iri)
        return linker.link(iri), linker.says(source) if source else ""
    if name == "documents":
        document = site.names.local(iri) or ""
        return linker.link(iri), site.release.report["documents"].get(document.removeprefix("document/"))
    types = kinds_of(site, iri, DefaultGraph())
    return linker.link(iri), [linker.kind(t) for t in sorted(types)]
