"""What the shadows of one scene look like: learned from its frames, without any truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

_MOST, _LEAST_VARIANCE = 25.0, 1e-9
"""Numbers of a model that is read: beyond them its inverse, or a factor of light, is no number."""
_LEAST_SAMPLES = 200
_LEAST_SHADOW_SHARE = 0.01
"""Share of the foreground that has to look like a shadow before there is anything to learn."""
_LEAST_CROWD = 0.4
"""Share of what looks like a shadow that has to be alike; else leaves or clothes are the crowd."""
_WARMEST = 0.06
"""Most that a scene's shadows may turn from blue to red (log units): what the sun does not reach is
lit by the sky, or by the same lamps; leaves and skins are warmer."""
_FROM_NOTHING = 3.0
"""Deviations that no change at all is away from a scene's shadows, where only their looks speak for
them: what takes anything from nothing to half of the light is the dark side of things."""
_USUAL_COLOUR = 0.25
"""Change of colour (log units, sum over RGB) within which shadows are looked for first; in hard sun
they are bluer."""
_MOST_SAMPLES = 20_000
_ROUNDS = 30
_BIN = (0.05, 0.04, 0.04)
_CLUSTER = (0.08, 0.03, 0.03)
_REST = (0.3, 0.06, 0.06)
_LEAST_CLUSTER = (0.015, 0.006, 0.006)
_LEAST_REST = (0.06, 0.024, 0.024)
"""Standard deviations: where the search begins, and what neither group shrinks below."""


class ShadowSamples(NamedTuple):
    """What a shadow model is learned from, of one frame.

    Attributes:
        colours: `(N, 3)`, of some pixels that may be shadows: the mean over R, G and B of the
            logarithm of frame over background, then what red and blue differ from that mean.
        shown: `(N,)`, bool, of which the texture of the background shows through.
        found: Number of all pixels that may be shadows.
        seen: Number of all pixels that differ from their background.
    """

    colours: NDArray[np.float32]
    shown: NDArray[np.bool_]
    found: int
    seen: int

    def sure(self) -> ShadowSamples:
        """Those for which the texture speaks."""
        return self._only(self.shown)

    def usual(self) -> ShadowSamples:
        """Those that change the colour as little as most shadows do."""
        red, blue = self.colours[:, 1], self.colours[:, 2]
        change = np.abs(red) + np.abs(blue) + np.abs(red + blue)
        return self._only(change < _USUAL_COLOUR)

    def _only(self, chosen: NDArray[np.bool_]) -> ShadowSamples:
        share = chosen.sum() / max(len(chosen), 1)
        found = round(share * self.found)
        return ShadowSamples(self.colours[chosen], self.shown[chosen], found, self.seen)


@dataclass(frozen=True)
class ShadowModel:
    """The cast shadows of a scene: one normal distribution of what they do to light and colour.

    The values are those of `ShadowSamples.colours`.

    Attributes:
        mean: `(3,)`.
        covariance: `(3, 3)`.
    """

    mean: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]

    @cached_property
    def whitening(self) -> NDArray[np.float32]:
        """Maps log ratios of R, G, B, to deviations from the mean: `(3, 4)`, the last one added.

        The squared length of what comes out is the squared distance in standard deviations.
        """
        third = 1 / 3
        of_ratio = np.array(
            [[third] * 3, [1 - third, -third, -third], [-third, -third, 1 - third]], np.float64
        )
        roots = np.linalg.cholesky(np.linalg.inv(np.array(self.covariance))).T
        shift = -roots @ np.array(self.mean)
        return np.hstack([roots @ of_ratio, shift[:, None]]).astype(np.float32)

    def as_tree(self) -> dict[str, Any]:
        """Plain lists, as `from_tree` reads them."""
        return {"mean": list(self.mean), "covariance": [list(row) for row in self.covariance]}

    @classmethod
    def from_tree(cls, tree: Mapping[str, Any]) -> ShadowModel:
        """The model that `as_tree` wrote.

        Raises:
            ValueError: The tree is none, or its numbers are no mean and covariance.
        """
        mean = np.array(tree.get("mean"), np.float64)
        covariance = np.array(tree.get("covariance"), np.float64)
        if mean.shape != (3,) or covariance.shape != (3, 3):
            raise ValueError("three means and nine covariances are expected")
        if not (np.abs(mean) <= _MOST).all() or not (np.abs(covariance) <= _MOST).all():
            raise ValueError("a number is none, or too large")
        if not np.allclose(covariance, covariance.T) or (
            np.linalg.eigvalsh(covariance).min() < _LEAST_VARIANCE
        ):
            raise ValueError("the covariance is not positive")
        return _model(mean, covariance)


def learn_shadow_model(samples: Sequence[ShadowSamples]) -> ShadowModel | None:
    """The shadows' own distribution, from pixels that look like shadows.

    Cast shadows take the same share of light and tint everything alike, and so crowd together;
    dark vehicles and clothes that happen to look like shadows are spread. Of two normal
    distributions fitted to all samples (expectation-maximisation) the denser one is the shadows'.
    Patches in which the texture of the background shows through are asked first. What only looks
    like a shadow, and has something beside it, is as well the dark side of a car on snow, where
    nothing casts shadows: a model of it has to be far from no change.
    A scene's own cast shadows are learned likewise by Martel-Brisson and Zaccarin ("Learning and
    removing cast shadows through a multidistribution approach", PAMI 2007).

    Args:
        samples: Of frames spread over a recording.

    Returns:
        None where too few look like shadows, or too few of those are alike.
    """
    sure = _usual_first([sample.sure() for sample in samples])
    if sure is not None:
        return sure
    likely = _usual_first(samples)
    if likely is None or -likely.mean[0] < _FROM_NOTHING * likely.covariance[0][0] ** 0.5:
        return None
    return likely


def _usual_first(samples: Sequence[ShadowSamples]) -> ShadowModel | None:
    return _learned([sample.usual() for sample in samples]) or _learned(samples)


def _learned(samples: Sequence[ShadowSamples]) -> ShadowModel | None:
    count, seen = sum(sample.found for sample in samples), sum(sample.seen for sample in samples)
    if count < max(_LEAST_SAMPLES, _LEAST_SHADOW_SHARE * seen):
        return None
    found = np.concatenate([sample.colours for sample in samples], dtype=np.float64)
    found = found[:: -(-len(found) // _MOST_SAMPLES)]
    means = [_mode(found), found.mean(axis=0)]
    covariances = [np.diag(np.square(spread)) for spread in (_CLUSTER, _REST)]
    weights = np.array([0.5, 0.5])
    for _ in range(_ROUNDS):
        dense = np.stack(
            [w * _density(found, m, c) for w, m, c in zip(weights, means, covariances, strict=True)]
        )
        belongs = dense / np.maximum(dense.sum(axis=0), 1e-12)
        total = belongs.sum(axis=1) + 1e-9
        weights = total / total.sum()
        for group, least in enumerate((_LEAST_CLUSTER, _LEAST_REST)):
            means[group] = belongs[group] @ found / total[group]
            away = found - means[group]
            own = (belongs[group][:, None] * away).T @ away / total[group]
            covariances[group] = own + np.diag(np.square(least))
    peaks = [w / np.sqrt(np.linalg.det(c)) for w, c in zip(weights, covariances, strict=True)]
    shadows = int(np.argmax(peaks))
    _, red, blue = means[shadows]
    if weights[shadows] < _LEAST_CROWD or red - blue > _WARMEST:
        return None
    return _model(means[shadows], covariances[shadows])


def loss_of_light(shadow: ShadowModel) -> NDArray[np.float32]:
    """What the scene's shadows do to red, green and blue, as a share of the light, `(3,)`."""
    light, red, blue = shadow.mean
    return np.expm1([light + red, light - red - blue, light + blue]).astype(np.float32)


def _model(mean: NDArray[np.float64], covariance: NDArray[np.float64]) -> ShadowModel:
    rows = tuple(tuple(float(value) for value in row) for row in covariance)
    return ShadowModel(tuple(float(value) for value in mean), rows)


def _mode(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where samples are most crowded, `(3,)`."""
    lowest = samples.min(axis=0)
    edges = [
        np.arange(low, high + 2 * step, step)
        for low, high, step in zip(lowest, samples.max(axis=0), _BIN, strict=True)
    ]
    counts, _ = np.histogramdd(samples, bins=edges)
    smooth = cv2.GaussianBlur(counts.reshape(len(counts), -1), (1, 3), 0).reshape(counts.shape)
    place = np.array(np.unravel_index(int(smooth.argmax()), counts.shape))
    return np.asarray(lowest + (place + 0.5) * _BIN, np.float64)


def _density(
    samples: NDArray[np.float64], mean: NDArray[np.float64], covariance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Of a normal distribution, without the constant factor that all of them share, `(N,)`."""
    away = samples - mean
    distance = np.einsum("ij,jk,ik->i", away, np.linalg.inv(covariance), away)
    return np.asarray(np.exp(-distance / 2) / np.sqrt(np.linalg.det(covariance)), np.float64)
