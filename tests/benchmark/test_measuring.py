"""One cell, measured in this process: what is learned from, what is scored, what it costs."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from bench_samples import write_sequence

from cleanplate import learn
from cleanplate.benchmark.cells import Cell, Hold
from cleanplate.benchmark.measuring import measure_cell
from cleanplate.benchmark.memory import peak_memory_bytes, reset_peak_memory
from cleanplate.benchmark.results import Findings
from cleanplate.benchmark.sequences import find_sequences
from cleanplate.datasets import open_sequence
from cleanplate.errors import GroundTruthError
from cleanplate.evaluation import score_masks, score_plate
from cleanplate.video import MaskWriter

_MEBIBYTE = 1 << 20


def measure(cell: Cell, data: Path, tmp_path: Path) -> Findings:
    (sequence,) = (each for each in find_sequences(data) if each.name == cell.sequence)
    work = tmp_path / "work"
    work.mkdir(parents=True)
    return measure_cell(cell, sequence, work=work, pictures=tmp_path / "pictures" / "cell")


def test_a_cell_has_the_figures_of_the_commands(cell: Cell, data: Path, tmp_path: Path) -> None:
    found = measure(cell, data, tmp_path)
    folder = data / cell.sequence
    scene = learn(folder / "input", method="median")
    with MaskWriter(tmp_path / "masks") as writer:
        for result in scene.segment(folder / "input"):
            writer.write(result.number, result.mask)
    expected = score_masks(tmp_path / "masks", open_sequence(folder)).measures
    assert found.measures is not None
    assert found.measures.as_measures() == pytest.approx(expected, nan_ok=True)
    plate = score_plate(scene.plate, folder / "GT" / "GT_background.png")
    assert found.plate is not None
    assert pytest.approx(plate.AGE) == found.plate.AGE


def test_the_sweep_meets_the_default_and_its_best_is_not_below_it(
    cell: Cell, data: Path, tmp_path: Path
) -> None:
    found = measure(cell, data, tmp_path)
    assert found.measures is not None
    assert found.sweep is not None
    at_default = found.sweep.F[found.sweep.values.index(found.sweep.default)]
    assert at_default == pytest.approx(found.measures.F)
    assert found.sweep.best_F == max(value or 0 for value in found.sweep.F)
    assert found.sweep.best_F >= (found.measures.F or 0)


def test_a_peer_without_one_number_says_why_it_has_no_best_f(
    cell: Cell, data: Path, tmp_path: Path
) -> None:
    found = measure(cell.model_copy(update={"method": "CNT"}), data, tmp_path)
    assert found.sweep is None
    assert found.sweep_missing == (
        "no single number cuts a graded difference of this method into a mask"
    )


def test_a_peer_without_a_plate_says_so(cell: Cell, data: Path, tmp_path: Path) -> None:
    quick = cell.model_copy(update={"method": "GMG", "sweep": False})
    found = measure(quick, data, tmp_path)
    assert found.plate is None
    assert found.plate_missing == "the method has no plate"


@pytest.mark.parametrize(
    ("protocol", "method", "learned_from", "scored"),
    [
        ("transductive", "median", 40, (9, 40, 32)),
        ("held-out", "median", 20, (21, 40, 20)),
        ("transductive", "CNT", 0, (9, 40, 32)),
        ("held-out", "CNT", 0, (21, 40, 20)),
        ("held-out", "robust_pca", 20, (21, 40, 20)),
    ],
)
def test_each_protocol_learns_from_and_scores_its_frames(
    cell: Cell,
    data: Path,
    tmp_path: Path,
    protocol: str,
    method: str,
    learned_from: int,
    scored: tuple[int, int, int],
) -> None:
    chosen = cell.model_copy(update={"protocol": protocol, "method": method, "sweep": False})
    frames = measure(chosen, data, tmp_path).frames
    assert frames.learned_from == learned_from
    assert (frames.first_scored, frames.last_scored, frames.scored) == scored
    assert frames.segmented == frames.recording == 40


def test_a_recording_too_short_for_halves_is_refused(cell: Cell, tmp_path: Path) -> None:
    write_sequence(tmp_path / "still" / "yard", count=10)
    (tmp_path / "still" / "yard" / "temporalROI.txt").write_text("1 4", encoding="utf-8")
    halves = cell.model_copy(update={"protocol": "held-out"})
    with pytest.raises(GroundTruthError, match="has no two halves: 10 frames"):
        measure(halves, tmp_path, tmp_path / "x")


@pytest.mark.parametrize("protocol", ["transductive", "held-out"])
def test_a_sequence_with_nothing_but_a_true_plate_has_the_measures_of_its_plate(
    cell: Cell, tmp_path: Path, protocol: str
) -> None:
    shutil.rmtree(write_sequence(tmp_path / "still" / "yard") / "groundtruth")
    (tmp_path / "still" / "yard" / "temporalROI.txt").unlink()
    found = measure(cell.model_copy(update={"protocol": protocol}), tmp_path, tmp_path / "x")
    assert found.measures is None
    assert found.plate is not None
    assert 0 <= (found.plate.AGE or 0) < 3
    assert found.frames.scored == 0


def test_the_worst_frames_have_pictures(cell: Cell, data: Path, tmp_path: Path) -> None:
    found = measure(cell.model_copy(update={"method": "CNT"}), data, tmp_path)
    assert found.worst
    assert found.worst[0].wrong_share == max(frame.wrong_share for frame in found.worst)
    for frame in found.worst:
        assert set(frame.pictures) == {"input", "truth", "mask"}
        assert all((tmp_path / path).stat().st_size for path in frame.pictures.values())


def test_a_hold_is_measured_instead_of_f(cell: Cell, data: Path, tmp_path: Path) -> None:
    held = cell.model_copy(update={"hold": Hold(frame=15, count=12)})
    found = measure(held, data, tmp_path)
    assert found.measures is None
    assert found.held is not None
    assert found.held.marked > 0.8
    assert found.frames.learned_from == 40


def test_a_held_out_hold_learns_from_the_frames_before(
    cell: Cell, data: Path, tmp_path: Path
) -> None:
    held = cell.model_copy(update={"hold": Hold(frame=15, count=12), "protocol": "held-out"})
    assert measure(held, data, tmp_path).frames.learned_from == 15


def test_the_costs_are_there(cell: Cell, data: Path, tmp_path: Path) -> None:
    cost = measure(cell, data, tmp_path).cost
    assert cost.learn_seconds > 0
    assert cost.frames_per_second == pytest.approx(40 / cost.segment_seconds)
    assert cost.learn_cpu_seconds > 0
    assert cost.segment_peak_memory_bytes > 10 * _MEBIBYTE


def test_the_peak_of_memory_is_forgotten_when_asked() -> None:
    array = np.ones(100 * _MEBIBYTE, np.uint8)
    before = peak_memory_bytes()
    del array
    reset_peak_memory()
    assert peak_memory_bytes() < before - 50 * _MEBIBYTE
