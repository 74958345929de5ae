"""The page docs/benchmarks.md and the table of README, from the JSON files in benchmarks/."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from markdown_text import head, line, paragraph, shell
from method_figures import by_sequence, compact, own_budget_table, protocol, summary

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
DEFAULT = "lowrank_ae"
Table: TypeAlias = Mapping[str, Any]
Row: TypeAlias = Mapping[str, Any]
_FILES = ("main_job", "halves", "hold", "speed", "device", "methods", "defaults")


def read_tables() -> dict[str, Table]:
    """What each JSON file of figures holds, by the file's name."""
    return {
        name: json.loads((BENCHMARKS / f"{name}.json").read_text(encoding="utf-8"))
        for name in _FILES
    }


def page(tables: Mapping[str, Table]) -> str:
    """All of docs/benchmarks.md."""
    newest = tables["main_job"]

    def section(title: str, name: str, text: str) -> str:
        return f"## {title}\n\n{provenance(name, tables[name], newest)}{text.rstrip()}\n\n"

    return (
        "<!-- Written by tools/pages.py from benchmarks/*.json: measure again, do not edit. -->\n\n"
        "# Benchmarks\n\n"
        + paragraph(
            "All figures of cleanplate. They come from real sequences of CDnet 2014 and SBI with "
            "all defaults: no setting is tuned to a sequence, and no ground truth is read while "
            "learning. [The protocol](benchmark-protocol.md) defines the measures and the "
            "competing methods. F, recall and precision follow the rules of CDnet 2014; AGE is "
            "the mean absolute error of the background image in grey levels. After measuring "
            "again, `python tools/pages.py` rewrites this page and the table of README."
        )
        + section("Accuracy on eight sequences", "main_job", accuracy(newest))
        + section("Learned from the first half, scored on the second", "halves", halves(tables))
        + section("Stationary foreground", "hold", stationary(tables["hold"]))
        + section("Speed on a CPU", "speed", speed(tables["speed"]))
        + section("Speed on a GPU", "device", device(tables["device"]))
        + section("All methods", "methods", methods(tables["methods"]))
        + section("Cost of the methods' own budgets", "defaults", budgets(tables["defaults"]))
    ).rstrip() + "\n"


def provenance(name: str, table: Table, newest: Table) -> str:
    """Which file, when, at which commit, on which machine; and whether the first table is newer."""
    machine = table.get("machine") or table["cells"][0]["findings"]["environment"]
    known = table.get("measured", {})
    versions = machine.get("versions", machine)
    parts = [
        f"[{name}.json](../benchmarks/{name}.json)",
        f"measured {date(table)}",
        f"cleanplate {versions['cleanplate']}" if "cleanplate" in versions else "",
        f"commit {known['commit']}" if known.get("commit") else "",
        "with changes that were not committed" if known.get("is_changed") else "",
        f"{machine['processors']} processors",
        machine["device"] if machine.get("device", "cpu") != "cpu" else "",
        f"torch {versions['torch']}" if "torch" in versions else "",
        str(machine.get("note", ""))
        .replace("1 threads a", "1 thread a")
        .replace("1 cells", "1 cell"),
    ]
    text = paragraph(", ".join(part for part in parts if part) + ".")
    if date(table) < date(newest):
        text += paragraph(
            f"**Older than the first table ({date(newest)}): the program has changed since.**"
        )
    return text


def date(table: Table) -> str:
    return str(table["measured"]["date"] if "measured" in table else table["created"][:10])


def accuracy(table: Table) -> str:
    rows = table["rows"]
    columns = ("F", "recall", "precision", "PWC", "plate_AGE", "frames")
    lines = [line([row["sequence"], *(_number(row[key], key) for key in columns)]) for row in rows]
    mean = [f"**{_mean(rows, key):.3f}**" if key == "F" else "" for key in columns]
    titles = ("F", "recall", "precision", "wrong pixels, %", "plate AGE", "scored frames")
    text = head(["sequence", *titles]) + "".join(lines) + line(["**mean**", *mean])
    return (
        paragraph("Each scene is learned from all frames of its sequence, and segmented whole.")
        + f"{text}\n"
        + paragraph(
            "In Board and CaVignal people stand in most frames, in Foliage leaves cover the scene "
            "nearly always. Measure again:"
        )
        + shell("CLEANPLATE_DATA=FOLDER python tools/figures.py --out benchmarks/main_job.json")
    )


def halves(tables: Mapping[str, Table]) -> str:
    table = tables["halves"]
    rows = sorted(table["rows"], key=lambda row: -row["mean_F"]["mean"])
    sequences = [row["sequence"] for row in tables["main_job"]["rows"]]
    names = [sequence.rpartition("/")[2] for sequence in sequences]
    lines = [
        line(
            [
                f"`{row['method']}`",
                f"{row['mean_F']['mean']:.3f}",
                *(f"{row['F_by_sequence'][sequence]['mean']:.3f}" for sequence in sequences),
            ]
        )
        for row in rows
    ]
    everything = all_foreground(table)
    trivial = [f"{everything[sequence]:.3f}" for sequence in sequences]
    mean = sum(everything.values()) / len(everything)
    lines.append(line(["every pixel foreground", f"{mean:.3f}", *trivial]))
    return (
        paragraph(
            "F. Every method in the same run: cleanplate learns from the first half and does not "
            "change afterwards; the others go on learning in the second half, which alone is "
            "scored. The last line is the score of a mask that calls every pixel foreground."
        )
        + f"{head(['method', 'mean', *names])}{''.join(lines)}\n"
        + paragraph("Measure again:")
        + shell(
            f"cleanplate bench FOLDER --sequences {' '.join(sequences)}",
            f"--protocol halves --no-sweep --methods {DEFAULT} peers --out halves",
            then="cp halves/bench.json benchmarks/halves.json",
        )
    )


