"""Cells in processes of their own, several at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from cleanplate.benchmark.results import CellResult
from cleanplate.benchmark.store import CellStore
from cleanplate.benchmark.worker import CellTask

COMMAND = (sys.executable, "-m", "cleanplate.benchmark.worker")
"""What measures one cell."""
_SECONDS_BETWEEN_LOOKS = 0.05
_SAID_AT_MOST = 300


@dataclass
class _Running:
    """A process that measures a cell."""

    name: str
    task: CellTask
    process: subprocess.Popen[str]
    log: IO[str]
    begun: float


def run_tasks(
    tasks: Sequence[tuple[str, CellTask]], store: CellStore, *, jobs: int
) -> Iterator[CellResult]:
    """Measures cells and gives their results as they come; a process that dies is a failed cell.

    When the iteration ends, also by an exception, no process is left.

    Args:
        tasks: Name and task of each cell.
        store: Where the results go.
        jobs: Most processes at a time; they share the processors evenly.
    """
    waiting = list(reversed(tasks))
    running: list[_Running] = []
    threads = max(1, (os.cpu_count() or 1) // jobs)
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running.append(_start(*waiting.pop(), store, threads))
            for each in [each for each in running if each.process.poll() is not None]:
                running.remove(each)
                yield _finish(each, store)
            time.sleep(_SECONDS_BETWEEN_LOOKS)
    finally:
        for each in running:
            each.process.kill()
            each.process.wait()
            _close(each)


def _start(name: str, task: CellTask, store: CellStore, threads: int) -> _Running:
    store.make_work(name)
    store.path(name).unlink(missing_ok=True)  # one that failed before
    log = store.open_log(name)
    given = os.environ.get("OMP_NUM_THREADS", "")
    allowed = min(threads, int(given)) if given.isdecimal() and int(given) else threads
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": str(allowed),
        # What it keeps while it learns goes when the folder goes, and is not on a small /tmp.
        "TMPDIR": str(task.work),
        "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE"),
    }
    process = subprocess.Popen(  # noqa: S603 - our own command, no shell
        (*COMMAND, str(os.getpid())),
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        text=True,
        env=environment,
        # Ctrl-C is for the process that started us; we end our processes ourselves.
        start_new_session=True,
    )
    assert process.stdin is not None
    with suppress(BrokenPipeError):  # it died at once, which `_finish` will say
        process.stdin.write(task.model_dump_json() + "\n")
        process.stdin.flush()
    return _Running(name, task, process, log, time.monotonic())


def _finish(each: _Running, store: CellStore) -> CellResult:
    task = each.task
    result = store.read(each.name, task.result.identity)
    code = each.process.returncode
    if result is None:
        wall = round(time.monotonic() - each.begun, 3)
        values = {"failed": _reason(code, each.log), "wall_seconds": wall}
        result = task.result.model_copy(update=values)
        store.write(each.name, result)
    _close(each)
    if result.failed is None:
        store.remove_log(each.name)
    store.remove_work(each.name)
    return result


def _close(each: _Running) -> None:
    each.log.close()
    if each.process.stdin is not None:
        with suppress(BrokenPipeError):
            each.process.stdin.close()


def _reason(code: int, log: IO[str]) -> str:
    if code < 0:
        name = signal.Signals(-code).name
        hint = "; the system may have run out of memory" if name == "SIGKILL" else ""
        return f"the process was ended by {name}{hint}"
    log.flush()
    log.seek(0)
    said = log.read().strip().splitlines()
    last = f": {said[-1][:_SAID_AT_MOST]}" if said else ""
    return f"the process ended with code {code}{last}"
