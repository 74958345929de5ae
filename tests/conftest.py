"""Fixtures and marks of the whole suite."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import numpy as np
import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--runslow", action="store_true", help="run the tests marked slow too")
    parser.addoption("--runnightly", action="store_true", help="run those marked nightly too")
    parser.addoption("--runsweep", action="store_true", help="run those marked sweep too: an hour")


def pytest_configure() -> None:
    """Tests run side by side, so that threads of one would only wait for those of another."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--runslow"):
        skip_marked(items, "slow", "slow: give --runslow")
    if not config.getoption("--runnightly"):
        skip_marked(items, "nightly", "nightly: give --runnightly")
    if not config.getoption("--runsweep"):
        skip_marked(items, "sweep", "sweep: give --runsweep")
    if any(item.get_closest_marker("gpu") for item in items) and not has_cuda():
        skip_marked(items, "gpu", "gpu: there is no CUDA device here")


def skip_marked(items: list[pytest.Item], mark: str, reason: str) -> None:
    skip = pytest.mark.skip(reason=reason)
    for item in items:
        if item.get_closest_marker(mark):
            item.add_marker(skip)


def has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()


@pytest.fixture(autouse=True)
def repeatable() -> None:
    """Every test starts from the same random state, and torch computes on one thread."""
    random.seed(0)
    np.random.seed(0)
    if "torch" in sys.modules:  # a test that needs no torch must not pay for its import
        import torch

        torch.manual_seed(0)
        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real sequences; the test is skipped where there is none."""
    folder = os.environ.get("CLEANPLATE_DATA")
    if not folder:
        pytest.skip("real data: set CLEANPLATE_DATA to their folder")
    return Path(folder)
