"""Whether the camera of a recording shakes, and the kept frames as a still one had seen them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.background import spread_positions
from cleanplate.frames import FrameSize, FrameStack, Picture
from cleanplate.progress import ProgressListener, silent
from cleanplate.scene_model import CameraMotion
from cleanplate.streaming.alignment import filled
from cleanplate.video import FrameCache
from cleanplate.video.registration import SEARCHED_PIXELS, Motion, Registrar, Registration

_SAMPLES = 40
LEAST_SAMPLES = 9
"""Fewest frames from which the motion of a camera is found."""
_SAMPLE_BYTES = 128_000_000
_LEAST_FOUND = 0.5
"""Share of the frames whose motion has to be found for the camera's to be known at all."""
_LEAST_INLIERS = 0.3
"""Share of the points that agree in every second frame, if it is the camera that moves."""
_MOST_FRAMES = 0.9
_STILL = 0.3
"""Motion that most frames of a still camera stay below, in pixels of a small frame."""
_UPRIGHT = 0.8
"""How far a corner strays from a plain shift in most frames of a camera that does not turn."""
_MOST_LEFT = 0.8
"""What may be left, in auto, of the difference to a plate at its edges, once the motion is out."""
_EDGES = 0.75
"""Quantile of the plate's gradient above which a pixel is one of an edge."""
_LARGEST = 40.0
"""A difference that counts no more than this, in grey levels: what passes hides the edges."""
_ROUNDS = 2


