"""What one process of the site holds: a release, opened, and the tables that pages are made from.

``app.extensions["kg"]`` is a :class:`Site`. Nothing in it changes what pages say: caches only remember.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from sys import getsizeof
from typing import TYPE_CHECKING, cast

from flask import current_app, has_request_context, request
from markupsafe import Markup
from pyoxigraph import NamedNode

from kg import activations, vocab
from kg.caches import Bounded
from kg.config import FILE, Config
from kg.history import History
from kg.release import Release
from kg.site import languages
from kg.site.assets import FOLDER, Assets
from kg.site.components.nodes import Linker
from kg.site.components.watch import Watch
from kg.site.elsewhere.gathered import Anywhere, Gathered
from kg.site.languages import Language
from kg.site.lookups import sound
from kg.site.lookups.database import Database
from kg.site.lookups.evidence import Evidence
from kg.site.lookups.labels import Labels
from kg.site.lookups.memo import Memos
from kg.site.lookups.schema import Schema
from kg.site.sparql.client import Clients
from kg.store.base import Store
from kg.store.embedded import EmbeddedStore
from kg.store.remote import RemoteStore

if TYPE_CHECKING:
    from kg.query.base import Runner
    from kg.query.exchange import Exchange
    from kg.store.endpoint import Endpoint
    from kg.store.slots import Slot

SPOKEN = "kg.language"
"""Where a request's environment has the code of the language that it is answered in."""

CACHE_BYTES = 32 * 2**20
"""How much of rendered pages and data one process remembers."""


