"""Which values of a recording become black and which white: one range for all of its frames.

Masks are made of 8 bits. Thermal cameras count 7,000 to 9,000 of 65,535, others write 12 bits into
16, or floating point in units of their own; each recording has one range, given or found here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.errors import SourceError, UsageError

LOOKED_AT_FOR_RANGE = 32
"""Pictures of a recording from which a range is found."""
_WHITE = 255
_NATURAL_WHOLE = (255.0, 1023.0, 4095.0, 16383.0, 65535.0)
"""Highest values of 8, 10, 12, 14 and 16 bits, which cameras write into 16."""
_NATURAL_FLOATING = (1.0, 255.0)
_MOST_BYTES = 2
_USED_FOR_NATURAL = 0.25
"""Share of such a range that is used by a recording made for it."""
_MARGIN = 1 / 8
"""Room on both sides of what was found, so that what is beyond it still differs clearly."""
_RARE = 1e-4
"""Share of a frame's values, after a median over 3x3, that may lie outside at each end."""
_RARE_LEVELS = 1e-3
_RARE_FRAMES = 0.05
_MOST_VALUES = 100_000
"""Of a frame that are looked at."""
_LEAST_NOISES = 32
"""The range is at least so many times the noise, or rounding to whole numbers, which otherwise
would fill it where a scene has hardly any contrast."""
_MEDIAN_CHANGE = 0.6745 * math.sqrt(2)
"""Median of the difference of two normal values, in standard deviations of one."""
_NARROW = 0.1
"""Share of its range that a recording uses at least; below, contrast is too low to be trusted."""


