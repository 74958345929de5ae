"""The tensors of one step; the first module that imports torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cleanplate.errors import ModalityError
from cleanplate.frames import ExtraModalities, Modality, Picture
from cleanplate.pixels import planes


@dataclass(frozen=True, eq=False)
class FrameBatch:
    """Frames of one scene, with what a model may read beside their colours.

    Attributes:
        rgb: `(B, 3, H, W)`, float32 in [0, 1].
        extras: Other modalities by name, each `(B, C, H, W)`, float32.
        expected: What the empty scene is expected to look like in each frame, `(B, 3, H, W)`; only
            training reads it. None: not known.
        contested: `(1, 1, H, W)`, bool, where something else stood as long as the initial plate was
            seen; None: nowhere.
    """

    rgb: Tensor
    extras: Mapping[Modality, Tensor] = field(default_factory=dict)
    expected: Tensor | None = None
    contested: Tensor | None = None

    @property
    def target(self) -> Tensor:
        """What a background is compared with in training, `(B, 3, H, W)`.

        The frames. Where the recording alone cannot tell the scene from what stood in front of it
        the expected plate stands in for them: there a network learns the light and nothing else.
        """
        if self.expected is None or self.contested is None:
            return self.rgb
        return torch.where(self.contested, self.expected, self.rgb)

    def read(self, modality: Modality) -> Tensor:
        """Tensor of one modality.

        Raises:
            ModalityError: The batch does not hold it.
        """
        if modality is Modality.RGB:
            return self.rgb
        if modality not in self.extras:
            raise ModalityError(
                f"the model reads '{modality}', which this batch does not hold; "
                "give a source that provides it"
            )
        return self.extras[modality]


def to_tensor(pictures: Picture, device: torch.device | str = "cpu") -> Tensor:
    """Pictures `(B, H, W, 3)` uint8 as `(B, 3, H, W)` float32 in [0, 1] on the device."""
    return to_shares(to_planes(pictures, device))


def to_planes(pictures: Picture, device: torch.device | str = "cpu") -> Tensor:
    """Pictures `(B, H, W, 3)` uint8 as `(B, 3, H, W)` uint8 on the device."""
    # torch warns of memory that must not be written to, as that of a picture from elsewhere may be.
    stack = to_device(np.require(pictures, np.uint8, ["C", "W"]), device)
    # Bytes are turned round before they become floats: a quarter of the memory to move.
    return stack.permute(0, 3, 1, 2).contiguous()


def to_device(values: NDArray[np.generic], device: torch.device | str) -> Tensor:
    """An array as a tensor on the device.

    From memory that may not be paged out a GPU fetches it by itself, while work goes on here.
    """
    tensor = torch.from_numpy(values)
    if torch.device(device).type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def to_shares(grey_levels: Tensor) -> Tensor:
    """Grey levels, uint8, as float32 in [0, 1] of the same shape."""
    return grey_levels.to(torch.float32).div_(255)


def to_grey_levels(images: Tensor) -> Tensor:
    """Images in [0, 1] as uint8 of the same shape, rounded, held in range, on their device."""
    return images.detach().float().mul(255).round_().clamp_(0, 255).to(torch.uint8)


def make_batch(
    pictures: Picture, extras: ExtraModalities, device: torch.device | str = "cpu"
) -> FrameBatch:
    """Batch of pictures `(B, H, W, 3)` uint8 with their other modalities, on the device."""
    tensors = {name: to_device(values, device) for name, values in extras.items()}
    return FrameBatch(to_tensor(pictures, device), tensors)


def to_pictures(images: Tensor) -> Picture:
    """Images `(B, 3, H, W)` in [0, 1] as pictures `(B, H, W, 3)` uint8, rounded, held in range."""
    return planes.to_pictures(images.detach().cpu().numpy())
