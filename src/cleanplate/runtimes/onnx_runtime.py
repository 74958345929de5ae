"""A learned network run by ONNX Runtime: backgrounds without torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleanplate.errors import SceneFileError, SettingsError, shortened, shown
from cleanplate.frames import ExtraModalities, Modality, Picture
from cleanplate.modalities import FeatureExtractor, ModalitySettings, open_reader
from cleanplate.pixels.planes import to_pictures, to_planes
from cleanplate.scene_file import ONNX, tensors_digest
from cleanplate.scene_model.estimator import method_tensors
from cleanplate.settings import LearnSettings
from cleanplate.untrusted import UntrustedError, read_regular

DIGEST = "tensors_sha256"
"""Key of the file's notes: what network it was made of."""
_MOST_BYTES = (2 << 30) - 1
"""Of a graph: what its format can hold."""
_FATAL = 4
_PROVIDERS = {"auto": "CPUExecutionProvider", "cpu": "CPUExecutionProvider"}


class OnnxEstimator:
    """The backgrounds of a network that was exported, with the correction of that time in them.

    Args:
        session: Of the file.
        tensors: Those of the network; kept so that it can be saved again.
        correction: Of the backgrounds, as it was exported; None: there was none.
        start_plate: Plate that the network started from, `(h, w, 3)`.
        modalities: How what it reads beside RGB is computed.
    """

    still_plate = None
    network = None

    def __init__(
        self,
        session: Any,
        tensors: Mapping[str, NDArray[Any]],
        *,
        correction: NDArray[np.int16] | None,
        start_plate: Picture,
        modalities: ModalitySettings,
    ) -> None:
        self._session = session
        self._correction = correction
        self._tensors = dict(tensors)
        self._start_plate = start_plate
        self._modalities = modalities
        names = {each.name for each in session.get_inputs()}
        if not names <= set(Modality):
            raise SceneFileError(f"{ONNX} reads {shown(sorted(names))}, which no frame has")
        self._reads = sorted(map(Modality, names))

    @property
    def included_correction(self) -> NDArray[np.int16] | None:
        """The correction that was exported with the network."""
        return self._correction

    def estimate(self, pictures: Picture, extras: ExtraModalities | None = None) -> Picture:
        """Background of each picture, rounded to grey levels."""
        inputs = {Modality.RGB: to_planes(pictures), **(extras or {})}
        feed = {name.value: inputs[name] for name in self._reads}
        try:
            (background,) = self._session.run(["background"], feed)
        except Exception as error:  # its errors share no class but this
            raise SceneFileError(f"{ONNX} cannot be run: {shortened(error)}") from error
        if background.dtype != np.float32 or background.shape != inputs[Modality.RGB].shape:
            raise SceneFileError(f"{ONNX} gives no backgrounds of the scene's size")
        return to_pictures(background)

    def feature_extractors(self) -> dict[Modality, FeatureExtractor]:
        """One for each input of the graph beside RGB."""
        return {
            name: open_reader(name, self._modalities, self._start_plate)
            for name in self._reads
            if name is not Modality.RGB
        }

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Those of the network."""
        return self._tensors


def open_onnx(
    run: Path,
    settings: LearnSettings,
    tensors: Mapping[str, NDArray[Any]],
    *,
    start_plate: Picture,
    device: str,
    correction: NDArray[np.int16] | None,
) -> OnnxEstimator:
    """The estimator of a scene folder into which its network was exported.

    Args:
        run: Folder of the scene.
        settings: Those of the scene.
        tensors: Those of the network.
        start_plate: Plate that the network started from, in the working size.
        device: Where to compute.
        correction: Of the scene's backgrounds, which has to be the exported one.

    Raises:
        SettingsError: The extra is not installed, or the device is none for this runtime.
        SceneFileError: There is no such file, or it is not of this scene.
    """
    path = run / ONNX
    if not path.is_file():
        raise SceneFileError(f"{run} holds no {ONNX}; write it with: cleanplate export {run}")
    session = open_session(path, device, inside=run)
    exported = method_tensors(tensors, correction)
    if session.get_modelmeta().custom_metadata_map.get(DIGEST) != tensors_digest(exported):
        raise SceneFileError(
            f"{path} was made of another network than the one in {run}; "
            f"write it again with: cleanplate export {run} --overwrite"
        )
    return OnnxEstimator(
        session,
        tensors,
        correction=correction,
        start_plate=start_plate,
        modalities=settings.modalities(),
    )


def open_session(path: Path, device: str = "auto", *, inside: Path | None = None) -> Any:
    """A session of ONNX Runtime for a file.

    Args:
        path: The file.
        device: Where to compute.
        inside: Folder that it must not leave by links; None: links are followed.

    Raises:
        SettingsError: The extra is not installed, or the device is none for this runtime.
        SceneFileError: The file cannot be read.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise SettingsError(
            "this needs the package onnxruntime; install it with: pip install 'cleanplate[onnx]'"
        ) from error
    provider = _PROVIDERS.get(device, "CUDAExecutionProvider")
    if provider not in onnxruntime.get_available_providers():
        raise SettingsError(f"device '{device}' is none that this onnxruntime has; give cpu")
    options = onnxruntime.SessionOptions()
    # Threads that wait by turning in a circle take the processor from those that decode and cut.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Its warnings about odd graphs would go to stderr.
    options.log_severity_level = _FATAL
    try:
        content = read_regular(path, _MOST_BYTES, inside=inside)
    except (UntrustedError, OSError) as error:
        raise SceneFileError(f"{path} cannot be read: {shortened(error)}") from error
    try:
        # From memory, a graph cannot name other files as parts of itself.
        return onnxruntime.InferenceSession(content, options, providers=[provider])
    except Exception as error:  # its errors share no class but this
        reason = shortened(error)
        raise SceneFileError(f"{path} is no network that can be run: {reason}") from error
