"""Reading ahead in a thread that always ends."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from cleanplate.video import in_batches, read_ahead


def fetching_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "read-ahead"]


def test_items_keep_their_order() -> None:
    assert list(read_ahead(range(100), depth=3)) == list(range(100))
    assert not fetching_threads()


def test_no_items_are_no_problem() -> None:
    assert list(read_ahead([])) == []


def test_an_error_arrives_after_the_items_before_it() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    items = read_ahead(failing())
    assert next(items) == 1
    with pytest.raises(ValueError, match="broken"):
        next(items)
    assert not fetching_threads()


def test_stopping_early_ends_the_thread_and_closes_the_items() -> None:
    closed = threading.Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            closed.set()

    items = read_ahead(endless(), depth=2)
    assert next(items) == 0
    items.close()
    assert closed.is_set()
    assert not fetching_threads()


def test_no_more_than_the_depth_is_fetched_ahead() -> None:
    fetched: list[int] = []

    def noted() -> Iterator[int]:
        for item in range(50):
            fetched.append(item)
            yield item

    items = read_ahead(noted(), depth=4)
    for item in items:
        assert len(fetched) <= item + 1 + 4 + 1


def test_batches_are_full_but_the_last() -> None:
    assert list(in_batches(range(5), 2)) == [(0, 1), (2, 3), (4,)]
    assert list(in_batches([], 2)) == []


def test_a_failure_comes_after_the_batch_of_the_items_before_it() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    batches = in_batches(failing(), 8)
    assert next(batches) == (1,)
    with pytest.raises(ValueError, match="broken"):
        next(batches)


LEFT = """
import sys, time
from cleanplate.video import read_ahead

def slow(items):
    for item in items:
        time.sleep(0.01)
        yield item

def endless():
    try:
        while True:
            yield 0
    finally:
        print("closed", flush=True)

items = read_ahead(slow(read_ahead(endless(), depth=2)), depth=2)
assert next(items) == 0
sys.exit(7)
"""


def test_a_program_that_leaves_items_unread_ends_their_threads() -> None:
    """Else Python stops them wherever they are, which aborts a process within OpenCV or torch."""
    done = subprocess.run(
        [sys.executable, "-c", LEFT], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (7, "closed\n", "")


BLOCKED = """
import threading
from cleanplate.video import read_ahead

def blocked():
    yield 0
    threading.Event().wait()

items = read_ahead(blocked())
assert next(items) == 0
"""


def test_a_program_ends_though_an_item_never_comes() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
