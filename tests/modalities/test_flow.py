"""Optical flow: right on a texture that is shifted, at the place where the thing is now."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from cleanplate.frames import FloatMap, Modality, Picture
from cleanplate.modalities import FlowReader, FlowSettings, ModalitySettings, open_reader

SIZES = [(16, 16), (48, 64), (37, 53), (120, 90), (240, 320)]
EDGE = 6
"""What moves in over the edge was not there before: its flow cannot be known, in pixels."""


def texture(height: int, width: int, seed: int = 0) -> Picture:
    """Coarse and fine blotches: something to hold on to at every scale of the search."""
    random = np.random.default_rng(seed)
    layers = [
        sigma * cv2.GaussianBlur(random.normal(0, 90, (height, width, 3)), (0, 0), sigma)
        for sigma in (1.5, 4.0, 10.0)
    ]
    return np.clip(128 + sum(layers), 0, 255).astype(np.uint8)


def shifted_pair(height: int, width: int, right: int, down: int) -> tuple[Picture, Picture]:
    """A picture, and what the camera sees when all has moved by so many pixels."""
    margin = 8
    large = texture(height + 2 * margin, width + 2 * margin)

    def cut(top: int, left: int) -> Picture:
        return np.ascontiguousarray(large[top : top + height, left : left + width])

    return cut(margin, margin), cut(margin - down, margin - right)


def flows(pictures: list[Picture], settings: FlowSettings | None = None) -> list[FloatMap]:
    reader = FlowReader(settings or FlowSettings())
    return [reader.read(picture, index) for index, picture in enumerate(pictures)]


def square_on_texture(left: int) -> Picture:
    picture = texture(96, 160)
    picture[24:72, left : left + 48] = texture(48, 48, seed=1)
    return picture


@pytest.mark.parametrize("preset", ["ultrafast", "fast", "medium"])
@pytest.mark.parametrize(("right", "down"), [(2, 1), (-3, 0), (0, -2), (1, 3)])
def test_the_flow_of_a_shifted_texture_is_the_shift(preset: str, right: int, down: int) -> None:
    settings = FlowSettings.parse({"preset": preset})
    flow = flows([*shifted_pair(72, 96, right, down)], settings)[1]
    inside = flow[:, EDGE:-EDGE, EDGE:-EDGE]
    assert abs(inside[0] - right).mean() < 0.3
    assert abs(inside[1] - down).mean() < 0.3


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_every_size_has_a_flow_of_its_own_shape(size: tuple[int, int]) -> None:
    first, second = flows([*shifted_pair(*size, 2, 1)])
    assert first.shape == second.shape == (FlowReader.channels, *size)
    assert first.dtype == second.dtype == np.float32
    assert np.median(second[0]) == pytest.approx(2, abs=0.3)
    assert np.median(second[1]) == pytest.approx(1, abs=0.3)


def test_the_flow_stands_where_the_thing_is_now() -> None:
    flow = flows([square_on_texture(40), square_on_texture(48)])[1]
    right = flow[0, 32:64]
    assert np.median(right[:, 90:95]) > 5  # it just came there, by 8 px
    assert np.median(right[:, 41:46]) < 2  # it just left this
    assert np.median(abs(right[:, 120:])) < 0.1


def test_the_first_frame_has_no_flow() -> None:
    first, _ = flows([*shifted_pair(48, 64, 2, 1)])
    assert not first.any()


def test_what_stands_still_has_no_flow() -> None:
    picture = texture(48, 64)
    assert not flows([picture, picture.copy()])[1].any()


def test_the_flow_is_zero_where_the_frame_before_is_missing() -> None:
    before, now = shifted_pair(48, 64, 2, 1)
    reader = FlowReader(FlowSettings())
    reader.read(before, 4)
    assert not reader.read(now, 6).any()  # frame 5 was damaged: nobody knows what it showed
    assert reader.read(before, 7).any()


def test_a_fresh_reader_gives_the_same_values() -> None:
    pictures = [square_on_texture(left) for left in (10, 14, 20, 22)]
    for first, second in zip(flows(pictures), flows(pictures), strict=True):
        np.testing.assert_array_equal(first, second)


def test_the_flow_depends_on_the_one_frame_before_and_no_other() -> None:
    pictures = [square_on_texture(left) for left in (10, 60, 20, 22)]
    reader = open_reader(Modality.FLOW, ModalitySettings(), pictures[0])
    assert reader.frames_before == 1
    reader.read(pictures[2], 2)
    np.testing.assert_array_equal(reader.read(pictures[3], 3), flows(pictures)[3])


def test_the_flow_does_not_depend_on_how_many_threads_compute_it() -> None:
    pictures = [*shifted_pair(240, 320, 2, 1)]
    threads = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        alone = flows(pictures)[1]
        cv2.setNumThreads(4)
        np.testing.assert_array_equal(flows(pictures)[1], alone)
    finally:
        cv2.setNumThreads(threads)
