"""What a scene was found to be, as rows of the report's first table."""

from __future__ import annotations

from cleanplate.report.wording import TableRow, sentence_of
from cleanplate.scene_model.findings import FindingState, SceneFindings


def finding_rows(findings: SceneFindings) -> list[TableRow]:
    """What was measured of the scene: special things first, then what is as in most scenes."""
    return [
        TableRow(entry.name.capitalize(), sentence_of(entry.found), sentence_of(entry.done))
        for state in (FindingState.SPECIAL, FindingState.USUAL)
        for entry in findings.of_state(state)
    ]


def not_found(findings: SceneFindings) -> list[str]:
    """What was looked for and is not there, and what was not measured, a sentence each."""
    absent = [entry.found for entry in findings.of_state(FindingState.ABSENT)]
    unknown = [f"{e.name} ({e.found})" for e in findings.of_state(FindingState.UNKNOWN)]
    parts = (("Looked for and not found", absent), ("Not measured", unknown))
    return [f"{title}: {'; '.join(names)}." for title, names in parts if names]
