"""How near a plate is to the true background: AGE, pEPs, pCEPs, MS-SSIM, PSNR and CQM.

The definitions follow the evaluation scripts of SBMnet (Jodoin et al., "Extensive Benchmark and
Survey of Modeling Methods for Scene Background Initialization", IEEE TIP 2017) and SBI (Maddalena
and Petrosino, "Towards Benchmarking Scene Background Initialization", 2015):

* grey is 0.299 R + 0.587 G + 0.114 B, not rounded, as in SBMnet's Python script. SBI's Matlab
  script takes the Y of `rgb2ycbcr`, 16 to 235, which makes AGE smaller by the factor 219/255;
* the error of a pixel is the absolute grey difference, rounded to an integer;
* a neighbour outside the picture does not count against a clustered error pixel, as in Matlab's
  `imerode` (SBMnet's Python script erodes such pixels instead).

With a valid mask only valid pixels count; a neighbour that is not valid is treated as one outside
the picture. For identical pictures PSNR and CQM are `math.inf` (the scripts write 99), which JSON
cannot hold: `as_json` and the command line write null.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.datasets import Region
from cleanplate.errors import FrameSizeError, GroundTruthError
from cleanplate.frames import FrameSize, Mask, Picture

GreyMap: TypeAlias = NDArray[np.float64]

GREY_WEIGHTS = np.array([0.299, 0.587, 0.114])
"""Shares of R, G and B in grey (ITU-R BT.601)."""
ERROR_THRESHOLD = 20
"""An error pixel differs by more than so many grey levels."""
PEAK = 255.0
SSIM_WINDOW = 11
SSIM_SIGMA = 1.5
SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Weights of the five scales, finest first (Wang, Simoncelli and Bovik 2003)."""
CQM_LUMINANCE_WEIGHT = 0.9449
CQM_COLOUR_WEIGHT = 0.0551
IDENTICAL_CHANNEL = 99.0
"""PSNR in dB that SBMnet's scripts give a channel without error."""


@dataclass(frozen=True)
class PlateMeasures:
    """How near a plate is to the truth.

    Attributes:
        AGE: Average grey-level error, 0 to 255; lower is better.
        pEPs: Share of error pixels, 0 to 1; lower is better.
        pCEPs: Share of clustered error pixels, 0 to 1; lower is better.
        MS_SSIM: Multi-scale structural similarity, 0 to 1; higher is better; nan where only pixels
            within 5 of the border are valid.
        PSNR: Peak signal-to-noise ratio of grey in dB; higher is better.
        CQM: Colour image quality measure in dB; higher is better.
    """

    AGE: float
    pEPs: float  # noqa: N815 - the name of the literature
    pCEPs: float  # noqa: N815 - the name of the literature
    MS_SSIM: float
    PSNR: float
    CQM: float

    def as_json(self) -> dict[str, float | None]:
        """Measures by name, None (JSON's null) where they are not finite."""
        return {
            name: value if math.isfinite(value) else None for name, value in asdict(self).items()
        }


def measure_plate(
    plate: Picture, truth: Picture, *, valid: Region | Mask | None = None
) -> PlateMeasures:
    """All measures of a plate.

    Args:
        plate: `(H, W, 3)`, uint8, RGB.
        truth: The true background, `(H, W, 3)`, uint8, RGB.
        valid: `(H, W)`, not 0 where the truth is known; None where it is known everywhere.

    Raises:
        GroundTruthError: The sizes differ, a picture is not RGB, or no pixel is valid.
        FrameSizeError: A side is shorter than the 11 pixels of MS-SSIM's window.
    """
    return PlateMeasures(
        AGE=average_grey_error(plate, truth, valid=valid),
        pEPs=error_pixel_share(plate, truth, valid=valid),
        pCEPs=clustered_error_pixel_share(plate, truth, valid=valid),
        MS_SSIM=multi_scale_similarity(plate, truth, valid=valid),
        PSNR=signal_to_noise(plate, truth, valid=valid),
        CQM=colour_quality(plate, truth, valid=valid),
    )


def average_grey_error(
    plate: Picture, truth: Picture, *, valid: Region | Mask | None = None
) -> float:
    """AGE: mean absolute grey difference of the valid pixels, 0 to 255."""
    region = _valid_region(plate, truth, valid)
    return float(_grey_error(plate, truth)[region].mean())


