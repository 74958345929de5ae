"""What makes `vae` itself: codes with a spread, the price of a nat, and no collapse."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from cleanplate.architectures.base import BuildContext
from cleanplate.architectures.vae import VAE, VAEOutput, VAESettings
from cleanplate.losses import gaussian_kl
from cleanplate.objectives.elbo import ELBO
from cleanplate.objectives.reconstruction import LossName
from cleanplate.tensor_tools.batch import FrameBatch, to_tensor
from cleanplate.training.budget import Budget
from cleanplate.training.trainer import Trainer, TrainingSettings
from scenes import PaintedScene, paint_scene

DRIFT = 25
"""Grey levels, peak to peak, that the light drifts by."""


def small_vae(scene: PaintedScene) -> VAE:
    torch.manual_seed(0)
    return VAE(VAESettings(width=8, latent_dim=4), BuildContext(scene.start_plate()))


def learn(scene: PaintedScene, objective: ELBO) -> VAE:
    model, frames = small_vae(scene), to_tensor(scene.frames)
    trainer = Trainer(
        model, objective.phases(), settings=TrainingSettings(), budget=Budget(steps=120)
    )
    trainer.train(lambda places: FrameBatch(frames[torch.from_numpy(places)]), len(scene))
    return model


class Fixed(NamedTuple):
    """A model that answers the same grey and the same distribution whatever it sees."""

    mean: Tensor
    log_variance: Tensor

    def __call__(self, batch: FrameBatch) -> VAEOutput:
        rows = [values.expand(len(batch.rgb), -1) for values in self]
        return VAEOutput(torch.full_like(batch.rgb, 0.5), *rows, codes=rows[0])


# The distribution of the codes


def test_nothing_squashes_the_codes_or_what_they_are_made_of() -> None:
    scene = paint_scene(32, 48, 3)
    model, features = small_vae(scene), []
    model.encoder.to_codes.register_forward_hook(lambda _, inputs, __: features.append(inputs[0]))
    frames = to_tensor(scene.frames)
    with torch.no_grad():
        before = model.code_distribution(frames)
        model.encoder(100 * model.view.reduce(frames))
        model.encoder.to_codes.bias += 7
        after = model.code_distribution(frames)
    assert all(torch.allclose(b, a + 7, atol=1e-4) for a, b in zip(before, after, strict=True))
    # A sigmoid, as in some codes of others, would end at 1.
    assert torch.allclose(features[1], 100 * features[0], rtol=1e-3, atol=1e-3)
    assert features[1].max() > 1


def test_codes_are_drawn_in_training_and_are_the_mean_otherwise() -> None:
    scene = paint_scene(32, 48, 3)
    model, batch = small_vae(scene).train(), FrameBatch(to_tensor(scene.frames))
    with torch.no_grad():
        drawn = torch.stack([model(batch).codes for _ in range(300)])
        mean, log_variance = model.code_distribution(batch.rgb)
        assert torch.allclose(drawn.mean(dim=0), mean, atol=0.05)
        assert torch.allclose(drawn.std(dim=0), torch.exp(log_variance / 2), rtol=0.2)
        output = model.eval()(batch)
    assert torch.equal(output.codes, output.mean)


@pytest.mark.parametrize("is_training", [True, False])
def test_two_estimates_agree_bit_for_bit_even_in_training(is_training: bool) -> None:
    scene = paint_scene(32, 48, 3)
    model, batch = small_vae(scene).train(is_training), FrameBatch(to_tensor(scene.frames))
    with torch.no_grad():
        torch.nn.init.normal_(model.decoder.to_image.weight)  # the start draws nothing
        assert torch.equal(model.estimate_background(batch), model.estimate_background(batch))


# The bound


def test_the_divergence_is_that_of_two_normal_distributions() -> None:
    mean, log_variance = torch.randn(5, 3), torch.randn(5, 3)
    codes = torch.distributions.Normal(mean, torch.exp(log_variance / 2))
    expected = torch.distributions.kl_divergence(codes, torch.distributions.Normal(0.0, 1.0))
    assert torch.allclose(gaussian_kl(mean, log_variance), expected, atol=1e-6)
    assert float(gaussian_kl(torch.zeros(1), torch.zeros(1))) == 0


@pytest.mark.parametrize(("height", "width"), [(16, 16), (37, 53), (64, 96)])
@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("loss", ["bootstrapped", "mse", "l1", "huber"])
def test_a_nat_costs_the_same_against_the_error_of_a_whole_frame_at_every_size(
    loss: LossName, count: int, height: int, width: int
) -> None:
    model = Fixed(torch.tensor([[1.0, -2.0]]), torch.tensor([[-3.0, 0.5]]))
    batch = FrameBatch(torch.rand(count, 3, height, width))
    (phase,) = ELBO(loss=loss, strength=0, kl_weight=0.8).phases()
    terms = phase.loss(model, batch, 1.0)
    nats = float(gaussian_kl(*model).sum())
    # Both as a sum for each frame, averaged over the frames, and in one unit.
    error = float(frame_errors(loss, batch.rgb).mean())
    ratio = float(terms["kl"]) / float(terms[loss])
    assert ratio == pytest.approx(0.8 * nats / error, rel=1e-4)


def frame_errors(loss: str, frames: Tensor) -> Tensor:
    """Error of a middle grey, summed over each frame, `(B,)`."""
    difference, transition = (frames - 0.5).abs(), 3 / 255
    robust = torch.where(
        difference < transition,
        difference.square() / (2 * transition),
        difference - transition / 2,
    )
    errors = {"mse": difference.square(), "l1": difference, "huber": robust, "bootstrapped": robust}
    return errors[loss].flatten(1).sum(dim=1)


def test_the_divergence_is_paid_for_only_after_the_ramp() -> None:
    model = Fixed(torch.ones(1, 2), torch.zeros(1, 2))
    batch = FrameBatch(torch.rand(2, 3, 16, 16))
    (phase,) = ELBO(kl_ramp=0.5).phases()
    costs = [float(phase.loss(model, batch, progress)["kl"]) for progress in (0, 0.25, 0.5, 1)]
    assert costs == pytest.approx([0, 0.5 / 256, 1 / 256, 1 / 256])
    (at_once,) = ELBO(kl_ramp=0).phases()
    assert float(at_once.loss(model, batch, 0.0)["kl"]) == pytest.approx(1 / 256)


def test_the_divergence_of_each_number_adds_up_to_the_logged_one() -> None:
    scene = paint_scene(32, 48, 5)
    model, batch = small_vae(scene), FrameBatch(to_tensor(scene.frames))
    (phase,) = ELBO(kl_weight=2).phases()
    with torch.no_grad():
        each = model.kl_per_latent(batch)
        logged = float(phase.loss(model, batch, 1.0)["kl"])
    assert each.shape == (4,)
    assert logged == pytest.approx(2 * float(each.sum()) / (32 * 48), rel=1e-5)


# No collapse


def lights(pictures: Tensor) -> np.ndarray:
    """Mean brightness of each picture."""
    return pictures.mean(dim=(1, 2, 3)).numpy()


def test_the_codes_do_not_collapse_where_the_light_changes() -> None:
    scene = paint_scene(32, 48, 48, drift=DRIFT)
    truth, batch = to_tensor(scene.backgrounds), FrameBatch(to_tensor(scene.frames))
    spread, greatest = {}, {}
    # What a nat costs where the error is a mean and the divergence a sum over batch and codes.
    for weight in (1, 8 * 32 * 48):
        model = learn(scene, ELBO(kl_weight=weight, learning_rate=2e-3))
        with torch.no_grad():
            greatest[weight] = float(model.kl_per_latent(batch).max())
            background = model.estimate_background(batch)
        spread[weight] = float(np.polyfit(lights(truth), lights(background), 1)[0])
        if weight == 1:
            assert np.corrcoef(lights(truth), lights(background))[0, 1] > 0.95
            still = to_tensor(scene.best_still_plate()[None])
            assert (background - truth).abs().mean() < 0.5 * (still - truth).abs().mean()
    collapsed = 8 * 32 * 48
    assert greatest[1] > 0.1 > greatest[collapsed]
    assert spread[1] > 0.7 > 0.3 > spread[collapsed]
