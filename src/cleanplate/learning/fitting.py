"""A network fitted to the frames of one scene."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from cleanplate.architectures.base import BuildContext
from cleanplate.background import CANDIDATES, spread_positions
from cleanplate.frames import Picture
from cleanplate.learning.artifacts.snapshots import MomentWatcher
from cleanplate.learning.device_frames import open_batches
from cleanplate.learning.expected_plate import ExpectedPlate
from cleanplate.learning.training_frames import LearningFrames
from cleanplate.model import BackgroundModel
from cleanplate.objectives.base import Objective
from cleanplate.progress import ProgressListener
from cleanplate.scene.run_folder import RunFolder
from cleanplate.settings import LearnSettings
from cleanplate.tensor_tools.batch import make_batch, to_tensor
from cleanplate.training.budget import Budget
from cleanplate.training.trainer import Trainer, TrainingFiles, TrainingResult, TrainingSettings

_SAME_PICTURE = 1 / 255
"""Mean difference of pictures that are the same: a grey level."""
_START_FRAMES = 32
"""Frames spread over the recording that a network may look at when it is built."""


class Fitted(NamedTuple):
    """A trained network and what its training left.

    Attributes:
        model: The network.
        result: Steps and log.
        watcher: Its moments.
    """

    model: BackgroundModel
    result: TrainingResult
    watcher: MomentWatcher


def fit(
    settings: LearnSettings,
    frames: LearningFrames,
    plate: Picture,
    *,
    contested: Callable[[], NDArray[np.bool_]] | None = None,
    device: torch.device,
    folder: RunFolder | None,
    progress: ProgressListener,
) -> Fitted:
    """Builds and trains the network of a method.

    Args:
        settings: All settings; not those of a baseline.
        frames: The frames to learn from.
        plate: Initial plate in their size.
        contested: Finds out where only soft changes of the light may be learned, `(h, w)`; called
            only where the objective asks; None: not known.
        device: Where to learn.
        folder: Where checkpoints and log go; None: nowhere.
        progress: Called after each step.

    Returns:
        The network, and what its training left.
    """
    assert isinstance(settings.training, TrainingSettings)
    assert isinstance(settings.objective, Objective)
    # The caller's random numbers go on as if nothing had happened.
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(settings.general.seed)
        spread, _ = frames.read(spread_positions(len(frames), _START_FRAMES))
        start = BuildContext(plate, device, spread)
        model = settings.architecture().build(settings.model, start).to(device)
        objective = settings.objective
        read = open_batches(frames, device)
        if objective.weighs_by_plate(is_chosen=settings.general.init == CANDIDATES):
            objective = objective.begun_at_plate()
            places = contested() if contested else None
            read = ExpectedPlate(plate, places, device).added_to(read)
        elif _begins_at_plate(model, frames, plate, device):
            objective = objective.begun_at_plate()
        trainer = Trainer(
            model,
            objective.phases(),
            settings=settings.training,
            budget=Budget.parse(settings.general.budget),
            seed=settings.general.seed,
        )

        files = TrainingFiles(folder.metrics, folder.checkpoint, folder.events) if folder else None
        watcher = MomentWatcher(frames, device, folder=folder.moments if folder else None)
        result = trainer.train(
            read,
            frames.frames.durations,
            files=files,
            progress=progress,
            watch=watcher.look,
        )
    return Fitted(model, result, watcher)


def _begins_at_plate(
    model: BackgroundModel, frames: LearningFrames, plate: Picture, device: torch.device
) -> bool:
    """Whether the network draws the initial plate before it has learned anything."""
    pictures, extras = frames.read([0])
    model.eval()
    with torch.no_grad():
        estimate = model.estimate_background(make_batch(pictures, extras, device))
    difference = (estimate - to_tensor(plate[None]).to(device)).abs().mean()
    return bool(difference.item() < _SAME_PICTURE)
