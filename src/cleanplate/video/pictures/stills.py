"""Pictures that can be read in any order, as a recording: files of a folder, pages of one file."""

from __future__ import annotations

from abc import abstractmethod
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import cv2
import numpy as np

from cleanplate.errors import SourceError
from cleanplate.frames import Frame, FrameSize, Picture
from cleanplate.video.decoding import Decoded, Values
from cleanplate.video.source import (
    DEFAULT_FRAME_RATE,
    Tally,
    VideoSource,
    Wanted,
    no_readable_frame,
)
from cleanplate.video.value_range import LOOKED_AT_FOR_RANGE, whole_range

DECODING_THREADS = 2
_DECODED_AHEAD = 6
_LEAST_FOR_THREADS = 640 * 480
"""Pixels of a picture below which threads cost more than they save."""


class Stills(VideoSource):
    """Pictures with numbers of their own; large ones are decoded by two threads ahead.

    Times assume `DEFAULT_FRAME_RATE`. A damaged picture is left out and counted. Values of another
    type than 8 bits become grey levels by one range for all pictures: the one that is given, or
    one that is found from up to 32 of them.

    Args:
        name: What messages call them.
        numbers: Of the frames, ascending, one for each picture.

    Raises:
        SourceError: None of them can be decoded.
        FrameSizeError: They are too small.
    """

    def __init__(self, name: str, numbers: Sequence[int]) -> None:
        self.name = name  # `_read` may need it
        self._numbers = numbers
        read = (self._read(position) for position in range(len(numbers)))
        first = next((decoded for decoded in read if decoded is not None), None)
        if first is None:
            raise no_readable_frame(name)
        size = FrameSize(*first.values.shape[:2])
        super().__init__(name, size, frame_rate=None, frame_count_hint=len(numbers))
        self.dtype, self._shape = first.values.dtype, first.values.shape

    @abstractmethod
    def _read(self, position: int) -> Decoded | None:
        """The picture at a position in the whole recording; None where it is damaged."""

    def _spread_values(self) -> Iterator[Values]:
        count = len(self._numbers)
        places = np.linspace(0, count - 1, min(count, LOOKED_AT_FOR_RANGE)).round().astype(int)
        read = (self._read(int(place)) for place in np.unique(places))
        pictures = (decoded.values for decoded in read if decoded is not None)
        return (each for each in pictures if self._is_like_first(each))

    def _is_like_first(self, values: Values) -> bool:
        return values.dtype == self.dtype and values.shape == self._shape

    def _pass(self, wanted: Wanted | None, tally: Tally) -> Iterator[Frame]:
        # A large picture waits in this queue while the threads decode it; one not wanted holds a
        # place without work, so that the order stays that of the pictures.
        waiting: deque[tuple[int, Callable[[], Decoded | None] | None]] = deque()
        is_large = self.size.pixels >= _LEAST_FOR_THREADS
        pool = ThreadPoolExecutor(DECODING_THREADS, thread_name_prefix="decode")
        try:
            for index, position in enumerate(range(len(self._numbers))[slice(*self.span)]):
                read: Callable[[], Decoded | None] | None = None
                if wanted is None or wanted(index, self._time(index)):
                    read = partial(self._read, position)
                    if is_large:
                        read = pool.submit(read).result
                waiting.append((index, read))
                if len(waiting) > (_DECODED_AHEAD if is_large else 0):
                    yield from self._finish(*waiting.popleft(), tally)
            while waiting:
                yield from self._finish(*waiting.popleft(), tally)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _finish(
        self, index: int, read: Callable[[], Decoded | None] | None, tally: Tally
    ) -> Iterator[Frame]:
        time = self._time(index)
        if read is None:
            tally.meet(time)
        elif (decoded := read()) is None:
            tally.damaged += 1
        else:
            tally.meet(time)
            self._look_at(decoded, tally)
            number = self._numbers[self.span.first + index]
            picture = in_three_channels(self._grey_levels(decoded.values, number))
            yield Frame(index, number, time, picture)

    def _look_at(self, decoded: Decoded, tally: Tally) -> None:
        """Notes what is peculiar about a picture."""

    def _grey_levels(self, values: Values, number: int) -> Values:
        """Values of 8 bits; those of an 8-bit recording stay as they are."""
        if values.dtype != self.dtype:
            whole, own = whole_range(values.dtype), whole_range(self.dtype)
            if whole is None or own is None:
                raise SourceError(
                    f"frame {number} of {self.name} has values of type {values.dtype}, but the "
                    f"first frame {self.dtype}; bring all frames of a recording to one type"
                )
            # The same picture with more or fewer bits, as programs that shrink PNG files write it.
            share = (values.astype(np.float64) - whole.low) / (whole.high - whole.low)
            values = np.rint(own.low + share * (own.high - own.low)).astype(self.dtype)
        if self.dtype == np.uint8 or self.value_range is None:
            return values
        return self.value_range.to_grey_levels(values)

    def _index_of(self, number: int) -> int:
        return max(0, bisect_left(self._numbers, number) - self.span.first)

    def _time(self, index: int) -> float:
        return float((self.span.first + index) / DEFAULT_FRAME_RATE)


def in_three_channels(values: Picture) -> Picture:
    """Grey levels as RGB."""
    if values.ndim == 3:
        return values
    return np.asarray(cv2.cvtColor(values, cv2.COLOR_GRAY2RGB))
