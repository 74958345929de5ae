"""What makes `adversarial_ae` itself: three phases, and codes that come nearer to the prior."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from cleanplate.architectures.adversarial_ae import AdversarialAE, AdversarialAESettings
from cleanplate.architectures.base import BuildContext
from cleanplate.losses import maximum_mean_discrepancy
from cleanplate.objectives.adversarial import AdversarialCodes
from cleanplate.objectives.base import Phase
from cleanplate.tensor_tools.batch import FrameBatch, to_tensor
from cleanplate.training.budget import Budget
from cleanplate.training.trainer import Trainer, TrainingSettings
from scenes import PaintedScene, paint_scene

_STEPS = 150


def small_model(scene: PaintedScene) -> AdversarialAE:
    torch.manual_seed(0)
    settings = AdversarialAESettings(width=8, latent_dim=2)
    return AdversarialAE(settings, BuildContext(scene.start_plate()))


def learn(scene: PaintedScene, *, encoder_rate: float) -> AdversarialAE:
    """A network that has learned every second frame."""
    objective = AdversarialCodes(learning_rate=2e-3, encoder_rate=encoder_rate)
    model, frames = small_model(scene), to_tensor(scene.frames[::2])
    trainer = Trainer(
        model, objective.phases(), settings=TrainingSettings(), budget=Budget(steps=_STEPS)
    )
    trainer.train(lambda places: FrameBatch(frames[torch.from_numpy(places)]), len(frames))
    return model


def phases() -> dict[str, Phase]:
    return {phase.name: phase for phase in AdversarialCodes().phases()}


class Judge(torch.nn.Module):
    """A model whose logits are the first number of the code, and whose codes are given."""

    def __init__(self, codes: list[float]) -> None:
        super().__init__()
        self.given = torch.nn.Parameter(torch.tensor(codes)[:, None])

    def codes(self, _batch: FrameBatch) -> Tensor:
        return self.given

    def discriminate(self, codes: Tensor) -> Tensor:
        return codes[:, :1]


# The phases


def test_reconstruction_comes_first_then_the_discriminator_then_the_encoder_that_fools_it() -> None:
    owned = {phase.name: phase.owns for phase in AdversarialCodes().phases()}
    assert owned == {
        "reconstruction": ("encoder", "decoder"),
        "discriminator": ("discriminator",),
        "encoder": ("encoder",),
    }
    assert list(owned) == ["reconstruction", "discriminator", "encoder"]


def test_each_phase_has_its_own_rate() -> None:
    objective = AdversarialCodes(learning_rate=1, discriminator_rate=2, encoder_rate=3)
    assert [phase.learning_rate for phase in objective.phases()] == [1, 2, 3]


def test_the_code_is_linear() -> None:
    scene = paint_scene(32, 48, 3)
    model, frames = small_model(scene), to_tensor(scene.frames)
    with torch.no_grad():
        before = model.codes(FrameBatch(frames))
        model.encoder.to_codes.weight *= 100
        model.encoder.to_codes.bias *= 100
        after = model.codes(FrameBatch(frames))
    assert torch.allclose(after, 100 * before, rtol=1e-3, atol=1e-4)
    assert after.abs().max() > 5  # a code between 0 and 1 could never look like N(0, I)


def test_the_discriminator_is_paid_for_calling_draws_draws_and_codes_codes() -> None:
    batch = FrameBatch(torch.zeros(1, 3, 16, 16))
    draws = torch.randn(64, 1, generator=torch.manual_seed(3)).flatten().tolist()
    torch.manual_seed(3)
    terms = phases()["discriminator"].loss(Judge([2.0, -1.0]), batch, 0.5)
    on_codes = -(math.log(1 - sigmoid(2.0)) + math.log(1 - sigmoid(-1.0))) / 2
    on_draws = -sum(math.log(sigmoid(logit)) for logit in draws) / len(draws)
    assert terms["codes"].item() == pytest.approx(on_codes, rel=1e-5)
    assert terms["prior"].item() == pytest.approx(on_draws, rel=1e-5)


def test_a_steep_judgement_is_paid_for() -> None:
    batch, judge = FrameBatch(torch.zeros(1, 3, 16, 16)), Judge([0.0])
    (_, phase, _) = AdversarialCodes(gradient_penalty=3).phases()
    # The logit is the code itself: its slope is 1, everywhere.
    assert phase.loss(judge, batch, 0.5)["penalty"].item() == pytest.approx(1.5)


def test_the_encoder_is_paid_for_codes_that_are_called_draws() -> None:
    batch = FrameBatch(torch.zeros(1, 3, 16, 16))
    terms = phases()["encoder"].loss(Judge([2.0, -1.0]), batch, 0.5)
    expected = -(math.log(sigmoid(2.0)) + math.log(sigmoid(-1.0))) / 2
    assert terms["fooling"].item() == pytest.approx(expected, rel=1e-5)


def test_an_encoder_that_was_found_out_completely_still_learns() -> None:
    judge = Judge([-200.0])  # the sigmoid of this is 0, and its logarithm has no gradient
    terms = phases()["encoder"].loss(judge, FrameBatch(torch.zeros(1, 3, 16, 16)), 0.5)
    terms["fooling"].backward()
    assert judge.given.grad is not None
    assert float(judge.given.grad) == pytest.approx(-1)


def sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


# The codes


def slow_discrepancy(samples: Tensor, others: Tensor, bandwidth: float) -> float:
    def mean_kernel(left: Tensor, right: Tensor) -> float:
        values = [
            math.exp(-sum((a - b) ** 2 for a, b in zip(one, two, strict=True)) / 2 / bandwidth**2)
            for one in left.tolist()
            for two in right.tolist()
        ]
        return sum(values) / len(values)

    both = mean_kernel(samples, samples) + mean_kernel(others, others)
    return both - 2 * mean_kernel(samples, others)


def test_the_discrepancy_agrees_with_a_slow_loop() -> None:
    samples, others = torch.randn(7, 3), 2 * torch.randn(5, 3) + 1
    for bandwidth in (0.5, 2):
        fast = float(maximum_mean_discrepancy(samples, others, bandwidth=bandwidth))
        assert fast == pytest.approx(slow_discrepancy(samples, others, bandwidth), abs=1e-5)


def test_the_discrepancy_grows_from_0_with_the_distance() -> None:
    samples = torch.randn(200, 2)
    distances = [
        float(maximum_mean_discrepancy(samples, samples + shift, bandwidth=1))
        for shift in (0, 0.3, 1, 3)
    ]
    assert distances[0] == pytest.approx(0, abs=1e-6)
    assert distances == sorted(distances)


def distance_to_the_prior(model: AdversarialAE, frames: Tensor) -> float:
    """Of the codes of frames, to draws of N(0, I)."""
    with torch.no_grad():
        codes = model.codes(FrameBatch(frames))
    draws = torch.randn(500, codes.shape[1], generator=torch.Generator().manual_seed(1))
    # How far two draws are apart on the average is the bandwidth that sees most.
    bandwidth = math.sqrt(2 * codes.shape[1])
    return float(maximum_mean_discrepancy(codes, draws, bandwidth=bandwidth))


def test_codes_of_frames_that_were_held_out_come_nearer_to_the_prior() -> None:
    scene = paint_scene(32, 48, 96, drift=25)
    held_out = to_tensor(scene.frames[1::2])
    start = distance_to_the_prior(small_model(scene), held_out)
    opposed, unopposed = (
        distance_to_the_prior(learn(scene, encoder_rate=rate), held_out) for rate in (1e-3, 0)
    )
    # On three scenes: 0.002 to 0.023, of 0.07 at the start and 0.08 to 0.16 without opponent.
    assert opposed < 0.5 * start
    assert opposed < 0.5 * unopposed
