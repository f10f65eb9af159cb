"""A process in which strangers' queries run, one after another, with nothing in reach but the open store.

It opens the store, gives up files, network and memory beyond a bound (:mod:`kg.query.confine`), and then answers on
its socket. Frames in both directions: one letter, the length of the rest in 4 bytes, the rest::

    to the worker    Q  a Request: a line of JSON with everything but the query, and the query
    from it          R  ready                     F  cannot start: why, as text
                     N  what to know before the answer, as JSON
                     D  bytes of the answer       X  its failure, as JSON
                     E  its end: the most kilobytes that the process has ever held, as text

Nothing here decides when a worker has had its time: the broker does, because a busy engine listens to nobody.
"""

from __future__ import annotations

import gc
import json
import resource
import socket
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from pyoxigraph import (
    NamedNode,
    QueryBoolean,
    QuerySolutions,
    QueryTriples,
    Store,
    Triple,
    serialize,
)

from kg.media import RDF_BY_TYPE, RESULTS_BY_TYPE, is_xml_property
from kg.query import rows, syntax_errors, xml
from kg.query.confine import confine
from kg.query.footnotes import Tracer
from kg.query.preview import preview, preview_with_footnotes
from kg.query.wire import HEAD
from kg.store.stated import Stated

FIRST_CHUNK = 8 * 1024  # what the engine buffers itself: the first bytes leave at once
CHUNK = 64 * 1024
_QUESTION = 4096  # bytes of nearly every question
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Settings:
    """What every worker of a pool is told."""

    store: str
    base: str
    memory: int
    rows: int
    bytes: int
    cpu: float  # seconds of processor time for one query, in case the broker itself stands still


class Request(NamedTuple):
    """One query. ``default`` and ``named`` replace the dataset unless both are ``None``.

    With ``preview`` the answer is not ``media_type`` but one small JSON object for a page:
    ``{"boolean": …}``, or ``{"vars": […], "rows": [[term or null, …], …], "more": whether rows were left out}``;
    a literal that was cut has its ``length``.
    With ``evidence`` the solutions have footnotes: see :mod:`kg.query.footnotes`.
    """

    query: str
    media_type: str
    default: list[str] | None = None
    named: list[str] | None = None
    preview: int = 0
    evidence: bool = False

    def frame(self) -> bytes:
        body = self.query.encode()
        if self.default is None and self.named is None:
            line = _without_graphs(self.media_type, self.preview, self.evidence)
        else:
            line = _line(self[1:])
        return HEAD.pack(b"Q", len(line) + len(body)) + line + body


def _line(more: Sequence[Any]) -> bytes:
    return json.dumps(more).encode() + b"\n"


@lru_cache(64)
def _without_graphs(media_type: str, preview: int, evidence: bool) -> bytes:
    return _line((media_type, None, None, preview, evidence))


class _OverLimit(Exception):
    def __init__(self, limit: str) -> None:
        super().__init__(limit)
        self.limit = limit


class _Output:
    """A file for the serialiser: counts, caps, and sends what is written as D frames."""

    def __init__(self, sock: socket.socket, max_bytes: int) -> None:
        self._sock = sock
        self._max = max_bytes
        self._parts: list[bytes] = []
        self._held = 0
        self._threshold = FIRST_CHUNK
        self.written = 0

    def write(self, data: bytes) -> int:
        data = bytes(data)
        self.written += len(data)
        if self.written > self._max:
            raise _OverLimit("bytes")
        self._parts.append(data)
        self._held += len(data)
        if self._held >= self._threshold:
            self._sock.sendall(self._frame())
            self._threshold = CHUNK
        return len(data)

    def flush(self) -> None:
        """The serialiser flushes after a row here and there; frames leave when they are full."""

    def note(self, note: dict[str, Any]) -> None:
        """Send what is to be known before the answer."""
        body = json.dumps(note).encode()
        self._sock.sendall(HEAD.pack(b"N", len(body)) + body)

    def end(self, frame: bytes) -> None:
        self._sock.sendall(self._frame() + frame)

    def _frame(self) -> bytes:
        if not self._held:
            return b""
        body = b"".join(self._parts)
        self._parts.clear()
        self._held = 0
        return HEAD.pack(b"D", len(body)) + body


