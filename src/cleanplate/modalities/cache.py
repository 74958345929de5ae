"""A modality of the cached frames, on disk as float16, read by position."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cleanplate.errors import SourceError
from cleanplate.frames import FloatMap
from cleanplate.modalities.base import FeatureExtractor
from cleanplate.progress import ProgressListener, silent
from cleanplate.video import ArrayFile, FrameCache, VideoSource, read_ahead


class ModalityCache:
    """One modality of every frame of a `FrameCache`; `close` removes the file."""

    def __init__(self, file: ArrayFile, count: int) -> None:
        self._file = file
        self._count = count

    @classmethod
    def fill(
        cls,
        source: VideoSource,
        frames: FrameCache,
        reader: FeatureExtractor,
        *,
        folder: Path,
        progress: ProgressListener = silent,
    ) -> ModalityCache:
        """Passes over the recording again and keeps the modality of the cached frames.

        The frames that are kept stand far apart; flow needs the frame just before each of them.

        Raises:
            SourceError: The recording, or a frame that was kept of it, cannot be read any more.
            OutputError: The disk is full; nothing is left behind.
        """
        places = {index: position for position, index in enumerate(frames.indices)}
        needed = _needed(frames.indices, reader.frames_before)
        file = ArrayFile(folder, (reader.channels, *frames.size), np.float16)
        is_needed = None if needed is None else lambda index, _: index in needed
        passing = read_ahead(source.frames(wanted=is_needed))
        try:
            for frame in passing:
                values = reader.read(frames.prepared(frame.picture), frame.index)
                if (position := places.pop(frame.index, None)) is not None:
                    file.write(values, position)
                    progress("reading again", position + 1, len(frames))
            _require_all_read(source, missing=len(places))
        except BaseException:
            file.remove()
            raise
        finally:
            passing.close()
        return cls(file, len(frames))

    def read(self, positions: Sequence[int]) -> FloatMap:
        """The modality of cached frames, `(N, channels, h, w)`, float32."""
        values = np.empty((len(positions), *self._file.shape), np.float16)
        for place, position in enumerate(positions):
            if not 0 <= position < self._count:
                raise IndexError(f"position {position} is not in 0 to {self._count - 1}")
            self._file.read_into(values[place], position)
        return values.astype(np.float32)

    @property
    def nbytes(self) -> int:
        """Size of the file."""
        return self._file.nbytes

    def close(self) -> None:
        """Removes the file."""
        self._file.remove()


def _needed(indices: Sequence[int], frames_before: int | None) -> frozenset[int] | None:
    """Indices of the frames that the reader has to see; None for all."""
    if frames_before is None:
        return None
    return frozenset(
        index - back for index in indices for back in range(frames_before + 1) if index >= back
    )


def _require_all_read(source: VideoSource, *, missing: int) -> None:
    if missing:
        raise SourceError(
            f"{source.name} has changed since its frames were read: {missing} of them cannot be "
            "read any more; learn again when it is complete"
        )
