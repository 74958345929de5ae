"""Frames that stand for a recording: by time, over all phases, none twice."""

from __future__ import annotations

import numpy as np
import pytest

from background.test_statistics import ArrayStack
from cleanplate.background import spread_over_time, spread_positions, still_frames
from cleanplate.background.candidates import candidate_plate
from cleanplate.errors import SettingsError


@pytest.mark.parametrize(("length", "most"), [(1, 1), (5, 9), (50, 50), (90, 40), (2000, 200)])
def test_all_frames_or_as_many_as_are_asked_for_ascending(length: int, most: int) -> None:
    positions = spread_over_time(np.arange(length) / 25, most)
    assert len(positions) == min(length, most)
    assert (np.diff(positions) > 0).all()
    assert positions[0] >= 0
    assert positions[-1] < length


@pytest.mark.parametrize("seed", range(20))
def test_whatever_the_times_no_frame_is_taken_twice(seed: int) -> None:
    random = np.random.default_rng(seed)
    times = np.cumsum(random.choice([0.0, 0.04, 30.0, 4000.0], 300, p=[0.2, 0.7, 0.09, 0.01]))
    positions = spread_over_time(times, 40)
    assert len(set(positions)) == 40
    assert positions == sorted(positions)
    assert 0 <= positions[0] <= positions[-1] < 300


def test_even_times_give_a_frame_of_every_part() -> None:
    positions = np.array(spread_over_time(np.arange(2000) * 1.8, 200))
    assert np.abs(positions // 10 - np.arange(200)).max() <= 1


def test_an_hour_and_three_weeks_give_the_same_frames() -> None:
    hour = spread_over_time(np.linspace(0, 3600, 1000), 60)
    weeks = spread_over_time(np.linspace(0, 21 * 86400, 1000), 60)
    assert hour == weeks


def test_a_burst_counts_as_the_time_that_it_takes() -> None:
    """A frame a minute for a day, and a thousand frames in the one minute of an event."""
    day = np.arange(1440) * 60.0
    burst = 30000 + np.arange(1000) * 0.06
    times = np.sort(np.concatenate([day, burst]))
    chosen = times[spread_over_time(times, 200)]
    assert np.count_nonzero((chosen >= 30000) & (chosen < 30060)) <= 2
    assert np.diff(chosen).max() < 3 * 86400 / 200


def test_a_motion_triggered_recording_is_spread_over_its_events() -> None:
    """Ten events of 5 to 500 frames, hours apart: each has its share, none takes all."""
    lengths = [5, 500] * 5
    times = np.concatenate([9000 * i + np.arange(n) * 0.04 for i, n in enumerate(lengths)])
    event = np.repeat(np.arange(10), lengths)
    counts = np.bincount(event[spread_over_time(times, 100)], minlength=10)
    assert counts.min() >= 1  # by position, the short ones would have none
    assert counts.sum() == 100


@pytest.mark.parametrize("cycle", [18.0, 36.0, 54.0, 90.0])
def test_every_phase_of_a_traffic_light_is_seen(cycle: float) -> None:
    """200 frames of an hour are 18 s apart: in their middle each would see few phases."""
    times = np.arange(2000) * 1.8
    phases = times[spread_over_time(times, 200)] % cycle / cycle
    counts = np.histogram(phases, bins=5, range=(0, 1))[0]
    assert counts.min() > 200 / 5 * 0.6


def test_a_red_light_whose_cycle_is_the_distance_of_the_frames_leaves_the_plate() -> None:
    """In every cycle of 20 frames another vehicle waits for 14; every 20th frame would show one."""
    random = np.random.default_rng(0)
    frames = (90 + random.normal(0, 2, (4000, 16, 24, 3))).clip(0, 255).astype(np.uint8)
    for start in range(0, 4000, 20):
        frames[start : start + 14, 4:12, 6:18] = random.integers(0, 256, 3)
    stack, place = ArrayStack(frames), (slice(4, 12), slice(6, 18))
    by_position = candidate_plate(stack, spread_positions(4000, 200))
    by_time = candidate_plate(stack, spread_over_time(np.arange(4000) / 25, 200))
    assert np.abs(by_position[place].astype(float) - 90).mean() > 20
    assert np.abs(by_time[place].astype(float) - 90).mean() < 3


def test_less_than_one_frame_is_refused() -> None:
    with pytest.raises(SettingsError, match="at least 1"):
        spread_over_time([0.0, 1.0], 0)


def test_frames_without_times_of_their_own_are_spread_by_position() -> None:
    positions = spread_over_time([0.0] * 100, 10)
    assert np.abs(np.array(positions) // 10 - np.arange(10)).max() <= 1


def test_what_stands_still_counts_half_and_is_not_dropped() -> None:
    weights = np.where(np.arange(1000) < 500, 0.5, 1.0)
    positions = np.array(spread_over_time(np.arange(1000) / 25, 150, weights))
    assert abs((positions < 500).sum() - 50) <= 1
    assert np.diff(np.flatnonzero(positions < 500)).max() == 1
    assert len(set(positions.tolist())) == 150


def test_a_standing_queue_is_still_and_one_that_moves_is_not() -> None:
    random = np.random.default_rng(0)
    road = random.integers(60, 200, (64, 96, 3))
    frames = np.repeat(road[None], 40, axis=0)
    for time in range(40):
        left = min(4 * time, 40)  # comes for ten frames, then waits
        frames[time, 20:40, left : left + 20] = (200, 30, 40)
    noisy = (frames + random.normal(0, 3, frames.shape)).clip(0, 255).astype(np.uint8)
    still = still_frames(ArrayStack(noisy))
    assert not still[:10].any()
    assert still[12:].all()
