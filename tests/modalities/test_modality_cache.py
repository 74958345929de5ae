"""Modalities of the kept frames: each belongs to its frame, and is what a fresh pass gives."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

import cleanplate
from cleanplate.errors import SourceError
from cleanplate.frames import FloatMap, FrameSize, Modality, Picture
from cleanplate.modalities import FeatureExtractor, ModalityCache, ModalitySettings, open_reader
from cleanplate.video import FrameCache, VideoSource, open_source
from cleanplate.video.pictures.images import ImageSequence
from scenes import paint_scene, write_image_folder

COUNT = 23
PAINTED = paint_scene(40, 56, COUNT, seed=3)
PLATE = PAINTED.start_plate()
MODALITIES = {
    "flow": (Modality.FLOW, {}),
    "median": (Modality.MASK, {"mask": {"source": "median"}}),
    "mog2": (Modality.MASK, {"mask": {"source": "mog2"}}),
}
METHODS = ("rgb_flow_ae", "two_encoder_ae", "rgb_mask_ae")


@pytest.fixture(params=MODALITIES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write_image_folder(tmp_path / "input", PAINTED.frames)


def reader_of(kind: str) -> FeatureExtractor:
    modality, settings = MODALITIES[kind]
    return open_reader(modality, ModalitySettings.parse(settings), PLATE)


def fresh_pass(kind: str, recording: Path) -> dict[int, FloatMap]:
    """The modality of every frame by its index, as when nothing is kept on disk."""
    reader = reader_of(kind)
    frames = open_source(recording).frames()
    return {frame.index: reader.read(frame.picture, frame.index) for frame in frames}


class Caches:
    """Kept frames of recordings and their modalities; closed at the end of the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files = ExitStack()

    def frames(self, source: VideoSource, most: int = COUNT) -> FrameCache:
        cache = FrameCache.fill(source, self.folder, size=source.size, max_frames=most)
        self._files.callback(cache.close)
        return cache

    def maps(
        self, source: VideoSource, frames: FrameCache, reader: FeatureExtractor
    ) -> ModalityCache:
        cache = ModalityCache.fill(source, frames, reader, folder=self.folder)
        self._files.callback(cache.close)
        return cache

    def fill(
        self, source: VideoSource, kind: str, most: int = COUNT
    ) -> tuple[FrameCache, ModalityCache]:
        frames = self.frames(source, most)
        return frames, self.maps(source, frames, reader_of(kind))

    def close(self) -> None:
        self._files.close()


@pytest.fixture
def caches(tmp_path: Path) -> Iterator[Caches]:
    made = Caches(tmp_path / "cache")
    yield made
    made.close()


@pytest.mark.parametrize(("most", "stride"), [(COUNT, 1), (12, 2), (8, 3)])
def test_the_cache_gives_by_position_what_a_fresh_pass_computes(
    recording: Path, caches: Caches, kind: str, most: int, stride: int
) -> None:
    frames, cache = caches.fill(open_source(recording), kind, most)
    expected = fresh_pass(kind, recording)
    assert frames.indices == tuple(range(0, COUNT, stride))
    places = [*range(len(frames))][::-1]  # any order may be asked for
    maps = cache.read(places)
    assert maps.dtype == np.float32
    assert maps[:-1].any(axis=(1, 2, 3)).all()  # all but the first frame, which has no flow
    for values, place in zip(maps, places, strict=True):
        # Kept as float16: a little less than 1 in 1000 of what it is.
        np.testing.assert_allclose(values, expected[frames.indices[place]], 1e-3, 1e-3)


def test_the_flow_of_a_frame_after_a_damaged_one_is_the_same_in_both(
    recording: Path, caches: Caches
) -> None:
    damaged = recording / "in000006.png"  # index 5, just before the kept index 6
    damaged.write_bytes(damaged.read_bytes()[:200])
    frames, cache = caches.fill(open_source(recording), "flow", 8)
    assert frames.indices[2] == 6
    expected = fresh_pass("flow", recording)[6]
    np.testing.assert_allclose(cache.read([2])[0], expected, 1e-3, 1e-3)


def numbered(folder: Path) -> list[Path]:
    """Frames named 1.png, 2.png, …, whose lexicographic order is 1, 10, 11, …, 2, 20, …"""
    paths = write_image_folder(folder, PAINTED.frames).iterdir()
    return [path.rename(folder / f"{int(path.stem[2:])}.png") for path in sorted(paths)]


def orders(paths: list[Path]) -> Iterator[list[Path]]:
    yield sorted(paths, key=lambda path: int(path.stem))
    yield sorted(paths, key=lambda path: path.name)
    shuffled = list(paths)
    random.Random(0).shuffle(shuffled)
    yield shuffled


