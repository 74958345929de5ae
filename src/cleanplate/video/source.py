"""What every recording offers: its frames one after the other, numbered and timed.

Kinds of recordings stand in `movie.py` (a video file) and `images.py` (a folder or a pattern).
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cleanplate.errors import FrameSizeError, SourceError
from cleanplate.frames import MINIMUM_SIDE, MOST_PIXELS, Frame, FrameSize, Picture
from cleanplate.video.ahead import in_batches, read_ahead
from cleanplate.video.decoding import Values
from cleanplate.video.value_range import (
    GREY_LEVELS,
    FoundRange,
    ValueRange,
    find_range,
    fitting_range,
    is_narrow,
    share_at_ends,
    used_levels,
    whole_range,
    with_margin,
)

Wanted: TypeAlias = Callable[[int, float], bool]
"""Says by its index and its time in seconds whether a frame is wanted."""

DEFAULT_FRAME_RATE = Fraction(25)
"""Frames per second where nothing better is known, as with pictures in a folder."""

_DECODED_AHEAD = 16
_FRAMES_BETWEEN_LOOKS = 8
_PIXELS_BETWEEN_LOOKS = 8
_OUTSIDE = 0.25
"""Share of the values from which on a range is told to be a wrong one; less may be a border."""
_BYTES_TOGETHER = 2_000_000
"""Frames handed over together are no larger: 8 of 320x240, one of 1280x720 or more."""


class SourceProblems(NamedTuple):
    """What was wrong with a recording and did not stop the pass over it.

    Attributes:
        damaged: Frames that could not be decoded and were left out; each still took its number
            where the recording shows that it was there.
        missing: Frames that the file promised beyond its end, as in a recording cut off.
    """

    damaged: int = 0
    missing: int = 0


class Span(NamedTuple):
    """Part of a recording, by the indices that its frames have in the whole.

    Attributes:
        first: The first one.
        end: The one after the last; None: up to the end of the recording.
    """

    first: int = 0
    end: int | None = None

    def has_passed(self, index: int) -> bool:
        """Whether a frame and all after it lie behind the part."""
        return self.end is not None and index >= self.end


@dataclass
class Tally:
    """What one pass has met so far.

    Attributes:
        passed: Frames met, wanted or not, damaged ones left out.
        damaged: See `SourceProblems`.
        missing: See `SourceProblems`.
        last_time: Time of the last frame met, in seconds from the first.
        turned: Pictures that ask by EXIF to be turned in another way than most, and were not.
        turned_apart: Such pictures that were, because their pixels are turned too.
        yielded: Frames handed out.
        levels: How often each grey level was met where it was looked for.
        repaired: Frames met of which the decoder had to make up parts.
        interlaced: Frames met that the file marks as interlaced.
    """

    passed: int = 0
    damaged: int = 0
    missing: int = 0
    last_time: float = 0.0
    turned: int = 0
    turned_apart: int = 0
    yielded: int = 0
    levels: NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))
    repaired: int = 0
    interlaced: int = 0

    def meet(self, time: float) -> None:
        """Notes a frame that is there."""
        self.passed += 1
        self.last_time = time

    def look_at(self, picture: Picture) -> None:
        """Counts grey levels here and there in a frame that is handed out."""
        if self.yielded % _FRAMES_BETWEEN_LOOKS == 0:
            seen = picture[::_PIXELS_BETWEEN_LOOKS, ::_PIXELS_BETWEEN_LOOKS]
            self.levels += np.bincount(seen.reshape(-1), minlength=len(self.levels))
        self.yielded += 1

    def lose_met(self) -> None:
        """Notes that the frame met last turned out to be damaged."""
        self.passed -= 1
        self.damaged += 1


class VideoSource(ABC):
    """A recording of one fixed camera, streamed: never more than a few frames in memory.

    Attributes:
        name: The recording in messages.
        size: Size of every frame.
        frame_rate: Frames per second as far as the recording says it.
        frame_count_hint: Number of frames as the recording promises it; may be wrong. None
            where it is unknown.
        span: Which part of the whole recording it is.
        dtype: Type of the values that are stored.
    """

    def __init__(
        self,
        name: str,
        size: FrameSize,
        *,
        frame_rate: Fraction | None,
        frame_count_hint: int | None,
    ) -> None:
        self.name = name
        self.size = size
        self.frame_rate = frame_rate
        self.frame_count_hint = frame_count_hint
        self._tally = Tally()
        self.span = Span()
        self.dtype: np.dtype[Any] = np.dtype(np.uint8)
        self.given_range: ValueRange | None = None
        if min(size) < MINIMUM_SIDE:
            raise FrameSizeError(
                f"the frames of {name} are {size}, but a side needs at least {MINIMUM_SIDE} "
                f"pixels; give a larger recording"
            )
        if size.pixels > MOST_PIXELS:
            raise FrameSizeError(
                f"the frames of {name} are {size}, but frames of more than {MOST_PIXELS:,} pixels "
                "are not read; give it reduced"
            )

    @property
    def files(self) -> Sequence[Path]:
        """Files that it is read from, as far as they are known."""
        return ()

    @property
    def problems(self) -> SourceProblems:
        """What the last pass, or the running one so far, has met."""
        return SourceProblems(self._tally.damaged, self._tally.missing)

    @property
    def frames_repaired(self) -> int:
        """Frames of the last or running pass of which the decoder had to make up damaged parts."""
        return self._tally.repaired

    @property
    def frames_damaged(self) -> int:
        """Frames of the last or running pass that were left out, or shown with parts made up."""
        return self._tally.damaged + self._tally.repaired

    @property
    def frames_interlaced(self) -> int:
        """Frames of the last or running pass that the file marks as interlaced."""
        return self._tally.interlaced

    @property
    def has_times(self) -> bool:
        """Whether its frames have times of their own; else a frame rate is assumed."""
        return self.frame_rate is not None

    @property
    def frames_passed(self) -> int:
        """Frames that the last or running pass has met, wanted or not, without damaged ones."""
        return self._tally.passed

    @property
    def last_time(self) -> float:
        """Time of the last frame met by the last or running pass, wanted or not, in seconds."""
        return self._tally.last_time

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of the last pass, or the running one, a sentence each."""
        notes = [self._orientation_note(), self._range_note()]
        return tuple(note for note in notes if note is not None)

    @property
    def value_range(self) -> ValueRange | None:
        """The stored values that become black and white; None: they are grey levels."""
        if self.given_range is not None or self.dtype == np.uint8:
            return self.given_range
        return self._found.range

    @property
    def range_origin(self) -> str:
        """Where the range comes from: `given`, `found`, or `whole` for all that values can be."""
        if self.given_range is not None:
            return "given"
        return "whole" if self.dtype == np.uint8 or self._found.is_natural else "found"

    def in_range(self, value_range: ValueRange | None) -> Self:
        """The same recording with its values read by a range, as of a scene.

        Args:
            value_range: None: by all that their type can hold.

        Raises:
            SourceError: The range is not one of such values.
        """
        other = copy.copy(self)
        wanted = value_range
        if wanted is None and self.dtype != np.uint8:
            wanted = self.whole_range
        other.given_range = fitting_range(wanted, self.dtype, self.name)
        return other

    def frames(self, wanted: Wanted | None = None) -> Iterator[Frame]:
        """A fresh pass over the frames from the start, in ascending order.

        Args:
            wanted: Tells by index and time whether a frame is wanted; the others are passed over
                without the cost of decoding them, as far as the format allows it, and a damaged
                picture among them is not noticed. Asked once for each frame, in ascending order,
                possibly a few frames ahead. None: all.

        Yields:
            The wanted frames.

        Raises:
            SourceError: The recording has gone, or not one of its frames can be decoded.
            FrameSizeError: A frame has another size than the first.
        """
        tally = self._tally = Tally()
        for frame in self._pass(wanted, tally):
            if frame.size != self.size:
                raise FrameSizeError(
                    f"frame {frame.number} of {self.name} is {frame.size}, but the first frame is "
                    f"{self.size}; bring all frames of a recording to one size"
                )
            ranged = self._ranged(frame)
            tally.look_at(ranged.picture)
            yield ranged
        if tally.passed == 0:
            raise no_readable_frame(self.name)

    def frames_ahead(self) -> Generator[Frame]:
        """As `frames`, decoded by a background thread; small ones are handed over together.

        Raises:
            SourceError: As from `frames`.
            FrameSizeError: Likewise.
        """
        together = min(_DECODED_AHEAD, max(1, _BYTES_TOGETHER // (3 * self.size.pixels)))
        batches = read_ahead(
            in_batches(self.frames(), together), depth=-(-_DECODED_AHEAD // together)
        )
        with closing(batches):  # its thread has ended before this one goes on
            for batch in batches:
                yield from batch

    def part(self, first: int, end: int | None = None) -> Self:
        """The frames from one number up to another as a recording of their own.

        They keep their numbers and times; indices begin at 0.

        Args:
            first: Least number of a frame.
            end: Number that no frame reaches; None: up to the end.

        Raises:
            SourceError: There is no such frame.
        """
        start = self.span.first + self._index_of(first)
        ends = [self.span.end, None if end is None else self.span.first + self._index_of(end)]
        known = [each for each in ends if each is not None]
        part = copy.copy(self)
        part.span = Span(start, min(known) if known else None)
        if self.frame_count_hint is not None:
            whole = self.span.first + self.frame_count_hint
            part.frame_count_hint = max(0, min([whole, *known]) - start)
        if part.span.has_passed(start) or part.frame_count_hint == 0:
            raise SourceError(f"{self.name} has no frames from number {first} on; give others")
        return part

    @property
    def is_part(self) -> bool:
        """Whether there is more of the recording than this."""
        return self.span != Span()

    @property
    def whole_range(self) -> ValueRange | None:
        """All that the stored values can be; None where nothing bounds them."""
        return whole_range(self.dtype)

    @property
    def declared_range(self) -> ValueRange | None:
        """The range that the recording itself says its values have; None: it says none."""
        return None

    @cached_property
    def _found(self) -> FoundRange:
        return find_range(self._spread_values(), self.declared_range)

    def _spread_values(self) -> Iterator[Values]:
        """Some pictures spread over the whole recording as they are stored; not of 8 bits."""
        raise NotImplementedError

    def _ranged(self, frame: Frame) -> Frame:
        """A frame of grey levels with these spread as a range that was given wants it."""
        if self.given_range is None or self.dtype != np.uint8:
            return frame
        return replace(frame, picture=self.given_range.to_grey_levels(frame.picture))

    def _orientation_note(self) -> str | None:
        turned, apart = self._tally.turned, self._tally.turned_apart
        if apart:
            return (
                f"the EXIF orientation of {apart} pictures differs from that of most, and so do "
                "their pixels: each of them was turned as it asks"
                + (f"; {turned} others were turned as most of them are" if turned else "")
            )
        if not turned:
            return None
        return (
            f"the EXIF orientation of {turned} pictures differs from that of most; a fixed camera "
            "does not turn, so all were turned as most of them are"
        )

    def _range_note(self) -> str | None:
        if self.range_origin == "found":
            found, whole = self._found, self.whole_range
            if whole is not None and is_narrow(found.used, whole):
                return (
                    f"its values, from {found.used}, use less than a tenth of {whole}, which they "
                    f"could be; {found.range} were taken for black and white, --range LOW HIGH "
                    "gives others"
                )
        outside = share_at_ends(self._tally.levels)
        if self.given_range is not None and outside > _OUTSIDE:
            return (
                f"{outside:.0%} of its values lie beyond the range {self.given_range}, and cannot "
                "be told from each other; give another by --range LOW HIGH"
            )
        used = used_levels(self._tally.levels)
        if used is None or not is_narrow(used, GREY_LEVELS):
            return None
        if self.value_range is not None:
            return (
                f"its values use less than a tenth of the range {self.value_range}, so that little "
                "contrast is left; give another by --range LOW HIGH"
            )
        return (
            f"its frames use only the grey levels {used}, less than a tenth of all, so that little "
            f"contrast is left; --range {with_margin(used)} would spread them"
        )

    def _index_of(self, number: int) -> int:
        """Index of the first frame with that number or a higher one."""
        return max(0, number - 1 - self.span.first)

    @abstractmethod
    def fingerprint(self) -> str:
        """SHA-256 that tells this recording from others and stays the same when it is moved."""

    @abstractmethod
    def _pass(self, wanted: Wanted | None, tally: Tally) -> Iterator[Frame]:
        """The wanted frames, sizes unchecked; writes what it meets into the tally."""


def no_readable_frame(name: str) -> SourceError:
    """The error for a recording of which nothing can be shown."""
    return SourceError(f"{name} has no readable frame: every one is damaged; give another copy")
