"""The second process: `python -m cleanplate.segmentation.beside.worker`.

It reads messages from stdin, answers on stdout in their order, and ends when stdin does, or whoever
started it. Its arguments are the number of that process and that of the file that both map.
"""

from __future__ import annotations

import gc
import pickle
import signal
import sys
from collections.abc import Sequence
from typing import IO, Any

import cv2

from cleanplate.segmentation.beside.messages import Begin, End, Found, Job, Ready, Room
from cleanplate.segmentation.beside.parent import end_with
from cleanplate.segmentation.layers import Layers


class _Stream:
    """One stream of frames."""

    def __init__(self, begin: Begin, memory: int) -> None:
        self.layers: Layers = begin.layers
        self._room = Room(memory, begin.size, begin.room)

    def follow(self, job: Job) -> Found:
        """Layers of the next frame."""
        room, place = self._room, job.place
        picture, background = room.pictures[place], room.backgrounds[place]
        known = job.known
        cut = None if known is None else room.cut_at(place, known, background)
        found = self.layers.update(job.time, picture, background, job.state, cut)
        is_changed = room.put(place, found.mask, found.labels, found.background, background)
        return Found(is_changed, job.state in self.layers.mends, found.objects)

    def follow_all(self, jobs: Sequence[Job]) -> Sequence[Found]:
        """Layers of the next frames."""
        found = [self.follow(job) for job in jobs]
        self._room.answered += 1
        return found


def serve(messages: IO[bytes], answers: IO[bytes], memory: int) -> None:
    """Answers messages until there are no more of them; frames lie in a file that is mapped."""
    stream: _Stream | None = None
    while True:
        try:
            message: Ready | Begin | Sequence[Job] | End = pickle.load(messages)  # noqa: S301 - our parent's
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
        except BrokenPipeError:  # who asked has ended
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