class ValueRange(NamedTuple):
    """Values from black to white; what lies beyond is cut off.

    Attributes:
        low: Becomes 0.
        high: Becomes 255.
    """

    low: float
    high: float

    @classmethod
    def checked(cls, low: float, high: float) -> ValueRange:
        """The range from one value to another.

        Raises:
            UsageError: It is none.
        """
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise UsageError(
                f"{low:g} to {high:g} is no range of values; give the value that is to be black "
                "first and a higher one that is to be white"
            )
        return cls(float(low), float(high))

    @classmethod
    def given(cls, ends: object) -> ValueRange:
        """The range that a program gives as two numbers.

        Raises:
            UsageError: It is none.
        """
        try:
            low, high = (float(end) for end in ends)  # type: ignore[attr-defined]
        except (TypeError, ValueError, OverflowError) as error:
            raise UsageError(
                f"a range of values cannot be {ends!r:.60}; give two numbers, (LOW, HIGH)"
            ) from error
        return cls.checked(low, high)

    def __str__(self) -> str:
        return f"{self.low:.6g} to {self.high:.6g}"

    def to_grey_levels(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """The values as grey levels, in the same shape; what is no number becomes 0."""
        if values.dtype in (np.uint8, np.uint16):
            return _table(self, values.dtype)[values]
        return _levels(self, values)


GREY_LEVELS = ValueRange(0.0, float(_WHITE))
"""The range of pictures of 8 bits."""


@lru_cache(maxsize=4)
def _table(value_range: ValueRange, dtype: np.dtype[Any]) -> NDArray[np.uint8]:
    return _levels(value_range, np.arange(int(np.iinfo(dtype).max) + 1))


def _levels(value_range: ValueRange, values: NDArray[Any]) -> NDArray[np.uint8]:
    low, high = value_range
    with np.errstate(over="ignore", invalid="ignore"):  # what is infinite then is cut off
        scaled = values.astype(np.float64)
        scaled -= low
        scaled *= _WHITE / (high - low)
    np.nan_to_num(scaled, copy=False, nan=0.0)
    np.clip(scaled, 0, _WHITE, out=scaled)
    return np.rint(scaled).astype(np.uint8)


class FoundRange(NamedTuple):
    """A range and what it was found from.

    Attributes:
        range: Of the recording.
        used: From where to where nearly all values lie.
        is_natural: Whether it is what such values are made for: of their bits, or 0 to 1.
    """

    range: ValueRange
    used: ValueRange
    is_natural: bool


def whole_range(dtype: np.dtype[Any]) -> ValueRange | None:
    """All values that a type can hold; None for floating point, and for whole numbers of 32 bits.

    Those are in units of their own, and no camera uses a good part of what they can hold.
    """
    if dtype.kind not in "iu" or dtype.itemsize > _MOST_BYTES:
        return None
    info = np.iinfo(dtype)
    return ValueRange(float(info.min), float(info.max))


def fitting_range(wanted: ValueRange | None, dtype: np.dtype[Any], name: str) -> ValueRange | None:
    """The range by which values of a type are read; None: they are grey levels as they stand.

    Args:
        wanted: The range that is asked for; None: all that the type can hold.
        dtype: Of the values.
        name: Whose they are, in messages.

    Raises:
        SourceError: The range is one of other values.
    """
    if dtype != np.uint8:
        found = wanted or whole_range(dtype)
        if found is None:
            raise SourceError(
                f"{name} has {dtype} values, for which no range is known; learn a scene from such "
                "values, or give the range"
            )
        return found
    if wanted is None or wanted == whole_range(np.dtype(np.uint16)):
        return None
    if wanted.low < -_WHITE or wanted.high > 2 * _WHITE:
        raise SourceError(
            f"{name} has grey levels of 8 bits, but the range is {wanted}; give values of the kind "
            "that the scene was learned from, or another range"
        )
    return wanted


def with_margin(used: ValueRange) -> str:
    """The arguments of `--range` that spread grey levels over all that there are."""
    margin = max(2.0, (used.high - used.low) * _MARGIN)
    return f"{max(0.0, used.low - margin):.0f} {min(float(_WHITE), used.high + margin):.0f}"


def find_range(pictures: Iterable[NDArray[Any]], whole: ValueRange | None = None) -> FoundRange:
    """The range of a recording from some of its pictures, spread over its time.

    The range of 8, 10, 12, 14 or 16 bits, or 0 to 1, where the values use a quarter of it or more;
    else what they use, with room on both sides. Dead pixels, values that are no numbers, and a
    value without data far from all others count for nothing.

    Args:
        pictures: Of one size and type, at least one; looked at one by one.
        whole: All that their values can be, where that is known; else the smallest of these ranges
            that holds them.
    """
    dtype = np.dtype(np.uint8)
    ends: list[tuple[float, float]] = []
    changes: list[float] = []
    before: NDArray[Any] | None = None
    for picture in pictures:
        dtype = picture.dtype
        ends += _ends(picture)
        if before is not None:
            changes += _change(before, picture)
        before = picture
    used = _used(ends)
    natural = whole or _natural(used, dtype)
    span = used.high - used.low
    if natural is not None and span >= _USED_FOR_NATURAL * (natural.high - natural.low):
        return FoundRange(natural, used, is_natural=True)
    margin = max(span * _MARGIN, (_LEAST_NOISES * _noise(changes, dtype) - span) / 2)
    if margin == 0:  # one value everywhere, without noise
        margin = max(abs(used.low), 1.0) / 2
    low, high = used.low - margin, used.high + margin
    if dtype.kind in "iu":
        low, high = float(math.floor(low)), float(math.ceil(high))
    return FoundRange(ValueRange(low, high), used, is_natural=False)


def is_narrow(used: ValueRange, whole: ValueRange) -> bool:
    """Whether so little of a range is used that contrast is too low to be trusted."""
    return used.high - used.low < _NARROW * (whole.high - whole.low)


def used_levels(counts: NDArray[np.int64]) -> ValueRange | None:
    """From where to where nearly all grey levels lie, of their counts; None where there are none.

    Args:
        counts: `(256,)`.
    """
    total = int(counts.sum())
    if total == 0:
        return None
    shares = np.cumsum(counts) / total
    low = int(np.searchsorted(shares, _RARE_LEVELS, side="right"))
    high = int(np.searchsorted(shares, 1 - _RARE_LEVELS))
    return ValueRange(float(low), float(high))


def share_at_ends(counts: NDArray[np.int64]) -> float:
    """Share of grey levels, by their counts `(256,)`, that are black or white."""
    total = int(counts.sum())
    return float(counts[0] + counts[-1]) / total if total else 0.0


def _natural(used: ValueRange, dtype: np.dtype[Any]) -> ValueRange | None:
    """The smallest range that such values are made for and that holds them."""
    if used.low < 0:
        return None
    highest = _NATURAL_FLOATING if dtype.kind == "f" else _NATURAL_WHOLE
    fitting = [high for high in highest if used.high <= high]
    return ValueRange(0.0, fitting[0]) if fitting else None


def _ends(picture: NDArray[Any]) -> list[tuple[float, float]]:
    """Between which nearly all values of a picture lie; empty where there are none."""
    values = _without_missing(_smoothed(picture), picture.dtype)
    if not values.size:
        return []
    low, high = np.quantile(values, (_RARE, 1 - _RARE), method="nearest")
    return [(float(low), float(high))]


def _used(ends: Sequence[tuple[float, float]]) -> ValueRange:
    """Where nearly all values of nearly all pictures lie."""
    if not ends:
        return ValueRange(0.0, 0.0)
    lows, highs = np.asarray(ends).T
    low = np.quantile(lows, _RARE_FRAMES, method="lower")
    high = np.quantile(highs, 1 - _RARE_FRAMES, method="higher")
    return ValueRange(float(low), float(high))


def _smoothed(picture: NDArray[Any]) -> NDArray[Any]:
    """Numbers of a picture, single pixels that stick out smoothed away; in one row."""
    with np.errstate(over="ignore", invalid="ignore"):  # what is infinite then is no number
        values = np.array(picture, np.float32)
    is_number = np.isfinite(values)
    values[~is_number] = np.median(values[is_number]) if is_number.any() else 0
    smooth = np.asarray(cv2.medianBlur(values, 3))[is_number]
    return smooth[:: max(1, smooth.size // _MOST_VALUES)]


def _without_missing(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """The values without a lowest or highest one that stands for "no data".

    Others are further from it than from each other; of whole numbers it is one that all or no bits
    are set of, up to as many as the camera has.
    """
    for find_end in (np.min, np.max):
        if values.size == 0:
            return values
        end = find_end(values)
        rest = values[values != end]
        if dtype.kind != "f" and end != np.iinfo(dtype).min and end not in (0, *_NATURAL_WHOLE):
            continue
        if rest.size and abs(find_end(rest) - end) > np.ptp(rest):
            values = rest
    return values


def _change(before: NDArray[Any], after: NDArray[Any]) -> list[float]:
    """By how much half of the pixels differ; empty where none has a number."""
    are_numbers = np.isfinite(before) & np.isfinite(after)
    with np.errstate(over="ignore", invalid="ignore"):
        change = np.abs(after[are_numbers].astype(np.float64) - before[are_numbers])
    return [float(np.median(change))] if change.size else []


def _noise(changes: Sequence[float], dtype: np.dtype[Any]) -> float:
    """Standard deviation over time of most pixels, at least that of rounding."""
    rounding = 0.5 if dtype.kind in "iu" else 0.0
    return max(rounding, float(np.median(changes)) / _MEDIAN_CHANGE) if changes else rounding
