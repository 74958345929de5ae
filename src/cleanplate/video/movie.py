"""A video file as a recording, read by OpenCV's FFmpeg."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from cleanplate.errors import SourceError
from cleanplate.frames import Frame, Picture
from cleanplate.video.source import (
    DEFAULT_FRAME_RATE,
    Tally,
    VideoSource,
    Wanted,
    no_readable_frame,
)

_MEBIBYTE = 1 << 20
_FINGERPRINTED_BLOCKS = 64
_TEXT_SAMPLE = 4096
_HIGHEST_FRAME_RATE = 1000.0
_HIGHEST_FRAME_COUNT = 1_000_000_000

# Failed frames in a row after which a file is taken to have ended: 1000 tries at the end of a file
# cost 2 to 17 ms, and one failed try is one damaged packet.
_FAILURES_WITH_HINT = 1000
_FAILURES_WITHOUT_HINT = 16
_FAILURES_BEYOND_HINT = 16

# These formats count their frames; FFmpeg guesses the count of the others from the duration,
# which a longer sound track or a varying frame rate makes wrong.
_COUNTING_SUFFIXES = frozenset({".avi", ".mp4", ".m4v", ".mov", ".3gp"})
_DURATION_TOLERANCE = 0.5  # seconds


class Movie(VideoSource):
    """A video file; frames are numbered from 1 by their position in the stream.

    Times are the presentation times of the file, from its first frame; where these are absent or
    do not ascend, a frame follows the one before at the frame rate. A frame that cannot be decoded
    is left out, counted and keeps its number.

    Args:
        path: An existing file.
        name: What messages call it.

    Raises:
        SourceError: The file is empty, not a video, or has no readable frame.
        FrameSizeError: Its frames are too small.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._path = path.resolve()  # FFmpeg would take "a:b.mp4" for a protocol
        _refuse_non_video(self._path, name)
        capture = _open_capture(self._path, name)
        try:
            first = _first_picture(capture, name)
            super().__init__(
                name,
                Frame(0, 0, 0.0, first).size,
                frame_rate=_frame_rate(capture.get(cv2.CAP_PROP_FPS)),
                frame_count_hint=_frame_count(capture.get(cv2.CAP_PROP_FRAME_COUNT)),
            )
        finally:
            capture.release()

    def fingerprint(self) -> str:
        """SHA-256 of the file's size and its content.

        Of a file above 64 MiB, the content is 64 evenly spread blocks of 1 MiB, the first and the
        last among them.
        """
        try:
            size = self._path.stat().st_size
            digest = hashlib.sha256(f"{size}\0".encode())
            if self.is_part:
                digest.update(f"{self.span.first}:{self.span.end}\0".encode())
            last_start = max(size - _MEBIBYTE, 0)
            if size <= _FINGERPRINTED_BLOCKS * _MEBIBYTE:
                starts = list(range(0, size, _MEBIBYTE))
            else:
                spacing = Fraction(last_start, _FINGERPRINTED_BLOCKS - 1)
                starts = [round(spacing * block) for block in range(_FINGERPRINTED_BLOCKS)]
            with self._path.open("rb") as file:
                for start in starts:
                    file.seek(start)
                    digest.update(file.read(_MEBIBYTE))
        except OSError as error:
            raise SourceError(f"{self.name} cannot be read: {error.strerror}") from error
        return digest.hexdigest()

    def _pass(self, wanted: Wanted | None, tally: Tally) -> Iterator[Frame]:
        capture = _open_capture(self._path, self.name)
        clock = _Clock(self.frame_rate or DEFAULT_FRAME_RATE)
        first = self.span.first
        index = failures = 0
        try:
            while not (self.span.has_passed(index) or self._has_ended(index, failures)):
                if not capture.grab():
                    failures += 1
                    continue
                # Frames came after the failures, so these were damaged and not the end.
                tally.damaged += max(0, min(failures, index + failures - first))
                index += failures
                failures = 0
                time = clock.time(index, capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
                if index >= first:
                    tally.meet(time)
                    if wanted is None or wanted(index - first, time):
                        picture = _retrieve(capture)
                        if picture is None:
                            tally.lose_met()
                        else:
                            yield Frame(index - first, index + 1, time, picture)
                index += 1
        finally:
            capture.release()
        if self.span.end is None:
            self._count_absent(index, clock, tally)

    @property
    def _promised(self) -> int | None:
        """Frames promised from the beginning of the file."""
        return None if self.frame_count_hint is None else self.span.first + self.frame_count_hint

    def _has_ended(self, index: int, failures: int) -> bool:
        if failures == 0:
            return False
        if self._promised is None:
            return failures >= _FAILURES_WITHOUT_HINT
        allowed = max(self._promised - index, 0) + _FAILURES_BEYOND_HINT
        return failures > min(allowed, _FAILURES_WITH_HINT)

    def _count_absent(self, positions: int, clock: _Clock, tally: Tally) -> None:
        if self._promised is None or positions >= self._promised:
            return
        absent = self._promised - positions
        if self.frame_rate is None:
            tally.missing = absent
            return
        promised_end = float(self._promised / self.frame_rate)
        step = float(1 / self.frame_rate)
        is_counted = self._path.suffix.lower() in _COUNTING_SUFFIXES
        tolerance = step / 2 if is_counted else max(_DURATION_TOLERANCE, step / 2)
        if tally.last_time + step < promised_end - tolerance:
            tally.missing = absent
        elif is_counted or clock.is_steady(positions):
            tally.damaged += absent  # lost inside, without a word of the decoder


class _Clock:
    """Ascending times in seconds from the first frame.

    Matroska files hide damage: FFmpeg goes on behind it, and only a hole in the times is left. A
    varying frame rate has holes too, but many, so a few in a steady stream tell of lost frames.
    """

    def __init__(self, frame_rate: Fraction) -> None:
        self._step = float(1 / frame_rate)
        self._start: float | None = None
        self._last_index = 0
        self._last_time = 0.0
        self._uneven = 0

    def time(self, index: int, presented: float) -> float:
        """Time of a frame that the file presents at a time of its own."""
        if self._start is None:
            self._start = presented
            time = 0.0
        else:
            time = presented - self._start
            if not time > self._last_time:  # absent (0), not ascending or not a number
                time = self._last_time + (index - self._last_index) * self._step
            steps = (time - self._last_time) / ((index - self._last_index) * self._step)
            self._uneven += not 1 / 2 < steps < 3 / 2
        self._last_index, self._last_time = index, time
        return time

    def is_steady(self, frames: int) -> bool:
        """Whether at most 1 of 100 frames, or one in all, came at another distance."""
        return self._uneven <= max(1, frames // 100)


def _refuse_non_video(path: Path, name: str) -> None:
    try:
        with path.open("rb") as file:
            sample = file.read(_TEXT_SAMPLE)
    except OSError as error:
        raise SourceError(f"{name} cannot be read: {error.strerror}") from error
    if not sample:
        raise SourceError(f"{name} is an empty file; give a video that was written to its end")
    # FFmpeg would paint a text file, as ANSI art.
    if all(byte >= 0x20 or byte in b"\t\n\r\f\x1b" for byte in sample):
        raise SourceError(f"{name} is a text file and not a video")


def _open_capture(path: Path, name: str) -> cv2.VideoCapture:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        capture.release()
        raise SourceError(
            f"{name} cannot be opened as a video: its format is unknown, or it was cut off before "
            f"its index was written; convert it with ffmpeg or give another copy"
        )
    return capture


def _first_picture(capture: cv2.VideoCapture, name: str) -> Picture:
    for _ in range(_FAILURES_WITH_HINT):
        if capture.grab() and (picture := _retrieve(capture)) is not None:
            return picture
    raise no_readable_frame(name)


def _retrieve(capture: cv2.VideoCapture) -> Picture | None:
    try:
        is_decoded, decoded = capture.retrieve()
    except cv2.error:
        return None
    if not is_decoded or decoded is None or decoded.size == 0:
        return None
    code = cv2.COLOR_GRAY2RGB if decoded.ndim == 2 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(decoded, code))


def _frame_rate(reported: float) -> Fraction | None:
    if not math.isfinite(reported) or not 0 < reported <= _HIGHEST_FRAME_RATE:
        return None
    rate = Fraction(reported).limit_denominator(1001)
    return rate if rate > 0 else None


def _frame_count(reported: float) -> int | None:
    return int(reported) if 0 < reported <= _HIGHEST_FRAME_COUNT else None
