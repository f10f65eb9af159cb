"""The site of one release: ``create_app`` makes the Flask application; ``server`` runs it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from flask import Flask

from kg.config import Config
from kg.release import Release
from kg.site import templating
from kg.site.answers import headers, problems, respond
from kg.site.components import watch
from kg.site.elsewhere import foreign
from kg.site.lookups.state import Behind, open_site

if TYPE_CHECKING:
    from kg.query.base import Runner
    from kg.query.exchange import Exchange

BLUEPRINTS = (
    "kg.site.pages.home",
    "kg.site.pages.things",
    "kg.site.pages.claims",
    "kg.site.pages.documents",
    "kg.site.pages.ontology",
    "kg.site.pages.term",
    "kg.site.pages.shapes",
    "kg.site.pages.classes",
    "kg.site.pages.lists",
    "kg.site.pages.disagreements",
    "kg.site.pages.dumps",
    "kg.site.pages.report",
    "kg.site.pages.catalog",
    "kg.site.pages.discovery",
    "kg.site.pages.releases",
    "kg.site.pages.stream",
    "kg.site.pages.search",
    "kg.site.pages.browse",
    "kg.site.pages.timeline",
    "kg.site.pages.map",
    "kg.site.sparql.endpoint",
    "kg.site.sparql.editor",
    "kg.site.sparql.questions",
    "kg.site.pages.resource",
    "kg.site.pages.anything",
)
"""Every module with routes, the one that takes what is left last."""


def create_app(
    release: Release,
    config: Config,
    *,
    pool: Runner | None = None,
    exchange: Exchange | None = None,
    archived: bool = False,
    watching: bool = False,
    behind: Behind | None = None,
) -> Flask:
    """The site of a release that was opened, and so verified.

    ``pool`` runs strangers' queries; without one, the site starts its own at the first query, by the broker that
    ``exchange`` leads to. An ``archived`` release says on every page that it is not the current one, and one of a
    project that is being watched what the last build of the sources found. ``behind``: the endpoint that holds the
    quads, in place of the release's own store.

    :raises ConfigError: if the styles and scripts were not bundled.
    :raises ReleaseError: if the store cannot be opened.
    """
    app = Flask(__name__, static_folder=None)
    # A slash twice, or one at the end, is part of a name.
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = True
    app.extensions["kg"] = open_site(
        release,
        config,
        pool=pool,
        exchange=exchange,
        archived=archived,
        watch=watch.Watch(config.releases) if watching else None,
        behind=behind,
    )
    for name in BLUEPRINTS:
        app.register_blueprint(import_module(name).bp)
    problems.register(app)
    headers.register(app)
    templating.register(app)
    if watching:
        watch.register(app)
    if app.extensions["kg"].foreign:
        foreign.register(app)
    # What is registered last runs first, and may put another answer in place of the page.
    respond.register(app)
    return app
