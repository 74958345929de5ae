"""A tiny painted copy of a sequence of each data set, in the form in which the set is unpacked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.datasets.painted import PaintedIntersection, PaintedSettings, write_sequence
from cleanplate.frames import Mask, Picture
from scenes import PaintedScene, paint_scene

SCENE = paint_scene(48, 64, 5)
"""The scene of all copies but that of the painted intersection."""
UNCERTAIN = (slice(0, 2), slice(0, 64))
"""Rows that the copies with a label for it call unknown, over and beside the objects."""


@dataclass(frozen=True)
class Copy:
    """What was written and has to be read back.

    Attributes:
        path: The sequence.
        name: Its name.
        category: Its category.
        numbers: Numbers of the scored frames.
        frames: Frames of its source.
        labels: Labels of the first scored frame; None where there are none.
        plates: Number of true plates.
        has_region: Whether it has a region of interest.
        exact: Whether the labels come back without loss.
    """

    path: Path
    name: str
    category: str | None = None
    numbers: tuple[int, ...] = ()
    frames: int = len(SCENE)
    labels: Mask | None = None
    plates: int = 0
    has_region: bool = False
    exact: bool = True


def write_picture(path: Path, picture: Picture | Mask) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = picture[..., ::-1] if picture.ndim == 3 else picture
    assert cv2.imwrite(str(path), stored)


def write_film(path: Path, pictures: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = pictures.shape[1:3]
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (width, height))
    for picture in pictures:
        film.write(picture[..., ::-1] if picture.ndim == 3 else np.dstack([picture] * 3))
    film.release()


def write_frames(folder: Path, pattern: str, *, first: int = 1) -> None:
    for number, frame in enumerate(SCENE.frames, start=first):
        write_picture(folder / pattern.format(number), frame)


def labels_with_unknown(scene: PaintedScene = SCENE) -> Mask:
    labels = scene.masks.copy()
    labels[:, *UNCERTAIN] = 170
    return labels


def cdnet(root: Path) -> Copy:
    folder = root / "cdnet" / "baseline" / "street"
    labels = labels_with_unknown()
    write_frames(folder / "input", "in{:06d}.jpg")
    for number, label in enumerate(labels, start=1):
        write_picture(folder / "groundtruth" / f"gt{number:06d}.png", label)
    write_picture(folder / "ROI.bmp", np.full(SCENE.size, 255, np.uint8))
    (folder / "temporalROI.txt").write_text("2 5")
    (folder / "GT").mkdir()  # empty, as some copies have it
    return Copy(folder, "street", "baseline", (2, 3, 4, 5), labels=labels[1], has_region=True)


def sbi(root: Path) -> Copy:
    folder = root / "sbi" / "HighwayI"
    write_frames(folder / "input", "HighwayI_{:06d}.png", first=0)
    write_picture(root / "sbi" / "GT" / "GT_HighwayI.png", SCENE.best_still_plate())
    return Copy(folder, "HighwayI", plates=1)


def sbi_with_labels(root: Path) -> Copy:
    folder = root / "sbi-labels" / "CaVignal"
    write_frames(folder / "input", "in{:06d}.png", first=0)
    for number, mask in enumerate(SCENE.masks):
        write_picture(folder / "groundtruth" / f"gt{number:06d}.png", mask)
    write_picture(folder / "GT" / "GT_background_derived.png", SCENE.best_still_plate())
    write_picture(folder / "GT" / "GT_background_valid.png", np.full(SCENE.size, 255, np.uint8))
    return Copy(folder, "CaVignal", numbers=(0, 1, 2, 3, 4), labels=SCENE.masks[0], plates=1)


def sbmnet(root: Path) -> Copy:
    # Board is a name of SBI's as well
    folder = root / "sbmnet" / "clutter" / "Board"
    write_frames(folder / "input", "in{:06d}.jpg")
    for number in (1, 2):
        write_picture(folder / f"GT_background{number}.jpg", SCENE.best_still_plate())
    return Copy(folder, "Board", "clutter", plates=2)


def sbmnet_in_folder(root: Path) -> Copy:
    folder = root / "sbmnet-GT" / "jitter" / "boulevard"
    write_frames(folder / "input", "in{:06d}.jpg")
    write_picture(folder / "GT" / "GT_background.jpg", SCENE.best_still_plate())
    return Copy(folder, "boulevard", "jitter", plates=1)


def write_lasiesta(folder: Path, name: str) -> Mask:
    colours = np.zeros((*SCENE.masks.shape, 3), np.uint8)
    halves = [(255, 0, 0), (0, 255, 0), (255, 255, 0), (255, 255, 255)]
    for column, colour in enumerate(halves):
        part = (slice(None), slice(None), slice(16 * column, 16 * column + 16))
        colours[part][SCENE.masks[part] == 255] = colour
    colours[:, *UNCERTAIN] = 128
    write_frames(folder / name, name + "-{}.bmp")
    for number, picture in enumerate(colours, start=1):
        write_picture(folder / f"{name}-GT" / f"{name}-GT_{number}.png", picture)
    return labels_with_unknown()[0]


def lasiesta(root: Path) -> Copy:
    folder = root / "lasiesta" / "I_SI_01"
    labels = write_lasiesta(folder, "I_SI_01")
    return Copy(folder, "I_SI_01", "simple sequences", (1, 2, 3, 4, 5), labels=labels)


def lasiesta_side_by_side(root: Path) -> Copy:
    folder = root / "lasiesta-flat"
    labels = write_lasiesta(folder, "O_SN_02")
    return Copy(folder / "O_SN_02", "O_SN_02", "snowy conditions", (1, 2, 3, 4, 5), labels=labels)


def bmc(root: Path) -> Copy:
    folder = root / "bmc" / "synth1" / "111_png"
    write_frames(folder / "input", "{:06d}.png")
    for number, mask in enumerate(SCENE.masks, start=1):
        grey = np.where(mask > 0, 250, 4).astype(np.uint8)  # their coding is lossy
        write_picture(folder / "truth" / f"{number:06d}.png", grey)
    return Copy(folder, "111", "street", (1, 2, 3, 4, 5), labels=SCENE.masks[0])


def bmc_videos(root: Path) -> Copy:
    folder = root / "bmc-videos"
    write_film(folder / "221.avi", SCENE.frames)
    write_film(folder / "221_gt.avi", SCENE.masks)
    return Copy(
        folder / "221.avi",
        "221",
        "rotary",
        (1, 2, 3, 4, 5),
        labels=SCENE.masks[0],
        exact=False,
    )


def bmc_real(root: Path) -> Copy:
    folder = root / "bmc-real" / "Video_003"
    write_film(folder / "Video_003.avi", SCENE.frames)
    for number in (2, 4):
        write_picture(folder / "private_truth" / f"{number}.png", SCENE.masks[number - 1])
    return Copy(folder, "Video_003", "real", (2, 4), labels=SCENE.masks[1])


def folder(root: Path) -> Copy:
    place = root / "own" / "yard"
    write_frames(place / "frames", "{}.jpg")
    for number in (3, 4):
        write_picture(place / "masks" / f"{number}.png", SCENE.masks[number - 1])
    write_picture(place / "plate.png", SCENE.best_still_plate())
    write_picture(place / "plate_valid.png", np.full(SCENE.size, 255, np.uint8))
    write_picture(place / "region.png", np.full(SCENE.size, 255, np.uint8))
    return Copy(place, "yard", None, (3, 4), labels=SCENE.masks[2], plates=1, has_region=True)


def folder_of_a_video(root: Path) -> Copy:
    place = root / "own-video" / "gate"
    write_film(place / "frames.avi", SCENE.frames)
    return Copy(place, "gate")


@lru_cache
def crossroads() -> PaintedIntersection:
    settings = {"seconds": 1, "size": (48, 64), "frame_rate": 4}
    return PaintedIntersection(PaintedSettings.parse(settings))


def painted(root: Path) -> Copy:
    scene = crossroads()
    place = write_sequence(scene, root / "painted" / "crossroads")
    labels = scene.frame(0).labels
    return Copy(
        place, "crossroads", "crossroads", (1, 2, 3, 4), 4, labels, plates=1, has_region=True
    )


COPIES: Mapping[str, tuple[str, Callable[[Path], Copy]]] = {
    "bmc": ("bmc", bmc),
    "bmc, real": ("bmc", bmc_real),
    "bmc, videos": ("bmc", bmc_videos),
    "cdnet": ("cdnet", cdnet),
    "folder": ("folder", folder),
    "folder, a video alone": ("folder", folder_of_a_video),
    "lasiesta": ("lasiesta", lasiesta),
    "lasiesta, side by side": ("lasiesta", lasiesta_side_by_side),
    "painted": ("painted", painted),
    "sbi": ("sbi", sbi),
    "sbi, with labels": ("sbi", sbi_with_labels),
    "sbmnet": ("sbmnet", sbmnet),
    "sbmnet, plates in GT": ("sbmnet", sbmnet_in_folder),
}
"""Name of the data set and the function that paints it, by the name of the copy."""
