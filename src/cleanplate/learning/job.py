"""What is learned and how, and the frames that are kept of its recording."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from cleanplate.errors import SourceError
from cleanplate.frames import FrameSize
from cleanplate.progress import ProgressListener
from cleanplate.runtimes.network import pick_device
from cleanplate.scene.run_folder import RunFolder
from cleanplate.settings import LearnSettings
from cleanplate.video import FrameCache, VideoSource

_WORKING_PIXELS = {"cpu": 768 * 432, "cuda": 1920 * 1080}


class LearningJob(NamedTuple):
    """What is learned, and how.

    Attributes:
        settings: All of them.
        source: The recording.
        folder: For what is written on the way.
        progress: Told how the work goes on.
    """

    settings: LearnSettings
    source: VideoSource
    folder: RunFolder
    progress: ProgressListener

    def told(self, stage: str) -> Callable[[int, int | None], None]:
        """Tells how far a stage is."""
        return lambda done, total: self.progress(stage, done, total)


def read_frames(job: LearningJob) -> FrameCache:
    """Frames spread over the recording, in the working size.

    Raises:
        SourceError: It cannot be read, or has fewer than two frames.
    """
    sampling = job.settings.sampling
    frames = FrameCache.fill(
        job.source,
        job.folder.cache,
        size=working_size(job),
        max_frames=sampling.max_frames,
        max_bytes=int(sampling.max_gigabytes * 1e9),
        on_frame=job.told("reading"),
    )
    if len(frames) < 2:
        frames.close()
        raise SourceError(
            f"{job.source.name} has a single frame that can be read; a scene needs at least two"
        )
    return frames


def working_size(job: LearningJob) -> FrameSize:
    """Size in which the scene is learned."""
    pixels = job.settings.sampling.working_pixels
    if pixels == "auto":
        kind = "cpu"
        if not job.settings.is_baseline:
            kind = pick_device(job.settings.general.device).type
        pixels = _WORKING_PIXELS.get(kind, _WORKING_PIXELS["cpu"])
    size = job.source.size
    scale = min(1.0, math.sqrt(pixels / size.pixels))
    return FrameSize(*(max(1, round(side * scale)) for side in size))
