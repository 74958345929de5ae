"""Each kind of painted scene: exact truth, and the thing that makes the kind."""

import functools
import pkgutil

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from cleanplate.datasets import open_sequence
from cleanplate.datasets.painted import (
    KINDS,
    PaintedSettings,
    kinds,
    paint_scene,
    write_sequence,
    write_video,
)
from cleanplate.video import open_source

SHORT = {"size": (120, 160), "seconds": 12.0, "frame_rate": 5.0, "noise": 0.0}
MOMENTS = (0, 23, 41, 59)
KIND_NAMES = tuple(KINDS)
EXACT = tuple(kind for kind in KIND_NAMES if kind not in {"night", "thermal"})
"""Kinds in which nothing but shadows changes what is around a thing."""


@functools.cache
def scene_of(kind, **changes):
    return paint_scene(PaintedSettings(**{**SHORT, "kind": kind, **changes}))


@functools.cache
def frame_of(kind, index):
    return scene_of(kind).frame(index)


def difference(one, other):
    return one.astype(int) - other.astype(int)


def test_every_kind_is_a_file_with_its_defaults():
    assert {module.name for module in pkgutil.iter_modules(kinds.__path__)} == set(KINDS)
    for kind, values in KINDS.items():
        settings = PaintedSettings(kind=kind)
        assert {name: getattr(settings, name) for name in values} == values
        assert settings.frames >= 300
    assert PaintedSettings(kind="night", noise=1.0).noise == 1.0


def test_an_unknown_kind_is_refused_with_those_that_there_are():
    with pytest.raises(ValidationError, match="no kind 'fog'; give one of crossroads, night"):
        PaintedSettings(kind="fog")


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_a_frame_depends_on_settings_and_index_only(kind):
    fresh = scene_of.__wrapped__(kind, noise=3.0)
    frames = [scene_of(kind, noise=3.0).frame(index) for index in (40, 3)]
    again = [fresh.frame(index) for index in (3, 40)][::-1]
    for one, other in zip(frames, again, strict=True):
        np.testing.assert_array_equal(one.picture, other.picture)
        np.testing.assert_array_equal(one.plate, other.plate)
        np.testing.assert_array_equal(one.labels, other.labels)
        assert one.objects == other.objects
    np.testing.assert_array_equal(frames[0].plate, fresh.plate(40))


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_another_seed_paints_another_scene(kind):
    small = {"size": (48, 64), "seconds": 2.0}
    one, other = (scene_of(kind, seed=seed, **small).frame(5) for seed in (0, 1))
    assert (one.plate != other.plate).mean() > 0.05
    assert (one.labels != other.labels).any()


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_truth_has_the_labels_of_cdnet_and_names_what_moves(kind):
    seen, named = set(), 0
    for index in MOMENTS:
        frame = frame_of(kind, index)
        seen |= {int(label) for label in np.unique(frame.labels)}
        inside = np.zeros(frame.labels.shape, bool)
        for one in frame.objects:
            left, top, width, height = one.box
            inside[top : top + height, left : left + width] = True
            assert 0 < one.pixels <= width * height
        moving = frame.labels == 255
        assert (moving & ~inside).sum() <= 0.05 * moving.sum() + 4
        named += len(frame.objects)
    assert {0, 170, 255} <= seen <= {0, 50, 170, 255}
    assert named >= 3


@pytest.mark.parametrize("kind", EXACT)
def test_where_nothing_is_the_frame_is_the_plate_of_its_moment(kind):
    for index in MOMENTS:
        frame = frame_of(kind, index)
        static = frame.labels == 0
        assert static.mean() > 0.5
        assert np.abs(difference(frame.picture, frame.plate))[static].max() <= 1


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_most_of_what_moves_can_be_seen(kind):
    changes = [
        np.abs(difference(frame.picture, frame.plate)).sum(axis=2)[frame.labels == 255]
        for frame in (frame_of(kind, index) for index in MOMENTS)
    ]
    assert (np.concatenate(changes) > 15).mean() > 0.75


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_noise_is_around_the_plate(kind):
    noisy = scene_of(kind, noise=3.0)
    frame, quiet = noisy.frame(23), frame_of(kind, 23)
    middle = (quiet.picture.min(axis=2) > 30) & (quiet.picture.max(axis=2) < 225)
    noise = difference(frame.picture, quiet.picture)[middle]
    assert abs(noise.mean()) < 0.15
    assert 1.4 < noise.std() < 5


@pytest.mark.parametrize("size", [(48, 64), (131, 67)])
@pytest.mark.parametrize("kind", KIND_NAMES)
def test_every_size_can_be_painted(kind, size):
    frame = scene_of(kind, seed=0, size=size, seconds=2.0).frame(5)
    assert frame.picture.shape == frame.plate.shape == (*size, 3)
    assert frame.labels.shape == size
    assert frame.picture.dtype == frame.plate.dtype == frame.labels.dtype == np.uint8


