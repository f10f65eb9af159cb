"""Where the broker of this machine is, for every process that descends from the one that made the exchange.

They share the socket that the broker listens on: whoever connects while there is no broker waits in its line until the
next one is there. Whoever finds none starts it, and only one can: a broker holds a lock as long as it lives, and its
starter takes that lock for it.
"""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys

_LINE = 256
"""Processes that may connect before the broker has looked."""


class Exchange:
    """See the module. Make it before web processes are forked."""

    def __init__(self) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # An abstract name that the kernel chooses: no file to clean up. The broker looks at who connects.
        self._listener.bind("")
        self._listener.listen(_LINE)
        self._name: bytes = self._listener.getsockname()
        self._life = os.memfd_create("kg-broker")
        self._broker: subprocess.Popen[bytes] | None = None

    def connect(self) -> socket.socket:
        """A connection to the broker, which is started if there is none."""
        self.ensure()
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            connection.connect(self._name)
        except BaseException:
            connection.close()
            raise
        return connection

    def ensure(self) -> None:
        """Start the broker if there is none; cheap where there is."""
        # flock belongs to an open file, so the file is opened anew: a lock of our own would not stop us.
        life = os.open(f"/proc/self/fd/{self._life}", os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(life, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        else:
            if self._broker is not None:
                self._broker.wait()  # the one before; its lock is free because it has ended
            # The child inherits the open file, and with it the lock.
            self._broker = subprocess.Popen(
                [sys.executable, "-m", "kg.query.broker", str(self._listener.fileno())],
                pass_fds=[self._listener.fileno(), life],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        finally:
            os.close(life)

    def close(self, seconds: float) -> None:
        """Let go of the exchange, and wait so long for a broker that was started here and has nobody left to serve."""
        self._listener.close()
        os.close(self._life)
        if self._broker is not None:
            try:
                self._broker.wait(seconds)
            except subprocess.TimeoutExpired:
                self._broker.kill()
                self._broker.wait()