class Cache(Bounded[tuple[str, str, str], bytes]):
    """Rendered bytes by address, query and variant; each takes a sixteenth of the room at most."""

    def __init__(self, room: int = CACHE_BYTES) -> None:
        super().__init__(room, _size, largest=room // 16)


def _size(key: tuple[str, str, str], body: bytes) -> int:
    """Bytes that an answer takes, with its address: strangers may send one that is longer than the answer."""
    return len(body) + sum(map(getsizeof, key))


@dataclass(frozen=True, slots=True)
class Behind:
    """The endpoint that holds the quads. ``slot``: where the release lies; without one, it is data kg did not build.

    ``graphs``: those that are shown of such data; none: all.
    """

    endpoint: Endpoint
    slot: Slot | None = None
    graphs: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Site:
    """A release and what is read from it, in one language. Make it with :func:`open_site`.

    ``store`` is where pages' facts come from; ``local`` what lies here of the same, where a release does: lists, names
    and evidence are read from it, so that they need no request. ``index`` is what the build found in all of it.

    ``voices`` are the same in the other languages, by code; ``origin`` is the one that they were made from, and it
    holds what they share.
    """

    release: Release
    config: Config
    store: Store
    local: Store
    index: Database
    names: vocab.Names
    labels: Labels
    schema: Schema
    evidence: Evidence
    assets: Assets
    cache: Cache
    given_pool: Runner | None
    clients: Clients
    exchange: Exchange | None
    language: Language
    linkers: dict[str, Linker] = field(default_factory=dict)
    frames: dict[str, dict[str, Markup]] = field(default_factory=dict)
    memos: Memos = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    voices: dict[str, Site] = field(default_factory=dict)
    origin: Site | None = None
    archived: bool = False
    watch: Watch | None = None
    behind: Behind | None = None

    @property
    def foreign(self) -> bool:
        """Whether the data is not a release: nothing records where its facts come from, and it may change."""
        return self.behind is not None and self.behind.slot is None

    @property
    def languages(self) -> tuple[str, ...]:
        """The codes of the languages that it can be read in, its own first."""
        return languages.offered(self.config.language)

    def speaking(self, code: str) -> Site:
        """The same site in another of its languages."""
        found = self.voices.get(code)
        if found is None:
            language = languages.spoken(code)
            found = self.voices[code] = replace(
                self,
                labels=self.labels.in_language(language),
                schema=self.schema.in_language(code),
                language=language,
                linkers={},
                frames={},
                memos={},
                origin=self.origin or self,
            )
        return found

    @property
    def base(self) -> str:
        return self.names.base

    @property
    def prefixes(self) -> Mapping[str, str]:
        return self.release.manifest.prefixes

    @property
    def pool(self) -> Runner:
        """The workers for strangers' queries. They start at the first use: after the server has forked."""
        if self.origin is not None:
            return self.origin.pool
        if self.given_pool is not None:
            return self.given_pool
        with self.lock:
            return self._own_pool

    @cached_property
    def _own_pool(self) -> Runner:
        from kg.query.limits import Limits
        from kg.query.pool import Pool

        limits = Limits.from_settings(self.config.query)
        bounds, behind = self.config.serve, self.behind

        def workers() -> Pool:
            return Pool(self.release.store_path, self.base, limits, exchange=self.exchange, bounds=bounds)

        if behind is None:
            return workers()
        from kg.query.accounts import Accounts
        from kg.query.remote import RemotePool

        return RemotePool(
            behind.endpoint,
            self.base,
            limits,
            slot=behind.slot,
            graphs=behind.graphs,
            # Footnotes are made by workers over the release that lies here; of other data there are none.
            traced=workers() if behind.slot else None,
            accounts=Accounts(limits, exchange=self.exchange, bounds=bounds),
        )

    @cached_property
    def merges(self) -> bool:
        """Whether any thing may have been merged into another."""
        merged = NamedNode(vocab.REPLACED_BY)
        return self.foreign or next(iter(self.local.quads(None, merged)), None) is not None

    @property
    def history(self) -> History:
        """What the releases beside this one say."""
        return (self.origin or self)._own_history

    @cached_property
    def _own_history(self) -> History:
        return History(self.config.releases)

    def close(self) -> None:
        """End the query workers that this site started."""
        with self.lock:
            if "_own_pool" in self.__dict__:
                self._own_pool.close()
            if "_own_history" in self.__dict__:
                self._own_history.close()

    @cached_property
    def tag(self) -> str:
        """What every ETag starts with: the release, and the program, settings and bundle that make pages of it."""
        settings = (self.config.language, self.config.report)
        made_of = "\n".join((self.release.manifest.digest, version("kg"), self.assets.digest, *settings))
        return sha256(made_of.encode()).hexdigest()[:20]

    def changed(self) -> datetime | None:
        """When an answer last became another, in whole seconds; ``None`` if nobody knows, or the clock is behind.

        A page shows labels and claims of others, so it is as old as its release: since that became current (which may
        be again), since the settings were changed, and since the program was installed.
        """
        if self.foreign or self.watch is not None or self.ahead:
            return None
        return datetime.fromtimestamp(self._changed, UTC)

    @property
    def ahead(self) -> bool:
        """Whether the clock is behind the last change, so that answers do not yet say when it was."""
        return self._changed > time.time()

    @cached_property
    def _changed(self) -> int:
        return int(max(self._since, *self._made))

    @cached_property
    def _since(self) -> float:
        """When the release became current; one below ``/releases/`` stays what it was when it was sealed."""
        sealed = self.release.sealed_at
        if self.archived:
            return sealed.timestamp()
        recorded = activations.read(self.config.releases)
        if not recorded or recorded[-1].version != self.release.version:
            return time.time()  # it was chosen by hand, just now
        return max(sealed, recorded[-1].at).timestamp()

    @cached_property
    def _made(self) -> list[float]:
        files = (self.config.root / FILE, Path(__file__), FOLDER)
        return [path.stat().st_mtime for path in files if path.exists()]

    def linker(self, prefix: str) -> Linker:
        """The maker of links for pages at one depth."""
        linker = self.linkers.get(prefix)
        if linker is None:
            linker = self.linkers[prefix] = Linker(
                self.names, self.labels, self.schema, self.evidence, prefix, language=self.language
            )
        return linker


def open_site(
    release: Release,
    config: Config,
    *,
    pool: Runner | None = None,
    exchange: Exchange | None = None,
    archived: bool = False,
    watch: Watch | None = None,
    behind: Behind | None = None,
) -> Site:
    """Open a release that was verified, or what was gathered of the store behind.

    :raises ReleaseError: if it is not what pages rely on.
    """
    index = Database(release.path / "search.sqlite")
    sound.check(release, index, foreign=behind is not None and behind.slot is None)
    if behind is not None and behind.slot is None:
        names: vocab.Names = Anywhere(release.manifest.base)
        store: Store = RemoteStore(behind.endpoint, None, behind.graphs)
        local: Store = store
        gathered: Gathered | None = Gathered(index)
    else:
        names, gathered = vocab.Names(release.manifest.base), None
        local = EmbeddedStore(release.store_path)
        store = RemoteStore(behind.endpoint, behind.slot) if behind else local
    own = languages.offered(config.language)[0]
    language = languages.spoken(own)
    site = Site(
        release=release,
        config=config,
        store=store,
        local=local,
        index=index,
        names=names,
        labels=Labels(
            local,
            index,
            names.base,
            release.manifest.prefixes,
            language=language,
            own=config.language,
            gathered=gathered,
        ),
        schema=Schema(release.path / "dumps", names.base, own),
        evidence=Evidence(local, index, names),
        assets=Assets.load(),
        # What a watched project's pages say changes without the release, and so does what is behind.
        cache=Cache(0 if watch or gathered else CACHE_BYTES),
        given_pool=pool,
        clients=Clients(config.serve.trusted_proxies),
        exchange=exchange,
        language=language,
        archived=archived,
        watch=watch,
        behind=behind,
    )
    site.voices[own] = site
    return site


def current() -> Site:
    """The site of the application that is answering, in the language of whoever asks."""
    site = cast(Site, current_app.extensions["kg"])
    if not has_request_context():
        return site
    environ = request.environ
    code = environ.get(SPOKEN)
    if code is None:
        query, header = environ.get("QUERY_STRING", ""), environ.get("HTTP_ACCEPT_LANGUAGE", "")
        code = environ[SPOKEN] = languages.wanted(query, header, site.languages)
    return site.speaking(code)
