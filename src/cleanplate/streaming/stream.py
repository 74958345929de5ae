"""A stream: the foreground of a recording's frames, and what is found on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cleanplate.errors import UsageError
from cleanplate.scene_model import SceneModel
from cleanplate.segmentation import SegmentationPlan
from cleanplate.segmentation.layers import LayeredFrame
from cleanplate.segmentation.worker_process import WorkerProcess
from cleanplate.streaming.estimating import Estimated, estimated
from cleanplate.streaming.reading import frames_of, reduced
from cleanplate.streaming.result import Result, layered_result_of, result_of
from cleanplate.streaming.tracking import followed, open_layers, open_segmenters
from cleanplate.streaming.watching import open_watch
from cleanplate.video import VideoSource
from cleanplate.video.camera_watch import CameraMove
from cleanplate.video.given import GivenFrame
from cleanplate.video.value_range import ValueRange

DEFAULT_BATCH = 8
"""Frames whose backgrounds are estimated together: few more are faster, and all come later."""


@dataclass(frozen=True, eq=False)
class Corrections:
    """What a stream found of the backgrounds to show wrongly: things that had left.

    Attributes:
        count: How many of these ghosts there were.
        changes: What was added to the backgrounds, by position of the state among those of the
            scene, `(h, w, 3)`, int16, grey levels, in the working size.
    """

    count: int = 0
    changes: Mapping[int, NDArray[np.int16]] = field(default_factory=dict)


@dataclass(frozen=True)
class StreamStatistics:
    """What a stream counted so far.

    Attributes:
        frames: Results.
        states: Results in each state of the scene, by its name.
        objects: Stationary objects that were reported.
    """

    frames: int = 0
    states: Mapping[str, int] = field(default_factory=dict)
    objects: int = 0


@dataclass(frozen=True)
class StreamOptions:
    """How a stream goes through its frames.

    Attributes:
        batch: Frames that are worked on together. With 1 each result comes before the next frame
            is asked for, and nothing is done by other threads or processes.
        skip: Numbers of frames that need no result; the others come out as without it.
        tracks: Stationary foreground is told from moving foreground.
        watches: It is found out whether the camera is moved.
    """

    batch: int = DEFAULT_BATCH
    skip: Collection[int] = ()
    tracks: bool = True
    watches: bool = True


class Stream(Iterator[Result]):
    """The frames of one recording with their foreground, one after the other, once.

    Memory does not depend on the length of the recording. Leaving `with`, however it is left, ends
    all threads and processes that the stream has started.

    Args:
        model: Of the scene.
        plan: Of the masks.
        source: See `Scene.open_stream`.
        options: How it goes through the frames.
        value_range: Values that become black and white; None: those of the recording or the scene.
        worker: A process that cuts masks out and tracks, which goes on afterwards; True: one is
            started for this stream; None or False: none.

    Raises:
        SourceError: The recording cannot be read.
        FrameSizeError: Its frames are not of the scene's size.
        UsageError: The source has no frames, or an option makes no sense.
        SegmentationError: The process cannot be started.
    """

    def __init__(
        self,
        model: SceneModel,
        plan: SegmentationPlan,
        source: str | Path | VideoSource | Iterable[GivenFrame],
        options: StreamOptions | None = None,
        *,
        value_range: ValueRange | None = None,
        worker: WorkerProcess | bool | None = None,
    ) -> None:
        options = options or StreamOptions()
        if options.batch < 1:
            raise UsageError(f"a batch of {options.batch} frames; give 1 or more")
        self._model = model
        self._skip = frozenset(options.skip)
        self._layers = open_layers(model, plan) if options.tracks else None
        # Layers have segmenters of their own.
        self._segmenters = [] if options.tracks else open_segmenters(model, plan)
        self._watch = open_watch(model) if options.watches else None
        self._frames = self._objects = 0
        self._states: Counter[str] = Counter()
        self._is_open = True
        with ExitStack() as ending:
            # Ended in reverse: the results first, then what they are made of.
            frames = frames_of(model, source, value_range, ahead=options.batch > 1)
            ending.callback(_close, frames)
            if options.batch == 1 or not options.tracks:
                worker = None
            beside = ending.enter_context(WorkerProcess()) if worker is True else worker or None
            unseen = frozenset[int]() if options.tracks else self._skip
            batches = estimated(model, frames, unseen, options.batch)
            ending.callback(_close, batches)
            tracked = followed(batches, self._layers, options.batch, beside)
            ending.callback(tracked.close)
            self._tracked = tracked
            self._ending = ending.pop_all()

    @property
    def corrections(self) -> Corrections:
        """Ghosts that were found; if a worker process tracks, known when the stream has ended."""
        if self._layers is None:
            return Corrections()
        return Corrections(self._layers.corrected_ghosts, dict(self._layers.corrections))

    @property
    def camera_moved(self) -> CameraMove | None:
        """When the camera was moved first; None: it was not, or it is not watched."""
        return None if self._watch is None else self._watch.moved

    @property
    def statistics(self) -> StreamStatistics:
        """What was counted up to the last result."""
        return StreamStatistics(self._frames, dict(self._states), self._objects)

    def __next__(self) -> Result:
        """The next result.

        Raises:
            SourceError: The recording cannot be read any further.
            FrameSizeError: A frame is not of the scene's size.
            UsageError: What was given is no frame, or the stream is closed.
            SegmentationError: The worker process has ended.
        """
        if not self._is_open:
            raise UsageError("the stream is closed; open another one")
        for each, found in self._tracked:
            self._look(each)
            if each.frame.number in self._skip:
                continue
            result = self._result(each, found)
            self._count(result, self._model.names[each.state])
            return result
        raise StopIteration

    def close(self) -> None:
        """Ends the stream with all that it has started."""
        self._is_open = False
        self._ending.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _look(self, each: Estimated) -> None:
        frame = each.frame
        if self._watch is not None and self._watch.is_due(frame.time):
            self._watch.look(frame.number, frame.time, reduced(self._model, frame))

    def _result(self, each: Estimated, found: LayeredFrame | None) -> Result:
        names = self._model.names
        state = names[each.state] if len(names) > 1 else None
        if found is not None:
            return layered_result_of(self._model, each.frame, found, each.motion, state)
        cut = self._segmenters[each.state].cut(each.picture, each.background)
        return result_of(self._model, each.frame, cut, each.motion, state)

    def _count(self, result: Result, state: str) -> None:
        self._frames += 1
        self._states[state] += 1
        self._objects = max([self._objects, *(each.number for each in result.objects)])


def _close(frames: Iterator[object]) -> None:
    """Closes what was opened here; frames that the caller reads stay open."""
    close = getattr(frames, "close", None)
    if close is not None:
        close()
