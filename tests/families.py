"""Methods for tests that cost a training each: one of each kind always, the others every night."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

_ALWAYS = ("lowrank_ae", "conv_ae", "vae", "dcgan", "rgb_flow_ae", "bootstrap_plate")
"""A linear decoder, a plain network, random codes, an adversary, and two that read flow."""
_OTHERS = (
    "adversarial_ae",
    "coupled_ae",
    "denoising_ae",
    "multi_decoder_ae",
    "multi_scale_ae",
    "noise_ae",
    "patch_ae",
    "patch_attention_ae",
    "pooled_plate",
    "rgb_mask_ae",
    "two_encoder_ae",
)
"""Each differs from one of the first by what its own tests try; a new method is in neither."""


def some_nightly(
    names: Iterable[str], *, always: Iterable[str] = _ALWAYS, slow: bool = False
) -> list[Any]:
    """The names as parameters of a test, most of ours marked `nightly`.

    Args:
        names: Of methods, or texts that begin with one.
        always: Those of ours that every run tries; a method that is new is tried by every run too.
        slow: Mark the others `slow`, unless the whole test is.
    """
    kept = set(always)
    rest = {*_ALWAYS, *_OTHERS} - kept
    marks = (pytest.mark.slow,) if slow else ()
    return [
        pytest.param(name, marks=(pytest.mark.nightly, *marks) if _method(name) in rest else marks)
        for name in names
    ]


def _method(name: str) -> str:
    return name.split(maxsplit=1)[0]
