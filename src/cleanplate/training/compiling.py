"""Losses translated for their device by torch.compile, where that pays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor

from cleanplate.errors import TrainingError
from cleanplate.objectives.base import PhaseLoss
from cleanplate.tensor_tools.batch import FrameBatch
from cleanplate.training.budget import Budget

Compile: TypeAlias = Literal["auto", "on", "off"]

_LONG = {"steps": 20_000, "seconds": 600.0}
"""Budgets from which a minute of translating is little; they follow from no measurement."""


def pays(budget: Budget, device: torch.device) -> bool:
    """Whether translating may be worth its time; it is never on a CPU."""
    if device.type != "cuda":
        return False
    if budget.steps is not None:
        return budget.steps >= _LONG["steps"]
    assert budget.seconds is not None
    return budget.seconds >= _LONG["seconds"]


class CompiledLoss:
    """The loss of a phase, translated when it is first called.

    Args:
        loss: Of the phase.
        is_optional: Go on with the loss as it is where it cannot be translated, as for want of a
            compiler.
    """

    def __init__(self, loss: PhaseLoss, *, is_optional: bool) -> None:
        self._plain = loss
        self._compiled: PhaseLoss | None = torch.compile(loss)
        self._is_optional = is_optional

    def __call__(self, model: Any, batch: FrameBatch, progress: float) -> Mapping[str, Tensor]:
        """Named loss terms.

        Raises:
            TrainingError: It cannot be translated.
        """
        if self._compiled is None:
            return self._plain(model, batch, progress)
        from torch._dynamo.exc import TorchDynamoException

        try:
            return self._compiled(model, batch, progress)
        except TorchDynamoException as error:
            if not self._is_optional:
                reason = str(error).strip().splitlines()[0]
                raise TrainingError(
                    f"the loss cannot be compiled here ({reason}); give training.compile=off"
                ) from error
            self._compiled = None
            return self._plain(model, batch, progress)
