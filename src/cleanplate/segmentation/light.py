"""The light of one frame: a background made brighter, darker or tinted as the frame is."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import FloatMap, FrameSize, Mask, Picture
from cleanplate.segmentation.row_light import GAIN_FLOOR, row_gains

_THUMBNAIL_PIXELS = 1600
"""Least pixels of the thumbnails that the light is measured on."""
_SAMPLED = 2
"""The curve of the whole picture is fitted to every second pixel and row of them."""
_AGREES = 0.5
"""Share of the threshold of foreground up to which a pixel agrees with its background."""
CALM = 0.85
"""Where so much of the picture agrees, its light is the background's and nothing is touched."""
_LEAST_GAIN = {"whole": 0.15, "part": 0.08}
"""Share of the picture that a change of the light has to explain."""
_LEAST_AGREEMENT = 0.5
"""Share of the picture that has to agree in the end; less is no change of the light."""
_MOST_LOST = 0.2
"""Pixels that agreed before and no longer, for each one that is explained."""
_FREE_CURVE = 0.4
"""Gain and offset together are tried only where less of the picture agrees: they could make the
sky as bright as the bus that hides it."""
_BETTER = 0.03
"""Share of the picture by which both together have to explain more than one of them."""
_NARROWING = (4.0, 2.0, 1.0, 1.0)
"""Tolerance of each round of a robust fit, in that of agreement."""
_LEAST_USED = 0.1
"""Share of the thumbnail's pixels without which no round is done."""
_DARK, _BRIGHT = 3.0, 252.0
"""Grey levels beyond which a pixel is cut off and says nothing of the light."""
_LEAST_CONTRAST, _MOST_CONTRAST = 1 / 12, 3.0
"""Least and largest gain: a picture that fades in begins in the dark, but what was cut off is not
brought back by more."""
_CELLS = 48
"""Cells of the grid on which local light is measured, about: 8x6 for 4:3."""
_SHARP = 0.12
"""Step of the ratio between neighbours of a thumbnail that is an edge (log units)."""
_MOST_SHARP = 0.5
"""Share of a local change that may happen at edges: light is soft, objects have outlines."""
_LEVELS = np.arange(256, dtype=np.float32)[:, None]


class ToneCurve(NamedTuple):
    """How the whole of a frame is lit in comparison with its background.

    Attributes:
        gain: Factor of R, G and B.
        offset: Grey levels that are added to them afterwards.
    """

    gain: FloatMap
    offset: FloatMap

    def applied(self, values: FloatMap) -> FloatMap:
        """Grey levels `(..., 3)` in the light of the frame, held in 0 to 255."""
        return np.clip(values * self.gain + self.offset, 0, 255)

    def table(self) -> NDArray[np.uint8]:
        """The grey level that each one becomes, `(256, 3)`."""
        levels = self.applied(np.repeat(_LEVELS, 3, axis=1))
        return np.asarray(np.rint(levels).astype(np.uint8))


class LightChange(NamedTuple):
    """What is done to a background for the light of one frame.

    Attributes:
        curve: To the whole of it; None: nothing.
        rows: To bands of it afterwards, `(rows, 1, 3)`, a gain for each `Light.step` rows; None:
            nothing.
        gains: To parts of it after that, `(rows, columns, 3)`, of cells of `Light.cell` pixels;
            None: nothing.
    """

    curve: ToneCurve | None = None
    rows: FloatMap | None = None
    gains: FloatMap | None = None


_SAME_LIGHT = ToneCurve(np.ones(3, np.float32), np.zeros(3, np.float32))


