"""What torch computes on one thread, while the threads of everybody else stay as they are."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

_Result = TypeVar("_Result")
_workers: dict[int, ThreadPoolExecutor] = {}
"""The thread that computes alone, by process: threads do not go with a fork."""
_opening = threading.Lock()


def on_one_thread(function: Callable[[], _Result]) -> _Result:
    """Result of a function that is called in a thread for which torch computes without others.

    For what is too short to be shared by threads that the rest of a pipeline needs, and for what
    must leave no threads behind that a forked process would wait for. The function must not ask
    for another one, and switches off gradients itself.

    Torch's number of threads belongs in part to the thread that sets it and in part to the
    process. Setting it and setting it back around a computation would leave one to threads that
    begin meanwhile, or that do the same, for good.
    """
    worker = _workers.get(os.getpid()) or _opened()
    return worker.submit(function).result()


def _compute_alone() -> None:
    torch.get_num_threads()  # a thread takes the number of the process once: before it is set here
    torch.set_num_threads(1)


def _opened() -> ThreadPoolExecutor:
    with _opening:
        process = os.getpid()
        if process not in _workers:
            before = torch.get_num_threads()
            worker = ThreadPoolExecutor(1, thread_name_prefix="cleanplate-torch")
            worker.submit(_compute_alone).result()
            torch.set_num_threads(before)  # for threads that are yet to begin
            _workers[process] = worker
        return _workers[process]
