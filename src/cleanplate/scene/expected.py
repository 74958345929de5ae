"""What tensors a scene has to hold, known from its settings before any network is built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from cleanplate.architectures import is_own
from cleanplate.errors import SceneFileError, shortened
from cleanplate.frames import FrameSize
from cleanplate.scene.state_tensors import expected_of_states
from cleanplate.scene_file import MODEL
from cleanplate.scene_model.estimator import PLATE, START_PLATE
from cleanplate.scene_reading import SceneHead, TensorKind
from cleanplate.settings import LearnSettings

if TYPE_CHECKING:
    import torch

    from cleanplate.model import BackgroundModel

_DTYPES = {
    "bool": "BOOL",
    "uint8": "U8",
    "int16": "I16",
    "int64": "I64",
    "float16": "F16",
    "float32": "F32",
    "float64": "F64",
}


def require_tensors(head: SceneHead, settings: LearnSettings | None) -> None:
    """Refuses a scene whose tensors are not those of its method, by what their file says of them.

    A network is laid out without memory for that: a scene that says that it is enormous has to hold
    as much.

    Args:
        head: Of the scene.
        settings: Of the scene; None: its network stays closed, the plates alone are looked at.

    Raises:
        SceneFileError: A tensor is missing, too much, or of another kind.
    """
    size = head.working_size
    expected = expected_of_states(head.tensors, size)
    if settings is None:
        expected |= {n: _plate(size) for n in (PLATE, START_PLATE) if n in head.tensors}
    elif settings.is_baseline:
        expected[PLATE] = _plate(size)
    else:
        expected[START_PLATE] = _plate(size)
        _require(head, expected, is_all=False)
        if not is_own(settings.method):
            return  # nothing is known of the networks of other packages
        expected |= _network(settings, head)
    _require(head, expected, is_all=settings is not None)


def _require(head: SceneHead, expected: Mapping[str, TensorKind], *, is_all: bool) -> None:
    method = shortened(head.settings.get("method", "its method"))
    for name, kind in expected.items():
        found = head.tensors.get(name)
        if found != kind:
            there = "not there" if found is None else str(found)
            raise SceneFileError(
                f"{MODEL} of the scene {head.folder}: the tensors do not fit '{method}': "
                f"{shortened(name)} is {there}, and {kind} is expected"
            )
    unknown = sorted(head.tensors.keys() - expected.keys())
    if is_all and unknown:
        raise SceneFileError(
            f"{MODEL} of the scene {head.folder}: the tensors do not fit '{method}': "
            f"it has no {shortened(unknown[0])}"
        )


def _plate(size: FrameSize) -> TensorKind:
    return TensorKind("U8", (*size, 3))


def _network(settings: LearnSettings, head: SceneHead) -> dict[str, TensorKind]:
    """Kinds of all parameters and buffers of the network."""
    import torch

    from cleanplate.architectures.base import BuildContext
    from cleanplate.tensor_tools.one_thread import on_one_thread

    plate = np.broadcast_to(np.uint8(0), (*head.working_size, 3))
    start = BuildContext(plate, torch.device(head.learned_on))

    def built() -> BackgroundModel:
        with torch.device("meta"):  # shapes alone
            return settings.architecture().build(settings.model, start)

    try:
        model = on_one_thread(built)
    except (RuntimeError, ValueError, OverflowError, TypeError, MemoryError) as error:
        raise SceneFileError(
            f"the network that the scene {head.folder} describes cannot be built: "
            f"{shortened(error)}"
        ) from error
    return {name: _kind(tensor) for name, tensor in model.state_dict().items()}


def _kind(tensor: torch.Tensor) -> TensorKind:
    dtype = str(tensor.dtype).removeprefix("torch.")
    return TensorKind(_DTYPES.get(dtype, dtype), tuple(tensor.shape))
