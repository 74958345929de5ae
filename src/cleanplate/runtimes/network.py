"""The network of a scene as an estimator of backgrounds, built anew or from its tensors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cleanplate.errors import SceneFileError, SettingsError, shortened
from cleanplate.frames import ExtraModalities, FrameSize, Modality, Picture
from cleanplate.modalities import FeatureExtractor, ModalitySettings, open_reader
from cleanplate.scene_model.estimator import (
    PLATE,
    START_PLATE,
    BackgroundEstimator,
    Network,
    StillPlate,
)
from cleanplate.settings import LearnSettings

if TYPE_CHECKING:
    import torch

    from cleanplate.model import BackgroundModel
    from cleanplate.runtimes.linear_decoder import FastLinearDecoder


class NetworkEstimator:
    """A network's answer for every frame."""

    still_plate = None
    included_correction = None

    def __init__(
        self,
        model: BackgroundModel,
        device: torch.device,
        *,
        start_plate: Picture,
        modalities: ModalitySettings,
    ) -> None:
        self._model = model.eval()
        self._device = device
        self._start_plate = start_plate
        self._modalities = modalities

    @property
    def network(self) -> Network:
        """The network, in evaluation mode."""
        return Network(self._model, self._device)

    def estimate(self, pictures: Picture, extras: ExtraModalities | None = None) -> Picture:
        """Background of each picture, rounded to grey levels."""
        import torch

        from cleanplate.tensor_tools.batch import make_batch, to_pictures

        if self._fast_decoder is not None:
            return self._fast_decoder.backgrounds(pictures)
        with torch.no_grad():
            batch = make_batch(pictures, extras or {}, self._device)
            return to_pictures(self._model.estimate_background(batch))

    @cached_property
    def _fast_decoder(self) -> FastLinearDecoder | None:
        """Draws for the network where that is a linear_decoder on the CPU."""
        from cleanplate.runtimes.linear_decoder import FastLinearDecoder

        linear_decoder = self._model.linear_decoder() if self._device.type == "cpu" else None
        return None if linear_decoder is None else FastLinearDecoder(linear_decoder)

    def feature_extractors(self) -> dict[Modality, FeatureExtractor]:
        """One for each modality of the network beside RGB."""
        return open_feature_extractors(self._model.modalities, self._modalities, self._start_plate)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Parameters and buffers of the network, and the plate that it started from."""
        state = self._model.state_dict()
        arrays = {name: tensor.detach().cpu().numpy() for name, tensor in state.items()}
        return {**arrays, START_PLATE: self._start_plate}


def open_feature_extractors(
    modalities: Iterable[Modality], settings: ModalitySettings, plate: Picture
) -> dict[Modality, FeatureExtractor]:
    """Fresh readers of all modalities but RGB, in a fixed order."""
    others = sorted(set(modalities) - {Modality.RGB})
    return {modality: open_reader(modality, settings, plate) for modality in others}


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
    correction: NDArray[np.int16] | None = None,  # noqa: ARG001 - it is added afterwards
    *,
    size: FrameSize,
    learned_on: str,
    device: str,
) -> BackgroundEstimator:
    """The estimator of a scene file.

    Args:
        settings: Those of the scene.
        tensors: What `BackgroundEstimator.tensors` gave.
        correction: Of the scene's backgrounds, which is not included.
        size: Working size.
        learned_on: Kind of device that the scene was learned on.
        device: Where to estimate.

    Raises:
        SceneFileError: The tensors are not those of the method.
    """
    if settings.is_baseline:
        return StillPlate(_plate_of(tensors, size, PLATE))
    import torch

    from cleanplate.architectures.base import BuildContext
    from cleanplate.tensor_tools.one_thread import on_one_thread

    plate = _plate_of(tensors, size, START_PLATE)
    picked = pick_device(device)

    def built() -> BackgroundModel:
        start = BuildContext(plate, torch.device(learned_on))
        model = settings.architecture().build(settings.model, start)
        state = {name: torch.from_numpy(a) for name, a in tensors.items() if name != START_PLATE}
        try:
            model.load_state_dict(state)
        except RuntimeError as error:
            reason = shortened(str(error).splitlines()[-1].strip())
            raise SceneFileError(f"the tensors do not fit '{settings.method}': {reason}") from error
        return model

    # More threads would be left waiting, and be missing in a process that is forked from this one.
    model = on_one_thread(built)
    return NetworkEstimator(
        model.to(picked), picked, start_plate=plate, modalities=settings.modalities()
    )


def restore_onnx(
    run: Path,
    settings: LearnSettings,
    tensors: Mapping[str, NDArray[Any]],
    correction: NDArray[np.int16] | None = None,
    *,
    size: FrameSize,
    learned_on: str,
    device: str,
) -> BackgroundEstimator:
    """The estimator of a scene whose network was exported into its folder; needs no torch.

    Args:
        run: Folder of the scene.
        settings: Those of the scene.
        tensors: What `BackgroundEstimator.tensors` gave.
        correction: Of the scene's backgrounds, which was exported with the network.
        size: Working size.
        learned_on: Kind of device that the scene was learned on.
        device: Where to estimate.

    Raises:
        SceneFileError: The tensors are not those of the method, or its file is missing.
        SettingsError: The runtime is not installed, or has no such device.
    """
    if settings.is_baseline:
        return restore_estimator(settings, tensors, size=size, learned_on=learned_on, device=device)
    from cleanplate.runtimes.onnx_runtime import open_onnx

    plate = _plate_of(tensors, size, START_PLATE)
    return open_onnx(
        run, settings, tensors, start_plate=plate, device=device, correction=correction
    )


def _plate_of(tensors: Mapping[str, NDArray[Any]], size: FrameSize, name: str) -> Picture:
    plate = tensors.get(name)
    if plate is None or plate.shape != (*size, 3) or plate.dtype != np.uint8:
        raise SceneFileError(f"the tensors hold no {name} of {size}")
    return plate
