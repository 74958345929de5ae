"""Losses against independent references, and what training relies on: finite gradients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import pytorch_msssim
import torch
from numpy.typing import NDArray
from skimage.metrics import structural_similarity
from torch import Tensor
from torch.nn import functional

from cleanplate import losses
from cleanplate.errors import FrameSizeError, SettingsError, UnknownNameError
from cleanplate.losses import LOSS_NAMES, bootstrap_weight, ms_ssim, reconstruction_terms, ssim_map

NAMES = (
    *("mse", "l1", "huber", "charbonnier", "log_cosh", "bce", "photometric"),
    *("ssim_mix", "ms_ssim_l1", "bootstrapped"),
)


def pair(height: int = 24, width: int = 32, batch: int = 2, seed: int = 0) -> tuple[Tensor, Tensor]:
    """An estimate with gradient and a target that resembles it."""
    generator = torch.Generator().manual_seed(seed)
    target = torch.rand(batch, 3, height, width, generator=generator)
    noise = torch.randn(batch, 3, height, width, generator=generator)
    return (target + 0.1 * noise).clamp(0, 1).requires_grad_(), target


def total(name: str, estimate: Tensor, target: Tensor, **options: Tensor) -> Tensor:
    terms = reconstruction_terms(name, estimate, target, **options)  # type: ignore[arg-type]
    return torch.stack(list(terms.values())).sum()


def numpy_huber(difference: NDArray[np.float64]) -> NDArray[np.float64]:
    size, transition = np.abs(difference), 3 / 255
    return np.where(size < transition, size**2 / (2 * transition), size - transition / 2)


def numpy_cross_entropy(
    estimate: NDArray[np.float64], target: NDArray[np.float64]
) -> NDArray[np.float64]:
    inside = 1e-4 + (1 - 2e-4) * np.clip(estimate, 0, 1)
    return -(target * np.log(inside) + (1 - target) * np.log(1 - inside))


REFERENCES: dict[str, Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]] = {
    "squared_error": lambda estimate, target: (estimate - target) ** 2,
    "absolute_error": lambda estimate, target: np.abs(estimate - target),
    "huber": lambda estimate, target: numpy_huber(estimate - target),
    "charbonnier": lambda estimate, target: np.sqrt((estimate - target) ** 2 + 1e-6),
    "log_cosh": lambda estimate, target: np.log(np.cosh(estimate - target)),
    "binary_cross_entropy": numpy_cross_entropy,
    "photometric": lambda estimate, target: (np.abs(estimate - target) + 0.01) ** 0.4,
}


@pytest.mark.parametrize("name", REFERENCES)
def test_element_wise_maps_follow_their_formula(name: str) -> None:
    estimate, target = pair()
    values = getattr(losses, name)(estimate, target)
    expected = REFERENCES[name](estimate.detach().double().numpy(), target.double().numpy())
    assert values.shape == estimate.shape
    np.testing.assert_allclose(values.detach().numpy(), expected, rtol=2e-5, atol=1e-7)


def test_cross_entropy_agrees_with_torch_away_from_the_ends() -> None:
    estimate, target = pair()
    inside = 0.05 + 0.9 * estimate.detach()
    expected = functional.binary_cross_entropy(inside, target, reduction="none")
    torch.testing.assert_close(
        losses.binary_cross_entropy(inside, target), expected, rtol=0, atol=2e-3
    )


@pytest.mark.parametrize("ends", [0.0, 1.0])
def test_cross_entropy_keeps_a_gradient_at_black_and_white(ends: float) -> None:
    estimate = torch.full((1, 3, 4, 4), ends, requires_grad=True)
    losses.binary_cross_entropy(estimate, torch.full((1, 3, 4, 4), 1 - ends)).sum().backward()
    assert estimate.grad is not None
    assert (estimate.grad.sign() == 2 * ends - 1).all()


def test_log_cosh_is_exact_for_small_and_large_differences() -> None:
    difference = torch.tensor([0.0, 1e-4, 1 / 255, 0.5, 9.99, 10.01, 100.0, 1e6])
    values = losses.log_cosh(difference, torch.zeros(8)).double().numpy()
    size = difference.double().numpy()
    expected = np.logaddexp(size, -size) - np.log(2)
    expected[1] = 1e-8 / 2  # the reference cancels here
    np.testing.assert_allclose(values, expected, rtol=1e-5)


@pytest.mark.parametrize("options", [{"transition": 0.5}, {"transition": 1 / 255}])
def test_huber_is_continuous_at_its_transition(options: dict[str, float]) -> None:
    edge = options["transition"]
    around = torch.tensor([edge * (1 - 1e-4), edge, edge * (1 + 1e-4)])
    values = losses.huber(around, torch.zeros(3), **options)
    torch.testing.assert_close(values, torch.full((3,), edge / 2), rtol=1e-3, atol=0)


def test_names_are_those_of_the_manual() -> None:
    assert LOSS_NAMES == NAMES


@pytest.mark.parametrize(
    ("name", "terms"),
    [("ssim_mix", ["mse", "ssim"]), ("ms_ssim_l1", ["ms_ssim", "l1"]), ("l1", ["l1"])],
)
def test_terms_are_named(name: str, terms: list[str]) -> None:
    assert list(reconstruction_terms(name, *pair())) == terms


def test_an_unknown_loss_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown loss 'hubber'.*did you mean 'huber'"):
        reconstruction_terms("hubber", *pair())


@pytest.mark.parametrize("name", LOSS_NAMES)
@pytest.mark.parametrize(
    ("height", "width", "batch"), [(16, 16, 1), (17, 23, 2), (33, 16, 1), (48, 161, 1)]
)
def test_every_loss_takes_every_size(name: str, height: int, width: int, batch: int) -> None:
    estimate, target = pair(height, width, batch)
    terms = reconstruction_terms(name, estimate, target)
    assert all(term.shape == () and term.isfinite() for term in terms.values())
    total(name, estimate, target).backward()
    assert estimate.grad is not None
    assert estimate.grad.isfinite().all()
    assert estimate.grad.abs().sum() > 0


EXTREMES = {
    "black on white": (torch.zeros(1, 3, 18, 18), torch.ones(1, 3, 18, 18)),
    "white on black": (torch.ones(1, 3, 18, 18), torch.zeros(1, 3, 18, 18)),
    "black on black": (torch.zeros(1, 3, 18, 18), torch.zeros(1, 3, 18, 18)),
    "negative": (pair(18, 18)[1], 1 - pair(18, 18)[1]),
    "equal": (pair(18, 18)[1], pair(18, 18)[1]),
    "huge": (1e6 * (pair(18, 18)[1] - 0.5), pair(18, 18)[1]),
    "huge and flat": (torch.full((1, 3, 18, 18), -1e6), torch.ones(1, 3, 18, 18)),
}


@pytest.mark.parametrize("name", LOSS_NAMES)
@pytest.mark.parametrize("extreme", EXTREMES)
def test_gradients_are_finite_at_the_extremes(name: str, extreme: str) -> None:
    start, target = EXTREMES[extreme]
    estimate = start.clone().requires_grad_()
    loss = total(name, estimate, target)
    loss.backward()
    assert loss.isfinite()
    assert loss >= 0
    assert estimate.grad is not None
    assert estimate.grad.isfinite().all()


@pytest.mark.parametrize("name", LOSS_NAMES)
def test_the_better_estimate_has_the_smaller_loss(name: str) -> None:
    far, target = pair(32, 32)
    estimate = target + 0.1 * (far - target)  # not so far that bootstrapped calls it foreground
    nearer = target + 0.05 * (far - target)
    assert total(name, target, target) < total(name, nearer, target)
    assert total(name, nearer, target) < total(name, estimate, target)


@pytest.mark.parametrize("name", LOSS_NAMES)
def test_a_weight_of_ones_changes_nothing(name: str) -> None:
    estimate, target = pair()
    weighted = total(name, estimate, target, weight=torch.ones(2, 1, 24, 32))
    torch.testing.assert_close(weighted, total(name, estimate, target))


@pytest.mark.parametrize("name", LOSS_NAMES)
def test_a_weight_of_zeros_leaves_no_loss_and_no_gradient(name: str) -> None:
    estimate, target = pair()
    loss = total(name, estimate, target, weight=torch.zeros(2, 1, 24, 32))
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert estimate.grad is not None
    assert (estimate.grad == 0).all()


@pytest.mark.parametrize("name", sorted(set(LOSS_NAMES) - {"ssim_mix", "ms_ssim_l1"}))
def test_the_weight_is_averaged_plainly(name: str) -> None:
    estimate, target = pair()
    half = torch.ones(2, 1, 24, 32)
    half[..., 16:] = 0
    weighted = total(name, estimate, target, weight=half)
    alone = total(name, estimate[..., :16], target[..., :16])
    torch.testing.assert_close(weighted, alone / 2)


def test_the_similarity_behind_a_mask_teaches_nothing() -> None:
    estimate, target = pair(32, 32)
    weight = torch.ones(2, 1, 32, 32)
    weight[..., 10:] = 0
    for name in ("ssim_mix", "ms_ssim_l1"):
        estimate.grad = None
        total(name, estimate, target, weight=weight).backward()
        assert estimate.grad is not None
        assert (estimate.grad[..., 15:] == 0).all(), name  # beyond the reach of the window
        assert (estimate.grad[..., :10] != 0).any(), name


def test_ssim_agrees_with_scikit_image() -> None:
    estimate, target = pair(24, 33, batch=1)
    values = ssim_map(estimate, target).detach()[0].numpy()
    _, expected = structural_similarity(  # type: ignore[no-untyped-call]
        estimate.detach()[0].double().numpy(),
        target[0].double().numpy(),
        data_range=1.0,
        channel_axis=0,
        gaussian_weights=True,
        use_sample_covariance=False,
        full=True,
    )
    inside = (slice(None), slice(5, -5), slice(5, -5))  # it mirrors the frame at the edges
    np.testing.assert_allclose(values[inside], expected[inside], atol=1e-4)


def test_ssim_agrees_with_pytorch_msssim() -> None:
    estimate, target = pair()
    mean = ssim_map(estimate, target)[..., 5:-5, 5:-5].mean(dim=(1, 2, 3))
    expected = pytorch_msssim.ssim(estimate, target, data_range=1.0, size_average=False)
    torch.testing.assert_close(mean, expected, rtol=0, atol=1e-5)


def test_ssim_at_the_edge_counts_only_pixels_that_exist() -> None:
    estimate, target = pair(16, 16, batch=1)
    first = estimate.detach()[0, 0].double().numpy()
    second = target[0, 0].double().numpy()
    places = np.arange(6)  # what an 11x11 window around the corner sees of the frame
    line = np.exp(-(places**2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2

    def average(values: NDArray[np.float64]) -> float:
        return float((values[:6, :6] * window).sum())

    mean_1, mean_2 = average(first), average(second)
    variances = average(first**2) - mean_1**2 + average(second**2) - mean_2**2
    covariance = average(first * second) - mean_1 * mean_2
    expected = (2 * mean_1 * mean_2 + 1e-4) / (mean_1**2 + mean_2**2 + 1e-4)
    expected *= (2 * covariance + 9e-4) / (variances + 9e-4)
    assert ssim_map(estimate, target)[0, 0, 0, 0].item() == pytest.approx(expected, abs=1e-4)


def test_ssim_is_one_for_equals_and_in_range_for_opposites() -> None:
    estimate, target = pair()
    torch.testing.assert_close(ssim_map(target, target), torch.ones(2, 3, 24, 32))
    for other in (1 - target, estimate.detach(), torch.zeros_like(target)):
        values = ssim_map(other, target)
        assert values.min() >= -1
        assert values.max() <= 1 + 1e-5


@pytest.mark.parametrize("size", [(176, 176), (192, 256)])
def test_ms_ssim_agrees_with_pytorch_msssim(size: tuple[int, int]) -> None:
    estimate, target = pair(*size)
    expected = pytorch_msssim.ms_ssim(estimate, target, data_range=1.0, size_average=False)
    torch.testing.assert_close(ms_ssim(estimate, target), expected, rtol=0, atol=1e-5)


def test_ms_ssim_of_a_small_image_is_plain_ssim() -> None:
    estimate, target = pair(16, 20)
    expected = pytorch_msssim.ssim(estimate, target, data_range=1.0, size_average=False)
    torch.testing.assert_close(ms_ssim(estimate, target), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("side", "levels"), [(11, 1), (20, 1), (21, 2), (41, 3), (81, 4), (160, 4), (161, 5), (999, 5)]
)
def test_ms_ssim_has_as_many_levels_as_the_window_fits(side: int, levels: int) -> None:
    weights = losses._level_weights(side)
    assert len(weights) == levels
    assert sum(weights) == pytest.approx(1)


def test_ms_ssim_names_the_sizes_that_work() -> None:
    with pytest.raises(FrameSizeError, match="give at least 11 px"):
        ms_ssim(*pair(10, 30))


def test_ms_ssim_stays_in_range() -> None:
    _, target = pair(64, 65)
    torch.testing.assert_close(ms_ssim(target, target), torch.ones(2))
    assert ms_ssim(1 - target, target).tolist() == pytest.approx([1e-3, 1e-3])


def test_similarity_is_computed_in_float32_under_mixed_precision() -> None:
    estimate, target = pair()
    expected = ssim_map(estimate, target)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        values = ssim_map(estimate, target)
    assert values.dtype == torch.float32
    torch.testing.assert_close(values, expected)


def slow_bootstrap_weight(
    error: NDArray[np.float64], strength: float, window: int
) -> NDArray[np.float64]:
    foreground = np.tanh(error.sum(axis=1) / 0.25)
    batch, height, width = foreground.shape
    weight = np.empty((batch, 1, height, width))
    half = window // 2
    for image in range(batch):
        for row in range(height):
            for column in range(width):
                rows = slice(max(row - half, 0), row + half + 1)
                columns = slice(max(column - half, 0), column + half + 1)
                average = foreground[image, rows, columns].mean()
                weight[image, 0, row, column] = np.exp(-strength * average)
    return weight


@pytest.mark.parametrize(
    ("width", "window"), [(20, 1), (74, 1), (75, 3), (149, 3), (150, 5), (320, 9)]
)
def test_the_bootstrap_weight_agrees_with_a_slow_loop(width: int, window: int) -> None:
    error = losses.huber(*pair(11, width)).detach()
    expected = slow_bootstrap_weight(error.double().numpy(), 6.0, window)
    weight = bootstrap_weight(error, strength=6.0)
    assert weight.shape == (2, 1, 11, width)
    np.testing.assert_allclose(weight.numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("window", [1, 3, 5, 7, 11, 13, 41])
def test_the_bootstrap_window_may_be_given_also_larger_than_the_frame(window: int) -> None:
    error = losses.huber(*pair(9, 14)).detach()
    expected = slow_bootstrap_weight(error.double().numpy(), 2.0, window)
    weight = bootstrap_weight(error, strength=2.0, window=window)
    np.testing.assert_allclose(weight.numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("window", [0, -1, 4])
def test_a_window_without_a_middle_is_refused(window: int) -> None:
    with pytest.raises(SettingsError, match="give an odd number"):
        bootstrap_weight(torch.zeros(1, 3, 16, 16), strength=6.0, window=window)


def test_the_bootstrap_weight_goes_from_one_to_the_exponential_of_the_strength() -> None:
    nothing = bootstrap_weight(torch.zeros(1, 3, 16, 80), strength=6.0)
    everything = bootstrap_weight(torch.full((1, 3, 16, 80), 100.0), strength=6.0)
    assert (nothing == 1).all()
    torch.testing.assert_close(everything, torch.full((1, 1, 16, 80), float(np.exp(-6.0))))


def test_the_bootstrap_weight_has_no_gradient_and_keeps_its_input() -> None:
    error = losses.huber(*pair(16, 80))
    before = error.detach().clone()
    weight = bootstrap_weight(error, strength=6.0)
    assert not weight.requires_grad
    assert (error == before).all()


def test_bootstrapped_is_the_weighted_sum_over_channels() -> None:
    estimate, target = pair(12, 80)
    difference = (estimate - target).detach().double().numpy()
    error = numpy_huber(difference)
    weight = slow_bootstrap_weight(error, 6.0, window=3)
    loss = reconstruction_terms("bootstrapped", estimate, target)["bootstrapped"]
    assert loss.item() == pytest.approx((error.sum(axis=1, keepdims=True) * weight).mean(), 1e-5)
    loss.backward()
    slope = np.clip(difference / (3 / 255), -1, 1)  # of the Huber error alone
    assert estimate.grad is not None
    np.testing.assert_allclose(
        estimate.grad.numpy(), slope * weight / (2 * 12 * 80), rtol=1e-3, atol=1e-9
    )


def test_strength_zero_is_plain_huber_summed_over_channels() -> None:
    estimate, target = pair(16, 80)
    loss = reconstruction_terms("bootstrapped", estimate, target, strength=0.0)["bootstrapped"]
    torch.testing.assert_close(loss, 3 * losses.huber(estimate, target).mean())


def test_mixes_have_the_stated_shares() -> None:
    estimate, target = pair()
    mix = reconstruction_terms("ssim_mix", estimate, target)
    squared = functional.mse_loss(estimate, target)
    torch.testing.assert_close(mix["mse"], 0.8 * squared)
    torch.testing.assert_close(mix["ssim"], 0.2 * (1 - ssim_map(estimate, target).mean()))
    mix = reconstruction_terms("ms_ssim_l1", estimate, target)
    torch.testing.assert_close(mix["l1"], 0.16 * functional.l1_loss(estimate, target))
    torch.testing.assert_close(mix["ms_ssim"], 0.84 * (1 - ms_ssim(estimate, target).mean()))
