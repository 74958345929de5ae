"""The states of a scene as tensors of its file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleanplate.errors import SceneFileError
from cleanplate.frames import FrameSize, Mask, Picture
from cleanplate.scene_model import SceneModel
from cleanplate.scene_model.estimator import CORRECTION, method_tensors
from cleanplate.scene_reading import TensorKind

_MAIN = "state_main_plate"
_PLATE, _NOISE = "state_{}_plate", "state_{}_noise"


def tensors_of(model: SceneModel) -> dict[str, NDArray[Any]]:
    """All that has to be kept to estimate again: the method's own, and those of the states."""
    found = method_tensors(model.main.estimator.tensors(), model.main.correction)
    if len(model.states) > 1:
        found[_MAIN] = model.main.plate
    for number, state in enumerate(model.states[1:], start=1):
        found[_PLATE.format(number)] = state.plate
        found[_NOISE.format(number)] = state.noise
    return found


def restore_correction(
    tensors: Mapping[str, NDArray[Any]], size: FrameSize
) -> tuple[dict[str, NDArray[Any]], NDArray[np.int16] | None]:
    """Tensors of the method without the correction, and that; None: there is none.

    Raises:
        SceneFileError: It is of another size.
    """
    method = dict(tensors)
    correction = method.pop(CORRECTION, None)
    if correction is None:
        return method, None
    if correction.shape != (*size, 3) or correction.dtype != np.int16:
        raise SceneFileError(f"the tensors hold no {CORRECTION} of {size}")
    return method, correction


def restore_states(
    tensors: Mapping[str, NDArray[Any]], size: FrameSize
) -> tuple[dict[str, NDArray[Any]], Picture | None, list[tuple[Picture, Mask]]]:
    """Tensors of the method alone, the main plate, and plate and noise of the other states.

    The main plate is None where there is one state only.

    Raises:
        SceneFileError: A tensor of a state is missing, or of another size.
    """
    method = dict(tensors)
    if _MAIN not in method:
        return method, None, []
    main = _popped(method, _MAIN, (*size, 3))
    others: list[tuple[Picture, Mask]] = []
    while (name := _PLATE.format(len(others) + 1)) in method:
        noise = _NOISE.format(len(others) + 1)
        others.append((_popped(method, name, (*size, 3)), _popped(method, noise, tuple(size))))
    return method, main, others


def expected_of_states(tensors: Mapping[str, TensorKind], size: FrameSize) -> dict[str, TensorKind]:
    """Kinds that the tensors of the states have to have, of as many states as there are."""
    correction = TensorKind("I16", (*size, 3))
    expected = {CORRECTION: correction} if CORRECTION in tensors else {}
    if _MAIN not in tensors:
        return expected
    plate, noise = TensorKind("U8", (*size, 3)), TensorKind("U8", tuple(size))
    expected[_MAIN] = plate
    number = 1
    while _PLATE.format(number) in tensors:
        expected |= {_PLATE.format(number): plate, _NOISE.format(number): noise}
        number += 1
    return expected


def _popped(
    tensors: dict[str, NDArray[Any]], name: str, shape: tuple[int, ...]
) -> NDArray[np.uint8]:
    found = tensors.pop(name, None)
    if found is None or found.shape != shape or found.dtype != np.uint8:
        raise SceneFileError(f"the tensors hold no {name} of {FrameSize(*shape[:2])}")
    return found
