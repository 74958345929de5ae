"""One training step, whole: the only place that calls backward and step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn
from torch.optim import Adam

from cleanplate.errors import TrainingError
from cleanplate.model import BackgroundModel
from cleanplate.objectives.base import Phase, PhaseLoss
from cleanplate.tensor_tools.batch import FrameBatch
from cleanplate.training.adam import EagerAdam
from cleanplate.training.compiling import Compile, CompiledLoss


@dataclass(frozen=True)
class Step:
    """Where in the learning a step stands.

    Attributes:
        number: From 0.
        progress: Share of the budget that is used up, 0 to 1.
        rate: Factor of the schedule on every learning rate.
    """

    number: int
    progress: float
    rate: float


class PhaseRunner:
    """Runs the phases of an objective on one model.

    Args:
        model: The network, on its device.
        phases: Of the objective.
        gradient_clip: Longest gradient of a phase; 0: any.
        is_mixed: Layers compute in bfloat16, losses in float32.
        compiling: `on`: losses are translated; `auto`: where that is possible.

    Attributes:
        optimizers: One for each phase, by the phase's name.
    """

    def __init__(
        self,
        model: BackgroundModel,
        phases: tuple[Phase, ...],
        *,
        gradient_clip: float = 0.0,
        is_mixed: bool = False,
        compiling: Compile = "off",
    ) -> None:
        self._model = model
        self._phases = phases
        self._gradient_clip = gradient_clip
        self._device = next(model.parameters()).device
        self._is_mixed = is_mixed
        self._losses = {phase.name: _loss_of(phase, model, compiling) for phase in phases}
        self.optimizers = {phase.name: _optimizer(model, phase) for phase in phases}

    def run(self, batch: FrameBatch, step: Step) -> dict[str, float]:
        """One step of each phase that is due; the loss terms as `phase/term`.

        Raises:
            TrainingError: A loss is not finite.
        """
        logged: dict[str, float] = {}
        for phase in self._phases:
            if step.number % phase.every:
                continue
            with _only_owned(self._model, phase):
                logged |= self._run_phase(phase, batch, step)
        return logged

    def _run_phase(self, phase: Phase, batch: FrameBatch, step: Step) -> dict[str, float]:
        optimizer = self.optimizers[phase.name]
        for group in optimizer.param_groups:
            group["lr"] = phase.learning_rate * step.rate
        # bfloat16 has float32's range: no scaling of the loss is needed.
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._is_mixed):
            terms = self._losses[phase.name](self._model, batch, step.progress)
        losses = torch.stack([term.float() for term in terms.values()])
        total = losses.sum()
        # All at once: each number that is asked for waits until a GPU has done all before it.
        names = [f"{phase.name}/{name}" for name in terms]
        values: dict[str, float] = dict(zip(names, losses.tolist(), strict=True))
        _require_finite(values, step)
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        owned = [p for group in optimizer.param_groups for p in group["params"]]
        norm = nn.utils.clip_grad_norm_(owned, self._gradient_clip or math.inf)
        _require_finite({f"{phase.name}/gradient": float(norm)}, step)
        optimizer.step()
        return values


def _loss_of(phase: Phase, model: BackgroundModel, compiling: Compile) -> PhaseLoss:
    if compiling == "off" or not (phase.may_compile and model.is_one_graph):
        return phase.loss
    return CompiledLoss(phase.loss, is_optional=compiling == "auto")


def _optimizer(model: BackgroundModel, phase: Phase) -> Adam:
    owned = [p for name, p in model.named_parameters() if phase.may_change(name)]
    if not owned:
        raise RuntimeError(f"phase '{phase.name}' owns no parameter: {', '.join(phase.owns)}")
    return EagerAdam(owned, lr=phase.learning_rate, betas=phase.betas, fused=True)


@contextmanager
def _only_owned(model: BackgroundModel, phase: Phase) -> Iterator[None]:
    """Freezes what the phase does not own: parameters, and buffers by the eval mode."""
    frozen = [
        p for name, p in model.named_parameters() if p.requires_grad and not phase.may_change(name)
    ]
    readers = [
        module
        for name, module in model.named_modules()
        if module.training and name and not _owns_part_of(phase, name)
    ]
    for parameter in frozen:
        parameter.requires_grad = False
    for module in readers:
        module.training = False
    try:
        yield
    finally:
        for parameter in frozen:
            parameter.requires_grad = True
        for module in readers:
            module.training = True


def _owns_part_of(phase: Phase, module_name: str) -> bool:
    return phase.may_change(module_name) or any(
        prefix.startswith(f"{module_name}.") for prefix in phase.owns
    )


def _require_finite(values: Mapping[str, float], step: Step) -> None:
    for name, value in values.items():
        if not math.isfinite(value):
            raise TrainingError(
                f"'{name}' became {value} in step {step.number}; "
                "lower objective.learning_rate or training.gradient_clip"
            )
