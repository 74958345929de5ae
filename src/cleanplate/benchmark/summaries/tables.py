"""A benchmark as CSV, one line a cell, and as tables for LaTeX."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from cleanplate.benchmark.results import Average, BenchResult, CellResult, MaskMeasures, ResultRow

_LATEX = str.maketrans({"_": r"\_", "&": r"\&", "%": r"\%", "#": r"\#"})
_COLUMNS = (
    *("sequence", "category", "method", "kind", "protocol", "seed", "hold", "failed"),
    *(name for name in MaskMeasures.model_fields if name != "frames"),
    *("best_F", "best_threshold", "AGE", "pEPs", "pCEPs", "MS_SSIM", "PSNR", "CQM"),
    *("marked", "marked_in_last_quarter", "ghosts"),
    *("frames", "learned_from", "segmented", "scored", "frames_per_second"),
    *("learn_seconds", "learn_cpu_seconds", "segment_seconds", "segment_cpu_seconds"),
    *("learn_peak_memory_bytes", "segment_peak_memory_bytes", "wall_seconds", "threads"),
)


def as_csv(result: BenchResult) -> str:
    """One line for each cell, failed ones too; what is undefined is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_csv_values(each) for each in result.cells)
    return text.getvalue()


def as_latex(result: BenchResult) -> str:
    """A table for each protocol: F by sequence, the overall F, plate and speed; needs booktabs."""
    tables = []
    for protocol in result.protocols:
        rows = [row for row in result.rows if row.protocol == protocol]
        if rows:
            tables.append(_latex_table(protocol, rows))
    head = "% made by cleanplate bench; \\usepackage{booktabs}\n"
    return head + "\n".join(tables)


def _csv_values(each: CellResult) -> dict[str, Any]:
    cell = each.cell
    values: dict[str, Any] = {
        **cell.model_dump(include={"sequence", "category", "method", "protocol", "seed"}),
        "kind": each.kind,
        "hold": str(cell.hold) if cell.hold else "",
        "failed": each.failed or "",
        "wall_seconds": each.wall_seconds,
    }
    found = each.findings
    if found is None:
        return values
    groups: Sequence[Mapping[str, Any]] = [
        part.model_dump() for part in (found.measures, found.plate, found.held, found.cost) if part
    ]
    for group in groups:
        values |= {name: value for name, value in group.items() if name in _COLUMNS}
    frames = found.frames
    values |= {
        "frames": frames.recording,
        "learned_from": frames.learned_from,
        "segmented": frames.segmented,
        "scored": frames.scored,
        "threads": found.environment.threads,
    }
    if found.sweep is not None:
        values |= {"best_F": found.sweep.best_F, "best_threshold": found.sweep.best_value}
    return values


def _latex_table(protocol: str, rows: Sequence[ResultRow]) -> str:
    sequences = list(dict.fromkeys(name for row in rows for name in row.sequences))
    best = {
        name: max((row.F_by_sequence[name].mean or 0) for row in rows if name in row.F_by_sequence)
        for name in sequences
    }
    best_overall = max((row.overall["F"].mean or 0) for row in rows)
    titles = ["method", *(name.rsplit("/", 1)[-1] for name in sequences)]
    titles += ["overall", "best $F$", "AGE", "frames/s"]
    lines = [
        rf"\begin{{tabular}}{{l{'r' * (len(titles) - 1)}}}",
        rf"% {protocol}",
        r"\toprule",
        " & ".join(title if "$" in title else title.translate(_LATEX) for title in titles) + r" \\",
        r"\midrule",
    ]
    for row in rows:
        cells = [row.method.translate(_LATEX)]
        cells += [_latex_f(row.F_by_sequence.get(name), best[name]) for name in sequences]
        cells.append(_latex_f(row.overall["F"], best_overall))
        cells.append(_latex_f(row.best_F, 2.0))
        age = row.plate["AGE"].mean if row.plate else None
        cells.append("--" if age is None else f"{age:.2f}")
        cells.append(f"{row.frames_per_second:.0f}")
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _latex_f(average: Average | None, best: float) -> str:
    if average is None or average.mean is None:
        return "--"
    shown = f"{average.mean:.3f}"
    if f"{best:.3f}" == shown:
        shown = rf"\textbf{{{shown}}}"
    return shown if average.spread is None else rf"{shown} $\pm$ {average.spread:.3f}"