def error_pixel_share(
    plate: Picture, truth: Picture, *, valid: Region | Mask | None = None
) -> float:
    """pEPs: share of the valid pixels whose grey difference exceeds 20."""
    region = _valid_region(plate, truth, valid)
    return float((_grey_error(plate, truth) > ERROR_THRESHOLD)[region].mean())


def clustered_error_pixel_share(
    plate: Picture, truth: Picture, *, valid: Region | Mask | None = None
) -> float:
    """pCEPs: share of the valid pixels that are error pixels as are all four neighbours.

    A neighbour outside the picture or not valid does not count against a pixel.
    """
    region = _valid_region(plate, truth, valid)
    errors = (_grey_error(plate, truth) > ERROR_THRESHOLD) | ~region
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    # cv2.erode sets what is outside the picture to the largest value, as Matlab's imerode does
    clustered = cv2.erode(errors.astype(np.uint8), cross)
    return float(clustered[region].mean())


def signal_to_noise(plate: Picture, truth: Picture, *, valid: Region | Mask | None = None) -> float:
    """PSNR of grey in dB, peak 255; `math.inf` where there is no difference."""
    region = _valid_region(plate, truth, valid)
    return _peak_ratio(_grey(plate)[region], _grey(truth)[region])


def colour_quality(plate: Picture, truth: Picture, *, valid: Region | Mask | None = None) -> float:
    """CQM in dB: PSNR of Y, U and V, weighted by the rods and cones of the eye.

    CQM = 0.9449 PSNR(Y) + 0.0551 (PSNR(U) + PSNR(V)) / 2 with Y = floor((R + 2 G + B) / 4),
    U = R - G and V = B - G (Yalman and Ertürk, "A new color image quality measure based on YUV
    transformation and PSNR for human vision system", 2013). As in the authors' and SBMnet's
    scripts, whose figures are published, negative U and V are 0 and a channel without error has
    99 dB; `math.inf` where no channel has an error.
    """
    region = _valid_region(plate, truth, valid)
    ratios = [
        _peak_ratio(given, true)
        for given, true in zip(_yuv(plate[region]), _yuv(truth[region]), strict=True)
    ]
    if all(math.isinf(ratio) for ratio in ratios):
        return math.inf
    luminance, red, blue = (min(ratio, IDENTICAL_CHANNEL) for ratio in ratios)
    return CQM_LUMINANCE_WEIGHT * luminance + CQM_COLOUR_WEIGHT * (red + blue) / 2


def multi_scale_similarity(
    plate: Picture, truth: Picture, *, valid: Region | Mask | None = None
) -> float:
    """MS-SSIM of grey, 0 to 1.

    Wang, Simoncelli and Bovik, "Multiscale structural similarity for image quality assessment",
    2003, equation 7: five scales, Gaussian window 11x11 with sigma 1.5, windows inside the
    picture only, negative terms set to 0. A picture whose coarsest scale is smaller than the
    window (a side up to 160) has fewer scales, their weights scaled to the sum of all five.

    With a valid mask the plate takes the truth's values where it is not valid, and the maps of
    each scale are averaged with the share of valid pixels under each as weight; a scale whose
    windows have no valid centre ends the scales, and nan is what is left where there is none.

    Raises:
        FrameSizeError: A side is shorter than the window.
    """
    region = _valid_region(plate, truth, valid)
    if min(region.shape) < SSIM_WINDOW:
        raise FrameSizeError(
            f"a plate of {FrameSize(*region.shape)} is smaller than the {SSIM_WINDOW}x"
            f"{SSIM_WINDOW} window of MS-SSIM; give a larger one"
        )
    reference = _grey(truth)
    given = np.where(region, _grey(plate), reference)
    weights = region.astype(np.float64)
    terms: list[tuple[float, float]] = []
    while len(terms) < len(SSIM_WEIGHTS) and min(given.shape) >= SSIM_WINDOW:
        inside = _inside_windows(weights)
        if not inside.any():
            break
        maps = _similarity_maps(given, reference)
        structure, similarity = (float(np.average(values, weights=inside)) for values in maps)
        terms.append((structure, similarity))
        given, reference, weights = _halve(given), _halve(reference), _halve(weights)
    return _combine_scales(terms)


