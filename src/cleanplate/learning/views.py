"""What a camera saw from one move to the next: a scene of its own for each view."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cleanplate.errors import UsageError
from cleanplate.frames import Frame, Picture
from cleanplate.learning.learning import LearnOptions, learn
from cleanplate.progress import ProgressListener, silent
from cleanplate.scene.scene import Scene
from cleanplate.scene_model.sizes import require_size, resized
from cleanplate.setting_trees import merge
from cleanplate.streaming.reading import opened_for
from cleanplate.streaming.result import Result
from cleanplate.streaming.watching import open_watch
from cleanplate.video import VideoSource, open_source, read_ahead
from cleanplate.video.camera_watch import SECONDS_BETWEEN_LOOKS, CameraMove, CameraWatch
from cleanplate.video.given import ReadFrames

LEAST_SECONDS = 5.0
"""A view that lasts for less is not learned."""
_REFERENCE_LOOKS = 10
"""Looks at a new view, four seconds, whose median stands for it until it has been learned."""


@dataclass(frozen=True, eq=False)
class View:
    """One place that the camera looked at.

    Attributes:
        scene: The scene that its frames are segmented with; of a view that was too short to learn
            from, that of the view before.
        move: The move that it begins with; None: the recording begins with it.
        folder: Where its scene was saved; None: nowhere.
        is_learned: Whether the scene was learned from this very view.
    """

    scene: Scene
    move: CameraMove | None = None
    folder: Path | None = None
    is_learned: bool = False


def learn_views(
    scene: Scene,
    source: str | Path | VideoSource,
    *,
    out: str | Path | None = None,
    options: LearnOptions | None = None,
    device: str | None = None,
    progress: ProgressListener = silent,
) -> list[View]:
    """Learns a new scene wherever the camera of a recording was moved, with the scene's settings.

    The recording is looked through first, a frame in 0.4 seconds; then each view that lasts for
    five seconds or more is learned from all of its frames. The scene itself is not changed.

    Args:
        scene: A scene of what the camera sees when the recording begins.
        source: Path of a recording, or an open one.
        out: Folder in which each new scene gets a folder, named by its first frame, as in
            `000031`; None: nothing is saved.
        options: How these folders are treated.
        device: Where to learn; None: as the scene was.
        progress: Told how the work goes on.

    Returns:
        The views in the order of time; the first is that of the scene, and the only one where the
        camera was not moved.

    Raises:
        UsageError: The source is neither a path nor a recording.
        SourceError: The recording cannot be read.
        FrameSizeError: Its frames are not of the scene's size.
        OutputError: A folder is in the way or cannot be written.
        TrainingError: Learning went wrong.
    """
    recording = opened_for(scene.model, _opened(source))
    require_size(recording.size, scene.frame_size, recording.name)
    moves = find_moves(scene, recording, progress)
    used = recording.value_range
    values = {"sampling": {"range": "auto" if used is None else used}}
    settings = merge(scene.settings.as_tree(), values)
    if device is not None:
        settings = merge(settings, {"device": device})
    views = [View(scene)]
    for place, move in enumerate(moves, start=1):
        end = moves[place] if place < len(moves) else None
        if (recording.last_time if end is None else end.time) - move.time < LEAST_SECONDS:
            views.append(View(views[-1].scene, move))
            continue
        part = recording.part(move.number, None if end is None else end.number)
        folder = None if out is None else Path(out) / f"{move.number:06d}"
        learned = learn(part, out=folder, settings=settings, options=options, progress=progress)
        views.append(View(learned, move, folder, is_learned=True))
    return views


def segment_views(views: Sequence[View], source: str | Path | VideoSource) -> Generator[Result]:
    """Foreground of every frame of a recording, each by the scene of its view.

    Raises:
        UsageError: The source is neither a path nor a recording.
        SourceError: The recording cannot be read.
    """
    recording = _opened(source)
    if views:
        recording = opened_for(views[0].scene.model, recording)
    for view, frames in frames_by_view(views, recording):
        yield from view.scene.segment(frames)


def frames_by_view(
    views: Sequence[View], recording: VideoSource
) -> Generator[tuple[View, Iterator[Frame]]]:
    """Each view with its frames, in one pass; those of one are used up before the next is met."""
    passing = recording.frames_ahead()
    try:
        rest: Iterator[Frame] = passing
        for view, move in zip(views, [*(view.move for view in views[1:]), None], strict=True):
            if move is None:
                yield view, ReadFrames(rest)
                return
            cut = _Cut(rest, move.number)
            yield view, ReadFrames(cut.before())
            rest = cut.after()
    finally:
        passing.close()


def find_moves(
    scene: Scene, recording: VideoSource, progress: ProgressListener = silent
) -> list[CameraMove]:
    """When the camera was moved, in the order of time; of the frames, one in 0.4 s is looked at.

    After a move the new view is watched by the median of a few of its frames, so that the next move
    is found too.
    """
    lookout = _Lookout(scene)
    passing = read_ahead(recording.frames(lookout.is_due))
    try:
        for frame in passing:
            lookout.look(frame)
            progress("looking for moves", frame.index + 1, recording.frame_count_hint)
    finally:
        passing.close()
    return lookout.moves


class _Lookout:
    """Watches a camera through all of its moves."""

    def __init__(self, scene: Scene) -> None:
        self._size = scene.working_size
        self._reach = scene.camera.reach
        self._enlargement = scene.model.enlargement
        self._watch: CameraWatch | None = open_watch(scene.model)
        self._new: list[Picture] = []
        self._asked: float | None = None
        self.moves: list[CameraMove] = []

    def is_due(self, index: int, time: float) -> bool:  # noqa: ARG002
        """Whether a frame is to be looked at; asked in the order of time, ahead of the looks."""
        if self._asked is not None and time - self._asked < SECONDS_BETWEEN_LOOKS:
            return False
        self._asked = time
        return True

    def look(self, frame: Frame) -> None:
        """Looks at a frame."""
        picture = resized(frame.picture, self._size)
        if self._watch is None:
            self._new.append(picture)
            if len(self._new) == _REFERENCE_LOOKS:
                plate = np.median(self._new, axis=0).astype(np.uint8)
                self._watch = CameraWatch(plate, reach=self._reach, enlargement=self._enlargement)
                self._new = []
            return
        self._watch.look(frame.number, frame.time, picture)
        if self._watch.moved is not None:
            self.moves.append(self._watch.moved)
            self._watch = None


class _Cut:
    """Frames before a number and those after, without losing the one in between."""

    def __init__(self, frames: Iterator[Frame], number: int) -> None:
        self._frames = frames
        self._number = number
        self._first_after: Frame | None = None

    def before(self) -> Iterator[Frame]:
        for frame in self._frames:
            if frame.number >= self._number:
                self._first_after = frame
                return
            yield frame

    def after(self) -> Iterator[Frame]:
        if self._first_after is not None:
            yield self._first_after
            yield from self._frames


def _opened(source: str | Path | VideoSource | Iterable[Frame]) -> VideoSource:
    if isinstance(source, VideoSource):
        return source
    if isinstance(source, str | Path):
        return open_source(source)
    raise UsageError(
        "frames that come only once cannot be learned from after a move; give a recording that can "
        "be read again: a video file, a folder or a pattern of pictures"
    )
