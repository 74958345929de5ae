"""The frames of a step follow from the seed and the step alone."""

from __future__ import annotations

import numpy as np
import pytest

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
