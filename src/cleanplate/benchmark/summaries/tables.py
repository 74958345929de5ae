"""A benchmark as CSV, one line a cell, and as tables for LaTeX."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from cleanplate.benchmark.results import (
    Average,
    BenchResult,
    CellResult,
    KindResult,
    MaskMeasures,
    ResultRow,
)

_LATEX = str.maketrans({"_": r"\_", "&": r"\&", "%": r"\%", "#": r"\#"})
_COLUMNS = (
    *(
        "sequence",
        "category",
        "scene_kind",
        "painted",
        "method",
        "kind",
        "protocol",
        "seed",
        "hold",
        "failed",
    ),
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
    kinds = {name: group for group in result.by_kind for name in group.sequences}
    for each in result.cells:
        group = kinds.get(each.cell.sequence)
        kind = {} if group is None else {"scene_kind": group.scene_kind, "painted": _yes(group)}
        writer.writerow({**_csv_values(each), **kind})
    return text.getvalue()


def as_latex(result: BenchResult) -> str:
    """Tables for each protocol: F by sequence, the overall F, plate and speed; F by kind of scene.

    They need booktabs.
    """
    tables = []
    for protocol in result.protocols:
        rows = [row for row in result.rows if row.protocol == protocol]
        if rows:
            tables.append(_latex_table(protocol, rows))
        groups = [group for group in result.by_kind if group.protocol == protocol]
        if groups:
            tables.append(_latex_kinds(protocol, [row.method for row in rows], groups))
    head = "% made by cleanplate bench; \\usepackage{booktabs}\n"
    return head + "\n".join(tables)


def _yes(group: KindResult) -> str:
    return "yes" if group.is_painted else "no"


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


def _latex_kinds(protocol: str, methods: Sequence[str], groups: Sequence[KindResult]) -> str:
    """Mean F of each kind of scene, a column a method."""
    titles = ["kind", "sequences", *(method.translate(_LATEX) for method in methods)]
    lines = [
        rf"\begin{{tabular}}{{lr{'r' * len(methods)}}}",
        rf"% {protocol}, by kind of scene",
        r"\toprule",
        " & ".join(titles) + r" \\",
        r"\midrule",
    ]
    for group in groups:
        averages = {row.method: row.overall["F"] for row in group.rows}
        whole = (row.overall["F"].mean or 0 for row in group.rows if not row.failed)
        best = max(whole, default=0.0)
        cells = [kind_title(group).translate(_LATEX), str(len(group.sequences))]
        cells += [_latex_f(averages.get(method), best) for method in methods]
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def kind_title(group: KindResult) -> str:
    """Name of a kind; what is painted says so."""
    return f"{group.scene_kind} (painted)" if group.is_painted else group.scene_kind


def _latex_f(average: Average | None, best: float) -> str:
    if average is None or average.mean is None:
        return "--"
    shown = f"{average.mean:.3f}"
    if f"{best:.3f}" == shown:
        shown = rf"\textbf{{{shown}}}"
    return shown if average.spread is None else rf"{shown} $\pm$ {average.spread:.3f}"
