"""What a benchmark found, as JSON: `bench.schema.json` is made from these."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal

from pydantic import Field

from cleanplate.benchmark.cells import Cell, Hold, Kind, Protocol
from cleanplate.evaluation import Measures, PlateMeasures
from cleanplate.parameters import Parameters

SCHEMA_VERSION: Literal[1] = 1


class MaskMeasures(Parameters):
    """CDnet 2014's measures of the masks of a sequence; null where the truth defines none."""

    recall: float | None
    specificity: float | None
    FPR: float | None
    FNR: float | None
    PWC: float | None = Field(description="percentage of wrong pixels, 0 to 100")
    precision: float | None
    F: float | None
    F_all_foreground: float | None = Field(description="F of a mask that is all foreground")
    shadow_error_rate: float | None
    frames: int

    @classmethod
    def of(cls, measures: Measures) -> MaskMeasures:
        """The same measures as JSON holds them."""
        return cls.model_validate(measures.as_json())

    def as_measures(self) -> Measures:
        """The same measures as averages take them."""
        values = self.model_dump(exclude={"frames"})
        defined = {name: math.nan if value is None else value for name, value in values.items()}
        return Measures(**defined, frames=self.frames)


class PlateFigures(Parameters):
    """SBMnet's measures of a plate; null where they are infinite or undefined."""

    AGE: float | None = Field(description="average grey-level error")
    pEPs: float | None = Field(description="share of error pixels, 0 to 1")  # noqa: N815
    pCEPs: float | None = Field(description="share of clustered error pixels")  # noqa: N815
    MS_SSIM: float | None
    PSNR: float | None = Field(description="in dB")
    CQM: float | None = Field(description="in dB")

    @classmethod
    def of(cls, measures: PlateMeasures) -> PlateFigures:
        """The same measures as JSON holds them."""
        values = asdict(measures)
        return cls.model_validate({k: v if math.isfinite(v) else None for k, v in values.items()})


class HeldFigures(Parameters):
    """Which method goes on marking what stands still, and which leaves ghosts."""

    marked: float = Field(description="share of the held pixels that are marked while held")
    marked_in_last_quarter: float = Field(description="the same in the last quarter of the hold")
    ghosts: float | None = Field(
        description="share of the vacated pixels that are marked in the 100 frames after the hold; "
        "null where no frame follows"
    )
    held_pixels: int = Field(description="pixels that are held, in a frame")


class SweepFigures(Parameters):
    """F over the values of the one number that cuts a graded difference."""

    name: str
    default: float
    values: tuple[float, ...]
    F: tuple[float | None, ...] = Field(description="F at each value")
    best_value: float
    best_F: float  # noqa: N815 - F is what everybody calls it


class FrameCounts(Parameters):
    """Which frames did what."""

    recording: int = Field(description="frames of the sequence")
    learned_from: int = Field(
        description="frames shown while learning; 0 for a method that learns as it goes"
    )
    segmented: int = Field(description="frames that a mask was made of")
    scored: int
    first_scored: int | None = Field(description="number of the first scored frame")
    last_scored: int | None


class Cost(Parameters):
    """Time and memory of one process that measures one cell and nothing else."""

    learn_seconds: float = Field(description="wall time, start-up of the process left out")
    learn_cpu_seconds: float
    segment_seconds: float = Field(description="wall time, frames decoded and masks written")
    segment_cpu_seconds: float
    frames_per_second: float = Field(description="segmented frames by segment_seconds")
    learn_peak_memory_bytes: int
    segment_peak_memory_bytes: int
    device_memory_bytes: int | None = Field(description="most on the GPU; null without one")


class WorstFrame(Parameters):
    """A frame with many wrong pixels."""

    number: int
    wrong_share: float = Field(description="share of the scored pixels that are wrong")
    F: float | None = Field(description="of this frame alone")
    pictures: dict[str, str] = Field(description="input, truth and mask, below the output folder")


