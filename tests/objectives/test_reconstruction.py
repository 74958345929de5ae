"""The objective: its phase, its loss and the strength that rises."""

from __future__ import annotations

from typing import get_args

import pytest
import torch
from torch import Tensor, nn

from cleanplate.errors import SettingsError
from cleanplate.losses import LOSS_NAMES, reconstruction_terms
from cleanplate.model import BackgroundModel
from cleanplate.objectives.reconstruction import LossName, Reconstruction
from cleanplate.tensor_tools.batch import FrameBatch


class Grey(BackgroundModel):
    """One grey for all."""

    def __init__(self) -> None:
        super().__init__()
        self.grey = nn.Parameter(torch.tensor(0.4))

    def estimate_background(self, batch: FrameBatch) -> Tensor:
        """Background of each frame."""
        return self.grey.expand_as(batch.rgb)


def batch_of_frames() -> FrameBatch:
    return FrameBatch(torch.rand(2, 3, 24, 32, generator=torch.Generator().manual_seed(0)))


def test_every_loss_can_be_chosen() -> None:
    assert set(get_args(LossName)) == set(LOSS_NAMES)


@pytest.mark.parametrize("loss", LOSS_NAMES)
def test_the_one_phase_owns_the_whole_network_and_compares_with_the_frame(loss: str) -> None:
    objective = Reconstruction.parse({"loss": loss, "learning_rate": 0.25})
    (phase,) = objective.phases()
    assert phase.learning_rate == 0.25
    assert phase.may_change("anything.at.all")
    model, batch = Grey(), batch_of_frames()
    terms = phase.loss(model, batch, 1.0)
    expected = reconstruction_terms(loss, model.estimate_background(batch), batch.rgb)
    assert terms.keys() == expected.keys()
    assert all(torch.equal(terms[name], expected[name]) for name in terms)
    torch.stack(list(terms.values())).sum().backward()
    assert model.grey.grad is not None
    assert torch.isfinite(model.grey.grad)


def test_the_strength_rises_in_a_line_from_0_and_then_stays() -> None:
    objective = Reconstruction(strength=6, ramp=0.3)
    strengths = [objective.strength_at(progress) for progress in (0, 0.15, 0.3, 0.9, 1)]
    assert strengths == pytest.approx([0, 3, 6, 6, 6])


def test_without_a_ramp_the_strength_is_there_from_the_first_step() -> None:
    assert Reconstruction(strength=4, ramp=0).strength_at(0) == 4


def test_a_strong_weight_pays_less_for_what_is_foreground() -> None:
    model, batch = Grey(), batch_of_frames()
    (phase,) = Reconstruction().phases()
    losses = [
        float(phase.loss(model, batch, progress)["bootstrapped"].detach())
        for progress in (0, 0.2, 1)
    ]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] > 4 * losses[2]


@pytest.mark.parametrize(
    "wrong", [{"strength": -1}, {"ramp": 1.5}, {"ramp": -0.1}, {"learning_rate": 0}, {"loss": "l3"}]
)
def test_a_value_out_of_range_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        Reconstruction.parse(wrong, prefix="objective")
