"""What takes its time to make and is wanted again: remembered, as far as there is room."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

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


class Bounded(Generic[Key, Value]):
    """What takes ``room`` together, by its ``size``, the oldest forgotten first. Thread-safe.

    What alone takes more than ``largest`` is not remembered; the last one is, whatever it takes.

    >>> words = Bounded[str, str](10, lambda key, value: len(value), largest=8)
    >>> for word in ("one", "seven", "forty-two", "ten"):
    ...     words.put(word, word)
    >>> words.get("one"), words.get("seven"), words.get("forty-two"), words.get("ten")
    (None, 'seven', None, 'ten')
    """

    def __init__(self, room: int, size: Callable[[Key, Value], int], largest: float = math.inf) -> None:
        self._room, self._size, self._largest = room, size, largest
        self._kept: OrderedDict[Key, Value] = OrderedDict()
        self._taken = 0
        self._lock = threading.Lock()

    def get(self, key: Key) -> Value | None:
        """What is remembered."""
        return self._kept.get(key)

    def put(self, key: Key, value: Value) -> None:
        """Remember a value, unless there is one already."""
        size = self._size(key, value)
        if size > self._largest:
            return
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = value
            self._taken += size
            while self._taken > self._room and len(self._kept) > 1:
                self._taken -= self._size(*self._kept.popitem(last=False))
