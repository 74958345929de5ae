"""The candidates plate: what stands leaves it, what belongs to the scene stays in it."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from background.test_statistics import ArrayStack
from cleanplate.background import bands, spread_positions, still_plate
from cleanplate.background.candidates import candidate_plate, choose_plate
from cleanplate.background.candidates.choice import choose_states
from cleanplate.background.candidates.states import NONE, STATES, States, find_pixel_states
from cleanplate.background.statistics import median
from cleanplate.errors import UsageError
from cleanplate.frames import FrameSize, Picture
from scenes import as_bytes, paint_plate, paint_scene

COUNT = 60
HEIGHT, WIDTH = 40, 56
BODY = (slice(12, 30), slice(20, 34))
"""Where somebody stands, inside the picture."""


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def scene() -> Picture:
    return paint_plate(HEIGHT, WIDTH)


def recording(
    scene: Picture, random: np.random.Generator, *, noise: float = 2.0
) -> NDArray[np.float64]:
    """Frames of the scene alone, with noise, `(60, 40, 56, 3)`."""
    return scene + random.normal(0, noise, (COUNT, *scene.shape))


def stand(frames: NDArray[np.float64], times: slice, random: np.random.Generator) -> None:
    """Puts a body of three colours into some frames, with fresh noise in each."""
    body = np.empty((18, 14, 3))
    body[:6], body[6:12], body[12:] = (220, 170, 140), (20, 20, 25), (235, 235, 240)
    noise = random.normal(0, 2, (len(frames[times]), *body.shape))
    frames[(times, *BODY)] = body + noise


def error(plate: Picture, scene: Picture, part: tuple[slice, ...] = ()) -> float:
    """Mean absolute error in grey levels."""
    return float(np.abs(plate[part].astype(float) - scene[part]).mean())


@pytest.mark.parametrize(
    "times",
    [slice(0, 42), slice(0, 54), slice(18, 60), slice(9, 51)],
    ids=["there first", "there first, for long", "stays to the end", "comes and goes"],
)
def test_what_stands_for_most_of_the_time_is_left_out(
    times: slice, scene: Picture, random: np.random.Generator
) -> None:
    frames = recording(scene, random)
    stand(frames, times, random)
    stack = ArrayStack(as_bytes(frames))
    assert error(median(stack, range(COUNT)), scene, BODY) > 50
    plate = candidate_plate(stack, range(COUNT))
    assert error(plate, scene, BODY) < 2
    assert error(plate, scene) < 1


def test_whoever_sways_while_standing_is_left_out(
    scene: Picture, random: np.random.Generator
) -> None:
    """A checked shirt, moved by a pixel to either side in every frame."""
    frames = recording(scene, random)
    checks = np.where(np.indices((18, 14)).sum(axis=0) // 3 % 2, 230, 20)[..., None]
    for frame in frames[:42]:
        shift = random.integers(-1, 2)
        frame[12:30, 20 + shift : 34 + shift] = checks + random.normal(0, 2, (18, 14, 3))
    stack = ArrayStack(as_bytes(frames))
    assert error(median(stack, range(COUNT)), scene, BODY) > 30
    assert error(candidate_plate(stack, range(COUNT)), scene, BODY) < 2


def test_what_never_leaves_is_part_of_the_scene(
    scene: Picture, random: np.random.Generator
) -> None:
    frames = recording(scene, random)
    stand(frames, slice(None), random)
    stack = ArrayStack(as_bytes(frames))
    assert error(candidate_plate(stack, range(COUNT)), median(stack, range(COUNT))) < 0.1


def test_a_passer_by_does_not_enter_the_plate(scene: Picture, random: np.random.Generator) -> None:
    frames = recording(scene, random)
    stand(frames, slice(20, 30), random)
    plate = candidate_plate(ArrayStack(as_bytes(frames)), range(COUNT))
    assert error(plate, scene, BODY) < 1


def test_a_bright_line_stays_though_it_is_covered_for_half_of_the_time(
    random: np.random.Generator,
) -> None:
    """Its outline is the scene's own: without the line the scene would be smoother."""
    scene = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    scene[:, 26:28] = 230
    frames = recording(scene, random)
    stand(frames, slice(5, 35), random)
    plate = candidate_plate(ArrayStack(as_bytes(frames)), range(COUNT))
    assert error(plate, scene) < 1


