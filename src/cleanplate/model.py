"""The one method that every network of this package has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar, NamedTuple

from torch import Tensor, nn

from cleanplate.frames import Modality
from cleanplate.tensor_tools.batch import FrameBatch


class LinearDecoder(NamedTuple):
    """How a model mixes its background: a plate, and images weighted by a thumbnail's codes.

    Attributes:
        plate: `(3, H, W)`, [0, 1].
        images: `(K, 3, H, W)`.
        thumbnail_size: Height and width of the thumbnail, the frame under adaptive mean pooling.
        codes: Thumbnails `(B, 3, h, w)` in [0, 1] to the weights of the images, `(B, K)`.
    """

    plate: Tensor
    images: Tensor
    thumbnail_size: tuple[int, int]
    codes: Callable[[Tensor], Tensor]


class BackgroundModel(nn.Module, ABC):
    """A network whose output is the empty scene.

    `forward` may return whatever its objective trains on (a tensor or a NamedTuple of tensors),
    never a loss.

    Attributes:
        modalities: What the model reads of a frame to estimate its background.
    """

    modalities: ClassVar[frozenset[Modality]] = frozenset({Modality.RGB})

    @property
    def is_one_graph(self) -> bool:
        """Whether an estimate is a fixed sequence of operations, which can be exported."""
        return True

    @abstractmethod
    def estimate_background(self, batch: FrameBatch) -> Tensor:
        """Background of each frame, `(B, 3, H, W)`, float in [0, 1].

        What a network adds to a plate may go a little past black or white, so that learning has a
        gradient there; `to_pictures` and an exported graph hold it in range.
        """

    def codes(self, batch: FrameBatch) -> Tensor:
        """What the network makes of each frame before it draws, `(B, N)`, any numbers.

        A network without codes, as here, gives `(B, 0)`.
        """
        return batch.rgb.new_empty(len(batch.rgb), 0)

    def linear_decoder(self) -> LinearDecoder | None:
        """What the model mixes, if that is all it does: such backgrounds are drawn faster."""
        return None

    def code_facts(self, batch: FrameBatch) -> Mapping[str, Tensor]:  # noqa: ARG002
        """What else is known of each number of the codes, by name, `(N,)` each.

        For people to read: a column of `latent.csv` of the run for each name.
        """
        return {}

    def pictures(self, batch: FrameBatch) -> Mapping[str, Tensor]:  # noqa: ARG002
        """What the network can draw beside the background, by caption.

        Each `(N, 3, h, w)`, float in [0, 1], N being any number. For people to look at: one picture
        of each caption stands in `pictures.jpg` of the run.
        """
        return {}
