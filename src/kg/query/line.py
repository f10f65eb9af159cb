"""A web process's end of a worker's socket, as its event loop sees it."""

from __future__ import annotations

import asyncio
import socket

_READ = 1 << 18


class Line:
    """The line to one worker, which has as many of these ends as there are web processes that were handed it.

    So it is read only while somebody here waits for an answer: what comes at other times is for another process. It
    stays registered with the loop between two reads, because most that comes is for the one who asked last, and
    registering anew costs as much as a small query.
    """

    def __init__(self, descriptor: int) -> None:
        self._sock = socket.socket(fileno=descriptor)
        self._sock.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[bytes] | None = None
        self._watched = False

    @property
    def awaited(self) -> bool:
        """Whether somebody waits for what comes next."""
        return self._waiter is not None

    async def send(self, data: bytes) -> None:
        """Send all of it.

        :raises OSError: if the worker has gone.
        """
        sent = self._sock.send(data)  # nearly every question fits at once
        if sent < len(data):
            await self._loop.sock_sendall(self._sock, data[sent:])

    async def receive(self) -> bytes:
        """What comes next; nothing if the worker has gone."""
        if not self._watched:
            self._loop.add_reader(self._sock, self._ready)
            self._watched = True
        self._waiter = self._loop.create_future()
        try:
            return await self._waiter
        finally:
            self._waiter = None

    def shut(self) -> None:
        """Say nothing more, and have whoever waits hear that nothing will come."""
        self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._watch_no_more()
        self._sock.close()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(b"")

    def _ready(self) -> None:
        if self._waiter is None or self._waiter.done():
            self._watch_no_more()
            return
        try:
            data = self._sock.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._waiter.set_result(data)

    def _watch_no_more(self) -> None:
        if self._watched:
            self._loop.remove_reader(self._sock)
            self._watched = False
