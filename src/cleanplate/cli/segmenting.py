"""The pass of `segment` over a recording: masks, labels, objects and film of every frame."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np

from cleanplate.cli.console import Console
from cleanplate.cli.mask_output import LABELS_FOLDER, MaskFolder, Wanted
from cleanplate.cli.object_log import ObjectLog
from cleanplate.frames import Frame
from cleanplate.learning.views import View, frames_by_view
from cleanplate.runtimes.processors import share_processors
from cleanplate.scene import Scene
from cleanplate.segmentation import SegmentationSettings
from cleanplate.segmentation.worker_process import WorkerProcess
from cleanplate.streaming import Corrections, Result
from cleanplate.video import (
    DEFAULT_FRAME_RATE,
    LABELS,
    MaskWriter,
    OverlayWriter,
    VideoSource,
)
from cleanplate.video.camera_watch import CameraMove

OnMoved: TypeAlias = Literal["warn", "stop", "relearn"]
"""What to do when the camera was moved."""


@dataclass(frozen=True)
class Task:
    """How the masks are to be made.

    Attributes:
        settings: Of the segmentation.
        wanted: What is to be written where.
        folder: Of the masks, taken up.
        done: Numbers of the frames whose masks are there already.
        on_moved: What to do when the camera was moved; `relearn`: the views are known already.
        views: What the camera sees, with the scenes to be used; one view where moves are not known.
    """

    settings: SegmentationSettings
    wanted: Wanted
    folder: MaskFolder
    done: frozenset[int]
    on_moved: OnMoved
    views: Sequence[View]

    @property
    def moves(self) -> Sequence[View]:
        """The views that begin with a move."""
        return self.views[1:]

    @property
    def left_out(self) -> frozenset[int]:
        """Frames that are not to be looked at; a film and a log of objects have all of them."""
        needs_all = self.wanted.overlay is not None or self.wanted.objects is not None
        return frozenset() if needs_all else self.done


@dataclass
class Outcome:
    """What was written.

    Attributes:
        moved: The first move of the camera; None: it was not moved.
        frames: Masks written.
        foreground: Sum of their shares of foreground.
        objects: The objects that waited.
        corrected_ghosts: Ghosts corrected.
        corrections: What was corrected in the last view.
        stopped: Whether the move ended it.
        states: Frames in each state of the scene, by name.
    """

    moved: CameraMove | None = None
    frames: int = 0
    foreground: float = 0.0
    objects: int = 0
    corrected_ghosts: int = 0
    corrections: Corrections = field(default_factory=Corrections)
    stopped: bool = False
    states: dict[str, int] = field(default_factory=dict)

    def meet(self, result: Result) -> None:
        """Counts the states picked."""
        if result.state is not None:
            self.states[result.state] = self.states.get(result.state, 0) + 1


def write_masks(
    recording: VideoSource, task: Task, *, worker: WorkerProcess | None, console: Console
) -> Outcome:
    """Segments a recording, each frame by the scene of its view."""
    share_processors()  # not before: learning anew has all of them to itself
    outcome = Outcome(moved=task.moves[0].move if task.moves else None)
    scene = task.views[0].scene
    with ExitStack() as stack:
        outputs = _Outputs(task, recording, stack)
        parts = stack.enter_context(closing(frames_by_view(task.views, recording)))
        for view, frames in parts:
            scene = view.scene
            with closing(_segmented(scene, frames, worker, task, outcome)) as results:
                for result in results:
                    outputs.write(result, outcome)
                    done = result.frame.index + 1
                    console.progress("segmenting", done, recording.frame_count_hint)
            if outcome.stopped:
                break
    task.folder.publish()
    if task.wanted.scene_copy is not None:
        scene.corrected(outcome.corrections).save(task.wanted.scene_copy)
    return outcome


def _segmented(
    scene: Scene,
    frames: Iterator[Frame],
    worker: WorkerProcess | None,
    task: Task,
    outcome: Outcome,
) -> Generator[Result]:
    """Results of one view, with objects numbered on from those of the views before."""
    known = outcome.objects
    watches = task.on_moved != "relearn"  # else its moves are known
    with scene.open_stream(
        frames,
        segmentation=task.settings,
        skip=task.left_out,
        labels=task.wanted.follows,
        watch_camera=watches,
        worker=worker,
    ) as stream:
        for result in stream:
            if task.on_moved == "stop" and stream.camera_moved is not None:
                outcome.stopped = True
                break
            objects = tuple(replace(each, number=known + each.number) for each in result.objects)
            outcome.objects = max([outcome.objects, *(each.number for each in objects)])
            yield replace(result, objects=objects)
    if watches:
        outcome.moved = stream.camera_moved
    outcome.corrections = stream.corrections
    outcome.corrected_ghosts += stream.corrections.count


class _Outputs:
    """The files of one call."""

    def __init__(self, task: Task, recording: VideoSource, stack: ExitStack) -> None:
        wanted = task.wanted
        self._done = task.done
        self._labels = self._log = self._film = None
        if wanted.objects is not None:
            self._log = stack.enter_context(ObjectLog(wanted.objects))
        if wanted.overlay is not None:
            rate = recording.frame_rate or DEFAULT_FRAME_RATE
            self._film = stack.enter_context(OverlayWriter(wanted.overlay, recording.size, rate))
        task.folder.prepare()  # last, because it may remove what is there
        place = task.folder.place
        self._masks = stack.enter_context(MaskWriter(place))
        if wanted.labels:
            self._labels = stack.enter_context(MaskWriter(place / LABELS_FOLDER, LABELS))

    def write(self, result: Result, outcome: Outcome) -> None:
        """Writes what is wanted of one frame, and counts it."""
        if self._film is not None:
            self._film.write(result.picture, result.mask)
        if self._log is not None:
            self._log.update(result.objects)
        outcome.meet(result)
        if result.number in self._done:
            return
        self._masks.write(result.number, result.mask)
        if self._labels is not None and result.labels is not None:
            self._labels.write(result.number, result.labels)
        outcome.frames += 1
        outcome.foreground += np.count_nonzero(result.mask) / result.mask.size