def stabilise(
    frames: FrameCache, wanted: Registration | str, progress: ProgressListener = silent
) -> CameraMotion:
    """Finds out whether a camera shakes, and if so aligns the kept frames.

    All frames are aligned to one plate, the median of aligned samples, which lies in the middle of
    the shaking: nothing adds up over time. What a frame did not see of it is filled from it.

    Args:
        frames: What was kept of the recording.
        wanted: A motion to be taken for granted, `off`, or `auto`: only where there is one.
        progress: Told how many frames are aligned.
    """
    if wanted == "off" or len(frames) < LEAST_SAMPLES:
        return CameraMotion()
    how = _find_motion(frames) if wanted == "auto" else _known(wanted)
    if how is None:
        return CameraMotion()
    count = max(LEAST_SAMPLES, min(_SAMPLES, _SAMPLE_BYTES // (3 * frames.size.pixels)))
    plate = _stabilised_plate(frames.read(spread_positions(len(frames), count)), how)
    if plate is None:
        return CameraMotion()
    aligner = FrameAligner(plate, how)
    whole = len(frames)
    frames.align(aligner.align, partial(progress, "registration"))
    return CameraMotion(how, aligner.reach, whole - len(frames))


class FrameAligner:
    """Brings frames over a plate.

    Args:
        plate: `(h, w, 3)`, uint8, RGB; what a frame does not see is taken from it.
        how: What the motion may be.

    Attributes:
        reach: The farthest motion so far, in pixels.
    """

    def __init__(self, plate: Picture, how: Registration) -> None:
        self._plate = plate
        self._registrar = Registrar(plate, how)
        self.reach = 0.0

    def align(self, picture: Picture) -> Picture | None:
        """The frame over the plate; None where its motion is not found."""
        motion = self._registrar.locate(picture)
        if not motion.is_found:
            return None
        self.reach = max(self.reach, motion.reach)
        return filled(motion.to_plate(picture), motion, self._plate)


def _known(wanted: str) -> Registration:
    assert wanted in {"translation", "homography"}
    return "homography" if wanted == "homography" else "translation"


def _find_motion(frames: FrameCache) -> Registration | None:
    """What moves the camera, judged by a few small frames; None where it stands still.

    Where the motion of too many frames is not found, or only few points agree on it, it may be
    that of leaves: then the camera counts as still too.
    """
    size = _small(frames.size)
    pictures = _read(frames, spread_positions(len(frames), _SAMPLES), size)
    still = plate = _median(pictures, np.full(pictures.shape[:3], 255, np.uint8))
    shifts = _reliable(pictures, plate, "translation")
    if not shifts or _most([motion.reach for motion in shifts]) >= _STILL:
        # It shakes, or it shakes so much that the plate has nothing left to go by.
        stabilised = _stabilised_plate(pictures, "translation")
        shifts = [] if stabilised is None else _reliable(pictures, stabilised, "translation")
        if stabilised is None or not shifts:
            return None
        plate = stabilised
    shakes = _most([motion.reach for motion in shifts]) >= _STILL
    deviations = [_deviation(motion) for motion in _reliable(pictures, plate, "homography")]
    how: Registration | None = "translation" if shakes else None
    if deviations and _most(deviations) >= _UPRIGHT:
        how = "homography"
    if how is None or not _explains(pictures, still, plate, how):
        return None
    return how


def _explains(pictures: Picture, still: Picture, plate: Picture, how: Registration) -> bool:
    """Whether taking out the motion brings the edges of most pictures nearer to the plate.

    What passes before an even wall has the only edges to go by: its motion is found, but the scene
    does not move with it.
    """
    registrar = Registrar(plate, how)
    left = []
    for picture in pictures:
        motion = registrar.locate(picture)
        if not motion.is_found:
            left.append(1.0)
            continue
        seen = motion.unseen == 0
        before = _difference_at_edges(picture, still, seen)
        after = _difference_at_edges(motion.to_plate(picture), plate, seen)
        left.append(after / max(before, 1e-9) if motion.reach >= _STILL else np.nan)
    # Those that happen to lie right say nothing.
    moved = [share for share in left if not math.isnan(share)]
    return bool(moved) and float(np.median(moved)) <= _MOST_LEFT


def _difference_at_edges(picture: Picture, plate: Picture, seen: NDArray[np.bool_]) -> float:
    """Mean over the strongest edges of a plate, in grey levels, held at a largest."""
    grey = cv2.cvtColor(plate, cv2.COLOR_RGB2GRAY).astype(np.float32)
    gradient = cv2.magnitude(cv2.Sobel(grey, -1, 1, 0), cv2.Sobel(grey, -1, 0, 1))
    at_edges = (gradient >= np.quantile(gradient, _EDGES)) & seen
    difference = cv2.absdiff(picture, plate).astype(np.float32).mean(axis=2)
    return float(np.minimum(difference, _LARGEST)[at_edges].mean()) if at_edges.any() else 0.0


def _reliable(pictures: Picture, plate: Picture, how: Registration) -> list[Motion]:
    """Motions of the pictures over a plate; none where they are not to be relied upon."""
    registrar = Registrar(plate, how)
    if not registrar.is_able:
        return []
    motions = [registrar.locate(picture) for picture in pictures]
    found = [motion for motion in motions if motion.is_found]
    inlier_ratio = np.median([motion.inlier_ratio for motion in motions])
    return (
        found
        if len(found) >= _LEAST_FOUND * len(motions) and inlier_ratio >= _LEAST_INLIERS
        else []
    )


def _most(values: Sequence[float]) -> float:
    """What most values stay below."""
    return float(np.quantile(values, _MOST_FRAMES))


def _deviation(motion: Motion) -> float:
    """How far the corners are from where a plain shift would have them, in pixels."""
    across, down = motion.shift
    return motion.after_shift(-across, -down).reach


def _stabilised_plate(pictures: Picture, how: Registration) -> Picture | None:
    """The median of samples that lie over each other; None where they cannot be brought there."""
    everywhere = np.full(pictures.shape[:3], 255, np.uint8)
    plate = pictures[_most_central(pictures, _median(pictures, everywhere))]
    for _ in range(_ROUNDS):
        registrar = Registrar(plate, how)
        motions = [registrar.locate(picture) for picture in pictures]
        found = [(picture, m) for picture, m in zip(pictures, motions, strict=True) if m.is_found]
        if len(found) < max(2.0, _LEAST_FOUND * len(pictures)):
            return None
        across, down = np.median([motion.shift for _, motion in found], axis=0)
        centred = [(picture, m.after_shift(-across, -down)) for picture, m in found]
        aligned = np.stack([motion.to_plate(picture) for picture, motion in centred])
        seen = np.stack([cv2.bitwise_not(motion.unseen) for _, motion in centred])
        plate = _median(aligned, seen)
    return plate


def _most_central(pictures: Picture, plate: Picture) -> int:
    """The frame that is most like the plate: hardly anything stands in it, and it lies well."""
    unlike = [np.median(cv2.absdiff(picture, plate)) + 0.0 for picture in pictures]
    tie = [cv2.absdiff(picture, plate).mean() / 256 for picture in pictures]
    return int(np.argmin(np.add(unlike, tie)))


def _median(pictures: Picture, seen: NDArray[np.uint8]) -> Picture:
    """Median of each pixel over the frames that saw it; 0 where none did."""
    result = np.empty(pictures.shape[1:], np.uint8)
    for row in range(len(result)):
        values = np.where(seen[:, row, :, None] > 0, pictures[:, row], 255)
        values.sort(axis=0)
        middle = np.count_nonzero(seen[:, row], axis=0)[None, :, None] // 2
        chosen = np.take_along_axis(values, np.minimum(middle, len(values) - 1), axis=0)[0]
        result[row] = np.where(middle[0] > 0, chosen, 0)
    return result


def _small(size: FrameSize) -> FrameSize:
    scale = min(1.0, math.sqrt(SEARCHED_PIXELS / size.pixels))
    return FrameSize(*(max(1, round(side * scale)) for side in size))


def _read(frames: FrameStack, positions: Sequence[int], size: FrameSize) -> Picture:
    if size == frames.size:
        return frames.read(positions)
    return np.stack(
        [
            cv2.resize(frames.read([position])[0], size[::-1], interpolation=cv2.INTER_AREA)
            for position in positions
        ]
    )