def all_foreground(table: Table) -> dict[str, float]:
    """F of a mask that calls everything foreground, by sequence."""
    return {
        cell["cell"]["sequence"]: cell["findings"]["measures"]["F_all_foreground"]
        for cell in table["cells"]
        if cell["cell"]["method"] == DEFAULT
    }


def stationary(table: Table) -> str:
    held = table["held"]
    methods = list(dict.fromkeys(row["method"] for row in held))
    stops = dict.fromkeys(
        f"{row['sequence']}:{row['hold']['frame']}:{row['hold']['count']}" for row in held
    )
    text = ""
    for key, title in (
        ("marked", "Stopped pixels that are foreground"),
        ("marked_in_last_quarter", "The same in the last quarter of the stop"),
        ("ghosts", "Pixels of the place left that are foreground in the 100 frames after it"),
    ):
        lines = []
        for hold, protocol_of in dict.fromkeys(
            ((row["hold"]["frame"], row["hold"]["count"]), row["protocol"]) for row in held
        ):
            shares = {
                row["method"]: row["figures"][key]["mean"]
                for row in held
                if ((row["hold"]["frame"], row["hold"]["count"]), row["protocol"])
                == (hold, protocol_of)
            }
            learned = "whole clip" if protocol_of == "transductive" else "frames before the stop"
            shown = [f"{shares[method]:.1%}".replace("%", " %") for method in methods]
            lines.append(line([f"{hold[1]} frames", learned, *shown]))
        titles = ["stop", "cleanplate learns from", *(f"`{method}`" for method in methods)]
        text += f"{title}:\n\n{head(titles)}{''.join(lines)}\n"
    return (
        paragraph(
            "Vehicles of cdnet/baseline/highway are frozen for a number of frames, with fresh "
            "noise on their pixels: a synthetic stop of real pixels. The other methods run at the "
            "defaults of their library."
        )
        + text
        + paragraph("Measure again:")
        + shell(
            f"cleanplate bench FOLDER --hold {' '.join(stops)}",
            f"--methods {' '.join(methods)} --protocol all halves --out held",
            then="cp held/bench.json benchmarks/hold.json",
        )
    )


def speed(table: Table) -> str:
    rows = sorted(table["rows"], key=lambda row: -row["frames_per_second"])
    (sequence,) = {cell["cell"]["sequence"] for cell in table["cells"]}
    lines = [
        line(
            [
                f"`{row['method']}`",
                f"{row['frames_per_second']:.0f}",
                f"{row['mean_F']['mean']:.3f}",
                f"{row['learn_seconds']:.0f}" if row["kind"] == "network" else "",
                f"{row['segment_peak_memory_bytes'] / 1e6:.0f}",
            ]
        )
        for row in rows
    ]
    titles = ("method", "frames/s", "F", "learning, s", "memory while segmenting, MB")
    return (
        paragraph(
            f"{sequence}, 320x240: from the first decoded frame to the last written mask, start-up "
            "and learning left out, every method in the same run."
        )
        + f"{head(titles)}{''.join(lines)}\n"
        + paragraph("Measure again:")
        + shell(
            f"cleanplate bench FOLDER --sequences {sequence} --no-sweep",
            f"--methods {' '.join(sorted(row['method'] for row in rows))} --out speed",
            then="cp speed/bench.json benchmarks/speed.json",
        )
    )


def device(table: Table) -> str:
    height, width = table["frame_size"]
    lines = [
        line([str(row["batch"]), f"{row['frames_per_second']:.0f}"]) for row in table["segmenting"]
    ]
    learned = [row["seconds"] for row in table["learning"]]
    together = table["together"]
    return (
        paragraph(
            f"Frames of {width}x{height} that are in the memory of the GPU already, segmented by "
            "[`segment_tensors`](python.md) without stationary foreground and ghost correction:"
        )
        + f"{head(['frames in a call', 'frames/s'])}{''.join(lines)}\n"
        + paragraph(
            f"{together['scenes']} scenes in one call reach {together['frames_per_second']:.0f} "
            f"frames/s, one after the other {together['one_by_one']:.0f}. "
            f"{table['learning'][0]['recording']} ({table['learning'][0]['frames']} frames) is "
            f"learned in {min(learned):.0f} to {max(learned):.0f} s. Measure again:"
        )
        + shell(
            "python tools/device.py --recording HIGHWAY/input",
            f"--batches {' '.join(str(row['batch']) for row in table['segmenting'])} --frames 32",
            "--out benchmarks/device.json",
        )
    )


def methods(table: Table) -> str:
    rows = table["rows"]
    again = paragraph("Measure again:") + shell("CLEANPLATE_DATA=FOLDER python tools/table.py")
    return f"{protocol(table)}{again}{summary(rows)}{compact(rows)}\n{by_sequence(rows)}"


def budgets(table: Table) -> str:
    (sequence,) = {row["sequence"] for row in table["rows"]}
    return paragraph(
        f"Every method learns {sequence} with the number of steps that is its own default."
    ) + (
        f"{own_budget_table(table['rows'])}\n"
        + paragraph("Measure again:")
        + shell(
            "CLEANPLATE_DATA=FOLDER python tools/table.py --budget auto --recipes robust",
            f"--sequences {sequence} --out benchmarks/defaults.json",
        )
    )


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
                f"**{_mean(whole, 'F'):.3f}**",
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


def _mean(rows: Sequence[Row], key: str) -> float:
    return float(sum(row[key] for row in rows) / len(rows))


def _number(value: float, key: str) -> str:
    return (
        f"{value:d}"
        if key == "frames"
        else f"{value:.2f}"
        if key in {"PWC", "plate_AGE"}
        else f"{value:.3f}"
    )
