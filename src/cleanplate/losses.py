"""Pure loss functions, each one named term; estimates and targets `(B, 3, H, W)`, in [0, 1].

The element-wise maps are not reduced, so that a caller can weight pixels before it averages;
`reconstruction_terms` does both and gives the terms by name.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import torch
from torch import Tensor
from torch.nn import functional

from cleanplate.errors import FrameSizeError, SettingsError, UnknownNameError
from cleanplate.tensor_tools.windows import window_sums

_HUBER_TRANSITION = 3 / 255
_HELD = 0.02
"""Bootstrap weight below which a pixel is foreground, and is compared with what is expected."""
_PROBABILITY_MARGIN = 1e-4
_LOG_COSH_LINEAR_FROM = 10.0

_SSIM_WINDOW = 11
_SSIM_SIGMA = 1.5
_LUMINANCE_CONSTANT = 0.01**2
_STRUCTURE_CONSTANT = 0.03**2
_MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_MS_SSIM_FLOOR = 1e-3

_SSIM_MIX = 0.2
_MS_SSIM_MIX = 0.84

_Loss = TypeVar("_Loss", bound=Callable[..., Any])


def _in_float32(loss: _Loss) -> _Loss:
    """The loss in float32, also of what layers gave in fewer digits: sums and squares need them."""

    @functools.wraps(loss)
    def exact(*values: Any, **options: Any) -> Any:
        with torch.autocast(values[0].device.type, enabled=False):
            return loss(*(_with_digits(value) for value in values), **options)

    return cast("_Loss", exact)


def _with_digits(value: Any) -> Any:
    is_short = isinstance(value, Tensor) and value.dtype in {torch.bfloat16, torch.float16}
    return value.float() if is_short else value


@_in_float32
def squared_error(estimate: Tensor, target: Tensor) -> Tensor:
    """Squared difference of each value, `(B, 3, H, W)`."""
    return functional.mse_loss(estimate, target, reduction="none")


@_in_float32
def absolute_error(estimate: Tensor, target: Tensor) -> Tensor:
    """Absolute difference of each value, `(B, 3, H, W)`."""
    return functional.l1_loss(estimate, target, reduction="none")


@_in_float32
def huber(estimate: Tensor, target: Tensor, *, transition: float = _HUBER_TRANSITION) -> Tensor:
    """Huber error of each value in the units of the difference, `(B, 3, H, W)`.

    With d the absolute difference: d^2 / (2 transition) below the transition, d - transition / 2
    above it.
    """
    return functional.smooth_l1_loss(estimate, target, reduction="none", beta=transition)


@_in_float32
def charbonnier(estimate: Tensor, target: Tensor, *, epsilon: float = 1e-3) -> Tensor:
    """Smooth absolute difference sqrt(d^2 + epsilon^2) of each value, `(B, 3, H, W)`.

    It is epsilon, not 0, where estimate and target agree.
    """
    return torch.sqrt(squared_error(estimate, target) + epsilon**2)


@_in_float32
def log_cosh(estimate: Tensor, target: Tensor) -> Tensor:
    """Logarithm of the hyperbolic cosine of each difference, `(B, 3, H, W)`."""
    difference = estimate - target
    # log(cosh d) = log(1 + 2 sinh^2(d/2)) keeps all digits where d is small, which |d| - log 2 +
    # ... does not; beyond 10 the function is |d| - log 2 in float32, and sinh would overflow.
    core = difference.clamp(-_LOG_COSH_LINEAR_FROM, _LOG_COSH_LINEAR_FROM)
    return torch.log1p(2 * torch.sinh(core / 2).square()) + (difference - core).abs()


@_in_float32
def binary_cross_entropy(estimate: Tensor, target: Tensor) -> Tensor:
    """Cross entropy of each value, read as a probability, `(B, 3, H, W)`.

    The estimate is clamped to [0, 1] and squeezed into [1e-4, 1 - 1e-4]: loss and gradient are
    finite, and black and white pixels keep a gradient. Targets between 0 and 1 leave a
    remainder: the smallest value is the entropy of the target, not 0.
    """
    bright = estimate.clamp(0, 1)
    dark = 1 - bright
    log_bright, log_dark = (
        torch.log(_PROBABILITY_MARGIN + (1 - 2 * _PROBABILITY_MARGIN) * share)
        for share in (bright, dark)
    )
    return -(target * log_bright + (1 - target) * log_dark)


@_in_float32
def photometric(
    estimate: Tensor, target: Tensor, *, epsilon: float = 0.01, q: float = 0.4
) -> Tensor:
    """Robust photometric error (|d| + epsilon)^q of each value, `(B, 3, H, W)`.

    It is epsilon^q, not 0, where estimate and target agree.
    """
    return (absolute_error(estimate, target) + epsilon) ** q


def ssim_map(estimate: Tensor, target: Tensor) -> Tensor:
    """Local structural similarity (Wang et al. 2004), `(B, 3, H, W)`, in [-1, 1]; 1 is equal.

    Gaussian window of 11x11 pixels, sigma 1.5, data range 1. At the edges the window counts
    only the pixels that exist.
    """
    similarity, _ = _similarity_maps(estimate, target)
    return similarity


@_in_float32
def ms_ssim(estimate: Tensor, target: Tensor, *, weight: Tensor | None = None) -> Tensor:
    """Multi-scale structural similarity (Wang et al. 2003) of each image, `(B,)`, in [0.001, 1].

    Five levels where the shorter side is above 160 px. Smaller images have as many levels as
    leave 11 px for the window, and the weights of these sum to 1 again: from 16 to 20 px one
    level, which is plain SSIM. A level without any similarity counts as 0.001, because the
    gradient of its power is infinite at 0.

    Args:
        estimate: Images, `(B, 3, H, W)`.
        target: Images of the same shape.
        weight: `(B, 1, H, W)`; multiplies the dissimilarity of each pixel at each level; None
            counts all alike.

    Raises:
        FrameSizeError: If a side is shorter than 11 px.
    """
    level_weights = _level_weights(min(estimate.shape[-2:]))
    result: Tensor | None = None
    for level, exponent in enumerate(level_weights):
        if level > 0:
            estimate, target = _halve(estimate), _halve(target)
            weight = None if weight is None else _halve(weight)
        similarity, structure = _similarity_maps(estimate, target)
        is_last = level == len(level_weights) - 1
        mean = _mean_inside(similarity if is_last else structure, weight)
        factor = mean.clamp(min=_MS_SSIM_FLOOR) ** exponent
        result = factor if result is None else result * factor
    assert result is not None
    return result.mean(dim=1)


@_in_float32
def bootstrap_weight(
    error: Tensor, *, strength: float, scale: float = 0.25, window: int | None = None
) -> Tensor:
    """Weight that takes pixels out of the loss that look like foreground, `(B, 1, H, W)`.

    It is exp(-strength * s), where s is tanh(error / scale), averaged over a square window of
    which only pixels inside the frame count: from 1 (no error) down to exp(-strength). It
    carries no gradient (Sauvalle and de La Fortelle, J. Imaging 2022, 8(1), 9, and
    arXiv 2112.08001).

    Args:
        error: Error of each channel, `(B, 3, H, W)`; summed over the channels here.
        strength: 6 in the reference; 0 gives a weight of 1 everywhere.
        scale: Summed error at which a pixel counts as foreground.
        window: Side of the window in pixels, odd; None gives 2 * floor(W / 75) + 1.

    Raises:
        SettingsError: If the window is not an odd number from 1.
    """
    if window is None:
        window = 2 * (error.shape[-1] // 75) + 1
    if window < 1 or window % 2 == 0:
        raise SettingsError(f"window {window} px has no middle; give an odd number from 1")
    with torch.no_grad():
        foreground = error.sum(dim=1, keepdim=True).div_(scale).tanh_()
        for dim in (2, 3):
            foreground = _box_average(foreground, window, dim)
        return (foreground * -strength).exp_()


def bootstrapped_error(
    estimate: Tensor, target: Tensor, reference: Tensor | None = None, *, strength: float
) -> tuple[Tensor, Tensor]:
    """Huber error of each value, `(B, 3, H, W)`, and its bootstrap weight, `(B, 1, H, W)`.

    Without a reference the weight is that of the error itself. With one it is that of the
    reference's error, and where it falls below 0.02 (at the full strength of 6: beyond 50 grey
    levels, summed over RGB) the estimate is compared with the reference under a weight of 0.02. A
    weight alone does not hold an estimate: Adam makes steps of full length from gradients
    of a four-hundredth, if nothing speaks against them.

    Args:
        estimate: `(B, 3, H, W)`.
        target: `(B, 3, H, W)`.
        reference: What the scene is expected to look like, `(B, 3, H, W)`; None: not known.
        strength: As of `bootstrap_weight`.
    """
    if reference is None:
        error = huber(estimate, target)
        return error, bootstrap_weight(error, strength=strength)
    doubt = huber(reference, target)
    alone = bootstrap_weight(doubt, strength=strength, window=1)
    # Around it may be little to doubt: what is small is drawn as soon as what is large.
    weight = torch.minimum(alone, bootstrap_weight(doubt, strength=strength))
    held = torch.where(weight < _HELD, reference, target)
    return huber(estimate, held), weight.clamp_(min=_HELD)


def reconstruction_terms(
    name: str,
    estimate: Tensor,
    target: Tensor,
    *,
    weight: Tensor | None = None,
    strength: float = 6.0,
    reference: Tensor | None = None,
) -> dict[str, Tensor]:
    """Named scalar terms of a reconstruction loss; their sum is the loss.

    `ssim_mix` is 0.8 mean squared error + 0.2 (1 - SSIM). `ms_ssim_l1` is 0.84 (1 - MS-SSIM) +
    0.16 L1 (Zhao et al. 2017, arXiv 1511.08861; they weight the L1 by the Gaussian of the
    coarsest level, the plain mean suffices here). `bootstrapped` is the Huber error summed over
    RGB times `bootstrap_weight`, averaged over the pixels. All others are the mean of the map of
    that name.

    Args:
        name: One of `LOSS_NAMES`.
        estimate: `(B, 3, H, W)`.
        target: `(B, 3, H, W)`.
        weight: `(B, 1, H, W)`; multiplies every map (for SSIM: its dissimilarity) before the
            plain mean. It is not divided by the sum of the weights, so that a batch in which
            little counts also moves the model little. None counts all pixels alike.
        strength: Strength of the bootstrap weight; only `bootstrapped` reads it.
        reference: `(B, 3, H, W)`, whose error gives the bootstrap weight; None: the estimate's own.
            With its own error whatever the estimate begins to draw counts more and more. Only
            `bootstrapped` reads it, see `bootstrapped_error`.

    Raises:
        UnknownNameError: If there is no loss of that name.
        FrameSizeError: If `ms_ssim_l1` meets a side shorter than 11 px.
    """
    if name in _ELEMENTWISE:
        return {name: _mean(_ELEMENTWISE[name](estimate, target), weight)}
    if name == "ssim_mix":
        dissimilarity = _mean(1 - ssim_map(estimate, target), weight)
        squared = _mean(squared_error(estimate, target), weight)
        return {"mse": (1 - _SSIM_MIX) * squared, "ssim": _SSIM_MIX * dissimilarity}
    if name == "ms_ssim_l1":
        similarity = ms_ssim(estimate, target, weight=weight).mean()
        absolute = _mean(absolute_error(estimate, target), weight)
        return {"ms_ssim": _MS_SSIM_MIX * (1 - similarity), "l1": (1 - _MS_SSIM_MIX) * absolute}
    if name == "bootstrapped":
        error, trust = bootstrapped_error(estimate, target, reference, strength=strength)
        return {name: _mean(error.sum(dim=1, keepdim=True) * trust, weight)}
    raise UnknownNameError("loss", name, LOSS_NAMES)


@_in_float32
def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Divergence of N(mean, variance) from N(0, 1) in nats, one for each value, 0 or more.

    Kingma and Welling 2013 (arXiv 1312.6114), appendix B.
    """
    return (mean.square() + log_variance.exp() - log_variance - 1) / 2


