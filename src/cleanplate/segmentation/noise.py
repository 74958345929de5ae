"""Noise map: how much each pixel differs from its background when nothing is there."""

from __future__ import annotations

import numpy as np

from cleanplate.frames import FloatMap, Mask

_TILE_BYTES = 32_000_000
_QUARTILE_FACTOR = 2
_QUARTILE_MARGIN = 6


def noise_map(residuals: Mask, seen_share: FloatMap | None = None) -> Mask:
    """Noise of each pixel from residuals `(N, H, W)`: `(H, W)`, uint8, in grey levels.

    The median of the residuals, or twice their lower quartile plus 6 where that is less: what sways
    raises its own threshold, but a visit of more than half of the recording does not, since it
    leaves the lower quartile alone. Where the scene is seen in fewer frames still, the median of so
    many of the smallest residuals is the limit.

    Args:
        residuals: Of frames spread over the recording.
        seen_share: `(H, W)`, 0 to 1, the share of the frames that show the scene; None: all.
    """
    count, height, width = residuals.shape
    noise = np.empty((height, width), np.uint8)
    rows = max(1, _TILE_BYTES // max(1, count * width))
    for top in range(0, height, rows):
        tile = residuals[:, top : top + rows]
        ranks = (count // 4, count // 2)
        # A pixel that is seen in a share of the frames has a rank of its own.
        ordered = np.partition(tile, ranks, axis=0) if seen_share is None else np.sort(tile, axis=0)
        quartile = ordered[ranks[0]].astype(np.int32)
        limit = _QUARTILE_FACTOR * quartile + _QUARTILE_MARGIN
        noise[top : top + rows] = np.minimum(ordered[ranks[1]], limit)
        if seen_share is not None:
            middle = (seen_share[top : top + rows] * count / 2).astype(np.intp)[None]
            seen = np.take_along_axis(ordered, np.minimum(middle, ranks[1]), axis=0)[0]
            np.minimum(noise[top : top + rows], seen, out=noise[top : top + rows])
    return noise
