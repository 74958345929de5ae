"""What comes and stays is foreground or background by policy, and leaves nothing behind."""

from __future__ import annotations

import numpy as np
import pytest

from cleanplate.errors import SettingsError
from cleanplate.frames import Picture
from cleanplate.segmentation import SegmentationSettings
from cleanplate.segmentation.layers import SETTLED, WAITING, LayeredFrame
from plans import layers_of, plan_of
from roads import CAR, SIZE, road, seen

RATE = 10
BODY = np.s_[54:70, 64:96]
AROUND = np.s_[44:80, 50:110]
VAN = (40, 120, 60)
BUS = (230, 225, 60)
COMES, STANDS = range(0, 60, 6), 80
LEAVES = [*range(60, 161, 6), *[200] * 40]
AT_REST, GONE = len(COMES), len(COMES) + STANDS


def visit(*, after: list[int] = LEAVES, begin: int = 0) -> list[Picture]:
    """A car comes for 1 s, stands for 8, and goes."""
    lefts = [*COMES, *[60] * STANDS, *after]
    return [seen([(left, 50, CAR)], at=begin + at) for at, left in enumerate(lefts)]


def follow(frames: list[Picture], **settings: object) -> list[LayeredFrame]:
    layers = layers_of(np.full(SIZE, 6, np.uint8), SegmentationSettings.parse(settings))
    return [layers.update(at / RATE, frame, road()) for at, frame in enumerate(frames)]


def shows_car(frame: LayeredFrame) -> bool:
    return bool(np.abs(frame.background[BODY].astype(int) - CAR).mean() < 12)


def shows_road(frame: LayeredFrame) -> bool:
    return bool(np.abs(frame.background[AROUND].astype(int) - road()[AROUND]).mean() < 2)


def test_foreground_is_what_stands_for_as_long_as_it_does() -> None:
    frames = follow(visit(), parked="foreground")
    for frame in frames[AT_REST + 25 : GONE]:
        assert (frame.labels[BODY] == WAITING).mean() > 0.95
        assert shows_road(frame)
    assert not any(frame.mask[AROUND].any() for frame in frames[GONE + 10 :])


def test_background_is_what_has_stood_and_leaves_nothing_when_it_goes() -> None:
    frames = follow(visit(), parked="background", settle_seconds=5)
    before, after = frames[AT_REST + 25 : AT_REST + 48], frames[AT_REST + 58 : GONE]
    assert all((frame.labels[BODY] == WAITING).mean() > 0.95 for frame in before)
    assert all(shows_road(frame) for frame in before)
    for frame in after:
        assert not frame.mask[AROUND].any()
        assert (frame.labels[BODY] == SETTLED).mean() > 0.95
        assert shows_car(frame)
        assert frame.objects[0].settled
    for at, frame in enumerate(frames[GONE:]):  # what it drives off from is road at once
        car = np.zeros(SIZE, np.bool_)
        car[47:77, max(0, LEAVES[at] - 4) : LEAVES[at] + 44] = True
        assert not frame.mask[~car].any()
    assert shows_road(frames[-1])


def test_a_place_that_was_left_is_forgotten_and_the_next_car_waits_again() -> None:
    twice = visit() + visit(begin=500)
    frames = follow(twice, parked="background", settle_seconds=5)[len(visit()) :]
    assert (frames[AT_REST + 3].mask[BODY] > 0).mean() > 0.95
    assert (frames[AT_REST + 40].labels[BODY] == WAITING).mean() > 0.95
    assert (frames[GONE - 5].labels[BODY] == SETTLED).mean() > 0.95


def test_what_passes_in_front_of_what_has_settled_is_foreground() -> None:
    frames = [*visit()[:GONE]]
    frames += [seen([(60, 50, CAR), (4 * at, 54, VAN)], at=300 + at) for at in range(30)]
    passing = follow(frames, parked="background", settle_seconds=5)[GONE:]
    shown = passing[13]  # the van covers the columns 52 to 91
    assert (shown.mask[56:72, 56:86] > 0).mean() > 0.9
    assert not shown.mask[50:74, 94:100].any()
    assert np.abs(shown.background[60:70, 66:84].astype(int) - CAR).mean() < 12


@pytest.mark.parametrize("policy", ["background", "foreground"])
def test_a_bus_that_stands_in_front_for_some_seconds_changes_no_policy(policy: str) -> None:
    """A bus hides all of the car for 3.5 s: long enough to wait, and to be another appearance."""
    settings = {} if policy == "foreground" else {"settle_seconds": 5}
    lefts = [*range(-80, 45, 15), *[45] * 35, *range(45, 170, 15)]
    frames = visit()[:GONE]
    for at, left in enumerate(lefts):
        frames.append(seen([(60, 50, CAR)], at=300 + at))
        frames[-1][44:82, max(0, left) : max(0, left + 80)] = BUS
    frames += [seen([(60, 50, CAR)], at=400 + at) for at in range(30)]
    followed = follow(frames, parked=policy, **settings)
    standing = followed[GONE + 25]
    assert (standing.mask[BODY] > 0).mean() > 0.95, "the bus"
    for frame in followed[GONE + len(lefts) :]:
        if policy == "background":
            assert (frame.labels[BODY] == SETTLED).mean() > 0.95
            assert not frame.mask[AROUND].any()
        else:
            assert (frame.mask[BODY] > 0).mean() > 0.95


def test_the_policy_and_the_time_agree() -> None:
    def settles(**settings: object) -> float | None:
        noise = np.zeros(SIZE, np.uint8)
        return plan_of(SegmentationSettings.parse(settings), noise).settle_seconds

    assert settles() is None
    assert settles(parked="foreground") is None
    assert settles(settle_seconds=20) == 20, "as before there was a policy"
    assert settles(parked="background") == 300
    assert settles(parked="background", settle_seconds=20) == 20
    with pytest.raises(SettingsError, match="give settle_seconds=never, or parked=background"):
        settles(parked="foreground", settle_seconds=20)
