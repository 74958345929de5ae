"""What every architecture promises of its phases, its range and its settings."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cleanplate.architectures import architecture_summaries, load_architecture
from cleanplate.architectures.base import Architecture, BuildContext
from cleanplate.errors import SettingsError
from cleanplate.losses import LOSS_NAMES
from cleanplate.model import BackgroundModel
from cleanplate.tensor_tools.batch import FrameBatch, make_batch
from cleanplate.training.loop import PhaseRunner, Step
from scenes import PaintedScene, paint_scene

NAMES = tuple(architecture_summaries())
WITHOUT_LOSS = {"bootstrap_plate", "noise_ae"}
"""A loss of its own is what makes these methods."""


def build(architecture: Architecture, scene: PaintedScene, **values: str) -> BackgroundModel:
    torch.manual_seed(0)
    settings = architecture.settings.parse(values)
    return architecture.build(settings, BuildContext(scene.start_plate(), frames=scene.frames))


def whole_batch(architecture: Architecture, scene: PaintedScene) -> FrameBatch:
    return make_batch(scene.frames, scene.extras(architecture.modalities))


def state_of(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def run(model: BackgroundModel, *phases: object, batch: FrameBatch, steps: int) -> None:
    runner = PhaseRunner(model.train(), phases, gradient_clip=1.0)  # type: ignore[arg-type]
    for number in range(steps):
        runner.run(batch, Step(number, progress=number / steps, rate=1.0))


@pytest.mark.parametrize("name", NAMES)
def test_each_phase_changes_only_its_own_parameters_and_buffers(name: str) -> None:
    architecture, scene = load_architecture(name), paint_scene(32, 48, 4, drift=25)
    model, batch = build(architecture, scene), whole_batch(architecture, scene)
    for phase in architecture.objective().phases():
        before = state_of(model)
        run(model, phase, batch=batch, steps=2)
        changed = {key for key, tensor in state_of(model).items() if not tensor.equal(before[key])}
        assert changed, phase.name
        assert [key for key in changed if not phase.may_change(key)] == [], phase.name


@pytest.mark.parametrize("form", ["residual", "plain"])
@pytest.mark.parametrize("name", NAMES)
def test_backgrounds_stay_between_black_and_white(name: str, form: str) -> None:
    architecture, scene = load_architecture(name), paint_scene(32, 48, 4, drift=25, squares=0)
    values = {"form": form} if "form" in architecture.settings.model_fields else {}
    if not values and form == "plain":
        pytest.skip("a plate has one form")
    model, batch = build(architecture, scene, **values), whole_batch(architecture, scene)
    run(model, *architecture.objective().phases(), batch=batch, steps=3)
    with torch.no_grad():
        background = model.eval().estimate_background(batch).detach()
    # Tones from 32 to 223: only what goes far astray leaves the range.
    assert float(background.min()) >= 0
    assert float(background.max()) <= 1
    assert float(background.std()) > 1e-3


@pytest.mark.parametrize("loss", LOSS_NAMES)
@pytest.mark.parametrize("name", NAMES)
def test_every_loss_can_be_chosen_for_every_method(name: str, loss: str) -> None:
    objective = load_architecture(name).objective
    if name in WITHOUT_LOSS:
        with pytest.raises(SettingsError, match="unknown setting 'loss'"):
            objective.parse({"loss": loss})
        return
    assert objective.parse({"loss": loss}).model_dump()["loss"] == loss


@pytest.mark.parametrize("name", NAMES)
def test_a_mistyped_setting_names_the_nearest(name: str) -> None:
    architecture = load_architecture(name)
    for group, settings in (
        ("model", architecture.settings),
        ("objective", architecture.objective),
    ):
        for key in settings.model_fields:
            mistyped = f"{key[:2]}{key[3:]}" if len(key) > 4 else f"{key}x"
            with pytest.raises(SettingsError, match=rf"did you mean '{key}'"):
                settings.parse({mistyped: 1}, prefix=group)
