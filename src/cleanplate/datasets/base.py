"""What ground truth is: CDnet's five labels, the interface, and numbered pictures in a folder.

The labels are those of CDnet 2014 (Wang et al., "CDnet 2014: An Expanded Change Detection
Benchmark Dataset", CVPR Workshops 2014).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.errors import CleanplateError
from cleanplate.frames import FrameSize

STATIC = 0
"""Label of a pixel that shows the background."""
SHADOW = 50
"""Label of a pixel in the shadow of something that moves; counts as background."""
OUTSIDE = 85
"""Label of a pixel outside the region of interest; not scored."""
UNKNOWN = 170
"""Label of a pixel half covered or blurred by something that moves; not scored."""
MOVING = 255
"""Label of a pixel that shows something that moves: foreground."""

LABELS = (STATIC, SHADOW, OUTSIDE, UNKNOWN, MOVING)
PICTURE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".tif", ".tiff"})

LabelMap: TypeAlias = NDArray[np.uint8]
Region: TypeAlias = NDArray[np.bool_]


class GroundTruth(Protocol):
    """True labels of the frames of one scene, read one frame at a time."""

    @property
    def name(self) -> str:
        """What messages and tables call the scene."""
        ...

    @property
    def size(self) -> FrameSize:
        """Size of every label map."""
        ...

    @property
    def numbers(self) -> Sequence[int]:
        """Numbers of the scored frames, ascending."""
        ...

    @property
    def region(self) -> Region | None:
        """Region of interest, `(H, W)`, true where pixels are scored; None scores all of them."""
        ...

    def read_labels(self, number: int) -> LabelMap:
        """Label map of a scored frame, `(H, W)`, uint8, values of `LABELS`."""
        ...


def frame_number(path: Path) -> int | None:
    """Frame number in a file name: its last run of digits; None where it has none."""
    digits = re.findall(r"[0-9]+", path.stem)
    return int(digits[-1]) if digits else None


def numbered_pictures(
    folder: Path, *, prefix: str, error: type[CleanplateError]
) -> Mapping[int, Path]:
    """Pictures of a folder by frame number, ascending.

    Where any picture's name begins with the prefix, those that do not are left out, so that a
    folder may hold other pictures too.

    Raises:
        error: Two pictures have the same number.
    """
    pictures = [
        (number, path)
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in PICTURE_SUFFIXES
        and (number := frame_number(path)) is not None
        and path.is_file()
    ]
    preferred = [(number, path) for number, path in pictures if path.name.startswith(prefix)]
    found: dict[int, Path] = {}
    for number, path in preferred or pictures:
        if number in found:
            raise error(
                f"'{found[number].name}' and '{path.name}' in '{folder}' are both number {number}; "
                "keep one picture per frame"
            )
        found[number] = path
    return dict(sorted(found.items()))


def read_grey(path: Path, *, error: type[CleanplateError]) -> NDArray[np.uint8]:
    """Values of a grey picture exactly as stored, `(H, W)`, uint8; never scaled or converted.

    A grey picture stored with three equal channels is read as one channel.

    Raises:
        error: The file cannot be read, has more than 8 bits, or is coloured.
    """
    stored = read_picture_file(path, cv2.IMREAD_UNCHANGED)
    if stored is None:
        raise error(f"'{path}' cannot be read as a picture; write it again, for example as PNG")
    if stored.dtype != np.uint8:
        raise error(f"'{path}' has {stored.dtype.itemsize * 8} bits per value; give 8-bit pictures")
    if stored.ndim == 2:
        return stored.astype(np.uint8, copy=False)
    first = stored[..., 0]
    if not all(np.array_equal(first, stored[..., i]) for i in range(1, min(stored.shape[2], 3))):
        raise error(f"'{path}' is a colour picture; give a grey picture of one value per pixel")
    return np.ascontiguousarray(first, dtype=np.uint8)


def read_picture_file(path: Path, flags: int) -> NDArray[np.generic] | None:
    """A picture decoded by OpenCV; None where the file is missing, empty or no picture.

    Unlike `cv2.imread` it reads paths of any alphabet on every system.
    """
    try:
        content = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    except OSError:
        return None
    if not content.size:
        return None
    try:
        picture: NDArray[np.generic] | None = cv2.imdecode(content, flags)
    except cv2.error:  # for example a header that asks for more pixels than OpenCV allows
        return None
    return picture
