"""Runs the site: gunicorn minds the processes, uvicorn speaks HTTP in each; configured here and nowhere else.

The socket is opened before any process starts, so that a port that is taken is one clear line, and port 0 gives an
address that can be printed. The application is made in each process, after the fork: threads and child processes of
the query pool do not survive one.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import mmap
import os
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
import uvloop
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

from kg.bounds import more_files
from kg.errors import ConfigError, KgError
from kg.query.exchange import Exchange
from kg.site.assets import Assets
from kg.site.serving.connection import Connection
from kg.site.serving.counters import Counters
from kg.site.serving.front import Front
from kg.site.serving.switch import RETRY, Switch
from kg.site.serving.versions import Versions
from kg.terminal import visible

BACKLOG = 1024
GRACE = 20
"""Seconds that running requests have to end when the server is told to stop."""

KEEP_ALIVE = 15
"""Seconds that a connection may be idle."""

NOTICE = 2
"""Seconds between two signs of life of a web process, and two looks at whether its master lives."""

STUCK = 60
"""Seconds after which a web process that does nothing any more is replaced."""


def serve(
    make: Callable[[str, bool, Exchange], Flask],
    name: Callable[[], str],
    first: str,
    host: str,
    port: int,
    *,
    workers: int,
    threads: int,
    earlier: Callable[[], Iterable[str]] = tuple,
) -> None:
    """Serve until told to stop, by SIGTERM or SIGINT: running requests end first. Port 0 takes a free one.

    ``name`` says which release is current, ``make`` makes the application of one (and is told whether as an
    earlier one, and the way to the broker), ``first`` is one that was verified, ``earlier`` names those before it: see
    :mod:`kg.site.serving.switch` and :mod:`kg.site.serving.versions`.

    :raises ConfigError: if the address cannot be used, or the site's styles were not bundled.
    """
    Assets.load()
    listener = _listen(host, port)
    counters, exchange = Counters(), Exchange()

    def application() -> Front:
        current = Switch(lambda version: make(version, False, exchange), name, first, earlier)
        versions = Versions(current, lambda version: make(version, True, exchange))
        return Front(current, versions, counters, threads=threads)

    _Server(application, listener, workers=workers).run()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as e:
        hint = "; choose another with --port" if isinstance(e, PermissionError) or e.errno == 98 else ""
        raise ConfigError(f"{host}:{port} cannot be listened to: {e.strerror or e}{hint}") from e


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


class _Http(uvicorn.Server):
    """uvicorn in a process whose signals are gunicorn's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _WebProcess(Worker):
    """gunicorn's view of one process that serves."""

    _http: _Http | None = None

    def run(self) -> None:
        more_files()
        front: Any = self.wsgi  # for gunicorn every application is one of WSGI
        config = uvicorn.Config(
            front,
            http=Connection,
            loop="uvloop",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            # Who the client is, kg.site.sparql.client decides.
            proxy_headers=False,
            # Which server this is, and in which version, is nobody's business.
            server_header=False,
            headers=[("server", "kg")],
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=GRACE,
            timeout_notify=NOTICE,
            callback_notify=self._still_here,
        )
        log = logging.getLogger("uvicorn.error")
        log.handlers = self.log.error_log.handlers
        log.setLevel(logging.WARNING)
        log.propagate = False
        log.addFilter(_worth_a_line)
        self._http = _Http(config)
        if not self.alive:
            return  # told to stop before there was anything to stop
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._http.serve(sockets=[getattr(each, "sock", each) for each in self.sockets]))

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - gunicorn's signature
        self.alive = False
        if self._http is not None:
            self._http.should_exit = True

    handle_quit = handle_exit

    async def _still_here(self) -> None:
        self.notify()
        if self._http is not None and os.getppid() != self.ppid:
            self._http.should_exit = True  # the master was killed, and its address is to be free again


def _worth_a_line(record: logging.LogRecord) -> bool:
    """Not what strangers send, and not an answer that was broken off on purpose."""
    if record.exc_info and isinstance(record.exc_info[1], KgError | asyncio.CancelledError):
        return False
    return not record.getMessage().startswith(("Invalid HTTP request", "Unsupported upgrade", "No supported WebSocket"))


class _Master(Arbiter):
    """gunicorn's master, which a SIGHUP does not make replace its processes: they take a new release by themselves."""

    def handle_hup(self) -> None:
        pass


class _Server(BaseApplication):
    """gunicorn without its command line, files and environment."""

    def __init__(self, make: Callable[[], Front], listener: socket.socket, *, workers: int) -> None:
        self._make = make
        self._has_served = mmap.mmap(-1, 1)  # what one process writes, all see
        self._address = _address(listener)
        self._settings: dict[str, Any] = {
            "bind": f"fd://{listener.detach()}",
            "worker_class": _WebProcess,
            "workers": workers,
            "timeout": STUCK,
            "graceful_timeout": GRACE + 2,
            "loglevel": "warning",
            "proc_name": "kg",
            # A heartbeat file on a disk can stall a process.
            "worker_tmp_dir": "/dev/shm" if Path("/dev/shm").is_dir() else None,  # noqa: S108 - gunicorn makes a private file
            "when_ready": self._say_address,
            "worker_exit": _close,
            "control_socket_disable": True,
        }
        super().__init__()

    def run(self) -> None:
        _Master(self).run()

    def load_config(self) -> None:
        for name, value in self._settings.items():
            # Older gunicorns have no control socket to switch off.
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        # A page makes thousands of short-lived objects and hardly a circle of them: looking for circles so often as
        # Python does by default costs 6 % of a page.
        gc.set_threshold(20_000, 20, 50)
        try:
            made = self._make()
        except Exception as e:
            if not self._has_served[0]:
                if not isinstance(e, KgError | OSError):
                    raise
                sys.stderr.write(visible(f"kg: {e}") + "\n")
                sys.exit(Arbiter.WORKER_BOOT_ERROR)  # as if it had ended in a traceback
            # A process that cannot begin ends the master, and all that serve; one that ends is replaced.
            why = str(e) if isinstance(e, KgError | OSError) else repr(e)
            sys.stderr.write(visible(f"kg: no release can be served by a new web process: {why}") + "\n")
            time.sleep(RETRY)
            sys.exit(0)
        self._has_served[0] = 1
        return made

    def _say_address(self, server: object) -> None:  # noqa: ARG002 - gunicorn's signature
        sys.stdout.write(f"{self._address} (stop with Ctrl+C)\n")
        sys.stdout.flush()


def _close(server: object, worker: Any) -> None:  # noqa: ARG001 - gunicorn's signature
    """End the query workers of a web process that ends."""
    # Also called in the parent, for a process that never began.
    front = worker.app.callable
    if front is not None and worker.pid == os.getpid():
        front.close()
