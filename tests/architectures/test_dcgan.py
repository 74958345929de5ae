"""What makes `dcgan` itself: two phases against each other, and codes that are searched."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cleanplate.architectures.base import BuildContext
from cleanplate.architectures.dcgan import DCGAN, DCGANSettings
from cleanplate.errors import SettingsError
from cleanplate.frames import Picture
from cleanplate.nn.unet import Discrimination
from cleanplate.objectives.base import Phase
from cleanplate.objectives.gan import GAN
from cleanplate.tensor_tools.batch import FrameBatch, to_pictures, to_tensor
from cleanplate.training.budget import Budget
from cleanplate.training.loop import PhaseRunner, Step
from cleanplate.training.trainer import Trainer, TrainingSettings
from scenes import PaintedScene, paint_scene

FORMS = ("conditional", "unconditional")
STEP = Step(number=0, progress=0.5, rate=1.0)


def small_model(scene: PaintedScene, generator: str, **settings: object) -> DCGAN:
    torch.manual_seed(0)
    small = {"width": 8, "discriminator_width": 4, "latent_dim": 2, "generator": generator}
    return DCGAN(DCGANSettings.parse({**small, **settings}), BuildContext(scene.start_plate()))


def batch_of(scene: PaintedScene, count: int = 3) -> FrameBatch:
    return FrameBatch(to_tensor(scene.frames[:count]))


def phases(objective: GAN | None = None) -> dict[str, Phase]:
    return {phase.name: phase for phase in (objective or GAN()).phases()}


def state_of(module: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def unchanged(module: nn.Module, before: dict[str, Tensor]) -> set[str]:
    return {name for name, tensor in module.state_dict().items() if tensor.equal(before[name])}


# The phases


@pytest.mark.parametrize("form", FORMS)
def test_a_phase_changes_all_of_its_own_network_and_nothing_of_the_other(form: str) -> None:
    scene = paint_scene(32, 48, 6, drift=25)
    model = small_model(scene, form).train()
    for name, phase in phases().items():
        before = state_of(model)
        runner = PhaseRunner(model, (phase,))
        for _ in range(2):  # what stands before a last layer of zeros moves one step later
            runner.run(batch_of(scene), STEP)
        assert unchanged(model, before) == {key for key in before if not key.startswith(name)}


def test_both_the_encoder_and_the_decoder_of_the_discriminator_learn() -> None:
    scene = paint_scene(32, 48, 6, drift=25)
    model = small_model(scene, "conditional").train()
    before = state_of(model.discriminator)
    PhaseRunner(model, GAN().phases()).run(batch_of(scene), STEP)
    assert {name.split(".")[0] for name in before} == {
        *("encoder", "decoder", "to_image_logit", "to_pixel_logits"),
    }
    assert unchanged(model.discriminator, before) == set()


class Judged(nn.Module):
    """A model that draws a given picture and is given its verdict; it notes what it judges."""

    def __init__(self, drawn: Tensor, logit: float = 0.0, *, is_conditional: bool = True) -> None:
        super().__init__()
        self.drawn = nn.Parameter(drawn)
        self.logit = logit
        self.is_conditional = is_conditional
        self.judged: list[Tensor] = []

    def estimate_background(self, _batch: FrameBatch) -> Tensor:
        return self.drawn

    def draw(self, _batch: FrameBatch) -> Tensor:
        return self.drawn

    def judge(self, pictures: Tensor) -> Discrimination:
        self.judged.append(pictures.detach())
        pixels = (
            self.logit
            + pictures.mean(dim=1, keepdim=True)
            - pictures.detach().mean(dim=1, keepdim=True)
        )
        return Discrimination(pixels.mean(dim=(1, 2, 3)), pixels)


def grey(level: float) -> Tensor:
    return torch.full((1, 3, 16, 16), level)


def grey_with_a_car() -> FrameBatch:
    frame = grey(0.5)
    frame[..., 4:12, 4:12] = 1.0
    return FrameBatch(frame)


def test_the_verdicts_are_taken_for_logits() -> None:
    objective, batch = GAN(real_label=1, adversarial=1), FrameBatch(grey(0.5))
    right, wrong = math.log1p(math.exp(-3)), math.log1p(math.exp(3))
    told = phases(objective)["discriminator"].loss(Judged(grey(0.5), 3.0), batch, 1.0)
    fooled = phases(objective)["generator"].loss(Judged(grey(0.5), -3.0), batch, 1.0)
    for level in ("image", "pixels"):
        assert float(told[f"real_{level}"].detach()) == pytest.approx(right, abs=1e-5)
        assert float(told[f"fake_{level}"].detach()) == pytest.approx(wrong, abs=1e-5)
        assert float(fooled[level].detach()) == pytest.approx(wrong, abs=1e-5)


@pytest.mark.parametrize(("strength", "seen"), [(6.0, 0.5), (0.0, 1.0)])
def test_the_discriminator_is_shown_the_drawn_picture_where_a_car_stands(
    strength: float, seen: float
) -> None:
    model = Judged(grey(0.5))
    objective = GAN(strength=strength, instance_noise=0)
    phases(objective)["discriminator"].loss(model, grey_with_a_car(), 1.0)
    assert float(model.judged[0][0, 0, 8, 8]) == pytest.approx(seen, abs=0.01)
    assert float(model.judged[0][0, 0, 0, 0]) == pytest.approx(0.5, abs=0.01)


def test_the_discriminator_pushes_no_pixel_that_the_reconstruction_has_let_go() -> None:
    pushes = []
    for strength in (6.0, 0.0):
        model = Judged(grey(0.5))
        objective = GAN(strength=strength, adversarial=1, reconstruction=0)
        terms = phases(objective)["generator"].loss(model, grey_with_a_car(), 1.0)
        torch.stack(list(terms.values())).sum().backward()
        assert model.drawn.grad is not None
        pushes.append(model.drawn.grad[0, 0].abs())
    assert pushes[0][8, 8] < 0.01 * pushes[1][8, 8]
    assert pushes[0][0, 0] == pytest.approx(float(pushes[1][0, 0]))


def test_pictures_of_noise_are_compared_with_no_frame() -> None:
    model = Judged(grey(0.5), is_conditional=False)
    terms = phases(GAN(reconstruction=0))["generator"].loss(model, grey_with_a_car(), 1.0)
    assert set(terms) == {"image", "pixels"}


# The search


def with_pasted_car(pictures: Picture) -> tuple[Picture, tuple[slice, ...]]:
    place = (slice(None), slice(10, 22), slice(16, 32))
    pasted = pictures.copy()
    pasted[place] = (250, 240, 20)
    return pasted, place


def learn(model: DCGAN, frames: Picture, steps: int) -> None:
    trainer = Trainer(
        model,
        GAN(learning_rate=2e-3).phases(),
        settings=TrainingSettings(warmup_steps=10),
        budget=Budget(steps=steps),
    )
    tensor = to_tensor(frames)
    trainer.train(lambda places: FrameBatch(tensor[torch.from_numpy(places)]), len(frames))


def test_the_search_finds_the_light_of_frames_never_learned_and_draws_no_car() -> None:
    scene = paint_scene(32, 48, 60, drift=50, squares=1)
    held_out = np.arange(60) % 5 == 2
    model = small_model(scene, "unconditional", learning_steps=6)
    learn(model, scene.frames[~held_out], 120)

    truth = scene.backgrounds[held_out].astype(np.float32)
    frames, car = with_pasted_car(scene.frames[held_out])
    with torch.no_grad():
        found = to_pictures(model.estimate_background(FrameBatch(to_tensor(frames))))
        unsearched = to_pictures(model.generate(torch.zeros(1, 2)))
    error = np.abs(found - truth)
    still = np.abs(scene.best_still_plate() - truth).mean()
    assert error.mean() <= 0.5 * still
    assert error[car].mean() <= 0.5 * still
    # The search matters: the middle of the codes is not already the answer.
    assert np.abs(unsearched - truth).mean() >= 1.5 * error.mean()


def test_the_search_leaves_the_network_as_it_was() -> None:
    scene = paint_scene(32, 48, 3)
    model = small_model(scene, "unconditional", search_steps=3).eval()
    before = state_of(model)
    with torch.no_grad():
        model.estimate_background(batch_of(scene))
    assert unchanged(model, before) == set(before)
    assert all(parameter.grad is None for parameter in model.parameters())


def moved(model: DCGAN) -> DCGAN:
    """The network away from its start, where all codes give the plate."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model.eval()


def test_a_search_gives_the_same_in_every_call_and_for_every_neighbour() -> None:
    scene = paint_scene(32, 48, 3, drift=25)
    model, batch = moved(small_model(scene, "unconditional", search_steps=8)), batch_of(scene)
    codes, again = (model.search_codes(batch.rgb) for _ in range(2))
    assert torch.equal(codes, again)
    assert float(codes.abs().min()) > 0
    alone = torch.cat([model.search_codes(frame[None]) for frame in batch.rgb])
    assert torch.allclose(codes, alone, atol=1e-3)


# Samples


def test_samples_differ_but_are_the_same_for_the_same_random_state() -> None:
    model = moved(small_model(paint_scene(32, 48, 3), "unconditional"))
    with torch.no_grad():
        first, again = (
            model.sample(2, generator=torch.Generator().manual_seed(3)) for _ in range(2)
        )
    assert first.shape == (2, 3, 32, 48)
    assert torch.equal(first, again)
    assert not torch.equal(first[0], first[1])


def test_a_generator_that_draws_from_frames_has_no_samples() -> None:
    model = small_model(paint_scene(32, 48, 3), "conditional")
    with pytest.raises(SettingsError, match=r"learn with model\.generator=unconditional"):
        model.sample(2)
