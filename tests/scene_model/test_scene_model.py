"""The values of a scene: states, their corrections, and what estimates a background."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import cleanplate
from cleanplate.errors import SceneFileError
from cleanplate.frames import FrameSize, Picture
from cleanplate.scene_model import CameraMotion, SceneModel, SceneState, StillPlate
from cleanplate.scene_model.states import StatePicker
from cleanplate.segmentation import SegmentationPlan, SegmentationSettings
from lights import infrared
from scenes import paint_plate

SIZE = FrameSize(48, 64)
SOURCES = Path(cleanplate.__file__).parent
PLATE = paint_plate(*SIZE)
NOISE = np.full(SIZE, 3, np.uint8)
PICTURES = np.stack([PLATE, PLATE])


class Exported(StillPlate):
    """An estimator whose backgrounds include a correction."""

    def __init__(self, plate: Picture, correction: NDArray[np.int16]) -> None:
        super().__init__(np.clip(plate + correction, 0, 255).astype(np.uint8))
        self.included_correction = correction  # type: ignore[assignment]


def change(value: int) -> NDArray[np.int16]:
    found = np.zeros((*SIZE, 3), np.int16)
    found[10:20, 30:40] = value
    return found


def model(*states: SceneState) -> SceneModel:
    plan = SegmentationPlan.of(SegmentationSettings(), SIZE)
    return SceneModel(FrameSize(96, 128), SIZE, states, plan)


def test_a_still_state_shows_its_plate_in_every_frame() -> None:
    state = SceneState.still("day", PLATE, NOISE)
    assert np.array_equal(state.estimate(PICTURES), PICTURES)
    assert state.outstanding is None


def test_corrections_add_up_and_leave_the_state_as_it_was() -> None:
    state = SceneState.still("day", PLATE, NOISE)
    once = state.corrected(change(30))
    twice = once.corrected(change(-50))
    assert np.array_equal(once.estimate(PICTURES)[0], np.clip(PLATE + change(30), 0, 255))
    assert np.array_equal(twice.estimate(PICTURES)[1], np.clip(PLATE + change(-20), 0, 255))
    assert np.array_equal(twice.correction, change(-20))
    assert np.array_equal(state.estimate(PICTURES), PICTURES)
    assert not np.array_equal(once.plate, state.plate)


def test_what_an_estimator_includes_is_not_added_again() -> None:
    state = SceneState("day", PLATE, NOISE, Exported(PLATE, change(30)), correction=change(30))
    assert state.outstanding is None
    assert np.array_equal(state.estimate(PICTURES)[0], np.clip(PLATE + change(30), 0, 255))
    later = state.corrected(change(9))
    assert np.array_equal(later.outstanding, change(9))
    assert np.array_equal(later.correction, change(39))


def test_a_correction_is_of_the_state_in_which_it_was_made() -> None:
    night = infrared(PLATE[None])[0]
    both = model(SceneState.still("day", PLATE, NOISE), SceneState.still("night", night, NOISE))
    day, corrected = both.corrected({1: change(20)}).states
    assert day is both.main
    assert np.array_equal(corrected.correction, change(20))
    assert both.names == ["day", "night"]
    assert both.enlargement == 2


def test_values_are_frozen() -> None:
    state = SceneState.still("day", PLATE, NOISE)
    for value, name in ((state, "noise"), (model(state), "states"), (model(state).plan, "size")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, name, None)


def test_a_scene_of_one_state_is_always_in_it() -> None:
    picker = StatePicker.of(model(SceneState.still("day", PLATE, NOISE)))
    assert picker.pick(infrared(PICTURES)) == [0, 0]


def test_the_state_of_a_picture_is_that_whose_plate_it_is_like() -> None:
    night = infrared(PLATE[None])[0]
    both = model(SceneState.still("day", PLATE, NOISE), SceneState.still("night", night, NOISE))
    assert StatePicker.of(both).pick(np.stack([PLATE, night, PLATE])) == [0, 1, 0]


def test_a_camera_is_read_as_it_was_written() -> None:
    for camera in (CameraMotion(), CameraMotion("translation", 3.5, 2)):
        assert CameraMotion.of(camera.as_values()) == camera
    with pytest.raises(SceneFileError, match="makes no sense"):
        CameraMotion.of({"motion": "translation", "reach": -1})


def test_nothing_asks_for_the_class_of_an_estimator() -> None:
    pattern = re.compile(r"isinstance\([^)]*(Estimator|StillPlate)")
    asking = [
        str(path.relative_to(SOURCES))
        for path in SOURCES.rglob("*.py")
        if pattern.search(path.read_text(encoding="utf-8"))
    ]
    assert asking == []
    assert pattern.search("if isinstance(scene.estimator, NetworkEstimator):")
