"""A gate that lets the static part of a picture pass and holds back what moves."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

_REACH = 5
"""Side of the gate's convolutions in pixels."""
_DOUBTFUL = 8 / 255
"""Residual in one channel that speaks half as loud as the largest."""


class BackgroundGate(nn.Module):
    """Probability that a pixel shows the background, 1 - P(foreground), `(B, 1, h, w)`.

    The additive attention gate of Oktay et al. 2018 (arXiv:1804.03999, equation 1),
    sigmoid(psi(relu(W_r residual + W_d drawn))), with the opposite meaning: theirs opens for the
    object that is looked for, this one for everything else.
    """

    def __init__(self, *, width: int) -> None:
        super().__init__()
        middle = _REACH // 2
        self.from_residual = nn.Conv2d(3, width, _REACH, padding=middle)
        self.from_drawn = nn.Conv2d(3, width, _REACH, padding=middle, bias=False)
        self.to_gate = nn.Conv2d(width, 1, _REACH, padding=middle)

    def forward(self, residual: Tensor, drawn: Tensor) -> Tensor:
        """Logits; their sigmoid is the probability.

        Args:
            residual: What the drawn picture does not explain, `(B, 3, h, w)`, with sign.
            drawn: The picture as far as it was drawn without shortcuts, `(B, 3, h, w)`.
        """
        # A car may be darker or brighter than the street: only how far it is off tells. Raw
        # differences are so small that the gate would spend its learning on growing its weights.
        off = residual.abs()
        evidence = self.from_residual(off / (off + _DOUBTFUL)) + self.from_drawn(drawn)
        return self.to_gate(functional.relu(evidence))


def narrow_gate(gate: Tensor) -> Tensor:
    """Gate of maps that a convolution of 4x4 pixels with stride 2 made, `(B, C, h / 2, w / 2)`.

    A feature passes as far as the least static pixel that it has seen.
    """
    return -functional.max_pool2d(-gate, 4, stride=2, padding=1)
