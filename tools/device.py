"""Measures a GPU: frames a second of `segment_tensors`, and the seconds that learning takes.

Usage: python tools/device.py [--device cuda] [--size 1920x1080] [--working-pixels auto]
       [--frames 48] [--batches 1 4 8 16] [--scenes 8] [--recording FOLDER] [--budget auto]
       [--seconds 5] [--out F]

Segmenting: a painted crossroads of the given size is learned (100 steps), its frames are put on the
device as tensors, and masked there again and again; masks are left there. Time runs from a warm
device, decoding and learning left out, until the device has done all. Beside the whole, backgrounds
alone and masks alone are timed, and the masks are compared with those of `Scene.segment` without
layers.

Several scenes: as many copies of the scene as given, all in one call and one after the other.

Learning: the recording (by default the painted one) with all defaults, twice, so that it is in the
system's cache for the second time; the device is warm, and starting the process is left out. A
stage lasts from its first sign of life to that of the next.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measured import measured
from torch import Tensor

import cleanplate
from cleanplate.datasets.painted import PaintedIntersection, PaintedSettings, write_sequence
from cleanplate.learning.provenance import describe_machine
from cleanplate.runtimes.multi_scene import ScenesTogether
from cleanplate.runtimes.network import pick_device
from cleanplate.runtimes.tensors import TensorScene
from cleanplate.scene import Scene
from cleanplate.tensor_segmentation import TensorSegmenter
from cleanplate.video import in_batches, open_source

FRAME_RATE = 4


def main() -> None:
    arguments = parsed()
    device = pick_device(arguments.device)
    with tempfile.TemporaryDirectory() as folder:
        painted = paint(Path(folder) / "painted", arguments.size, arguments.frames)
        scene = cleanplate.learn(
            painted,
            device=str(device),
            budget="100steps",
            settings={
                "sampling": {"working_pixels": arguments.working_pixels},
                "segmentation": {"correct_ghosts": False},
            },
        )
        frames = on_device(painted, device)
        result = {
            "schema_version": 1,
            "measured": measured(),
            "machine": {**describe_machine(), "device": name_of(device)},
            "frame_size": list(scene.frame_size),
            "working_size": list(scene.working_size),
            "method": scene.settings.method,
            "segmenting": [
                speeds(scene, frames, batch, arguments.seconds) for batch in arguments.batches
            ],
            "pixels_unlike_segment": unlike(scene, painted, frames),
            "together": together(scene, frames, arguments.scenes, arguments.seconds),
            "learning": [
                learning(arguments.recording or painted, device, arguments.budget) for _ in range(2)
            ],
        }
    text = json.dumps(result, indent=2) + "\n"
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--working-pixels", default="auto")
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4, 8, 16])
    parser.add_argument("--scenes", type=int, default=8)
    parser.add_argument("--recording", type=Path)
    parser.add_argument("--budget", default="auto")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


def paint(folder: Path, size: str, count: int) -> Path:
    width, height = map(int, size.split("x"))
    settings = PaintedSettings(
        size=(height, width), seconds=count / FRAME_RATE, frame_rate=FRAME_RATE
    )
    return write_sequence(PaintedIntersection(settings), folder) / "input"


def on_device(recording: Path, device: torch.device) -> Tensor:
    """All frames, `(N, 3, H, W)`, uint8."""
    pictures = np.stack([frame.picture for frame in open_source(recording).frames()])
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous().to(device)


def name_of(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def speeds(scene: Scene, frames: Tensor, batch: int, seconds: float) -> dict[str, Any]:
    """Frames a second of the whole and of its two halves, for batches of one size."""
    tensors = TensorScene(scene, frames.device)
    states = scene.model.states
    segmenter = TensorSegmenter(
        [state.noise for state in states],
        scene.model.plan,
        shadows=[state.shadow for state in states],
        device=tensors.device,
    )
    chunks = [chunk for chunk in frames.split(batch) if len(chunk) == batch] or [frames]
    pairs = []
    for chunk in chunks:
        small = tensors.reduced(chunk)
        pairs.append((small, *tensors.finished(tensors.drawn(small), small)))
    calls: dict[str, list[Callable[[], Any]]] = {
        "frames_per_second": [lambda c=c: scene.segment_tensors(c) for c in chunks],
        "backgrounds_per_second": [lambda p=p: tensors.drawn(p[0]) for p in pairs],
        "masks_per_second": [lambda p=p: segmenter.segment(*p) for p in pairs],
    }
    size = len(chunks[0])
    return {"batch": size, **{name: size * rate(each, seconds) for name, each in calls.items()}}


def rate(calls: list[Callable[[], Any]], seconds: float) -> float:
    """Calls a second, in turn, for at least so long; the first round is not counted."""
    for call in calls:
        call()
    settle()
    start, done = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        for call in calls:
            call()
        settle()
        done += len(calls)
    return round(done / (time.perf_counter() - start), 3)


def settle() -> None:
    """Waits until the device has done all that it was told."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def unlike(scene: Scene, recording: Path, frames: Tensor) -> float:
    """Share of pixels whose masks are others than those of `Scene.segment`."""
    expected = np.stack([result.mask for result in scene.segment(recording)])
    found = torch.cat([scene.segment_tensors(chunk) for chunk in frames.split(4)])
    return float((found.cpu().numpy() != expected).mean())


def together(scene: Scene, frames: Tensor, count: int, seconds: float) -> dict[str, Any]:
    """Frames a second of several scenes, one frame of each, in one call and one by one."""
    scenes = [replace(scene) for _ in range(count)]
    joined = ScenesTogether(scenes, frames.device)
    chunks = [
        frames[list(places)][:, None]
        for places in in_batches(range(len(frames)), count)
        if len(places) == count
    ]

    def apart(chunk: Tensor) -> None:
        for each, own in zip(scenes, chunk, strict=True):
            each.segment_tensors(own)

    return {
        "scenes": count,
        "frames_per_second": count * rate([lambda c=c: joined.segment(c) for c in chunks], seconds),
        "one_by_one": count * rate([lambda c=c: apart(c) for c in chunks], seconds),
    }


def learning(recording: Path, device: torch.device, budget: str) -> dict[str, Any]:
    """Seconds to learn a recording, with those of each stage."""
    stages: list[tuple[str, float]] = []

    def listen(stage: str, _done: float, _total: float | None, _note: str = "") -> None:
        if not stages or stages[-1][0] != stage:
            stages.append((stage, time.perf_counter()))

    start = time.perf_counter()
    scene = cleanplate.learn(recording, device=str(device), budget=budget, progress=listen)
    end = time.perf_counter()
    return {
        "recording": scene.provenance["input"]["name"],
        "frames": scene.provenance["input"]["frames"],
        "working_size": list(scene.working_size),
        "steps": scene.provenance["steps"],
        "seconds": round(end - start, 3),
        "stages": durations(stages, end),
    }


def durations(stages: list[tuple[str, float]], end: float) -> dict[str, float]:
    """Seconds of each stage; one that comes again is added up."""
    found: dict[str, float] = {}
    ends = [*(begun for _, begun in stages[1:]), end]
    for (stage, begun), until in zip(stages, ends, strict=True):
        found[stage] = round(found.get(stage, 0) + until - begun, 3)
    return found


if __name__ == "__main__":
    main()
