"""Coverage: it speaks where the empty scene was never seen for certain, and is calm elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from background.test_statistics import ArrayStack
from cleanplate.background import (
    Coverage,
    Doubt,
    choose_plate,
    find_evidence,
    find_rivals,
    judge,
    still_plate,
)
from cleanplate.background.coverage import place_name
from cleanplate.frames import FrameSize, Picture
from roads import CAR, SIZE, road, seen

COUNT = 60
PLACE = (slice(50, 74), slice(60, 100))
COLOURS = ((20, 20, 24), (200, 200, 205), (120, 20, 20), (30, 60, 140), (235, 235, 235))
CAR_SHARE = 40 * 24 / SIZE.pixels


def filmed(cars: list[list[tuple[int, int, tuple[int, int, int]]]]) -> ArrayStack:
    return ArrayStack(np.stack([seen(there, at=time) for time, there in enumerate(cars)]))


def covered(stack: ArrayStack) -> Coverage:
    return judge(choose_plate(stack, range(len(stack))).evidence)


def lit(gain: float) -> Picture:
    return np.clip(road() * gain, 0, 255).astype(np.uint8)


def queue(cycles: int, *, free: int) -> ArrayStack:
    """In every cycle of six frames another vehicle stands there, and is away for `free` of them."""
    colours = [COLOURS[cycle % len(COLOURS)] for cycle in range(cycles)]
    return filmed(
        [[(60, 50, colour)] if frame < 6 - free else [] for colour in colours for frame in range(6)]
    )


def test_an_empty_scene_has_nothing_to_say() -> None:
    coverage = covered(filmed([[]] * 30))
    assert coverage.sentence == ""
    assert coverage.doubtful_share == 0
    assert coverage.seen.min() > 0.8
    assert np.median(coverage.confidence) == 1


def test_passing_traffic_has_nothing_to_say() -> None:
    cars = [[(left, 50, CAR)] for left in range(-39, 161, 20)] * 6
    assert covered(filmed(cars)).sentence == ""


def test_a_queue_that_clears_in_every_cycle_has_nothing_to_say() -> None:
    """The road comes back after each vehicle, and the vehicles differ."""
    coverage = covered(queue(10, free=2))
    assert coverage.sentence == ""
    assert np.median(coverage.seen[PLACE]) == pytest.approx(1 / 3, abs=0.02)


def test_a_queue_that_never_clears_is_told_with_place_and_share() -> None:
    coverage = covered(queue(10, free=0))
    assert coverage.doubtful_share == pytest.approx(CAR_SHARE, rel=0.15)
    (region,) = coverage.regions
    assert region.name == "centre"
    assert region.doubt is Doubt.RIVAL
    assert coverage.sentence.startswith("5 % of the picture, centre, was never seen empty")
    assert "green phase" in coverage.sentence
    left, top, width, height = region.box
    assert abs(left - 60) <= 2
    assert abs(top - 50) <= 2
    assert abs(width - 40) <= 3
    assert abs(height - 24) <= 3


@pytest.mark.parametrize("away", [2, 4, 8])
def test_a_vehicle_that_is_parked_for_nearly_all_the_time_is_told(away: int) -> None:
    """Whether the plate shows it or the road: either way it is not known for certain."""
    cars = [[] if 60 <= time < 60 + away else [(60, 50, CAR)] for time in range(120)]
    coverage = covered(filmed(cars))
    assert coverage.doubtful_share == pytest.approx(CAR_SHARE, rel=0.15)
    assert [region.name for region in coverage.regions] == ["centre"]


def test_what_never_left_cannot_be_known() -> None:
    assert covered(filmed([[(60, 50, CAR)]] * 30)).sentence == ""


def test_a_plate_of_another_kind_that_shows_a_vehicle_is_told() -> None:
    cars = [[(60, 50, CAR)] if time < 40 else [] for time in range(COUNT)]
    stack = filmed(cars)
    plate = still_plate("median", stack)
    assert np.abs(plate[PLACE].astype(float) - road()[PLACE]).mean() > 50
    coverage = judge(find_evidence(stack, range(COUNT), plate))
    assert coverage.regions[0].name == "centre"
    assert coverage.doubtful_share == pytest.approx(CAR_SHARE, rel=0.2)
    assert coverage.confidence[60, 80] <= 2 / 3


def test_a_colour_that_no_frame_shows_was_never_seen() -> None:
    plate: Picture = road()
    plate[PLACE] = (255, 0, 255)
    coverage = judge(find_evidence(filmed([[]] * 30), range(30), plate))
    assert (coverage.seen[PLACE] == 0).all()
    assert coverage.doubtful_share == pytest.approx(CAR_SHARE, rel=0.1)


def test_evidence_for_a_given_plate_agrees_with_that_of_the_choice() -> None:
    stack = queue(10, free=2)
    chosen = choose_plate(stack, range(len(stack)))
    found = find_evidence(stack, range(len(stack)), chosen.picture)
    assert (np.abs(found.seen - chosen.evidence.seen) > 0.05).mean() < 0.01
    assert (np.abs(found.lead - chosen.evidence.lead) > 0.05).mean() < 0.01


def test_how_often_a_place_was_seen_empty_is_counted_truly() -> None:
    cars = [[(60, 50, CAR)] if time % 10 < 3 else [] for time in range(COUNT)]
    coverage = covered(filmed(cars))
    assert np.median(coverage.seen[PLACE]) == pytest.approx(0.7, abs=0.01)
    assert np.median(coverage.seen[:40]) > 0.98


@pytest.mark.parametrize("since", [15, 30, 45])
def test_light_that_changes_has_nothing_to_say(since: int) -> None:
    pictures = [seen([], at=t, plate=road() // (1 + (t >= since))) for t in range(60)]
    assert covered(ArrayStack(np.stack(pictures))).sentence == ""


def test_light_that_drifts_has_nothing_to_say() -> None:
    pictures = [seen([], at=t, plate=lit(0.8 + 0.4 * t / COUNT)) for t in range(COUNT)]
    assert covered(ArrayStack(np.stack(pictures))).sentence == ""


def test_a_view_that_changes_for_half_of_the_time_is_not_taken_for_a_queue() -> None:
    other = np.random.default_rng(8).integers(0, 255, road().shape, np.uint8)
    pictures = [seen([], at=t, plate=other if t >= 30 else road()) for t in range(60)]
    sentence = covered(ArrayStack(np.stack(pictures))).sentence
    assert "the light or the view changed" in sentence
    assert "green" not in sentence


def test_leaves_have_nothing_to_say() -> None:
    """Each leaf shows two colours by turns, and stays with each for a while."""
    random = np.random.default_rng(3)
    frames = np.stack([seen([], at=t) for t in range(200)])
    for time in range(0, 200, 5):
        away = random.random((40, 60)) < 0.5
        frames[time : time + 5, 20:60, 30:90][:, away] = (30, 70, 25)
    assert covered(ArrayStack(frames)).sentence == ""


def test_compression_that_jumps_between_two_looks_has_nothing_to_say() -> None:
    """Blocks of eight pixels take up other levels at some key frame, and keep them."""
    random = np.random.default_rng(5)
    frames = np.stack([seen([], at=t) for t in range(120)]).astype(int)
    for top in range(0, SIZE.height, 8):
        for left in range(0, SIZE.width, 8):
            since = random.integers(20, 100)
            frames[since:, top : top + 8, left : left + 8] += random.choice([-9, 9])
    assert covered(ArrayStack(np.clip(frames, 0, 255).astype(np.uint8))).sentence == ""


def test_a_queue_in_the_plate_is_told_though_the_light_drifts() -> None:
    """The road after the vehicle has left is several states, each of them shorter."""
    cars = [[(60, 50, CAR)] if time < 66 else [] for time in range(120)]
    frames = [
        seen(there, at=time, plate=lit(0.9 + 0.2 * time / 120)) for time, there in enumerate(cars)
    ]
    stack = ArrayStack(np.stack(frames))
    plate = road()
    plate[PLACE] = CAR
    coverage = judge(find_evidence(stack, range(120), plate))
    assert [region.name for region in coverage.regions] == ["centre"]
    assert coverage.doubtful_share == pytest.approx(CAR_SHARE, rel=0.2)


def test_a_crowd_in_the_plate_is_told() -> None:
    """Before the one that stays to the end, others stood there for a moment each."""
    random = np.random.default_rng(2)
    coats = [tuple(int(value) for value in random.integers(0, 255, 3)) for _ in range(12)]
    cars = [[(60, 50, coats[time // 5])] for time in range(60)] + [[(60, 50, CAR)]] * 60
    coverage = covered(filmed(cars))
    assert [region.name for region in coverage.regions] == ["centre"]


def test_rivals_are_whole_places() -> None:
    rivals = find_rivals(choose_plate(stack := queue(10, free=0), range(len(stack))).evidence)
    truth = np.zeros(SIZE, np.bool_)
    truth[PLACE] = True
    assert (rivals & truth).sum() / truth.sum() > 0.95
    assert (rivals & ~truth).mean() < 0.005


def test_a_road_that_is_seen_empty_has_no_rivals() -> None:
    stack = queue(10, free=2)
    assert not find_rivals(choose_plate(stack, range(len(stack))).evidence).any()


def test_the_advice_fits_the_doubt() -> None:
    sentence = covered(queue(10, free=0)).sentence
    assert "where vehicles stop, with at least one more green phase" in sentence
    cars = [[] if 60 <= time < 62 else [(60, 50, CAR)] for time in range(120)]
    sentence = covered(filmed(cars)).sentence
    assert "what stands there is away for longer" in sentence
    assert "green" not in sentence


def test_several_places_are_named_in_the_order_of_their_size() -> None:
    there = [(4, 90, 0), (44, 90, 0), (116, 4, 0)]
    cars = [
        [(left, top, COLOURS[(time // 6) % 5]) for left, top, _ in there] for time in range(COUNT)
    ]
    coverage = covered(filmed(cars))
    assert coverage.sentence.split(", ")[1] == "mostly lower left"
    shares = [region.share for region in coverage.regions]
    assert shares == sorted(shares, reverse=True)


@pytest.mark.parametrize(
    ("row", "column", "name"),
    [
        (0, 0, "upper left"),
        (0, 89, "upper right"),
        (30, 45, "centre"),
        (59, 0, "lower left"),
        (30, 89, "middle right"),
        (59, 45, "lower middle"),
    ],
)
def test_places_have_names(row: int, column: int, name: str) -> None:
    assert place_name(row, column, FrameSize(60, 90)) == name
