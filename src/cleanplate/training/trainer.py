"""Learning from beginning to end: budget, schedule, log, checkpoints, resume."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field

from cleanplate.model import BackgroundModel
from cleanplate.objectives.base import Phase
from cleanplate.parameters import Parameters
from cleanplate.progress import ProgressListener, silent
from cleanplate.tensor_tools.batch import FrameBatch
from cleanplate.training.budget import Budget
from cleanplate.training.checkpoint import CheckpointFolder, Position
from cleanplate.training.compiling import Compile, pays
from cleanplate.training.events import EventLog
from cleanplate.training.loop import PhaseRunner, Step
from cleanplate.training.sampler import FrameSampler
from cleanplate.writing import write_whole

Precision: TypeAlias = Literal["auto", "float32", "bfloat16"]
Watch: TypeAlias = Callable[[BackgroundModel, Position, float], None]
"""Model, position and share of the budget that is used up."""


class TrainingSettings(Parameters):
    """Settings of the training loop."""

    batch_size: int = Field(8, ge=1, description="frames in a step")
    warmup_steps: int = Field(30, ge=0, description="steps over which the rate rises from 0")
    final_rate: float = Field(
        0.02, ge=0, le=1, description="end of the cosine schedule, as a share of the highest rate"
    )
    gradient_clip: float = Field(1.0, ge=0, description="longest gradient of a phase; 0: any")
    precision: Precision = Field(
        "auto",
        description="of a network's layers while it learns; auto: bfloat16 on CUDA",
    )
    compile: Compile = Field(
        "auto",
        description="translate the losses for the device at first; auto: on CUDA where the "
        "budget is 20,000 steps, 10 minutes or more",
    )
    checkpoint_seconds: float = Field(10.0, gt=0, le=10, description="time between checkpoints")
    log_every: int = Field(5, ge=1, le=5, description="steps between lines of metrics.jsonl")
    tensorboard: bool = Field(
        default=False, description="also write events for TensorBoard; needs the extra tensorboard"
    )


@dataclass(frozen=True)
class TrainingFiles:
    """Where a run leaves its traces.

    Attributes:
        metrics: File of one JSON object a line.
        checkpoint: Folder of the checkpoint; removed by the caller at the end.
        events: Folder for TensorBoard, written where the settings ask for it.
    """

    metrics: Path
    checkpoint: Path
    events: Path


@dataclass(frozen=True)
class TrainingResult:
    """What a training leaves beside the trained model.

    Attributes:
        position: Steps done and seconds spent, those before a resume included.
        metrics: Lines of the log.
    """

    position: Position
    metrics: tuple[Mapping[str, float], ...]


class Trainer:
    """Trains one model on frames that it reads by position."""

    def __init__(
        self,
        model: BackgroundModel,
        phases: tuple[Phase, ...],
        *,
        settings: TrainingSettings,
        budget: Budget,
        seed: int = 0,
    ) -> None:
        self._model = model
        self._settings = settings
        self._budget = budget
        self._seed = seed
        device = next(model.parameters()).device
        compiling = settings.compile
        if compiling == "auto" and not pays(budget, device):
            compiling = "off"
        self._runner = PhaseRunner(
            model,
            phases,
            gradient_clip=settings.gradient_clip,
            is_mixed=_is_mixed(settings.precision, device),
            compiling=compiling,
        )

    def train(
        self,
        read_batch: Callable[[NDArray[np.intp]], FrameBatch],
        frames: int | Sequence[float],
        *,
        files: TrainingFiles | None = None,
        progress: ProgressListener = silent,
        watch: Watch | None = None,
    ) -> TrainingResult:
        """Learns until the budget is used up.

        Args:
            read_batch: Frames at positions from 0, on the model's device.
            frames: How many there are, or the time that each stands for, in seconds.
            files: Log and checkpoint; a checkpoint that is there is gone on from.
            progress: Called after each step.
            watch: Called with the model before the first step and after each one; it may look, but
                must leave the model and the random numbers as they were.

        Raises:
            TrainingError: A loss is not finite.
            SettingsError: TensorBoard is asked for and not installed.
        """
        checkpoint = CheckpointFolder(files.checkpoint) if files else None
        start = checkpoint.restore(self._model, self._runner) if checkpoint else Position()
        log = MetricsLog(files.metrics if files else None, start.steps)
        events = self._open_events(files, start)
        sampler = FrameSampler(frames, batch_size=self._settings.batch_size, seed=self._seed)
        self._model.train()
        clock = _Clock(start.seconds)
        position, saved_at, is_whole = start, clock.seconds(), True
        look = watch or _look_away
        look(self._model, position, self._progress(position))
        try:
            while (step := self._step(position)) is not None:
                batch = read_batch(sampler.positions(step.number))
                is_whole = False
                terms = self._runner.run(batch, step)
                position, is_whole = Position(step.number + 1, clock.seconds()), True
                if self._is_logged(position):
                    log.write(position, step, terms)
                    if events:
                        events.write(log.lines[-1])
                self._tell(progress, position, terms)
                look(self._model, position, self._progress(position))
                if checkpoint and clock.seconds() - saved_at >= self._settings.checkpoint_seconds:
                    checkpoint.save(self._model, self._runner, position)
                    saved_at = clock.seconds()
        except KeyboardInterrupt:
            # In the middle of a step the weights are neither those before nor those after it.
            if checkpoint and is_whole and position.steps > start.steps:
                checkpoint.save(self._model, self._runner, position)
            raise
        finally:
            if events:
                events.close()
        if checkpoint:
            checkpoint.save(self._model, self._runner, position)
        self._model.eval()
        return TrainingResult(position, tuple(log.lines))

    def _open_events(self, files: TrainingFiles | None, start: Position) -> EventLog | None:
        if files is None or not self._settings.tensorboard:
            return None
        return EventLog(files.events, start.steps)

    def _step(self, position: Position) -> Step | None:
        used = self._progress(position)
        if used >= 1:
            return None
        warmup = min(1.0, (position.steps + 1) / max(1, self._settings.warmup_steps))
        floor = self._settings.final_rate
        cosine = floor + (1 - floor) * (1 + math.cos(math.pi * used)) / 2
        return Step(position.steps, used, warmup * cosine)

    def _is_logged(self, position: Position) -> bool:
        at_end = self._progress(position) >= 1
        return position.steps == 1 or position.steps % self._settings.log_every == 0 or at_end

    def _progress(self, position: Position) -> float:
        """Share of the budget that is used up, 0 to 1."""
        return self._budget.progress(position.steps, position.seconds)

    def _tell(
        self, progress: ProgressListener, position: Position, terms: Mapping[str, float]
    ) -> None:
        note = f"loss {sum(terms.values()):.4f}"
        if self._budget.steps is not None:
            progress("learning", position.steps, self._budget.steps, note)
        else:
            progress("learning", position.seconds, self._budget.seconds, note)


class MetricsLog:
    """Step, seconds, rate and every loss term of the logged steps.

    Attributes:
        lines: What was logged so far.
    """

    def __init__(self, path: Path | None, steps: int) -> None:
        self._path = path
        # A resumed run goes on after its checkpoint: what was logged beyond it did not happen.
        logged = read_metrics(path) if path else []
        self.lines: list[Mapping[str, float]] = [line for line in logged if line["step"] <= steps]
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            text = "".join(json.dumps(line) + "\n" for line in self.lines)
            write_whole(path, text, durable=False)

    def write(self, position: Position, step: Step, terms: Mapping[str, float]) -> None:
        """Appends one line."""
        seconds = round(position.seconds, 3)
        line = {"step": position.steps, "seconds": seconds, "rate": step.rate, **terms}
        self.lines.append(line)
        if self._path:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")


def read_metrics(path: Path) -> list[dict[str, float]]:
    """Lines of a metrics file; a last line that was cut off is left out."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]


def _is_mixed(precision: Precision, device: torch.device) -> bool:
    return precision == "bfloat16" or (precision == "auto" and device.type == "cuda")


def _look_away(model: BackgroundModel, position: Position, progress: float) -> None:
    """No progress is shown."""


class _Clock:
    def __init__(self, seconds_before: float) -> None:
        self._start = time.monotonic() - seconds_before

    def seconds(self) -> float:
        return time.monotonic() - self._start
