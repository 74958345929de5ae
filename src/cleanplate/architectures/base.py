"""What a file of this folder has to give: one value that joins network, settings and objective."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from cleanplate.frames import FrameSize, Modality, Picture
from cleanplate.model import BackgroundModel
from cleanplate.objectives.base import Objective
from cleanplate.parameters import Parameters

ROBUST = "robust"
AS_PUBLISHED = "as_published"


@dataclass(frozen=True, eq=False)
class Start:
    """What is known of a scene before learning begins.

    Attributes:
        plate: Initial plate, `(H, W, 3)`, uint8, RGB, in the size of the frames to come.
        device: Where the network will run; `auto` settings look at it.
    """

    plate: Picture
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def size(self) -> FrameSize:
        """Size of the frames."""
        return FrameSize(self.plate.shape[0], self.plate.shape[1])


@dataclass(frozen=True)
class Architecture:
    """A network with its settings and its objective.

    Attributes:
        source: Paper or origin of the idea.
        settings: Settings of the network.
        objective: Objective it is trained for, whose fields are settings too.
        build: Network from its settings and the start of the scene.
        steps: Budget of learning where the user gives none.
        modalities: What the network reads of a frame, as its class says too.
        recipes: Settings by dotted path for each named recipe; `robust` is the default.
    """

    source: str
    settings: type[Parameters]
    objective: type[Objective]
    build: Callable[[Any, Start], BackgroundModel]
    steps: int
    modalities: frozenset[Modality] = frozenset({Modality.RGB})
    recipes: Mapping[str, Mapping[str, object]] = field(default_factory=lambda: {ROBUST: {}})
