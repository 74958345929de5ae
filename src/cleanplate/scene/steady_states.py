"""A camera that shakes and a scene with several states, told apart."""

from __future__ import annotations

from cleanplate.progress import ProgressListener
from cleanplate.scene.states import find_states
from cleanplate.scene.steadying import Shake, steady
from cleanplate.settings import SamplingSettings
from cleanplate.video import FrameCache


def steady_states(
    frames: FrameCache, settings: SamplingSettings, progress: ProgressListener
) -> tuple[Shake, list[list[int]]]:
    """How the camera shakes, taken out of the frames, and the positions of each state.

    A scene with several states counts as still unless a motion is wanted by name: frames of
    another state fit no plate, and would be lost.
    """
    if settings.registration == "auto":
        parts = find_states(frames, settings.max_states)
        if len(parts) > 1:
            return Shake(), parts
    shake = steady(frames, settings.registration, progress)
    return shake, find_states(frames, settings.max_states)