class _RowCounter:
    """Counts rows in the bytes of a SELECT's answer, because the engine writes solutions itself.

    Where a literal could hold the mark, the mark is one that the format escapes.
    """

    # The mark, and how many more (or fewer) of them than rows there are: a head line, a comma only between rows.
    _MARKS: Mapping[str, tuple[bytes, int]] = MappingProxyType(
        {
            "application/sparql-results+json": (b',{"', -1),  # a quotation mark inside a string is \"
            "application/sparql-results+xml": (b"<result>", 0),
            "text/tab-separated-values": (b"\n", 1),
            "text/csv": (b"\n", 1),
        }
    )

    def __init__(self, output: _Output, media_type: str, max_rows: int) -> None:
        self._output = output
        self._mark, more = self._MARKS[media_type]
        self._left = max_rows + more
        self._csv = media_type == "text/csv"
        self._quoted = False
        self._tail = b""

    def write(self, data: bytes) -> int:
        text = self._unquoted(bytes(data)) if self._csv else bytes(data)
        text = self._tail + text
        self._left -= text.count(self._mark)
        if self._left < 0:
            raise _OverLimit("rows")
        keep = len(self._mark) - 1
        self._tail = text[-keep:] if keep else b""
        return self._output.write(data)

    def flush(self) -> None:
        pass

    def _unquoted(self, data: bytes) -> bytes:
        if b'"' not in data:
            return b"" if self._quoted else data
        outside = data.split(b'"')
        kept = outside[1::2] if self._quoted else outside[::2]
        if len(outside) % 2 == 0:
            self._quoted = not self._quoted
        return b'"'.join(kept)


def _counted(items: Iterable[_Item], max_rows: int) -> Iterator[_Item]:
    for count, item in enumerate(items, start=1):
        if count > max_rows:
            raise _OverLimit("rows")
        yield item


def _with_names(triples: Iterable[Triple]) -> Iterator[Triple]:
    for triple in triples:
        if not is_xml_property(triple.predicate.value):
            raise ValueError(f"<{triple.predicate.value}> is no property in RDF/XML: ask for Turtle or another format")
        yield triple


