"""A benchmark told in one page of HTML that can be mailed, printed and read offline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cleanplate.benchmark.pages.figures import (
    TableFigure,
    TableLine,
    average_figure,
    filled,
    percent_figure,
    with_best,
)
from cleanplate.benchmark.pages.kinds import kinds_parts
from cleanplate.benchmark.pages.worst import worst_by_method
from cleanplate.benchmark.results import Average, BenchResult, HeldRow, ResultRow
from cleanplate.benchmark.summaries.charts import speed_chart
from cleanplate.benchmark.summaries.published import published_figures
from cleanplate.report.figures import Chart
from cleanplate.report.pages import page_environment

_TEMPLATE = "bench.html"


@dataclass(frozen=True)
class _Section:
    """All about one protocol."""

    name: str
    text: str
    lines: Sequence[TableLine]
    sequences: Sequence[str]
    by_sequence: Sequence[TableLine]
    speed: Chart


def render_page(result: BenchResult, folder: Path) -> str:
    """The page.

    Args:
        result: All that was found.
        folder: Where the pictures of the worst frames are.
    """
    sections = [
        _section(name, text, rows)
        for name, text in result.protocols.items()
        if (rows := [row for row in result.rows if row.protocol == name])
    ]
    failed = [each for each in result.cells if each.failed]
    return (
        page_environment(__package__)
        .get_template(_TEMPLATE)
        .render(
            title=f"Benchmark on {result.data}",
            summary=_summary(result),
            facts=[result.created.replace("T", " ").replace("+00:00", " UTC"), *_machine(result)],
            warnings=result.notes,
            kinds=kinds_parts(result, folder),
            published=published_figures(result),
            sections=sections,
            held=_held_tables(result.held),
            worst=worst_by_method(result, folder),
            rules=result.rules,
            protocols=result.protocols,
            failed=failed,
            version=result.cleanplate,
        )
    )


def _summary(result: BenchResult) -> str:
    methods = {each.cell.method for each in result.cells}
    sequences = {each.cell.sequence for each in result.cells}
    return (
        f"{_count(len(methods), 'method')} on {_count(len(sequences), 'sequence')}: "
        "the same frames, the same rules, the same run."
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _machine(result: BenchResult) -> list[str]:
    environments = [each.findings.environment for each in result.cells if each.findings]
    if not environments:
        return []
    first = environments[0]
    devices = sorted({each.device for each in environments if each.device != "cpu"})
    threads = sorted({each.threads for each in environments})
    count = "1 thread" if threads == [1] else f"{'/'.join(map(str, threads))} threads"
    shown = f"{_count(first.processors or 1, 'processor')}, {count} a cell"
    return [shown, *devices]


def _section(name: str, text: str, rows: Sequence[ResultRow]) -> _Section:
    sequences = list(dict.fromkeys(sequence for row in rows for sequence in row.sequences))
    columns = [
        filled(with_best([average_figure(row.overall["F"]) for row in rows]), _shares(rows)),
        with_best([average_figure(row.best_F) for row in rows]),
        [average_figure(row.overall["recall"]) for row in rows],
        [average_figure(row.overall["precision"]) for row in rows],
        with_best([average_figure(row.overall["PWC"], digits=2) for row in rows], lowest=True),
        with_best([average_figure(_age(row), digits=2) for row in rows], lowest=True),
        [TableFigure(_short(row.frames_per_second)) for row in rows],
        [TableFigure(f"{row.learn_seconds:.1f}") for row in rows],
        [TableFigure(_megabytes(row)) for row in rows],
    ]
    lines = [
        TableLine(row.method, row.kind, figures, _failures(row))
        for row, figures in zip(rows, zip(*columns, strict=True), strict=True)
    ]
    return _Section(
        name=name,
        text=text,
        lines=lines,
        sequences=sequences,
        by_sequence=_by_sequence(rows, sequences),
        speed=speed_chart(rows),
    )


def _by_sequence(rows: Sequence[ResultRow], sequences: Sequence[str]) -> list[TableLine]:
    columns = []
    for name in sequences:
        averages = [row.F_by_sequence.get(name) for row in rows]
        shares = [average.mean if average else None for average in averages]
        columns.append(filled(with_best([average_figure(each) for each in averages]), shares))
    if not columns:
        return []
    return [
        TableLine(row.method, row.kind, figures)
        for row, figures in zip(rows, zip(*columns, strict=True), strict=True)
    ]


def _shares(rows: Sequence[ResultRow]) -> list[float | None]:
    return [row.overall["F"].mean for row in rows]


def _age(row: ResultRow) -> Average | None:
    return row.plate["AGE"] if row.plate else None


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _megabytes(row: ResultRow) -> str:
    return f"{max(row.learn_peak_memory_bytes, row.segment_peak_memory_bytes) / 1e6:.0f}"


def _failures(row: ResultRow) -> str:
    return f"without {', '.join(row.failed)}" if row.failed else ""


def _held_tables(rows: Sequence[HeldRow]) -> list[Mapping[str, object]]:
    """A table for each hold and protocol."""
    groups: dict[tuple[str, str, str], list[HeldRow]] = {}
    for row in rows:
        groups.setdefault((row.sequence, str(row.hold), row.protocol), []).append(row)
    tables: list[Mapping[str, object]] = []
    for (sequence, _, protocol), group in groups.items():
        hold = group[0].hold
        ordered = sorted(group, key=lambda row: -(row.figures["marked"].mean or 0))
        learned = "the whole clip" if protocol == "transductive" else "the frames before"
        tables.append(
            {
                "title": f"{sequence}: frame {hold.frame} held for {hold.count} frames",
                "text": f"Learned from {learned}.",
                "lines": [
                    TableLine(
                        row.method,
                        row.kind,
                        [
                            percent_figure(row.figures[name])
                            for name in ("marked", "marked_in_last_quarter", "ghosts")
                        ],
                    )
                    for row in ordered
                ],
            }
        )
    return tables
