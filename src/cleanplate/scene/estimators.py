"""Backgrounds of pictures in the working size, whatever the method; numpy in, numpy out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cleanplate.errors import SceneFileError, SettingsError
from cleanplate.frames import FrameSize, Picture
from cleanplate.settings import LearnSettings

if TYPE_CHECKING:
    import torch

    from cleanplate.model import BackgroundModel


class BackgroundEstimator(Protocol):
    """What knows the background of a frame."""

    def estimate(self, pictures: Picture) -> Picture:
        """Background of each picture, `(B, h, w, 3)`, uint8, RGB."""
        ...

    def tensors(self) -> dict[str, NDArray[Any]]:
        """All that has to be kept to estimate again, by name."""
        ...


class StillPlate:
    """The same plate for every frame."""

    def __init__(self, plate: Picture) -> None:
        self._plate = plate

    def estimate(self, pictures: Picture) -> Picture:
        """The plate, once for each picture."""
        return np.broadcast_to(self._plate, pictures.shape)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """The plate."""
        return {"plate": self._plate}


class NetworkEstimator:
    """A network's answer for every frame."""

    def __init__(self, model: BackgroundModel, device: torch.device) -> None:
        self._model = model.eval()
        self._device = device

    def estimate(self, pictures: Picture) -> Picture:
        """Background of each picture, rounded to grey levels."""
        import torch

        from cleanplate.batch import FrameBatch, to_pictures, to_tensor

        with torch.no_grad():
            batch = FrameBatch(to_tensor(pictures, self._device))
            return to_pictures(self._model.estimate_background(batch))

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Parameters and buffers of the network."""
        state = self._model.state_dict()
        return {name: tensor.detach().cpu().numpy() for name, tensor in state.items()}


def pick_device(name: str) -> torch.device:
    """The device of that name; `auto` is CUDA where there is one.

    Raises:
        SettingsError: There is no such device here.
    """
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise SettingsError(
            f"device '{name}' makes no sense; give auto, cpu, cuda or cuda:N"
        ) from error
    if device.type == "cuda":
        count = torch.cuda.device_count()
        if (device.index or 0) >= count:
            raise SettingsError(
                f"device '{name}' is not there: this machine has {count} CUDA devices; give auto"
            )
    return device


def restore_estimator(
    settings: LearnSettings,
    tensors: Mapping[str, NDArray[Any]],
    *,
    size: FrameSize,
    learned_on: str,
    device: str,
) -> BackgroundEstimator:
    """The estimator of a scene file.

    Args:
        settings: Those of the scene.
        tensors: What `BackgroundEstimator.tensors` gave.
        size: Working size.
        learned_on: Kind of device that the scene was learned on.
        device: Where to estimate.

    Raises:
        SceneFileError: The tensors are not those of the method.
    """
    if settings.is_baseline:
        return StillPlate(_plate_of(tensors, size))
    import torch

    from cleanplate.architectures.base import Start

    start = Start(np.zeros((*size, 3), np.uint8), torch.device(learned_on))
    model = settings.architecture().build(settings.model, start)
    state = {name: torch.from_numpy(array) for name, array in tensors.items()}
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise SceneFileError(f"the tensors do not fit '{settings.method}': {reason}") from error
    picked = pick_device(device)
    return NetworkEstimator(model.to(picked), picked)


def _plate_of(tensors: Mapping[str, NDArray[Any]], size: FrameSize) -> Picture:
    plate = tensors.get("plate")
    if plate is None or plate.shape != (*size, 3) or plate.dtype != np.uint8:
        raise SceneFileError(f"the tensors hold no plate of {size}")
    return plate
