"""How pages are made from templates: one compiled environment a language, and what every page needs to know.

Texts that stand in a template are put into the language when the template is compiled; only those with a variable in
them are looked up while a page is made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Flask, current_app, request
from flask.templating import Environment
from jinja2 import nodes
from jinja2.ext import InternationalizationExtension
from markupsafe import Markup

from kg import media
from kg.site import languages
from kg.site.answers.address import here, raw_path
from kg.site.answers.links import query_part
from kg.site.components.drawing import date_in_words, moment_in_words
from kg.site.components.nodes import Linker
from kg.site.languages import Language, marked
from kg.site.lookups.labels import isolated, shorten
from kg.site.lookups.state import Site, current

MARKS: dict[str, tuple[str, str]] = {
    "stated": (marked("Stated"), marked("The document says so itself, in its own voice.")),
    "prospect": (
        marked("Planned or expected"),
        marked("The document itself says that somebody plans, expects or intends it. It need not have happened."),
    ),
    "reported": (
        marked("Said, not vouched for"),
        marked(
            "Somebody else says so, or it is demanded, conditional, alleged or denied. The document does not assert it."
        ),
    ),
    "inferred": (
        marked("Inferred"),
        marked("No document says it in so many words; it was worked out from what they say."),
    ),
    "background": (
        marked("Background"),
        marked("Not from the documents: from the publisher's own note, which names its sources."),
    ),
    "unclaimed": (
        marked("Names and links"),
        marked("Labels, notes and links that describe the data itself and need no passage."),
    ),
}
"""The marks: what each is called and what it means. Shown on pages and explained on ``/about``."""

FOREIGN_MARKS = {
    **MARKS,
    "unclaimed": (
        marked("No evidence recorded"),
        marked("The store behind this site says so. It does not record who stated it, or where."),
    ),
}
"""The marks for data that kg did not build."""

FOREIGN_NAVIGATION = (
    ("browse", marked("Browse")),
    ("things", marked("Things")),
    ("class/", marked("Classes")),
    ("map", marked("Map")),
    ("timeline", marked("Timeline")),
    ("ontology", marked("Ontology")),
    ("query", marked("Query")),
    ("about", marked("About")),
)

NAVIGATION = (
    ("browse", marked("Browse")),
    ("things", marked("Things")),
    ("documents", marked("Documents")),
    ("claims", marked("Claims")),
    ("map", marked("Map")),
    ("timeline", marked("Timeline")),
    ("ontology", marked("Ontology")),
    ("query", marked("Query")),
    ("dumps/", marked("Download")),
    ("about", marked("About")),
)
_NAVIGATED = frozenset(path for path, _ in NAVIGATION)


LONGEST_SUMMARY = 300
"""Characters of what is said of a page beside links to it."""

_CHOICE = "the languages of a page without a query"


class _Translated(InternationalizationExtension):
    """``{% trans %}``, with texts that have no variable already in the language."""

    def _make_node(  # noqa: PLR0917 - Jinja's signature
        self,
        singular: str,
        plural: str | None,
        context: str | None,
        variables: dict[str, nodes.Expr],
        plural_expr: nodes.Expr | None,
        vars_referenced: bool,
        num_called_num: bool,
    ) -> nodes.Output:
        if plural is None and not vars_referenced and not variables:
            said: Callable[[str], str] = self.environment.globals["said"]  # type: ignore[assignment]
            # Jinja has doubled per cent signs for a formatting that does not happen here.
            return nodes.Output([nodes.TemplateData(said(singular).replace("%%", "%"))])
        return super()._make_node(singular, plural, context, variables, plural_expr, vars_referenced, num_called_num)


def render(template: str, *, summary: str = "", **context: Any) -> str:
    """A page. ``root`` is the relative way to the site's root; links on pages start with it.

    ``summary``: what a search engine or a message shows beside a link to it; otherwise what the site says of itself.
    """
    site = current()
    summary = shorten(" ".join((summary or site.release.manifest.description).split()), LONGEST_SUMMARY)
    way: str = context.pop("root", None) or here()
    # The linker is kept: what it adds to a way that is marked as safe would be escaped at once, and again in a link.
    linker = site.linker(way)
    # Our own dots and slashes: marked as safe once, instead of escaped at every link.
    root = Markup(way)  # noqa: S704
    env = _environment(site.language)
    shown = request.path[1:] if request.path[1:] in _NAVIGATED else ""
    frame = site.frames.get(root + shown)
    if frame is None:
        frame = site.frames[root + shown] = _frame(site, linker, root, env, shown)
    # What a page of a release that is kept says today, whether that release is an earlier one or still the current one.
    now = way + "../../" + raw_path()[1:] + query_part(request.query_string.decode("latin-1")) if site.archived else ""
    page = env.get_template(template).render(
        root=root, site=site, link=linker, frame=frame, voices=_voices(site, env), summary=summary, now=now, **context
    )
    chosen = request.args.getlist(languages.PARAMETER)[-1:]
    return languages.kept(page, chosen[0]) if chosen and chosen[0] in site.languages else page


def _frame(site: Site, linker: Linker, root: Markup, env: Environment, shown: str) -> dict[str, Markup]:
    """What is the same on every page at one depth: links in the head, the header, the footer.

    ``shown``: the page, where it is one that the navigation leads to.
    """
    offered = FOREIGN_NAVIGATION if site.foreign else NAVIGATION
    counts = site.release.manifest.counts if site.foreign else {}
    empty = {path for path, count in (("map", "places"), ("timeline", "times")) if counts.get(count) == 0}
    navigation = [(path, site.language.gettext(name), path == shown) for path, name in offered if path not in empty]
    return {
        part: Markup(  # noqa: S704 - what a template of ours rendered, escaped by it
            env.get_template(f"_{part}.html").render(root=root, site=site, link=linker, navigation=navigation)
        )
        for part in ("head", "top", "foot")
    }


def _voices(site: Site, env: Environment) -> dict[str, Markup]:
    """The languages that a page can be read in: links in its head, and the choice in its header."""
    query = request.query_string.decode("latin-1")
    pairs = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] != languages.PARAMETER]
    addresses = {code: "?" + urlencode([*pairs, (languages.PARAMETER, code)]) for code in site.languages}
    made = site.frames.get(_CHOICE) if not query else None
    if made is None:
        voices = [(languages.spoken(code), address) for code, address in addresses.items()]
        made = {"choice": Markup(env.get_template("_languages.html").render(voices=voices))}  # noqa: S704 - ours
        if not query:
            site.frames[_CHOICE] = made
    # Search engines take whole addresses only, https://developers.google.com/search/docs/specialty/international
    own = site.base + raw_path()[1:]
    named = {**addresses, "x-default": "?" + urlencode(pairs) if pairs else ""}
    addressed = [(code, own + address) for code, address in named.items()]
    link = Markup('<link rel="alternate" hreflang="{}" href="{}">')
    return {**made, "alternates": Markup("\n").join(link.format(*one) for one in addressed)}


def register(app: Flask) -> None:
    """Set up the environment. Templates are the program's own: they do not change while it runs."""
    app.config["TEMPLATES_AUTO_RELOAD"] = False
    env = app.jinja_env
    env.trim_blocks = env.lstrip_blocks = True
    env.filters["isolated"] = lambda text: isolated(text, None)
    env.policies["ext.i18n.trimmed"] = True
    env.globals["page_title"] = page_title
    env.globals["syntaxes"] = media.RDF
    env.add_extension(_Translated)
    app.extensions["kg.environments"] = {}


