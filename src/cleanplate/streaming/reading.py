"""The frames of a scene's recording, in the order in which they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from cleanplate.errors import UsageError
from cleanplate.frames import Frame, Picture
from cleanplate.scene_model import SceneModel
from cleanplate.scene_model.sizes import require_size, resized
from cleanplate.video import VideoSource, open_source
from cleanplate.video.given import GivenFrame, ReadFrames, given_frames
from cleanplate.video.value_range import ValueRange


def frames_of(
    model: SceneModel,
    source: str | Path | VideoSource | Iterable[GivenFrame],
    value_range: ValueRange | None = None,
    *,
    ahead: bool = True,
) -> Iterator[Frame]:
    """Frames of a recording, or the frames that were given.

    Args:
        model: Whose frames they are.
        source: See `Scene.segment`.
        value_range: By which their values are read; None: that of the scene.
        ahead: Frames may be read before they are asked for, by a thread.

    Raises:
        SourceError: The recording cannot be read.
        FrameSizeError: Its frames are not of the scene's size.
        UsageError: The source is nothing that has frames.
    """
    if isinstance(source, ReadFrames):
        return source
    if isinstance(source, str | Path | VideoSource):
        recording = opened_for(model, source, value_range)
        require_size(recording.size, model.frame_size, recording.name)
        return recording.frames_ahead() if ahead else recording.frames()
    if not isinstance(source, Iterable):
        raise UsageError(
            f"a recording cannot be of type {type(source).__name__}; give a path, an open "
            "recording, or frames"
        )
    return given_frames(source, value_range or model.value_range, waits=ahead)


def opened_for(
    model: SceneModel, source: str | Path | VideoSource, value_range: ValueRange | None = None
) -> VideoSource:
    """The recording with its values read by a range; None: by its own, or by that of the scene.

    Raises:
        SourceError: It cannot be read, or its values are not of the scene's kind.
    """
    recording = source if isinstance(source, VideoSource) else open_source(source)
    if value_range is None and recording.range_origin == "given":
        return recording
    return recording.in_range(value_range or model.value_range)


def reduced(model: SceneModel, frame: Frame) -> Picture:
    """The frame's picture in the working size.

    Raises:
        FrameSizeError: It is not of the scene's size.
    """
    require_size(frame.size, model.frame_size, f"frame {frame.number}")
    return resized(frame.picture, model.working_size)
