"""`cleanplate bench`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from rich.console import Group
from rich.table import Table

from cleanplate.benchmark.bench import (
    LATEX,
    PAGE,
    RESULT,
    TABLE,
    BenchFiles,
    BenchPlan,
    run_bench,
)
from cleanplate.benchmark.cells import Protocol, parse_hold
from cleanplate.benchmark.results import Average, BenchResult, ResultRow
from cleanplate.benchmark.scene_kinds import SceneKinds, read_scene_kinds
from cleanplate.benchmark.summaries.tables import kind_title
from cleanplate.cli.console import CommonOptions, Console, cell

_PROTOCOLS: dict[str, Protocol] = {"all": "transductive", "halves": "held-out"}


def bench(
    data: Path,
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"])],
    methods: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    seeds: Annotated[list[int] | None, Parameter(consume_multiple=True, negative="")] = None,
    protocol: Annotated[
        list[Literal["all", "halves"]] | None, Parameter(consume_multiple=True, negative="")
    ] = None,
    sequences: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    hold: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    budget: str = "auto",
    device: str = "auto",
    sweep: bool = True,
    by: Literal["kind"] | None = None,
    kinds: Path | None = None,
    jobs: int = 1,
    common: CommonOptions | None = None,
) -> None:
    """Measure methods and peers on sequences with truth, under the same rules.

    The same command again goes on where it was broken off.

    Args:
        data: Folder that holds sequences with truth.
        out: Folder for the figures and the page.
        methods: Names of methods and peers, or all, networks, plates, peers; default all.
        seeds: Of whatever is random; default 0.
        protocol: all: learned from all frames; halves: from the first half, scored on the second.
        sequences: Names or patterns of sequences; default all, or none where --hold is given.
        hold: SEQUENCE:FRAME:COUNT, vehicles of a frame that are held still for COUNT frames.
        budget: Of networks: 600steps, 90s or 5min; auto is the method's own.
        device: That networks run on: auto, cpu, cuda or cuda:N.
        sweep: Also seek the best F over thresholds.
        by: kind: show every sequence under its kind of scene, such as night or water.
        kinds: YAML file of lines PATTERN: KIND for names of sequences; implies --by kind.
        jobs: Cells that are measured at a time.
    """
    with Console(common or CommonOptions()) as console:
        plan = BenchPlan(
            data=data,
            methods=methods or ("all",),
            seeds=tuple(dict.fromkeys(seeds or (0,))),
            protocols=[_PROTOCOLS[name] for name in dict.fromkeys(protocol or ("all",))],
            sequences=[] if hold and sequences is None else sequences,
            holds=[parse_hold(text) for text in hold or ()],
            budget=budget,
            device=device,
            sweep=sweep,
            kinds=_scene_kinds(by, kinds),
        )
        try:
            files = run_bench(plan, out, jobs=jobs, progress=console.progress)
        except KeyboardInterrupt as interrupt:
            sentence = f"what is measured is in {out}; give the same command again to go on"
            raise type(interrupt)(sentence) from interrupt
        _report(console, files, out)


def _scene_kinds(by: Literal["kind"] | None, kinds: Path | None) -> SceneKinds | None:
    if kinds is not None:
        return read_scene_kinds(kinds)
    return None if by is None else SceneKinds()


def _report(console: Console, files: BenchFiles, out: Path) -> None:
    result = files.result
    failed = [each for each in result.cells if each.failed]
    for each in failed:
        console.warn(f"{each.cell.method} on {each.cell.sequence} failed: {each.failed}")
    for note in result.notes:
        console.info(note)
    values = {
        "command": "bench",
        "cells": len(result.cells),
        "measured": files.measured,
        "kept": files.kept,
        "failed": len(failed),
        "result": str(out / RESULT),
        "table": str(out / TABLE),
        "latex": str(out / LATEX),
        "page": str(out / PAGE),
        "rows": [row.model_dump(mode="json") for row in result.rows],
        "held": [row.model_dump(mode="json") for row in result.held],
        "by_kind": [group.model_dump(mode="json") for group in result.by_kind],
    }
    tables = [_kinds_table(result, name) for name in _shown_by_kind(result)]
    console.result(values, Group(*tables, _table(files, out)))


def _shown_by_kind(result: BenchResult) -> list[Protocol]:
    return list(dict.fromkeys(group.protocol for group in result.by_kind))


def _kinds_table(result: BenchResult, protocol: Protocol) -> Table:
    """Mean F of each kind of scene, a column a method."""
    table = Table(box=None, title=f"F by kind of scene, {protocol}", title_justify="left")
    methods = [row.method for row in result.rows if row.protocol == protocol]
    for title in ("kind", "sequences", *methods):
        table.add_column(title, justify="left" if title == "kind" else "right")
    for group in result.by_kind:
        if group.protocol == protocol:
            averages = {row.method: row.overall["F"] for row in group.rows}
            figures = [_shown(averages.get(method), 3) for method in methods]
            table.add_row(cell(kind_title(group)), str(len(group.sequences)), *figures)
    table.add_section()
    return table


def _table(files: BenchFiles, out: Path) -> Table:
    result = files.result
    table = Table(box=None, caption=cell(str(out / PAGE)), caption_justify="left")
    words, figures = ["method", "protocol"], ["F", "best F", "plate AGE", "frames/s"]
    held = ["held", "marked", "ghosts"] if result.held else []
    figures = figures if result.rows or not held else []
    for title in (*words, *figures, *held):
        table.add_column(title, justify="left" if title in (*words, "held") else "right")
    for row in result.rows:
        table.add_row(row.method, row.protocol, *_figures(row))
    for each in result.held:
        shown = [_percent(each.figures[name]) for name in held[1:]]
        place = cell(f"{each.sequence}:{each.hold}")
        table.add_row(each.method, each.protocol, *[""] * len(figures), place, *shown)
    return table


def _percent(average: Average) -> str:
    return "-" if average.mean is None else f"{100 * average.mean:.1f} %"


def _figures(row: ResultRow) -> tuple[str, ...]:
    age = row.plate["AGE"] if row.plate else None
    return (
        _shown(row.overall["F"], 3),
        _shown(row.best_F, 3),
        _shown(age, 2),
        f"{row.frames_per_second:.0f}",
    )


def _shown(average: Average | None, digits: int) -> str:
    if average is None or average.mean is None:
        return "-"
    spread = "" if average.spread is None else f" ± {average.spread:.{digits}f}"
    return f"{average.mean:.{digits}f}{spread}"
