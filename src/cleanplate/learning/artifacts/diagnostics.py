"""What a learned network shows of its inside: its codes over time, and its other pictures."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray

from cleanplate.background import spread_positions
from cleanplate.frames import FrameSize, Picture
from cleanplate.learning.artifacts.tiles import tile, title_strip
from cleanplate.learning.training_frames import LearningFrames
from cleanplate.model import BackgroundModel
from cleanplate.tensor_tools.batch import make_batch, to_pictures
from cleanplate.video import in_batches

_CODED = 400
_SHOWN = 4
_BATCH = 8


def codes_over_time(
    model: BackgroundModel, inputs: LearningFrames, device: torch.device
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Seconds `(T,)` and codes `(T, N)` of frames spread over the recording, at most 400.

    N is 0 for a network without codes.
    """
    positions = spread_positions(len(inputs), _CODED)
    model.eval()
    with torch.no_grad():
        parts = [
            model.codes(make_batch(*inputs.read(batch), device)).float().cpu().numpy()
            for batch in in_batches(positions, _BATCH)
        ]
    times = np.array([inputs.frames.times[position] for position in positions], np.float64)
    return times, np.concatenate(parts)


def code_table(
    model: BackgroundModel,
    inputs: LearningFrames,
    device: torch.device,
    codes: NDArray[np.float32],
) -> str:
    """Each number of the codes `(T, N)` as a line of CSV: mean, spread over time, other facts."""
    positions = spread_positions(len(inputs), _CODED)
    facts: dict[str, list[NDArray[np.float32]]] = {}
    model.eval()
    with torch.no_grad():
        for places in in_batches(positions, _BATCH):
            found = model.code_facts(make_batch(*inputs.read(places), device))
            for name, values in found.items():
                facts.setdefault(name, []).append(len(places) * values.float().cpu().numpy())
    columns = {
        "mean": codes.mean(axis=0),
        "standard_deviation": codes.std(axis=0),
        **{name: np.sum(parts, axis=0) / len(positions) for name, parts in facts.items()},
    }
    lines = [",".join(("number", *columns))]
    lines += [
        ",".join((str(number), *(f"{values[number - 1]:.6g}" for values in columns.values())))
        for number in range(1, codes.shape[1] + 1)
    ]
    return "\n".join(lines) + "\n"


def draw_pictures(
    model: BackgroundModel, inputs: LearningFrames, device: torch.device
) -> Picture | None:
    """The network's other pictures of a few frames, a row for each caption; None without any."""
    shown, extras = inputs.read(spread_positions(len(inputs), _SHOWN))
    model.eval()
    with torch.no_grad(), torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        others = model.pictures(make_batch(shown, extras, device))
        drawn = {caption: to_pictures(tensor[:_SHOWN]) for caption, tensor in others.items()}
    if not drawn:
        return None
    size = inputs.frames.size
    rows = {"input": shown, **drawn}
    return np.concatenate([_row(caption, pictures, size) for caption, pictures in rows.items()])


def _row(caption: str, pictures: Iterable[Picture], frame_size: FrameSize) -> Picture:
    tiles = [tile(picture, frame_size) for picture in pictures]
    tiles += [np.full_like(tiles[0], 255)] * (_SHOWN - len(tiles))
    return np.concatenate([title_strip(caption, _SHOWN), np.concatenate(tiles, 1)])