def test_waiting_vehicles_of_many_colours_leave_the_road(random: np.random.Generator) -> None:
    """In every cycle another vehicle waits on the same spot for 80 % of the time."""
    scene = np.full((HEIGHT, WIDTH, 3), 100, np.uint8)
    scene[:, ::14] = 220
    frames = recording(scene, random)
    for start in range(0, COUNT, 10):
        frames[(slice(start, start + 8), *BODY)] = random.integers([0, 0, 0], [60, 60, 256])
    stack = ArrayStack(as_bytes(frames))
    assert error(median(stack, range(COUNT)), scene, BODY) > 50
    assert error(candidate_plate(stack, range(COUNT)), scene, BODY) < 2


def test_of_a_full_queue_the_road_is_found_though_it_is_never_seen_without_a_neighbour(
    random: np.random.Generator,
) -> None:
    """When one vehicle has left, others drive past beside its place."""
    road = np.full((HEIGHT, WIDTH, 3), 110, np.uint8)
    frames = recording(road, random, noise=1.0)
    left, right = np.s_[12:30, 10:28], np.s_[12:30, 28:46]
    for place, colour, away in ((left, (200, 40, 40), 42), (right, (40, 60, 190), 51)):
        standing, passing = slice(0, 42), slice(51, 60) if away == 42 else slice(42, 51)
        frames[(standing, *place)] = np.array(colour) + random.normal(0, 1, (42, 18, 18, 3))
        frames[(passing, *place)] = random.uniform(0, 255, (9, 18, 18, 3))
    plate = candidate_plate(ArrayStack(as_bytes(frames)), range(COUNT))
    # Right beside what moves nothing is still.
    assert error(plate, road, np.s_[12:30, 10:26]) < 2
    assert error(plate, road, np.s_[12:30, 30:46]) < 2


