"""A data folder of tiny painted sequences, and a cell of one of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench_samples import write_sequence

from cleanplate.benchmark.cells import Cell


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sequences of one category and one of another; not to be changed."""
    folder = tmp_path_factory.mktemp("data")
    for seed, name in enumerate(("still/gate", "still/yard", "lit/noon")):
        write_sequence(folder / name, seed=seed)
    return folder


@pytest.fixture
def cell() -> Cell:
    return Cell(
        sequence="still/yard",
        category="still",
        method="median",
        seed=0,
        protocol="transductive",
    )