class Worker:
    """One worker's life, after the fork."""

    def __init__(self, sock: socket.socket, settings: Settings) -> None:
        self._sock = sock
        self._settings = settings
        self._store: Store | None = None
        self._tracer: Tracer | None = None
        self._stated: Stated | None = None
        self._seconds = 0  # of processor time, after which the kernel ends this process

    def run(self) -> None:
        try:
            self._store = Store.read_only(self._settings.store)
            self._stated = Stated.open(Path(self._settings.store))
            confine(self._settings.store, self._settings.memory)
        except (OSError, ValueError) as e:
            self._send(b"F", str(e).encode())
            return
        self._limit_processor_time()
        # A query makes hardly a circle of objects; looking for some as often as Python does by default costs 5 %.
        gc.set_threshold(20_000, 20, 50)
        self._send(b"R", b"")
        while True:
            request = self._receive()
            if request is None:
                return
            self._answer(request)
            self._limit_processor_time()

    def _receive(self) -> Request | None:
        """The next question, or ``None`` at the end of the stream. (Blocking: poll() fails once NOFILE is 0.)

        Nobody asks before the last answer has ended, so nothing comes behind a question.
        """
        data, size = b"", HEAD.size
        while len(data) < size:
            part = self._sock.recv(max(_QUESTION, size - len(data)))
            if not part:
                return None
            data += part
            if len(data) >= HEAD.size:
                size = HEAD.size + HEAD.unpack_from(data)[1]
        head, _, query = data[HEAD.size :].partition(b"\n")
        return Request(query.decode(), *json.loads(head))

    def _limit_processor_time(self) -> None:
        """Let the next query have its seconds, which are counted from the start of the process."""
        seconds = int(time.process_time() + self._settings.cpu) + 1
        if seconds != self._seconds:
            self._seconds = seconds
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))

    def _send(self, kind: bytes, body: bytes) -> None:
        self._sock.sendall(HEAD.pack(kind, len(body)) + body)

    def _answer(self, request: Request) -> None:
        output = _Output(self._sock, self._settings.bytes)
        try:
            self._evaluate(request, output)
        except BrokenPipeError:
            raise
        except Exception as e:  # noqa: BLE001 - every failure of the engine goes to the one who asked
            failure = json.dumps(_failure(e, request.query)).encode()
            # What was held back of the answer is not sent: it would only delay the news.
            self._sock.sendall(HEAD.pack(b"X", len(failure)) + failure)
            return
        peak = b"%d" % resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        output.end(HEAD.pack(b"E", len(peak)) + peak)

    def _evaluate(self, request: Request, output: _Output) -> None:
        assert self._store is not None
        if request.evidence:
            self._evaluate_with_footnotes(self._store, request, output)
            return
        dataset: dict[str, Any] = {}
        if request.default is not None or request.named is not None:
            dataset = {
                "default_graph": [NamedNode(iri) for iri in request.default or ()],
                "named_graphs": [NamedNode(iri) for iri in request.named or ()],
            }
        results = self._store.query(request.query, base_iri=self._settings.base, **dataset)
        if request.preview:
            output.write(json.dumps(_shown(results, request.preview)).encode())
        elif isinstance(results, QueryTriples):
            rdf = RDF_BY_TYPE[request.media_type]
            triples = _counted(results, self._settings.rows)
            if rdf.extension == "rdf":
                serialize(_with_names(triples), xml.Clean(output), rdf.format)  # type: ignore[arg-type]
            else:
                serialize(triples, output, rdf.format)  # type: ignore[arg-type]
        else:
            media = RESULTS_BY_TYPE[request.media_type]
            sink = (
                output
                if isinstance(results, QueryBoolean)
                else _RowCounter(output, request.media_type, self._settings.rows)
            )
            in_xml = media.extension == "srx"
            results.serialize(xml.Clean(sink) if in_xml else sink, media.format)  # type: ignore[arg-type]

    def _evaluate_with_footnotes(self, store: Store, request: Request, output: _Output) -> None:
        if self._tracer is None:
            self._tracer = Tracer(store, self._settings.base, self._stated)
        found = self._tracer.answer(request.query, request.default, request.named)
        output.note(found.note())
        if request.preview:
            output.write(json.dumps(preview_with_footnotes(found, request.preview)).encode())
            return
        writer = rows.Writer(found.names, output, request.media_type, footnotes=True)
        left = self._settings.rows

        def take(batch: list[rows.Row]) -> None:
            nonlocal left
            left -= len(batch)
            if left < 0:
                raise _OverLimit("rows")
            writer.write(batch)

        found.run(take)
        writer.end()


def _failure(e: Exception, query: str) -> dict[str, Any]:
    """What whoever asked is to raise: ``killed`` with its limit, ``refused`` with line and column, or ``failed``."""
    if isinstance(e, _OverLimit):
        return {"kind": "killed", "limit": e.limit}
    if isinstance(e, MemoryError):
        return {"kind": "killed", "limit": "memory"}
    message = " ".join(str(e).split())
    if isinstance(e, SyntaxError):
        said, line, column = syntax_errors.explain(e, query)
        return {"kind": "refused", "message": said, **({"line": line, "column": column} if line else {})}
    if isinstance(e, ValueError | KeyError):
        return {"kind": "refused", "message": message[:500]}
    return {"kind": "failed", "message": message[:500]}


def _shown(results: QuerySolutions | QueryBoolean | QueryTriples, limit: int) -> dict[str, Any]:
    if isinstance(results, QueryBoolean):
        return {"boolean": bool(results)}
    if isinstance(results, QueryTriples):
        names = ["subject", "predicate", "object"]
        return preview(names, ([t.subject, t.predicate, t.object] for t in results), limit)
    names = [variable.value for variable in results.variables]
    return preview(names, ([solution[name] for name in names] for solution in results), limit)
