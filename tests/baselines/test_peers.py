"""Peers: one suite for all of them, and what is particular to each library."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import cache
from types import ModuleType

import numpy as np
import pytest

from cleanplate.baselines import PEERS, available_peers, open_peer
from cleanplate.baselines.bgslibrary import BGSLIBRARY_PEERS, PACKAGE
from cleanplate.errors import SettingsError, UnknownNameError
from cleanplate.frames import Mask, Picture
from scenes import PaintedScene, paint_scene

_MOVING = 20
"""Frames at the end of the scene in which something moves."""


@pytest.fixture
def scene(request: pytest.FixtureRequest) -> PaintedScene:
    """Nobody for a while, then two squares; for the peer of the test, if it is one's."""
    callspec = getattr(request.node, "callspec", None)
    return scene_of(callspec.params.get("name", "") if callspec else "")


@cache
def scene_of(name: str) -> PaintedScene:
    """The scene for a peer: GMG looks at 120 frames before it says anything."""
    empty = 122 if name == "GMG" else 30
    parts = paint_scene(48, 64, empty, squares=0), paint_scene(48, 64, _MOVING)
    return PaintedScene(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("frames", "backgrounds", "masks")
        )
    )


def masks_of(name: str, scene: PaintedScene, threshold: float | None = None) -> list[Mask]:
    peer = open_peer(name)
    peer.learn(scene)
    if threshold is not None:
        peer = peer.at(threshold)
    return [peer.apply(frame) for frame in scene.frames]


@pytest.mark.parametrize("name", available_peers())
def test_every_peer_gives_a_mask_of_0_and_255_in_the_size_of_the_frame(
    name: str, scene: PaintedScene
) -> None:
    for mask in masks_of(name, scene):
        assert mask.shape == scene.size
        assert mask.dtype == np.uint8
        assert set(np.unique(mask)) <= {0, 255}


@pytest.mark.parametrize("name", available_peers())
def test_every_peer_finds_what_moves_rather_than_what_does_not(
    name: str, scene: PaintedScene
) -> None:
    found = np.stack(masks_of(name, scene)[-_MOVING:]) == 255
    moving = scene.masks[-_MOVING:] == 255
    assert found[moving].mean() > found[~moving].mean() + 0.3


@pytest.mark.parametrize("name", sorted(set(available_peers()) - {"GMG", "ViBe"}))
def test_a_peer_with_a_plate_gives_it_in_the_size_of_the_frames(
    name: str, scene: PaintedScene
) -> None:
    peer = open_peer(name)
    peer.learn(scene)
    for frame in scene.frames[:40]:
        peer.apply(frame)
    plate = peer.background()
    assert plate is not None
    assert plate.shape == (*scene.size, 3)
    assert plate.dtype == np.uint8


def test_gmg_has_no_plate(scene: PaintedScene) -> None:
    peer = open_peer("GMG")
    peer.apply(scene.frames[0])
    assert peer.background() is None


@pytest.mark.parametrize("name", ["MOG2", "KNN", "GSOC", "LSBP"])
def test_a_plate_in_colour_is_red_where_the_scene_is_red(name: str) -> None:
    red = np.full((48, 64, 3), (200, 60, 20), np.uint8)
    peer = open_peer(name)
    for _ in range(20):
        peer.apply(red)
    plate = peer.background()
    assert plate is not None
    assert np.abs(plate.astype(int) - red).max() <= 2


def test_a_shadow_is_background() -> None:
    peer = open_peer("MOG2")
    light = np.full((48, 64, 3), 160, np.uint8)
    for _ in range(60):
        peer.apply(light)
    shaded: Picture = light.copy()
    shaded[10:30, 10:30] = 110  # what MOG2 marks with 127
    assert not peer.apply(shaded).any()
    bright = light.copy()
    bright[10:30, 10:30] = 250
    assert peer.apply(bright)[15:25, 15:25].all()


@pytest.mark.parametrize("name", [name for name in available_peers() if PEERS[name].sweep])
def test_a_higher_threshold_marks_less(name: str, scene: PaintedScene) -> None:
    sweep = PEERS[name].sweep
    assert sweep is not None
    assert sweep.default in sweep.values
    assert sorted(sweep.values) == list(sweep.values)
    empty = paint_scene(48, 64, len(scene), squares=0).frames
    faint = replace(scene, frames=empty + np.uint8(20) * (scene.masks > 0)[..., None])
    lowest, highest = (
        np.stack(masks_of(name, faint, value)[-_MOVING:]).mean()
        for value in (sweep.values[0], sweep.values[-1])
    )
    assert lowest > highest


@pytest.mark.parametrize("name", [name for name in available_peers() if PEERS[name].sweep])
def test_the_default_of_the_sweep_is_the_default_of_the_library(
    name: str, scene: PaintedScene
) -> None:
    sweep = PEERS[name].sweep
    assert sweep is not None
    assert np.array_equal(masks_of(name, scene), masks_of(name, scene, sweep.default))


def test_an_unknown_peer_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'MOG2'"):
        open_peer("MOG")


def test_without_opencv_contrib_a_sentence_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr("cv2.bgsegm")
    with pytest.raises(SettingsError, match=r"no bgsegm; keep only opencv-contrib"):
        open_peer("GSOC")
    open_peer("MOG2")


@pytest.mark.parametrize("name", BGSLIBRARY_PEERS)
def test_without_bgslibrary_a_sentence_says_what_is_missing(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cleanplate.baselines.bgslibrary.is_installed", lambda: False)
    assert name not in available_peers()
    with pytest.raises(SettingsError, match=f"'{name}' needs .*{PACKAGE}.*not installed"):
        open_peer(name)


class _Frozen:
    """Stands for a method of BGSLibrary: no mask for the first frame, BGR in and out."""

    def __init__(self) -> None:
        self.first: Picture | None = None

    def apply(self, picture: Picture) -> Picture | None:
        if self.first is None:
            self.first = picture
            return None
        return np.where(picture[..., 2] != self.first[..., 2], 255, 127).astype(np.uint8)

    def getBackgroundModel(self) -> Picture | None:  # noqa: N802 - the library's name
        return self.first


def test_bgslibrary_sees_bgr_and_gives_masks_from_its_first_frame(
    monkeypatch: pytest.MonkeyPatch, scene: PaintedScene
) -> None:
    package = ModuleType(PACKAGE)
    package.ViBe = _Frozen  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, PACKAGE, package)
    monkeypatch.setattr("cleanplate.baselines.bgslibrary.is_installed", lambda: True)
    peer = open_peer("ViBe")
    picture = scene.frames[0]
    assert not peer.apply(picture).any()
    redder = picture.copy()
    redder[:10, :10, 0] ^= 255
    mask = peer.apply(redder)
    assert mask[:10, :10].all()
    assert not mask[10:].any()
    assert np.array_equal(peer.background(), picture)
