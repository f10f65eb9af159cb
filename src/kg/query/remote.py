"""Strangers' queries over a SPARQL endpoint: looked at, bounded and written here, answered there.

The same as :class:`kg.query.pool.Pool` from the outside. What the endpoint sends is read, checked and written anew, so
that every engine's answers come in all formats, and none that was cut looks whole. Its own limits are its own; here are
a deadline, rows and bytes.

An answer is read by a thread of its own, from its first byte to its last: pyoxigraph ends the whole process when
another one goes on with it, and a server fetches each piece in whichever thread is free.
"""

from __future__ import annotations

import json
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import Any, TypeVar

from pyoxigraph import QueryBoolean, QueryResultsFormat, RdfFormat, Triple, parse_query_results, serialize

from kg import media
from kg.errors import QueryError, QueryLeft, QueryRefused
from kg.query import rows
from kg.query.accounts import Accounts
from kg.query.base import Answer, Gone, Query, Runner
from kg.query.lexer import inspect
from kg.query.limits import Limits
from kg.query.pool import Pool
from kg.query.preview import preview
from kg.query.running import killed, outcome
from kg.query.slots import HIDDEN, rewrite
from kg.store.endpoint import Endpoint, Reply
from kg.store.slots import Slot

_PIECE = 1 << 16
_SPOOL = 1 << 20
_LINES = frozenset(("nt", "nq"))
"""Extensions of formats that have a line for each triple."""


class RemoteAnswer(Answer):
    """What the endpoint answers, in chunks as they come. ``own``: the thread that has made the ``reply``."""

    def __init__(
        self,
        pool: RemotePool,
        reply: Reply,
        query: Query,
        own: ThreadPoolExecutor,
        *,
        leave: Callable[[str], None],
        gone: Gone | None,
    ) -> None:
        self._own = own
        self._leave = leave
        self.media_type = "application/json" if query.preview else query.media_type
        self._complete = False
        self._outcome = ""
        self._ended: Callable[[str], None] | None = None
        self._reply = reply
        self._limits = pool.limits
        self._counts = pool.counts
        self._gone = gone
        self._made = self._pieces(query)
        try:
            # Up to the first bytes, what goes wrong is the caller's to hear.
            first = self._next()
            self._complete = len(first) < _PIECE
        except BaseException as e:
            self._end(outcome(e) if isinstance(e, QueryError) else "failed")
            raise
        if self._complete:
            self._end("answered")
        self.chunks = self._sent(first)

    @property
    def complete(self) -> bool:
        return self._complete

    @property
    def note(self) -> dict[str, Any]:
        return {}

    @property
    def outcome(self) -> str:
        return self._outcome

    def when_ended(self, do: Callable[[str], None]) -> None:
        if self._outcome:
            do(self._outcome)
        else:
            self._ended = do

    def close(self) -> None:
        self.chunks.close()
        self._end("left")

    def _sent(self, data: bytes) -> Generator[bytes, None, None]:
        try:
            yield data
            while not self.complete and (data := self._next()):
                if self._gone is not None and self._gone():
                    raise QueryLeft("the client has left")
                yield data
            self._end("answered")
        except QueryError as e:
            self._end(outcome(e))
            raise
        finally:
            self._end("left")

    def _end(self, how: str) -> None:
        if self._outcome:
            return
        self._outcome = how
        self._counts[how] += 1
        self._own.submit(_cleanly, self._let_go).result()
        self._own.shutdown(wait=False)
        self._leave(how)
        if self._ended is not None:
            self._ended(how)

    def _let_go(self) -> None:
        self._made.close()
        for items in (self._reply.rows, self._reply.triples):
            if items is not None:
                items.close()
        self._reply.close()

    def _next(self) -> bytes:
        return self._own.submit(_cleanly, self._gathered).result()

    def _gathered(self) -> bytes:
        parts, size = [], 0
        for part in self._made:
            parts.append(part)
            size += len(part)
            if size >= _PIECE:
                break
        return b"".join(parts)

    def _pieces(self, query: Query) -> Generator[bytes, None, None]:
        sent = 0
        for piece in self._shown(query) if query.preview else self._written(query.media_type):
            sent += len(piece)
            if sent > self._limits.bytes:
                raise killed("bytes", self._limits)
            yield piece

    def _shown(self, query: Query) -> Iterator[bytes]:
        reply = self._reply
        if reply.boolean is not None:
            yield json.dumps({"boolean": reply.boolean}).encode()
        elif reply.triples is not None:
            terms = ([t.subject, t.predicate, t.object] for t in reply.triples)
            yield json.dumps(preview(["subject", "predicate", "object"], terms, query.preview)).encode()
        else:
            names, found = _visible(reply)
            yield json.dumps(preview(names, found, query.preview)).encode()

    def _written(self, media_type: str) -> Iterator[bytes]:
        reply = self._reply
        if reply.boolean is not None:
            text = json.dumps({"head": {}, "boolean": reply.boolean})
            result = parse_query_results(text, QueryResultsFormat.JSON)
            assert isinstance(result, QueryBoolean)
            yield result.serialize(format=media.RESULTS_BY_TYPE[media_type].format) or b""
        elif reply.triples is not None:
            yield from _graph(self._counted(reply.triples), media.RDF_BY_TYPE[media_type])
        else:
            names, found = _visible(reply)
            yield from rows.parts(names, self._counted(found), media_type)

    def _counted(self, items: Iterator[Any]) -> Iterator[Any]:
        for count, item in enumerate(items, start=1):
            if count > self._limits.rows:
                raise killed("rows", self._limits)
            yield item


