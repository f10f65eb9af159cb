"""Commands for stores of other servers: push, and what serve does with ``--endpoint``."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kg.cli.root import main, open_release, say, settings
from kg.config import Config, endpoint_credentials
from kg.errors import EndpointError, ReleaseError
from kg.release import CURRENT, Release, current_version
from kg.store.profiles import PROFILES

if TYPE_CHECKING:
    from kg.query.exchange import Exchange
    from kg.store.credentials import Credentials
    from kg.store.endpoint import Endpoint
    from kg.store.slots import Slot, SlotState

    Site = tuple[Callable[[str, bool, Exchange], Any], Callable[[], str]]
    """For :func:`kg.site.serving.server.serve`: what makes a release's application, and what says which is current."""

LOOK = 2.0
"""Seconds between two looks at which slot is current."""

profile_option = click.option(
    "--engine-profile",
    "profile",
    type=click.Choice(list(PROFILES)),
    default="generic",
    show_default=True,
    help="The engine behind the endpoint.",
)


def _credentials() -> Credentials | None:
    from kg.store.credentials import Credentials

    known = endpoint_credentials()
    return Credentials(*known) if known else None


def connect(address: str, profile: str) -> Endpoint:
    """An endpoint to read from."""
    from kg.store.endpoint import Endpoint

    return Endpoint(address, PROFILES[profile], credentials=_credentials())


@main.command()
@click.option("--to", "address", metavar="URL", required=True, help="The server; of Fuseki, the dataset.")
@profile_option
@click.option(
    "--slot",
    "datasets",
    metavar="URL",
    multiple=True,
    help="A dataset for one of the two slots; given twice. --to then has the pointer alone.",
)
@click.option("--release", "version", help="A version other than the current one.")
@click.option("--rollback", is_flag=True, help="Make the release before current again; nothing is loaded.")
@click.option(
    "--accept",
    "accepted",
    metavar="QUESTION",
    multiple=True,
    help="A question that the engine may answer in another way. May be repeated.",
)
@click.pass_obj
def push(
    project: Path,
    *,
    address: str,
    profile: str,
    datasets: Sequence[str],
    version: str | None,
    rollback: bool,
    accepted: Sequence[str],
) -> None:
    """Put a release into the SPARQL store of another server, beside the one that is current there.

    It is loaded, held against the release (quads of every graph, answers to the questions), and then made current by
    one update; until then nobody sees it. The one before stays, for --rollback. What was interrupted goes on when the
    same command is given again.

    KG_ENDPOINT_USER and KG_ENDPOINT_PASSWORD are sent where the store asks for them; a password alone is a token.

    \b
    Example:    kg push --to http://localhost:7878/ --engine-profile oxigraph
                kg push --to http://localhost:3030/ds --engine-profile fuseki --rollback
    """
    from kg import push as pushing
    from kg.query.limits import Limits
    from kg.store import slots
    from kg.store.endpoint import writable

    if datasets and (len({address, *datasets}) != 3 or len(datasets) != 2):
        raise click.UsageError("give --slot twice, with a dataset for each slot, and --to a third one for the pointer")
    if datasets and PROFILES[profile].union:
        raise click.UsageError(f"{profile} has no default graph of its own: there, slots can only be graphs")
    config = settings(project)
    endpoint = writable(address, PROFILES[profile], _credentials())
    if rollback:
        state = pushing.rollback(endpoint, config.base)
        say(f"slot {state.slot.name} is current again: {state.version}")
        return
    release = open_release(config, version)
    limits = Limits.from_settings(config.query)
    stores = {
        name: writable(dataset, PROFILES[profile], _credentials())
        for name, dataset in zip(slots.SLOTS, datasets, strict=False)
    }
    pushing.Push(release=release, endpoint=endpoint, limits=limits, say=say, accepted=accepted, datasets=stores).run()
    # Slots are told apart by the base of their release, which `kg build --base` may have given.
    base = release.manifest.base
    with_base = f"KG_BASE={base} " if base != config.base else ""
    click.echo(f"to serve it: {with_base}kg serve --endpoint {endpoint.query_address} --engine-profile {profile}")


