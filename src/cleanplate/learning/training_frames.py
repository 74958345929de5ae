"""The cached frames of a recording with all that a method reads of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from cleanplate.frames import ExtraModalities, Modality, Picture
from cleanplate.modalities import FeatureExtractor, ModalityCache
from cleanplate.progress import ProgressListener
from cleanplate.video import FrameCache, VideoSource


class LearningFrames:
    """Frames to learn from, and their other modalities; closing removes what is on disk.

    Attributes:
        frames: The pictures.
    """

    def __init__(self, frames: FrameCache) -> None:
        self.frames = frames
        self._extras: dict[Modality, ModalityCache] = {}
        self._files = ExitStack()
        self._files.callback(frames.close)

    def only(self, positions: Sequence[int]) -> LearningFrames:
        """Some of the frames by themselves; good for as long as these are open."""
        part = LearningFrames(self.frames.only(positions))
        part._files.pop_all()
        self._files.push(part)
        return part

    def add(
        self,
        source: VideoSource,
        readers: Mapping[Modality, FeatureExtractor],
        *,
        folder: Path,
        progress: ProgressListener,
    ) -> None:
        """Computes other modalities of the frames, a pass over the recording for each.

        One that is there from an earlier method is computed anew: its reader may differ.
        """
        for modality, reader in readers.items():
            if modality in self._extras:
                self._extras[modality].close()
            cache = ModalityCache.fill(
                source, self.frames, reader, folder=folder, progress=progress
            )
            self._files.callback(cache.close)
            self._extras[modality] = cache

    def read(self, positions: Sequence[int]) -> tuple[Picture, ExtraModalities]:
        """Pictures `(N, h, w, 3)` and the other modalities of frames, by position from 0."""
        extras = {modality: cache.read(positions) for modality, cache in self._extras.items()}
        return self.frames.read(positions), extras

    def __len__(self) -> int:
        return len(self.frames)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._files.close()
