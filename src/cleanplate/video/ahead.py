"""Work ahead of the consumer in one background thread."""

from __future__ import annotations

import atexit
import math
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from functools import cache, partial
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class _Message(Generic[Item]):
    """An item, or the end of the items with the error that ended them."""

    items: tuple[Item, ...] = ()
    error: BaseException | None = None


def read_ahead(items: Iterable[Item], depth: int = 8) -> Generator[Item]:
    """The same items in the same order, fetched by one background thread up to `depth` ahead.

    The thread starts with the first item asked for and has ended when this generator has: used
    up, closed, or left by an exception. Errors of the items arrive where they stand among them.
    The items are closed too if they are a generator.
    """
    messages: queue.Queue[_Message[Item]] = queue.Queue(maxsize=depth)
    stop = threading.Event()
    thread = threading.Thread(
        target=_fetch, args=(items, messages, stop), name="read-ahead", daemon=True
    )
    end = partial(_end, thread, messages, stop)
    _end_at_exit()
    _running[thread] = end
    thread.start()
    try:
        while (message := messages.get()).items:
            yield message.items[0]
        if message.error is not None:
            raise message.error
    finally:
        end(math.inf)
        del _running[thread]


_running: dict[threading.Thread, Callable[[float], None]] = {}
"""What ends each thread, in the order in which they began: one that fetches from another first."""
_LONGEST_EXIT = 2.0
"""Time that a program which ends waits for items that are being fetched, in seconds."""


@cache
def _end_at_exit() -> None:
    """Lets a program end that has left some items unread.

    Python does not end the other threads of a process that ends, but stops them wherever they are;
    within OpenCV, PyAV or torch that aborts the process.
    """
    atexit.register(_end_all)


def _end_all() -> None:
    until = time.monotonic() + _LONGEST_EXIT
    for end in list(_running.values()):
        end(until)


def _end(
    thread: threading.Thread,
    messages: queue.Queue[_Message[Item]],
    stop: threading.Event,
    until: float,
) -> None:
    stop.set()
    while thread.is_alive() and time.monotonic() < until:
        _drop_one(messages)
        thread.join(timeout=0.002)


def _fetch(
    items: Iterable[Item], messages: queue.Queue[_Message[Item]], stop: threading.Event
) -> None:
    error: BaseException | None = None
    try:
        for item in items:
            messages.put(_Message((item,)))
            if stop.is_set():
                break
    except BaseException as caught:  # noqa: BLE001 - raised again in the consumer's thread
        error = caught
    finally:
        if isinstance(items, Generator):
            items.close()
        messages.put(_Message(error=error))


def _drop_one(messages: queue.Queue[_Message[Item]]) -> None:
    # A producer that waits for room goes on once a message is dropped, and sees the stop.
    try:
        messages.get_nowait()
    except queue.Empty:
        return


def in_batches(items: Iterable[Item], size: int) -> Generator[tuple[Item, ...]]:
    """Tuples of up to `size` items in their order.

    Unlike `itertools.batched` it gives the items before a failure, and only then the failure.
    """
    batch: list[Item] = []
    try:
        for item in items:
            batch.append(item)
            if len(batch) == size:
                full, batch = tuple(batch), []
                yield full
    except Exception:
        if batch:
            yield tuple(batch)
        raise
    if batch:
        yield tuple(batch)
