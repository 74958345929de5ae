"""The worker process: `python -m cleanplate.segmentation.worker_process.server`.

It reads messages from stdin, answers on stdout in their order, and ends when stdin does, or the
process that started it. Its arguments are the number of that process and of the file that both map.
"""

from __future__ import annotations

import gc
import pickle
import signal
import sys
from collections.abc import Sequence
from typing import IO, Any

import cv2

from cleanplate.segmentation.layers import Layers
from cleanplate.segmentation.worker_process.messages import (
    Begin,
    End,
    FrameTask,
    Ready,
    SharedFrameBuffer,
    WorkerResult,
)
from cleanplate.segmentation.worker_process.parent import end_with


class _Stream:
    """One stream of frames."""

    def __init__(self, begin: Begin, memory: int) -> None:
        self.layers: Layers = begin.layers
        self._buffer = SharedFrameBuffer(memory, begin.size, begin.capacity)

    def follow(self, task: FrameTask) -> WorkerResult:
        """Layers of the next frame."""
        buffer, place = self._buffer, task.place
        picture, background = buffer.pictures[place], buffer.backgrounds[place]
        known = task.known
        cut = None if known is None else buffer.cut_at(place, known, background)
        found = self.layers.update(task.time, picture, background, task.state, cut)
        is_changed = buffer.put(place, found.mask, found.labels, found.background, background)
        return WorkerResult(is_changed, task.state in self.layers.corrections, found.objects)

    def follow_all(self, tasks: Sequence[FrameTask]) -> Sequence[WorkerResult]:
        """Layers of the next frames."""
        found = [self.follow(task) for task in tasks]
        self._buffer.answered += 1
        return found


def serve(messages: IO[bytes], answers: IO[bytes], memory: int) -> None:
    """Answers messages until there are no more of them; frames lie in a file that is mapped."""
    stream: _Stream | None = None
    while True:
        try:
            message: Ready | Begin | Sequence[FrameTask] | End = pickle.load(messages)  # noqa: S301 - our parent's
        except EOFError:
            return
        answer: Any = None
        try:
            if isinstance(message, Begin):
                stream = _Stream(message, memory)
            elif isinstance(message, End):
                assert stream is not None
                answer, stream = stream.layers, None
            elif not isinstance(message, Ready):
                assert stream is not None
                answer = stream.follow_all(message)
        except Exception as error:  # noqa: BLE001 - raised again in the other process
            answer = error
        try:
            pickle.dump(answer, answers)
            answers.flush()
        except BrokenPipeError:  # the main process has ended
            return


def main() -> None:
    """Serves the process that started this one."""
    parent, memory = map(int, sys.argv[1:])
    # They are for the other process, which ends this one.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    end_with(parent)
    answers, sys.stdout = sys.stdout.buffer, sys.stderr
    cv2.setNumThreads(1)
    gc.freeze()  # what is imported stays: the search for garbage leaves it out
    serve(sys.stdin.buffer, answers, memory)


if __name__ == "__main__":
    main()