def test_leaves_that_cover_nearly_everything_are_left_out(random: np.random.Generator) -> None:
    """Each quarter is free in a third of the time, for two frames on end; leaves never rest."""
    scene = paint_plate(HEIGHT, WIDTH)
    frames = recording(scene, random)
    quarters = np.repeat(random.random((COUNT // 2, 2, 2)) < 2 / 3, 2, axis=0)
    for frame, quarter in zip(frames, quarters, strict=True):
        covered = np.kron(quarter, np.ones((HEIGHT // 2, WIDTH // 2))).astype(np.bool_)
        leaves = random.integers([20, 60, 10], [110, 140, 60], (HEIGHT, WIDTH, 3))
        frame[covered] = leaves[covered]
    stack = ArrayStack(as_bytes(frames))
    assert error(median(stack, range(COUNT)), scene) > 10
    assert error(candidate_plate(stack, range(COUNT)), scene) < 3


def test_where_nothing_happens_the_plate_is_the_median(
    scene: Picture, random: np.random.Generator
) -> None:
    frames = recording(scene, random)
    stand(frames, slice(0, 42), random)
    stack = ArrayStack(as_bytes(frames))
    plate, middle = candidate_plate(stack, range(COUNT)), median(stack, range(COUNT))
    empty = np.ones((HEIGHT, WIDTH), np.bool_)
    empty[BODY] = False
    assert (plate[empty] == middle[empty]).all()


def test_light_that_drifts_does_not_bring_anybody_back(
    scene: Picture, random: np.random.Generator
) -> None:
    frames = recording(scene, random)
    stand(frames, slice(0, 42), random)
    frames += np.linspace(-12, 12, COUNT)[:, None, None, None]
    plate = candidate_plate(ArrayStack(as_bytes(frames)), range(COUNT))
    # Behind the body the scene was seen in the last third only, about 8 grey levels brighter.
    assert error(plate, scene, BODY) < 10
    assert error(plate, scene) < 2


def test_squares_that_cross_under_drifting_light_leave_no_trace() -> None:
    painted = paint_scene(32, 48, 60, drift=20)
    plate = candidate_plate(painted, range(60))
    best, middle = painted.best_still_plate(), painted.start_plate()
    assert error(plate, best) < error(middle, best) + 0.3


@pytest.mark.parametrize("value", [0, 90, 255])
@pytest.mark.parametrize("count", [1, 2, 3, 30])
def test_frames_that_are_all_the_same_give_themselves(value: int, count: int) -> None:
    frames = np.full((count, 16, 18, 3), value, np.uint8)
    plate, confidence, _ = choose_plate(ArrayStack(frames), range(count))
    assert (plate == value).all()
    assert (confidence == 1).all()


def test_of_two_frames_that_differ_each_pixel_has_the_colour_of_one(
    random: np.random.Generator,
) -> None:
    frames = np.full((2, 16, 18, 3), 100, np.uint8)
    frames[1, 4:9, 4:9] = 200
    plate = candidate_plate(ArrayStack(frames), range(2))
    assert set(np.unique(plate[4:9, 4:9])) <= {100, 200}
    assert (plate[10:] == 100).all()


def test_the_same_frames_give_the_same_plate_and_stay_as_they_are(
    scene: Picture, random: np.random.Generator
) -> None:
    frames = recording(scene, random)
    stand(frames, slice(0, 42), random)
    frames = as_bytes(frames)
    first = choose_plate(ArrayStack(frames.copy()), range(COUNT))
    second = choose_plate(ArrayStack(frames.copy()), range(COUNT))
    assert (first.picture == second.picture).all()
    assert (first.confidence == second.confidence).all()


def test_confidence_is_the_share_of_the_time_that_the_plate_was_seen(
    scene: Picture, random: np.random.Generator
) -> None:
    frames = recording(scene, random)
    stand(frames, slice(0, 42), random)
    confidence = choose_plate(ArrayStack(as_bytes(frames)), range(COUNT)).confidence
    assert confidence.dtype == np.float32
    assert np.median(confidence[BODY]) == pytest.approx(0.3, abs=0.02)
    assert confidence[:8].min() > 0.95


def test_bands_do_not_show(
    scene: Picture, random: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = recording(scene, random)
    stand(frames, slice(0, 42), random)
    stack = ArrayStack(as_bytes(frames))
    whole = choose_plate(stack, range(COUNT))
    monkeypatch.setattr(bands, "BUDGET", 1)
    single_rows = choose_plate(stack, range(COUNT))
    assert (single_rows.picture == whole.picture).all()
    assert (single_rows.confidence == whole.confidence).all()


def test_no_positions_are_refused(scene: Picture) -> None:
    with pytest.raises(UsageError, match="give at least one"):
        candidate_plate(ArrayStack(scene[None]), [])


def test_states_are_the_colours_seen_and_how_often() -> None:
    frames = np.full((10, 16, 16, 3), 50, np.uint8)
    frames[3:6, 8, 8] = 200
    states = find_pixel_states(ArrayStack(frames), range(10))
    order = np.argsort(-states.counts[:, 8, 8])
    assert states.counts[order[:3], 8, 8].tolist() == [7, 3, 0]
    assert states.colours[order[:2], 8, 8, 0].tolist() == [50, 200]
    seen = states.seen[:, 8, 8]
    assert (seen[3:6] == order[1]).all()
    assert (np.delete(seen, [3, 4, 5]) == order[0]).all()


def test_a_state_that_flickers_makes_one_visit_and_one_that_returns_makes_more() -> None:
    levels = np.full(100, 60)
    levels[20:40:2] = 110  # every second frame
    levels[50:60] = levels[80:90] = 210
    frames = np.broadcast_to(levels.astype(np.uint8)[:, None, None, None], (100, 16, 16, 3))
    # Each sample twice, so that it is still whatever comes before and after.
    states = find_pixel_states(ArrayStack(np.repeat(frames, 2, axis=0)), range(0, 200, 2))
    visits = {
        int(level): int(visits)
        for level, visits in zip(states.colours[:, 4, 4, 0], states.visits[:, 4, 4], strict=True)
    }
    assert {level: visits[level] for level in (60, 110, 210)} == {60: 3, 110: 1, 210: 2}


def test_a_state_follows_the_light() -> None:
    levels = np.linspace(60, 120, 200).astype(np.uint8)
    frames = np.broadcast_to(levels[:, None, None, None], (200, 16, 16, 3)).copy()
    states = find_pixel_states(ArrayStack(frames), range(200))
    assert states.counts[:, 0, 0].max() == 200
    assert (states.seen == states.seen[0, 0, 0]).all()


def test_what_is_never_still_founds_no_state(random: np.random.Generator) -> None:
    frames = np.full((60, 16, 16, 3), 90, np.uint8)
    frames[20:40] = random.integers(120, 256, (20, 1, 1, 3))
    states = find_pixel_states(ArrayStack(frames), range(60))
    assert sorted(states.counts[:, 4, 4])[-2:] == [0, 40]
    assert (states.seen[20:40] == NONE).all()


def test_the_rarest_state_makes_room_for_a_new_one() -> None:
    """Nine colours, each for two frames: one more than there is room for."""
    levels = np.repeat(np.arange(STATES + 1) * 28, 2)
    levels = np.append(levels[2:], levels[:2])
    levels = np.append(levels, np.arange(28, 28 * (STATES + 1), 28))  # all but the last again
    frames = np.broadcast_to(levels.astype(np.uint8)[:, None, None, None], (len(levels), 16, 16, 3))
    states = find_pixel_states(ArrayStack(frames.copy()), range(len(levels)))
    assert (states.counts > 0).all()
    for time, level in enumerate(levels):
        state = states.seen[time, 0, 0]
        if state != NONE:
            assert abs(states.colours[state, 0, 0, 0] - level) <= 8


def two_states(times: tuple[int, int]) -> States:
    """A square whose second state melts into its surroundings, and the first does not."""
    size = FrameSize(20, 20)
    colours = np.full((STATES, *size, 3), -1000, np.float32)
    colours[0] = 100
    colours[1, 5:15, 5:15] = 100
    colours[0, 5:15, 5:15] = 180
    counts = np.zeros((STATES, *size), np.int32)
    counts[0] = sum(times)
    counts[0, 5:15, 5:15], counts[1, 5:15, 5:15] = times
    seen = np.zeros((sum(times), *size), np.uint8)
    seen[times[0] :, 5:15, 5:15] = 1
    visits = (counts > 0).astype(np.int32)
    return States(colours, counts, visits, seen, np.full(size, 24, np.float32))


@pytest.mark.parametrize("times", [(50, 50), (70, 30), (95, 5)])
def test_the_state_without_an_outline_is_chosen(times: tuple[int, int]) -> None:
    chosen = choose_states(two_states(times))
    assert (chosen[5:15, 5:15] == 1).all()
    assert chosen.sum() == 100


@pytest.mark.parametrize("times", [(9, 1), (197, 3)])
def test_a_state_that_was_hardly_seen_is_not_chosen(times: tuple[int, int]) -> None:
    assert (choose_states(two_states(times)) == 0).all()


def test_what_keeps_coming_back_is_not_given_up_for_what_came_once() -> None:
    states = two_states((140, 60))
    states.visits[0] = 70
    states.seen[:140:2, 5:15, 5:15] = NONE
    assert (choose_states(states) == 0).all()
    states.visits[1] = 30
    states.seen[140::2, 5:15, 5:15] = NONE
    assert (choose_states(states)[5:15, 5:15] == 1).all()


def test_one_dark_vehicle_after_the_other_is_not_one_that_keeps_coming_back() -> None:
    """Visits of a region as a whole count, whatever its pixels have seen of that colour."""
    states = two_states((40, 60))
    states.colours[0, 5:15, 5:15] = 112
    states.counts[1, 5:15, 5:15] = 10
    states.visits[0, 5:15, 5:15] = 8
    states.seen[50:, 5:15, 5:15] = NONE
    states.seen[0:40:5, 5:9, 5:15] = NONE
    assert (choose_states(states)[5:15, 5:15] == 1).all()
    states.seen[0:40:5, 5:15, 5:15] = NONE
    assert (choose_states(states) == 0).all()


@pytest.mark.parametrize("hidden", [slice(4, 16), slice(4, 12)], ids=["all", "most"])
def test_a_region_whose_surroundings_are_hidden_is_not_judged(hidden: slice) -> None:
    states = two_states((70, 30))
    states.seen[70:, hidden, 4:16] = NONE
    states.seen[70:, 5:15, 5:15] = 1
    assert (choose_states(states) == 0).all()


@pytest.mark.parametrize(("levels", "is_chosen"), [((180, 100), True), ((110, 101), False)])
def test_where_most_of_the_surroundings_are_seen_only_a_clear_lead_decides(
    levels: tuple[int, int], is_chosen: bool
) -> None:
    """Less of the outline than is asked of others is enough for a clear case."""
    states = two_states((95, 5))
    states.colours[0, 5:15, 5:15], states.colours[1, 5:15, 5:15] = levels
    assert (choose_states(states)[5:15, 5:15] == 1).all()
    states.seen[95:, 4:7, 4:16] = NONE
    states.seen[95:, 5:15, 5:15] = 1
    assert (choose_states(states)[5:15, 5:15] == 1).all() == is_chosen


def test_a_white_line_along_the_outline_is_no_outline_of_the_road() -> None:
    """A region of the road that ends in its bright line has an edge there, but only there."""
    states = two_states((80, 12))
    states.colours[0, 5:15, 5:15] = 150
    states.colours[1, 5:15, 5:9] = 250
    assert (choose_states(states)[5:15, 5:15] == 1).all()


def test_memory_is_bounded_by_a_byte_for_each_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bands, "BUDGET", 2**20)
    frames = np.full((100, 64, 96, 3), 90, np.uint8)
    stack = ArrayStack(frames)
    tracemalloc.start()
    try:
        candidate_plate(stack, spread_positions(len(stack), 200))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    pixels = 64 * 96
    assert peak < 100 * pixels + 400 * pixels + 2 * 2**20


def test_still_plate_knows_it_by_name(scene: Picture, random: np.random.Generator) -> None:
    stack = ArrayStack(as_bytes(recording(scene, random)))
    assert (still_plate("candidates", stack) == candidate_plate(stack, range(COUNT))).all()