class RemotePool(Runner):
    """Asks an endpoint instead of workers.

    ``slot``: where the release lies; ``graphs``: the default graph of queries, where there is no slot; none: the
    endpoint's own. ``traced``: workers over the same release, for footnotes, which only they can make. ``accounts``:
    those of the clients; without them, nobody is counted.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        base: str,
        limits: Limits,
        *,
        slot: Slot | None = None,
        graphs: Sequence[str] = (),
        traced: Pool | None = None,
        accounts: Accounts | None = None,
    ) -> None:
        self.limits = limits
        self.counts: Counter[str] = Counter()
        self._endpoint = endpoint
        self._base = base
        self._slot = slot
        self._graphs = tuple(graphs)
        self._traced = traced
        self._accounts = accounts

    def start(self) -> None:
        return

    def close(self) -> None:
        for part in (self._traced, self._accounts):
            if part is not None:
                part.close()

    def statistics(self) -> dict[str, int]:
        traced = self._traced.statistics() if self._traced is not None else {}
        return {**traced, **self.counts}

    def fault(self, client: str) -> None:
        if self._accounts is not None:
            self._accounts.fault(client)

    def run(self, query: Query, *, client: str | None = None, gone: Gone | None = None) -> Answer:
        """See :meth:`kg.query.base.Runner.run`.

        :raises EndpointError: if the endpoint fails.
        """
        if query.evidence:
            if self._traced is None:
                raise QueryRefused("footnotes name the claims of a release; nothing of that is known of this data")
            return self._traced.run(query, client=client, gone=gone)
        self.counts["queries"] += 1
        leave = self._entered(client, gone)
        own = ThreadPoolExecutor(1, thread_name_prefix="kg-endpoint")
        try:
            reply = own.submit(_cleanly, partial(self._reply, query)).result()
        except BaseException as e:
            own.shutdown(wait=False)
            leave(outcome(e) if isinstance(e, QueryError) else "failed")
            raise
        return RemoteAnswer(self, reply, query, own, leave=leave, gone=gone)

    def _entered(self, client: str | None, gone: Gone | None) -> Callable[[str], None]:
        """Let a client in; what it returns is to be called with the outcome."""
        if self._accounts is None or client is None:
            return lambda _: None
        try:
            return self._accounts.enter(client, gone)
        except QueryError as e:
            self.counts[outcome(e)] += 1
            raise

    def _reply(self, query: Query) -> Reply:
        form = inspect(query.text, depth=self.limits.depth).value
        text, defaults, named = self._sent(query)
        return self._endpoint.ask(
            text,
            form,
            default_graphs=defaults,
            named_graphs=named,
            seconds=self.limits.seconds(query.timeout),
            limit=self.limits.bytes,
            stranger=True,
        )

    def _sent(self, query: Query) -> tuple[str, Sequence[str], Sequence[str]]:
        """The text and the dataset as the endpoint gets them. Relative IRIs start at the site's base."""
        if self._slot is None or self._slot.dataset:
            defaults = query.default_graphs if query.default_graphs or query.named_graphs else self._graphs
            text, named = query.text, query.named_graphs
        else:
            made = rewrite(
                query.text,
                self._slot,
                from_hides=self._endpoint.profile.from_hides,
                default_graphs=query.default_graphs,
                named_graphs=query.named_graphs,
            )
            text, defaults, named = made.text, made.default_graphs, made.named_graphs
        return f"BASE <{self._base}> {text}", defaults, named


_Done = TypeVar("_Done")


def _cleanly(task: Callable[[], _Done]) -> _Done:
    """Do something; an error takes nothing along that only the thread which made it may let go of."""
    try:
        return task()
    except BaseException as e:
        error: BaseException | None = e
        while error is not None:
            traceback.clear_frames(error.__traceback__)
            error = error.__context__
        raise


def _visible(reply: Reply) -> tuple[Sequence[str], Iterator[tuple[Any, ...]]]:
    """Names and rows, without the variables that only rewriting needed."""
    kept = [at for at, name in enumerate(reply.names) if not name.startswith(HIDDEN)]
    found = reply.rows or iter(())
    if len(kept) == len(reply.names):
        return reply.names, found
    return [reply.names[at] for at in kept], (tuple(row[at] for at in kept) for row in found)


def _graph(triples: Iterator[Triple], format_: media.RdfMedia) -> Iterator[bytes]:
    """A graph in a format; those that cannot be written triple by triple wait in a file until they are whole."""
    if format_.extension in _LINES:
        for triple in triples:
            yield f"{triple} .\n".encode()
        return
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL) as file, closing(file):
        serialize(triples, file, format=format_.format)
        file.seek(0)
        if format_.format == RdfFormat.RDF_XML:
            yield from map(media.well_formed, file)  # by lines, so that no character is cut in two
            return
        yield from iter(lambda: file.read(_PIECE), b"")
