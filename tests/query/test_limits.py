"""Limits come from kg.toml, and what cannot be kept is refused by name."""

from __future__ import annotations

import pytest

from kg.errors import ConfigError
from kg.query.limits import Limits


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"dedline": 5}, "query.dedline"),
        ({"deadline": 0}, "query.deadline"),
        ({"deadline": 61}, "max_deadline"),
        ({"depth": 1.5}, "whole number"),
        ({"workers": -1}, "query.workers"),
        ({"memory": 10}, "query.memory"),
        ({"wait": float("nan")}, "query.wait"),
    ],
)
def test_a_setting_that_cannot_be_kept_is_named(settings: dict[str, float], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Limits.from_settings(settings)


def test_a_request_may_lower_the_deadline_only() -> None:
    limits = Limits.from_settings({"deadline": 10})
    assert [limits.seconds(asked) for asked in (None, 3, 30)] == [10, 3, 10]
