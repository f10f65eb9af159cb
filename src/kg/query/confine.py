"""What a worker gives up once its store is open: memory beyond a bound, files, and every way to the network.

Two locks on the network, each enough by itself: no descriptor is left for a socket (RLIMIT_NOFILE 0), and the kernel
refuses the system calls that make or connect one (seccomp, on x86-64 and 64-bit ARM). The engine opens only the first
16 files of a store at once and the others when they are needed: a store with more of them leaves descriptors free for
these, and depends on the second lock.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import resource
import struct
from pathlib import Path

_PR_SET_NO_NEW_PRIVS = 38  # linux/prctl.h
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_ALLOW = 0x7FFF0000  # linux/seccomp.h
_REFUSE = 0x00050000 | errno.EPERM
_LOAD, _IS, _IS_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # linux/bpf_common.h
_NUMBER, _ARCHITECTURE = 0, 4  # where struct seccomp_data has them
_X32 = 0x40000000  # system calls of x86-64's other convention start here

# Their numbers: socket, socketpair, connect, bind, listen, execve, execveat, ptrace, process_vm_writev, io_uring_setup.
_REFUSED = {
    "x86_64": (0xC000003E, (41, 53, 42, 49, 50, 59, 322, 101, 311, 425)),
    "aarch64": (0xC00000B7, (198, 199, 203, 200, 201, 221, 281, 117, 271, 425)),
}


def confine(store: str, memory: int) -> None:
    """Give up everything but the open store, and so many bytes of memory above what is mapped now.

    :raises OSError: if the store's files are not all open and the kernel has no seccomp.
    """
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
    with contextlib.suppress(OSError):
        os.nice(5)  # pages are served first
    mapped = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + memory, mapped + memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    files = _files_to_come(store)
    refused = refuse_network()
    if files and not refused:
        raise OSError(errno.ENOSYS, "a store of this size needs a kernel with seccomp")
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))


def _files_to_come(store: str) -> int:
    """The limit of descriptors that the store's files need; 0 if all of them are open."""
    opened = [f.readlink() for f in Path("/proc/self/fd").iterdir() if f.is_symlink()]
    tables = {path.name for path in Path(store).resolve().glob("*.sst")}
    missing = tables - {path.name for path in opened}
    return len(opened) + len(missing) + 16 if missing else 0


def refuse_network() -> bool:
    """Have the kernel refuse new sockets and programs to this process from now on; false where it cannot."""
    machine = platform.machine()
    if machine not in _REFUSED:
        return False
    architecture, numbers = _REFUSED[machine]
    refuse = len(numbers) + 5  # the last step; a jump counts from the step after it
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IS, 0, refuse - 2, architecture),
        (_LOAD, 0, 0, _NUMBER),
        (_IS_AT_LEAST, refuse - 4, 0, _X32),
        *((_IS, refuse - 5 - index, 0, number) for index, number in enumerate(numbers)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    program = b"".join(struct.pack("HBBI", *step) for step in steps)
    buffer = ctypes.create_string_buffer(program)
    header = struct.pack("HL", len(steps), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return False
    return not libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, header, 0, 0)