@_in_float32
def maximum_mean_discrepancy(samples: Tensor, others: Tensor, *, bandwidth: float) -> Tensor:
    """Distance of two distributions known by samples, squared; 0 or more, 0 if both are equal.

    Gaussian kernel exp(-d^2 / (2 bandwidth^2)); the biased estimate of Gretton et al. 2012
    (JMLR 13, equation 5).

    Args:
        samples: `(N, D)`.
        others: `(M, D)`.
        bandwidth: Distance at which two samples begin to be strangers.
    """

    def kernel(left: Tensor, right: Tensor) -> Tensor:
        squared = (left[:, None] - right[None]).square().sum(dim=2)
        return torch.exp(-squared / (2 * bandwidth**2)).mean()

    return kernel(samples, samples) + kernel(others, others) - 2 * kernel(samples, others)


_ELEMENTWISE: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mse": squared_error,
    "l1": absolute_error,
    "huber": huber,
    "charbonnier": charbonnier,
    "log_cosh": log_cosh,
    "bce": binary_cross_entropy,
    "photometric": photometric,
}

LOSS_NAMES = (*_ELEMENTWISE, "ssim_mix", "ms_ssim_l1", "bootstrapped")
"""Names that `reconstruction_terms` knows."""


def _mean(values: Tensor, weight: Tensor | None) -> Tensor:
    return values.mean() if weight is None else (values * weight).mean()


