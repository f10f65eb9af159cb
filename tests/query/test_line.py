"""A worker's socket is read by whoever waits for its answer, and by nobody else."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
import uvloop

from kg.query.line import Line

Loop = Callable[[], asyncio.AbstractEventLoop]
_Found = TypeVar("_Found")
LOOPS = pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])


def run(act: Callable[[], Coroutine[None, None, _Found]], loop: Loop) -> _Found:
    """What it gives, in a thread: a browser that other tests use keeps a loop running in this one."""

    def in_thread() -> _Found:
        with asyncio.Runner(loop_factory=loop) as runner:
            return runner.run(act())

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(in_thread).result()


@LOOPS
def test_of_two_ends_only_the_one_that_waits_is_read(loop: Loop) -> None:
    async def both() -> None:
        worker, web = socket.socketpair()
        lines = [Line(os.dup(web.fileno())) for _ in range(2)]
        web.close()
        with worker:
            for turn in range(6):
                mine = lines[turn % 2]
                await mine.send(b"question %d" % turn)
                assert worker.recv(100) == b"question %d" % turn
                worker.send(b"answer %d" % turn)
                await asyncio.sleep(0)
                assert await asyncio.wait_for(mine.receive(), 10) == b"answer %d" % turn
            worker.send(b"for whoever asks")
            await asyncio.sleep(0.01)
            assert await asyncio.wait_for(lines[0].receive(), 10) == b"for whoever asks"
        for line in lines:
            line.close()

    run(both, loop)


@LOOPS
@pytest.mark.parametrize("how", ["the worker ends", "shut", "close"])
def test_whoever_waits_hears_of_the_end(how: str, loop: Loop) -> None:
    async def wait() -> bytes:
        worker, web = socket.socketpair()
        line = Line(web.detach())
        waiting = asyncio.create_task(line.receive())
        await asyncio.sleep(0)
        {"the worker ends": worker.close, "shut": line.shut, "close": line.close}[how]()
        found = await asyncio.wait_for(waiting, 10)
        line.close()
        worker.close()
        return found

    assert run(wait, loop) == b""


@LOOPS
def test_a_long_question_is_sent_whole(loop: Loop) -> None:
    async def ask() -> int:
        worker, web = socket.socketpair()
        line = Line(web.detach())
        sending = asyncio.create_task(line.send(bytes(4 << 20)))
        received = 0
        while received < 4 << 20:
            received += len(await asyncio.to_thread(worker.recv, 1 << 20))
        await sending
        line.close()
        worker.close()
        return received

    assert run(ask, loop) == 4 << 20
