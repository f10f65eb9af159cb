"""One client's share: what it may use, when it is let in again, and who counts as one client."""

from __future__ import annotations

import pytest

from kg.config import Serve
from kg.errors import QueryLimited
from kg.query.fairness import CLIENTS, Fairness
from kg.site.sparql.client import Clients


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


def spend(fairness: Fairness, clock: Clock, seconds: float, outcome: str = "answered", client: str = "a") -> None:
    account = fairness.enter(client)
    clock.time += seconds
    fairness.leave(account, seconds, outcome)


def test_a_burst_is_free_and_then_it_is_so_many_seconds_a_minute() -> None:
    clock = Clock()
    fairness = Fairness(Serve(seconds=60, burst=120), clock)
    accounts = [fairness.enter("a") for _ in range(5)]
    clock.time += 40
    for account in accounts:
        fairness.leave(account, 40, "answered")
    # 5 × 40 s were used; 120 s were there, and 40 s come back while they ran, but never above the burst.
    with pytest.raises(QueryLimited) as caught:
        fairness.enter("a")
    assert caught.value.retry_after == pytest.approx(41, abs=1)
    spend(fairness, clock, 0, client="b")
    clock.time += caught.value.retry_after
    spend(fairness, clock, 0)


def test_one_query_after_the_other_is_never_too_much() -> None:
    clock = Clock()
    fairness = Fairness(Serve(), clock)
    for _ in range(100):
        spend(fairness, clock, 9.9)


def test_five_at_once_and_fifteen_that_wait() -> None:
    fairness = Fairness(Serve(), Clock())
    accounts = [fairness.enter("a") for _ in range(5 + 15)]
    assert fairness.may_run(accounts[0])
    accounts[0].running = 5
    assert not fairness.may_run(accounts[0])
    with pytest.raises(QueryLimited) as caught:
        fairness.enter("a")
    assert caught.value.retry_after == 1
    fairness.leave(accounts[0], 0, "left")
    fairness.enter("a")


@pytest.mark.parametrize("outcome", ["refused", "killed_deadline", "killed_memory"])
def test_errors_have_a_share_of_their_own(outcome: str) -> None:
    clock = Clock()
    fairness = Fairness(Serve(errors=30), clock)
    for _ in range(30):
        spend(fairness, clock, 0, outcome)
    with pytest.raises(QueryLimited) as caught:
        fairness.enter("a")
    assert caught.value.retry_after == 2
    clock.time += 2
    spend(fairness, clock, 0)


def test_0_switches_a_bound_off() -> None:
    clock = Clock()
    fairness = Fairness(Serve(seconds=0, errors=0, at_once=0), clock)
    for _ in range(100):
        fairness.enter("a")
        spend(fairness, clock, 100, "refused")


def test_the_table_of_clients_has_a_bound() -> None:
    fairness = Fairness(Serve(), Clock())
    for n in range(CLIENTS + 10):
        fairness.leave(fairness.enter(str(n)), 0, "answered")
    assert len(fairness._accounts) == CLIENTS


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "client"),
    [
        ((), "10.0.0.1", "192.0.2.7", "10.0.0.1"),
        (("10.0.0.1",), "10.0.0.1", "192.0.2.7", "192.0.2.7"),
        (("10.0.0.1",), "10.0.0.1", "203.0.113.9, 192.0.2.7", "192.0.2.7"),
        (("10.0.0.0/8",), "10.0.0.1", "203.0.113.9, 192.0.2.7, 10.2.0.1", "192.0.2.7"),
        (("10.0.0.1",), "10.0.0.2", "192.0.2.7", "10.0.0.2"),
        (("10.0.0.1",), "10.0.0.1", "", "10.0.0.1"),
        (("10.0.0.1",), "10.0.0.1", "nonsense", "10.0.0.1"),
        ((), "2001:db8:1:2:3::4", "", "2001:db8:1:2::/64"),
        ((), "::ffff:192.0.2.7", "", "192.0.2.7"),
    ],
)
def test_who_the_client_is_behind_a_proxy_is_believed_of_trusted_ones_only(
    trusted: tuple[str, ...], peer: str, forwarded: str, client: str
) -> None:
    assert Clients(trusted).of(peer, forwarded) == client


def test_less_than_one_error_a_minute_is_one_in_several() -> None:
    clock = Clock()
    fairness = Fairness(Serve(errors=0.5), clock)
    fairness.leave(fairness.enter("a"), 0, "refused")
    with pytest.raises(QueryLimited):
        fairness.enter("a")
    clock.time += 121
    fairness.leave(fairness.enter("a"), 0, "answered")
