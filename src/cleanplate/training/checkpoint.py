"""An unfinished run on disk: tensors in safetensors, the rest JSON, nothing pickled.

The folder holds `state.json`, which names one file of tensors. Both are written aside, brought to
the disk and then renamed, the tensors before the JSON: whenever the process or the machine dies,
`state.json` names tensors that are whole.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from cleanplate.errors import SceneFileError, shortened
from cleanplate.training.loop import PhaseRunner
from cleanplate.untrusted import open_regular, parse_json, read_regular
from cleanplate.writing import Own, output_error, remove_leftovers, remove_own, write_whole

_STATE = "state.json"
_MOST_BYTES = 1 << 20
"""Of that file."""
_OWN_TENSORS = Own(re.compile(r"step-[0-9]{8,}\.safetensors"))
_FORMAT = 1
_RANDOM_CPU, _RANDOM_CUDA = "random/cpu", "random/cuda"


@dataclass(frozen=True)
class Position:
    """How far a run has come.

    Attributes:
        steps: Steps done.
        seconds: Seconds spent in them.
    """

    steps: int = 0
    seconds: float = 0.0


class CheckpointFolder:
    """Saves and restores model, optimizers and random state."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, model: nn.Module, runner: PhaseRunner, position: Position) -> None:
        """Writes the state, then removes the one before it.

        Raises:
            OutputError: It cannot be written.
        """
        tensors = _gather(model, runner)
        name = f"step-{position.steps:08d}.safetensors"
        state = {
            "format": _FORMAT,
            "steps": position.steps,
            "seconds": position.seconds,
            "tensors": name,
        }
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._folder / name, save(tensors), "the checkpoint")
            write_whole(self._folder / _STATE, json.dumps(state), "the checkpoint")
            remove_own(self._folder, _OWN_TENSORS, keep=[name])
            remove_leftovers(self._folder)
        except OSError as error:
            raise output_error(error, self._folder, "the checkpoint") from error

    def restore(self, model: nn.Module, runner: PhaseRunner) -> Position:
        """Puts the saved state into model, optimizers and random generators.

        Returns:
            How far the run had come; the beginning where nothing was saved.

        Raises:
            SceneFileError: The checkpoint is damaged.
        """
        path = self._folder / _STATE
        if not path.exists():
            return Position()
        try:
            state = parse_json(read_regular(path, _MOST_BYTES, inside=self._folder))
            open_regular(self._folder / state["tensors"], sys.maxsize, inside=self._folder).close()
            tensors = load_file(self._folder / state["tensors"])
            _scatter(tensors, model, runner)
            return Position(int(state["steps"]), float(state["seconds"]))
        except (OSError, SafetensorError, RuntimeError, ValueError, TypeError, KeyError) as error:
            raise SceneFileError(
                f"the checkpoint in {self._folder} is damaged ({shortened(error)}); "
                "learn again with --overwrite"
            ) from error


def _gather(model: nn.Module, runner: PhaseRunner) -> dict[str, Tensor]:
    tensors = {f"model/{name}": tensor for name, tensor in model.state_dict().items()}
    for phase, optimizer in runner.optimizers.items():
        for index, entries in optimizer.state_dict()["state"].items():
            for key, tensor in entries.items():
                tensors[f"optimizer/{phase}/{index}/{key}"] = tensor
    tensors |= random_states(next(model.parameters()).device)
    return {name: tensor.detach().contiguous().clone() for name, tensor in tensors.items()}


def _scatter(tensors: dict[str, Tensor], model: nn.Module, runner: PhaseRunner) -> None:
    model.load_state_dict(_under(tensors, "model/"))
    for phase, optimizer in runner.optimizers.items():
        state: dict[int, dict[str, Tensor]] = {}
        for path, tensor in _under(tensors, f"optimizer/{phase}/").items():
            index, key = path.split("/")
            state.setdefault(int(index), {})[key] = tensor
        whole = optimizer.state_dict()
        optimizer.load_state_dict({**whole, "state": state})
    set_random_states(tensors, next(model.parameters()).device)


def random_states(device: torch.device) -> dict[str, Tensor]:
    """Random state of the CPU and of the GPU that learns.

    No other GPU is touched: asking for its state would take memory there, beside another scene.
    """
    states = {_RANDOM_CPU: torch.get_rng_state()}
    if device.type == "cuda":
        states[_RANDOM_CUDA] = torch.cuda.get_rng_state(device)
    return states


def set_random_states(states: Mapping[str, Tensor], device: torch.device) -> None:
    """Puts back what `random_states` gave."""
    torch.set_rng_state(states[_RANDOM_CPU])
    if device.type == "cuda" and _RANDOM_CUDA in states:
        torch.cuda.set_rng_state(states[_RANDOM_CUDA], device)


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