class Light:
    """Explains changes of the light of one scene; holds no memory of the frames it has seen.

    First one gain and one offset for each colour are fitted to the whole picture by robust least
    squares, then a gain to each of its rows, then a soft field of gains to parts of it. Each is
    applied only where it makes most of the picture agree, and takes nothing away from what agreed.

    Args:
        threshold: Difference summed over RGB that is foreground, `(h, w)`, in grey levels.

    Attributes:
        step: Side of the squares of pixels whose means make a thumbnail.
        least_difference: From which on a pixel does not agree with its background, `(h, w)`, uint8.
    """

    def __init__(self, threshold: Mask) -> None:
        self._size = FrameSize(*threshold.shape)
        self.step = max(1, math.isqrt(self._size.pixels // _THUMBNAIL_PIXELS))
        self._tolerance = _AGREES * self.thumbnail(threshold).astype(np.float32)
        self.least_difference = np.ceil(_AGREES * threshold).astype(np.uint8)
        height, width = self._tolerance.shape
        self._cell = max(1, math.isqrt(height * width // _CELLS))
        self._grid = FrameSize(max(1, height // self._cell), max(1, width // self._cell))

    def is_unchanged(self, difference: Mask) -> bool:
        """Whether a frame is so like its background that its light needs no further look.

        Args:
            difference: Summed over RGB, `(h, w)`, uint8.
        """
        agrees = cv2.compare(difference, self.least_difference, cv2.CMP_LT)
        return cv2.countNonZero(agrees) >= CALM * self._size.pixels

    def follow(self, picture: Picture, background: Picture) -> Picture:
        """The background in the light of the picture, `(h, w, 3)`; itself where that is its own."""
        change = self.explain(self.thumbnail(picture), self.thumbnail(background))
        if change.curve is not None:
            table = change.curve.table()
            background = np.asarray(cv2.LUT(background, table[None]), np.uint8)
        if change.rows is not None:
            background = self._lit(background, change.rows, self.band)
        if change.gains is not None:
            background = self._lit(background, change.gains, (self.cell, self.cell))
        return background

    def explain(self, shown: Picture, plate: Picture) -> LightChange:
        """What brings a background into the light of a picture.

        Args:
            shown: Thumbnail of the picture, means over `step` x `step` pixels.
            plate: That of the background.
        """
        frame, lit = shown.astype(np.float32), plate.astype(np.float32)
        agrees = self._agrees(frame, lit)
        if agrees.mean() >= CALM:
            return LightChange()
        curve = self._whole(frame, lit, agrees)
        if curve is not None:
            lit = curve.applied(lit)
            agrees = self._agrees(frame, lit)
        rows = self._rows(frame, lit, agrees) if agrees.mean() < CALM else None
        if rows is not None:
            lit = _gained(lit, rows)
            agrees = self._agrees(frame, lit)
        gains = self._parts(frame, lit, agrees) if agrees.mean() < CALM else None
        return LightChange(curve, rows, gains)

    @property
    def cell(self) -> int:
        """Side of the cells of local gains, in pixels of the frame."""
        return self._cell * self.step

    @property
    def band(self) -> tuple[int, int]:
        """Height and width of what has one gain of the rows, in pixels of the frame."""
        return self.step, self._size.width

    def steadied(self, picture: Picture, plate: Picture) -> Picture:
        """A picture without the bands of lamps that roll through it; itself where there are none.

        Args:
            picture: `(h, w, 3)`.
            plate: Thumbnail of the scene in the mean of its light.
        """
        rows = self.explain(self.thumbnail(picture), plate).rows
        return picture if rows is None else self._lit(picture, np.reciprocal(rows), self.band)

    def likeness(self, picture: Picture, background: Picture) -> float:
        """Share of the picture that agrees with the background in its light, 0 to 1."""
        shown = self.thumbnail(picture).astype(np.float32)
        lit = self.thumbnail(self.follow(picture, background)).astype(np.float32)
        return float(self._agrees(shown, lit).mean())

    def thumbnail(self, picture: Picture | Mask) -> NDArray[np.uint8]:
        """Means over `step` x `step` pixels, of a picture of the frame's size."""
        step, (height, width) = self.step, self._size
        if step == 1:
            return picture
        small = (max(1, width // step), max(1, height // step))
        whole = picture[: small[1] * step, : small[0] * step]
        return np.asarray(cv2.resize(whole, small, interpolation=cv2.INTER_AREA), np.uint8)

    def _agrees(self, shown: FloatMap, plate: FloatMap) -> NDArray[np.bool_]:
        return _distance(shown, plate) < self._tolerance

    def _is_worth(
        self, before: NDArray[np.bool_], after: NDArray[np.bool_], least_gain: float
    ) -> bool:
        """Whether a change of the light explains enough and spoils next to nothing."""
        gained, lost = float((after & ~before).mean()), float((before & ~after).mean())
        is_enough = gained >= least_gain and float(after.mean()) >= _LEAST_AGREEMENT
        return is_enough and lost <= _MOST_LOST * gained

    # The whole picture

    def _whole(
        self, shown: FloatMap, plate: FloatMap, agrees: NDArray[np.bool_]
    ) -> ToneCurve | None:
        """Gain and offset of the whole picture; None: its light has not changed."""
        every = np.s_[::_SAMPLED, ::_SAMPLED]
        samples = _Samples.of(shown[every], plate[every], self._tolerance[every])
        if samples is None:
            return None
        curves = [samples.fit(samples.start_of_gain(), offset=False)]
        curves.append(samples.fit(samples.start_of_offset(), gain=False))
        after = [self._agrees(shown, curve.applied(plate)) for curve in curves]
        best = int(np.argmax([found.mean() for found in after]))
        if agrees.mean() < _FREE_CURVE and after[best].mean() < CALM:
            for start in (curves[best], samples.start_of_line()):
                curves.append(samples.fit(start))
                after.append(self._agrees(shown, curves[-1].applied(plate)))
                if after[-1].mean() > after[best].mean() + _BETTER:
                    best = len(curves) - 1
        return curves[best] if self._is_worth(agrees, after[best], _LEAST_GAIN["whole"]) else None

    # Its rows

    def _rows(self, shown: FloatMap, plate: FloatMap, agrees: NDArray[np.bool_]) -> FloatMap | None:
        """Gains of the rows, `(h, 1, 3)`; None: no bands explain more."""
        gains = row_gains(shown, plate)
        if gains is None:
            return None
        after = self._agrees(shown, _gained(plate, gains))
        return gains if self._is_worth(agrees, after, _LEAST_GAIN["part"]) else None

    # Parts of it

    def _parts(
        self, shown: FloatMap, plate: FloatMap, agrees: NDArray[np.bool_]
    ) -> FloatMap | None:
        """Gains of the cells of a grid, `(rows, columns, 3)`; None: no soft light explains more.

        A cell counts only with most of its neighbours, so that an object has to be larger than
        about four cells to be taken for light; and where the light changes from cell to cell, the
        picture must do so gradually.
        """
        (rows, columns), side = self._grid, self._cell
        ratio = np.log((shown + GAIN_FLOOR) / (plate + GAIN_FLOOR))
        cells = ratio[: rows * side, : columns * side].reshape(rows, side, columns, side, 3)
        middle = np.median(cells.transpose(0, 2, 1, 3, 4).reshape(rows, columns, -1, 3), axis=2)
        field = cv2.medianBlur(middle.astype(np.float32), 3)
        spread = _spread(field, (side, side), FrameSize(*plate.shape[:2]))
        lit = _gained(plate, np.exp(spread))
        is_worth = self._is_worth(agrees, self._agrees(shown, lit), _LEAST_GAIN["part"])
        if not is_worth or _sharp_share(ratio, spread) > _MOST_SHARP:
            return None
        return np.exp(field)

    def _lit(self, background: Picture, gains: FloatMap, cell: tuple[int, int]) -> Picture:
        spread = _spread(gains, cell, self._size)
        scaled = cv2.multiply(background, spread, dtype=cv2.CV_32F)
        raised = cv2.scaleAdd(spread, GAIN_FLOOR, scaled)
        return np.asarray(cv2.subtract(raised, (GAIN_FLOOR,) * 3, dtype=cv2.CV_8U), np.uint8)


class _Samples(NamedTuple):
    """Pixels of a thumbnail that say something of the light, `(N, 3)`."""

    shown: FloatMap
    plate: FloatMap
    tolerance: FloatMap
    least: int

    @classmethod
    def of(cls, shown: FloatMap, plate: FloatMap, tolerance: FloatMap) -> _Samples | None:
        """Those that are not cut off; None: too few."""
        usable = ((shown > _DARK) & (shown < _BRIGHT)).all(axis=2)
        least = max(3, round(_LEAST_USED * usable.size))
        if np.count_nonzero(usable) < least:
            return None
        return cls(shown[usable], plate[usable], tolerance[usable], least)

    def start_of_gain(self) -> ToneCurve:
        """Median ratio of each colour."""
        gain = np.median((self.shown + 1) / (self.plate + 1), axis=0)
        return ToneCurve(np.asarray(gain, np.float32), np.zeros(3, np.float32))

    def start_of_offset(self) -> ToneCurve:
        """Median difference of each colour."""
        offset = np.median(self.shown - self.plate, axis=0)
        return ToneCurve(np.ones(3, np.float32), np.asarray(offset, np.float32))

    def start_of_line(self) -> ToneCurve:
        """The line through the middles of the darkest and the brightest third of each colour."""
        third = max(1, len(self.plate) // 3)
        order = np.argsort(self.plate, axis=0, kind="stable")
        plate = np.take_along_axis(self.plate, order, axis=0)
        shown = np.take_along_axis(self.shown, order, axis=0)
        low, high = (np.median(plate[part], axis=0) for part in (np.s_[:third], np.s_[-third:]))
        dark, bright = (np.median(shown[part], axis=0) for part in (np.s_[:third], np.s_[-third:]))
        gain = (bright - dark) / np.maximum(high - low, 1)
        return _limited(gain, dark - gain * low)

    def fit(self, curve: ToneCurve, *, gain: bool = True, offset: bool = True) -> ToneCurve:
        """The curve of least squares over the pixels that agree with it, found in rounds.

        Args:
            curve: Where to begin.
            gain: Fit the gain; else it stays.
            offset: Likewise.
        """
        for factor in _NARROWING:
            used = _distance(self.shown, curve.applied(self.plate)) < factor * self.tolerance
            if np.count_nonzero(used) < self.least:
                return curve
            shown, plate = self.shown[used], self.plate[used]
            if not gain:
                curve = ToneCurve(curve.gain, (shown - plate * curve.gain).mean(axis=0))
            elif not offset:
                power = np.maximum((plate * plate).sum(axis=0), 1)
                curve = _limited((plate * shown).sum(axis=0) / power, curve.offset)
            else:
                middle, level = plate.mean(axis=0), shown.mean(axis=0)
                apart = plate - middle
                power = np.maximum((apart * apart).sum(axis=0), 1)
                slope = (apart * shown).sum(axis=0) / power
                curve = _limited(slope, level - slope * middle)
        return curve


def _limited(gain: FloatMap, offset: FloatMap) -> ToneCurve:
    limits = (_LEAST_CONTRAST, _MOST_CONTRAST)
    return ToneCurve(np.clip(gain, *limits).astype(np.float32), offset.astype(np.float32))


def _distance(values: FloatMap, others: FloatMap) -> FloatMap:
    """Absolute difference summed over RGB, `(...)`."""
    apart = np.abs(values - others)
    total: FloatMap = apart[..., 0] + apart[..., 1] + apart[..., 2]
    return total


def _gained(values: FloatMap, gains: FloatMap) -> FloatMap:
    """Grey levels under gains, held in 0 to 255."""
    return np.clip((values + GAIN_FLOOR) * gains - GAIN_FLOOR, 0, 255)


def _spread(grid: FloatMap, cell: tuple[int, int], size: FrameSize) -> FloatMap:
    """A grid of cells of so many rows and columns, as a soft field, `(h, w, 3)`."""
    rows, columns = grid.shape[:2]
    covered = (columns * cell[1], rows * cell[0])
    field = cv2.resize(grid, covered, interpolation=cv2.INTER_LINEAR)
    rest = (0, size.height - covered[1], 0, size.width - covered[0])
    return np.asarray(cv2.copyMakeBorder(field, *rest, cv2.BORDER_REPLICATE), np.float32)


def _sharp_share(ratio: FloatMap, field: FloatMap) -> float:
    """Share of the field's rises and falls that are edges of the ratio, about 0 to 1.

    Edges count by their direction: those on the two sides of an object within the light cancel.
    """
    sharp = change = 0.0
    shown, light = ratio.mean(axis=2), field.mean(axis=2)
    most = float(np.ptp(light))
    for axis in (0, 1):
        steps, rises = np.diff(shown, axis=axis), np.diff(light, axis=axis)
        edges = np.where(np.abs(steps) > _SHARP, np.clip(steps, -most, most), 0)
        sharp += float((edges * rises).sum())
        change += float((rises * rises).sum())
    return sharp / change if change > 0 else 0.0