def _environment(language: Language) -> Environment:
    """The environment of a language, made when it is first wanted."""
    made: dict[str, Environment] = current_app.extensions["kg.environments"]
    env = made.get(language.code)
    if env is None:
        env = current_app.jinja_env.overlay(cache_size=400)
        env.filters = {
            **env.filters,
            "number": language.number,
            "size": lambda count: size(count, language),
            "day": lambda text: date_in_words(text, language),
            "moment": lambda moment: moment_in_words(moment, language),
        }
        table = FOREIGN_MARKS if current().foreign else MARKS
        marks = {mark: (language.gettext(name), language.gettext(means)) for mark, (name, means) in table.items()}
        env.globals = {**env.globals, "said": language.gettext, "language": language, "marks": marks}
        own = current().config.language
        env.globals["in_own"] = Markup("") if language.is_own(own) else Markup(' lang="{}"').format(own)
        # Texts with variables are formatted and escaped by Jinja ("newstyle").
        speaking: Any = env.extensions[_Translated.identifier]
        speaking._install_callables(language.gettext, language.ngettext, newstyle=True)
        made[language.code] = env
    return env


def size(count: int, language: Language) -> str:
    """Bytes for people.

    >>> [size(count, languages.spoken("en")) for count in (999, 12_345, 5_000_000, 2**30)]
    ['999 bytes', '12.3 kB', '5.0 MB', '1.1 GB']
    """
    if count < 1000:
        return language.gettext("{count} bytes").format(count=count)
    if count < 1_000_000:
        return f"{language.decimal(count / 1000)} kB"
    if count < 1_000_000_000:
        return f"{language.decimal(count / 1_000_000)} MB"
    return f"{language.decimal(count / 1_000_000_000)} GB"


def page_title(title: str, site: Site) -> str:
    """The text of a browser tab."""
    return f"{title} · {site.release.manifest.title}" if title else site.release.manifest.title
