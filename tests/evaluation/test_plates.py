"""Measures of plates: by hand on small pictures, and against other implementations."""

from __future__ import annotations

import importlib
import json
import math

import numpy as np
import pytest
import torch
from pytorch_msssim import ms_ssim
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from cleanplate.errors import FrameSizeError, GroundTruthError
from cleanplate.evaluation import PlateMeasures, measure_plate
from cleanplate.evaluation.plates import (
    average_grey_error,
    clustered_error_pixel_share,
    colour_quality,
    error_pixel_share,
    multi_scale_similarity,
    signal_to_noise,
)

GREY = np.array([0.299, 0.587, 0.114])
one_scale = importlib.import_module("pytorch_msssim.ssim")._ssim


def grey_picture(values: object) -> np.ndarray:
    """An RGB picture of grey values."""
    return np.repeat(np.array(values, dtype=np.uint8)[..., None], 3, axis=2)


def gaussian_window() -> torch.Tensor:
    """Eleven values of a Gaussian of sigma 1.5, of sum one and double precision."""
    window = torch.exp(-((torch.arange(11, dtype=torch.float64) - 5) ** 2) / (2 * 1.5**2))
    return (window / window.sum())[None, None, None]


def grey_tensors(*pictures: np.ndarray) -> list[torch.Tensor]:
    return [torch.from_numpy(picture @ GREY)[None, None] for picture in pictures]


