"""How pages are made from templates: one compiled environment, and what every page needs to know."""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app
from markupsafe import Markup

from kg.site.address import here
from kg.site.nodes import Linker
from kg.site.state import Site, current

MARKS: dict[str, tuple[str, str]] = {
    "stated": ("Stated", "The document says so itself, in its own voice."),
    "prospect": (
        "Planned or expected",
        "The document itself says that somebody plans, expects or intends it. It need not have happened.",
    ),
    "reported": (
        "Said, not vouched for",
        "Somebody else says so, or it is demanded, conditional, alleged or denied. The document does not assert it.",
    ),
    "inferred": ("Inferred", "No document says it in so many words; it was worked out from what they say."),
    "background": ("Background", "Not from the documents: from the publisher's own note, which names its sources."),
    "unclaimed": ("Names and links", "Labels, notes and links that describe the data itself and need no passage."),
}
"""The marks: what each is called and what it means. Shown on pages and explained on ``/about``."""

NAVIGATION = (
    ("browse", "Browse"),
    ("things", "Things"),
    ("documents", "Documents"),
    ("claims", "Claims"),
    ("map", "Map"),
    ("timeline", "Timeline"),
    ("ontology", "Ontology"),
    ("query", "Query"),
    ("dumps/", "Download"),
    ("about", "About"),
)


def render(template: str, **context: Any) -> str:
    """A page. ``root`` is the relative way to the site's root; links on pages start with it."""
    site = current()
    # Our own dots and slashes: marked as safe once, instead of escaped at every link.
    root = Markup(context.pop("root", None) or here())  # noqa: S704
    linker = site.linker(root)
    frame = site.frames.get(root)
    if frame is None:
        frame = site.frames[root] = _frame(site, linker, root)
    made = current_app.jinja_env.get_template(template)
    return made.render(root=root, site=site, link=linker, marks=MARKS, frame=frame, **context)


def _frame(site: Site, linker: Linker, root: Markup) -> dict[str, Markup]:
    """What is the same on every page at one depth: links in the head, the header, the footer."""
    env = current_app.jinja_env
    return {
        part: Markup(  # noqa: S704 - what a template of ours rendered, escaped by it
            env.get_template(f"_{part}.html").render(root=root, site=site, link=linker, navigation=NAVIGATION)
        )
        for part in ("head", "top", "foot")
    }


def register(app: Flask) -> None:
    """Set up the environment. Templates are the program's own: they do not change while it runs."""
    app.config["TEMPLATES_AUTO_RELOAD"] = False
    env = app.jinja_env
    env.trim_blocks = env.lstrip_blocks = True
    env.filters["number"] = lambda n: f"{n:,}"
    env.filters["size"] = size
    env.globals["page_title"] = page_title


def size(count: int) -> str:
    """Bytes for people.

    >>> size(999), size(12_345), size(5_000_000)
    ('999 bytes', '12.3 kB', '5.0 MB')
    """
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def page_title(title: str, site: Site) -> str:
    """The text of a browser tab."""
    return f"{title} · {site.release.manifest.title}" if title else site.release.manifest.title
