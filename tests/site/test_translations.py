"""Everything that the program says to readers is in the catalogues, and they are whole."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from flask.testing import FlaskClient
from jinja2 import Environment, nodes

from kg.config import Config
from kg.release import Release
from kg.site import create_app, languages

ROOT = Path(__file__).resolve().parent.parent.parent
TEMPLATES = ROOT / "src/kg/site/templates"
METHODS = {
    ROOT / "src/kg": [("**.py", "python"), ("**.html", "jinja2")],
    ROOT / "web/src": [("**.js", "javascript")],
}
OTHERS = tuple(code for code in languages.CATALOGUES if code != languages.SOURCE)
Id = str | tuple[str, ...]
Read = Callable[[str], Any]


def written() -> set[Id]:
    """Every text for readers that templates, modules and scripts have."""
    keywords: dict[str, Any] = {"_": None, "gettext": None, "ngettext": (1, 2), "marked": None}
    found: set[Id] = set()
    for folder, methods in METHODS.items():
        options = {pattern: {"trimmed": "true", "parse_template_string": True} for pattern, _ in methods}
        for _, _, text, _, _ in extract_from_dir(folder, methods, options, keywords=keywords):
            found.add(tuple(text[:2]) if isinstance(text, tuple) else text)
    return found


def translated(code: str) -> Iterator[Message]:
    return (message for message in languages.catalogue(code) if message.id)


def forms_of(message: Message) -> tuple[str, ...]:
    """The translation, or its plural forms."""
    return (message.string,) if isinstance(message.string, str) else tuple(map(str, message.string or ()))


def test_english_is_not_alone() -> None:
    assert "de" in OTHERS


@pytest.mark.parametrize("code", OTHERS)
def test_a_catalogue_has_every_text_and_no_other(code: str) -> None:
    """What is missing or left over is brought up to date by `make words`."""
    assert {m.id if isinstance(m.id, str) else tuple(m.id) for m in translated(code)} == written()


@pytest.mark.parametrize("code", OTHERS)
def test_every_text_of_a_catalogue_is_translated_in_all_its_plurals(code: str) -> None:
    plurals = languages.catalogue(code).num_plurals
    faults = []
    for message in translated(code):
        forms = forms_of(message)
        if message.fuzzy or not all(forms) or len(forms) != (1 if isinstance(message.id, str) else plurals):
            faults.append(message.id)
    assert faults == []


def parts(text: str) -> Counter[str]:
    """The placeholders, tags and attributes of a text: what a program reads in it."""
    return Counter(re.findall(r"%\(\w+\)s|\{\w*\}|</?\w+|\s(?:class|href|rel|lang|datetime)=\"[^\"]*\"", text))


@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_has_the_placeholders_and_tags_of_its_text(code: str) -> None:
    faults = []
    for message in translated(code):
        wanted = parts(message.id if isinstance(message.id, str) else message.id[-1])
        faults += [message.id for form in forms_of(message) if parts(form) != wanted]
    assert faults == []


# -- nothing outside of the catalogue --------------------------------------------------------------------------------

NAMES = frozenset("RDF SPARQL BibTeX SHA UTC CSV JSON GeoJSON Web Annotation Linked Data Event Stream".split())
"""Words that are the same in every language."""

SPOKEN = ("aria-label", "title", "placeholder", "alt", "data-label", "summary")


class _Texts(HTMLParser):
    """The words that readers see or hear of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._code = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._code += tag in ("code", "script", "textarea")
        self.found += [value or "" for name, value in attrs if name in SPOKEN and tag != "link"]

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag in ("code", "script", "textarea")

    def handle_data(self, data: str) -> None:
        if not self._code:
            self.found.append(data)


def constants(node: nodes.Node) -> Iterator[str]:
    """What an expression of a template may put on the page as it stands there."""
    if isinstance(node, nodes.TemplateData):
        yield node.data
    elif isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, nodes.CondExpr | nodes.Concat | nodes.Or | nodes.And):
        for child in node.iter_child_nodes(exclude=("test",)):
            yield from constants(child)
    else:
        yield "0"


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda p: p.name)
def test_no_template_has_words_outside_the_catalogue(path: Path) -> None:
    env = Environment(extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True)
    env.policies["ext.i18n.trimmed"] = True
    texts = _Texts()
    for output in env.parse(path.read_text(encoding="utf-8")).find_all(nodes.Output):
        texts.feed("".join(part for child in output.nodes for part in constants(child)))
    texts.close()
    words = {word for text in texts.found for word in re.findall(r"[^\W\d_]{2,}", text)}
    assert words - NAMES == set()


@pytest.fixture(scope="module")
def brackets(release: Release, config: Config) -> FlaskClient:
    """The site in a language in which every text of the program stands in brackets."""
    app = create_app(release, config)
    site = app.extensions["kg"]
    language = replace(
        languages.spoken("de"),
        gettext=lambda text: f"⟦{text}⟧",
        ngettext=lambda one, many, n: f"⟦{one if n == 1 else many}⟧",
    )
    site.voices["de"] = replace(site.speaking("de"), language=language, labels=site.labels.in_language(language))
    return app.test_client(use_cookies=False)


def outside(page: Any) -> list[str]:
    """Words of a page that are neither in brackets, nor of the data, nor marked as being of another language."""
    found: list[str] = []
    depth = 0

    def walk(element: Any) -> None:
        nonlocal depth
        for child in element.children:
            if not isinstance(child, str):
                data = child.name in ("bdi", "code", "pre", "script", "title", "textarea", "option", "blockquote", "q")
                marked = any(child.has(class_=name) for name in ("doc", "iri", "lang", "by"))
                shown = data or marked or "lang" in child.attributes
                if not shown or child.name == "html":
                    walk(child)
                continue
            for piece in re.split(r"([⟦⟧])", child):
                depth += {"⟦": 1, "⟧": -1}.get(piece, 0)
                if depth == 0 and not set(re.findall(r"[^\W\d_]{2,}", piece)) <= EVERYWHERE:
                    found.append(piece.strip())

    walk(page)
    assert depth == 0
    return found


FORMATS = "Turtle Triples RDF XML JSON LD TriG Quads CSV TSV".split()
EVERYWHERE = NAMES | {*FORMATS, "kB", "MB", "GB", "gazette", "closed"}


def test_no_page_has_words_of_the_program_outside_the_catalogue(
    path: str, brackets: FlaskClient, read_html: Read
) -> None:
    """Whatever module they come from; headings of data and names of files are data."""
    response = brackets.get(path, headers={"Accept": "text/html", "Accept-Language": "de"})
    assert response.status_code == 200
    assert outside(read_html(response.text)) == []
