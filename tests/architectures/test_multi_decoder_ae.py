"""Exits from coarse to fine: each learns by its own loss, and the coarser hold the finer ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from cleanplate.architectures.base import BuildContext
from cleanplate.architectures.multi_decoder_ae import MultiDecoderAE, MultiDecoderAESettings
from cleanplate.frames import FrameSize
from cleanplate.losses import LOSS_NAMES
from cleanplate.objectives.multi_exit import MultiExit
from cleanplate.tensor_tools.batch import FrameBatch, to_tensor
from cleanplate.training.loop import PhaseRunner, Step
from cleanplate.training.sampler import FrameSampler
from scenes import PaintedScene, paint_scene

READINGS = ("multi_exit", "deep_supervision")
FORMS = ("residual", "plain")
SIZE = FrameSize(48, 64)
GREY_LEVEL = 1 / 255


@pytest.fixture(params=READINGS)
def decoders(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def build(scene: PaintedScene, **values: object) -> MultiDecoderAE:
    torch.manual_seed(0)
    return MultiDecoderAE(MultiDecoderAESettings.parse(values), BuildContext(scene.start_plate()))


def train(model: MultiDecoderAE, scene: PaintedScene, steps: int, **values: object) -> None:
    """Learns from 8 frames at a time, at a steady rate."""
    objective = MultiExit.parse({"loss": "mse", "learning_rate": 2e-3, **values})
    runner = PhaseRunner(model.train(), objective.phases(), gradient_clip=1.0)
    sampler = FrameSampler(len(scene), batch_size=8, seed=0)
    for number in range(steps):
        frames = FrameBatch(to_tensor(scene.read(sampler.positions(number).tolist())))
        runner.run(frames, Step(number, progress=number / steps, rate=1.0))
    model.eval()


def batch_of(scene: PaintedScene) -> FrameBatch:
    return FrameBatch(to_tensor(scene.frames))


def errors(model: MultiDecoderAE, scene: PaintedScene) -> list[float]:
    """Mean absolute error of each exit in grey levels, finest first."""
    with torch.no_grad():
        backgrounds = model.exit_backgrounds(batch_of(scene))
    return [float((each - to_tensor(scene.backgrounds)).abs().mean()) * 255 for each in backgrounds]


# The exits


@pytest.mark.parametrize("form", FORMS)
def test_each_exit_learns_the_light(decoders: str, form: str) -> None:
    scene = paint_scene(*SIZE, 4, drift=60, squares=0)
    model = build(scene, decoders=decoders, form=form, width=8)
    before = errors(model, scene)
    train(model, scene, 30)
    after = errors(model, scene)
    assert len(before) == 3
    assert all(now < 0.7 * then for now, then in zip(after, before, strict=True)), (before, after)


def test_an_exit_without_a_loss_stays_as_it_was(decoders: str) -> None:
    scene = paint_scene(*SIZE, 4, drift=40)
    for coarser, learns in ((0.5, True), (0.0, False)):
        model = build(scene, decoders=decoders)
        before = [_values(head) for head in model.exits.image_heads()]
        train(model, scene, 3, coarser=coarser)
        after = [_values(head) for head in model.exits.image_heads()]
        changed = [not torch.equal(*pair) for pair in zip(before, after, strict=True)]
        assert changed == [True, learns, learns]


def _values(module: torch.nn.Module) -> Tensor:
    return torch.cat([each.detach().flatten() for each in module.parameters()])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("size", "count"),
    [
        *((SIZE, 3), (FrameSize(37, 53), 2), (FrameSize(45, 43), 3)),
        *((FrameSize(16, 16), 1), (FrameSize(200, 150), 3)),
    ],
)
def test_a_picture_and_its_target_have_the_size_of_the_exit(
    decoders: str, form: str, size: FrameSize, count: int
) -> None:
    scene = paint_scene(*size, 2)
    model, batch = build(scene, decoders=decoders, form=form, width=8), batch_of(scene)
    pictures, targets = model.exit_pictures(batch), model.reductions(batch.rgb)
    assert [each.shape for each in pictures] == [each.shape for each in targets]
    height, width = model.view.size
    expected = [(-(-height // 2**k), -(-width // 2**k)) for k in range(1, count)]
    assert [tuple(each.shape[-2:]) for each in pictures] == [tuple(size), *expected]
    assert [each.shape for each in model.exit_backgrounds(batch)] == [batch.rgb.shape] * count


def test_frames_made_smaller_for_the_exits_keep_range_and_mean(decoders: str) -> None:
    scene = paint_scene(*SIZE, 2)
    model = build(scene, decoders=decoders)
    frames = 2 * to_tensor(scene.frames) - 1
    for reduced in model.reductions(frames):
        assert torch.allclose(reduced.mean(dim=(2, 3)), frames.mean(dim=(2, 3)), atol=1e-5)
        assert frames.min() <= reduced.min() <= reduced.max() <= frames.max()


@pytest.mark.parametrize("size", [SIZE, FrameSize(37, 53)], ids=str)
def test_before_learning_every_exit_draws_the_plate(decoders: str, size: FrameSize) -> None:
    scene = paint_scene(*size, 2)
    model, batch = build(scene, decoders=decoders), batch_of(scene)
    plate = to_tensor(scene.start_plate()[None])
    for picture, reduced in zip(model.exit_pictures(batch), model.reductions(plate), strict=True):
        assert torch.allclose(picture, reduced.expand_as(picture), atol=1e-6)
    for background in model.exit_backgrounds(batch):
        assert torch.allclose(background, plate.expand_as(background), atol=1e-6)


@pytest.mark.parametrize("loss", LOSS_NAMES)
def test_every_exit_has_its_own_term_of_every_loss(loss: str) -> None:
    scene = paint_scene(*SIZE, 2)
    model, batch = build(scene, width=4), batch_of(scene)
    (phase,) = MultiExit.parse({"loss": loss, "coarser": 0.5, "ramp": 0}).phases()
    (alike,) = MultiExit.parse({"loss": loss, "coarser": 1.0, "ramp": 0}).phases()
    halved, whole = phase.loss(model, batch, 1.0), alike.loss(model, batch, 1.0)
    names = {name.rsplit("_", 1)[0] for name in whole}
    assert set(whole) == {f"{name}_{number}" for name in names for number in range(3)}
    for name, term in whole.items():
        assert torch.isclose(halved[name], term * 0.5 ** int(name[-1]))


# What the background is made of


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("shift", "expected"), [(3, "finest"), (120, "coarser")], ids=["a detail", "an object"]
)
def test_a_finer_exit_is_believed_as_long_as_it_agrees_with_the_coarser_ones(
    form: str, shift: float, expected: str
) -> None:
    model, batch = _shifted("multi_exit", form=form, shift=shift)
    with torch.no_grad():
        background = model.estimate_background(batch)
        finest, coarser, _ = model.exit_backgrounds(batch)
    wanted = {"finest": finest, "coarser": coarser}[expected]
    other = {"finest": coarser, "coarser": finest}[expected]
    assert (background - wanted).abs().mean() < 0.1 * (other - wanted).abs().mean()


def test_the_finest_head_alone_is_the_background_under_deep_supervision() -> None:
    model, batch = _shifted("deep_supervision", form="residual", shift=120)
    with torch.no_grad():
        assert torch.equal(model.estimate_background(batch), model.exit_backgrounds(batch)[0])


def test_a_wider_tolerance_believes_the_finer_exit_more() -> None:
    shares = []
    for tolerance in (10, 30, 90):
        model, batch = _shifted("multi_exit", form="residual", shift=30, tolerance=tolerance)
        with torch.no_grad():
            background = model.estimate_background(batch)
            finest, coarser, _ = model.exit_backgrounds(batch)
        shares.append(float((background - coarser).mean() / (finest - coarser).mean()))
    expected = [math.exp(-((30 / each) ** 2)) for each in (10, 30, 90)]
    assert shares == pytest.approx(expected, abs=1e-4)


def _shifted(
    decoders: str, *, form: str, shift: float, **values: object
) -> tuple[MultiDecoderAE, FrameBatch]:
    """A flat scene of which the finest exit draws all pixels brighter than the others do."""
    scene = paint_scene(*SIZE, 2, noise=0, squares=0)
    model = build(scene, decoders=decoders, form=form, **values).eval()
    with torch.no_grad():
        for head in model.exits.image_heads():
            for parameter in head.parameters():
                parameter.zero_()
        bias = dict(model.exits.image_heads()[0].named_parameters())["bias"]
        # Around middle grey the squashing of the plain form is a straight line of slope 1/4.
        bias.fill_(shift * GREY_LEVEL * (1 if form == "residual" else 4))
    return model, batch_of(scene)


# What moves


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_coarse_exit_draws_less_of_what_moves_and_holds_the_fine_one_back() -> None:
    scene = _scene_of_a_jumping_square()
    inside = torch.from_numpy(scene.masks > 0)[:, None]
    model = build(scene, latent_dim=16)
    train(model, scene, 300)
    with torch.no_grad():
        pictures = model.exit_backgrounds(batch_of(scene))
        finest, _, coarsest = (_drawn(each, scene, inside) for each in pictures)
        background = _drawn(model.estimate_background(batch_of(scene)), scene, inside)
    assert coarsest < 0.7 * finest
    assert background < 0.9 * finest


def _scene_of_a_jumping_square(count: int = 60, side: int = 8) -> PaintedScene:
    """One small bright square at a place of chance in each frame: nothing to follow but itself."""
    scene = paint_scene(*SIZE, count, squares=0)
    frames, masks = scene.frames.copy(), scene.masks.copy()
    random = np.random.default_rng(1)
    places = random.integers(0, [SIZE.height - side, SIZE.width - side], (count, 2))
    for frame, mask, (top, left) in zip(frames, masks, places, strict=True):
        frame[top : top + side, left : left + side] = 245
        mask[top : top + side, left : left + side] = 255
    return PaintedScene(frames, scene.backgrounds, masks)


def _drawn(background: Tensor, scene: PaintedScene, inside: Tensor) -> float:
    """Share of the square that a background holds."""
    truth, frames = to_tensor(scene.backgrounds), to_tensor(scene.frames)
    error, most = ((each - truth).abs() * inside for each in (background, frames))
    return float(error.sum() / most.sum())
