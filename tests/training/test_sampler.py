"""The frames of a step follow from the seed and the step alone."""

from __future__ import annotations

import numpy as np
import pytest

from cleanplate.frames import durations
from cleanplate.training.sampler import FrameSampler


def row(sampler: FrameSampler, steps: int) -> list[int]:
    return np.concatenate([sampler.positions(step) for step in range(steps)]).tolist()


@pytest.mark.parametrize(("count", "batch_size"), [(12, 4), (10, 4), (7, 5), (1, 8), (5, 16)])
def test_every_frame_comes_once_in_each_epoch(count: int, batch_size: int) -> None:
    frames = row(FrameSampler(count, batch_size=batch_size, seed=3), steps=4 * count)
    epochs = [frames[first : first + count] for first in range(0, 4 * count, count)]
    assert all(sorted(epoch) == list(range(count)) for epoch in epochs)


def test_epochs_are_shuffled_each_in_its_own_way() -> None:
    frames = row(FrameSampler(50, batch_size=10, seed=0), steps=15)
    orders = {tuple(range(50)), *(tuple(frames[i : i + 50]) for i in (0, 50, 100))}
    assert len(orders) == 4


def test_the_same_seed_gives_the_same_frames_and_another_seed_others() -> None:
    first, again, other = (
        row(FrameSampler(40, batch_size=6, seed=seed), steps=20) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_a_step_asked_for_alone_has_the_frames_it_has_in_an_unbroken_row() -> None:
    unbroken = FrameSampler(10, batch_size=4, seed=5)
    in_order = [unbroken.positions(step) for step in range(30)]
    for step in (29, 7, 0, 18):
        alone = FrameSampler(10, batch_size=4, seed=5).positions(step)
        assert np.array_equal(alone, in_order[step])


def test_an_epoch_that_ends_within_a_batch_is_followed_by_the_next() -> None:
    sampler = FrameSampler(5, batch_size=3, seed=0)
    assert [len(sampler.positions(step)) for step in range(4)] == [3, 3, 3, 3]


def test_a_batch_is_never_larger_than_the_recording() -> None:
    assert sorted(FrameSampler(3, batch_size=8, seed=0).positions(0).tolist()) == [0, 1, 2]
    assert FrameSampler(1, batch_size=8, seed=0).positions(99).tolist() == [0]


@pytest.mark.parametrize(
    "times",
    [
        np.arange(40) / 25,
        np.round(np.arange(40) / 29.97, 3),
        np.round(np.arange(40) / 240, 3),
        np.delete(np.arange(201), 77) * 0.7,  # a frame was lost
    ],
)
def test_frames_at_even_times_are_drawn_as_if_they_had_none(times: np.ndarray) -> None:
    count = len(times)
    timed = FrameSampler(durations(times), batch_size=8, seed=4)
    assert row(timed, steps=count) == row(FrameSampler(count, batch_size=8, seed=4), steps=count)


def test_a_burst_is_drawn_as_the_time_that_it_takes() -> None:
    """600 frames a minute apart, and 600 within the 30 seconds after one of them."""
    minutes = np.arange(600) * 60.0
    times = np.sort(np.concatenate([minutes, 12_001 + np.arange(600) / 20]))
    drawn = np.array(row(FrameSampler(durations(times), batch_size=8, seed=0), steps=1500))
    is_burst = (times > 12_000) & (times < 12_032)
    assert is_burst[drawn].mean() == pytest.approx(31 / 36_000, abs=0.003)
    next_to_it = (times >= 11_999) & (times <= 12_061)
    others = np.bincount(drawn, minlength=len(times))[~next_to_it]
    assert others.min() >= others.max() - 2, "all others alike"


def test_no_frame_of_an_uneven_recording_is_learned_by_heart() -> None:
    """Ten events hours apart: their first and last frames stand for hours each."""
    times = np.concatenate([9000.0 * i + np.arange(30) * 0.04 for i in range(10)])
    drawn = np.array(row(FrameSampler(durations(times), batch_size=8, seed=0), steps=3000))
    shares = np.bincount(drawn, minlength=len(times)) / len(drawn)
    assert shares.max() <= 1 / 150 + 1e-3, "half of the frames share the draws at least"
    assert shares.min() > 0
    events = shares.reshape(10, 30).sum(axis=1)
    assert events == pytest.approx(np.full(10, 0.1), abs=0.01)


def test_uneven_frames_too_follow_from_seed_and_step_alone() -> None:
    times = durations(np.cumsum(np.random.default_rng(0).choice([0.04, 5.0], 50)))
    unbroken = FrameSampler(times, batch_size=4, seed=5)
    in_order = [unbroken.positions(step) for step in range(40)]
    for step in (39, 7, 0, 18):
        alone = FrameSampler(times, batch_size=4, seed=5).positions(step)
        assert np.array_equal(alone, in_order[step])
    assert row(unbroken, 30) != row(FrameSampler(times, batch_size=4, seed=6), 30)
