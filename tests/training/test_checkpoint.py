"""What a checkpoint keeps of the random generators."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cleanplate.training.checkpoint import random_states, set_random_states


def test_the_random_state_of_the_gpu_that_learns_is_kept_and_no_other_is_touched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, str]] = []
    state = torch.zeros(16, dtype=torch.uint8)

    def get_state(device: object = "current") -> Tensor:
        asked.append(("get", str(device)))
        return state

    def set_state(_state: Tensor, device: object = "current") -> None:
        asked.append(("set", str(device)))

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_rng_state", get_state)
    monkeypatch.setattr(torch.cuda, "set_rng_state", set_state)
    for name, expected in (("cpu", []), ("cuda:1", [("get", "cuda:1"), ("set", "cuda:1")])):
        asked.clear()
        set_random_states(random_states(torch.device(name)), torch.device(name))
        assert asked == expected
