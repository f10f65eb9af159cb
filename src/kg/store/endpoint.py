"""One SPARQL 1.1 endpoint: requests by SPARQLWrapper, sent by :mod:`kg.store.transport`, answers parsed as they come.

Rows come as SPARQL 1.1 Query Results JSON, graphs as N-Triples, whatever is passed on to others later: an answer that
was cut, that is a page of HTML, or that an engine shortened by itself is an error here, and never a short answer.
"""

from __future__ import annotations

import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPException, HTTPResponse
from importlib.metadata import version
from itertools import islice
from typing import IO, Any, NoReturn, TypeVar, cast

from pyoxigraph import QueryBoolean, QueryResultsFormat, RdfFormat, Triple, parse, parse_query_results
from SPARQLWrapper import POST, SPARQLWrapper

from kg.errors import ConfigError, EndpointBusy, EndpointError, EndpointTimeout, QueryRefused
from kg.store import expected
from kg.store.breaker import Breaker, Ending
from kg.store.credentials import Credentials
from kg.store.profiles import Profile
from kg.store.transport import Body, Deadline, Opener, opener, short

AT_ONCE = 16
"""Requests to one endpoint that run at the same time, in each process."""

QUEUE = 16
"""Requests that wait for their turn; more are turned away at once, so that threads are left for pages without them."""

WAIT = 2.0
"""Seconds that they wait."""

SECONDS = 10.0
"""Seconds for one request of ours."""

BYTES = 64 << 20
"""Bytes of an answer to a request of ours."""

LONGEST_PAUSE = 60
"""Seconds of a Retry-After that are heeded."""

ROWS = "application/sparql-results+json"
GRAPHS = "application/n-triples"
_ACCEPT = {"SELECT": ROWS, "ASK": ROWS, "CONSTRUCT": GRAPHS, "DESCRIBE": GRAPHS}
_ALSO = {ROWS: (ROWS, "application/json"), GRAPHS: (GRAPHS, "text/plain")}
"""Older names of the same, which some engines still answer with."""

_VIRTUOSO_ASK = "__ASK_RETVAL"
"""The variable of the table that Virtuoso answers ASK with."""

_GAVE_UP = frozenset(("X-SQL-State", "X-SQL-Message"))
"""Headers by which Virtuoso says that it gave up half-way."""


class _Client(SPARQLWrapper):
    """SPARQLWrapper with our way to send, and told the form: its own look at it can take exponential time."""

    def __init__(
        self, query: str, update: str, form: str, send: Callable[[urllib.request.Request], HTTPResponse]
    ) -> None:
        self._form = form
        self._send = send
        super().__init__(query, updateEndpoint=update, agent=f"kg/{version('kg')}")
        self.setMethod(POST)
        self.setOnlyConneg(True)

    def _parseQueryType(self, query: str) -> str:  # noqa: N802, ARG002 - SPARQLWrapper's
        return self._form

    def _query(self) -> tuple[HTTPResponse, str]:
        return self._send(self._createRequest()), self.returnFormat


