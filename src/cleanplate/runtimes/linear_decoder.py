"""Fast path of a linear decoder: backgrounds of a model that mixes images, from bytes to bytes.

The network itself takes and gives planes of floats. What `LinearDecoder` says of it allows two
short cuts on a CPU that change nothing but the last bit: thumbnails are summed from the frame's
bytes, and the mixture is drawn in the order of the picture's bytes, a band that fits the cache at a
time.
"""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from cleanplate.frames import FloatMap, FrameSize, Picture
from cleanplate.model import LinearDecoder
from cleanplate.tensor_tools.one_thread import on_one_thread

_BAND_VALUES = 16_384
"""Bytes of each picture that are drawn at a time."""


class FastLinearDecoder:
    """Draws the backgrounds of one model whose parameters stay as they are."""

    def __init__(self, linear_decoder: LinearDecoder) -> None:
        count, channels, height, width = linear_decoder.images.shape
        self._decoder = linear_decoder
        self._size = FrameSize(height, width)
        layers = torch.cat([linear_decoder.images, linear_decoder.plate[None]]).detach().mul(255)
        rows = max(1, _BAND_VALUES // (width * channels))
        self._bands = [
            layers[:, :, first : first + rows].permute(0, 2, 3, 1).reshape(count + 1, -1)
            for first in range(0, height, rows)
        ]
        self._thumbnail_size = FrameSize(*linear_decoder.thumbnail_size)
        self._rows = _windows(height, linear_decoder.thumbnail_size[0])
        self._columns = _windows(width, linear_decoder.thumbnail_size[1])
        areas = np.outer(np.subtract(*self._rows[::-1]), np.subtract(*self._columns[::-1]))
        self._full_scale = (255 * areas[..., None]).astype(np.float32)

    def backgrounds(self, pictures: Picture) -> Picture:
        """Background of each picture, `(B, h, w, 3)`, uint8, rounded."""
        return on_one_thread(partial(self._drawn, pictures))

    def _drawn(self, pictures: Picture) -> Picture:
        drawn = np.empty((len(pictures), self._size.pixels * 3), np.uint8)
        with torch.no_grad():
            thumbnails = np.stack([self._thumbnail(picture) for picture in pictures])
            codes = self._decoder.codes(torch.from_numpy(thumbnails).permute(0, 3, 1, 2))
            weights = torch.cat([codes, codes.new_ones(len(codes), 1)], dim=1)
            first = 0
            for band in self._bands:
                values = torch.mm(weights, band).clamp_(min=0).numpy()
                drawn[:, first : first + values.shape[1]] = cv2.convertScaleAbs(values)
                first += values.shape[1]
        return drawn.reshape(pictures.shape)

    def _thumbnail(self, picture: Picture) -> FloatMap:
        """Mean of each window of the adaptive pooling that the network sees, in [0, 1]."""
        small = self._thumbnail_size
        if self._size.height % small.height == 0 and self._size.width % small.width == 0:
            return _block_means(picture, small)
        sums = cv2.integral(picture)
        rows = sums[self._rows[1]] - sums[self._rows[0]]
        windows = rows[:, self._columns[1]] - rows[:, self._columns[0]]
        return np.asarray(windows / self._full_scale, np.float32)


def _block_means(picture: Picture, size: FrameSize) -> FloatMap:
    """The same where the windows are blocks that do not overlap: five times as fast."""
    height, width = picture.shape[0] // size.height, picture.shape[1]
    blocks = picture.reshape(size.height, height, -1).transpose(1, 0, 2).reshape(height, -1)
    sums = cv2.reduce(blocks, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32F)
    rows = sums.reshape(size.height, width, 3)
    means = cv2.resize(rows, (size.width, size.height), interpolation=cv2.INTER_AREA)
    return np.asarray(means / np.float32(255 * height), np.float32)


def _windows(length: int, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the windows of an adaptive pooling begin and end."""
    index = np.arange(count)
    return index * length // count, -(-(index + 1) * length // count)
