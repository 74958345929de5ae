"""A network fitted to the frames of one scene."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from cleanplate.architectures.base import Start
from cleanplate.batch import FrameBatch, make_batch
from cleanplate.frames import Picture
from cleanplate.model import BackgroundModel
from cleanplate.objectives.base import Objective
from cleanplate.progress import ProgressListener
from cleanplate.scene.inputs import LearningFrames
from cleanplate.scene.run_folder import RunFolder
from cleanplate.settings import LearnSettings
from cleanplate.training.budget import Budget
from cleanplate.training.trainer import Trainer, TrainingFiles, TrainingResult, TrainingSettings


def fit(
    settings: LearnSettings,
    frames: LearningFrames,
    plate: Picture,
    *,
    device: torch.device,
    folder: RunFolder | None,
    progress: ProgressListener,
) -> tuple[BackgroundModel, TrainingResult]:
    """Builds and trains the network of a method.

    Args:
        settings: All settings; not those of a baseline.
        frames: The frames to learn from.
        plate: Initial plate in their size.
        device: Where to learn.
        folder: Where checkpoints and log go; None: nowhere.
        progress: Told of each step.

    Returns:
        The network, and what its training left.
    """
    assert isinstance(settings.training, TrainingSettings)
    assert isinstance(settings.objective, Objective)
    # The caller's random numbers go on as if nothing had happened.
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(settings.general.seed)
        model = settings.architecture().build(settings.model, Start(plate, device)).to(device)
        trainer = Trainer(
            model,
            settings.objective.phases(),
            settings=settings.training,
            budget=Budget.parse(settings.general.budget),
            seed=settings.general.seed,
        )

        def read_batch(positions: NDArray[np.intp]) -> FrameBatch:
            return make_batch(*frames.read(positions.tolist()), device)

        files = TrainingFiles(folder.metrics, folder.checkpoint) if folder else None
        result = trainer.train(read_batch, len(frames), files=files, progress=progress)
    return model, result
