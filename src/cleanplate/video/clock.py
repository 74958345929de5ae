"""The times of a recording's frames, whatever its clock did."""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")

_HELD = 8
"""Frames looked at after a leap forward, before it is believed to be a gap."""
_NAMED_SECONDS = 1.0
_NAMED_STEPS = 5.0
"""A jump or a gap that is longer than both is worth a word."""
_NEAR_SECONDS = 0.5
"""A clock that is set right shows a time that is no farther from the expected one."""
_UNEVEN = 1.5
"""Steps to the next frame from which on the frame after it is looked at first."""
_STILL_SECONDS = 0.0015
_STILL_STEPS = 0.1
"""A clock that goes on by less than both stands still: what writes a file may not repeat a time,
and adds one unit of its count."""
_REMEMBERED_STEPS = 31
_STEPS_TO_KNOW = 5
_ROUNDING = 0.1


@dataclass(frozen=True)
class Timed(Generic[Item]):
    """A frame with its place and its time.

    Attributes:
        item: Whatever was given for it.
        index: Its position.
        time: Seconds from the first frame.
    """

    item: Item
    index: int
    time: float


@dataclass(frozen=True)
class Break:
    """A place where the times of a file do not go on evenly.

    Attributes:
        index: Position of the frame behind it.
        seconds: By how much, below 0: back.
    """

    index: int
    seconds: float


@dataclass
class _Held(Generic[Item]):
    item: Item
    index: int
    raw: float
    time: float


