"""What estimates the background of a frame: numpy in, numpy out, whatever the method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import ExtraModalities, Modality, Picture
from cleanplate.modalities import FeatureExtractor

if TYPE_CHECKING:
    import torch

    from cleanplate.model import BackgroundModel

PLATE = "plate"
START_PLATE = "start_plate_picture"
CORRECTION = "ghost_repair"
"""Names of tensors that are not a network's own."""


class Network(NamedTuple):
    """A network that torch runs.

    Attributes:
        model: In evaluation mode.
        device: Where it is.
    """

    model: BackgroundModel
    device: torch.device


class BackgroundEstimator(Protocol):
    """What knows the background of a frame in one state of a scene.

    At most one of `still_plate` and `network` is there: what has tensors takes the work over from
    `estimate` by them. With neither, only `estimate` knows the background.
    """

    @property
    def still_plate(self) -> Picture | None:
        """The background of every frame, `(h, w, 3)`; None: it depends on the frame."""
        ...

    @property
    def network(self) -> Network | None:
        """The network that draws it; None: nothing that torch runs does."""
        ...

    @property
    def included_correction(self) -> NDArray[np.int16] | None:
        """The part of the state's correction that is in `estimate` already; None: nothing."""
        ...

    def estimate(self, pictures: Picture, extras: ExtraModalities | None = None) -> Picture:
        """Background of each picture, `(B, h, w, 3)`, uint8, RGB."""
        ...

    def feature_extractors(self) -> dict[Modality, FeatureExtractor]:
        """Fresh readers of what the method reads beside RGB, for one stream."""
        ...

    def tensors(self) -> dict[str, NDArray[Any]]:
        """All that has to be kept to estimate again, by name."""
        ...


def method_tensors(
    tensors: Mapping[str, NDArray[Any]], correction: NDArray[np.int16] | None
) -> dict[str, NDArray[Any]]:
    """Tensors of an estimator with the correction of its backgrounds, if there is one."""
    return dict(tensors) if correction is None else {**tensors, CORRECTION: correction}


class StillPlate:
    """The same plate for every frame.

    Args:
        plate: `(h, w, 3)`, uint8, RGB.
    """

    network = None
    included_correction = None

    def __init__(self, plate: Picture) -> None:
        self._plate = plate

    @property
    def still_plate(self) -> Picture:
        """The plate."""
        return self._plate

    def estimate(self, pictures: Picture, extras: ExtraModalities | None = None) -> Picture:  # noqa: ARG002
        """The plate, once for each picture."""
        return np.broadcast_to(self._plate, pictures.shape)

    def feature_extractors(self) -> dict[Modality, FeatureExtractor]:
        """None: a plate reads nothing."""
        return {}

    def tensors(self) -> dict[str, NDArray[Any]]:
        """The plate."""
        return {PLATE: self._plate}
