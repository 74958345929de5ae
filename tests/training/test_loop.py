"""One step: each phase changes what it owns, by the sum of its terms, or says what went wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
import torch
from torch import Tensor
from toys import Slope, TwoParts, changed, frames, judge, painter, painter_terms, state_of

from cleanplate.errors import TrainingError
from cleanplate.objectives.base import Phase
from cleanplate.tensor_tools.batch import FrameBatch
from cleanplate.training.loop import PhaseRunner, Step


def at(number: int, rate: float = 1.0) -> Step:
    return Step(number=number, progress=0.0, rate=rate)


def in_training() -> TwoParts:
    model = TwoParts()
    model.train()
    return model


@pytest.mark.parametrize("phase", [painter(), judge()], ids=lambda phase: phase.name)
def test_each_phase_changes_only_its_own_parameters_and_buffers(phase: Phase) -> None:
    model = in_training()
    before = state_of(model)
    PhaseRunner(model, (phase,)).run(frames(), at(0))
    after = state_of(model)
    assert changed(before, after) == {phase.name}
    own = {name for name in before if name.startswith(phase.name)}
    unchanged = {name for name in own if torch.equal(before[name], after[name])}
    # A bias in front of a BatchNorm has no say; everything else moves, running statistics too.
    assert unchanged <= {f"{phase.name}.0.bias"}


def test_two_phases_in_one_step_change_their_two_parts_and_no_third() -> None:
    model = in_training()
    before = state_of(model)
    logged = PhaseRunner(model, (painter(), judge())).run(frames(), at(0))
    assert changed(before, state_of(model)) == {"painter", "judge"}
    assert logged.keys() == {"painter/likeness", "painter/praise", "judge/verdict"}
    # Each part saw exactly one batch as its own.
    counts = [int(part[1].num_batches_tracked) for part in (model.painter, model.judge)]
    assert counts == [1, 1]


def test_a_phase_that_owns_everything_changes_everything_it_uses() -> None:
    model = in_training()
    before = state_of(model)
    PhaseRunner(model, (Phase("all", painter_terms),)).run(frames(), at(0))
    assert changed(before, state_of(model)) == {"painter", "judge"}


def test_ownership_goes_by_whole_names_and_not_by_their_beginnings() -> None:
    phase = Phase("one", painter_terms, ("encoder", "plate"))
    owned = ["encoder.0.weight", "plate", "plate.image"]
    others = ["encoder_2.weight", "plates", "decoder.encoder.weight"]
    assert all(phase.may_change(name) for name in owned)
    assert not any(phase.may_change(name) for name in others)


def test_a_phase_that_owns_nothing_is_refused_at_once() -> None:
    with pytest.raises(RuntimeError, match="phase 'lost' owns no parameter: paintre"):
        PhaseRunner(in_training(), (Phase("lost", painter_terms, ("paintre",)),))


def test_a_phase_runs_in_every_nth_step_from_the_first() -> None:
    model = in_training()
    runner = PhaseRunner(model, (painter(), judge(every=3)))
    ran = ["judge/verdict" in runner.run(frames(), at(number)) for number in range(7)]
    assert ran == [True, False, False, True, False, False, True]
    assert int(model.judge[1].num_batches_tracked) == 3
    assert int(model.painter[1].num_batches_tracked) == 7


def test_the_sum_of_the_terms_is_what_is_minimised() -> None:
    def terms(model: Slope, batch: FrameBatch, progress: float) -> Mapping[str, Tensor]:
        # Alone, the first would go to 4 and the second to -4; their sum is least at 1.
        return {
            "right": (model.values[0] - 4).square(),
            "left": 1.5 * (model.values[0] + 1).square(),
            "other": model.values[1].square(),
        }

    model = Slope()
    runner = PhaseRunner(model, (Phase("slope", terms, learning_rate=0.05),))
    logged = [runner.run(frames(), at(number)) for number in range(400)]
    assert model.values.tolist() == pytest.approx([1.0, 0.0], abs=0.02)
    assert logged[0] == {"slope/right": 1.0, "slope/left": 24.0, "slope/other": 4.0}


def test_the_loss_is_told_how_far_the_learning_is() -> None:
    told = []

    def terms(model: Slope, batch: FrameBatch, progress: float) -> Mapping[str, Tensor]:
        told.append(progress)
        return {"term": model.values.square().sum()}

    PhaseRunner(Slope(), (Phase("slope", terms),)).run(frames(), Step(0, 0.25, 1.0))
    assert told == [0.25]


def rising(model: Slope, batch: FrameBatch, progress: float) -> Mapping[str, Tensor]:
    return {"term": 100 * model.values.sum()}


def gradient_after_a_step(clip: float) -> Tensor:
    model = Slope()
    PhaseRunner(model, (Phase("slope", rising),), gradient_clip=clip).run(frames(), at(0))
    assert model.values.grad is not None
    return model.values.grad


def test_a_long_gradient_is_shortened_and_keeps_its_direction() -> None:
    clipped = gradient_after_a_step(0.5)
    assert float(clipped.norm()) == pytest.approx(0.5, rel=1e-4)
    assert float(clipped[0]) == float(clipped[1])


@pytest.mark.parametrize("clip", [0.0, 1e6])
def test_a_gradient_that_is_short_enough_or_not_clipped_is_left_alone(clip: float) -> None:
    assert gradient_after_a_step(clip).tolist() == [100.0, 100.0]


def test_the_schedule_multiplies_the_rate_of_the_phase() -> None:
    lengths = []
    for rate in (1.0, 0.25):
        model = Slope()
        before = model.values.detach().clone()
        PhaseRunner(model, (Phase("slope", rising),)).run(frames(), at(0, rate))
        lengths.append(float((model.values.detach() - before).norm()))
    assert lengths[1] == pytest.approx(lengths[0] / 4, rel=1e-3)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_is_named_with_its_step(wrong: float) -> None:
    def terms(model: Slope, batch: FrameBatch, progress: float) -> Mapping[str, Tensor]:
        return {"fine": model.values.sum(), "broken": model.values.sum() * wrong}

    model = Slope()
    before = model.values.detach().clone()
    with pytest.raises(TrainingError, match=rf"'slope/broken' became {wrong} in step 17; lower"):
        PhaseRunner(model, (Phase("slope", terms),)).run(frames(), at(17))
    assert torch.equal(model.values, before)


def test_a_gradient_that_is_not_finite_is_refused_before_it_does_harm() -> None:
    def terms(model: Slope, batch: FrameBatch, progress: float) -> Mapping[str, Tensor]:
        return {"root": (model.values[0] - 3).abs().sqrt()}  # 0, with an infinite slope

    model = Slope()
    before = model.values.detach().clone()
    with pytest.raises(TrainingError, match=r"'slope/gradient' became (nan|inf) in step 4"):
        PhaseRunner(model, (Phase("slope", terms),)).run(frames(), at(4))
    assert torch.equal(model.values, before)


def flags(model: TwoParts) -> tuple[list[bool], list[bool]]:
    learns = [parameter.requires_grad for parameter in model.parameters()]
    return learns, [module.training for module in model.modules()]


def test_after_a_step_everything_is_as_free_as_before() -> None:
    model = in_training()
    model.bystander.eval()
    model.bystander[0].weight.requires_grad = False
    before = flags(model)
    PhaseRunner(model, (painter(), judge())).run(frames(), at(0))
    assert flags(model) == before


def test_after_an_error_everything_is_as_free_as_before() -> None:
    def fails(model: TwoParts, batch: FrameBatch, progress: float) -> Mapping[str, Tensor]:
        assert not model.judge[1].training
        assert not model.judge[0].weight.requires_grad
        assert model.painter[1].training
        raise ZeroDivisionError

    model = in_training()
    before = flags(model)
    with pytest.raises(ZeroDivisionError):
        PhaseRunner(model, (Phase("painter", fails, ("painter",)),)).run(frames(), at(0))
    assert flags(model) == before
