"""Learning ends in time, is logged, and goes on after a kill as if nothing had happened."""

from __future__ import annotations

import json
import math
import pickle
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from toys import Noisy, TwoParts, judge, noisy_terms, painter

from cleanplate.architectures import load_architecture
from cleanplate.architectures.base import BuildContext
from cleanplate.errors import OutputError, SceneFileError, TrainingError
from cleanplate.model import BackgroundModel
from cleanplate.objectives.base import Phase
from cleanplate.tensor_tools.batch import FrameBatch, to_tensor
from cleanplate.training.budget import Budget
from cleanplate.training.trainer import (
    Trainer,
    TrainingFiles,
    TrainingResult,
    TrainingSettings,
    read_metrics,
)
from scenes import PaintedScene, paint_scene

SCENE = paint_scene(32, 32, 14)
STEPS = 11


class KilledError(Exception):
    """The end of a process, as far as a test can have one."""


def reader(
    scene: PaintedScene = SCENE,
    *,
    fail_at: int | None = None,
    error: type[BaseException] = KilledError,
) -> Callable[[NDArray[np.intp]], FrameBatch]:
    """Reads batches, and fails when it is called for the n-th time (from 0)."""
    calls = 0

    def read(positions: NDArray[np.intp]) -> FrameBatch:
        nonlocal calls
        if calls == fail_at:
            raise error
        calls += 1
        return FrameBatch(to_tensor(scene.read(positions.tolist())))

    return read


