"""Work of a Dask worker, in a process beside it: in its threads no signal could end what takes for ever.

Each thread has one such process, which lives as long as the thread. Both speak in pickles: a function with its argument
there, what it gave or raised back.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from kg.bounds import TOO_LARGE, bound_memory
from kg.errors import BuildError

_own = threading.local()


class _Process:
    """Answers one question after the other; ends with its thread."""

    def __init__(self) -> None:
        command = [sys.executable, "-P", "-c", f"from {__name__} import main; main()"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, question: tuple[Any, ...]) -> tuple[bool, Any]:
        """Whether it failed, and what it gave or raised.

        :raises Exception: if the process died.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        pickle.dump(question, self._process.stdin)
        self._process.stdin.flush()
        answer: tuple[bool, Any] = pickle.load(self._process.stdout)  # noqa: S301 - our own process
        return answer

    def end(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
        self._process.kill()
        self._process.wait()

    __del__ = end


@dataclass(frozen=True, slots=True)
class Apart:
    """A function that is called in the process of this thread, which may have ``memory`` bytes.

    :raises BuildError: if that process died.
    """

    function: Callable[[Any], Any]
    memory: int

    def __call__(self, item: object) -> Any:
        if not hasattr(_own, "process"):
            _own.process = _Process()
        try:
            failed, answer = _own.process.ask((self.function, item, self.memory))
        except (EOFError, OSError, pickle.UnpicklingError):
            _own.process.end()
            del _own.process
            name = str(getattr(item, "name", item))[:300]
            raise BuildError(f"a worker process died over {name}; {TOO_LARGE}") from None
        if failed:
            raise answer
        return answer


def main() -> None:
    """Answer until the other side has gone."""
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # nothing else may come between the answers
    with suppress(EOFError, BrokenPipeError):
        while True:
            function, item, memory = pickle.load(questions)  # noqa: S301 - of the worker that started this
            bound_memory(memory)
            answer: tuple[bool, object]
            try:
                answer = (False, function(item))
            except Exception as e:  # noqa: BLE001 - whoever asked raises it
                answer = (True, e)
            pickle.dump(answer, answers)
            answers.flush()
