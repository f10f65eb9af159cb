"""Who makes the parts: this process, a pool of processes on this machine, or a cluster.

``map`` gives results; what was ``begun`` goes on while whoever began it does something else. A cluster is a Dask
scheduler (``tcp://…``) whose workers have the same kg installed; ``client.get_executor()`` gives the same interface as
a process pool. Its tasks are functions over values, so whoever runs them, the results are the same, and no common disk
is needed; what reads files that lie here is done here. A task whose worker dies is given to another.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from importlib import import_module
from queue import SimpleQueue
from typing import Any, Generic, Protocol, TypeVar

from kg.bounds import TOO_LARGE, bound_memory
from kg.build.apart import Apart
from kg.config import Build
from kg.errors import BuildError, ConfigError

RETRIES = 3
"""How often a task is given to another worker after its own died."""

TIMEOUT = 10
"""Seconds that a scheduler has to answer."""

_AHEAD = 4
"""Tasks that wait for each worker, so that none is idle and few results are in memory."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class Makers(Protocol):
    """Runs a function over items; results come with their items as they are done, in any order."""

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[tuple[Item, Result]]:
        """Some items at a time, as their results are asked for.

        :raises BuildError: if processes died over the same items again and again, or needed more memory than they may.
        """
        ...


class Workers(Makers, Protocol):
    """The same on this machine, so that items may name its files."""

    def begun(
        self, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> AbstractContextManager[Iterator[tuple[Item, Result]]]:
        """All items at once, from now on. In the end nothing of it runs any more, also if nobody took the results."""
        ...


class Here:
    """In this process, which does one thing after the other."""

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[tuple[Item, Result]]:
        for item in items:
            yield item, function(item)

    def begun(
        self, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> AbstractContextManager[Iterator[tuple[Item, Result]]]:
        return nullcontext(self.map(function, items))


class Pool:
    """Processes on this machine, started afresh so that they share nothing, each with bounded memory."""

    def __init__(self, count: int, memory: int = Build().bytes) -> None:
        self.count = count
        self._memory = memory
        self._executor = self._new()

    def _new(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self.count, mp_context=context, initializer=_limit, initargs=(self._memory,))

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[tuple[Item, Result]]:
        yield from self._results(_Tasks(self._executor, function, items, _AHEAD * self.count))

    @contextmanager
    def begun(
        self, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[Iterator[tuple[Item, Result]]]:
        with closing(_Tasks(self._executor, function, items, len(items))) as tasks:
            yield self._results(tasks)

    def _results(self, tasks: _Tasks[Item, Result]) -> Iterator[tuple[Item, Result]]:
        for _ in range(RETRIES):
            yield from tasks.results()
            if not tasks.lost:
                return
            if self._executor is tasks.executor:
                self._executor.shutdown(wait=False, cancel_futures=True)
                self._executor = self._new()
            # After a death nobody knows whose task it was: one at a time finds out.
            tasks.again(self._executor, self.count)
        yield from tasks.results()
        if tasks.lost:
            raise BuildError(f"a worker process died {RETRIES + 1} times over {_named(tasks.lost[0])}; {TOO_LARGE}")

    def close(self) -> None:
        self._executor.shutdown(wait=True, cancel_futures=True)


class Cluster:
    """The workers of a Dask scheduler, which gives the task of one that died to another."""

    def __init__(self, address: str, memory: int = Build().bytes) -> None:
        try:
            distributed: Any = import_module("dask.distributed")
        except ImportError:
            raise ConfigError("--executor needs Dask: pip install 'kg[cluster]'") from None
        try:
            self._client = distributed.Client(address, timeout=TIMEOUT, set_as_default=False)
        except (OSError, ValueError) as e:
            raise ConfigError(f"--executor {address}: no scheduler answers there: {e}") from e
        self._memory = memory
        self._executor: Executor = self._client.get_executor(retries=RETRIES, pure=False)

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[tuple[Item, Result]]:
        workers = max(1, sum(self._client.nthreads().values()))
        tasks = _Tasks(self._executor, Apart(function, self._memory), items, _AHEAD * workers)
        yield from tasks.results()
        if tasks.lost:
            raise BuildError(f"the cluster lost its workers over {_named(tasks.lost[0])}")

    def close(self) -> None:
        self._client.close()


class _Tasks(Generic[Item, Result]):
    """Items for an executor, ``ahead`` of them at a time from now on; those whose worker died are in ``lost``."""

    def __init__(
        self, executor: Executor, function: Callable[[Item], Result], items: Iterable[Item], ahead: int
    ) -> None:
        self.executor, self._function, self._ahead = executor, function, ahead
        self.lost: list[Item] = []
        self._stream = iter(items)
        self._waiting: dict[Future[Result], Item] = {}
        self._done: SimpleQueue[Future[Result]] = SimpleQueue()
        self._submit()

    def again(self, executor: Executor, ahead: int) -> None:
        """Give what was lost to another executor."""
        self.executor, self._ahead = executor, ahead
        self._stream, self.lost = iter(self.lost), []
        self._submit()

    def _submit(self) -> None:
        while len(self._waiting) < self._ahead and not self.lost:
            item = next(self._stream, _END)
            if item is _END:
                return
            try:
                future = self.executor.submit(self._function, item)  # type: ignore[arg-type]
            except BrokenProcessPool:
                self.lost.append(item)  # type: ignore[arg-type]
                return
            self._waiting[future] = item  # type: ignore[assignment]
            future.add_done_callback(self._done.put)

    def results(self) -> Iterator[tuple[Item, Result]]:
        while self._waiting:
            future = self._done.get()
            item = self._waiting.pop(future)
            self._submit()
            try:
                result = future.result()
            except BrokenProcessPool:
                self.lost.append(item)
            except MemoryError:
                raise BuildError(f"{_named(item)}: {TOO_LARGE}") from None
            except Exception as e:
                if type(e).__name__ not in ("KilledWorker", "CommClosedError"):
                    raise
                self.lost.append(item)
            else:
                yield item, result
        self.lost.extend(self._stream if self.lost else ())

    def close(self) -> None:
        """Nobody waits for the results: what did not begin does not, what runs is waited for."""
        for future in self._waiting:
            future.cancel()
        wait(self._waiting)


_END = object()


def _named(item: object) -> str:
    return str(getattr(item, "name", item))[:300]


def _limit(memory: int) -> None:
    """Bound this process's memory, and end it when the one that started it is gone, however that ended."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
    bound_memory(memory)


@contextmanager
def workers(count: int, memory: int = Build().bytes) -> Iterator[Workers]:
    """``count`` processes of this machine, none for 0, each with so many bytes of memory."""
    if not count:
        yield Here()
        return
    pool = Pool(count, memory)
    try:
        yield pool
    finally:
        pool.close()


@contextmanager
def cluster(address: str, memory: int = Build().bytes) -> Iterator[Makers]:
    """The workers of a scheduler, with so many bytes of memory for each task.

    :raises ConfigError: if no scheduler answers.
    """
    found = Cluster(address, memory)
    try:
        yield found
    finally:
        found.close()
