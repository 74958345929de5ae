"""Phase and Objective: all that the training loop knows of a training scheme."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Field
from torch import Tensor

from cleanplate.parameters import Parameters
from cleanplate.tensor_tools.batch import FrameBatch

Ramp: TypeAlias = Annotated[float, Field(ge=0, le=1)]
_RANDOM_START_RAMP = 0.3
WeightFrom: TypeAlias = Literal["auto", "plate", "estimate"]

PhaseLoss: TypeAlias = Callable[[Any, FrameBatch, float], Mapping[str, Tensor]]
"""Model, batch and progress (0 at the start of learning, 1 at its end) to named loss terms."""


@dataclass(frozen=True)
class Phase:
    """One part of a training step: what may change, by which loss, how fast.

    Attributes:
        name: Keys the optimizer, the prefix of the log and the entry of the checkpoint.
        loss: Named scalar terms whose sum is minimised.
        owns: Prefixes of the names of the parameters that it may change; `""` is all of them.
        learning_rate: Highest rate of Adam, before schedule.
        betas: Adam's decay rates of the first and the second moment.
        every: Runs in every n-th step.
        may_compile: Whether torch.compile can translate the loss; not one that takes gradients.
    """

    name: str
    loss: PhaseLoss
    owns: tuple[str, ...] = ("",)
    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    every: int = 1
    may_compile: bool = True

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

    def begun_at_plate(self) -> Self:
        """The scheme for a network whose first picture is the initial plate itself."""
        return self

    def weighs_by_plate(self, *, is_chosen: bool) -> bool:  # noqa: ARG002
        """Whether training needs the initial plate in the light of each frame.

        Args:
            is_chosen: The initial plate was chosen among all that was seen of each place, so that
                it shows the scene even where something stood for most of the time.
        """
        return False


class RampedObjective(Objective):
    """A scheme whose loss pays little for foreground, at once or by and by."""

    strength: float = Field(
        6.0, ge=0, description="of the bootstrapped weight exp(-strength * s), s in 0 to 1"
    )
    ramp: Literal["auto"] | Ramp = Field(
        "auto",
        description="share of the learning over which the strength rises from 0; auto: 0 for a "
        "network that begins at the initial plate or is weighted by it, otherwise 0.3",
    )
    weight_from: WeightFrom = Field(
        "auto",
        description="whose error gives the bootstrapped weight: the initial plate's in the light "
        "of the frame, or the estimate's own; auto: the plate's if it is that of candidates",
    )

    def weighs_by_plate(self, *, is_chosen: bool) -> bool:
        """As `weight_from` says."""
        return self.weight_from == "plate" or (self.weight_from == "auto" and is_chosen)

    def begun_at_plate(self) -> Self:
        """Full strength from the first step: weaker, the plate would become an average again."""
        return self if self.ramp != "auto" else self.model_copy(update={"ramp": 0.0})

    def strength_at(self, progress: float) -> float:
        """Strength of the bootstrapped weight at a share (0 to 1) of the learning.

        From a random start the full strength would call thin static lines foreground for ever.
        """
        ramp = _RANDOM_START_RAMP if self.ramp == "auto" else self.ramp
        return self.strength * (min(1.0, progress / ramp) if ramp else 1.0)
