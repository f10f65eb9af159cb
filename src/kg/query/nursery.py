"""The process that forks workers: it has one thread and imports the engine once.

Forking a process with threads is not safe, and PR_SET_PDEATHSIG follows the *thread* that forked: so the pool, which
lives in a web process, forks nothing itself but starts ``python -m kg.query.nursery CONTROL-FD SETTINGS``.
When the pool goes, however it goes, the nursery reads the end of its control socket, kills every worker and ends; when
the nursery goes, the kernel kills the workers.

Control messages are packets of JSON. From the pool: ``{"spawn": id}``, with the worker's end of a socket, and
``{"kill": id}``. To it: ``{"exit": id, "status": n}``, where a negative status is a signal.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import sys
from typing import NoReturn

from kg.query.worker import Settings, Worker

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Nursery:
    """See the module."""

    def __init__(self, control: socket.socket, settings: Settings) -> None:
        self._control = control
        self._control.setblocking(False)
        self._settings = settings
        self._ids: dict[int, int] = {}  # process → worker
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._wake, self._bell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def run(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to handle
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._bell, warn_on_full_buffer=False)
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        while True:
            poll.poll()
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake, 4096)
            try:
                self._reap()
                if not self._serve():
                    break
            except (BrokenPipeError, ConnectionResetError):
                break
        for pid in self._ids:
            os.kill(pid, signal.SIGKILL)
        for pid in self._ids:
            os.waitpid(pid, 0)

    def _serve(self) -> bool:
        """Do what the pool asks, without waiting; false when it has gone."""
        while True:
            try:
                message, descriptors, _, _ = socket.recv_fds(self._control, 4096, 1)
            except BlockingIOError:
                return True
            if not message:
                return False
            order = json.loads(message)
            if "spawn" in order:
                self._fork(order["spawn"], descriptors[0])
            else:
                for pid, worker in self._ids.items():
                    if worker == order["kill"]:
                        os.kill(pid, signal.SIGKILL)

    def _reap(self) -> None:
        while self._ids:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            worker = self._ids.pop(pid)
            report = {"exit": worker, "status": os.waitstatus_to_exitcode(status)}
            self._control.send(json.dumps(report).encode())

    def _fork(self, worker: int, descriptor: int) -> None:
        nursery = os.getpid()
        pid = os.fork()
        if pid:
            os.close(descriptor)
            self._ids[pid] = worker
            return
        self._become_worker(nursery, descriptor)

    def _become_worker(self, nursery: int, descriptor: int) -> NoReturn:
        try:
            self._libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != nursery:
                os._exit(1)  # it died before the kernel knew what to do about that
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._control.close()
            os.close(self._wake)
            os.close(self._bell)
            null = os.open(os.devnull, os.O_RDWR)
            for standard in (0, 1, 2):
                os.dup2(null, standard)
            os.close(null)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                Worker(socket.socket(fileno=descriptor), self._settings).run()
        finally:
            os._exit(0)


def main() -> None:
    """Run the nursery on the socket whose number is the first argument."""
    control = socket.socket(fileno=int(sys.argv[1]))
    Nursery(control, Settings(**json.loads(sys.argv[2]))).run()


if __name__ == "__main__":
    main()
