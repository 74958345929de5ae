"""What frames are learned from, and how: one view, even light, no shaking, each state by itself."""

from __future__ import annotations

from typing import Any, NamedTuple

from cleanplate.learning.preparation.find_states import find_states
from cleanplate.learning.preparation.flicker import take_out_bands
from cleanplate.learning.preparation.learned_view import LearnedView, keep_one_view
from cleanplate.learning.preparation.stabilisation import LEAST_SAMPLES, stabilise
from cleanplate.progress import ProgressListener
from cleanplate.scene_model import CameraMotion
from cleanplate.settings import SamplingSettings
from cleanplate.video import FrameCache


class Stabilised(NamedTuple):
    """What was found out of the frames of a recording, and taken out of them.

    Attributes:
        camera: How the camera shakes.
        parts: Positions of the frames of each state, the main one first.
        view: Which view was kept, where the camera was moved; None: it was not.
        flickers: Whether bands of lamps rolled through the frames.
        unmeasured: Why it is not known how the camera shakes; empty: it is known.
    """

    camera: CameraMotion
    parts: list[list[int]]
    view: LearnedView | None = None
    flickers: bool = False
    unmeasured: str = ""

    def as_values(self) -> dict[str, Any]:
        """Plain values for the provenance of a scene."""
        return {
            "registration": self.camera.as_values() or "off",
            "flicker": self.flickers,
            "view": self.view.as_values() if self.view else None,
        }


def stabilised_states(
    frames: FrameCache, sampling: SamplingSettings, threshold: int, progress: ProgressListener
) -> Stabilised:
    """Drops other views, and takes out the bands of lamps and the camera's shaking.

    A scene with several states counts as still unless a motion is wanted by name: frames of
    another state fit no plate, and would be lost.

    Args:
        frames: What was kept of the recording.
        sampling: How it is looked at.
        threshold: Difference summed over RGB that counts, 1 to 255.
        progress: Told what is going on.
    """
    by_name = sampling.registration not in {"auto", "off"}
    # A motion that is wanted by name brings all views over each other.
    view = None if by_name else keep_one_view(frames)
    flickers = take_out_bands(frames, threshold, progress)
    if sampling.registration == "auto":
        parts = find_states(frames, sampling.max_states, threshold)
        if len(parts) > 1:
            reason = "the scene has several states"
            return Stabilised(CameraMotion(), parts, view, flickers, reason)
    camera = stabilise(frames, sampling.registration, progress)
    parts = find_states(frames, sampling.max_states, threshold)
    return Stabilised(camera, parts, view, flickers, _unmeasured(sampling, frames))


def _unmeasured(sampling: SamplingSettings, frames: FrameCache) -> str:
    if sampling.registration == "off":
        return "sampling.registration=off"
    return f"fewer than {LEAST_SAMPLES} frames" if len(frames) < LEAST_SAMPLES else ""
