"""The measurement of one cell, in a process that does nothing else."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cleanplate._version import __version__
from cleanplate.benchmark.cells import Cell
from cleanplate.benchmark.hold import HeldRecording
from cleanplate.benchmark.memory import peak_memory_bytes, reset_peak_memory
from cleanplate.benchmark.recordings import first_half, frame_numbers, write_frames
from cleanplate.benchmark.results import (
    Cost,
    Environment,
    Findings,
    FrameCounts,
    MaskMeasures,
    PlateFigures,
    SweepFigures,
)
from cleanplate.benchmark.scores import (
    count_masks,
    draw_worst_frames,
    measure_counts,
    sweep_figures,
    worst_frames,
)
from cleanplate.benchmark.sequences import BenchSequence
from cleanplate.benchmark.subjects import Subject, open_subject
from cleanplate.datasets import GroundTruth, VideoSequence
from cleanplate.datasets.base import read_grey
from cleanplate.errors import GroundTruthError, SourceError
from cleanplate.evaluation import score_plate
from cleanplate.frames import Mask
from cleanplate.installed import version_of
from cleanplate.video import MaskWriter, mask_name

_NO_SWEEP = "no single number cuts a graded difference of this method into a mask"
_NO_LABELS = "the sequence has no labels"
_NO_TRUTH = "no frame that is scored shows foreground"
_PACKAGES = ("numpy", "opencv-contrib-python-headless", "torch", "pybgs")


@dataclass(frozen=True)
class _Recordings:
    """What is learned from, what is segmented, and which frames count."""

    learned: Path
    segmented: Path
    scored: Sequence[int]
    frames: int


@dataclass(frozen=True)
class _Masks:
    """Masks on the disk."""

    folder: Path
    count: int

    def read(self, number: int) -> Mask | None:
        """The mask of a frame; None: the frame could not be read, so that it has none."""
        path = self.folder / mask_name(number)
        return read_grey(path, error=SourceError) if path.exists() else None


def measure_cell(cell: Cell, sequence: BenchSequence, *, work: Path, pictures: Path) -> Findings:
    """Learns, segments and scores.

    Args:
        cell: What is measured.
        sequence: Its sequence.
        work: An empty folder.
        pictures: Folder for the worst frames.

    Raises:
        CleanplateError: What stands in the way.
    """
    truth = sequence.open()
    held = None if cell.hold is None else HeldRecording(truth, cell.hold)
    recordings = _recordings(cell, truth, held, work)
    subject = open_subject(cell)
    learned_from, masks, cost = _run(subject, recordings, work)
    counts = FrameCounts(
        recording=recordings.frames,
        learned_from=learned_from,
        segmented=masks.count,
        scored=len(recordings.scored),
        first_scored=recordings.scored[0] if recordings.scored else None,
        last_scored=recordings.scored[-1] if recordings.scored else None,
    )
    findings = Findings(frames=counts, cost=cost, environment=_environment(cell))
    if held is not None:
        return findings.model_copy(update={"held": held.measure(masks.read)})
    plate, plate_missing = _plate(subject, truth)
    findings = findings.model_copy(update={"plate": plate, "plate_missing": plate_missing})
    if not recordings.scored:
        return findings.model_copy(update={"sweep_missing": _NO_LABELS})
    frames = count_masks(masks.read, truth, recordings.scored)
    sweep, sweep_missing = _sweep(cell, subject, recordings, truth)
    shown = worst_frames(frames)
    return findings.model_copy(
        update={
            "measures": MaskMeasures.of(measure_counts(frames)),
            "sweep": sweep,
            "sweep_missing": sweep_missing,
            "worst": draw_worst_frames(shown, recordings.segmented, masks.read, truth, pictures),
        }
    )


def _recordings(
    cell: Cell, truth: VideoSequence, held: HeldRecording | None, work: Path
) -> _Recordings:
    everything = truth.source
    assert everything is not None
    numbers = frame_numbers(everything)
    is_held_out = cell.protocol == "held-out"
    if held is not None:
        everything, before = held.write(everything, work / "held")
        learned = before if is_held_out else everything
        return _Recordings(learned, everything, truth.numbers, len(numbers))
    if not is_held_out:
        return _Recordings(everything, everything, truth.numbers, len(numbers))
    half = first_half(numbers)
    scored = tuple(number for number in truth.numbers if half and number > half[-1])
    if len(half) < 2 or (truth.numbers and not scored):
        scope = f", scored to {truth.numbers[-1]}" if truth.numbers else ""
        raise GroundTruthError(
            f"'{cell.sequence}' has no two halves: {len(numbers)} frames{scope}; leave it out"
        )
    write_frames(everything, work / "half", last=half[-1])
    return _Recordings(work / "half", everything, scored, len(numbers))


def _run(subject: Subject, recordings: _Recordings, work: Path) -> tuple[int, _Masks, Cost]:
    kept = work / "learning"
    kept.mkdir()
    reset_peak_memory()
    begin, begin_cpu = time.monotonic(), _cpu_seconds()
    learned_from = subject.learn(recordings.learned, kept)
    learned, learned_cpu = time.monotonic(), _cpu_seconds()
    learn_peak = peak_memory_bytes()
    reset_peak_memory()
    frames = 0
    segmenting, segmenting_cpu = time.monotonic(), _cpu_seconds()
    with MaskWriter(work / "masks") as writer:
        for frame in subject.masks(recordings.segmented):
            writer.write(frame.number, frame.mask)
            frames += 1
    seconds = time.monotonic() - segmenting
    segment_peak = peak_memory_bytes(subject.helpers)
    subject.close()
    segment_cpu = _cpu_seconds() - segmenting_cpu
    cost = Cost(
        learn_seconds=learned - begin,
        learn_cpu_seconds=learned_cpu - begin_cpu,
        segment_seconds=seconds,
        segment_cpu_seconds=segment_cpu,
        frames_per_second=frames / seconds,
        learn_peak_memory_bytes=learn_peak,
        segment_peak_memory_bytes=segment_peak,
        device_memory_bytes=_device_memory_bytes(),
    )
    return learned_from, _Masks(work / "masks", frames), cost


def _cpu_seconds() -> float:
    """Processor time of this process and of those that it has started and that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _plate(subject: Subject, truth: VideoSequence) -> tuple[PlateFigures | None, str | None]:
    if not truth.plates:
        return None, "the sequence has no true plate"
    plate = subject.plate()
    if plate is None:
        return None, "the method has no plate"
    # Where the scene itself changes, any of its states will do: the nearest counts.
    measured = [score_plate(plate, true.picture, valid=true.valid) for true in truth.plates]
    return PlateFigures.of(min(measured, key=lambda measures: measures.AGE)), None


def _sweep(
    cell: Cell, subject: Subject, recordings: _Recordings, truth: GroundTruth
) -> tuple[SweepFigures | None, str | None]:
    if not cell.sweep:
        return None, "not asked for"
    sweep = subject.sweep
    if sweep is None:
        return None, _NO_SWEEP
    masks = subject.swept_masks(recordings.segmented)
    figures = sweep_figures(sweep, masks, truth, recordings.scored)
    return figures, None if figures else _NO_TRUTH


def _environment(cell: Cell) -> Environment:
    device = "cpu"
    if cell.kind == "network":
        import torch

        from cleanplate.runtimes.network import pick_device

        if pick_device(cell.device).type == "cuda":
            device = torch.cuda.get_device_name()
    return Environment(
        platform=platform.platform(),
        processors=os.cpu_count(),
        threads=int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)),
        device=device,
        versions={
            "cleanplate": __version__,
            "python": platform.python_version(),
            **{name: version_of(name) for name in _PACKAGES},
        },
    )


def _device_memory_bytes() -> int | None:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    return int(torch.cuda.max_memory_allocated())
