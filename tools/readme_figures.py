"""The one table of README, from the JSON files in benchmarks/."""

from __future__ import annotations

from collections.abc import Mapping

from benchmark_figures import DEFAULT, Table, date, mean_of
from markdown_text import head, line, paragraph


def readme(tables: Mapping[str, Table]) -> str:
    """The one table of README: both protocols and the best of the others."""
    whole = tables["main_job"]["rows"]
    own, *others = sorted(tables["halves"]["rows"], key=lambda row: row["method"] != DEFAULT)
    lines = []
    for row in whole:
        sequence = row["sequence"]
        scores = {each["method"]: each["F_by_sequence"][sequence]["mean"] for each in others}
        best = max(scores, key=scores.__getitem__)
        lines.append(
            line(
                [
                    sequence,
                    f"{row['F']:.3f}",
                    f"{own['F_by_sequence'][sequence]['mean']:.3f}",
                    f"{scores[best]:.3f} ({best})",
                    f"{scores['MOG2']:.3f}",
                ]
            )
        )
    means = {each["method"]: each["mean_F"]["mean"] for each in others}
    best = max(means, key=means.__getitem__)
    lines.append(
        line(
            [
                "**mean**",
                f"**{mean_of(whole, 'F'):.3f}**",
                f"**{own['mean_F']['mean']:.3f}**",
                f"**{means[best]:.3f}** ({best})",
                f"**{means['MOG2']:.3f}**",
            ]
        )
    )
    titles = (
        "sequence",
        "cleanplate, learned from all frames",
        "cleanplate, learned from the first half",
        f"best of {len(others)} others",
        "MOG2",
    )
    return f"{head(titles)}{''.join(lines)}"


def readme_note(tables: Mapping[str, Table]) -> str:
    first, second = date(tables["main_job"]), date(tables["halves"])
    age = " with an older version," if second < first else ""
    seconds = [row["learn_seconds"] for row in tables["main_job"]["rows"]]
    return paragraph(
        f"First column: all frames scored, measured {first}. The others: the second half scored, "
        f"measured {second}{age} in one run. The last line names the best single method. "
        f"Learning took {min(seconds):.0f} to {max(seconds):.0f} s on "
        f"{tables['main_job']['machine']['processors']} processors."
    )
