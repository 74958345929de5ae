"""The primitives that the sequence of steps asks of a library of arrays.

The steps (`cut`, `cleanup`, `evidence`) are written once and name no library. Masks are combined by
`&`, `|` and `~`, which work alike on bytes of 0 and 255 and on bools; all else is a primitive here.
`opencv.ArrayOps` has them for one frame on numpy and OpenCV, `tensor_segmentation.TensorOps` for
many frames on torch. They give the same to the last bit, but for the means of windows of logarithms
in `shadow_tests`, which are summed in another order: where one lies within rounding of a limit,
that pixel may be judged otherwise, and with it its patch; and but for a grey level in `relit`.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, Protocol, TypeAlias

from cleanplate.segmentation.shadows import ShadowTests

# No annotation names the types of two libraries at once; operators take and give their own.
Bits: TypeAlias = Any
"""Masks, `(..., h, w)`: 0 and 255, or bool."""
Maps: TypeAlias = Any
"""Numbers, one for each pixel, `(..., h, w)`."""
Pictures: TypeAlias = Any
"""`(h, w, 3)` or `(B, 3, h, w)`, uint8."""
Flags: TypeAlias = Any
"""One for each frame, in the form of a mask or map of one pixel."""
Numbers: TypeAlias = Any
"""One for each pixel of a mask, or for each of its regions, `(N,)`."""
Part: TypeAlias = Any
"""Index of rows and columns, of pictures and of maps."""
Shape: TypeAlias = tuple[int, ...]
"""How far a structuring element reaches to each side of its middle, row by row."""


class Seen(NamedTuple):
    """Frames, or a part of them, and what they are compared with.

    Attributes:
        picture: The frames.
        background: In their light.
        difference: Of both, summed over RGB and blurred.
        threshold: Above which that is foreground.
        edge: The outermost pixels of the frames.
        coloured: Whether there are colours, so that colour is evidence.
    """

    picture: Pictures
    background: Pictures
    difference: Maps
    threshold: Maps
    edge: Bits
    coloured: Flags

    def within(self, part: Part) -> Seen:
        """A part of it."""
        *maps, coloured = self
        return Seen._make([*(each[part] for each in maps), coloured])


class PixelSet(Protocol):
    """The pixels of a mask, `(N,)`."""

    def at(self, values: Maps | Flags) -> Numbers:
        """The values there."""

    def are_in(self, mask: Bits | Flags) -> Numbers:
        """Whether each is in a mask, bool."""

    def colours(self, picture: Pictures) -> tuple[Numbers, ...]:
        """Red, green and blue there, float32."""

    def mask(self, chosen: Numbers) -> Bits:
        """The mask of those chosen, by a bool for each."""


class Regions(PixelSet, Protocol):
    """The 8-connected regions of a mask, and its pixels.

    Where a second mask divides them, each region has two numbers, one after the other: of its rest,
    and of its part in that mask.
    """

    def total(self, values: Numbers) -> Numbers:
        """Sum of values, one for each pixel, over each region, or over rest and part of each."""

    def covered(self, chosen: Numbers) -> Bits:
        """The mask of the regions chosen, by a bool for each."""


class Ops(Protocol):
    """The primitives, and what they know of the scene.

    Attributes:
        threshold: Difference above which pixels are foreground.
        low_threshold: The same within regions that differ clearly; None: no such regions.
        strong_threshold: Above which a single pixel is strong evidence.
        edge: The outermost pixels of a frame.
        general: For which frames the scene's own shadows are not known; None: for none.
        loss: What its own shadows do to red, green and blue, as a share of the light, NaN where
            they are not known; None: known for no frame.
    """

    threshold: Maps
    low_threshold: Maps | None
    strong_threshold: Maps
    edge: Bits
    general: Flags | None
    loss: tuple[Flags, ...] | None

    def coloured(self, picture: Pictures, background: Pictures) -> Flags:
        """Whether frame or background have colours, so that colour is evidence."""

    def difference(self, picture: Pictures, background: Pictures, coloured: Flags) -> Maps:
        """Absolute difference summed over RGB, uint8, held at 255; more counts without colours."""

    def relit(self, picture: Pictures, background: Pictures, difference: Maps) -> Pictures:
        """The background in the light of the frame; itself where the light is its own."""

    def blurred(self, values: Maps, side: int, sigma: float) -> Maps:
        """Bytes under a Gaussian window of an odd side; edges are mirrored."""

    def above(self, values: Maps, limit: Maps | float) -> Bits:
        """Where values are greater."""

    def is_empty(self, mask: Bits) -> bool:
        """Whether it is known that a mask has no pixel."""

    def part(self, mask: Bits, reach: int) -> Part:
        """A part of the frame that holds a mask, what is as near, and at least a pixel more."""

    def placed(self, inner: Bits, part: Part, whole: Bits) -> Bits:
        """A mask of a part as one of the whole, of the form of another mask."""

    def median_filter(self, mask: Bits, side: int) -> Bits:
        """Binary median filter with a square of an odd side; edges go on; 0: nothing is done."""

    def dilated(self, mask: Bits, shape: Shape) -> Bits:
        """Mask grown by a structuring element."""

    def eroded(self, mask: Bits, shape: Shape) -> Bits:
        """Mask shrunk by one; what is beyond the edge does not eat it away."""

    def closed(self, mask: Bits, shape: Shape) -> Bits:
        """Mask with the gaps closed that a structuring element does not fit into."""

    def counts(self, mask: Bits, side: int) -> Maps:
        """How many pixels of a mask are in the square around each pixel."""

    def shadow_tests(
        self, picture: Pictures, background: Pictures, considered: Bits
    ) -> ShadowTests:
        """What single pixels with their neighbours say of the light, where it is considered."""

    def pixels(self, mask: Bits) -> PixelSet:
        """The pixels of a mask."""

    def regions(self, mask: Bits, divided_by: Bits | None = None) -> Regions:
        """The 8-connected regions of a mask, or of its parts in and out of another."""


def disc(diameter: int) -> Shape:
    """A disc of an odd diameter, as `cv2.getStructuringElement` draws an ellipse."""
    radius = diameter // 2
    return tuple(
        round(radius * math.sqrt((radius**2 - row**2) / radius**2)) if radius else 0
        for row in range(-radius, radius + 1)
    )


def square(side: int) -> Shape:
    """A square of an odd side."""
    return (side // 2,) * side