def test_headlights_brighten_the_road_and_their_light_is_background():
    lit = 0.0
    for index in MOMENTS:
        frame = frame_of("night", index)
        change = difference(frame.picture, frame.plate).sum(axis=2)
        static = frame.labels == 0
        assert change[static].min() >= -3
        lit = max(lit, (static & (change > 60)).mean())
        body = np.median(frame.picture.mean(axis=2)[frame.labels == 255])
        assert body < 60
    assert lit > 0.03
    dim = scene_of("night", strength=0.0).frame(23)
    assert np.abs(difference(dim.picture, dim.plate))[dim.labels == 0].max() == 0


def test_noise_grows_in_the_dark():
    noisy, quiet = scene_of("night", noise=3.0).frame(23), frame_of("night", 23)
    level = quiet.picture.mean(axis=2)
    noise = difference(noisy.picture, quiet.picture)
    dark = noise[(level > 25) & (level < 40)].std()
    assert dark > 1.4 * noise[(level > 110) & (level < 200)].std()


def test_flakes_fall_and_are_background():
    scene = scene_of("snow")
    clear = scene_of("snow", strength=0.0)
    now, then = (difference(scene.plate(i), clear.plate(i)).sum(axis=2) for i in (23, 24))
    assert 0.01 < (np.abs(now) > 30).mean() < 0.25
    assert (np.abs(now - then) > 30).mean() > 0.01
    falls = [scene._fall(4 + step / 100)[..., 0] for step in range(2)]
    across, down = cv2.phaseCorrelate(falls[0], falls[1])[0]
    assert 0.1 < down < 3
    assert abs(across) < 2
    sizes = cv2.connectedComponentsWithStats((falls[0] > 0.3).astype(np.uint8))[2][1:, 4]
    assert sizes.max() >= 6 * np.median(sizes)


def test_leaves_leave_the_plate_of_a_third_of_the_picture():
    scene = scene_of("sway")
    plates = np.stack([scene.plate(index) for index in range(0, 60, 3)]).astype(int)
    spread = (plates.max(axis=0) - plates.min(axis=0)).sum(axis=2)
    assert 0.2 < (spread > 60).mean() < 0.6
    calm = scene_of("sway", strength=0.0, sway=0.0, light_drift=0.0)
    assert (calm.plate(10) != calm.plate(40)).any(axis=2).mean() < 0.02


def test_leaves_move_by_pixels_in_gusts():
    scene = scene_of("sway", size=(240, 320), frame_rate=10.0, light_drift=0.0)
    plates = [cv2.cvtColor(scene.plate(index), cv2.COLOR_RGB2GRAY) for index in range(0, 100, 7)]
    leaves = np.ptp(np.stack(plates), axis=0) > 20
    now, then = (cv2.cvtColor(scene.plate(index), cv2.COLOR_RGB2GRAY) for index in (20, 22))
    shifts = []
    for row in range(16, 208, 16):
        for column in range(16, 288, 16):
            if leaves[row : row + 16, column : column + 16].mean() < 0.7:
                continue
            block = now[row : row + 16, column : column + 16]
            near = then[row - 12 : row + 28, column - 12 : column + 28]
            _, match, _, (x, y) = cv2.minMaxLoc(
                cv2.matchTemplate(near, block, cv2.TM_CCOEFF_NORMED)
            )
            if match > 0.5:
                shifts.append(np.hypot(x - 12, y - 12))
    assert len(shifts) > 10
    assert 1 <= np.percentile(shifts, 75) <= 8


def test_waves_and_glints_change_all_of_the_water():
    scene = scene_of("water")
    plates = np.stack([scene.plate(index) for index in range(20, 40, 2)]).astype(int)
    spread = (plates.max(axis=0) - plates.min(axis=0)).sum(axis=2)
    assert (spread[60:] > 30).mean() > 0.8
    assert (spread[60:] > 200).mean() > 0.01
    found = {one.kind for index in MOMENTS for one in frame_of("water", index).objects}
    assert "bird" in found
    assert found & {"canoe", "boat"}


def test_thermal_is_grey_with_a_drifting_gain_and_hot_and_cold_things():
    scene = scene_of("thermal", seconds=60.0)
    frames = [scene.frame(index) for index in range(0, 300, 60)]
    assert all((one.picture == one.picture[..., :1]).all() for one in frames)
    means = [one.plate.mean() for one in frames]
    assert max(means) - min(means) > 4
    assert max(one.plate.std() for one in frames) < 25
    change = np.concatenate(
        [difference(one.picture, one.plate)[one.labels == 255].ravel() for one in frames]
    )
    assert np.percentile(change, 5) < -8
    assert np.percentile(change, 95) > 15


