"""Runs the site: gunicorn with threads, configured here and nowhere else.

The socket is opened before any process starts, so that a port that is taken is one clear line, and port 0 gives an
address that can be printed. The application is made in each worker, after the fork: threads and child processes of
the query pool do not survive one.
"""

from __future__ import annotations

import gc
import os
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.http import wsgi
from gunicorn.workers.gthread import ThreadWorker

from kg.errors import ConfigError
from kg.site.assets import Assets
from kg.site.counters import Counted, Counters
from kg.site.switch import Switch
from kg.site.versions import Versions

BACKLOG = 1024
GRACE = 20
"""Seconds that running requests have to end when the server is told to stop."""

SILENCE = 5
"""Seconds that a client may fall silent in the middle of a request; then its thread is free again."""

STALL = 30
"""Seconds that a client may leave an answer unread."""

LONGEST_LINE = 8190
"""Bytes of a request line, gunicorn's most: queries come in addresses too; longer ones by POST."""


def serve(
    make: Callable[[str, bool], Flask],
    name: Callable[[], str],
    first: str,
    host: str,
    port: int,
    *,
    workers: int,
    threads: int,
) -> None:
    """Serve until told to stop, by SIGTERM or SIGINT: running requests end first. Port 0 takes a free one.

    ``name`` says which release is current, ``make`` makes the application of one (and is told whether as an
    earlier one), ``first`` is one that was verified: see :mod:`kg.site.switch` and :mod:`kg.site.versions`.

    :raises ConfigError: if the address cannot be used, or the site's styles were not bundled.
    """
    Assets.load()
    listener = _listen(host, port)

    counters = Counters()

    def application() -> Counted:
        current = Switch(lambda version: make(version, False), name, first)
        versions = Versions(current, lambda version: make(version, True))
        return Counted(versions, counters, versions.close)

    _Server(application, listener, workers=workers, threads=threads).run()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as e:
        hint = "; choose another with --port" if isinstance(e, PermissionError) or e.errno == 98 else ""
        raise ConfigError(f"{host}:{port} cannot be listened to: {e.strerror or e}{hint}") from e
    # gunicorn's threads wait without end for a client that stalls. Accepted sockets inherit these from their listener.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", SILENCE, 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", STALL, 0))
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


class _Logger(Logger):
    """gunicorn's log without the tracebacks of clients that stalled."""

    def exception(self, msg: object, *args: object, **kwargs: Any) -> None:
        if not isinstance(sys.exc_info()[1], BlockingIOError):
            super().exception(msg, *args, **kwargs)


class _Worker(ThreadWorker):
    """gunicorn's worker, told to stop in one way only."""

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        # gunicorn's own takes a lock of the thread pool inside a signal handler; the interrupted thread may hold it,
        # and the process would hang until it is killed.
        self.handle_exit(sig, frame)


class _Server(BaseApplication):
    """gunicorn without its command line, files and environment."""

    def __init__(self, make: Callable[[], Counted], listener: socket.socket, *, workers: int, threads: int) -> None:
        self._make = make
        self._address = _address(listener)
        self._settings: dict[str, Any] = {
            "bind": f"fd://{listener.detach()}",
            "worker_class": _Worker,
            "workers": workers,
            "threads": threads,
            "worker_connections": 1000,
            "keepalive": 15,
            "timeout": 120,
            "graceful_timeout": GRACE,
            "limit_request_line": LONGEST_LINE,
            "limit_request_fields": 64,
            "limit_request_field_size": LONGEST_LINE,
            "loglevel": "warning",
            "logger_class": _Logger,
            "proc_name": "kg",
            # A heartbeat file on a disk can stall a worker.
            "worker_tmp_dir": "/dev/shm" if Path("/dev/shm").is_dir() else None,  # noqa: S108 - gunicorn makes a private file
            "when_ready": self._say_address,
            "worker_exit": _close,
            "control_socket_disable": True,
        }
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._settings.items():
            # Older gunicorns have no control socket to switch off.
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        # A page makes thousands of short-lived objects and hardly a circle of them: looking for circles so often as
        # Python does by default costs 6 % of a page.
        gc.set_threshold(20_000, 20, 50)
        # Which server this is, and in which version, is nobody's business.
        vars(wsgi)["SERVER"] = "kg"
        return self._make()

    def _say_address(self, server: object) -> None:  # noqa: ARG002 - gunicorn's signature
        sys.stdout.write(f"{self._address} (stop with Ctrl+C)\n")
        sys.stdout.flush()


def _close(server: object, worker: Any) -> None:  # noqa: ARG001 - gunicorn's signature
    """End the query workers of a web process that ends."""
    app = worker.app.callable
    if app is not None and worker.pid == os.getpid():
        app.close()
