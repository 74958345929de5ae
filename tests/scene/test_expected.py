"""What a network holds, known before it is built."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cleanplate.architectures.base import BuildContext
from cleanplate.baselines import STILL_BASELINES
from cleanplate.errors import SceneFileError
from cleanplate.frames import FrameSize
from cleanplate.scene.expected import require_tensors
from cleanplate.scene_reading import SceneHead, TensorKind
from cleanplate.settings import LearnSettings, known_methods, resolve

SIZE = FrameSize(40, 56)
DTYPES = {torch.float32: "F32", torch.uint8: "U8", torch.int64: "I64", torch.bool: "BOOL"}
LEARNED = sorted(set(known_methods()) - set(STILL_BASELINES))


def head_of(settings: LearnSettings, tensors: dict[str, TensorKind]) -> SceneHead:
    tree = settings.as_tree()
    return SceneHead(Path("scene"), {}, tree, SIZE, SIZE, "cpu", tensors)


def kinds_of(settings: LearnSettings) -> dict[str, TensorKind]:
    plate = np.full((*SIZE, 3), 90, np.uint8)
    model = settings.architecture().build(settings.model, BuildContext(plate))
    kinds = {n: TensorKind(DTYPES[t.dtype], tuple(t.shape)) for n, t in model.state_dict().items()}
    return {**kinds, "start_plate_picture": TensorKind("U8", (*SIZE, 3))}


@pytest.mark.parametrize("method", LEARNED)
def test_a_network_is_laid_out_as_it_is_built(method: str) -> None:
    for recipe in resolve({"method": method}).architecture().recipes:
        settings = resolve({"method": method, "recipe": recipe})
        tensors = kinds_of(settings)
        require_tensors(head_of(settings, tensors), settings)
        name = next(name for name in tensors if name != "start_plate_picture")
        for kind in (TensorKind("F64", tensors[name].shape), TensorKind("F32", (10**9, 10**9))):
            with pytest.raises(SceneFileError, match="do not fit"):
                require_tensors(head_of(settings, {**tensors, name: kind}), settings)
        with pytest.raises(SceneFileError, match="it has no other"):
            require_tensors(head_of(settings, {**tensors, "other": kind}), settings)


def test_an_enormous_network_is_refused_without_memory_for_it() -> None:
    settings = resolve({"method": "conv_ae", "model": {"width": 10**9}})
    tensors = {"start_plate_picture": TensorKind("U8", (*SIZE, 3))}
    with pytest.raises(SceneFileError):
        require_tensors(head_of(settings, tensors), settings)
