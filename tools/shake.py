"""Shakes a recording by known sub-pixel amounts, and measures what registration saves of its F.

Usage: [CLEANPLATE_DATA=FOLDER] python tools/shake.py [--sequence S | --painted] [--reach 6]
       [--turn DEGREES] [--method M] [--registration R] [--out F]

Every frame is shifted by a random walk that never goes farther than the reach (and turned by up to
so many degrees), by Lanczos interpolation, and cropped, so that real content comes in at the rim.
The truth is moved alike (nearest neighbour). The still row is the same crop of the frames as they
are. F is given over the whole crop, and over what lies twice the reach from its rim (`F_inner`),
which the plate has always seen. Both rows are learned and segmented with the same method and the
same settings.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import cleanplate
from cleanplate.datasets import open_sequence
from cleanplate.datasets.painted import PaintedIntersection, PaintedSettings
from cleanplate.evaluation.counts import Counts, count_frame
from cleanplate.evaluation.measures import measure
from cleanplate.frames import Mask, Picture
from cleanplate.video import open_source

Frames = Iterator[tuple[int, Picture, Mask | None]]
"""Number, picture, and labels where the frame is scored."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sequence", default="cdnet/baseline/highway")
    parser.add_argument("--painted", action="store_true", help="the painted crossroads instead")
    parser.add_argument("--reach", type=float, default=6.0, help="farthest shift, in pixels")
    parser.add_argument("--turn", type=float, default=0.0, help="farthest turn, in degrees")
    parser.add_argument("--method", default="candidates")
    parser.add_argument("--registration", default="auto", help="of the shaken recording")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    read = read_painted if given.painted else lambda: read_sequence(given.sequence)
    rows = {}
    for name, reach, turn in (("still", 0.0, 0.0), ("shaken", given.reach, given.turn)):
        # The margin is that of the shaken recording, so that both are the same crop.
        margin = int(np.ceil(given.reach + given.turn * 4)) + 1
        camera = Camera(reach, turn, margin)
        registration = given.registration if name == "shaken" else "auto"
        rows[name] = score(read, camera, given.method, registration, inner=2 * given.reach)
        sys.stderr.write(f"{name} {rows[name]}\n")
    result = {
        "schema_version": 1,
        "synthetic": "known sub-pixel shifts by a random walk",
        "source": "painted" if given.painted else given.sequence,
        "reach": given.reach,
        "turn": given.turn,
        "method": given.method,
        "registration": given.registration,
        "rows": rows,
    }
    text = json.dumps(result, indent=2) + "\n"
    if given.out:
        given.out.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


class Camera:
    """One that shakes; the same calls give the same views.

    Args:
        reach: Farthest shift, in pixels; 0: it stands still.
        turn: Farthest turn, in degrees.
        margin: What is cut off on each side.
    """

    def __init__(self, reach: float, turn: float, margin: int) -> None:
        self._limit = np.array([reach, reach, turn])
        self._margin = margin
        self._random = np.random.default_rng(1)
        self._place = np.zeros(3)

    def step(self) -> None:
        """Moves on to the next frame."""
        step = self._random.normal(0, 1, 3) * self._limit / 4
        self._place = np.clip(0.98 * self._place + step, -self._limit, self._limit)

    def view(self, picture: Picture | Mask, how: int) -> Picture:
        """What it sees of a picture now."""
        height, width = picture.shape[:2]
        if self._limit.any():
            across, down, turn = self._place
            matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), turn, 1.0)
            matrix[:, 2] += across, down
            picture = cv2.warpAffine(
                picture,
                matrix,
                (width, height),
                flags=how | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            )
        margin = self._margin
        return np.ascontiguousarray(picture[margin:-margin, margin:-margin])


def read_sequence(name: str) -> Frames:
    truth = open_sequence(Path(os.environ["CLEANPLATE_DATA"]) / name)
    numbers = set(truth.numbers)
    for frame in open_source(truth.source).frames():
        labels = truth.read_labels(frame.number) if frame.number in numbers else None
        if labels is not None and truth.region is not None:
            labels = np.where(truth.region, labels, 85).astype(np.uint8)
        yield frame.number, frame.picture, labels


def read_painted() -> Frames:
    painted = PaintedIntersection(PaintedSettings(size=(254, 334), seconds=40))
    for index in range(len(painted)):
        frame = painted.frame(index)
        yield index + 1, frame.picture, frame.labels


def score(
    read: Callable[[], Frames], camera: Camera, method: str, registration: str, *, inner: float
) -> dict[str, Any]:
    truth: dict[int, Mask] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, picture, labels in read():
            camera.step()
            seen = camera.view(picture, cv2.INTER_LANCZOS4)[..., ::-1]
            path = str(Path(folder) / f"in{number:06d}.png")
            cv2.imwrite(path, seen, [cv2.IMWRITE_PNG_COMPRESSION, 1])
            if labels is not None:
                truth[number] = camera.view(labels, cv2.INTER_NEAREST)
        settings = {"sampling": {"registration": registration}}
        begin = time.monotonic()
        scene = cleanplate.learn(folder, method=method, settings=settings)
        learned = time.monotonic()
        whole, middle = Counts(), Counts()
        region = inside(next(iter(truth.values())), round(inner))
        with scene.open_stream(folder) as stream:
            for result in stream:
                if (labels := truth.get(result.number)) is not None:
                    whole += count_frame(result.mask, labels)
                    middle += count_frame(result.mask, labels, region=region)
        ended = time.monotonic()
    return {
        "F": measure(whole, frames=len(truth)).F,
        "F_inner": measure(middle, frames=len(truth)).F,
        "recall": measure(whole, frames=len(truth)).recall,
        "precision": measure(whole, frames=len(truth)).precision,
        "registration": scene.camera.as_values(),
        "camera_moved": str(moved) if (moved := stream.camera_moved) else None,
        "learn_seconds": learned - begin,
        "segment_seconds": ended - learned,
    }


def inside(labels: Mask, margin: int) -> NDArray[np.bool_]:
    region = np.zeros(labels.shape, np.bool_)
    region[margin : labels.shape[0] - margin, margin : labels.shape[1] - margin] = True
    return region


if __name__ == "__main__":
    main()
