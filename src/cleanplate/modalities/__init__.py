"""What a model may read beside the colours of a frame: one object for files and live streams."""

from __future__ import annotations

from cleanplate.errors import ModalityError
from cleanplate.frames import Modality, Picture
from cleanplate.modalities.base import FeatureExtractor
from cleanplate.modalities.cache import ModalityCache
from cleanplate.modalities.flow import FlowReader, FlowSettings
from cleanplate.modalities.settings import ModalitySettings
from cleanplate.modalities.simple_mask import MaskReader, MaskSettings

__all__ = [
    "FeatureExtractor",
    "FlowReader",
    "FlowSettings",
    "MaskReader",
    "MaskSettings",
    "ModalityCache",
    "ModalitySettings",
    "open_reader",
]


def open_reader(modality: Modality, settings: ModalitySettings, plate: Picture) -> FeatureExtractor:
    """A fresh reader of one modality.

    Args:
        modality: What to read.
        settings: How to read each modality.
        plate: Initial plate, `(h, w, 3)`, uint8, RGB, in the size of the pictures to come.

    Raises:
        ModalityError: Nothing computes this modality.
    """
    if modality is Modality.FLOW:
        return FlowReader(settings.flow)
    if modality is Modality.MASK:
        return MaskReader(settings.mask, plate)
    raise ModalityError(f"nothing computes the modality '{modality}'")
