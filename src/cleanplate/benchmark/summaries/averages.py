"""From cells to rows: official averages over sequences, mean and spread over seeds."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from cleanplate.benchmark.cells import PROTOCOLS, method_kind
from cleanplate.benchmark.results import (
    Average,
    CellResult,
    Findings,
    HeldRow,
    PlateFigures,
    ResultRow,
)
from cleanplate.evaluation import Measures, average_over_categories

_MEASURES = ("F", "recall", "precision", "specificity", "FPR", "FNR", "PWC", "shadow_error_rate")
_HELD = ("marked", "marked_in_last_quarter", "ghosts")

Key = TypeVar("Key")
Value = Callable[[Findings], float | None]


def method_rows(cells: Sequence[CellResult]) -> tuple[ResultRow, ...]:
    """A row for each method and protocol of which a cell was measured, the best F first."""
    rows = []
    for protocol in PROTOCOLS:
        here = [each for each in cells if each.cell.protocol == protocol and not each.cell.hold]
        found = [_row(group) for group in _by(here, lambda each: each.cell.method).values()]
        kept = [row for row in found if row is not None]
        rows += sorted(kept, key=lambda row: (bool(row.failed), -(row.overall["F"].mean or 0)))
    return tuple(rows)


def held_rows(cells: Sequence[CellResult]) -> tuple[HeldRow, ...]:
    """A row for each method, protocol and hold of which a cell was measured."""
    held = [each for each in cells if each.cell.hold and each.findings]
    groups = _by(
        held,
        lambda each: (
            each.cell.sequence,
            str(each.cell.hold),
            each.cell.protocol,
            each.cell.method,
        ),
    )
    rows = []
    for group in groups.values():
        cell = group[0].cell
        assert cell.hold is not None
        figures = {
            name: _average([getattr(each.findings.held, name) for each in group if each.findings])
            for name in _HELD
        }
        rows.append(
            HeldRow(
                method=cell.method,
                kind=method_kind(cell.method),
                protocol=cell.protocol,
                sequence=cell.sequence,
                hold=cell.hold,
                figures=figures,
            )
        )
    return tuple(rows)


def _row(cells: Sequence[CellResult]) -> ResultRow | None:
    cell = cells[0].cell
    measured = [each for each in cells if each.findings]
    if not measured:
        return None
    # Where the truth of a sequence has no foreground it defines no F, for any method.
    with_foreground = [each for each in measured if _value(each, _f) is not None]
    seeds = sorted({each.cell.seed for each in measured})
    by_sequence = _by(with_foreground, lambda each: each.cell.sequence)
    by_category = _by(with_foreground, lambda each: each.cell.category)
    costs = [each.findings.cost for each in measured if each.findings]
    segmented = sum(each.findings.frames.segmented for each in measured if each.findings)
    return ResultRow(
        method=cell.method,
        kind=method_kind(cell.method),
        protocol=cell.protocol,
        seeds=tuple(seeds),
        sequences=tuple(by_sequence),
        failed=tuple(sorted({each.cell.sequence for each in cells if each.failed})),
        overall=_overall(measured, seeds),
        mean_F=mean_over_seeds(with_foreground, _f),
        best_F=_best(with_foreground),
        plate=_plates(measured),
        F_by_sequence={
            name: _average([_value(each, _f) for each in group])
            for name, group in by_sequence.items()
        },
        F_by_category={name: mean_over_seeds(group, _f) for name, group in by_category.items()},
        frames_per_second=segmented / sum(cost.segment_seconds for cost in costs),
        learn_seconds=statistics.fmean(cost.learn_seconds for cost in costs),
        cpu_seconds=statistics.fmean(
            cost.learn_cpu_seconds + cost.segment_cpu_seconds for cost in costs
        ),
        learn_peak_memory_bytes=max(cost.learn_peak_memory_bytes for cost in costs),
        segment_peak_memory_bytes=max(cost.segment_peak_memory_bytes for cost in costs),
    )


def _overall(cells: Sequence[CellResult], seeds: Sequence[int]) -> dict[str, Average]:
    """CDnet's averages, for each seed by itself."""
    averages = []
    for seed in seeds:
        videos: dict[str, list[Measures]] = defaultdict(list)
        for each in cells:
            if each.cell.seed == seed and each.findings and each.findings.measures:
                videos[each.cell.category].append(each.findings.measures.as_measures())
        if videos:
            averages.append(average_over_categories(videos))
    return {
        name: _average([_or_none(getattr(average, name)) for average in averages])
        for name in _MEASURES
    }


def _best(cells: Sequence[CellResult]) -> Average | None:
    """Official average of the best F over thresholds; None unless each sequence has one."""

    def best(findings: Findings) -> float | None:
        return findings.sweep.best_F if findings.sweep else None

    if not cells or any(_value(each, best) is None for each in cells):
        return None

    def official(group: Sequence[CellResult]) -> float | None:
        categories = _by(group, lambda each: each.cell.category).values()
        return _mean(_mean(_value(each, best) for each in videos) for videos in categories)

    return _over_seeds(cells, official)


def _plates(cells: Sequence[CellResult]) -> dict[str, Average] | None:
    scored = [each for each in cells if each.findings and each.findings.plate]
    if not scored:
        return None

    def average(name: str) -> Average:
        def value(findings: Findings) -> float | None:
            figure: float | None = getattr(findings.plate, name)
            return figure

        return mean_over_seeds(scored, value)

    return {name: average(name) for name in PlateFigures.model_fields}


def mean_over_seeds(cells: Sequence[CellResult], value: Value) -> Average:
    """Mean of a value over the cells of each seed, then mean and spread over the seeds."""
    return _over_seeds(cells, lambda group: _mean(_value(each, value) for each in group))


def _over_seeds(
    cells: Sequence[CellResult], average: Callable[[Sequence[CellResult]], float | None]
) -> Average:
    return _average([average(group) for group in _by(cells, lambda each: each.cell.seed).values()])


def _average(values: Iterable[float | None]) -> Average:
    """Mean and standard deviation of what is defined."""
    defined = [value for value in values if value is not None]
    return Average(
        mean=statistics.fmean(defined) if defined else None,
        spread=statistics.stdev(defined) if len(defined) > 1 else None,
    )


def _mean(values: Iterable[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return statistics.fmean(defined) if defined else None


def _f(findings: Findings) -> float | None:
    return findings.measures.F if findings.measures else None


def _value(each: CellResult, value: Value) -> float | None:
    return value(each.findings) if each.findings else None


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _by(
    cells: Iterable[CellResult], key: Callable[[CellResult], Key]
) -> Mapping[Key, list[CellResult]]:
    """Groups in the order in which they are met."""
    groups: dict[Key, list[CellResult]] = {}
    for each in cells:
        groups.setdefault(key(each), []).append(each)
    return groups