@_in_float32
def _similarity_maps(estimate: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Local SSIM and its contrast-structure factor, both `(B, C, H, W)`."""
    moments = torch.cat(
        (estimate, target, estimate.square() + target.square(), estimate * target), dim=1
    )
    mean_estimate, mean_target, mean_squares, mean_product = _gaussian_average(moments).chunk(
        4, dim=1
    )
    squared_means = mean_estimate.square() + mean_target.square()
    product_of_means = mean_estimate * mean_target
    # Rounding makes small variances negative: large values would meet a denominator of 0.
    variances = (mean_squares - squared_means).clamp(min=0)
    covariance = mean_product - product_of_means
    luminance = (2 * product_of_means + _LUMINANCE_CONSTANT) / (squared_means + _LUMINANCE_CONSTANT)
    structure = (2 * covariance + _STRUCTURE_CONSTANT) / (variances + _STRUCTURE_CONSTANT)
    return luminance * structure, structure


def _gaussian_average(values: Tensor) -> Tensor:
    """Gaussian average around each value over the neighbours inside the frame."""
    channels, height, width = values.shape[1:]
    offsets = torch.arange(_SSIM_WINDOW, dtype=values.dtype, device=values.device)
    kernel = torch.exp(-((offsets - _SSIM_WINDOW // 2) ** 2) / (2 * _SSIM_SIGMA**2))
    kernel = kernel / kernel.sum()
    share_inside = _kernel_inside(kernel, height)[:, None] * _kernel_inside(kernel, width)
    # Channels last: torch's depthwise convolution on CPU is five times faster in this layout.
    values = values.contiguous(memory_format=torch.channels_last)
    half = _SSIM_WINDOW // 2
    down = kernel.view(1, 1, -1, 1).expand(channels, 1, -1, 1)
    across = kernel.view(1, 1, 1, -1).expand(channels, 1, 1, -1)
    values = functional.conv2d(values, down, padding=(half, 0), groups=channels)
    values = functional.conv2d(values, across, padding=(0, half), groups=channels)
    return values / share_inside


def _kernel_inside(kernel: Tensor, length: int) -> Tensor:
    """Share of the kernel that lies inside a line of this length, around each of its places."""
    line = torch.ones(1, 1, length, dtype=kernel.dtype, device=kernel.device)
    return functional.conv1d(line, kernel.view(1, 1, -1), padding=kernel.numel() // 2).view(-1)


def _level_weights(side: int) -> list[float]:
    if side < _SSIM_WINDOW:
        raise FrameSizeError(
            f"images with a side of {side} px are too small for MS-SSIM; give at least "
            f"{_SSIM_WINDOW} px or choose another loss"
        )
    levels = 1
    while levels < len(_MS_SSIM_WEIGHTS) and math.ceil(side / 2**levels) >= _SSIM_WINDOW:
        levels += 1
    weights = _MS_SSIM_WEIGHTS[:levels]
    return [weight / sum(weights) for weight in weights]


def _halve(values: Tensor) -> Tensor:
    """Means of 2x2 pixels; where a side is odd its first line stands alone."""
    padding = [side % 2 for side in values.shape[-2:]]
    return functional.avg_pool2d(values, 2, padding=padding, count_include_pad=False)


def _mean_inside(similarity: Tensor, weight: Tensor | None) -> Tensor:
    """Weighted mean over the pixels whose window lies inside the frame, `(B, C)`."""
    half = _SSIM_WINDOW // 2
    inside = (..., slice(half, -half), slice(half, -half))
    if weight is None:
        return similarity[inside].mean(dim=(2, 3))
    return 1 - ((1 - similarity[inside]) * weight[inside]).mean(dim=(2, 3))


def _box_average(values: Tensor, window: int, dim: int) -> Tensor:
    """Average over `window` neighbours along one dimension, of which only the existing count."""
    half, length = window // 2, values.shape[dim]
    around = functional.pad(values, (half, half, 0, 0) if dim == 3 else (0, 0, half, half))
    total = window_sums(around, window, dim)
    place = torch.arange(length, device=values.device)
    count = (place + half).clamp(max=length - 1) - (place - half).clamp(min=0) + 1
    return total.div_(count.view(-1, 1) if dim == 2 else count)
