"""The page's part by kind of scene: a table of kinds, then each kind with its sequences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cleanplate.benchmark.cells import Kind
from cleanplate.benchmark.pages.figures import (
    ABSENT,
    TableFigure,
    average_figure,
    filled,
    with_best,
)
from cleanplate.benchmark.pages.worst import ShownFrame, cells_of, worst_of
from cleanplate.benchmark.results import Average, BenchResult, KindResult, KindRow, ResultRow
from cleanplate.settings import DEFAULT_METHOD

_FRAMES_OF_A_SEQUENCE = 2
"""Worst frames that are shown of each sequence."""


@dataclass(frozen=True)
class KindMethod:
    """A column: one method."""

    name: str
    kind: Kind


@dataclass(frozen=True)
class KindLine:
    """One sequence of a kind, or their mean: a figure for each method."""

    name: str
    figures: Sequence[TableFigure]


@dataclass(frozen=True)
class KindBlock:
    """All about one kind of scene.

    Attributes:
        anchor: Where it stands in the page.
        name: Of the kind.
        is_painted: Whether the program painted its sequences.
        count: Number of sequences.
        mean: Means over its sequences.
        lead: F of our method less that of the best peer, signed; empty without either.
        is_behind: Whether a peer is better.
        lines: Its sequences.
        worst: Worst frames of our method.
    """

    anchor: str
    name: str
    is_painted: bool
    count: str
    mean: KindLine
    lead: str
    is_behind: bool
    lines: Sequence[KindLine]
    worst: Sequence[ShownFrame]


@dataclass(frozen=True)
class KindsPart:
    """The part of the page about one protocol."""

    protocol: str
    ours: str
    methods: Sequence[KindMethod]
    blocks: Sequence[KindBlock]
    summary: str


def kinds_parts(result: BenchResult, folder: Path) -> list[KindsPart]:
    """A part for each protocol whose figures are shown by kind.

    Args:
        result: All that was found.
        folder: Where the pictures of the worst frames are.
    """
    parts = []
    for protocol in dict.fromkeys(group.protocol for group in result.by_kind):
        rows = [row for row in result.rows if row.protocol == protocol]
        groups = [group for group in result.by_kind if group.protocol == protocol]
        ours = _ours(rows)
        blocks = [_block(result, group, rows, ours, folder) for group in groups]
        parts.append(
            KindsPart(
                protocol=protocol,
                ours="" if ours is None else ours.method,
                methods=[KindMethod(row.method, row.kind) for row in rows],
                blocks=blocks,
                summary=_summary(blocks),
            )
        )
    return parts


def _ours(rows: Sequence[ResultRow]) -> ResultRow | None:
    """The default method where it was measured, else the best that is no peer."""
    own = [row for row in rows if row.kind != "peer"]
    return next((row for row in own if row.method == DEFAULT_METHOD), own[0] if own else None)


def _block(
    result: BenchResult,
    group: KindResult,
    rows: Sequence[ResultRow],
    ours: ResultRow | None,
    folder: Path,
) -> KindBlock:
    by_method = {row.method: row for row in group.rows}
    found = [by_method.get(row.method) for row in rows]
    lead, is_behind = _lead(group, ours)
    return KindBlock(
        anchor=f"{group.protocol}-{re.sub(r'[^a-z0-9]+', '-', group.scene_kind.lower())}"
        + ("-painted" if group.is_painted else ""),
        name=group.scene_kind,
        is_painted=group.is_painted,
        count=f"{len(group.sequences)} sequence{'s' if len(group.sequences) > 1 else ''}",
        mean=KindLine("mean", _means(found, len(group.sequences))),
        lead=lead,
        is_behind=is_behind,
        lines=[
            KindLine(
                sequence,
                _figures([row.by_sequence.get(sequence, {}) if row else {} for row in found]),
            )
            for sequence in group.sequences
        ],
        worst=[] if ours is None else _worst(result, group, ours, folder),
    )


def _means(rows: Sequence[KindRow | None], count: int) -> list[TableFigure]:
    """Means of each method; one that lacks a sequence is no rival of the others."""
    whole = [row.overall if row and len(row.by_sequence) == count else {} for row in rows]
    return [
        replace(average_figure(row.overall["F"]), note=f"without {count - len(row.by_sequence)}")
        if row and not measures
        else figure
        for row, measures, figure in zip(rows, whole, _figures(whole), strict=True)
    ]


def _figures(measures: Sequence[dict[str, Average]]) -> list[TableFigure]:
    """F of each method, with recall, precision and PWC in small print."""
    averages = [each.get("F") for each in measures]
    shares = [average.mean if average else None for average in averages]
    figures = filled(with_best([average_figure(each) for each in averages]), shares)
    return [
        figure if figure.shown == ABSENT else replace(figure, details=_details(each))
        for figure, each in zip(figures, measures, strict=True)
    ]


def _details(measures: dict[str, Average]) -> tuple[str, ...]:
    recall, precision, wrong = (
        average_figure(measures[name], digits=digits).shown
        for name, digits in (("recall", 3), ("precision", 3), ("PWC", 2))
    )
    return f"{recall} / {precision}", f"{wrong} %"


def _lead(group: KindResult, ours: ResultRow | None) -> tuple[str, bool]:
    whole = [row for row in group.rows if len(row.by_sequence) == len(group.sequences)]
    own = [row.overall["F"].mean or 0 for row in whole if ours and row.method == ours.method]
    peers = [(row.overall["F"].mean or 0, row.method) for row in whole if row.kind == "peer"]
    if not own or not peers:
        return "", False
    best, name = max(peers)
    difference = own[0] - best
    return f"{difference:+.3f} {name}".replace("-", "−", 1), difference < 0  # noqa: RUF001


def _worst(
    result: BenchResult, group: KindResult, ours: ResultRow, folder: Path
) -> list[ShownFrame]:
    cells = cells_of(result, ours)
    return [
        frame
        for sequence in group.sequences
        for frame in worst_of(
            [each for each in cells if each.cell.sequence == sequence],
            folder,
            most=_FRAMES_OF_A_SEQUENCE,
        )
    ]


def _summary(blocks: Sequence[KindBlock]) -> str:
    """Where our method is ahead of every peer, and where it is not."""
    compared = [block for block in blocks if block.lead]
    if not compared:
        return ""
    behind = [
        f"{block.name}{' (painted)' if block.is_painted else ''}"
        for block in compared
        if block.is_behind
    ]
    ahead = len(compared) - len(behind)
    text = f"Ahead of every peer on {ahead} of {len(compared)} kinds"
    return f"{text}; behind on {', '.join(behind)}." if behind else f"{text}."
