"""Whether texts are SPARQL queries, found out by the engine in a process that can be killed.

The engine has no way to read a query without beginning to answer it, and what it is given may nest too deep for it,
take for ever, or call another endpoint. So texts are looked at first (:mod:`kg.query.lexer`), and then read in a
process with a bound on its seconds and memory and without a network: ``python -m kg.query.check``, one JSON string a
line in, one JSON list of message, line and column a line out.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Sequence
from typing import NamedTuple

from kg.bounds import STUCK, bound_tool
from kg.errors import QueryRefused
from kg.query import syntax_errors
from kg.query.lexer import inspect

SECONDS = 5
"""Of CPU, for all of the texts; a query that is asked of no data takes none."""

MEMORY = 1 << 30
"""Bytes of address space, for the same."""


class Problem(NamedTuple):
    """Why a text cannot be asked; ``line`` and ``column`` count from 1, or are 0."""

    message: str
    line: int = 0
    column: int = 0


def check(texts: Sequence[str]) -> list[Problem | None]:
    """For each text what is wrong with it, if anything."""
    found: list[Problem | None] = []
    for text in texts:
        try:
            inspect(text)
            found.append(None)
        except QueryRefused as e:
            found.append(Problem(str(e), e.line, e.column))
    waiting = [index for index, problem in enumerate(found) if problem is None]
    while waiting:
        answers = _read([texts[index] for index in waiting])
        for index, answer in zip(waiting, answers, strict=False):
            found[index] = answer
        # Where the process ended is where it was killed: the texts behind it are read by another.
        waiting = waiting[len(answers) :]
        if waiting:
            found[waiting[0]] = Problem(f"the engine cannot read this in {SECONDS} seconds and {MEMORY >> 20} MiB")
            waiting = waiting[1:]
    return found


def _read(texts: Sequence[str]) -> list[Problem | None]:
    """What the engine says, as far as it came."""
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    with subprocess.Popen(
        [sys.executable, "-P", "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            said, _ = process.communicate(lines, timeout=STUCK)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
    answers = (json.loads(line) for line in said.splitlines() if line.endswith("]"))
    return [Problem(*answer) if answer else None for answer in answers]


def main() -> None:
    """Read the texts of standard input, within the limits."""
    from pyoxigraph import Store

    texts = [json.loads(line) for line in sys.stdin]
    bound_tool(SECONDS, MEMORY)
    store = Store()
    # No descriptor is left for a socket.
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    for text in texts:
        answer: tuple[str, int, int] | tuple[()] = ()
        try:
            store.query(text)
        except SyntaxError as e:
            said, line, column = syntax_errors.explain(e, text)
            where = f", column {column}" if column else ""
            answer = (f"this is not a SPARQL 1.1 query{where}: {said}", line, column)
        except (OSError, RuntimeError, ValueError) as e:
            answer = (f"this cannot be asked: {str(e).splitlines()[0][:200]}", 0, 0)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