class Ear:
    """Listener that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, float, float | None]] = []

    def __call__(self, stage: str, done: float, total: float | None, note: str = "") -> None:
        assert isinstance(note, str)
        self.told.append((stage, done, total))


Kind = tuple[Callable[[], BackgroundModel], Callable[[], tuple[Phase, ...]]]


def network(name: str) -> Kind:
    architecture = load_architecture(name)
    start = BuildContext(SCENE.start_plate())

    def build() -> BackgroundModel:
        return architecture.build(architecture.settings(), start)

    return build, lambda: architecture.objective().phases()


KINDS: dict[str, Kind] = {
    "noisy": (Noisy, lambda: (Phase("noisy", noisy_terms, learning_rate=1e-2),)),
    "two_parts": (TwoParts, lambda: (painter(), judge(every=4))),
    "conv_ae": network("conv_ae"),
    "lowrank_ae": network("lowrank_ae"),
}


def trainer_of(
    kind: str, *, seed: int = 0, budget: str = f"{STEPS}steps", **settings: float
) -> tuple[BackgroundModel, Trainer]:
    """A freshly built network, whose weights follow from the seed, and its trainer."""
    build, phases = KINDS[kind]
    torch.manual_seed(seed)
    model = build()
    values = {"batch_size": 4, "warmup_steps": 3, "checkpoint_seconds": 1e-9, **settings}
    trainer = Trainer(
        model, phases(), settings=TrainingSettings.parse(values), budget=Budget.parse(budget)
    )
    return model, trainer


def files_in(folder: Path) -> TrainingFiles:
    return TrainingFiles(folder / "metrics.jsonl", folder / "checkpoint", folder / "events")


def learn(kind: str, folder: Path | None = None, **settings: float) -> TrainingResult:
    _, trainer = trainer_of(kind, **settings)
    return trainer.train(reader(), len(SCENE), files=files_in(folder) if folder else None)


def learn_until_killed(kind: str, folder: Path, *, at: int, **settings: float) -> None:
    _, trainer = trainer_of(kind, **settings)
    with pytest.raises(KilledError):
        trainer.train(reader(fail_at=at), len(SCENE), files=files_in(folder))


def assert_same_state(model: torch.nn.Module, other: torch.nn.Module) -> None:
    states = model.state_dict(), other.state_dict()
    assert states[0].keys() == states[1].keys()
    assert [name for name in states[0] if not torch.equal(states[0][name], states[1][name])] == []


# Budget and schedule


def test_learning_takes_as_many_steps_as_the_budget_says() -> None:
    ear = Ear()
    _, trainer = trainer_of("noisy")
    result = trainer.train(reader(), len(SCENE), progress=ear)
    assert result.position.steps == STEPS
    assert ear.told == [("learning", step, STEPS) for step in range(1, STEPS + 1)]


def test_learning_in_seconds_ends_in_time() -> None:
    ear = Ear()
    _, trainer = trainer_of("noisy", budget="0.4s")
    begun = time.monotonic()
    result = trainer.train(reader(), len(SCENE), progress=ear)
    spent = time.monotonic() - begun
    assert 0.4 <= result.position.seconds <= spent < 1.4
    assert result.position.steps == len(ear.told) > 1
    assert {total for _, _, total in ear.told} == {0.4}
    assert result.metrics[-1]["step"] == result.position.steps


def test_the_rate_rises_over_the_warm_up_and_falls_as_a_cosine_to_the_final_rate() -> None:
    settings = {"warmup_steps": 10, "final_rate": 0.1, "log_every": 1}
    result = learn("noisy", budget="100steps", **settings)
    rates = [line["rate"] for line in result.metrics]
    assert len(rates) == 100
    assert rates[0] == pytest.approx(0.1)
    assert rates[:9] == sorted(rates[:9])
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert rates[50] == pytest.approx(0.1 + 0.9 / 2)
    # The schedule reaches its end where the budget does, one step after the last.
    after_the_last = 0.1 + 0.9 * (1 + math.cos(math.pi * 0.99)) / 2
    assert rates[99] == pytest.approx(after_the_last)
    assert rates[99] == pytest.approx(0.1, abs=5e-4)


def test_learning_can_do_without_a_warm_up() -> None:
    result = learn("noisy", warmup_steps=0, log_every=1)
    assert result.metrics[0]["rate"] == 1


def test_the_network_learns_in_training_mode_and_is_ready_for_use_after() -> None:
    model, trainer = trainer_of("noisy")
    model.eval()
    seen = []
    read = reader()

    def watching(positions: NDArray[np.intp]) -> FrameBatch:
        seen.append(model.training)
        return read(positions)

    trainer.train(watching, len(SCENE))
    assert set(seen) == {True}
    assert not any(module.training for module in model.modules())


def test_a_loss_that_is_not_finite_ends_the_learning_with_its_step() -> None:
    torch.manual_seed(0)
    model = Noisy()
    phase = Phase(
        "noisy",
        lambda model, batch, progress: {
            "mse": noisy_terms(model, batch, progress)["mse"] / (progress < 0.5)
        },
    )
    trainer = Trainer(model, (phase,), settings=TrainingSettings(), budget=Budget(steps=10))
    with pytest.raises(TrainingError, match="'noisy/mse' became inf in step 5"):
        trainer.train(reader(), len(SCENE))


# Log


def test_the_first_the_last_and_every_fifth_step_are_logged(tmp_path: Path) -> None:
    result = learn("two_parts", tmp_path)
    lines = read_metrics(tmp_path / "metrics.jsonl")
    assert [line["step"] for line in lines] == [1, 5, 10, 11]
    assert tuple(lines) == result.metrics
    own = {"step", "seconds", "rate"}
    assert lines[0].keys() - own == {"painter/likeness", "painter/praise", "judge/verdict"}
    # The judge's turn is every fourth step.
    assert lines[2].keys() - own == {"painter/likeness", "painter/praise"}
    seconds = [line["seconds"] for line in lines]
    assert seconds == sorted(seconds)


def test_the_log_can_be_made_finer_but_not_coarser() -> None:
    result = learn("noisy", log_every=2)
    assert [line["step"] for line in result.metrics] == [1, 2, 4, 6, 8, 10, 11]
    with pytest.raises(ValueError, match=r"training\.log_every|log_every"):
        trainer_of("noisy", log_every=6)


def test_a_log_whose_last_line_was_cut_off_is_read_up_to_there(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1, "a": 0.5}\n{"step": 5, "a": 0.', encoding="utf-8")
    assert read_metrics(path) == [{"step": 1, "a": 0.5}]
    assert read_metrics(tmp_path / "none.jsonl") == []


def test_a_resumed_log_holds_each_step_once_and_nothing_that_did_not_happen(tmp_path: Path) -> None:
    learn_until_killed("noisy", tmp_path, at=7, log_every=1)
    path = tmp_path / "metrics.jsonl"
    beyond = [{"step": step, "seconds": 1.0, "rate": 1.0, "noisy/mse": 9.0} for step in (8, 9)]
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in beyond)
        file.write('{"step": 10, "sec')
    result = learn("noisy", tmp_path, log_every=1)
    lines = read_metrics(path)
    assert [line["step"] for line in lines] == list(range(1, STEPS + 1))
    assert tuple(lines) == result.metrics
    assert max(line["noisy/mse"] for line in lines) < 9
    assert path.read_text("utf-8").count("\n") == STEPS


# Checkpoint and resume


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("killed_at", [1, 6])
def test_a_resumed_run_equals_an_unbroken_one_bit_for_bit(
    kind: str, killed_at: int, tmp_path: Path
) -> None:
    unbroken, trainer = trainer_of(kind)
    whole = trainer.train(reader(), len(SCENE))

    learn_until_killed(kind, tmp_path, at=killed_at)
    resumed, trainer = trainer_of(kind, seed=99)  # nothing of the start may come through
    rest = trainer.train(reader(), len(SCENE), files=files_in(tmp_path))

    assert_same_state(unbroken, resumed)
    assert rest.position.steps == whole.position.steps
    losses = [
        [
            {name: value for name, value in line.items() if name != "seconds"}
            for line in result.metrics
        ]
        for result in (whole, rest)
    ]
    assert losses[0] == losses[1]


def test_a_run_that_is_killed_twice_still_equals_an_unbroken_one(tmp_path: Path) -> None:
    unbroken, trainer = trainer_of("noisy")
    trainer.train(reader(), len(SCENE))
    learn_until_killed("noisy", tmp_path, at=3)
    learn_until_killed("noisy", tmp_path, at=4, seed=5)
    resumed, trainer = trainer_of("noisy", seed=6)
    trainer.train(reader(fail_at=STEPS - 7), len(SCENE), files=files_in(tmp_path))
    assert_same_state(unbroken, resumed)


def test_what_came_after_the_last_checkpoint_is_learned_again(tmp_path: Path) -> None:
    unbroken, trainer = trainer_of("noisy")
    trainer.train(reader(), len(SCENE))
    learn_until_killed("noisy", tmp_path, at=3)
    learn_until_killed("noisy", tmp_path, at=5, checkpoint_seconds=10)  # writes none of its own
    state = json.loads((tmp_path / "checkpoint/state.json").read_text("utf-8"))
    assert state["steps"] == 3
    resumed, trainer = trainer_of("noisy", seed=6)
    trainer.train(reader(), len(SCENE), files=files_in(tmp_path))
    assert_same_state(unbroken, resumed)


def test_the_seconds_before_a_kill_count(tmp_path: Path) -> None:
    learn_until_killed("noisy", tmp_path, at=5)
    path = tmp_path / "checkpoint/state.json"
    state = json.loads(path.read_text("utf-8"))
    assert 0 < state["seconds"] < 60
    path.write_text(json.dumps({**state, "seconds": 1000.0}), encoding="utf-8")
    _, trainer = trainer_of("noisy", budget="1001s")
    begun = time.monotonic()
    result = trainer.train(reader(), len(SCENE), files=files_in(tmp_path))
    assert time.monotonic() - begun < 3
    assert 1001 <= result.position.seconds < 1002


def test_a_run_that_was_at_its_end_is_only_read(tmp_path: Path) -> None:
    learn("noisy", tmp_path)
    model, trainer = trainer_of("noisy", seed=3)
    trainer.train(reader(fail_at=0), len(SCENE), files=files_in(tmp_path))
    finished, trainer = trainer_of("noisy")
    trainer.train(reader(), len(SCENE))
    assert_same_state(model, finished)


def test_ctrl_c_saves_what_was_learned(tmp_path: Path) -> None:
    _, trainer = trainer_of("noisy", checkpoint_seconds=10)
    with pytest.raises(KeyboardInterrupt):
        trainer.train(
            reader(fail_at=6, error=KeyboardInterrupt), len(SCENE), files=files_in(tmp_path)
        )
    resumed, trainer = trainer_of("noisy", seed=4)
    trainer.train(reader(fail_at=STEPS - 6), len(SCENE), files=files_in(tmp_path))
    unbroken, trainer = trainer_of("noisy")
    trainer.train(reader(), len(SCENE))
    assert_same_state(unbroken, resumed)


def test_ctrl_c_before_the_first_step_leaves_no_checkpoint(tmp_path: Path) -> None:
    _, trainer = trainer_of("noisy")
    with pytest.raises(KeyboardInterrupt):
        trainer.train(
            reader(fail_at=0, error=KeyboardInterrupt), len(SCENE), files=files_in(tmp_path)
        )
    assert not (tmp_path / "checkpoint").exists()


def test_the_checkpoint_is_one_file_of_json_and_one_of_tensors_and_no_pickle(
    tmp_path: Path,
) -> None:
    learn_until_killed("lowrank_ae", tmp_path, at=6)
    paths = sorted((tmp_path / "checkpoint").iterdir())
    assert [path.name for path in paths] == ["state.json", "step-00000006.safetensors"]
    for path in paths:
        content = path.read_bytes()
        assert not content.startswith((b"PK", b"\x80"))  # torch.save and pickle
        with pytest.raises(Exception, match=r".") as raised:
            pickle.loads(content)
        assert not isinstance(raised.value, MemoryError)
    assert json.loads(paths[0].read_text("utf-8"))["steps"] == 6


def test_what_a_kill_left_half_written_is_cleared_away(tmp_path: Path) -> None:
    learn_until_killed("noisy", tmp_path, at=4)
    folder = tmp_path / "checkpoint"
    (folder / ".cleanplate-0123456789ab.partial").write_bytes(b"half")
    (folder / ".cleanplate-ba9876543210.partial").write_bytes(b"{")
    learn("noisy", tmp_path)
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["state.json", f"step-{STEPS:08d}.safetensors"]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def damages() -> dict[str, Callable[[Path], object]]:
    tensors = "step-00000006.safetensors"
    return {
        "state cut off": lambda folder: cut(folder / "state.json"),
        "state of another kind": lambda folder: (folder / "state.json").write_text("[1]"),
        "state empty": lambda folder: (folder / "state.json").write_text("{}"),
        "tensors cut off": lambda folder: cut(folder / tensors),
        "tensors missing": lambda folder: (folder / tensors).unlink(),
        "tensors foreign": lambda folder: (folder / tensors).write_bytes(b"\x80\x04." * 99),
    }


@pytest.mark.parametrize("damage", damages())
def test_a_damaged_checkpoint_is_refused_in_a_sentence(damage: str, tmp_path: Path) -> None:
    learn_until_killed("noisy", tmp_path, at=6)
    damages()[damage](tmp_path / "checkpoint")
    _, trainer = trainer_of("noisy")
    with pytest.raises(SceneFileError, match=r"the checkpoint in .* is damaged .*--overwrite"):
        trainer.train(reader(), len(SCENE), files=files_in(tmp_path))


def test_the_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    learn_until_killed("noisy", tmp_path, at=6)
    _, trainer = trainer_of("lowrank_ae")
    with pytest.raises(SceneFileError, match="learn again with --overwrite"):
        trainer.train(reader(), len(SCENE), files=files_in(tmp_path))


def test_a_checkpoint_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_text("in the way", encoding="utf-8")
    _, trainer = trainer_of("noisy")
    with pytest.raises(OutputError, match="the checkpoint could not be written"):
        trainer.train(reader(), len(SCENE), files=files_in(tmp_path))
