"""What takes its time to make and is wanted again: remembered, as far as there is room."""

from __future__ import annotations

from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Forgetful(dict[Key, Value]):
    """A dictionary that begins anew when it has ``most`` values: strangers choose what is asked for, without end.

    Threads may share one: what one of them lets go of, another makes again.

    >>> squares = Forgetful[int, int](2)
    >>> [squares.keep(n, n * n) for n in (2, 3, 4)], squares
    ([4, 9, 16], {4: 16})
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def keep(self, key: Key, value: Value) -> Value:
        """Remember a value, which is given back."""
        if len(self) >= self._most:
            self.clear()
        self[key] = value
        return value
