import functools
import json

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from cleanplate.datasets.painted import (
    PaintedIntersection,
    PaintedSettings,
    SignalLight,
    write_sequence,
    write_video,
)
from cleanplate.errors import OutputError, UsageError

SMALL = {"size": (60, 80), "seconds": 20.0, "frame_rate": 4.0}


@functools.cache
def small(**changes):
    return PaintedIntersection(PaintedSettings(**{**SMALL, **changes}))


@pytest.fixture(scope="module")
def quiet():
    """A small clip without noise."""
    return small(noise=0.0)


def test_static_pixels_are_the_plate_exactly(quiet):
    for index in (0, 17, 40, 71):
        frame = quiet.frame(index)
        static = frame.labels == 0
        assert static.mean() > 0.5
        np.testing.assert_array_equal(frame.picture[static], frame.plate[static])


def test_most_moving_pixels_differ_visibly_from_the_plate(quiet):
    for index in (0, 17, 40, 71):
        frame = quiet.frame(index)
        change = np.abs(frame.picture.astype(int) - frame.plate.astype(int)).sum(axis=2)
        assert (change[frame.labels == 255] > 24).mean() > 0.8


def test_shadows_are_darker_than_the_plate(quiet):
    darker = []
    for index in range(0, len(quiet), 5):
        frame = quiet.frame(index)
        shadow = frame.labels == 50
        darker += list(frame.plate[shadow].mean(axis=1) - frame.picture[shadow].mean(axis=1))
    assert len(darker) > 100
    assert min(darker) > 5


def test_without_shadows_no_pixel_is_labelled_shadow():
    scene = small(shadows=False)
    assert not any((scene.frame(index).labels == 50).any() for index in range(0, 80, 20))


def test_labels_are_those_of_cdnet(quiet):
    seen = {
        int(label) for index in range(0, 80, 10) for label in np.unique(quiet.frame(index).labels)
    }
    assert seen == {0, 50, 170, 255}


def test_a_frame_depends_on_settings_and_index_only():
    forward, backward = small(), PaintedIntersection(PaintedSettings(**SMALL))
    first = [forward.frame(index) for index in (3, 30, 31, 60)]
    second = [backward.frame(index) for index in (60, 31, 30, 3)][::-1]
    for one, other in zip(first, second, strict=True):
        assert one.picture.tobytes() == other.picture.tobytes()
        assert one.plate.tobytes() == other.plate.tobytes()
        assert one.labels.tobytes() == other.labels.tobytes()
        assert one.objects == other.objects


def test_another_seed_paints_another_clip():
    assert (small(seed=1).frame(9).labels != small().frame(9).labels).any()


@pytest.mark.parametrize("size", [(48, 64), (49, 65), (61, 163), (131, 67), (90, 160)])
def test_every_size_can_be_painted(size):
    scene = small(size=size)
    frame = scene.frame(30)
    assert frame.picture.shape == frame.plate.shape == (*size, 3)
    assert frame.labels.shape == size
    assert frame.picture.dtype == frame.labels.dtype == np.uint8
    assert frame.objects


def test_objects_lie_inside_the_frame_and_cover_the_moving_pixels(quiet):
    frame = quiet.frame(30)
    inside = np.zeros(frame.labels.shape, bool)
    for one in frame.objects:
        left, top, width, height = one.box
        assert left >= 0
        assert top >= 0
        assert left + width <= quiet.size.width
        assert top + height <= quiet.size.height
        assert 0 < one.pixels <= width * height
        inside[top : top + height, left : left + width] = True
    moving = frame.labels == 255
    assert (moving & ~inside).sum() <= 0.02 * moving.sum() + 3
    assert len({one.id for one in frame.objects}) == len(frame.objects)


def test_the_light_drifts_as_far_as_it_is_set():
    scene = small(light_drift=20.0, sway=0.0)
    means = [scene.plate(index).mean() for index in range(0, len(scene), 4)]
    assert max(means) - min(means) == pytest.approx(20.0, abs=2.0)


def test_without_drift_and_sway_only_the_lamps_change():
    scene = small(light_drift=0.0, sway=0.0)
    changed = (scene.plate(10) != scene.plate(60)).any(axis=2)
    assert 0 < changed.mean() < 0.01


def test_leaves_sway_in_the_plate_and_are_background(quiet):
    still, later = quiet.frame(4), quiet.frame(7)
    moved = (still.plate != later.plate).any(axis=2)
    both = (still.labels == 0) & (later.labels == 0) & moved
    assert both.sum() > 50


def test_noise_has_the_deviation_that_is_set():
    frame = small(noise=4.0, light_drift=0.0).frame(12)
    static = (frame.labels == 0) & (frame.plate.max(axis=2) < 230)
    noise = frame.picture[static].astype(float) - frame.plate[static]
    assert noise.std() == pytest.approx(4.0, abs=0.3)
    assert abs(noise.mean()) < 0.1


def test_waiting_vehicles_do_not_move_and_their_waiting_time_grows():
    scene = small(traffic=12.0)
    waited = {}
    for index in range(16, 36):  # the main road has red for 12 s, from the beginning
        waiting = {}
        for pose in scene._vehicles[index]:
            if pose.waiting > 0:
                waiting[pose.id] = pose
                before = waited.get(pose.id)
                if before is not None and before.waiting < pose.waiting:
                    assert (pose.x, pose.y) == (before.x, before.y)
                    assert pose.waiting == pytest.approx(before.waiting + 0.25)
        waited = waiting
    assert max(pose.waiting for pose in waited.values()) > 3
    reported = {one.id: one.waiting_seconds for one in scene.frame(35).objects}
    shown = [key for key in waited if key in reported]
    assert shown
    for key in shown:
        assert reported[key] == pytest.approx(waited[key].waiting, abs=1e-5)


