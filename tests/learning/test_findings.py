"""What a scene is found to be: each property by a painted scene with it, and one without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

import cleanplate
from cleanplate.frames import Frame, Picture
from cleanplate.scene_model.findings import FindingState, SceneFinding, SceneFindings
from lights import cloudy, drifted, infrared, rolling
from moves import paint_moves
from scenes import PaintedScene, as_bytes, paint_scene
from shaking import MARGIN, random_walk, shaken

COUNT = 90
OF_SETTINGS: Mapping[str, Any] = {
    "sampling": {"registration": "off", "swaying": "off", "max_states": 1},
    "segmentation": {"light": "off"},
}


@pytest.fixture(scope="module")
def painted() -> PaintedScene:
    return paint_scene(60, 80, COUNT)


@pytest.fixture(scope="module")
def plain(painted: PaintedScene) -> SceneFindings:
    return found(painted.frames)


def found(
    pictures: Picture | Sequence[Frame], settings: Mapping[str, Any] | None = None
) -> SceneFindings:
    return cleanplate.learn(pictures, method="candidates", settings=settings).findings


def timed(pictures: Picture, rate: float) -> list[Frame]:
    return [Frame(at, at + 1, at / rate, picture) for at, picture in enumerate(pictures)]


def test_a_plain_scene_has_nothing_special(plain: SceneFindings) -> None:
    assert plain.of_state(FindingState.SPECIAL) == ()
    assert plain.sentence == "nothing special"
    absent = {"light", "flicker", "camera", "states", "shadows", "parked"}
    assert {entry.name for entry in plain.of_state(FindingState.ABSENT)} == absent
    assert {entry.name for entry in plain.of_state(FindingState.USUAL)} == {
        *("colours", "contrast", "noise")
    }


def test_what_was_not_measured_is_not_told_as_absent(painted: PaintedScene) -> None:
    unknown = found(painted.frames, OF_SETTINGS).of_state(FindingState.UNKNOWN)
    assert {entry.name: entry.found for entry in unknown} == {
        "rate": "the pictures have no times, 25 a second are assumed",
        "light": "segmentation.light=off",
        "camera": "sampling.registration=off",
        "states": "sampling.max_states=1",
        "swaying": "sampling.swaying=off",
    }
    few = found(painted.frames[:8])
    assert few["camera"].found == "fewer than 9 frames"
    assert few["states"].found == "fewer than 40 frames"
    assert "too short" in few["swaying"].found


def test_a_camera_without_colours(painted: PaintedScene, plain: SceneFindings) -> None:
    grey = np.repeat(painted.frames[..., :1], 3, axis=3)
    entry = found(grey)["colours"]
    assert (entry.state, entry.value) == (FindingState.SPECIAL, 1.0)
    assert entry.done == "differences count 4/3 of what they do in colour"
    assert (plain["colours"].state, plain["colours"].value) == (FindingState.USUAL, 0.0)
    some = np.where((np.arange(COUNT) % 2 == 0)[:, None, None, None], painted.frames, grey)
    assert found(some)["colours"].state is FindingState.USUAL, "its plate has colours"


def test_low_contrast_and_what_would_help(painted: PaintedScene, plain: SceneFindings) -> None:
    dull = as_bytes(100 + (painted.frames.astype(np.float32) - 100) / 6)
    entry = found(dull)["contrast"]
    assert entry.state is FindingState.SPECIAL
    assert "--range LOW HIGH" in entry.done
    assert entry.value is not None
    assert plain["contrast"].value == pytest.approx(6 * entry.value, abs=9)


def test_noise_is_the_sensor_s_in_grey_levels(painted: PaintedScene, plain: SceneFindings) -> None:
    random = np.random.default_rng(1)
    noisy = as_bytes(painted.frames + random.normal(0, 8, painted.frames.shape))
    entry = found(noisy)["noise"]
    assert entry.state is FindingState.SPECIAL
    # The median of the sum of three absolute normal values is 2.3 standard deviations of each.
    assert entry.value == pytest.approx(2.3 * np.hypot(8, 2), rel=0.15)
    assert plain["noise"].value == pytest.approx(2.3 * 2, abs=1)


def test_light_that_changes(painted: PaintedScene) -> None:
    entry = found(drifted(painted.frames, 60))["light"]
    assert entry.state is FindingState.SPECIAL
    assert entry.value is not None
    assert entry.value > 0.3
    clouded = painted.frames.copy()
    clouded[40:60] = cloudy(clouded[40:60], 0.6)
    value = found(clouded)["light"].value
    assert value is not None
    assert 0.1 < value <= 20 / COUNT + 0.01


def test_flicker_of_lamps(painted: PaintedScene) -> None:
    entry = found(rolling(painted.frames, 27))["flicker"]
    assert entry.state is FindingState.SPECIAL
    assert entry.done == "evened before learning, and followed in each frame"


def test_a_camera_that_shakes_and_frames_that_were_lost() -> None:
    wide = paint_scene(96 + 2 * MARGIN, 128 + 2 * MARGIN, 40, seed=2)
    shifts = random_walk(40, 5.0)
    frames = shaken(wide, shifts).frames.copy()
    frames[[9, 30]] = np.random.default_rng(0).integers(0, 255, frames.shape[1:])
    entry = found(frames)["camera"]
    assert entry.state is FindingState.SPECIAL
    middle = np.median(shifts, axis=0)
    assert entry.value == pytest.approx(np.linalg.norm(shifts - middle, axis=1).max(), abs=1)
    assert "2 of 40 could not be, and were left out" in entry.done


def test_states_and_what_was_learned_of_each(painted: PaintedScene) -> None:
    night = np.concatenate([painted.frames[:60], infrared(painted.frames[60:])])
    entries = found(night)
    assert entries["states"].found == "2 states: day (67 %), infrared (33 %)"
    assert entries["states"].done == "the method learned day; a still plate for infrared"
    assert entries["camera"].found == "the scene has several states"
    assert entries["camera"].state is FindingState.UNKNOWN


def test_a_camera_that_was_moved(plain: SceneFindings) -> None:
    entry = found(paint_moves([30, 60]).frames)["view"]
    assert (entry.found, entry.done) == (
        "the camera was moved once",
        "learned from frames 31 to 90",
    )
    assert "view" not in {entry.name for entry in plain}


@pytest.mark.parametrize(
    ("rate", "state", "words"),
    [
        (12.5, FindingState.USUAL, "12.5 frames a second"),
        (2.0, FindingState.SPECIAL, "low rate: 2 frames a second"),
        (0.25, FindingState.SPECIAL, "low rate: a frame in 4 s"),
    ],
)
def test_the_rate_of_frames_with_times(
    painted: PaintedScene, rate: float, state: FindingState, words: str
) -> None:
    entry = found(timed(painted.frames[:24], rate))["rate"]
    assert (entry.state, entry.found, entry.value) == (state, words, pytest.approx(rate))


def test_values_that_are_no_grey_levels(painted: PaintedScene, plain: SceneFindings) -> None:
    counts = 7000 + 8 * painted.frames.astype(np.uint16)
    entry = found(counts)["values"]
    assert entry.state is FindingState.SPECIAL
    assert entry.found.startswith("values of uint16 from ")
    assert "values" not in {entry.name for entry in plain}


def test_what_is_found_survives_the_scene_file_and_strangers() -> None:
    entries = SceneFindings(
        (
            SceneFinding("noise", FindingState.USUAL, "little", "nothing", 4.0),
            SceneFinding("flicker", FindingState.ABSENT, "bands"),
        )
    )
    values = entries.as_values()
    assert SceneFindings.of(values) == entries
    assert SceneFindings.of(None) == SceneFindings.of("findings") == SceneFindings()
    strange = [7, {"name": "x"}, {**values[0], "state": "odd"}, {**values[0], "value": "4"}]
    assert SceneFindings.of(strange).entries == (
        SceneFinding("noise", FindingState.USUAL, "little", "nothing"),
    )
    assert len(SceneFindings.of(1000 * values).entries) == 40
    (long,) = SceneFindings.of([{**values[0], "found": "x" * 10_000}])
    assert len(long.found) == 600
