"""Calls the application in front of Flask's as a server does, without one."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from werkzeug import Response
from werkzeug.datastructures import Headers

from kg.site.serving.counters import Counters
from kg.site.serving.front import Front
from kg.site.serving.lease import Lease

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Counting:
    """An application that counts how often it is asked, alone in front of a release."""

    def __init__(self, app: Any) -> None:
        self.current = Lease(app, "2026-01-01-000000000000")
        self.asked = 0

    def take(self) -> Lease:
        self.asked += 1
        assert self.current.take()
        return self.current

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self.take()(environ, start_response)

    def close(self) -> None:
        if self.current.direct is not None:
            self.current.direct.close()


class Asgi:
    """A client that calls an ASGI application as a server does."""

    def __init__(self, front: Front) -> None:
        self.front = front
        # A thread of its own: the browser of other tests leaves an event loop in this one.
        self._thread = ThreadPoolExecutor(1)
        self._loop = asyncio.new_event_loop()

    def close(self) -> None:
        self.front.close()
        self._thread.submit(self._loop.run_until_complete, asyncio.sleep(0)).result()
        self._thread.submit(self._loop.close).result()
        self._thread.shutdown()

    def _run(self, doing: Coroutine[Any, Any, Response]) -> Response:
        return self._thread.submit(self._loop.run_until_complete, doing).result()

    def open(self, path: str, method: str = "GET", headers: Any = None, data: bytes = b"", **_: Any) -> Response:
        named = {**(headers or {}), **({"Content-Length": str(len(data))} if data else {})}
        return self._run(self._open(path, method, named, data))

    async def _open(self, path: str, method: str, headers: dict[str, str], body: bytes = b"") -> Response:
        raw, _, query = path.encode().partition(b"?")
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": raw.decode(),
            "raw_path": raw,
            "query_string": query,
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }
        messages = iter([{"type": "http.request", "body": body}])
        sent: list[Any] = []

        async def receive() -> Any:
            message = next(messages, None)
            return message or await asyncio.Future()

        async def send(message: Any) -> None:
            sent.append(message)

        await self.front(scope, receive, send)
        found = Headers([(name.decode(), value.decode()) for name, value in sent[0]["headers"]])
        response = Response(b"".join(message["body"] for message in sent[1:]), sent[0]["status"])
        response.headers = found
        return response


def in_front(behind: Any) -> Front:
    return Front(behind, behind, Counters(), threads=2)
