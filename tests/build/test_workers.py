"""Who makes the parts: a task outlives the process that it was given to, and what was begun ends with its context."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from tests.patience import until

from kg.build.workers import Pool, workers
from kg.errors import BuildError


def die_once(path: str) -> int:
    """A task that ends its process the first time it is run."""
    if not Path(path).exists():
        Path(path).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def die(_: str) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def test_a_task_whose_process_was_killed_is_given_to_another(tmp_path: Path) -> None:
    with workers(2) as pool:
        made = dict(pool.map(die_once, [str(tmp_path / "a"), str(tmp_path / "b")]))
    assert len(made) == 2
    assert os.getpid() not in made.values()


def test_a_task_that_kills_every_process_is_named() -> None:
    pool = Pool(1)
    with pytest.raises(BuildError, match="a worker process died 4 times over that-file"):
        list(pool.map(die, ["that-file"]))
    pool.close()


def leave(path: Path) -> Path:
    """A task that takes a moment."""
    time.sleep(0.2)
    path.touch()
    return path


@pytest.mark.parametrize("count", [0, 2])
def test_what_was_begun_is_done_when_it_is_asked_for(count: int, tmp_path: Path) -> None:
    paths = [tmp_path / str(n) for n in range(5)]
    with workers(count) as pool, pool.begun(leave, paths) as results:
        if count:
            until(lambda: all(path.exists() for path in paths))
        assert sorted(results) == [(path, path) for path in paths]


def test_what_was_begun_and_is_not_wanted_any_more_ends_with_its_context(tmp_path: Path) -> None:
    paths = [tmp_path / str(n) for n in range(40)]
    with workers(2) as pool:
        with pool.begun(leave, paths):
            until(lambda: any(path.exists() for path in paths))
        done = [path for path in paths if path.exists()]
        assert len(done) < len(paths)
        assert dict(pool.map(abs, [-1, -2])) == {-1: 1, -2: 2}
    assert [path for path in paths if path.exists()] == done


def test_two_things_that_were_begun_survive_the_same_death(tmp_path: Path) -> None:
    deadly, others = [str(tmp_path / "a")], list(range(30))
    with workers(2) as pool, pool.begun(die_once, deadly) as first, pool.begun(abs, others) as second:
        assert len(list(first)) == 1
        assert sorted(second) == [(n, n) for n in others]
