"""Tiny networks, as large as the training loop needs to show what it does."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from cleanplate.model import BackgroundModel
from cleanplate.objectives.base import Phase
from cleanplate.tensor_tools.batch import FrameBatch


class TwoParts(BackgroundModel):
    """A painter and a judge, both with running statistics, and a part that nobody owns."""

    def __init__(self) -> None:
        super().__init__()
        self.painter = _part()
        self.judge = _part()
        self.bystander = _part()

    def estimate_background(self, batch: FrameBatch) -> Tensor:
        """Background of each frame."""
        return torch.sigmoid(self.painter(batch.rgb))


def painter_terms(model: TwoParts, batch: FrameBatch, progress: float) -> Mapping[str, Tensor]:
    estimate = model.estimate_background(batch)
    likeness = (estimate - batch.rgb).square().mean()
    return {"likeness": likeness, "praise": -model.judge(estimate).mean() / 10}


def judge_terms(model: TwoParts, batch: FrameBatch, progress: float) -> Mapping[str, Tensor]:
    estimate = model.bystander(model.estimate_background(batch))
    return {"verdict": (model.judge(estimate) - batch.rgb).square().mean()}


def painter(every: int = 1, learning_rate: float = 1e-2) -> Phase:
    return Phase("painter", painter_terms, ("painter",), learning_rate, every=every)


def judge(every: int = 1) -> Phase:
    return Phase("judge", judge_terms, ("judge",), 1e-2, every=every)


class Slope(BackgroundModel):
    """Two numbers, of which the loss is a known function."""

    def __init__(self) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.tensor([3.0, -2.0]))

    def estimate_background(self, batch: FrameBatch) -> Tensor:
        """Grey of the first number."""
        return self.values[0].expand_as(batch.rgb)


class Noisy(BackgroundModel):
    """A network that draws random numbers while it learns, beside running statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Dropout(0.3), nn.Conv2d(4, 3, 1)
        )

    def estimate_background(self, batch: FrameBatch) -> Tensor:
        """Background of each frame."""
        return torch.sigmoid(self.layers(batch.rgb))


def noisy_terms(model: Noisy, batch: FrameBatch, progress: float) -> Mapping[str, Tensor]:
    return {"mse": (model.estimate_background(batch) - batch.rgb).square().mean()}


def frames(count: int = 4, height: int = 8, width: int = 8) -> FrameBatch:
    generator = torch.Generator().manual_seed(1)
    return FrameBatch(torch.rand(count, 3, height, width, generator=generator))


def state_of(model: nn.Module) -> dict[str, Tensor]:
    """Copy of all parameters and buffers."""
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def changed(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> set[str]:
    """First parts of the names of what is no longer the same."""
    assert before.keys() == after.keys()
    return {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}


def _part() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3))