@dataclass(slots=True)
class Reply:
    """An answer that is being read: one of ``boolean``, ``rows`` (with ``names``) and ``triples``. Close it in the end.

    Reading raises EndpointError where the answer is not whole; ``failed`` tells the endpoint of what else is wrong.
    """

    close: Callable[[], None]
    names: Sequence[str] = ()
    boolean: bool | None = None
    rows: Generator[tuple[Any, ...], None, None] | None = None
    triples: Generator[Triple, None, None] | None = None
    failed: Callable[[], None] = lambda: None

    def __enter__(self) -> Reply:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Endpoint:
    """See the module. Thread-safe.

    ``query`` is where queries go; ``update`` and ``data`` are for those who may write. ``requests`` counts queries.
    """

    def __init__(
        self,
        query: str,
        profile: Profile,
        *,
        update: str = "",
        data: str = "",
        credentials: Credentials | None = None,
        seconds: float = SECONDS,
    ) -> None:
        for url in filter(None, (query, update, data)):
            check_address(url)
        self.query_address = query
        self.update_address = update
        self.data_address = data
        self.profile = profile
        self.seconds = seconds
        self.requests = 0
        self._credentials = replace(credentials, auth=profile.auth) if credentials else None
        self._breaker = Breaker()
        self._room = threading.BoundedSemaphore(AT_ONCE)
        self._queue = threading.BoundedSemaphore(AT_ONCE + QUEUE)

    def beside(self, query: str) -> Endpoint:
        """Another dataset to read from; credentials go along only to the same server."""
        here, there = (urllib.parse.urlsplit(address)[:2] for address in (self.query_address, query))
        known = self._credentials if here == there else None
        return Endpoint(query, self.profile, credentials=known, seconds=self.seconds)

    def rows(self, text: str, most: int | None = None, **options: Any) -> list[tuple[Any, ...]]:
        """All rows of a SELECT query of ours, or the first ``most``; a term or ``None`` for each variable."""
        with self.ask(text, "SELECT", **options) as reply:
            return list(islice(expected.rows(text, reply), most))

    def ask(
        self,
        text: str,
        form: str,
        *,
        default_graphs: Sequence[str] = (),
        named_graphs: Sequence[str] = (),
        seconds: float | None = None,
        limit: int = BYTES,
        stranger: bool = False,
    ) -> Reply:
        """Send a query; ``form`` is SELECT, ASK, CONSTRUCT or DESCRIBE.

        What goes wrong with a ``stranger``'s query alone says nothing of the endpoint, and so does not count as its
        failure: else strangers could have it left alone.

        :raises QueryRefused: if the endpoint finds fault with a stranger's query.
        :raises EndpointError: if it cannot be asked, or answers with something else.
        """
        deadline = Deadline(seconds or self.seconds)
        self.requests += 1

        def prepare(client: _Client) -> None:
            client.setQuery(text)
            client.addCustomHttpHeader("Accept", _ACCEPT[form])
            for name, iris in (("default-graph-uri", default_graphs), ("named-graph-uri", named_graphs)):
                for iri in iris:
                    client.addParameter(name, iri)
            parameter, factor, unit = self.profile.timeout
            if parameter:
                client.addParameter(parameter, f"{max(1, round(deadline.seconds * factor))}{unit}")

        with ExitStack() as stack:
            stack.callback(self._enter(deadline))
            response = self._send(prepare, form, deadline, stranger=stranger)
            # A head says little: the answer has to be read, as far as anybody wants it, before it counts as one.
            ending = stack.enter_context(Ending(self._breaker, stranger=stranger))
            stack.callback(response.close)
            reply = self._reply(response, _ACCEPT[form], limit, ending)
            reply.failed = ending.failed
            reply.close = stack.pop_all().close
            return reply

    def update(self, text: str, *, seconds: float = 600) -> None:
        """Send a SPARQL 1.1 Update.

        :raises EndpointError: if it was not carried out.
        """
        deadline = Deadline(seconds)
        with self._turn(deadline):
            self._send(lambda client: client.setQuery(text), "INSERT", deadline).close()
        self._breaker.succeeded()

    def upload(self, quads: bytes, *, seconds: float = 600) -> None:
        """Add N-Quads, by POST to the whole dataset.

        :raises EndpointError: if they were not taken.
        """
        deadline = Deadline(seconds)
        request = urllib.request.Request(self.data_address, data=quads, method="POST")  # noqa: S310 - checked: http(s)
        request.add_header("Content-Type", "application/n-quads")
        if self._credentials and self._credentials.header:
            request.add_header("Authorization", self._credentials.header)
        with self._turn(deadline):
            self._checked(lambda: self._opener(self.data_address, deadline)(request), stranger=False).close()
        self._breaker.succeeded()

    # Requests

    @contextmanager
    def _turn(self, deadline: Deadline) -> Iterator[None]:
        leave = self._enter(deadline)
        try:
            yield
        finally:
            leave()

    def _enter(self, deadline: Deadline) -> Callable[[], None]:
        """Wait for a turn; what it returns ends it, once."""
        self._breaker.enter()
        if not self._queue.acquire(blocking=False):
            raise EndpointBusy("too many requests wait for the endpoint", retry_after=2)
        if not self._room.acquire(timeout=min(WAIT, deadline.left())):
            self._queue.release()
            raise EndpointBusy("the endpoint has too much to do", retry_after=2)
        once = threading.Lock()

        def leave() -> None:
            if once.acquire(blocking=False):
                self._room.release()
                self._queue.release()

        return leave

    def _client(self, form: str, deadline: Deadline) -> _Client:
        update = form == "INSERT"
        address = self.update_address if update else self.query_address
        client = _Client(self.query_address, self.update_address, form, self._opener(address, deadline))
        if self._credentials and self._credentials.header:
            client.addCustomHttpHeader("Authorization", self._credentials.header)
        return client

    def _opener(self, address: str, deadline: Deadline) -> Opener:
        return opener(deadline, self._credentials.digest(address) if self._credentials else None)

    def _send(
        self, prepare: Callable[[_Client], None], form: str, deadline: Deadline, *, stranger: bool = False
    ) -> HTTPResponse:
        client = self._client(form, deadline)
        prepare(client)
        return self._checked(lambda: client.query().response, stranger=stranger)

    def _checked(self, send: Callable[[], HTTPResponse], *, stranger: bool) -> HTTPResponse:
        """Send, and make every failure one of ours."""
        try:
            response = send()
        except urllib.error.HTTPError as e:
            with e:
                self._refused(e, stranger=stranger)
        except EndpointTimeout:
            if not stranger:
                self._breaker.failed()
            raise
        except (OSError, HTTPException, ValueError) as e:
            self._breaker.failed()
            raise EndpointError(f"the endpoint cannot be reached: {short(e)}") from e
        if response.status == 206 or _GAVE_UP.intersection(response.headers):
            response.close()
            raise EndpointTimeout("the endpoint gave up half-way and has only a part of the answer")
        return response

    def _refused(self, e: urllib.error.HTTPError, *, stranger: bool) -> NoReturn:
        if 300 <= e.code < 400:
            if not stranger:
                self._breaker.failed()
            raise EndpointError(f"the endpoint answers with a redirect ({e.code}), which is not followed")
        if e.code in (429, 503):
            pause = min(_seconds(e.headers.get("Retry-After")), LONGEST_PAUSE)
            if e.code == 503 or not stranger:
                self._breaker.failed(pause)
            raise EndpointBusy(f"the endpoint asks for a pause ({e.code})", retry_after=max(1, pause))
        if e.code in (408, 504):
            raise EndpointTimeout(f"the endpoint ran out of time ({e.code})")
        if e.code == 400 and stranger:
            raise QueryRefused(_said(e) or "the endpoint finds fault with the query")
        if e.code >= 500 and not stranger:
            self._breaker.failed()
        raise EndpointError(f"the endpoint answers {e.code} {e.reason}: {'' if stranger else _said(e)}".rstrip(": "))

    # Answers

    def _reply(self, response: HTTPResponse, wanted: str, limit: int, ending: Ending) -> Reply:
        received = (response.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
        if received not in _ALSO[wanted]:
            what = received[:80] or "no media type"
            ending.failed()
            raise EndpointError(f"the endpoint answers with {what} where {wanted} was asked for")
        body = cast(IO[bytes], Body(response, limit=limit, is_json=wanted == ROWS))
        cap = _number(response.headers.get("X-SPARQL-MaxRows")) or self.profile.row_cap
        if wanted == GRAPHS:
            with _parsing(ending):
                triples = parse(body, RdfFormat.N_TRIPLES)
            return Reply(response.close, triples=_whole((quad.triple for quad in triples), cap, ending))
        with _parsing(ending):
            results = parse_query_results(body, QueryResultsFormat.JSON)
        if isinstance(results, QueryBoolean):
            return Reply(response.close, boolean=bool(results))
        names = [variable.value for variable in results.variables]
        if names == [_VIRTUOSO_ASK]:
            return Reply(response.close, boolean=any(row[0] is not None and row[0].value != "0" for row in results))
        return Reply(response.close, names=names, rows=_whole((tuple(row) for row in results), cap, ending))


_Item = TypeVar("_Item")


def _whole(items: Iterator[_Item], cap: int, ending: Ending) -> Generator[_Item, None, None]:
    """Items of an answer; one more error at its end if there are as many as an engine gives at most."""
    count = 0
    while True:
        with _parsing(ending):
            item = next(items, None)
        if item is None:
            break
        count += 1
        yield item
    if cap and count >= cap:
        raise EndpointError(f"the endpoint cuts answers at {cap:,} rows, and this one has so many: ask for fewer")


@contextmanager
def _parsing(ending: Ending) -> Iterator[None]:
    try:
        yield
    except EndpointError:
        ending.failed()
        raise
    except (SyntaxError, ValueError) as e:
        ending.failed()
        raise EndpointError(f"the answer of the endpoint is damaged: {short(e)}") from e


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0


def _seconds(text: str | None) -> int:
    """What Retry-After asks for; a date counts as a few seconds."""
    return _number(text) or 5


def _said(error: urllib.error.HTTPError) -> str:
    """What an endpoint says of its own error, if it is plain text."""
    if not (error.headers.get("Content-Type") or "").startswith("text/plain"):
        return ""
    try:
        return " ".join(error.read(2000).decode("utf-8", "replace").split())[:300]
    except (OSError, HTTPException, EndpointError):
        return ""


def writable(address: str, profile: Profile, credentials: Credentials | None) -> Endpoint:
    """The endpoint of a server, or of a dataset of one, by what its profile says of paths.

    >>> from kg.store.profiles import PROFILES
    >>> writable("http://localhost:3030/ds", PROFILES["fuseki"], None).update_address
    'http://localhost:3030/ds/update'
    """
    query, update, data = ("/".join(filter(None, (address.rstrip("/"), path))) for path in profile.paths)
    if credentials and profile.secured:
        update = f"{address.rstrip('/')}/{profile.secured}"
    return Endpoint(query, profile, update=update, data=data if profile.bulk else "", credentials=credentials)


def check_address(url: str) -> None:
    """:raises ConfigError: unless it is an http(s) address without credentials."""
    try:
        parts = urllib.parse.urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
        parts = urllib.parse.urlsplit("")
    if not valid:
        raise ConfigError(f"{url!r} is no address of a SPARQL endpoint: it must start with http:// or https://")
    if parts.username or parts.password:
        raise ConfigError("an endpoint's address must hold no password: they are read from the environment")
