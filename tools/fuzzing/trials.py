"""Processes that try inputs one after the other, and the one that watches over them."""

from __future__ import annotations

import json
import os
import queue
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import Any

from fuzzing.kinds import KINDS

_MOST_MESSAGE = 1000
_START_SECONDS = 120.0
_ADDRESS_SPACE = 6 << 30
"""Bytes after which a process that runs wild is refused more, so that the machine survives."""
_MEBIBYTE = 1 << 20
_BATCH = 500
"""Inputs of one worker; then a fresh one begins."""


@dataclass(frozen=True)
class Trials:
    """Which inputs are tried."""

    kind: str
    seed: int
    numbers: range

    def random(self, number: int) -> Random:
        """What one input is made of."""
        return Random(f"{self.seed} {self.kind} {number}")


@dataclass(frozen=True)
class Limits:
    """What one input may take."""

    seconds: float
    megabytes: int


def run_trials(trials: Trials, limits: Limits, *, workers: int) -> int:
    """Tries all of them, says what was found, and returns the number of unclean ones."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cleanplate-seeds-") as seeds:
        KINDS[trials.kind].prepare(Path(seeds))
        starts = range(trials.numbers.start, trials.numbers.stop, _BATCH)
        batches = [range(each, min(each + _BATCH, trials.numbers.stop)) for each in starts]
        found: Counter[str] = Counter()
        with ThreadPoolExecutor(workers) as pool:
            watch = partial(_watch, trials, limits, Path(seeds))
            for counts in pool.map(watch, batches):
                found += counts
    seconds = time.monotonic() - begun
    unclean = found.pop("unclean", 0)
    others = ", ".join(f"{count} {name}" for name, count in sorted(found.items()))
    count = len(trials.numbers)
    _say(f"{trials.kind}: {count} tried in {seconds:.0f} s, {unclean} unclean; {others}")
    return unclean


def _watch(trials: Trials, limits: Limits, seeds: Path, numbers: range) -> Counter[str]:
    """Has a batch tried by a process, and by another one from where that one ended."""
    found: Counter[str] = Counter()
    tried_again: set[int] = set()
    number = numbers.start
    while number < numbers.stop:
        with _Worker(trials, seeds, range(number, numbers.stop)) as worker:
            while number < numbers.stop:
                answer = worker.answer(limits.seconds)
                problem = _problem(answer, limits)
                if answer is None and worker.is_slow and number not in tried_again:
                    tried_again.add(number)  # perhaps the machine was busy
                    break
                if problem:
                    found["unclean"] += 1
                    replay = f"--kinds {trials.kind} --seed {trials.seed} --only {number}"
                    _say(f"{trials.kind} {number}: {problem}\n    python tools/fuzz.py {replay}")
                else:
                    assert answer is not None
                    found[answer["outcome"]] += 1
                    found["said something on stderr"] += answer["noise"]
                number += 1
                if answer is None:
                    break
    return found


def _problem(answer: dict[str, Any] | None, limits: Limits) -> str | None:
    if answer is None:
        return "hung or crashed"
    if answer["outcome"] == "unclean":
        return f"{answer['error']} ({answer['made']})"
    if answer["megabytes"] > limits.megabytes:
        return f"took {answer['megabytes']} MB ({answer['made']})"
    if answer["seconds"] > limits.seconds:
        return f"took {answer['seconds']:.1f} s ({answer['made']})"
    return None


class _Worker:
    """A process that tries inputs and says a line for each of them."""

    def __init__(self, trials: Trials, seeds: Path, numbers: range) -> None:
        tool = Path(__file__).parents[1] / "fuzz.py"
        command = [sys.executable, str(tool), "--kinds", trials.kind, "--seed", str(trials.seed)]
        command += ["--first", str(numbers.start), "--count", str(len(numbers))]
        self._process = subprocess.Popen(
            [*command, "--work", str(seeds)], stdout=subprocess.PIPE, text=True
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._seconds = _START_SECONDS
        self.is_slow = False
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def answer(self, seconds: float) -> dict[str, Any] | None:
        """What became of the next input; None: the process hangs or has died."""
        try:
            # Each line is written when the next input begins to be made, so that is in it.
            line = self._lines.get(timeout=self._seconds + 1)
        except queue.Empty:
            self.is_slow = True
            return None
        self._seconds = seconds
        answer: dict[str, Any] | None = json.loads(line) if line else None
        return answer

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")


def work(trials: Trials, seeds: Path) -> None:
    """What a worker does."""
    from cleanplate import architectures

    # Looking for other packages takes longer than all the rest, and they stay the same.
    architectures.entry_points = cache(architectures.entry_points)
    with tempfile.TemporaryDirectory(prefix="cleanplate-fuzz-") as name:
        said = _redirect_stderr(Path(name) / "stderr")
        resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
        answers = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
        for number in trials.numbers:
            place = Path(name) / str(number)
            answer = _try(trials, seeds, place, number)
            size = os.fstat(said).st_size
            answer["noise"] = int(size > 0)
            os.ftruncate(said, 0)
            answers.write(json.dumps(answer) + "\n")
            answers.flush()
            shutil.rmtree(place, ignore_errors=True)


def _try(trials: Trials, seeds: Path, place: Path, number: int) -> dict[str, Any]:
    random = trials.random(number)
    place.mkdir()
    made = KINDS[trials.kind].make(place, seeds, random)
    before = _forget_peak()
    begun = time.process_time()
    error = _error_of(partial(KINDS[trials.kind].use, place, random))
    seconds = time.process_time() - begun
    return {
        "outcome": "opened" if error is None else _outcome(error),
        "error": "" if error is None else f"{type(error).__name__}: {str(error)[:300]!r}",
        "made": made,
        "seconds": seconds,
        "megabytes": max(0, _peak() - before) // _MEBIBYTE,
    }


def _error_of(action: Any) -> BaseException | None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            action()
        except BaseException as error:  # noqa: BLE001 - all of them are findings
            return error
    return None


def _outcome(error: BaseException) -> str:
    from cleanplate.errors import CleanplateError

    message = str(error)
    is_sentence = message.isprintable() and len(message) <= _MOST_MESSAGE
    return "refused" if isinstance(error, CleanplateError) and is_sentence else "unclean"


def try_one(kind: str, seed: int, number: int, *, keep: Path | None) -> int:
    """Tries one input in this process and shows what became of it."""
    trials = Trials(kind, seed, range(number, number + 1))
    with tempfile.TemporaryDirectory(prefix="cleanplate-seeds-") as name:
        seeds, place = Path(name) / "seeds", (keep or Path(name)) / str(number)
        seeds.mkdir()
        place.mkdir(parents=True)
        KINDS[kind].prepare(seeds)
        random = trials.random(number)
        _say(KINDS[kind].make(place, seeds, random))
        error = _error_of(partial(KINDS[kind].use, place, random))
        if error is not None:
            traceback.print_exception(error)
        outcome = "opened" if error is None else _outcome(error)
        _say(outcome)
        return 1 if outcome == "unclean" else 0


def _redirect_stderr(path: Path) -> int:
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600)
    os.dup2(descriptor, 2)
    return descriptor


def _forget_peak() -> int:
    """Lets the peak of memory begin anew where the system can do that; what is held, in bytes."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> int:
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    line = next(each for each in status.splitlines() if each.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