class Environment(Parameters):
    """The machine and what ran on it."""

    platform: str
    processors: int | None
    threads: int = Field(description="that the cell was allowed")
    device: str
    versions: dict[str, str | None]


class Findings(Parameters):
    """What was measured of a cell."""

    frames: FrameCounts
    cost: Cost
    environment: Environment
    measures: MaskMeasures | None = Field(
        None, description="null without labels, and where vehicles were held"
    )
    sweep: SweepFigures | None = None
    sweep_missing: str | None = Field(None, description="why there is no best F")
    plate: PlateFigures | None = None
    plate_missing: str | None = Field(None, description="why the plate has no measures")
    held: HeldFigures | None = None
    worst: tuple[WorstFrame, ...] = ()


class CellResult(Parameters):
    """One cell, measured or failed."""

    identity: str
    cell: Cell
    kind: Kind
    settings: dict[str, Any] = Field(description="of the method, all of them")
    wall_seconds: float = Field(description="of the whole process, scoring and sweep included")
    failed: str | None = Field(None, description="why there are no findings")
    findings: Findings | None = None


class Average(Parameters):
    """Mean over seeds and its spread."""

    mean: float | None
    spread: float | None = Field(description="standard deviation; null for a single seed")


class ResultRow(Parameters):
    """One method under one protocol, averaged."""

    method: str
    kind: Kind
    protocol: Protocol
    seeds: tuple[int, ...]
    sequences: tuple[str, ...] = Field(description="those with scored foreground")
    failed: tuple[str, ...] = Field(description="sequences on which a cell failed")
    overall: dict[str, Average] = Field(
        description="official averages: mean of the categories, each the mean of its sequences"
    )
    mean_F: Average = Field(  # noqa: N815
        description="mean over the sequences, whatever their category"
    )
    best_F: Average | None = Field(  # noqa: N815
        description="the threshold chosen for each sequence; null where a sequence has none"
    )
    plate: dict[str, Average] | None = Field(description="mean over sequences with a true plate")
    F_by_sequence: dict[str, Average]
    F_by_category: dict[str, Average]
    frames_per_second: float = Field(description="all frames by all the time they took")
    learn_seconds: float = Field(description="mean over the cells")
    cpu_seconds: float = Field(description="learning and segmenting, mean over the cells")
    learn_peak_memory_bytes: int = Field(description="most of all cells")
    segment_peak_memory_bytes: int


class HeldRow(Parameters):
    """One method where vehicles were held still."""

    method: str
    kind: Kind
    protocol: Protocol
    sequence: str
    hold: Hold
    figures: dict[str, Average]


class KindRow(Parameters):
    """One method on one kind of scene."""

    method: str
    kind: Kind = Field(description="of the method")
    failed: tuple[str, ...] = Field(description="sequences on which a cell failed")
    overall: dict[str, Average] = Field(
        description="F, recall, precision and PWC: means over the sequences that were measured"
    )
    by_sequence: dict[str, dict[str, Average]] = Field(description="the same of each sequence")


class KindResult(Parameters):
    """One kind of scene under one protocol."""

    scene_kind: str = Field(description="such as night; from --kinds or the data set's category")
    is_painted: bool = Field(description="whether the program painted its sequences")
    protocol: Protocol
    sequences: tuple[str, ...] = Field(description="those with scored foreground")
    rows: tuple[KindRow, ...]


class BenchResult(Parameters):
    """A whole benchmark: `bench.json`."""

    schema_version: Literal[1] = SCHEMA_VERSION
    created: str
    cleanplate: str
    data: str = Field(description="name of the data folder")
    protocols: Mapping[str, str]
    rules: tuple[str, ...] = Field(description="what holds for every cell")
    notes: tuple[str, ...] = Field(description="what a reader of the figures has to know")
    rows: tuple[ResultRow, ...]
    held: tuple[HeldRow, ...]
    by_kind: tuple[KindResult, ...] = Field((), description="kinds of scenes; only with --by kind")
    cells: tuple[CellResult, ...]
