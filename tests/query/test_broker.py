"""One broker a machine: pools of several processes share its workers, its limits and its accounts."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from tests.patience import PATIENCE, until
from tests.query.conftest import BASE, begun, children
from tests.query.test_pool import ENDLESS, JSON, SILENT, ask, kill, parent_is_broker

from kg.config import Serve
from kg.errors import QueryBusy, QueryKilled, QueryLimited
from kg.query.accounts import Accounts
from kg.query.base import Answer, Query
from kg.query.crew import RECALL
from kg.query.exchange import Exchange
from kg.query.limits import Limits
from kg.query.pool import Pool


@pytest.fixture
def two(store: Path) -> Iterator[tuple[Pool, Pool]]:
    """Two pools as two web processes have them, with one worker between them."""
    exchange = Exchange()
    limits = Limits(workers=1, spares=0, deadline=60, wait=PATIENCE)
    bounds = Serve(errors=3, at_once=1)
    pools = tuple(Pool(store, BASE, limits, exchange=exchange, bounds=bounds) for _ in range(2))
    yield pools  # type: ignore[misc]  # two of them
    for pool in pools:
        pool.close()
    exchange.close(0)


def test_one_worker_serves_two_processes_in_turn_and_at_once(two: tuple[Pool, Pool]) -> None:
    for n in range(20):
        for pool in two:
            assert f'"{n},'.encode() in ask(pool, f"SELECT ?o {{ <{n}> ?p ?o }}", "text/tab-separated-values")
    threads = [threading.Thread(target=ask, args=(pool, "ASK {}")) for pool in two for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert two[0].statistics()["idle"] == two[1].statistics()["idle"] == 1


def test_a_client_has_one_account_whichever_process_it_asks(two: tuple[Pool, Pool]) -> None:
    one, other = two
    ask(one, "ASK {}")  # what counts comes soon after one another: an error is forgiven in 20 seconds
    other.fault("a")
    with pytest.raises(QueryKilled):
        one.run(Query(SILENT, JSON, timeout=0.5), client="a")
    one.fault("a")
    with pytest.raises(QueryLimited):
        other.fault("a")
    with other.run(Query("ASK {}", JSON), client="b") as answer:
        assert answer.complete


def test_whoever_is_limited_gets_no_answer_by_the_worker_that_is_kept(two: tuple[Pool, Pool]) -> None:
    one, other = two
    ask(one, "ASK {}")
    for _ in range(3):
        other.fault("a")
    ask(one, "ASK {}")  # its worker stays with this pool
    for _ in range(3):
        with pytest.raises(QueryLimited):
            one.run(Query("ASK {}", JSON), client="a")
    assert ask(one, "ASK {}")


def test_what_short_queries_take_is_drawn_off_although_nobody_was_asked(store: Path) -> None:
    exchange = Exchange()
    bounds = Serve(seconds=0.01, burst=0.05)
    one, other = (
        Pool(store, BASE, Limits(workers=1, wait=PATIENCE), exchange=exchange, bounds=bounds) for _ in range(2)
    )

    def limited(pool: Pool) -> bool:
        try:
            pool.run(Query("ASK {}", JSON), client="a").close()
        except QueryLimited:
            return True
        return False

    until(lambda: limited(one))
    until(lambda: limited(other))
    with one.run(Query("ASK {}", JSON), client="b") as answer:
        assert answer.complete
    one.close()
    other.close()
    exchange.close(0)


def test_of_queries_that_run_elsewhere_the_accounts_hold_for_all_processes() -> None:
    exchange, limits, bounds = Exchange(), Limits(wait=0.3), Serve(errors=2, at_once=1)
    one, other = (Accounts(limits, exchange=exchange, bounds=bounds) for _ in range(2))
    leave = one.enter("a")
    with pytest.raises(QueryLimited, match="are running"):
        other.enter("a")
    other.enter("b")("answered")
    leave("answered")
    other.enter("a")("refused")
    one.enter("a")("killed_deadline")

    def limited() -> bool:
        try:
            other.enter("a")("left")
        except QueryLimited as e:
            return "refused or stopped" in str(e)
        return False

    until(limited)  # what two processes say need not arrive in order
    with pytest.raises(QueryLimited, match="refused or stopped"):
        one.fault("a")
    other.enter("b")("answered")
    one.close()
    other.close()
    exchange.close(0)


def test_a_query_that_runs_elsewhere_waits_for_the_one_before_it_and_costs_its_time() -> None:
    exchange, limits, bounds = Exchange(), Limits(wait=60), Serve(at_once=1, seconds=0.01, burst=0.05)
    one, other = (Accounts(limits, exchange=exchange, bounds=bounds) for _ in range(2))
    leave = one.enter("a")
    began = time.monotonic()
    threading.Timer(0.3, leave, ["answered"]).start()
    other.enter("a")("answered")
    assert time.monotonic() - began >= 0.3
    with pytest.raises(QueryLimited, match="seconds a minute"):
        other.enter("a")
    one.close()
    other.close()
    exchange.close(0)


def test_the_accounts_of_a_process_that_has_gone_are_free_again() -> None:
    exchange, limits, bounds = Exchange(), Limits(wait=30), Serve(at_once=1)
    one, other = (Accounts(limits, exchange=exchange, bounds=bounds) for _ in range(2))
    other.start()
    one.enter("a")
    one.close()
    other.enter("a")("answered")
    other.close()
    exchange.close(0)


def test_a_query_that_lasts_is_counted_and_ended_also_on_the_worker_that_is_kept(two: tuple[Pool, Pool]) -> None:
    one, other = two
    ask(one, "ASK {}")
    with one.run(Query(ENDLESS, JSON)):
        until(lambda: other.statistics()["busy"] == 1)
    ask(one, "ASK {}")
    with begun(one, ENDLESS) as answer, pytest.raises(QueryKilled):
        for _ in answer.chunks:
            pass


def test_one_worker_stays_with_a_process_however_its_queries_overlap(store: Path) -> None:
    exchange = Exchange()
    limits = Limits(workers=2, spares=0, wait=PATIENCE)
    pool, other = (Pool(store, BASE, limits, exchange=exchange) for _ in range(2))
    pool.start()
    beat = Beat(pool._loop)
    for n in range(50):
        threads = [threading.Thread(target=ask, args=(pool, f"ASK {{ <{n}> ?p ?o }}")) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        before = children()
        beat.latest = 0.0
        assert ask(other, "ASK {}")
        # One that is lost track of is replaced when somebody waits for it; so is one of a process that stands still.
        assert before == children() or beat.late() > RECALL / 2
    pool.close()
    other.close()
    exchange.close(0)


class Beat:
    """How many seconds too late an event loop is at most: it stood still so long."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.latest = 0.0
        self._loop = loop
        self._due = loop.time()
        loop.call_soon_threadsafe(self._note)

    def late(self) -> float:
        return max(self.latest, self._loop.time() - self._due)

    def _note(self) -> None:
        self.latest = self.late()
        self._due = self._loop.time() + 0.01
        self._loop.call_at(self._due, self._note)