def _combine_scales(terms: list[tuple[float, float]]) -> float:
    """Product of the scales: structure of all but the coarsest, full similarity of that one."""
    if not terms:
        return math.nan
    factors = [structure for structure, _ in terms[:-1]] + [terms[-1][1]]
    weights = np.array(SSIM_WEIGHTS[: len(terms)])
    # five scales keep the published weights, which sum to 1.0001
    weights *= sum(SSIM_WEIGHTS) / weights.sum()
    return float(np.prod(np.maximum(factors, 0.0) ** weights))


def _similarity_maps(given: GreyMap, reference: GreyMap) -> tuple[GreyMap, GreyMap]:
    """Maps of contrast times structure, and of SSIM, over the windows inside the picture."""
    luminance_floor, contrast_floor = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2
    mean_given, mean_reference = _blur(given), _blur(reference)
    variances = _blur(given**2) - mean_given**2 + _blur(reference**2) - mean_reference**2
    covariance = _blur(given * reference) - mean_given * mean_reference
    structure = (2 * covariance + contrast_floor) / (variances + contrast_floor)
    luminance = (2 * mean_given * mean_reference + luminance_floor) / (
        mean_given**2 + mean_reference**2 + luminance_floor
    )
    return structure, luminance * structure


def _blur(values: GreyMap) -> GreyMap:
    blurred: GreyMap = cv2.GaussianBlur(values, (SSIM_WINDOW, SSIM_WINDOW), SSIM_SIGMA)
    return _inside_windows(blurred)


def _inside_windows(values: GreyMap) -> GreyMap:
    """The part of a map whose windows lie inside the picture."""
    margin = SSIM_WINDOW // 2
    return values[margin : values.shape[0] - margin, margin : values.shape[1] - margin]


def _halve(values: GreyMap) -> GreyMap:
    """Means of 2x2 blocks; the last row or column of an odd side is repeated."""
    height, width = values.shape
    even = np.pad(values, ((0, height % 2), (0, width % 2)), mode="edge")
    halved: GreyMap = even.reshape((height + 1) // 2, 2, (width + 1) // 2, 2).mean(axis=(1, 3))
    return halved


def _grey(picture: Picture) -> GreyMap:
    grey: GreyMap = picture @ GREY_WEIGHTS
    return grey


def _grey_error(plate: Picture, truth: Picture) -> GreyMap:
    error: GreyMap = np.rint(np.abs(_grey(plate) - _grey(truth)))
    return error


def _yuv(pixels: Picture) -> tuple[GreyMap, GreyMap, GreyMap]:
    red, green, blue = pixels.astype(np.int32).T
    luminance = (red + 2 * green + blue) // 4
    return (
        luminance.astype(np.float64),
        np.maximum(red - green, 0).astype(np.float64),
        np.maximum(blue - green, 0).astype(np.float64),
    )


def _peak_ratio(given: GreyMap, reference: GreyMap) -> float:
    squared_error = float(np.mean((given - reference) ** 2))
    return 10 * math.log10(PEAK**2 / squared_error) if squared_error > 0 else math.inf


def _valid_region(plate: Picture, truth: Picture, valid: Region | Mask | None) -> Region:
    for kind, picture in (("plate", plate), ("true plate", truth)):
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
            raise GroundTruthError(
                f"the {kind} has shape {picture.shape} and type {picture.dtype}; give an RGB "
                "picture, (H, W, 3), of type uint8"
            )
    size = FrameSize(*truth.shape[:2])
    if plate.shape != truth.shape:
        raise GroundTruthError(
            f"the plate is {FrameSize(*plate.shape[:2])} where the true plate is {size}; "
            "give a plate of the size of the truth, nothing is resized"
        )
    if valid is None:
        return np.ones(size, dtype=np.bool_)
    if valid.shape != size:
        raise GroundTruthError(
            f"the valid mask has shape {valid.shape} where the true plate is {size}; "
            "give one value per pixel of the truth"
        )
    region: Region = valid != 0
    if not region.any():
        raise GroundTruthError("the valid mask is 0 everywhere; give one with valid pixels")
    return region