def serve_endpoint(
    config: Config,
    endpoint: Endpoint,
    *,
    graphs: tuple[str, ...],
    refresh: bool,
    where: tuple[str, int],
    workers: int,
    threads: int,
) -> None:
    """Serve what an endpoint holds: the release that the pointer names, or data that kg did not build."""
    from kg.site.serving.server import serve as run

    current = None if graphs else _pushed(config, endpoint)
    make, name = (
        _site_of_release(config, endpoint, current)
        if current
        else _site_of_data(config, endpoint, graphs, refresh=refresh)
    )
    run(make, name, name(), *where, workers=workers, threads=threads)


def _pushed(config: Config, endpoint: Endpoint) -> SlotState | None:
    """The slot that is current in the store, if a release of this project was pushed there."""
    from kg.store import slots

    states = slots.read(endpoint, config.base).values()
    if any(state.state == slots.READY for state in states) and not any(state.current for state in states):
        time.sleep(1)  # the pointer is being moved
        states = slots.read(endpoint, config.base).values()
    return next((state for state in states if state.current), None)


def _site_of_release(config: Config, endpoint: Endpoint, current: SlotState) -> Site:
    from kg.site import create_app
    from kg.site.lookups.state import Behind

    pointer = Pointer(config, endpoint, current)
    release = pointer.release(pointer.name())
    say(f"{release.manifest.title} · release {release.version} in slot {current.slot.name}")

    def make(wanted: str, archived: bool, exchange: Exchange) -> Any:
        if archived:
            return create_app(open_release(config, wanted), config, exchange=exchange, archived=True)
        slot = pointer.slot(wanted)
        behind = Behind(endpoint.beside(slot.dataset) if slot.dataset else endpoint, slot)
        return create_app(pointer.release(wanted), config, exchange=exchange, behind=behind)

    return make, pointer.name


def _site_of_data(config: Config, endpoint: Endpoint, graphs: tuple[str, ...], *, refresh: bool) -> Site:
    from kg.site import create_app
    from kg.site.lookups.state import Behind

    site, release = _gathered(config, endpoint, graphs, refresh=refresh)
    behind = Behind(endpoint, None, graphs)
    say(f"{release.manifest.title} · {release.manifest.counts['things']:,} things, no evidence recorded")

    def make(wanted: str, archived: bool, exchange: Exchange) -> Any:
        if archived:
            raise ReleaseError("data that kg did not build has no earlier releases")
        return create_app(open_release(site, wanted), site, exchange=exchange, behind=behind)

    return make, partial(current_version, site.releases)


class Pointer:
    """Which release is current in a store, as ``VERSION@SLOT``; looked at now and then, by whoever asks."""

    def __init__(self, config: Config, endpoint: Endpoint, known: SlotState) -> None:
        self._config = config
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._next = time.monotonic() + LOOK
        self._name = f"{known.version}@{known.slot.name}"
        self._slots = {self._name: known.slot}

    def slot(self, name: str) -> Slot:
        """Where a release lies that was current at some look; a process may start while the store does not answer."""
        return self._slots[name]

    def name(self) -> str:
        """The name; the one before while the store does not say."""
        from kg.store import slots

        with self._lock:
            if time.monotonic() >= self._next:
                self._next = time.monotonic() + LOOK
                try:
                    states = slots.read(self._endpoint, self._config.base)
                except EndpointError:
                    return self._name
                # While the pointer moves, there may be none, or two.
                current = [state for state in states.values() if state.current]
                if len(current) == 1:
                    self._name = f"{current[0].version}@{current[0].slot.name}"
                    self._slots[self._name] = current[0].slot
            return self._name

    def release(self, name: str) -> Release:
        """The same release as it lies here: its texts, index and dumps are not in the store.

        :raises ReleaseError: if it does not.
        """
        version = name.partition("@")[0]
        try:
            return open_release(self._config, version)
        except ReleaseError as e:
            raise ReleaseError(
                f"the store has release {version}; its folder must lie here too: {e}", file=e.file
            ) from e


def _gathered(config: Config, endpoint: Endpoint, graphs: Sequence[str], *, refresh: bool) -> tuple[Config, Release]:
    """What was gathered of a store, now or before, and the settings for its site."""
    from kg.build.elsewhere.gather import FORMAT, gather

    known = hashlib.sha256("\n".join((str(FORMAT), endpoint.query_address, config.base, *graphs)).encode()).hexdigest()[
        :12
    ]
    site = replace(config, root=config.releases / f".endpoint-{known}")
    if not refresh:
        try:
            return site, Release.open(site.releases / CURRENT)
        except ReleaseError:
            pass  # there is none yet, or none that is whole
    return site, gather(site, endpoint, graphs, lambda line: say(line, err=True))
