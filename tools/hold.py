"""Holds real vehicles still, and measures who goes on marking them and who leaves ghosts.

Usage: CLEANPLATE_DATA=FOLDER python tools/hold.py [--frame N] [--count N] [--before] [--out F]

The pixels that the truth of cdnet/baseline/highway calls moving in one frame are pasted onto the
frames that follow, with fresh sensor noise: a synthetic hold of real pixels. Measured are the share
of the held pixels that are marked while they are held, and in the last quarter of that time, and
the share of them that are still marked, though the truth has nothing there or close by, in the 100
frames after the vehicles are gone. OpenCV's methods see the same frames in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import cleanplate
from cleanplate.datasets import VideoSequence, open_sequence
from cleanplate.video import open_source

SEQUENCE = "cdnet/baseline/highway"
NOISE = 2.0
"""Standard deviation of the fresh noise on the held pixels, in grey levels."""
AFTER = 100
RIM = 15
"""Side of the square around a moving pixel in which nothing is taken for a ghost."""
PEERS: dict[str, Callable[[], Any]] = {
    "MOG2": cv2.createBackgroundSubtractorMOG2,
    "KNN": cv2.createBackgroundSubtractorKNN,
    "GSOC": cv2.bgsegm.createBackgroundSubtractorGSOC,
    "CNT": cv2.bgsegm.createBackgroundSubtractorCNT,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frame", type=int, default=1000, help="number of the frame that is held")
    parser.add_argument("--count", type=int, default=400, help="frames for which it is held")
    parser.add_argument("--before", action="store_true", help="learn from the frames before only")
    parser.add_argument("--init", default="candidates")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    truth = open_sequence(Path(os.environ["CLEANPLATE_DATA"]) / SEQUENCE)
    held = truth.read_labels(arguments.frame) == 255
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_frames(folder, truth, held, arguments.frame, arguments.count)
        learned = folder / "before" if arguments.before else folder / "all"
        scene = cleanplate.learn(learned, init=arguments.init)
        ours = ((result.number, result.mask) for result in scene.segment(folder / "all"))
        rows = {"cleanplate": measure(ours, truth, held, arguments.frame, arguments.count)}
        for peer, make in PEERS.items():
            masks = peer_masks(make(), folder / "all")
            rows[peer] = measure(masks, truth, held, arguments.frame, arguments.count)
            sys.stderr.write(f"{peer} {rows[peer]}\n")
    result = {
        "schema_version": 1,
        "synthetic": "real vehicles held still with fresh noise",
        "sequence": SEQUENCE,
        "held_frame": arguments.frame,
        "held_for": arguments.count,
        "learned_from": "the frames before the hold" if arguments.before else "the whole clip",
        "init": arguments.init,
        "held_pixels": int(held.sum()),
        "rows": rows,
    }
    text = json.dumps(result, indent=2) + "\n"
    if arguments.out:
        arguments.out.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def write_frames(
    folder: Path, truth: VideoSequence, held: NDArray[np.bool_], first: int, count: int
) -> None:
    """Writes the clip with the hold to `all`, and links what lies before it into `before`."""
    random = np.random.default_rng(0)
    for part in ("all", "before"):
        (folder / part).mkdir()
    still: NDArray[np.float32] | None = None
    for frame in open_source(truth.folder / "input").frames():
        picture = frame.picture.copy()
        if frame.number == first:
            still = picture[held].astype(np.float32)
        if still is not None and first < frame.number <= first + count:
            noisy = still + random.normal(0, NOISE, still.shape)
            picture[held] = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
        path = folder / "all" / f"in{frame.number:06d}.png"
        cv2.imwrite(str(path), picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])
        if frame.number <= first:
            os.link(path, folder / "before" / path.name)


def peer_masks(peer: Any, folder: Path) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    for frame in open_source(folder).frames():
        # A shadow is marked with 127 and is no foreground.
        yield frame.number, np.asarray(peer.apply(frame.picture[..., ::-1]) == 255, np.uint8) * 255


def measure(
    masks: Iterable[tuple[int, NDArray[np.uint8]]],
    truth: VideoSequence,
    held: NDArray[np.bool_],
    first: int,
    count: int,
) -> dict[str, float]:
    marked, late, ghosts, vacated = [], [], 0, 0
    for number, mask in masks:
        if first < number <= first + count:
            share = float((mask[held] == 255).mean())
            marked.append(share)
            if number > first + count - count // 4:
                late.append(share)
        elif first + count < number <= first + count + AFTER:
            # Whoever passes close by marks his own rim, which is no ghost.
            busy = np.isin(truth.read_labels(number), (170, 255)).astype(np.uint8)
            empty = held & (cv2.dilate(busy, np.ones((RIM, RIM), np.uint8)) == 0)
            ghosts += int((mask[empty] == 255).sum())
            vacated += int(empty.sum())
    return {
        "marked": float(np.mean(marked)),
        "marked_in_last_quarter": float(np.mean(late)),
        "ghosts": ghosts / vacated,
    }


if __name__ == "__main__":
    main()