def test_each_frame_has_its_own_modality_whatever_the_order_of_the_files(
    tmp_path: Path, caches: Caches, kind: str
) -> None:
    expected = PAINTED.extras([MODALITIES[kind][0]], ModalitySettings.parse(MODALITIES[kind][1]))[
        MODALITIES[kind][0]
    ]
    for number, paths in enumerate(orders(numbered(tmp_path / "input"))):
        frames, cache = caches.fill(ImageSequence(paths, "frames"), kind)
        places = list(range(COUNT))
        random.Random(number).shuffle(places)
        np.testing.assert_array_equal(frames.read(places), PAINTED.frames[places])
        np.testing.assert_allclose(cache.read(places), expected[places], 1e-3, 1e-3)


def test_frames_and_modalities_of_a_reduced_recording_have_one_size(
    recording: Path, caches: Caches
) -> None:
    source, size = open_source(recording), FrameSize(20, 28)
    plate = np.ascontiguousarray(PLATE[::2, ::2])
    with FrameCache.fill(source, caches.folder, size=size) as frames:
        for modality, channels in ((Modality.FLOW, 2), (Modality.MASK, 1)):
            reader = open_reader(modality, ModalitySettings(), plate)
            maps = caches.maps(source, frames, reader).read([3, 4])
            assert maps.shape == (2, channels, *size)


def test_the_file_is_bounded_by_the_kept_frames_and_closing_removes_it(
    recording: Path, caches: Caches
) -> None:
    frames, cache = caches.fill(open_source(recording), "flow", 8)
    assert cache.nbytes == 8 * 2 * 2 * PAINTED.size.pixels
    assert list(caches.folder.iterdir()) == []
    cache.close()
    frames.close()
    assert not caches.folder.exists()


@pytest.mark.parametrize("position", [-1, COUNT])
def test_a_position_that_is_not_there_is_refused(
    recording: Path, caches: Caches, position: int
) -> None:
    _, cache = caches.fill(open_source(recording), "median")
    with pytest.raises(IndexError, match=f"position {position} is not in 0 to {COUNT - 1}"):
        cache.read([0, position])


@pytest.mark.parametrize("gone", ["in000009.png", f"in{COUNT:06d}.png"])
def test_a_recording_that_changes_between_the_passes_is_refused(
    recording: Path, caches: Caches, gone: str
) -> None:
    source = open_source(recording)
    frames = caches.frames(source)
    (recording / gone).unlink()
    with pytest.raises(SourceError, match="has changed since its frames were read: 1 of them"):
        caches.maps(source, frames, reader_of("flow"))
    assert list(caches.folder.iterdir()) == []


# From end to end


def masks_of(
    scene: cleanplate.Scene, recording: Path, skip: range = range(0)
) -> dict[int, Picture]:
    return {result.number: result.mask for result in scene.segment(recording, skip=skip)}


@pytest.mark.parametrize("method", METHODS)
def test_a_scene_of_a_method_with_modalities_outlives_saving(
    recording: Path, tmp_path: Path, method: str
) -> None:
    settings = {"sampling": {"max_frames": 12}, "training": {"warmup_steps": 2}}
    scene = cleanplate.learn(
        recording, out=tmp_path / "run", method=method, budget="6steps", settings=settings
    )
    loaded = cleanplate.load(tmp_path / "run")
    expected = masks_of(scene, recording)
    assert len(expected) == COUNT
    assert any(mask.any() for mask in expected.values())
    for again in (masks_of(scene, recording), masks_of(loaded, recording)):
        for number, mask in expected.items():
            np.testing.assert_array_equal(again[number], mask)
    # What is left out is not given, but seen: the others come out as with it.
    some = masks_of(loaded, recording, skip=range(2, 16))
    assert set(some) == {1, *range(16, COUNT + 1)}
    for number, mask in some.items():
        np.testing.assert_array_equal(mask, expected[number])
    assert not (tmp_path / "run" / "cache").exists()


def test_a_scene_knows_which_mask_it_was_learned_with(recording: Path, tmp_path: Path) -> None:
    settings = {"mask": {"source": "mog2", "dilation": 3}}
    scene = cleanplate.learn(
        recording, out=tmp_path / "run", method="rgb_mask_ae", budget="3steps", settings=settings
    )
    loaded = cleanplate.load(tmp_path / "run")
    assert loaded.settings.mask == scene.settings.mask
    expected, again = masks_of(scene, recording), masks_of(loaded, recording)
    assert all(np.array_equal(mask, again[number]) for number, mask in expected.items())