def textured(height: int, width: int, *, noise: float = 12.0) -> tuple[np.ndarray, np.ndarray]:
    """A textured picture and a noisy copy with a bright block in it."""
    generator = np.random.default_rng(11)
    rows, columns = np.mgrid[:height, :width]
    waves = 120 + 60 * np.sin(rows / 7)[..., None] * np.cos(columns / 5)[..., None]
    truth = waves + generator.normal(0, 15, (height, width, 3))
    plate = truth + generator.normal(0, noise, truth.shape)
    plate[height // 3 : height // 2, width // 4 : width // 2] += 60
    return tuple(np.clip(p, 0, 255).astype(np.uint8) for p in (plate, truth))  # type: ignore[return-value]


def test_average_grey_error_is_that_computed_by_hand() -> None:
    truth = np.zeros((1, 3, 3), dtype=np.uint8)
    plate = np.array([[[100, 0, 0], [0, 100, 0], [0, 0, 100]]], dtype=np.uint8)
    # 29.9, 58.7 and 11.4 grey levels, rounded to 30, 59 and 11
    assert average_grey_error(plate, truth) == pytest.approx((30 + 59 + 11) / 3)


def test_error_pixels_exceed_twenty_levels() -> None:
    truth = grey_picture([[100, 100, 100, 100]])
    plate = grey_picture([[120, 121, 80, 79]])  # errors 20, 21, 20, 21
    assert error_pixel_share(plate, truth) == pytest.approx(2 / 4)


def test_clustered_error_pixels_have_four_wrong_neighbours() -> None:
    plate = grey_picture(np.zeros((6, 6)))
    plate[1:4, 1:4] = 200  # 9 error pixels, one of them in the middle
    plate[5, 0] = 200  # in a corner, but its neighbours are right
    truth = grey_picture(np.zeros((6, 6)))
    assert error_pixel_share(plate, truth) == pytest.approx(10 / 36)
    assert clustered_error_pixel_share(plate, truth) == pytest.approx(1 / 36)


def test_neighbours_outside_the_picture_or_not_valid_do_not_count_against_a_pixel() -> None:
    truth = grey_picture(np.zeros((4, 4)))
    plate = grey_picture(np.zeros((4, 4)))
    plate[:2, :2] = 200  # only the corner has no right neighbour
    assert clustered_error_pixel_share(plate, truth) == pytest.approx(1 / 16)
    valid = np.ones((4, 4), dtype=np.bool_)
    valid[:2, 2] = False  # the right neighbours of (0, 1) and (1, 1); (1, 1) has one below
    assert clustered_error_pixel_share(plate, truth, valid=valid) == pytest.approx(2 / 14)


def test_signal_to_noise_is_that_computed_by_hand() -> None:
    truth = grey_picture([[10, 10, 10, 10]])
    plate = grey_picture([[10, 14, 10, 8]])  # mean squared error (0 + 16 + 0 + 4) / 4 = 5
    assert signal_to_noise(plate, truth) == pytest.approx(10 * math.log10(255**2 / 5))


def test_colour_quality_is_that_computed_by_hand() -> None:
    truth = np.array([[[50, 20, 40], [30, 10, 60]]], dtype=np.uint8)
    plate = np.array([[[60, 20, 43], [30, 14, 60]]], dtype=np.uint8)
    # Y = floor((R + 2G + B) / 4): floor(130/4), floor(110/4) and floor(143/4), floor(118/4)
    luminance = ((35 - 32) ** 2 + (29 - 27) ** 2) / 2
    red = ((40 - 30) ** 2 + (16 - 20) ** 2) / 2  # U = R - G
    blue = ((23 - 20) ** 2 + (46 - 50) ** 2) / 2  # V = B - G
    y, u, v = (10 * math.log10(255**2 / error) for error in (luminance, red, blue))
    assert colour_quality(plate, truth) == pytest.approx(0.9449 * y + 0.0551 * (u + v) / 2)


def test_colour_quality_of_grey_pictures_has_ninety_nine_decibels_of_colour() -> None:
    truth, plate = grey_picture([[10, 10]]), grey_picture([[12, 12]])
    expected = 0.9449 * 10 * math.log10(255**2 / 4) + 0.0551 * 99
    assert colour_quality(plate, truth) == pytest.approx(expected)


def test_negative_colour_differences_are_zero_as_in_the_published_scripts() -> None:
    truth = np.array([[[0, 100, 0]]], dtype=np.uint8)  # Y 50, U and V 0 instead of -100
    plate = np.array([[[0, 104, 0]]], dtype=np.uint8)  # Y 52, U and V 0 instead of -104
    expected = 0.9449 * 10 * math.log10(255**2 / 4) + 0.0551 * 99
    assert colour_quality(plate, truth) == pytest.approx(expected)


@pytest.mark.parametrize(("height", "width"), [(176, 240), (240, 320), (192, 176)])
def test_multi_scale_similarity_agrees_with_pytorch_msssim(height: int, width: int) -> None:
    plate, truth = textured(height, width)
    # the package's own window has single precision only
    expected = float(ms_ssim(*grey_tensors(plate, truth), data_range=255, win=gaussian_window()))
    assert 0.3 < expected < 0.99
    assert multi_scale_similarity(plate, truth) == pytest.approx(expected, abs=1e-9)


def test_picture_too_small_for_five_scales_has_fewer_with_larger_weights() -> None:
    plate, truth = textured(32, 48)  # 32 and 16 pixels fit the window of 11, 8 do not
    fine = grey_tensors(plate, truth)
    coarse = [torch.nn.functional.avg_pool2d(tensor, 2) for tensor in fine]
    _, structure = one_scale(*fine, 255, gaussian_window())
    similarity, _ = one_scale(*coarse, 255, gaussian_window())
    scale = (0.0448 + 0.2856 + 0.3001 + 0.2363 + 0.1333) / (0.0448 + 0.2856)
    expected = float(structure ** (0.0448 * scale) * similarity ** (0.2856 * scale))
    assert multi_scale_similarity(plate, truth) == pytest.approx(expected, abs=1e-9)


def test_one_scale_is_the_structural_similarity_of_scikit_image() -> None:
    plate, truth = textured(16, 20)
    _, similarity = structural_similarity(
        plate @ GREY,
        truth @ GREY,
        data_range=255,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    expected = similarity[5:-5, 5:-5].mean() ** 1.0001  # the sum of the five weights
    assert multi_scale_similarity(plate, truth) == pytest.approx(expected, abs=1e-9)


def test_other_measures_agree_with_slow_references() -> None:
    plate, truth = textured(33, 47)
    errors = np.abs(np.rint(np.abs(plate @ GREY - truth @ GREY)))
    clustered = 0
    for row, column in np.argwhere(errors > 20):
        around = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
        inside = [errors[r, c] for r, c in around if 0 <= r < 33 and 0 <= c < 47]
        clustered += all(error > 20 for error in inside)
    measures = measure_plate(plate, truth)
    assert clustered > 0
    assert measures.as_json() == pytest.approx(
        {
            "AGE": errors.mean(),
            "pEPs": (errors > 20).mean(),
            "pCEPs": clustered / errors.size,
            "MS_SSIM": measures.MS_SSIM,
            "PSNR": peak_signal_noise_ratio(truth @ GREY, plate @ GREY, data_range=255),
            "CQM": measures.CQM,
        }
    )


def test_identical_pictures_are_perfect_and_infinite_ratios_become_null() -> None:
    _, truth = textured(64, 64)
    measures = measure_plate(truth, truth)
    assert measures == PlateMeasures(
        AGE=0, pEPs=0, pCEPs=0, MS_SSIM=pytest.approx(1), PSNR=math.inf, CQM=math.inf
    )
    written = json.loads(json.dumps(measures.as_json(), allow_nan=False))
    assert list(written) == ["AGE", "pEPs", "pCEPs", "MS_SSIM", "PSNR", "CQM"]
    assert written["PSNR"] is None
    assert written["CQM"] is None


@pytest.mark.parametrize("kind", [np.bool_, np.uint8])
def test_what_is_not_valid_changes_nothing(kind: type[np.generic]) -> None:
    plate, truth = textured(64, 80)
    valid = np.ones((64, 80), dtype=np.bool_)
    valid[10:40, 20:50] = False
    given = valid.astype(kind) if kind is np.bool_ else valid.astype(kind) * 255
    other = plate.copy()
    other[~valid] = 255 - other[~valid]
    assert measure_plate(plate, truth, valid=given) == measure_plate(other, truth, valid=given)


def test_a_mask_that_is_valid_everywhere_is_as_none() -> None:
    plate, truth = textured(64, 80)
    valid = np.ones((64, 80), dtype=np.bool_)
    assert measure_plate(plate, truth, valid=valid) == measure_plate(plate, truth)


def test_scales_whose_windows_have_no_valid_centre_are_left_out() -> None:
    plate, truth = textured(64, 64)
    valid = np.zeros((64, 64), dtype=np.bool_)
    valid[5:9, 5:9] = True  # within the windows of the finest scale only
    assert 0 < multi_scale_similarity(plate, truth, valid=valid) < 1
    valid[5:9, 5:9], valid[:4] = False, True
    assert math.isnan(multi_scale_similarity(plate, truth, valid=valid))
    assert measure_plate(plate, truth, valid=valid).as_json()["MS_SSIM"] is None


def test_pictures_that_do_not_fit_are_refused() -> None:
    plate, truth = textured(32, 32)
    with pytest.raises(GroundTruthError, match="the plate is 32x30 where the true plate is 32x32"):
        measure_plate(plate[:30], truth)
    with pytest.raises(GroundTruthError, match="the plate has shape"):
        measure_plate(plate[..., 0], truth)
    with pytest.raises(GroundTruthError, match=r"true plate has shape .* float64"):
        measure_plate(plate, truth / 255)
    with pytest.raises(GroundTruthError, match="valid mask has shape"):
        measure_plate(plate, truth, valid=np.ones((30, 32), dtype=np.bool_))
    with pytest.raises(GroundTruthError, match="0 everywhere"):
        measure_plate(plate, truth, valid=np.zeros((32, 32), dtype=np.bool_))
    with pytest.raises(FrameSizeError, match="32x10 is smaller than the 11x11 window"):
        measure_plate(plate[:10], truth[:10])
