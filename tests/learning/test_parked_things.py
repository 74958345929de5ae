"""A car that is parked for a part of the recording: one policy for plate, masks and report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cleanplate import SegmentationSettings, learn, load
from cleanplate.frames import Frame
from cleanplate.report import write_report
from cleanplate.scene_model.findings import FindingState
from roads import CAR, road, seen

RATE, COUNT = 5, 120
PLACE = np.s_[54:70, 64:96]
AWAY = [(6 * at % 200 - 40, 90, (30, 40, 160)) for at in range(COUNT)]
"""Traffic on another lane."""


def recorded(begin: int, end: int) -> list[Frame]:
    """A car that stands from one frame up to another, comes for 1 s before and leaves for 1 s."""
    frames = []
    for at in range(COUNT):
        cars = [AWAY[at]]
        if begin <= at < end:
            cars.append((60, 50, CAR))
        elif 0 < begin - at <= RATE:
            cars.append((60 - 20 * (begin - at), 50, CAR))
        elif 0 <= at - end < RATE:
            cars.append((80 + 20 * (at - end), 50, CAR))
        frames.append(Frame(at, at + 1, at / RATE, seen(cars, at=at)))
    return frames


@pytest.mark.parametrize(("begin", "end"), [(0, 60), (60, COUNT), (36, 84), (0, 96)])
def test_plate_and_masks_agree_about_a_car_that_was_there_for_a_part(begin: int, end: int) -> None:
    frames = recorded(begin, end)
    scene = learn(frames, method="candidates")
    assert np.abs(scene.plate[PLACE].astype(int) - road()[PLACE]).mean() < 3
    found = scene.findings["parked"]
    assert (found.state, found.value) == (FindingState.SPECIAL, 1)
    assert found.done.startswith("foreground for as long as they stand")
    (thing,) = scene.provenance["parked"]
    assert thing["box"] == pytest.approx([60, 50, 40, 24], abs=4)
    assert thing["first_seen"] == pytest.approx(begin / RATE, abs=1)
    assert thing["last_seen"] == pytest.approx(end / RATE, abs=1)
    for policy, settled in (("foreground", 1e9), ("background", 4.0)):
        settings = {} if policy == "foreground" else {"settle_seconds": settled}
        chosen = SegmentationSettings.parse({"parked": policy, **settings})
        for result in scene.segment(frames, segmentation=chosen):
            at = result.number - 1
            share = (result.mask[PLACE] > 0).mean()
            stood = (at - begin) / RATE
            if begin <= at < end and stood < settled - 1:
                assert share > 0.9
            elif (begin <= at < end and stood > settled + 1) or not begin - 8 < at < end + 8:
                assert share == 0


def test_what_was_always_there_is_the_scene(tmp_path: Path) -> None:
    scene = learn(recorded(0, COUNT), method="candidates", out=tmp_path / "run")
    assert np.abs(scene.plate[PLACE].astype(int) - CAR).mean() < 3
    entry = scene.findings["parked"]
    assert (entry.state, entry.found) == (
        FindingState.ABSENT,
        "things that stand for 6 s and come or leave",
    )
    assert load(tmp_path / "run").provenance["parked"] == []


def test_the_report_names_what_was_parked(tmp_path: Path) -> None:
    run = tmp_path / "run"
    settings = {"segmentation": {"parked": "background", "settle_seconds": 4}}
    learn(recorded(0, 60), method="candidates", out=run, settings=settings)
    page = write_report(run).read_text(encoding="utf-8")
    assert "1 thing stood for 6 s or longer: " in page
    assert "0 to 12 s, and before" in page
    assert "Background once they have stood for 4 s" in page


def test_noise_does_not_hide_a_car_that_the_plate_was_freed_from() -> None:
    """The median shows the car, and so did its noise when the plate had been corrected."""
    frames = recorded(0, 100)
    scene = learn(frames, method="median")
    assert scene.provenance["ghosts_repaired"] == 1
    assert np.abs(scene.plate[PLACE].astype(int) - road()[PLACE]).mean() < 3
    masks = [result.mask[PLACE] for result in scene.segment(frames)]
    assert all((mask > 0).mean() > 0.9 for mask in masks[:95])
    assert not any(mask.any() for mask in masks[108:])


def test_masks_and_backgrounds_are_the_same_in_a_worker_process() -> None:
    frames = recorded(0, 60)
    scene = learn(frames, method="candidates")
    settled = SegmentationSettings(parked="background", settle_seconds=4)
    here = scene.segment(frames, segmentation=settled, batch=1)
    there = scene.segment(frames, segmentation=settled, worker=True)
    for one, other in zip(here, there, strict=True):
        assert np.array_equal(one.mask, other.mask)
        assert np.array_equal(one.background, other.background)
