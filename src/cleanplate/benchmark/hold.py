"""Real vehicles held still: which methods go on marking them, and which leave ghosts.

The pixels that the truth calls moving in one frame are pasted onto the frames that follow, with
fresh sensor noise: a synthetic hold of real pixels. Marked is the share of the held pixels that
are foreground while they are held. A ghost is a held pixel that is foreground in the 100 frames
after the hold, though the truth has nothing there or close by.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.benchmark.cells import Hold
from cleanplate.benchmark.recordings import link_frames, write_frames
from cleanplate.benchmark.results import HeldFigures
from cleanplate.datasets import MOVING, UNKNOWN, GroundTruth, Region
from cleanplate.errors import GroundTruthError
from cleanplate.frames import Frame, Mask, Picture

NOISE = 2.0
"""Standard deviation of the fresh noise on the held pixels, in grey levels."""
FRAMES_AFTER = 100
"""Frames after the hold in which ghosts are looked for."""
RIM = 15
"""Side of the square around a moving pixel in which nothing is taken for a ghost."""

MaskReader = Callable[[int], Mask | None]


class HeldRecording:
    """A sequence in which the vehicles of one frame stand still for a while.

    Attributes:
        hold: Which frame, and for how long.
        pixels: The held pixels, `(H, W)`.

    Raises:
        GroundTruthError: The frame has no truth, or nothing moves in it.
    """

    def __init__(self, truth: GroundTruth, hold: Hold) -> None:
        self.hold = hold
        self._truth = truth
        self._numbers = frozenset(truth.numbers)
        if hold.frame not in self._numbers:
            raise GroundTruthError(
                f"'{truth.name}' has no truth for frame {hold.frame}, so that nothing can be held "
                f"there; its scored frames are {truth.numbers[0]} to {truth.numbers[-1]}"
            )
        self.pixels: Region = truth.read_labels(hold.frame) == MOVING
        if not self.pixels.any():
            raise GroundTruthError(
                f"nothing moves in frame {hold.frame} of '{truth.name}'; hold another frame"
            )

    def write(self, recording: Path, folder: Path) -> tuple[Path, Path]:
        """Writes the whole clip and the part before the hold; gives their folders."""
        everything, before = folder / "all", folder / "before"
        write_frames(recording, everything, last=2**62, change=self._change())
        link_frames(everything, before, last=self.hold.frame)
        return everything, before

    def measure(self, read_mask: MaskReader) -> HeldFigures:
        """Figures of a method.

        Args:
            read_mask: Gives the mask of a frame by its number; None: there is none.
        """
        first, count = self.hold.frame, self.hold.count
        shares = [
            float((mask[self.pixels] > 0).mean())
            for number in range(first + 1, first + count + 1)
            if (mask := read_mask(number)) is not None
        ]
        if not shares:
            raise GroundTruthError(f"no frame of '{self._truth.name}' follows frame {first}")
        late = shares[-max(1, len(shares) // 4) :]
        return HeldFigures(
            marked=float(np.mean(shares)),
            marked_in_last_quarter=float(np.mean(late)),
            ghosts=self._ghosts(read_mask),
            held_pixels=int(self.pixels.sum()),
        )

    def _ghosts(self, read_mask: MaskReader) -> float | None:
        end = self.hold.frame + self.hold.count
        ghosts, vacated = 0, 0
        for number in range(end + 1, end + FRAMES_AFTER + 1):
            mask = read_mask(number)
            if mask is None or number not in self._numbers:
                continue
            # What passes close by marks its own outline, which is no ghost.
            busy = np.isin(self._truth.read_labels(number), (UNKNOWN, MOVING)).astype(np.uint8)
            empty = self.pixels & (cv2.dilate(busy, np.ones((RIM, RIM), np.uint8)) == 0)
            ghosts += int((mask[empty] > 0).sum())
            vacated += int(empty.sum())
        return ghosts / vacated if vacated else None

    def _change(self) -> Callable[[Frame], Picture]:
        random = np.random.default_rng(0)
        still: list[NDArray[np.float64]] = []

        def change(frame: Frame) -> Picture:
            if frame.number == self.hold.frame:
                still.append(frame.picture[self.pixels].astype(np.float64))
            if not still or not 0 < frame.number - self.hold.frame <= self.hold.count:
                return frame.picture
            picture = frame.picture.copy()
            noisy = still[0] + random.normal(0, NOISE, still[0].shape)
            picture[self.pixels] = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
            return picture

        return change