def test_the_halo_of_a_thermal_camera_is_background_of_the_other_sign():
    signs = []
    for index in range(0, 60, 4):
        frame = frame_of("thermal", index)
        change = difference(frame.picture, frame.plate)[..., 0]
        assert np.abs(change[frame.labels == 0]).max() < 40
        moving = (frame.labels == 255).astype(np.uint8)
        _, parts, statistics, _ = cv2.connectedComponentsWithStats(moving)
        far = cv2.dilate(moving, np.ones((5, 5), np.uint8)) == 0
        for part in np.nonzero(statistics[1:, 4] > 60)[0] + 1:
            own = (parts == part).astype(np.uint8)
            ring = (cv2.dilate(own, np.ones((9, 9), np.uint8)) > 0) & far
            inside, around = change[own > 0].mean(), change[ring].mean()
            if ring.sum() > 20 and abs(inside) > 12:
                signs.append(inside * around < 0)
    assert len(signs) > 20
    assert np.mean(signs) > 0.85


def test_a_low_rate_is_that_of_the_file(tmp_path):
    scene = scene_of("lowrate", frame_rate=0.5, seconds=20.0)
    source = open_source(write_video(scene, tmp_path / "slow.avi"))
    assert source.frame_rate == 0.5
    assert [frame.time for frame in source.frames()] == [2.0 * index for index in range(10)]
    assert PaintedSettings(kind="lowrate").frame_rate == 0.5


@pytest.mark.parametrize("size", [(240, 320), (480, 720)])
def test_the_camera_shakes_as_far_as_it_says(size):
    scene = paint_scene(
        PaintedSettings(kind="jitter", size=size, seconds=3, light_drift=0, sway=0, noise=0)
    )
    rest = cv2.cvtColor(scene.still_plate, cv2.COLOR_RGB2GRAY).astype(np.float32)
    shakes = [scene.shake_of(index) for index in range(len(scene))]
    pixels = np.sqrt(size[0] * size[1] / (240 * 320))
    spread = np.std([shake[:2] for shake in shakes], axis=0) / pixels
    assert (spread > 1.2).all()
    assert (spread < 8).all()
    assert 0.05 < np.std([shake.turn for shake in shakes]) < 0.6
    window = cv2.createHanningWindow(rest.shape[::-1], cv2.CV_32F)
    for index in (4, 15, 22):
        seen = cv2.cvtColor(scene.plate(index), cv2.COLOR_RGB2GRAY).astype(np.float32)
        right, down = cv2.phaseCorrelate(rest, seen, window)[0]
        assert (-right, -down) == pytest.approx(shakes[index][:2], abs=1.0 * pixels)
    still = scene_of("jitter", strength=0.0)
    assert set(still.shake_of(5)) == {0.0}


def test_animals_rest_for_long_in_uneven_light():
    scene = scene_of("arena", seconds=40.0)
    rests = [one.waiting_seconds for i in range(0, 200, 10) for one in scene.frame(i).objects]
    assert max(rests) > 6
    assert np.mean(np.array(rests) == 0) > 0.1
    plate = cv2.GaussianBlur(scene.still_plate, (0, 0), 6)[30:90, 40:120, 0]
    assert plate.max() > 1.25 * plate.min()
    assert (scene.frame(9).picture == scene.frame(9).picture[..., :1]).all()


def test_the_sun_creeps_over_the_floor_and_is_background():
    scene = scene_of("sunpatch", seconds=60.0)
    patches = [scene._patch(scene.time(index)) for index in (0, 299)]
    columns = [(patch.sum(axis=0) @ np.arange(160)) / patch.sum() for patch in patches]
    assert abs(columns[1] - columns[0]) > 10
    first, last = scene.frame(0), scene.frame(299)
    both = (first.labels == 0) & (last.labels == 0)
    change = np.abs(difference(first.plate, last.plate)).sum(axis=2)
    assert (both & (change > 60)).mean() > 0.01
    people = [one for i in range(0, 300, 10) for one in scene.frame(i).objects]
    assert {one.waiting_seconds > 0 for one in people} == {False, True}


def test_the_still_plate_of_a_kind_is_near_its_plates():
    for kind in ("night", "thermal", "arena", "sunpatch"):
        scene = scene_of(kind)
        assert np.abs(difference(scene.still_plate, scene.plate(30))).mean() < 8


@pytest.mark.parametrize("kind", ["crossroads", "night"])
def test_the_kind_is_the_category_of_a_sequence(tmp_path, kind):
    scene = scene_of(kind, size=(48, 64), seconds=1.0)
    folder = write_sequence(scene, tmp_path / "any", picture_format="avi")
    sequence = open_sequence(folder)
    assert (sequence.dataset, sequence.category) == ("painted", kind)
    assert sequence.source == folder.resolve() / "input.avi"
    pictures = [frame.picture for frame in open_source(sequence.source).frames()]
    np.testing.assert_array_equal(pictures[3], scene.frame(3).picture)
    np.testing.assert_array_equal(sequence.read_labels(4), scene.frame(3).labels)
