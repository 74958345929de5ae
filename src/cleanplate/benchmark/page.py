"""A benchmark told in one page of HTML that can be mailed, printed and read offline."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cleanplate.benchmark.results import Average, BenchResult, CellResult, HeldRow, ResultRow
from cleanplate.benchmark.scores import WORST_FRAMES
from cleanplate.benchmark.summaries.charts import speed_chart
from cleanplate.report.figures import Chart
from cleanplate.report.pages import page_environment

_TEMPLATE = "bench.html"
_ABSENT = "–"  # noqa: RUF001 - the dash of the house
_MOST_OPEN = 3
"""Methods whose worst frames are unfolded."""
_KINDS = {".jpg": "jpeg", ".png": "png"}


@dataclass(frozen=True)
class _Figure:
    """One figure of a table.

    Attributes:
        shown: What stands in the cell.
        spread: Its spread over seeds; empty for a single seed.
        is_best: Whether no other in its column is better.
        share: How far its cell is filled, 0 to 100.
    """

    shown: str
    spread: str = ""
    is_best: bool = False
    share: int = 0


@dataclass(frozen=True)
class _Line:
    """One method in a table."""

    method: str
    kind: str
    figures: Sequence[_Figure]
    note: str = ""


@dataclass(frozen=True)
class _Section:
    """All about one protocol."""

    name: str
    text: str
    lines: Sequence[_Line]
    sequences: Sequence[str]
    by_sequence: Sequence[_Line]
    speed: Chart


@dataclass(frozen=True)
class _Shown:
    """One of the worst frames; pictures are data URIs."""

    sequence: str
    number: int
    wrong: str
    F: str
    pictures: Mapping[str, str]


@dataclass(frozen=True)
class _Worst:
    """The worst frames of a method."""

    method: str
    protocol: str
    is_open: bool
    frames: Sequence[_Shown]


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
            sections=sections,
            held=_held_tables(result.held),
            worst=_worst(result, folder),
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
        _filled(_with_best([_average(row.overall["F"]) for row in rows]), _shares(rows)),
        _with_best([_average(row.best_F) for row in rows]),
        [_average(row.overall["recall"]) for row in rows],
        [_average(row.overall["precision"]) for row in rows],
        _with_best([_average(row.overall["PWC"], digits=2) for row in rows], lowest=True),
        _with_best([_average(_age(row), digits=2) for row in rows], lowest=True),
        [_Figure(_short(row.frames_per_second)) for row in rows],
        [_Figure(f"{row.learn_seconds:.1f}") for row in rows],
        [_Figure(_megabytes(row)) for row in rows],
    ]
    lines = [
        _Line(row.method, row.kind, figures, _failures(row))
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


def _by_sequence(rows: Sequence[ResultRow], sequences: Sequence[str]) -> list[_Line]:
    columns = []
    for name in sequences:
        averages = [row.F_by_sequence.get(name) for row in rows]
        shares = [average.mean if average else None for average in averages]
        columns.append(_filled(_with_best([_average(each) for each in averages]), shares))
    if not columns:
        return []
    return [
        _Line(row.method, row.kind, figures)
        for row, figures in zip(rows, zip(*columns, strict=True), strict=True)
    ]


def _with_best(figures: Sequence[_Figure], *, lowest: bool = False) -> list[_Figure]:
    """Marks the best figures of a column, equal as they are shown."""
    numbers = [float(figure.shown) for figure in figures if figure.shown != _ABSENT]
    if len(numbers) < 2:
        return list(figures)
    best = min(numbers) if lowest else max(numbers)
    return [
        replace(figure, is_best=figure.shown != _ABSENT and float(figure.shown) == best)
        for figure in figures
    ]


def _filled(figures: Sequence[_Figure], shares: Sequence[float | None]) -> list[_Figure]:
    return [
        replace(figure, share=round(100 * (share or 0)))
        for figure, share in zip(figures, shares, strict=True)
    ]


def _shares(rows: Sequence[ResultRow]) -> list[float | None]:
    return [row.overall["F"].mean for row in rows]


def _age(row: ResultRow) -> Average | None:
    return row.plate["AGE"] if row.plate else None


def _average(average: Average | None, *, digits: int = 3) -> _Figure:
    if average is None or average.mean is None:
        return _Figure(_ABSENT)
    spread = "" if average.spread is None else f"{average.spread:.{digits}f}"
    return _Figure(f"{average.mean:.{digits}f}", spread)


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
                    _Line(
                        row.method,
                        row.kind,
                        [
                            _percent(row.figures[name])
                            for name in ("marked", "marked_in_last_quarter", "ghosts")
                        ],
                    )
                    for row in ordered
                ],
            }
        )
    return tables


def _percent(average: Average) -> _Figure:
    if average.mean is None:
        return _Figure(_ABSENT)
    spread = "" if average.spread is None else f"{100 * average.spread:.1f}"
    return _Figure(f"{100 * average.mean:.1f} %", spread, share=round(100 * average.mean))


def _worst(result: BenchResult, folder: Path) -> list[_Worst]:
    """The worst frames of each method, the best method first."""
    found = []
    for at, row in enumerate(result.rows):
        cells = [
            each
            for each in result.cells
            if each.findings
            and (each.cell.method, each.cell.protocol) == (row.method, row.protocol)
            and each.cell.seed == row.seeds[0]
            and not each.cell.hold
        ]
        frames = _worst_of(cells, folder)
        if frames:
            found.append(_Worst(row.method, row.protocol, at < _MOST_OPEN, frames))
    return found


def _worst_of(cells: Sequence[CellResult], folder: Path) -> list[_Shown]:
    """One of each of the worst sequences; more of each where there are few."""
    ranked = []
    for each in cells:
        for place, frame in enumerate(each.findings.worst if each.findings else ()):
            ranked.append((place, -frame.wrong_share, each.cell.sequence, frame))
    ranked.sort(key=lambda entry: entry[:3])
    return [
        _Shown(
            sequence=sequence,
            number=frame.number,
            wrong=f"{100 * frame.wrong_share:.1f} %",
            F=_ABSENT if frame.F is None else f"{frame.F:.3f}",
            pictures={name: _uri(folder / path) for name, path in frame.pictures.items()},
        )
        for _, _, sequence, frame in ranked[:WORST_FRAMES]
        if all((folder / path).is_file() for path in frame.pictures.values())
    ]


def _uri(path: Path) -> str:
    encoded = base64.b64encode(path.read_bytes()).decode("ascii")
    return f"data:image/{_KINDS[path.suffix]};base64,{encoded}"
