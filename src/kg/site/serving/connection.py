"""One connection of a client, with bounds on what it may send and on how long it may dawdle.

uvicorn's protocol over httptools has no bounds of its own: a client could send a head without end, or hold a connection
for ever by sending a byte now and then, or by never reading. A connection that waits costs a few kilobytes and no
thread, so the bounds are generous. And uvicorn sends the head of an answer before its body; a whole answer leaves here
in one piece.

A client that offers another protocol (Java's offers HTTP/2 with every request) gets an answer in this one, as is meant
by RFC 9110, section 7.8. httptools ends such a request with its head, and would leave out the body.
"""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from http import HTTPStatus

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from kg.site.answers.headers import HEADERS
from kg.site.serving.asgi import AT_ONCE, Answer

LONGEST_LINE = 8190
"""Bytes of an address: queries come in addresses too; longer ones by POST."""

MOST_PARTS = 100
"""Slashes of a path: every link of an answer goes up as many steps, so of 8 kB of slashes come megabytes of links."""

LONGEST_HEADER = 16 * 1024
"""Bytes of one header: some clients list every type that there is in Accept."""

MOST_HEADERS = 64
LONGEST_HEAD = 64 * 1024
"""Bytes of everything before the body."""

SILENCE = 5.0
"""Seconds that a client may fall silent in the middle of a request."""

HEAD_SECONDS = 20.0
"""Seconds from the first byte of a request to the last one of its head."""

STALL = 30.0
"""Seconds that a client may leave an answer unread; 64 kB of it wait here meanwhile, beside what the kernel holds."""

_CONTROL = bytes((*range(9), *range(10, 32), 127))
_WITHOUT_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


