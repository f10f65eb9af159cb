"""The accounts of clients whose queries run elsewhere: the broker lets them begin, and knows no more of them.

Web processes reach them by :mod:`kg.query.accounts`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from kg.query.crew import Crew, Turn
from kg.query.fairness import Fairness
from kg.query.limits import Limits


class Ledger(Crew):
    """A crew without workers, in the broker: who asks may begin as soon as few enough of the client's queries run."""

    def __init__(
        self,
        limits: Limits,
        fairness: Fairness,
        *,
        leave: Callable[[Turn, str], None],
        alarm: Callable[[Crew, float], None],
    ) -> None:
        def nothing(*_: object) -> Any:
            return 0

        super().__init__(limits, fairness, spawn=nothing, watch=nothing, unwatch=nothing, leave=leave, alarm=alarm)
        self._begun: set[Turn] = set()

    def statistics(self) -> dict[str, int]:
        return {**super().statistics(), "busy": len(self._begun)}

    def end(self, turn: Turn, outcome: str, *, reusable: bool, keep: bool = False) -> None:  # noqa: ARG002 - a crew's
        if turn.over:
            return
        if turn in self._begun:
            self._begun.remove(turn)
            if turn.account is not None:
                turn.account.running -= 1
        else:
            self._line.remove(turn)
        self._finish(turn, outcome)
        self._serve()

    def _serve(self) -> None:
        for turn in list(self._line):
            if self._may_run(turn):
                self._line.remove(turn)
                self._begun.add(turn)
                turn.began = time.monotonic()
                if turn.account is not None:
                    turn.account.running += 1
                turn.desk.tell({"go": turn.ticket})