@dataclass
class Clock(Generic[Item]):
    """Ascending times in seconds from the first frame, one frame or a few behind.

    A time that is wrong moves no other: what leaps ahead is looked at together with what follows
    it. Where the times return or stand still, the leap was wrong and the frames follow each other
    at their usual distance; where they go on from there, nothing was recorded meanwhile. Where the
    clock was set back, the times go on from the frame before.

    Attributes:
        step: Usual seconds from frame to frame, while too few of them are known.
        jumps: Where the clock was wrong.
        gaps: Where nothing was recorded.
        latest: Highest time that the file gave, in its own count; None: it gives none.
        comes_back: Says by the last time of the file that was right, and the usual step, whether
            times that leap ahead fall back later; None: that cannot be known.
    """

    step: float
    jumps: list[Break] = field(default_factory=list)
    gaps: list[Break] = field(default_factory=list)
    latest: float | None = None
    comes_back: Callable[[float, float], bool] | None = None

    def __post_init__(self) -> None:
        self._offset: float | None = None
        self._offsets: list[float] = []
        self._last_index = 0
        self._last_time = 0.0
        self._last_raw: float | None = None
        self._stands_since: int | None = None
        self._ahead: list[_Held[Item]] = []
        self._behind: _Held[Item] | None = None
        self._steps: deque[float] = deque(maxlen=_REMEMBERED_STEPS)

    def place(self, item: Item, index: int, raw: float | None) -> Iterator[Timed[Item]]:
        """Frames whose times are certain now, the given one among them or held back.

        Args:
            item: Given back with the time.
            index: Position of the frame, higher than that of the one before.
            raw: Time in the file, in seconds; None where there is none.
        """
        if raw is not None and not math.isfinite(raw):
            raw = None
        if raw is not None:
            self.latest = raw if self.latest is None else max(self.latest, raw)
        if self._ahead:
            yield from self._after_leap(item, index, raw)
        elif self._behind is not None:
            yield from self._after_fall(self._behind, item, index, raw)
        else:
            yield from self._next(item, index, raw)

    def finish(self) -> Iterator[Timed[Item]]:
        """The frames held back, when no more come."""
        if self._ahead:
            is_known = len(self._ahead) > 1 or not self._is_long(self._leap)
            yield from self._settled() if is_known else self._disbelieved(None)
        if self._behind is not None:
            yield from self._set_back(self._behind)

    def decide(self) -> Iterator[Timed[Item]]:
        """The frames held back, where waiting for more is impossible: a leap ahead is a gap."""
        if self._ahead:
            yield from self._settled()
        if self._behind is not None:
            yield from self._set_back(self._behind)

    @property
    def usual_step(self) -> float:
        """Seconds from a frame to the next, as they came lately."""
        if len(self._steps) < _STEPS_TO_KNOW:
            return self.step
        lately = statistics.median(self._steps)
        # Files round their times; what they say of their rate is exact, or far off.
        return self.step if abs(lately - self.step) < _ROUNDING * self.step else lately

    def _next(self, item: Item, index: int, raw: float | None) -> Iterator[Timed[Item]]:
        if self._offset is None:
            self._offset = 0.0 if raw is None else -raw
            yield self._emit(item, index, 0.0, raw)
            return
        if raw is None or self._stands(self._last_raw, raw):
            if raw is not None and self._stands_since is None:
                self._stands_since = index
            yield self._emit(item, index, self._expected(index), raw)
            return
        held = _Held(item, index, raw, raw + self._offset)
        if held.time <= self._last_time:
            self._behind = held
        elif held.time > self._last_time + _UNEVEN * (index - self._last_index) * self.usual_step:
            self._ahead = [held]
        else:
            yield self._emit_held(held, held.time)

    def _after_leap(self, item: Item, index: int, raw: float | None) -> Iterator[Timed[Item]]:
        assert self._offset is not None
        if raw is None:
            yield from self._believed()
        elif self._stands(self._ahead[-1].raw, raw):
            yield from self._disbelieved(None)
        elif raw < self._ahead[-1].raw:
            yield from self._disbelieved(raw + self._offset)
        elif self._returns(self._ahead[0]):
            yield from self._set_right()
        elif self._is_long(self._leap) and len(self._ahead) < _HELD:
            self._ahead.append(_Held(item, index, raw, raw + self._offset))
            return
        else:
            yield from self._settled()
        yield from self.place(item, index, raw)

    def _after_fall(
        self, held: _Held[Item], item: Item, index: int, raw: float | None
    ) -> Iterator[Timed[Item]]:
        assert self._offset is not None
        if raw is not None and raw + self._offset > self._last_time:
            self._note(self.jumps, held.index, held.time - self._expected(held.index))
            self._behind = None
            between = (self._last_time + raw + self._offset) / 2
            yield self._emit(held.item, held.index, min(self._expected(held.index), between), None)
        else:
            yield from self._set_back(held)
        yield from self.place(item, index, raw)

    def _settled(self) -> Iterator[Timed[Item]]:
        """What leapt ahead and goes on there: a gap, unless the clock comes back later."""
        yield from self._set_ahead() if self._comes_back() else self._believed()

    def _comes_back(self) -> bool:
        if self._last_raw is None or self.comes_back is None or not self._is_long(self._leap):
            return False
        return self.comes_back(self._last_raw, self.usual_step)

    def _set_ahead(self) -> Iterator[Timed[Item]]:
        """The clock is wrong from here on, for a while."""
        assert self._offset is not None
        held, self._ahead = self._ahead, []
        expected = self._expected(held[0].index)
        self._note(self.jumps, held[0].index, held[0].time - expected)
        self._offsets.append(self._offset)
        self._offset = expected - held[0].raw
        for each in held:
            yield self._emit_held(each, each.raw + self._offset)

    def _believed(self) -> Iterator[Timed[Item]]:
        """What leapt ahead was right: a gap, or just uneven."""
        held, self._ahead = self._ahead, []
        self._note(self.gaps, held[0].index, held[0].time - self._last_time)
        for each in held:
            yield self._emit_held(each, each.time)

    def _disbelieved(self, following: float | None) -> Iterator[Timed[Item]]:
        """What leapt ahead was wrong; the time that follows is known, or None."""
        held, self._ahead = self._ahead, []
        start, begin = self._last_time, self._last_index
        self._note(self.jumps, held[0].index, held[0].time - self._expected(held[0].index))
        step = self.usual_step
        if following is not None and following > start:
            step = min(step, (following - start) / (held[-1].index - begin + 1))
        for each in held:
            time = start + (each.index - begin) * step
            yield self._emit(each.item, each.index, time, each.raw)
        if following is None:
            self._stands_since = held[-1].index

    def _set_back(self, held: _Held[Item]) -> Iterator[Timed[Item]]:
        """The clock was set back; times go on from here."""
        assert self._offset is not None
        self._behind = None
        expected = self._expected(held.index)
        right = next((offset for offset in self._offsets if self._fits(held, offset)), None)
        if right is not None:  # it had been wrong before
            self._offset = right
            yield self._emit_held(held, held.raw + right)
            return
        if self._last_raw is None or self._stands_since is None:
            self._note(self.jumps, held.index, held.time - expected)
        elif not any(each.index == self._stands_since for each in self.jumps):
            self._note(self.jumps, self._stands_since, held.time - expected)
        self._offsets.append(self._offset)
        self._offset = expected - held.raw
        yield self._emit_held(held, expected)

    def _set_right(self) -> Iterator[Timed[Item]]:
        """A clock that had been set back is right again."""
        held, self._ahead = self._ahead, []
        self._offset = next(o for o in self._offsets if self._fits(held[0], o))
        for each in held:
            yield from self.place(each.item, each.index, each.raw)

    def _stands(self, before: float | None, raw: float) -> bool:
        most = min(_STILL_SECONDS, _STILL_STEPS * self.usual_step)
        return before is not None and 0 <= raw - before < most

    def _returns(self, held: _Held[Item]) -> bool:
        return self._is_long(self._leap) and any(self._fits(held, o) for o in self._offsets)

    def _fits(self, held: _Held[Item], offset: float) -> bool:
        distance = abs(held.raw + offset - self._expected(held.index))
        return (
            distance < max(self.usual_step, _NEAR_SECONDS) and held.raw + offset > self._last_time
        )

    @property
    def _leap(self) -> float:
        return self._ahead[0].time - self._last_time

    def _expected(self, index: int) -> float:
        return self._last_time + (index - self._last_index) * self.usual_step

    def _is_long(self, seconds: float) -> bool:
        return abs(seconds) > max(_NAMED_SECONDS, _NAMED_STEPS * self.usual_step)

    def _note(self, breaks: list[Break], index: int, seconds: float) -> None:
        if self._is_long(seconds):
            breaks.append(Break(index, seconds))

    def _emit_held(self, held: _Held[Item], time: float) -> Timed[Item]:
        self._stands_since = None
        return self._emit(held.item, held.index, time, held.raw)

    def _emit(self, item: Item, index: int, time: float, raw: float | None) -> Timed[Item]:
        if index > self._last_index and time > self._last_time:
            self._steps.append((time - self._last_time) / (index - self._last_index))
        self._last_index, self._last_time = index, time
        if raw is not None:
            self._last_raw = raw
        return Timed(item, index, time)
