"""Heads of answers stay small whatever address a stranger makes up, or a server in front takes the site for broken."""

from __future__ import annotations

import pytest
from tests.site.test_http import ROWS
from tests.site.wire import Wire

LARGEST_HEAD = 24 * 1024
"""Bytes: deploy/nginx.conf has room for 32 kB, and what does not fit counts there against the site."""


@pytest.mark.parametrize("name", ["a" * 7_000, "%D0%B6" * 1_200, "a/" * 90, "/" * 90])
def test_a_long_address_makes_no_long_head(name: str, wire: Wire) -> None:
    for row in ROWS:
        for target in (
            f"{row.path}{'&' if '?' in row.path else '?'}more={name}",
            f"{row.path.partition('?')[0]}/{name}",
        ):
            for accept in (row.accept, "text/turtle"):
                answer = wire.ask(target, Accept=accept)
                size = sum(len(key) + len(value) + 4 for key, value in answer.headers)
                assert size < LARGEST_HEAD, (target[:60], size)
                assert answer.status < 500, target[:60]


def test_a_path_of_slashes_is_refused(wire: Wire) -> None:
    """Every link of its page would go up as many steps."""
    for path in ("/" * 7_000, "/page/" + "a/" * 3_000):
        answer = wire.ask(path)
        assert (answer.status, len(answer.body) < 200) == (414, True), path[:60]
    assert wire.ask("/search?q=" + "/" * 7_000).status == 200
