"""One still plate pooled from frames spread over time by a small network, also usable as a start.

The founding document's second initialisation, convolution with average and max pooling, in the form
that learns: the pooling over time is trained with the rest. After the motion-saliency networks of
Patil & Murala, "MSFgNet", IEEE T-ITS 2018.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn

from cleanplate.architectures.base import AS_PUBLISHED, ROBUST, Architecture, BuildContext
from cleanplate.model import BackgroundModel
from cleanplate.nn.view import enlarge, size_within, start_from_zero
from cleanplate.objectives.reconstruction import Reconstruction
from cleanplate.parameters import Parameters, WorkingPixels
from cleanplate.tensor_tools.batch import FrameBatch


class PooledPlateSettings(Parameters):
    """Settings of `pooled_plate`."""

    frames: int = Field(16, ge=2, le=32, description="frames spread over time that are pooled")
    width: int = Field(12, ge=4, description="channels of the convolutions")
    sharpness: float = Field(
        8.0, gt=0, description="how strongly the pooling over time may prefer single frames"
    )
    working_pixels: WorkingPixels = Field(
        160 * 120, description="most pixels on which the pooling is decided"
    )


class PooledPlate(BackgroundModel):
    """Weights over time for every pixel, from features pooled by average and by maximum."""

    frames: Tensor

    def __init__(self, settings: PooledPlateSettings, start: BuildContext) -> None:
        super().__init__()
        # Bytes, since they are saved with the scene: the plate can be computed again anywhere.
        self.register_buffer("frames", torch.from_numpy(start.spread_frames(settings.frames)))
        self._working_size = size_within(start.size, settings.working_pixels)
        self._sharpness = settings.sharpness
        width = settings.width
        self.features = nn.Sequential(
            nn.Conv2d(9, width, 3, padding=1),
            nn.LeakyReLU(0.2),
            nn.MaxPool2d(3, stride=1, padding=1),
            nn.Conv2d(width, width, 3, padding=1),
            nn.LeakyReLU(0.2),
        )
        self.scores = nn.Sequential(
            nn.Conv2d(3 * width, width, 3, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 1, 3, padding=1),
        )
        self.refinement = nn.Sequential(
            nn.Conv2d(6, width, 3, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 3, 3, padding=1),
        )
        start_from_zero(self.scores[-1])
        start_from_zero(self.refinement[-1])

    def plate(self) -> Tensor:
        """The plate, `(3, H, W)`, float."""
        frames = self.frames.permute(0, 3, 1, 2).to(torch.float32) / 255
        weights = enlarge(self._weights(frames), tuple(frames.shape[-2:]))
        pooled = (frames * weights).sum(0, keepdim=True) / weights.sum(0, keepdim=True)
        middle = frames.mean(0, keepdim=True)
        return (pooled + self.refinement(torch.cat([pooled, pooled - middle], 1)))[0]

    def estimate_background(self, batch: FrameBatch) -> Tensor:
        """The plate once for each frame, `(B, 3, H, W)`."""
        return self.plate().expand(batch.rgb.shape)

    def _weights(self, frames: Tensor) -> Tensor:
        """Share of each frame in the plate, `(K, 1, h, w)`, positive, at the working size."""
        reduced = nn.functional.interpolate(frames, self._working_size, mode="area")
        average = reduced.mean(0, keepdim=True).expand_as(reduced)
        highest = reduced.amax(0, keepdim=True).expand_as(reduced)
        features = self.features(torch.cat([reduced, reduced - average, highest - reduced], 1))
        over_time = [features.mean(0, keepdim=True), features.amax(0, keepdim=True)]
        context = torch.cat([features, *(pool.expand_as(features) for pool in over_time)], 1)
        return torch.softmax(self._sharpness * self.scores(context), 0)


ARCHITECTURE = Architecture(
    source="after Patil & Murala, MSFgNet, IEEE T-ITS 2018; trained robustly",
    settings=PooledPlateSettings,
    objective=Reconstruction,
    build=PooledPlate,
    steps=200,
    recipes={
        ROBUST: {"objective.learning_rate": 3e-3},
        AS_PUBLISHED: {"objective.loss": "mse"},
    },
)
