"""Queries run in processes that can be killed, and whoever asks learns what happened."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from pyoxigraph import QuerySolutions, QueryTriples, Store
from tests.patience import until
from tests.query.conftest import BASE, GRAPH, ROUGH, SIZE, begun, children

from kg import media
from kg.errors import QueryBusy, QueryError, QueryKilled, QueryLeft, QueryRefused
from kg.query.base import Query
from kg.query.limits import Limits
from kg.query.pool import Pool

JSON, CSV, TSV = "application/sparql-results+json", "text/csv", "text/tab-separated-values"
ALL = "SELECT ?s ?o { ?s ?p ?o }"
RUNAWAY = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } ORDER BY ?c ?f ?i"
ENDLESS = "SELECT * { ?a ?b ?c . ?d ?e ?f }"
SILENT = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"


def ask(pool: Pool, text: str, media_type: str = JSON, **options: object) -> bytes:
    with pool.run(Query(text, media_type, **options)) as answer:  # type: ignore[arg-type]
        return b"".join(answer.chunks)


@pytest.mark.parametrize("media_type", list(media.RESULTS_BY_TYPE))
def test_solutions_arrive_whole_in_every_format(media_type: str, pool: Pool, store: Path) -> None:
    results = Store.read_only(str(store)).query(ALL)
    assert isinstance(results, QuerySolutions)
    assert ask(pool, ALL, media_type) == results.serialize(format=media.RESULTS_BY_TYPE[media_type].format)


@pytest.mark.parametrize("media_type", list(media.RDF_BY_TYPE))
def test_graphs_arrive_whole_in_every_format(media_type: str, pool: Pool, store: Path) -> None:
    query = "CONSTRUCT WHERE { ?s ?p ?o }"
    results = Store.read_only(str(store)).query(query)
    assert isinstance(results, QueryTriples)
    assert ask(pool, query, media_type) == results.serialize(format=media.RDF_BY_TYPE[media_type].format)


def test_relative_iris_start_at_the_base(pool: Pool) -> None:
    assert json.loads(ask(pool, "ASK { <7> <says> ?o }"))["boolean"] is True


def test_the_default_graph_is_not_the_union(pool: Pool) -> None:
    assert json.loads(ask(pool, "ASK { <other> ?p ?o }"))["boolean"] is False


@pytest.mark.parametrize(
    ("query", "default", "named", "expected"),
    [
        ("ASK { <other> ?p ?o }", [GRAPH.value], [], True),
        ("ASK { <7> ?p ?o }", [GRAPH.value], [], False),
        ("ASK { GRAPH ?g { <other> ?p ?o } }", [GRAPH.value], [], False),
        ("ASK { GRAPH ?g { <other> ?p ?o } }", [], [GRAPH.value], True),
        ("ASK { <7> ?p ?o }", [], [GRAPH.value], False),
        ("ASK FROM <nothing> { <other> ?p ?o }", [GRAPH.value], [], True),
        ("ASK FROM NAMED <nothing> { GRAPH ?g { <other> ?p ?o } }", [], [GRAPH.value], True),
        ("ASK FROM <graph> { <other> ?p ?o }", [], [], True),
        ("ASK FROM <graph> { <7> ?p ?o }", [], [], False),
    ],
)
def test_the_dataset_of_the_request_wins(
    query: str, default: list[str], named: list[str], expected: bool, pool: Pool
) -> None:
    answer = ask(pool, query, default_graphs=default, named_graphs=named)
    assert json.loads(answer)["boolean"] is expected


@pytest.mark.parametrize(
    ("query", "line", "column"),
    [("SELECT *\n{ ?s ?p }", 2, 9), ("ASK {\n ?s nope:x 1 }", 2, 5), ("ASK { ?s <a b> 1 }", 1, 15)],
)
def test_a_syntax_error_says_where(query: str, line: int, column: int, pool: Pool) -> None:
    with pytest.raises(QueryRefused) as caught:
        pool.run(Query(query, JSON))
    assert caught.value.line == line
    assert abs(caught.value.column - column) <= 1
    assert "[" not in str(caught.value)


def test_a_dataset_that_is_no_iri_is_refused(pool: Pool) -> None:
    with pytest.raises(QueryRefused):
        pool.run(Query("ASK {}", JSON, ["not an iri"]))


@pytest.mark.parametrize("query", [RUNAWAY, SILENT])
def test_a_runaway_query_is_killed_at_its_deadline_while_others_are_answered(
    query: str, make_pool: Callable[..., Pool]
) -> None:
    pool = make_pool(memory=8 << 30)
    ask(pool, "ASK {}")
    outcome: list[tuple[QueryError, float]] = []
    enough = threading.Event()

    def run_away(timeout: float | None) -> None:
        start = time.monotonic()
        with pytest.raises(QueryError) as caught:
            pool.run(Query(query, JSON, timeout=timeout), gone=enough.is_set)
        outcome.append((caught.value, time.monotonic() - start))

    thread = threading.Thread(target=run_away, args=(None,))
    thread.start()
    until(lambda: pool.statistics()["busy"] == 1)
    for _ in range(10):
        ask(pool, "SELECT * { <7> ?p ?o }")
    assert thread.is_alive(), "they did not wait for its end"
    enough.set()
    thread.join()
    enough.clear()
    run_away(1.5)
    (left, _), (killed, seconds) = outcome
    assert isinstance(left, QueryLeft)
    assert isinstance(killed, QueryKilled)
    assert killed.limit == "deadline"
    assert 1.5 <= seconds < 8, "the deadline of the pool is 60"


def test_a_killed_worker_is_replaced_at_once(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool(workers=1, spares=0)
    ask(pool, "ASK {}")

    def at_once() -> bool:
        with pytest.raises(QueryKilled):
            ask(pool, SILENT, timeout=0.5)
        start = time.monotonic()
        ask(pool, "ASK {}")
        return time.monotonic() - start < 1

    until(at_once)  # the best counts: other processes may hold the processors


def test_with_a_spare_nobody_waits_for_a_replacement(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool(workers=1, spares=1)
    ask(pool, "ASK {}")
    until(lambda: pool.statistics()["idle"] == 2)
    with pytest.raises(QueryKilled):
        ask(pool, SILENT, timeout=0.5)
    assert pool.statistics()["idle"] >= 1


def test_a_query_that_takes_too_much_memory_is_killed_for_that(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool(memory=128 << 20)
    with pytest.raises(QueryKilled) as caught:
        ask(pool, RUNAWAY)
    assert caught.value.limit == "memory"
    assert ask(pool, "ASK {}")


def test_a_parser_that_leaves_its_stack_takes_nobody_with_it(pool: Pool) -> None:
    # The lexer refuses this; here it is switched off.
    with pytest.raises(QueryKilled):
        ask(pool, "ASK " + "{" * 100_000)
    assert ask(pool, "ASK {}")


@pytest.mark.parametrize("query", ["{" * 127 + "}" * 127, "FILTER" + "(" * 127 + "1" + ")" * 127])
def test_depth_128_works(query: str, pool: Pool) -> None:
    assert b"true" in ask(pool, f"ASK {{ {query} }}")


@pytest.mark.parametrize("media_type", list(media.RESULTS_BY_TYPE))
def test_rows_are_counted_exactly_whatever_they_hold(media_type: str, make_pool: Callable[..., Pool]) -> None:
    pool = make_pool(rows=3000)
    whole = ask(pool, f"{ALL} LIMIT 3000", media_type)
    if media_type == CSV:
        assert len(list(csv.reader(io.StringIO(whole.decode(), newline="")))) == 3001
    with pytest.raises(QueryKilled) as caught:
        ask(pool, f"{ALL} LIMIT 3001", media_type)
    assert caught.value.limit == "rows"


@pytest.mark.parametrize("media_type", list(media.RDF_BY_TYPE))
def test_triples_are_counted_too(media_type: str, make_pool: Callable[..., Pool]) -> None:
    pool = make_pool(rows=100)
    query = "CONSTRUCT WHERE { ?s ?p ?o } LIMIT "
    assert ask(pool, query + "100", media_type)
    with pytest.raises(QueryKilled):
        ask(pool, query + "101", media_type)


@pytest.mark.parametrize("media_type", list(media.RESULTS_BY_TYPE))
def test_an_answer_that_is_cut_after_its_first_byte_is_an_error(
    media_type: str, make_pool: Callable[..., Pool]
) -> None:
    pool = make_pool(bytes=1_000_000)
    received = 0
    with pool.run(Query(ALL, media_type)) as answer, pytest.raises(QueryKilled) as caught:  # noqa: PT012 - out of the loop
        for chunk in answer.chunks:
            received += len(chunk)
    assert 0 < received <= 1_000_000
    assert caught.value.limit == "bytes"


def test_a_stream_that_runs_over_its_deadline_breaks(make_pool: Callable[..., Pool]) -> None:
    with begun(make_pool(), ENDLESS) as answer, pytest.raises(QueryKilled) as caught:
        for _ in answer.chunks:
            pass
    assert caught.value.limit == "deadline"


def test_an_answer_that_nobody_reads_frees_its_worker_at_the_deadline(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool(workers=1, spares=0)
    with begun(pool, ENDLESS) as answer:
        assert ask(pool, "ASK {}")  # would be QueryBusy
        with pytest.raises(QueryKilled):
            for _ in answer.chunks:
                pass


def test_whoever_stops_reading_frees_the_worker(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool(workers=1, spares=1)
    answer = pool.run(Query(ENDLESS, CSV))
    next(answer.chunks)
    answer.chunks.close()
    assert pool.statistics()["busy"] == 0
    assert ask(pool, "ASK {}")


def test_a_client_that_leaves_is_noticed_while_no_row_is_made(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool(workers=1, spares=1)
    left = threading.Event()
    threading.Timer(0.3, left.set).start()
    start = time.monotonic()
    with pytest.raises(QueryLeft):
        pool.run(Query(SILENT, JSON), gone=left.is_set)
    assert time.monotonic() - start < 30, "its deadline is 60"
    assert pool.statistics()["busy"] == 0


def test_no_free_worker_is_busy_after_the_wait(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool(workers=1, wait=0.3)
    until(lambda: pool.statistics()["idle"] == 2)
    with pool.run(Query(ENDLESS, CSV)):
        start = time.monotonic()
        with pytest.raises(QueryBusy) as caught:
            ask(pool, "ASK {}")
        assert 0.25 < time.monotonic() - start < 30, "the deadline of the one that runs is 60"
    assert caught.value.retry_after > 0
    assert ask(pool, "ASK {}")


def test_no_first_query_is_told_that_workers_are_taken_which_are_only_starting(
    make_pool: Callable[..., Pool],
) -> None:
    pool = make_pool(workers=1, wait=0)
    assert ask(pool, "ASK {}")
    with pool.run(Query(ENDLESS, CSV)), pytest.raises(QueryBusy):
        ask(pool, "ASK {}")


def test_a_queue_that_is_full_turns_away_at_once(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool(workers=1, queue=0)
    with pool.run(Query(ENDLESS, CSV)):
        start = time.monotonic()
        with pytest.raises(QueryBusy):
            ask(pool, "ASK {}")
        assert time.monotonic() - start < 30, "others wait for 60"


def test_a_preview_is_bounded_and_says_so(pool: Pool) -> None:
    found = json.loads(ask(pool, ALL, preview=3))
    assert found["vars"] == ["s", "o"]
    assert (len(found["rows"]), found["more"]) == (3, True)
    assert found["rows"][0][1]["value"].endswith(ROUGH)
    assert json.loads(ask(pool, "SELECT * { <7> ?p ?o }", preview=3))["more"] is False
    assert json.loads(ask(pool, "CONSTRUCT WHERE { <7> ?p ?o }", preview=3))["vars"][0] == "subject"
    assert json.loads(ask(pool, "ASK {}", preview=3)) == {"boolean": True}


def test_many_threads_share_a_pool(pool: Pool) -> None:
    wrong: list[bytes] = []

    def client(number: int) -> None:
        for n in range(number, number + 20):
            answer = ask(pool, f"SELECT ?o {{ <{n}> ?p ?o }}", TSV)
            if f'"{n},'.encode() not in answer:
                wrong.append(answer)

    threads = [threading.Thread(target=client, args=(n * 100,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_worker_that_is_killed_from_outside_is_replaced(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool(workers=1, spares=0)
    ask(pool, "ASK {}")
    (worker,) = children(broker_of(pool))
    kill(worker)
    until(lambda: worker not in children())
    assert ask(pool, "ASK {}")


def test_a_broker_that_is_killed_is_replaced_with_its_workers(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool(workers=1, spares=1)
    ask(pool, "ASK {}")
    broker = broker_of(pool)
    processes = {broker, *children(broker)}
    kill(broker)
    assert pool.statistics()["busy"] == 0, "whoever asks in this moment gets an answer"
    until(lambda: not processes & children())
    until(lambda: pool.statistics()["idle"] == 2)
    assert ask(pool, "ASK {}")


def test_a_store_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    pool = Pool(tmp_path / "nothing", BASE, Limits(workers=1, spares=0))
    with pytest.raises(QueryError, match="no query can run"):
        ask(pool, "ASK {}")
    pool.close()


def test_close_leaves_no_process(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool()
    ask(pool, "ASK {}")
    answer = pool.run(Query(ENDLESS, CSV))
    broker = broker_of(pool)
    processes = {broker, *children(broker)}
    assert len(processes) > 1
    pool.close()
    assert processes & children() == set()
    with pytest.raises(QueryError):
        for _ in answer.chunks:
            pass
    answer.close()
    with pytest.raises(QueryError):
        pool.run(Query("ASK {}", JSON))


def test_an_idle_pool_takes_no_processor_time(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool()
    ask(pool, "ASK {}")
    until(lambda: pool.statistics()["idle"] == 3)

    def idle() -> bool:
        used = time.process_time()
        time.sleep(1)
        return time.process_time() - used < 0.1

    until(idle)  # what was closed just before may be at its end only now


def test_size_of_the_store_is_what_these_tests_assume(pool: Pool) -> None:
    assert f'"{SIZE}"'.encode() in ask(pool, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")


def broker_of(pool: Pool) -> int:
    """The broker that a pool has for itself."""
    assert pool._own is not None
    assert pool._own._broker is not None
    return pool._own._broker.pid


def parent_is_broker(pid: int) -> bool:
    try:
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        return b"kg.query.broker" in Path(f"/proc/{parent}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return False


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
