"""What a file of this folder has to give: one value that joins network, settings and objective."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field

from cleanplate.frames import FrameSize, Modality, Picture
from cleanplate.model import BackgroundModel
from cleanplate.nn.view import WorkingView, size_within
from cleanplate.objectives.base import Objective
from cleanplate.parameters import Parameters, WorkingPixels
from cleanplate.tensor_tools.batch import to_tensor

ROBUST = "robust"
AS_PUBLISHED = "as_published"
_CPU_PIXELS = 160 * 120
_CUDA_PIXELS = 1280 * 720


@dataclass(frozen=True, eq=False)
class BuildContext:
    """What is known of a scene before learning begins.

    Attributes:
        plate: Initial plate, `(H, W, 3)`, uint8, RGB, in the size of the frames to come.
        device: Where the network will run; `auto` settings look at it.
        frames: Frames spread over the recording, `(N, H, W, 3)`, uint8, RGB; none where a scene is
            loaded, since a network that needs them keeps them with its weights.
    """

    plate: Picture
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    frames: Picture | None = None

    @property
    def size(self) -> FrameSize:
        """Size of the frames."""
        return FrameSize(self.plate.shape[0], self.plate.shape[1])

    def spread_frames(self, count: int) -> Picture:
        """So many frames spread over the recording, repeated where there are fewer."""
        frames = self.plate[None] if self.frames is None else self.frames
        places = np.linspace(0, len(frames) - 1, count).round().astype(int)
        return np.ascontiguousarray(frames[places])


class NetworkSettings(Parameters):
    """Settings that most networks share."""

    form: Literal["residual", "plain"] = Field(
        "residual", description="output added to the initial plate, or the whole picture"
    )
    width: int = Field(16, ge=4, description="channels of the first stage")
    working_pixels: Literal["auto"] | WorkingPixels = Field(
        "auto", description="most pixels that the network works on; auto looks at the device"
    )

    def view(self, start: BuildContext) -> WorkingView:
        """The view of a scene's frames under these settings."""
        pixels = self.working_pixels
        if pixels == "auto":
            pixels = _CUDA_PIXELS if start.device.type == "cuda" else _CPU_PIXELS
        plate = to_tensor(start.plate[None])[0]
        size = size_within(start.size, pixels)
        return WorkingView(plate, size, is_residual=self.form == "residual")


@dataclass(frozen=True)
class Architecture:
    """A network with its settings and its objective.

    Attributes:
        source: Paper or origin of the idea.
        settings: Settings of the network.
        objective: Objective it is trained for, whose fields are settings too.
        build: Network from its settings and the start of the scene.
        steps: Budget of learning where the user gives none.
        modalities: What training reads of a frame: what the network does, as its class says, and
            what only the objective asks for.
        recipes: Settings by dotted path for each named recipe; `robust` is the default.
    """

    source: str
    settings: type[Parameters]
    objective: type[Objective]
    build: Callable[[Any, BuildContext], BackgroundModel]
    steps: int
    modalities: frozenset[Modality] = frozenset({Modality.RGB})
    recipes: Mapping[str, Mapping[str, object]] = field(default_factory=lambda: {ROBUST: {}})
