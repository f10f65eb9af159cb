"""The footnotes of an answer on a page: numbers that lead to the passages, and below the table what each claim says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from kg.query.claims import NO_CLAIM
from kg.site.components.nodes import Linker
from kg.site.lookups.labels import Label
from kg.site.lookups.state import Site

HEADER = "Kg-Evidence"


@dataclass(frozen=True, slots=True)
class Note:
    """A claim as a footnote: its number on this page, its gloss, and the line that says who says it and where."""

    number: int
    href: str
    gloss: Label
    says: Markup


class Notes:
    """The footnotes of one page, numbered as they come."""

    def __init__(self, site: Site, linker: Linker) -> None:
        self._site = site
        self._linker = linker
        self._notes: dict[str, Note | None] = {}

    def listed(self) -> list[Note]:
        return [note for note in self._notes.values() if note is not None]

    def cell(self, text: str) -> Markup:
        """A footnote (:mod:`kg.query.footnotes`) as superscripts; alternatives stand together."""
        words = [self._word(word) for word in dict.fromkeys(text.split())]
        return Markup("<sup>{}</sup>").format(Markup(" · ").join(words)) if words else Markup()

    def _word(self, word: str) -> Markup:
        if word == NO_CLAIM:
            return self._none()
        notes = filter(None, map(self._note, word.split("|")))
        links = [Markup('<a href="{}" title="{}">{}</a>').format(n.href, n.gloss.text, n.number) for n in notes]
        return Markup(" {} ").format(self._site.language.gettext("or")).join(links) or self._none()

    def _none(self) -> Markup:
        said = self._site.language.gettext("a triple that no claim states")
        return Markup('<span class="unclaimed" title="{}">–</span>').format(said)

    def _note(self, iri: str) -> Note | None:
        if iri not in self._notes:
            self._notes[iri] = self._made(iri)
        return self._notes[iri]

    def _made(self, iri: str) -> Note | None:
        source = self._site.evidence.claim(iri)
        if source is None:
            return None
        number = len(self.listed()) + 1
        return Note(
            number=number,
            href=self._linker.href(source.spans[0].iri if source.spans else iri) or f"#note-{number}",
            gloss=self._site.labels[iri],
            says=self._linker.says(source),
        )


def header(note: dict[str, Any]) -> str:
    """What a client is told about the footnotes, as a dictionary of structured fields (RFC 9651).

    >>> header({"variable": "evidence", "reason": "", "distinct": True, "grouped": False})
    'variable="evidence", traceable, distinct'
    >>> header({"variable": "evidence", "reason": "EXISTS", "distinct": False, "grouped": False})
    'variable="evidence", traceable=?0, reason="EXISTS"'
    """
    parts = [f"variable={_string(note['variable'])}", "traceable=?0" if note["reason"] else "traceable"]
    if note["reason"]:
        parts.append(f"reason={_string(note['reason'])}")
    parts += [word for word in ("distinct", "grouped") if note[word]]
    return ", ".join(parts)


def _string(text: str) -> str:
    ascii_only = "".join(c if " " <= c <= "~" else "?" for c in text)
    return '"' + ascii_only.replace("\\", "\\\\").replace('"', '\\"') + '"'
