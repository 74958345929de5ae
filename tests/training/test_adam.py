"""Adam without torch's compiler: the same steps, and the compiler is not imported."""

from __future__ import annotations

import subprocess
import sys

import torch
from torch.optim import Adam

from cleanplate.training.adam import EagerAdam

SCRIPT = """
import sys
import torch
from cleanplate.training.adam import EagerAdam

weight = torch.nn.Parameter(torch.ones(3))
adam = EagerAdam([weight], lr=0.1, fused=True)
(weight**2).sum().backward()
adam.step()
adam.load_state_dict(adam.state_dict())
adam.zero_grad()
assert weight.grad is None
assert 0.89 < float(weight[0]) < 0.91
print(*(name for name in sys.modules if name.startswith("torch._dynamo")))
"""


def steps(kind: type[Adam]) -> list[torch.Tensor]:
    torch.manual_seed(0)
    weights = [torch.nn.Parameter(torch.randn(5, 3)), torch.nn.Parameter(torch.randn(3))]
    adam = kind(weights, lr=0.05, betas=(0.8, 0.95), fused=True)
    states = []
    for number in range(12):
        if number == 6:  # goes on from what was saved
            saved = adam.state_dict()
            adam = kind(weights, lr=0.05, betas=(0.8, 0.95), fused=True)
            adam.load_state_dict(saved)
        adam.zero_grad()
        ((weights[0] * weights[1]).tanh() ** 2).sum().backward()
        adam.step()
        states += [weight.detach().clone() for weight in weights]
    return states


def test_steps_are_those_of_adam() -> None:
    assert all(map(torch.equal, steps(EagerAdam), steps(Adam)))


def test_the_compiler_is_not_imported() -> None:
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
