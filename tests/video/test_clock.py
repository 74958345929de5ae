"""Times that a recorder's clock got wrong, and those that it got right."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cleanplate.video.clock import Clock

STEP = 0.04
WRAP = 2**33 / 90_000
"""Seconds after which the clock of an MPEG stream begins again."""


def placed(raw: list[float | None] | NDArray[np.float64]) -> tuple[Clock[int], list[float]]:
    clock: Clock[int] = Clock(STEP)
    timed = []
    for index, time in enumerate(raw):
        timed += list(clock.place(index, index, time))
    timed += list(clock.finish())
    assert [each.item for each in timed] == [each.index for each in timed] == list(range(len(raw)))
    return clock, [each.time for each in timed]


def even(count: int = 60) -> NDArray[np.float64]:
    return np.arange(count) * STEP


def jumps(clock: Clock[int]) -> list[tuple[int, float]]:
    return [(each.index, pytest.approx(each.seconds)) for each in clock.jumps]


@pytest.mark.parametrize("start", [0.0, 1.4, 95_000.0, -3.0])
def test_even_times_stay_as_they_are(start: float) -> None:
    clock, times = placed(start + even())
    assert times == pytest.approx(even())
    assert not clock.jumps and not clock.gaps  # noqa: PT018


@pytest.mark.parametrize("wrong", [1, 2, 7])
@pytest.mark.parametrize("by", [36_000.0, 5.0])
def test_times_too_late_move_no_others(wrong: int, by: float) -> None:
    raw = even()
    raw[20 : 20 + wrong] += by
    clock, times = placed(raw)
    assert times == pytest.approx(even())
    assert jumps(clock) == [(20, by)]
    assert not clock.gaps


@pytest.mark.parametrize("by", [1.5, 36_000.0])
def test_a_time_too_early_moves_no_other(by: float) -> None:
    raw = even()
    raw[50] -= by
    clock, times = placed(raw)
    assert times == pytest.approx(even())
    assert jumps(clock) == [(50, -by)]


@pytest.mark.parametrize("by", [0.1, 0.3])
def test_a_small_wrong_time_moves_no_others_without_a_word(by: float) -> None:
    raw = even()
    raw[20] += by
    clock, times = placed(raw)
    assert np.delete(times, 20) == pytest.approx(np.delete(even(), 20))
    assert not clock.jumps


def test_a_clock_that_leaps_ahead_and_stops_is_left_behind() -> None:
    raw = even()
    raw[20:] = raw[20] + 36_000
    clock, times = placed(raw)
    assert times == pytest.approx(even())
    assert jumps(clock) == [(20, 36_000)]
    assert not clock.gaps


@pytest.mark.parametrize("unit", [1 / 90_000, 0.001])
def test_a_clock_that_goes_on_by_one_unit_only_stands_still(unit: float) -> None:
    raw = even(200)
    raw[50:] = raw[50] + 36_000 + unit * np.arange(150)
    clock, times = placed(raw)
    assert times == pytest.approx(even(200))
    assert jumps(clock) == [(50, 36_000)]
    assert not clock.gaps


def test_a_camera_of_a_thousand_frames_a_second_does_not_stand_still() -> None:
    clock: Clock[int] = Clock(0.001)
    raw = np.arange(100) / 1000
    timed = [each for i, time in enumerate(raw) for each in clock.place(i, i, time)]
    assert [each.time for each in timed] == pytest.approx(raw)


@pytest.mark.parametrize("by", [3.0, 36_000.0, WRAP])
def test_a_clock_that_is_set_back_goes_on_from_the_frame_before(by: float) -> None:
    raw = even()
    raw[20:] -= by
    clock, times = placed(raw)
    assert times == pytest.approx(even())
    assert jumps(clock) == [(20, -by)]


def test_a_clock_that_is_set_back_and_right_again_is_followed() -> None:
    raw = even(200)
    raw[20:100] -= 3
    clock, times = placed(raw)
    assert times == pytest.approx(even(200))
    assert jumps(clock) == [(20, -3)]
    assert not clock.gaps


@pytest.mark.parametrize("length", [9, 100])
def test_a_clock_that_is_known_to_come_back_was_wrong_all_the_while(length: int) -> None:
    raw = even(200)
    raw[20 : 20 + length] += 36_000
    clock: Clock[int] = Clock(STEP)
    clock.comes_back = lambda last, step: (last, step) == (pytest.approx(19 * STEP), STEP)
    timed = [each for i, time in enumerate(raw) for each in clock.place(i, i, time)]
    timed += list(clock.finish())
    assert [each.time for each in timed] == pytest.approx(even(200))
    assert jumps(clock) == [(20, 36_000)]
    assert not clock.gaps


def test_a_clock_that_stands_until_it_may_go_on_counts_as_set_back_once() -> None:
    raw = even(200)
    raw[50:] = np.maximum(raw[49], raw[50:] - 1.5)
    clock, times = placed(raw)
    assert times == pytest.approx(even(200))
    assert len(clock.jumps) == 1
    assert clock.jumps[0].index == 50


def test_a_gap_is_one_and_no_jump() -> None:
    raw = even()
    raw[20:] += 32_400
    clock, times = placed(raw)
    assert times == pytest.approx(raw)
    assert [(gap.index, gap.seconds) for gap in clock.gaps] == [(20, pytest.approx(32_400 + STEP))]
    assert not clock.jumps


def test_a_gap_before_the_last_two_frames_is_one() -> None:
    raw = even(30)
    raw[28:] += 50
    assert placed(raw)[1] == pytest.approx(raw)


def test_a_last_frame_far_ahead_is_not_believed() -> None:
    raw = even(30)
    raw[29] += 36_000
    assert placed(raw)[1] == pytest.approx(even(30))


def test_a_varying_frame_rate_is_taken_as_it_is() -> None:
    raw = np.cumsum(np.random.default_rng(0).choice([0.02, 0.04, 0.3, 0.8], 300))
    clock, times = placed(raw)
    assert times == pytest.approx(raw - raw[0])
    assert not clock.jumps and not clock.gaps  # noqa: PT018


def test_hours_between_events_are_gaps() -> None:
    raw = np.concatenate([even(50) + start for start in (0, 3600, 9000, 20_000)])
    clock, times = placed(raw)
    assert times == pytest.approx(raw)
    assert [gap.index for gap in clock.gaps] == [50, 100, 150]


def test_doubled_times_shift_none_behind_them() -> None:
    raw = even(40)
    raw[[7, 21]] = raw[[6, 20]]
    times = placed(raw)[1]
    assert (np.diff(times) > 0).all()
    assert np.delete(times, [7, 8, 21, 22]) == pytest.approx(np.delete(raw, [7, 8, 21, 22]))


@pytest.mark.parametrize("nothing", [None, float("nan"), float("inf")])
def test_frames_without_times_follow_each_other(nothing: float | None) -> None:
    assert placed([nothing] * 30)[1] == pytest.approx(even(30))


def test_the_usual_distance_is_learned_where_the_promised_rate_is_far_off() -> None:
    raw = np.arange(60) * 0.2
    raw[40:] -= 3
    assert placed(raw)[1] == pytest.approx(np.arange(60) * 0.2)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_comes_times_ascend_and_no_frame_is_lost(seed: int) -> None:
    random = np.random.default_rng(seed)
    raw: list[float | None] = list(even(300) + random.normal(0, 0.03, 300))
    for index in random.integers(0, 300, 40):
        raw[index] = random.choice([-1e6, 0, 3, 1e6, np.nan]) + raw[index]
    for index in random.integers(0, 300, 5):
        raw[index] = None
    times = placed(raw)[1]
    assert (np.diff(times) > 0).all()
    assert np.isfinite(times).all()
