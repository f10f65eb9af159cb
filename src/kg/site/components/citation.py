"""A claim, or the dataset, to cite: plain text and BibTeX; and the link that reports a problem with a claim."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

from kg.config import REPORT_FIELDS
from kg.site.answers.signposting import ascii_iri
from kg.site.lookups.evidence import Source
from kg.site.lookups.state import Site

_TEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
}
"""The characters that mean something to TeX (The TeXbook, chapter 7)."""

MAILTO = "mailto:"


class Citation(NamedTuple):
    """The same reference twice."""

    text: str
    bibtex: str


def cite(site: Site, source: Source) -> Citation:
    """How to cite a claim: with the release, because the next one may word it differently."""
    manifest = site.release.manifest
    gloss = one_line(site.labels[source.iri].text)
    document = one_line(site.labels[site.names.document(source.document)].text)
    title, publisher, version = one_line(manifest.title), one_line(manifest.publisher), site.release.version
    iri, year = ascii_iri(source.iri), version[:4]
    ended = gloss if gloss.endswith((".", "!", "?")) else gloss + "."
    place = f"Claim {source.number} from “{document}”. In: {title}, release {version}."
    fields = {
        "title": f"{{{tex(gloss)}}}",
        "author": f"{{{tex(publisher)}}}" if publisher else "",
        "howpublished": f"{tex(f'Claim {source.number} from')} ``{tex(document)}'', in: {tex(title)}",
        "version": tex(version),
        "year": year,
        # The address is read as it stands (biblatex manual, section 2.2.1); as a URI it holds no braces.
        "url": iri,
    }
    return Citation(
        " ".join(filter(None, (f"“{ended}”", place, f"{publisher}, {year}." if publisher else f"{year}.", iri))),
        _bibtex(f"{source.document}:{source.number}", fields),
    )


def cite_dataset(site: Site, text: str, issued: str) -> Citation:
    """How to cite the dataset: ``text`` is what the catalogue says, ``issued`` when it was first published."""
    manifest = site.release.manifest
    fields = {
        "title": f"{{{tex(one_line(manifest.title))}}}",
        "author": f"{{{tex(publisher)}}}" if (publisher := one_line(manifest.publisher)) else "",
        "version": tex(site.release.version),
        "year": issued[:4] or site.release.version[:4],
        "url": ascii_iri(site.names.dataset),
    }
    return Citation(one_line(text), _bibtex(manifest.title, fields))


def _bibtex(key: str, fields: Mapping[str, str]) -> str:
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
    return f"@misc{{{re.sub(r'[^A-Za-z0-9:-]+', '-', key).strip('-') or 'dataset'},\n{lines}}}\n"


def tex(text: str) -> str:
    """Text as TeX prints it.

    >>> print(tex("50 % of A&B_{x}"))
    50 \\% of A\\&B\\_\\{x\\}
    """
    return "".join(_TEX.get(character, character) for character in text)


def one_line(text: str) -> str:
    """Text without line ends, control characters and changes of direction: a reference is pasted elsewhere.

    >>> one_line("a\\n\\u202eb")
    'a b'
    """
    return " ".join("".join(" " if c.isspace() else c for c in text if c.isspace() or _is_shown(c)).split())


def _is_shown(character: str) -> bool:
    if character in "\u200c\u200d":  # the joiners of Persian and of the scripts of India are part of a word's spelling
        return True
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn")


def report_link(site: Site, source: Source) -> str:
    """Where a reader reports a problem with a claim, the message begun; empty where the publisher names no address.

    ``mailto:`` addresses follow RFC 6068, section 2.
    """
    target = site.config.report
    if not target:
        return ""
    gloss = one_line(site.labels[source.iri].text)
    title = f"Problem with claim {source.document}/{source.number}"
    body = f"Claim: {source.iri}\nIt says: {gloss}\nRelease: {site.release.version}\n\nWhat is wrong:\n"
    values = {"title": title, "body": body, "claim": source.iri, "gloss": gloss, "release": site.release.version}
    if not any(f"{{{name}}}" in target for name in REPORT_FIELDS):
        if not target.startswith(MAILTO):
            return target
        target += ("&" if "?" in target else "?") + "subject={title}&body={body}"
    return _filled(target, values)


def _filled(template: str, values: Mapping[str, str]) -> str:
    # Line ends in a message are CR LF (RFC 6068, section 5); forms on the web read them as well.
    return re.sub(r"\{(\w+)\}", lambda m: quote(values[m[1]].replace("\n", "\r\n"), safe=""), template)