def test_nothing_drives_through_anything():
    sizes = {"car": (4.4, 1.8), "van": (5.4, 2.05), "bus": (11.2, 2.5)}
    scene = small(seconds=60.0, traffic=14.0, frame_rate=2.0)
    for poses in scene._vehicles:
        extents = []
        for pose in poses:
            length, width = sizes[pose.kind]
            half = (length / 2, width / 2) if pose.heading[0] else (width / 2, length / 2)
            extents.append((pose.x - half[0], pose.x + half[0], pose.y - half[1], pose.y + half[1]))
        left, right, near, far = np.array(extents).T
        touch = (left[:, None] < right) & (left < right[:, None])
        touch &= (near[:, None] < far) & (near < far[:, None])
        assert touch.sum() == len(poses)


def test_the_two_roads_never_have_green_together():
    scene = small(cycle=16.0, red_share=0.5, seconds=32.0)
    lights = [(scene.light_of(i), scene.light_of(i, main=False)) for i in range(len(scene))]
    assert all(SignalLight.RED in pair for pair in lights)
    assert {main for main, _ in lights} == {across for _, across in lights} == set(SignalLight)
    red = np.mean([main is SignalLight.RED for main, _ in lights])
    assert red == pytest.approx(0.5, abs=0.05)


def test_occupancy_of_the_stop_line_follows_the_share_of_red():
    shares, measured = (0.1, 0.4, 0.6, 0.9), []
    for share in shares:
        scene = PaintedIntersection(
            PaintedSettings(
                size=(48, 64),
                seconds=60,
                frame_rate=1,
                red_share=share,
                noise=0,
                shadows=False,
                pedestrians=False,
            )
        )
        row, column = scene.stop_line_pixel()
        labels = [scene.frame(index).labels[row, column] for index in range(len(scene))]
        measured.append(np.mean(np.array(labels) == 255))
    assert measured == sorted(measured)
    np.testing.assert_allclose(measured, shares, atol=0.15)


def test_no_traffic_and_no_people_leave_the_plate():
    scene = small(traffic=0.0, pedestrians=False, noise=0.0)
    frame = scene.frame(20)
    assert not frame.labels.any()
    assert frame.objects == ()
    np.testing.assert_array_equal(frame.picture, frame.plate)


def test_the_still_plate_is_near_every_plate(quiet):
    still = quiet.still_plate
    assert still.shape == (*quiet.size, 3)
    difference = np.abs(still.astype(int) - quiet.plate(20).astype(int))
    assert difference.mean() < 6


def test_a_sequence_is_written_in_the_layout_of_cdnet(tmp_path):
    scene = small(size=(48, 64), seconds=2.0)
    folder = write_sequence(scene, tmp_path / "painted", first_scored=3)
    assert (folder / "temporalROI.txt").read_text().split() == ["3", "8"]
    frame = scene.frame(4)
    picture = cv2.imread(str(folder / "input" / "in000005.png"))[..., ::-1]
    np.testing.assert_array_equal(picture, frame.picture)
    labels = cv2.imread(str(folder / "groundtruth" / "gt000005.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(labels, frame.labels)
    assert (cv2.imread(str(folder / "ROI.bmp"), cv2.IMREAD_GRAYSCALE) == 255).all()
    plate = cv2.imread(str(folder / "GT" / "GT_background.png"))[..., ::-1]
    np.testing.assert_array_equal(plate, scene.still_plate)
    lines = [json.loads(line) for line in (folder / "objects.jsonl").read_text().splitlines()]
    assert [line["frame"] for line in lines] == list(range(1, 9))
    assert [one["id"] for one in lines[4]["objects"]] == [one.id for one in frame.objects]
    assert {"id", "kind", "box", "waiting_seconds", "pixels"} == set(lines[4]["objects"][0])
    with pytest.raises(OutputError, match="is not empty"):
        write_sequence(scene, folder)


def test_a_sequence_can_be_written_as_jpeg(tmp_path):
    scene = small(size=(48, 64), seconds=1.0)
    write_sequence(scene, tmp_path, picture_format="jpg")
    assert len(list((tmp_path / "input").glob("in*.jpg"))) == 4


@pytest.mark.parametrize("ending", [".avi", ".mp4"])
def test_a_video_can_be_read_back(tmp_path, ending):
    scene = small(size=(48, 64), seconds=2.0)
    capture = cv2.VideoCapture(str(write_video(scene, tmp_path / f"clip{ending}")))
    pictures = 0
    while capture.read()[0]:
        pictures += 1
    assert pictures == len(scene)


def test_an_avi_keeps_every_value(tmp_path):
    scene = small(size=(50, 66), seconds=1.0)
    capture = cv2.VideoCapture(str(write_video(scene, tmp_path / "clip.avi")))
    for index in range(len(scene)):
        assert (capture.read()[1][..., ::-1] == scene.frame(index).picture).all()


def test_bad_settings_are_refused_with_a_sentence(tmp_path):
    with pytest.raises(ValidationError, match="size 32x20 cannot be painted; give a height"):
        PaintedSettings(size=(20, 32))
    with pytest.raises(ValidationError, match=r"less than or equal to 0\.9"):
        PaintedSettings(red_share=0.95)
    with pytest.raises(ValidationError, match="Extra inputs"):
        PaintedSettings(weather="rain")
    scene = small(size=(48, 64), seconds=1.0)
    with pytest.raises(UsageError, match=r"end the name in \.avi or \.mp4"):
        write_video(scene, tmp_path / "clip.gif")
    with pytest.raises(UsageError, match="cannot be the first to score"):
        write_sequence(scene, tmp_path, first_scored=9)
    with pytest.raises(IndexError, match="give 0 to 3"):
        scene.frame(4)