def test_a_busy_process_leaves_the_other_waiting_in_line(two: tuple[Pool, Pool]) -> None:
    one, other = two
    with begun(one, ENDLESS):
        assert ask(other, "ASK {}")  # when the deadline of the first has passed


def test_a_kept_worker_that_dies_is_replaced(two: tuple[Pool, Pool]) -> None:
    for pool in two:
        before = children()
        ask(pool, "ASK {}")
        for worker in [p for p in before | children() if parent_is_broker(p)]:
            kill(worker)
            until(partial(gone, worker))
        assert ask(pool, "ASK {}")


def gone(pid: int) -> bool:
    return pid not in children()


def test_a_worker_that_is_not_given_back_is_replaced(store: Path) -> None:
    exchange = Exchange()
    limits = Limits(workers=1, spares=0, wait=PATIENCE)
    deaf, other = (Pool(store, BASE, limits, exchange=exchange) for _ in range(2))
    ask(deaf, "ASK {}")
    listens = threading.Event()
    deaf._loop.call_soon_threadsafe(listens.wait)
    try:
        ask(other, "ASK {}")
    finally:
        listens.set()
    ask(deaf, "ASK {}")
    deaf.close()
    other.close()
    exchange.close(0)


def test_the_broker_is_replaced_for_both(two: tuple[Pool, Pool]) -> None:
    for pool in two:
        ask(pool, "ASK {}")
    process = two[0]._exchange._broker if two[0]._exchange else None
    assert process is not None
    broker = process.pid
    kill(broker)
    until(lambda: broker not in children())
    for pool in two:
        assert ask(pool, "ASK {}")


def test_a_broker_that_ended_is_there_again_before_anybody_asks(two: tuple[Pool, Pool]) -> None:
    ask(two[0], "ASK {}")
    exchange = two[0]._exchange
    assert exchange is not None
    assert exchange._broker is not None
    ended = exchange._broker.pid
    kill(ended)
    until(lambda: exchange._broker is not None and exchange._broker.pid not in (ended, 0))
    until(lambda: any(parent_is_broker(pid) for pid in children()))


def test_what_a_client_asks_beside_its_running_query_waits_while_others_are_served(store: Path) -> None:
    exchange, bounds = Exchange(), Serve(at_once=1)
    patient = Limits(workers=2, spares=0, deadline=60, wait=PATIENCE)
    one, other = (Pool(store, BASE, patient, exchange=exchange, bounds=bounds) for _ in range(2))
    hasty = Pool(store, BASE, replace(patient, wait=0.3), exchange=exchange, bounds=bounds)
    answered: list[Answer] = []
    with one.run(Query(ENDLESS, JSON), client="a"):
        with pytest.raises(QueryLimited, match="too many of your queries"):
            hasty.run(Query("ASK {}", JSON), client="a")
        waiting = threading.Thread(
            target=lambda: answered.append(other.run(Query("ASK {}", JSON), client="a")), name="waits"
        )
        waiting.start()
        until(lambda: other.statistics()["waiting"] == 1)
        with other.run(Query("ASK {}", JSON), client="b") as answer:
            assert answer.complete
        assert answered == []
    waiting.join()
    assert [answer.complete for answer in answered] == [True]
    for pool in (one, other, hasty):
        pool.close()
    exchange.close(0)


def test_a_full_queue_counts_the_queries_of_both(store: Path) -> None:
    exchange = Exchange()
    limits = Limits(workers=1, spares=0, deadline=60, queue=0, wait=PATIENCE)
    one, other = (Pool(store, BASE, limits, exchange=exchange) for _ in range(2))
    with one.run(Query(ENDLESS, JSON)), pytest.raises(QueryBusy):
        other.run(Query("ASK {}", JSON))
    one.close()
    other.close()
    broker = exchange._broker
    exchange.close(PATIENCE)
    assert broker is not None
    assert broker.returncode == 0, "it ends by itself when nobody is left"
