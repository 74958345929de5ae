"""Phase and Objective: all that the training loop knows of a training scheme."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from torch import Tensor

from cleanplate.batch import FrameBatch
from cleanplate.parameters import Parameters

PhaseLoss: TypeAlias = Callable[[Any, FrameBatch, float], Mapping[str, Tensor]]
"""Model, batch and progress (0 at the start of learning, 1 at its end) to named loss terms."""


@dataclass(frozen=True)
class Phase:
    """One part of a training step: who may change, by which loss, how fast.

    Attributes:
        name: Keys the optimizer, the prefix of the log and the entry of the checkpoint.
        loss: Named scalar terms whose sum is minimised.
        owns: Prefixes of the names of the parameters that it may change; `""` is all of them.
        learning_rate: Highest rate of Adam, before schedule.
        betas: Adam's decay rates of the first and the second moment.
        every: Runs in every n-th step.
    """

    name: str
    loss: PhaseLoss
    owns: tuple[str, ...] = ("",)
    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    every: int = 1

    def may_change(self, parameter_name: str) -> bool:
        """Whether a parameter (or buffer) of that name belongs to this phase."""
        return any(
            not prefix or parameter_name == prefix or parameter_name.startswith(f"{prefix}.")
            for prefix in self.owns
        )


class Objective(Parameters):
    """A training scheme; its fields are its settings."""

    @abstractmethod
    def phases(self) -> tuple[Phase, ...]:
        """The phases of one training step, in order."""
