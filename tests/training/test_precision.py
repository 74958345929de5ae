"""What a network learns in bfloat16 or translated is what it learns without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from toys import Slope, TwoParts, frames, judge, painter

from cleanplate.architectures import architecture_summaries, load_architecture
from cleanplate.architectures.base import BuildContext
from cleanplate.errors import SettingsError, TrainingError
from cleanplate.losses import LOSS_NAMES, reconstruction_terms
from cleanplate.model import BackgroundModel
from cleanplate.objectives.base import Phase
from cleanplate.settings import LearnSettings, resolve
from cleanplate.tensor_tools.batch import FrameBatch, make_batch
from cleanplate.training import compiling
from cleanplate.training.budget import Budget
from cleanplate.training.loop import PhaseRunner, Step
from cleanplate.training.trainer import Trainer, TrainingSettings
from families import some_nightly
from scenes import PaintedScene, paint_scene

NAMES = tuple(architecture_summaries())
SCENE = paint_scene(32, 48, 16, drift=30)


def build(name: str, **training: str) -> tuple[BackgroundModel, LearnSettings]:
    settings = resolve({"method": name, "training": training})
    torch.manual_seed(0)
    start = BuildContext(SCENE.start_plate(), frames=SCENE.frames)
    return load_architecture(name).build(settings.model, start), settings


def whole_batch(name: str, scene: PaintedScene = SCENE) -> FrameBatch:
    return make_batch(scene.frames, scene.extras(load_architecture(name).modalities))


def learned(name: str, *, steps: int, **training: str) -> tuple[BackgroundModel, float]:
    """A network after so many steps, and how far its backgrounds are off, in grey levels."""
    model, settings = build(name, **training)
    batch = whole_batch(name)

    def read(positions: NDArray[np.intp]) -> FrameBatch:
        extras = {key: maps[positions] for key, maps in batch.extras.items()}
        return FrameBatch(batch.rgb[positions], extras)

    assert isinstance(settings.training, TrainingSettings)
    phases = settings.objective.begun_at_plate().phases()  # type: ignore[union-attr]
    budget = Budget(steps=steps)
    trainer = Trainer(model, phases, settings=settings.training, budget=budget)
    trainer.train(read, len(SCENE))
    with torch.no_grad():
        background = model.estimate_background(batch)
    return model, SCENE.age(255 * background.permute(0, 2, 3, 1).numpy())


@pytest.mark.parametrize("name", NAMES)
def test_backgrounds_and_losses_have_all_digits_where_layers_have_few(name: str) -> None:
    model, settings = build(name)
    batch = whole_batch(name)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert model.train().estimate_background(batch).dtype == torch.float32
        for phase in settings.objective.phases():  # type: ignore[union-attr]
            terms = phase.loss(model, batch, 0.5)
            assert {str(term.dtype) for term in terms.values()} == {"torch.float32"}, phase.name


@pytest.mark.parametrize("loss", LOSS_NAMES)
def test_a_loss_of_pictures_with_few_digits_is_computed_with_all(loss: str) -> None:
    estimate, target = torch.rand(2, 2, 3, 32, 48).to(torch.bfloat16)
    expected = reconstruction_terms(loss, estimate.float(), target.float())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = reconstruction_terms(loss, estimate, target)
    assert {name: float(term) for name, term in found.items()} == {
        name: float(term) for name, term in expected.items()
    }


@pytest.mark.parametrize(
    "name",
    # Convolutions in bfloat16 are slow on a CPU.
    ["lowrank_ae", pytest.param("conv_ae", marks=pytest.mark.slow)],
)
def test_in_bfloat16_the_same_backgrounds_are_learned(name: str) -> None:
    _, untrained = learned(name, steps=1)
    (exact, age), (mixed, mixed_age) = (
        learned(name, steps=60, precision=precision) for precision in ("float32", "bfloat16")
    )
    assert mixed_age == pytest.approx(age, abs=0.15)
    assert mixed_age < untrained / 2
    pairs = zip(exact.parameters(), mixed.parameters(), strict=True)
    assert any(not torch.equal(*pair) for pair in pairs)


@pytest.mark.parametrize("name", ["lowrank_ae", "conv_ae"])
def test_on_a_cpu_auto_is_float32_bit_for_bit(name: str) -> None:
    models = [learned(name, steps=5, precision=each)[0] for each in ("auto", "float32")]
    pairs = zip(*(model.state_dict().values() for model in models), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)


@pytest.mark.parametrize("setting", ["precision", "compile"])
def test_anything_else_is_refused(setting: str) -> None:
    with pytest.raises(SettingsError, match=f"training.{setting}"):
        resolve({"training": {setting: "float16"}})


# Translated losses


def counting(calls: list[Any]) -> Callable[[Any], Any]:
    def translate(loss: Any) -> Any:
        calls.append(loss)
        return loss

    return translate


@pytest.mark.parametrize(
    ("budget", "device", "worth"),
    [
        (Budget(steps=10**6), "cpu", False),
        (Budget(steps=300), "cuda", False),
        (Budget(steps=20_000), "cuda", True),
        (Budget(seconds=90), "cuda", False),
        (Budget(seconds=3600), "cuda", True),
    ],
)
def test_only_a_long_budget_on_a_gpu_is_worth_translating(
    budget: Budget, device: str, worth: bool
) -> None:
    assert compiling.pays(budget, torch.device(device)) is worth


@pytest.mark.parametrize(("setting", "translated"), [("auto", 0), ("off", 0), ("on", 1)])
def test_on_a_cpu_losses_are_translated_only_when_asked_for(
    monkeypatch: pytest.MonkeyPatch, setting: str, translated: int
) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(torch, "compile", counting(calls))
    model, settings = build("conv_ae", compile=setting)
    assert isinstance(settings.training, TrainingSettings)
    phases = settings.objective.phases()  # type: ignore[union-attr]
    Trainer(model, phases, settings=settings.training, budget=Budget(steps=10**6))
    assert len(calls) == translated


def test_a_phase_that_takes_gradients_itself_is_left_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(torch, "compile", counting(calls))
    model, settings = build("adversarial_ae")
    phases = settings.objective.phases()  # type: ignore[union-attr]
    PhaseRunner(model, phases, compiling="on")
    assert [loss.__name__ for loss in calls] == ["_terms", "_fool"]


def refusing(loss: Any) -> Any:
    from torch._dynamo.exc import TorchDynamoException

    def translated(*_: Any) -> Any:
        raise TorchDynamoException("no compiler\nin sight")

    return translated


def test_where_nothing_can_be_translated_auto_goes_on_and_on_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch, "compile", refusing)

    def loss(model: Slope, batch: FrameBatch, progress: float) -> dict[str, torch.Tensor]:
        return {"square": model.values.square().sum()}

    step = Step(0, 0.0, 1.0)
    runner = PhaseRunner(Slope(), (Phase("slope", loss),), compiling="auto")
    assert runner.run(frames(), step) == {"slope/square": 13.0}
    with pytest.raises(TrainingError, match=r"\(no compiler\); give training.compile=off"):
        PhaseRunner(Slope(), (Phase("slope", loss),), compiling="on").run(frames(), step)


# torch looks at gradients that are not there while it translates, and warns of it itself.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
@pytest.mark.slow
@pytest.mark.parametrize("name", some_nightly(NAMES, always=["conv_ae", "adversarial_ae", "dcgan"]))
def test_every_loss_that_may_be_translated_gives_the_same(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = torch.compile
    # All but the last step of translating, for which a compiler is needed.
    monkeypatch.setattr(torch, "compile", lambda loss: real(loss, backend="aot_eager"))
    torch._dynamo.reset()
    logged = []
    for how in ("off", "on"):
        model, settings = build(name)
        torch.manual_seed(0)
        phases = settings.objective.begun_at_plate().phases()  # type: ignore[union-attr]
        runner = PhaseRunner(model.train(), phases, compiling=how)  # type: ignore[arg-type]
        batch = whole_batch(name)
        logged.append([runner.run(batch, Step(at, at / 3, 1.0)) for at in range(3)][-1])
    assert logged[1] == pytest.approx(logged[0], rel=1e-3, abs=1e-6)


@pytest.mark.gpu
@pytest.mark.filterwarnings(  # torch's compiler warns of itself, and of TF32 left off
    "ignore:.torch.jit:DeprecationWarning", "ignore:TensorFloat32 tensor cores:UserWarning"
)
@pytest.mark.parametrize("name", ["lowrank_ae", "conv_ae"])
def test_on_a_gpu_bfloat16_and_translated_losses_learn_what_float32_learns(name: str) -> None:
    ages = []
    for options in (
        {"precision": "float32"},
        {"precision": "bfloat16"},
        {"precision": "float32", "compile": "on"},
    ):
        model, settings = build(name, **options)
        whole = whole_batch(name)
        batch = FrameBatch(whole.rgb.cuda())
        assert isinstance(settings.training, TrainingSettings)
        phases = settings.objective.begun_at_plate().phases()  # type: ignore[union-attr]
        budget = Budget(steps=100)
        trainer = Trainer(model.cuda(), phases, settings=settings.training, budget=budget)
        trainer.train(lambda at, all_=batch: FrameBatch(all_.rgb[at]), len(SCENE))
        with torch.no_grad():
            background = model.estimate_background(batch)
        ages.append(SCENE.age(255 * background.permute(0, 2, 3, 1).cpu().numpy()))
    assert ages == pytest.approx([ages[0]] * 3, abs=0.15)


def test_two_phases_keep_their_own_translation(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(torch, "compile", counting(calls))
    logged = PhaseRunner(TwoParts(), (painter(), judge()), compiling="on").run(
        frames(), Step(0, 0.0, 1.0)
    )
    assert len(calls) == 2
    assert logged.keys() == {"painter/likeness", "painter/praise", "judge/verdict"}
