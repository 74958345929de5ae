"""Torch on one thread: the threads of everybody else stay as they are, whenever they begin."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from cleanplate.architectures.base import BuildContext
from cleanplate.architectures.lowrank_ae import LowRankAE, LowRankAESettings
from cleanplate.model import LinearDecoder
from cleanplate.runtimes.linear_decoder import FastLinearDecoder
from cleanplate.tensor_tools.one_thread import on_one_thread

THREADS = 3


@pytest.fixture(autouse=True)
def _several() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    yield
    torch.set_num_threads(before)


def of_a_new_thread() -> int:
    """Number of threads of a thread that has just begun."""
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return found[0]


def test_it_computes_alone_and_nobody_else_does() -> None:
    assert on_one_thread(torch.get_num_threads) == 1
    assert on_one_thread(of_a_new_thread) == THREADS
    assert torch.get_num_threads() == THREADS


def test_errors_come_out_and_the_next_call_works() -> None:
    def fails() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        on_one_thread(fails)
    assert on_one_thread(lambda: 7) == 7


class Watched:
    """A linear_decoder whose codes look at what a thread that begins meanwhile would get."""

    def __init__(self, linear_decoder: LinearDecoder, seen: list[int]) -> None:
        self._codes = linear_decoder.codes
        self._seen = seen

    def __call__(self, thumbnails: torch.Tensor) -> torch.Tensor:
        self._seen.extend([torch.get_num_threads(), of_a_new_thread()])
        return self._codes(thumbnails)


def test_backgrounds_that_are_mixed_take_no_threads_from_others() -> None:
    plate = np.zeros((40, 56, 3), np.uint8)
    linear_decoder = (
        LowRankAE(LowRankAESettings(), BuildContext(plate, torch.device("cpu")))
        .eval()
        .linear_decoder()
    )
    seen: list[int] = []
    codes: Callable[[torch.Tensor], torch.Tensor] = Watched(linear_decoder, seen)
    FastLinearDecoder(linear_decoder._replace(codes=codes)).backgrounds(plate[None])
    assert seen == [1, THREADS]
