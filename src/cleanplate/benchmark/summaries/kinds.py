"""From cells to kinds of scenes: every sequence under its kind, all methods side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cleanplate.benchmark.cells import PROTOCOLS, Protocol
from cleanplate.benchmark.results import CellResult, Findings, KindResult, KindRow, ResultRow
from cleanplate.benchmark.scene_kinds import SceneKind
from cleanplate.benchmark.summaries.averages import Value, mean_over_seeds

MEASURES = ("F", "recall", "precision", "PWC")


def kind_results(
    cells: Sequence[CellResult], rows: Sequence[ResultRow], kinds: Mapping[str, SceneKind]
) -> tuple[KindResult, ...]:
    """Each kind under each protocol, recordings before what is painted.

    Args:
        cells: All cells; where something is held still they do not count.
        rows: Of the methods, in the order in which they are shown.
        kinds: Kind of each sequence by its name.
    """
    found = []
    for protocol in PROTOCOLS:
        here = [each for each in cells if each.cell.protocol == protocol and not each.cell.hold]
        methods = [row.method for row in rows if row.protocol == protocol]
        for kind in sorted(set(kinds.values()), key=lambda kind: kind.place):
            group = [each for each in here if kinds.get(each.cell.sequence) == kind]
            if any(_measured(each) for each in group):
                found.append(_kind_result(kind, protocol, methods, group))
    return tuple(found)


def _kind_result(
    kind: SceneKind, protocol: Protocol, methods: Sequence[str], cells: Sequence[CellResult]
) -> KindResult:
    # A sequence without scored foreground has no F, for any method.
    sequences = tuple(dict.fromkeys(each.cell.sequence for each in cells if _measured(each)))
    return KindResult(
        scene_kind=kind.name,
        is_painted=kind.is_painted,
        protocol=protocol,
        sequences=sequences,
        rows=tuple(
            row
            for method in methods
            if (row := _kind_row([each for each in cells if each.cell.method == method], sequences))
        ),
    )


def _kind_row(cells: Sequence[CellResult], sequences: Sequence[str]) -> KindRow | None:
    measured = [each for each in cells if _measured(each)]
    if not measured:
        return None
    return KindRow(
        method=measured[0].cell.method,
        kind=measured[0].kind,
        failed=tuple(
            sorted({e.cell.sequence for e in cells if e.failed and e.cell.sequence in sequences})
        ),
        overall={name: mean_over_seeds(measured, _value(name)) for name in MEASURES},
        by_sequence={
            sequence: {
                name: mean_over_seeds(
                    [each for each in measured if each.cell.sequence == sequence], _value(name)
                )
                for name in MEASURES
            }
            for sequence in dict.fromkeys(each.cell.sequence for each in measured)
        },
    )


def _measured(each: CellResult) -> bool:
    found = each.findings
    return found is not None and found.measures is not None and found.measures.F is not None


def _value(name: str) -> Value:
    def value(findings: Findings) -> float | None:
        figure: float | None = getattr(findings.measures, name)
        return figure

    return value
