"""One still plate found by gradient descent under the bootstrapped loss, also usable as a start.

The picture itself is the only parameter. Sauvalle & de La Fortelle, "Fast and accurate background
reconstruction using background bootstrapping", J. Imaging 2022, doi:10.3390/jimaging8010009.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn

from cleanplate.architectures.base import AS_PUBLISHED, ROBUST, Architecture, BuildContext
from cleanplate.frames import Modality
from cleanplate.model import BackgroundModel
from cleanplate.objectives.bootstrapping import Bootstrapping
from cleanplate.parameters import Parameters
from cleanplate.tensor_tools.batch import FrameBatch, to_tensor


class BootstrapPlateSettings(Parameters):
    """Settings of `bootstrap_plate`."""

    begin: str = Field(
        "plate", pattern="^(plate|noise)$", description="plate: the initial one; noise: at random"
    )


class BootstrapPlate(BackgroundModel):
    """A picture that learns; the same for every frame."""

    def __init__(self, settings: BootstrapPlateSettings, start: BuildContext) -> None:
        super().__init__()
        plate = to_tensor(start.plate[None])
        if settings.begin == "noise":
            plate = torch.rand_like(plate)
        self.plate = nn.Parameter(plate)

    def estimate_background(self, batch: FrameBatch) -> Tensor:
        """The plate once for each frame, `(B, 3, H, W)`."""
        return self.plate.expand(batch.rgb.shape)


ARCHITECTURE = Architecture(
    source="Sauvalle & de La Fortelle, J. Imaging 2022, 8(1):9, doi:10.3390/jimaging8010009",
    settings=BootstrapPlateSettings,
    objective=Bootstrapping,
    build=BootstrapPlate,
    steps=300,
    modalities=frozenset({Modality.RGB, Modality.FLOW}),
    recipes={
        ROBUST: {},
        AS_PUBLISHED: {"model.begin": "noise", "objective.ramp": 0.0},
    },
)
