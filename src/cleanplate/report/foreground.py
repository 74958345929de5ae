"""How much is foreground over time, and the moments worth showing, in bounded memory."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import FrameSize, Mask
from cleanplate.progress import ProgressListener
from cleanplate.scene import Scene
from cleanplate.scene_file import Sample
from cleanplate.scene_model.sizes import resized
from cleanplate.streaming import Result
from cleanplate.video import VideoSource

MOMENTS = 8
"""Most moments that are shown."""
_MOMENT_WIDTH = 960


@dataclass(frozen=True, eq=False)
class Foreground:
    """Share of foreground pixels over time, with a few of the frames.

    Attributes:
        times: Seconds from the first frame, ascending.
        shares: Share of foreground pixels at those times, 0 to 1.
        moments: At most eight frames, in the order of time.
        busiest: Number of the frame with most foreground; None where not every frame is known.
    """

    times: NDArray[np.float64]
    shares: NDArray[np.float64]
    moments: Sequence[Sample]
    busiest: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether every frame of a recording is in it, and not only a few."""
        return self.busiest is not None


def foreground_of_samples(samples: Sequence[Sample]) -> Foreground:
    """What the samples of a scene file tell."""
    return Foreground(
        np.array([sample.time for sample in samples], np.float64),
        np.array([share(sample.mask) for sample in samples], np.float64),
        samples[:MOMENTS],
    )


def follow_foreground(
    scene: Scene, source: VideoSource, *, progress: ProgressListener
) -> Foreground:
    """Segments a whole recording; memory grows by 16 bytes a frame.

    Raises:
        SourceError: The recording cannot be read.
        FrameSizeError: Its frames are not of the scene's size.
    """
    times, shares = array("d"), array("d")
    moments = _Moments()
    with scene.open_stream(source, watch_camera=False) as stream:
        for result in stream:
            part = share(result.mask)
            times.append(result.time)
            shares.append(part)
            moments.offer(result, part)
            progress("foreground over time", len(times), source.frame_count_hint)
    return Foreground(np.array(times), np.array(shares), moments.chosen(), moments.busiest.number)


def share(mask: Mask) -> float:
    """Share of foreground pixels, 0 to 1."""
    return np.count_nonzero(mask) / mask.size


class _Moments:
    """Frames spread evenly over a stream of unknown length, and the busiest one.

    Every `stride`-th frame is kept; when there are too many, every second one of them is dropped
    and the stride doubles. So one pass is enough, and a segmenter with a memory would see the
    frames in their order.
    """

    def __init__(self) -> None:
        self._seen = 0
        self._stride = 1
        self._kept: list[tuple[int, Sample]] = []
        self._most = -1.0
        self._busiest: tuple[int, Sample] | None = None

    @property
    def busiest(self) -> Sample:
        """The first of the frames with most foreground."""
        assert self._busiest is not None
        return self._busiest[1]

    def offer(self, result: Result, part: float) -> None:
        """Shows it the next frame and its share of foreground."""
        place = self._seen
        self._seen += 1
        is_busiest, is_kept = part > self._most, place % self._stride == 0
        if not is_busiest and not is_kept:
            return
        entry = place, _sample(result)
        if is_busiest:
            self._most = part
            self._busiest = entry
        if is_kept:
            self._kept.append(entry)
        if len(self._kept) > 2 * MOMENTS:
            self._kept = self._kept[::2]
            self._stride *= 2

    def chosen(self) -> list[Sample]:
        """At most eight frames in the order of time, the busiest among them."""
        assert self._busiest is not None
        count = min(MOMENTS, len(self._kept))
        spread = np.linspace(0, len(self._kept) - 1, count).round().astype(int)
        chosen = dict(self._kept[position] for position in spread)
        busiest = self._busiest[0]
        if busiest not in chosen:
            if len(chosen) == MOMENTS:
                del chosen[min(chosen, key=lambda place: abs(place - busiest))]
            chosen[busiest] = self._busiest[1]
        return [chosen[place] for place in sorted(chosen)]


def _sample(result: Result) -> Sample:
    height, width = result.mask.shape
    scale = min(1.0, _MOMENT_WIDTH / width)
    size = FrameSize(round(height * scale), round(width * scale))
    mask = np.where(resized(result.mask, size) > 127, 255, 0).astype(np.uint8)
    return Sample(
        number=result.number,
        time=result.time,
        picture=resized(result.picture, size),
        background=resized(result.working_background, size),
        mask=mask,
    )
