"""The gate: what it reads, and how it narrows with the maps."""

from __future__ import annotations

import pytest
import torch

from cleanplate.nn.attention import BackgroundGate, narrow_gate


@pytest.mark.parametrize("size", [(8, 8), (37, 53), (120, 160)])
def test_the_gate_has_one_number_for_each_pixel(size: tuple[int, int]) -> None:
    logits = BackgroundGate(width=4)(torch.randn(2, 3, *size), torch.randn(2, 3, *size))
    assert logits.shape == (2, 1, *size)


def test_darker_and_brighter_than_drawn_are_alike_to_the_gate() -> None:
    gate, residual, drawn = BackgroundGate(width=4), torch.randn(1, 3, 16, 16), torch.zeros(3, 1, 1)
    drawn = drawn.expand(1, 3, 16, 16)
    assert torch.equal(gate(residual, drawn), gate(-residual, drawn))


def test_the_gate_reads_the_residual_and_what_was_drawn() -> None:
    gate = BackgroundGate(width=4)
    residual, drawn = torch.randn(2, 1, 3, 16, 16).requires_grad_().unbind()
    gradients = torch.autograd.grad(gate(residual, drawn).sum(), (residual, drawn))
    assert all(float(gradient.abs().sum()) > 0 for gradient in gradients)


def test_a_feature_passes_as_far_as_the_least_static_pixel_that_it_has_seen() -> None:
    gate = torch.rand(2, 1, 16, 24)
    maps = torch.nn.Conv2d(1, 1, 4, stride=2, padding=1, bias=False)(gate)
    narrow = narrow_gate(gate)
    assert narrow.shape == maps.shape
    padded = torch.nn.functional.pad(gate, (1, 1, 1, 1), value=1.0)
    for row, column in ((0, 0), (3, 7), (7, 11)):
        seen = padded[:, 0, 2 * row : 2 * row + 4, 2 * column : 2 * column + 4]
        assert torch.equal(narrow[:, 0, row, column], seen.amin(dim=(1, 2)))


def test_an_open_gate_stays_open_and_a_closed_one_closed() -> None:
    for value in (0.0, 1.0):
        assert torch.equal(
            narrow_gate(torch.full((1, 1, 8, 8), value)), torch.full((1, 1, 4, 4), value)
        )