class Connection(HttpToolsProtocol):
    """See the module. What breaks a bound is answered with 400, 408, 414 or 431, and closed."""

    _complete = True  # the request that came last has come whole
    _in_head = False
    _head = 0  # bytes of a head that has not come whole
    _head_ends = 0.0  # when it must have
    _patience: asyncio.TimerHandle | None = None
    _stall: asyncio.TimerHandle | None = None
    _fed = b""  # what the parser has got
    _unread = b""  # what it is to get
    _without_offer = b""  # the head of a request that offers another protocol, less the offer
    _refusal = (HTTPStatus.BAD_REQUEST, "This is no HTTP/1.1 request.")

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        # Whoever connects and says nothing is treated like one who says nothing more.
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        self.resume_writing()
        super().connection_lost(exc)

    # What comes in

    def data_received(self, data: bytes) -> None:
        self._unread = data
        while self._unread:
            unread, self._unread = self._unread, b""
            self._fed = unread
            super().data_received(unread)
        self._fed = b""
        self._attend(data)

    def _unsupported_upgrade_warning(self) -> None:
        """Called by uvicorn where httptools has ended at an offer: read the same without it, and what stands behind."""
        stopped = sys.exc_info()[1]
        if not self._without_offer or not isinstance(stopped, httptools.HttpParserUpgrade):
            return  # CONNECT, whose answer is under way
        self._unread = self._without_offer + self._fed[stopped.args[0] :]
        self._without_offer = b""
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does

    def _attend(self, data: bytes) -> None:
        """See to it that the rest of what has not come whole comes in time."""
        if self._complete or self.transport.is_closing():
            if self._patience is not None:
                self._wait_no_more()
            return
        now = self.loop.time()
        if self._in_head:
            self._head = self._head + len(data)
            self._head_ends = self._head_ends or now + HEAD_SECONDS
            if self._head > LONGEST_HEAD:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The head of this request is too long.")
                return
        self._wait_no_more()
        wait = min(SILENCE, max(0.0, self._head_ends - now)) if self._in_head else SILENCE
        self._patience = self.loop.call_later(wait, self._give_up)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._complete, self._in_head = False, True
        self._head, self._head_ends = 0, 0.0

    def on_headers_complete(self) -> None:
        self._in_head = False
        method = self.parser.get_method()
        if self.parser.should_upgrade() and method != b"CONNECT":
            lines = [b"%s %s HTTP/%s" % (method, self.url, self.parser.get_http_version().encode())]
            lines += [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
            self._without_offer = b"\r\n".join((*lines, b"", b""))
            return
        if len(self.url) > LONGEST_LINE:
            self._not_taken(HTTPStatus.REQUEST_URI_TOO_LONG, "This address is too long; send a long query by POST.")
        if self.url.partition(b"?")[0].count(b"/") > MOST_PARTS:
            self._not_taken(HTTPStatus.REQUEST_URI_TOO_LONG, "The path of this address has too many parts.")
        if len(self.headers) > MOST_HEADERS or any(len(value) > LONGEST_HEADER for _, value in self.headers):
            self._not_taken(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers of this request are too long.")
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1"):
            # RFC 9112, section 3.2: somebody in between may have read another one of them.
            self._not_taken(HTTPStatus.BAD_REQUEST, "A request of HTTP/1.1 names one host.")
        super().on_headers_complete()
        self.scope[AT_ONCE] = partial(_at_once, self.cycle)  # type: ignore[literal-required]

    def on_message_complete(self) -> None:
        if self._without_offer:
            return  # it begins again
        super().on_message_complete()
        self._complete = True

    def _not_taken(self, status: HTTPStatus, text: str) -> None:
        self._refusal = (status, text)
        raise ValueError(text)  # the parser stops, and uvicorn calls send_400_response

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's signature
        self._refuse(*self._refusal)

    def _give_up(self) -> None:
        if self.pipeline:
            # We do not listen while the answer before is on its way, so it is not the client who has fallen silent.
            self._patience = self.loop.call_later(SILENCE, self._give_up)
            return
        self._refuse(HTTPStatus.REQUEST_TIMEOUT, "The rest of this request did not come in time.")

    def _refuse(self, status: HTTPStatus, text: str) -> None:
        if self.transport.is_closing():
            return
        # While an answer is on its way, nothing of ours may stand in the middle of it: neither one to the last request
        # whose head has come (before the first there is none), nor one for which that request waits.
        cycle: RequestResponseCycle | None = self.cycle
        if not self.pipeline and (cycle is None or cycle.response_complete or not cycle.response_started):
            default = b"".join(b"%s: %s\r\n" % header for header in self.server_state.default_headers)
            policy = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
            body = f"{status.value} {status.phrase}\n{text}\n".encode()
            head = (
                f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
                f"Content-Length: {len(body)}\r\n{policy}Connection: close\r\n"
            )
            self.transport.write(head.encode() + default + b"\r\n" + body)
        self.transport.close()

    def _wait_no_more(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    # What goes out

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stall is None:
            self._stall = self.loop.call_later(STALL, self.transport.abort)

    def resume_writing(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        super().resume_writing()


def _at_once(cycle: RequestResponseCycle, answer: Answer) -> bool:
    """Send a whole answer in one piece, to a client that goes on listening; false if it has to go uvicorn's way.

    :raises RuntimeError: for a header with a control character, as uvicorn does.
    """
    if cycle.transport.is_closing():
        cycle.disconnected = True  # the client has gone; the loop says so a moment later
    if cycle.disconnected or cycle.flow.write_paused or not cycle.keep_alive or answer.pieces is not None:
        return False
    length = b""
    parts = [STATUS_LINE[answer.status]]
    for name, value in (*cycle.default_headers, *answer.headers):
        if name == b"content-length":
            length = value
        elif name == b"connection":
            return False
        parts += (name, b": ", value, b"\r\n")
    head_only = cycle.scope["method"] == "HEAD" or answer.status in _WITHOUT_BODY
    if not head_only and length != b"%d" % len(answer.body):
        return False
    parts.append(b"\r\n")
    head = b"".join(parts)
    if len(head) - len(head.translate(None, _CONTROL)) != 2 * (len(parts) // 4 + 2):
        raise RuntimeError("Invalid HTTP header value.")
    cycle.transport.write(head if head_only else head + answer.body)
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    cycle.message_event.set()
    cycle.on_response()
    return True
