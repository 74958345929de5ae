"""A video file as a recording."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from contextlib import closing
from fractions import Fraction
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from cleanplate.errors import SourceError
from cleanplate.frames import Frame, FrameSize, Picture
from cleanplate.video.clock import Break, Clock, Timed
from cleanplate.video.decoding import Values
from cleanplate.video.movies.movie_decoder import Decoder, Shot
from cleanplate.video.movies.movie_times import FileTimes
from cleanplate.video.movies.movie_values import grey_bits, grey_values
from cleanplate.video.pictures.stills import in_three_channels
from cleanplate.video.source import (
    DEFAULT_FRAME_RATE,
    Tally,
    VideoSource,
    Wanted,
    no_readable_frame,
)
from cleanplate.video.value_range import LOOKED_AT_FOR_RANGE, ValueRange

_MEBIBYTE = 1 << 20
_FINGERPRINTED_BLOCKS = 64
_TEXT_SAMPLE = 4096
_DURATION_TOLERANCE = 0.5  # seconds
_CONTAINER_BITS = 16
"""Bits that are also a container of fewer."""
_FRAMES_TO_BEGIN = 1000
"""Frames that are tried for the first that becomes a picture."""


class Movie(VideoSource):
    """A video file; frames are numbered from 1 by their position in the stream.

    Times are the presentation times of the file, from its first frame; where these are absent or
    wrong, a frame follows the one before at the usual distance (`Clock`). A frame that cannot be
    decoded is left out, counted and keeps its number; one of which the decoder had to make up a
    part is counted too, and shown. Frames of another size than the first are scaled to it.

    Args:
        path: An existing file.
        name: What messages call it.

    Raises:
        SourceError: The file is empty, not a video, or has no readable frame.
        FrameSizeError: Its frames are too small.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._path = path.resolve()  # FFmpeg would take "a:b.mp4" for a protocol
        self._breaks = _Breaks()
        _refuse_non_video(self._path, name)
        with Decoder(self._path, name) as decoder:
            shot, first = _first_picture(decoder, name)
            super().__init__(
                name,
                Frame(0, 0, 0.0, first).size,
                frame_rate=decoder.frame_rate,
                frame_count_hint=decoder.frame_count,
            )
            self._bits = grey_bits(shot.frame)
        if self._bits is not None:
            self.dtype = np.dtype(np.uint16)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of the last pass, or the running one, a sentence each."""
        return (*super().notes, *self._breaks.sentences(self.size))

    @property
    def files(self) -> Sequence[Path]:
        """The video file."""
        return [self._path]

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
        breaks = self._breaks = _Breaks()
        first = self.span.first
        with Decoder(self._path, self.name) as decoder:
            clock: Clock[Shot] = Clock(float(1 / (self.frame_rate or DEFAULT_FRAME_RATE)))
            clock.comes_back = FileTimes(self._path, self.name).come_back
            breaks.clock = clock
            for timed in self._timed(decoder, clock, tally):
                shot, index, time = timed.item, timed.index, timed.time
                if index < first:
                    continue
                breaks.headless = decoder.headless
                if shot.size != self.size:
                    breaks.resized = breaks.resized or (index + 1, shot.size)
                tally.meet(time)
                if wanted is not None and not wanted(index - first, time):
                    continue
                picture = self._picture(shot)
                if picture is None:
                    tally.lose_met()
                    continue
                if shot.size != self.size:
                    picture = _scaled(picture, self.size)
                yield Frame(index - first, index + 1, time, picture)

    def _picture(self, shot: Shot) -> Picture | None:
        if self.value_range is None or self.dtype == np.uint8:
            return _retrieve(shot)
        if grey_bits(shot.frame) != self._bits:  # the stream has changed to another kind
            return None
        return in_three_channels(self.value_range.to_grey_levels(grey_values(shot.frame)))

    @property
    def whole_range(self) -> ValueRange | None:
        """See `VideoSource.whole_range`."""
        if self._bits is None:
            return super().whole_range
        return ValueRange(0.0, 2.0**self._bits - 1)

    @property
    def declared_range(self) -> ValueRange | None:
        """See `VideoSource.declared_range`."""
        return None if self._bits in (None, _CONTAINER_BITS) else self.whole_range

    @property
    def values_kind(self) -> str:
        """What its values are, in messages."""
        return "8-bit" if self._bits is None else f"{self._bits}-bit grey"

    def spread_values(self, most: int) -> Iterator[Values]:
        """Some frames spread over all of it, as they are stored; not of 8 bits."""
        # Without a count, frames are taken closer together, from the beginning.
        stride = max(1, (self.frame_count_hint or 0) // most)
        with Decoder(self._path, self.name) as decoder, closing(decoder.frames()) as shots:
            for shot in islice(shots, 0, stride * most, stride):
                values = grey_values(shot.frame) if grey_bits(shot.frame) == self._bits else None
                if values is not None and values.shape == self.size:
                    yield values

    def _spread_values(self) -> Iterator[Values]:
        return self.spread_values(LOOKED_AT_FOR_RANGE)

    def _timed(self, decoder: Decoder, clock: Clock[Shot], tally: Tally) -> Iterator[Timed[Shot]]:
        """Frames up to the end of the part, with the damage before each of them counted."""
        index = 0
        last: Timed[Shot] | None = None
        for timed in self._placed(decoder, clock):
            start = max(index, self.span.first)
            index = timed.index
            tally.damaged += max(0, index - start)
            if index >= self.span.first:
                tally.repaired += timed.item.is_damaged
                tally.interlaced += timed.item.frame.interlaced_frame
                if last is not None and not decoder.is_counted:
                    tally.damaged += _lost_between(last, timed, clock)
            yield timed
            index += 1
            last = timed
        if self.span.end is None:
            _count_absent(decoder, index, clock, tally)

    def _placed(self, decoder: Decoder, clock: Clock[Shot]) -> Iterator[Timed[Shot]]:
        index = 0
        with closing(decoder.frames()) as shots:
            for shot in shots:
                index += shot.lost
                if self.span.has_passed(index):
                    break
                yield from clock.place(shot, index, shot.presented)
                index += 1
        yield from clock.finish()


class _Breaks:
    """Where a recording is not one even stream.

    Attributes:
        clock: The clock of the pass.
        headless: Frames at its start that cannot be shown.
        resized: Number and size of the first frame of another size.
    """

    def __init__(self) -> None:
        self.clock: Clock[Shot] | None = None
        self.headless = 0
        self.resized: tuple[int, FrameSize] | None = None

    def sentences(self, size: FrameSize) -> Iterator[str]:
        """What is to be told; nothing of an even stream."""
        if self.headless:
            yield (
                f"its beginning is missing: the first {self.headless} frames are built on one "
                "that was cut off, and are left out"
            )
        if self.resized is not None:
            number, other = self.resized
            yield (
                f"frame {number} is {other}, but the first frame is {size}: from there on frames "
                "of another size were scaled to the first, and a camera that changed its view "
                "with its size needs a recording for each"
            )
        if self.clock is not None:
            yield from _jump_sentence(self.clock.jumps)
            yield from _gap_sentence(self.clock.gaps)


def _jump_sentence(jumps: Sequence[Break]) -> Iterator[str]:
    if not jumps:
        return
    where = f"{_signed(jumps[0].seconds)} at frame {jumps[0].index + 1}"
    if len(jumps) > 1:
        where = f"{len(jumps)} times, first {where}"
    yield f"its clock jumps {where}; no other time was moved by that"


def _gap_sentence(gaps: Sequence[Break]) -> Iterator[str]:
    if not gaps:
        return
    first = f"{_in_words(gaps[0].seconds)} before frame {gaps[0].index + 1}"
    if len(gaps) == 1:
        yield f"nothing was recorded for {first}"
    else:
        total = _in_words(math.fsum(gap.seconds for gap in gaps))
        yield f"nothing was recorded in {len(gaps)} gaps, {total} in all, first for {first}"


def _signed(seconds: float) -> str:
    return f"{_in_words(abs(seconds))} {'ahead' if seconds > 0 else 'back'}"


def _in_words(seconds: float) -> str:
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f}".removesuffix(".0") + f" {unit}"
    return f"{seconds:.1f} s"


def _lost_between(before: Timed[Shot], after: Timed[Shot], clock: Clock[Shot]) -> int:
    """Frames lost in a hole of the times, where the file shows that they were there.

    Formats that do not count their frames go on behind damage without a word. Where they leave no
    trace of it, nothing was recorded meanwhile, or the frame rate varies.
    """
    hole = after.time - before.time
    is_long = bool(clock.gaps) and clock.gaps[-1].index == after.index
    if not (after.item.after_hole or (after.item.after_damage and not is_long)):
        return 0
    if is_long:
        clock.gaps.pop()
    return max(0, round(hole / clock.usual_step) - (after.index - before.index))


def _count_absent(decoder: Decoder, positions: int, clock: Clock[Shot], tally: Tally) -> None:
    """Counts what is promised and did not come: at the end of the file, or inside it."""
    step = clock.usual_step
    tolerance = step / 2 if decoder.is_counted else max(_DURATION_TOLERANCE, step / 2)
    behind = 0.0  # what is promised after the end of the last frame
    if decoder.promised_end is not None and clock.latest is not None:
        behind = decoder.promised_end - clock.latest - step
    if decoder.is_counted and decoder.frame_rate is not None:
        # The duration may be that of what is left of the file; the count is that of the whole.
        counted_end = float((decoder.frame_count or 0) / decoder.frame_rate)
        behind = max(behind, counted_end - tally.last_time - step)
    if decoder.is_counted:
        absent = max(0, (decoder.frame_count or 0) - decoder.discarded - positions)
    else:
        absent = round(behind / step) if behind > tolerance and not decoder.is_whole else 0
    if behind > tolerance and not decoder.is_whole:
        tally.missing = absent
    else:
        tally.damaged += max(absent, decoder.lost_at_end)


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


def _first_picture(decoder: Decoder, name: str) -> tuple[Shot, Picture]:
    for shot in islice(decoder.frames(), _FRAMES_TO_BEGIN):
        if (picture := _retrieve(shot)) is not None:
            return shot, picture
    raise no_readable_frame(name)


def _retrieve(shot: Shot) -> Picture | None:
    return shot.picture()


def _scaled(picture: Picture, size: FrameSize) -> Picture:
    is_smaller = size.pixels < picture.shape[0] * picture.shape[1]
    how = cv2.INTER_AREA if is_smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size[::-1], interpolation=how), np.uint8)
