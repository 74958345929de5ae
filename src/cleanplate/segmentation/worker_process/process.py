"""The worker process as the main process sees it."""

from __future__ import annotations

import itertools
import os
import pickle
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from cleanplate.errors import SegmentationError
from cleanplate.frames import FrameSize, Picture
from cleanplate.segmentation.layers import LayeredFrame, Layers
from cleanplate.segmentation.segmenter import Cut
from cleanplate.segmentation.worker_process.messages import (
    Begin,
    End,
    FrameTask,
    Ready,
    SharedFrameBuffer,
    WorkerResult,
)

COMMAND = (sys.executable, "-P", "-m", "cleanplate.segmentation.worker_process.server")
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 25),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 27),
}
"""glibc gives memory of that size back to the system at once and has it cleared anew; pictures come
and go all the time."""
_BATCHES = 4
"""Batches that are under way at a time."""
_SECONDS_TO_END = 10


def _path() -> str:
    """Where this process finds its modules, and not in whatever folder it happens to work in."""
    return os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)


def _shared_memory() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("cleanplate")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


class StreamFrame(NamedTuple):
    """A frame of a stream.

    Attributes:
        time: In seconds; never less than that of the frame before.
        picture: `(h, w, 3)`, uint8, RGB.
        background: What the scene says its background is, `(h, w, 3)`.
        state: State of the scene; 0: the main one.
    """

    time: float
    picture: Picture
    background: Picture
    state: int = 0


class WorkerProcess:
    """A process that cuts masks out and follows layers, so that another core has work too.

    Python lets only one thread at a time make calls, and masks are many short ones. The process
    starts at once and needs some tenths of a second; it can follow any number of streams, one after
    the other. Close it, or use `with`.

    Attributes:
        memory: File that both processes map; it has no name, so that nothing can be left of it.

    Raises:
        SegmentationError: It cannot be started.
    """

    def __init__(self) -> None:
        try:
            self.memory = _shared_memory()
        except OSError as error:
            raise SegmentationError(
                f"there is no memory for a worker process: {error.strerror}; do without one"
            ) from error
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own command, no shell
                (*COMMAND, str(os.getpid()), str(self.memory)),
                pass_fds=(self.memory,),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, **_ENVIRONMENT, "PYTHONPATH": _path()},
            )
        except OSError as error:
            os.close(self.memory)
            raise SegmentationError(
                f"no worker process could be started: {error.strerror}; do without one"
            ) from error

    @property
    def pid(self) -> int:
        """Its number in the system."""
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Waits until it has started.

        Raises:
            SegmentationError: It has ended.
        """
        self.tell(Ready())
        self.answer()

    def open(self, layers: Layers, size: FrameSize, batch: int) -> WorkerStream:
        """Begins a stream.

        Args:
            layers: Fresh ones; they take in what the stream did to them when it is closed.
            size: Of its pictures.
            batch: Most frames that are given at a time.

        Raises:
            SegmentationError: The process has ended, or there is no memory that both could share.
        """
        return WorkerStream(self, layers, size, batch)

    def tell(self, message: Any) -> None:
        """Sends a message."""
        assert self._process.stdin is not None
        try:
            pickle.dump(message, self._process.stdin)
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError) as error:
            raise self._ended() from error

    def answer(self) -> Any:
        """Waits for the answer to the earliest message that has none."""
        assert self._process.stdout is not None
        try:
            answer = pickle.load(self._process.stdout)  # noqa: S301 - our own process's
        except (EOFError, pickle.UnpicklingError, ValueError) as error:
            raise self._ended() from error
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        """Ends the process, whatever it does; it follows nothing any more."""
        if self.memory >= 0:
            os.close(self.memory)
            self.memory = -1
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):  # something was on its way
                pipe.close()

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _ended(self) -> SegmentationError:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_SECONDS_TO_END)
        code = self._process.poll()
        hint = "; the system may have run out of memory" if code == -9 else ""
        return SegmentationError(f"the process that cuts masks out ended with code {code}{hint}")


class WorkerStream:
    """One stream in the worker process; `with` ends it."""

    def __init__(self, process: WorkerProcess, layers: Layers, size: FrameSize, batch: int) -> None:
        self._process = process
        self._layers = layers
        self._batch = batch
        self._given: deque[tuple[int, Sequence[StreamFrame]]] = deque()
        self._next = self._taken = 0
        self._corrected: set[int] = set()
        """States of which frames are not cut here: the background has a correction there."""
        count = _BATCHES * batch
        try:
            self._buffer = SharedFrameBuffer(process.memory, size, count)
        except OSError as error:
            raise SegmentationError(
                f"there is no memory for frames of the worker process: {error.strerror}"
            ) from error
        process.tell(Begin(size, count, layers))
        process.answer()

    @property
    def is_full(self) -> bool:
        """Whether results have to be taken before more frames are given."""
        return len(self._given) == _BATCHES

    @property
    def has_results(self) -> bool:
        """Whether there are results that can be taken without waiting."""
        return bool(self._buffer.answered[0] > self._taken)

    def cut_while_waiting(self, frames: Iterable[StreamFrame]) -> list[Cut]:
        """Cuts frames that are not given yet, the first ones, until there are results to take."""
        cuts: list[Cut] = []
        for frame in frames:
            if self.has_results or frame.state in self._corrected:
                break
            cuts.append(self._layers.cut(frame.picture, frame.background, frame.state))
        return cuts

    def give(self, frames: Sequence[StreamFrame], cuts: Sequence[Cut] = ()) -> None:
        """Hands the next frames over, at most a batch of them.

        Args:
            frames: In their order.
            cuts: Of the first of them.
        """
        assert not self.is_full
        assert len(cuts) <= len(frames) <= self._batch
        first = self._next
        self._next = (first + self._batch) % (_BATCHES * self._batch)
        tasks = []
        for place, (frame, cut) in enumerate(itertools.zip_longest(frames, cuts), first):
            self._buffer.pictures[place] = frame.picture
            self._buffer.backgrounds[place] = frame.background
            known = None if cut is None else self._buffer.put_cut(place, cut, frame.background)
            tasks.append(FrameTask(place, frame.time, frame.state, known))
        self._process.tell(tasks)
        self._given.append((first, frames))

    def take(self) -> Iterator[LayeredFrame]:
        """Waits for the results of the earliest frames that were given together."""
        first, frames = self._given.popleft()
        answers: Sequence[WorkerResult] = self._process.answer()
        self._taken += 1
        buffer = self._buffer
        for place, (found, frame) in enumerate(zip(answers, frames, strict=True), first):
            if found.is_corrected:
                self._corrected.add(frame.state)
            background = buffer.changed[place].copy() if found.is_changed else frame.background
            mask, labels = buffer.masks[place].copy(), buffer.labels[place].copy()
            yield LayeredFrame(mask, labels, background, found.objects)

    def close(self) -> None:
        """Ends the stream; its layers know what became of them, up to the last frame given."""
        while self._given:
            self._given.popleft()
            self._process.answer()
        self._process.tell(End())
        self._layers.take_over(self._process.answer())

    def __enter__(self) -> WorkerStream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except Exception:
            if kind is None:
                raise
            self._process.close()  # its state is unknown
