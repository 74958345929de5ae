"""The page docs/benchmarks.md, from the JSON files in benchmarks/."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from kind_figures import all_methods, painted, recorded
from markdown_text import head, line, paragraph, shell

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
DEFAULT = "lowrank_ae"
Table: TypeAlias = Mapping[str, Any]
Row: TypeAlias = Mapping[str, Any]
_FILES = ("main_job", "halves", "kinds", "painted", "hold", "speed", "device", "methods")
_COMPARED = ("sbi/HighwayI", "sbi/Board")
"""Sequences that every method is measured on."""


_FIGURES = shell("CLEANPLATE_DATA=FOLDER python tools/figures.py --out benchmarks/main_job.json")
_KINDS = shell(
    "cleanplate bench FOLDER --by kind --kinds benchmarks/kinds.yaml --no-sweep",
    "--sequences 'cdnet/*' 'sbi/[!T]*' 'scenes/*'",
    f"--methods {DEFAULT} MOG2 KNN GSOC CNT SuBSENSE PAWCS LOBSTER --out kinds",
    then="python tools/keep.py kinds kinds",
)
_PAINTED = "```sh\ncleanplate datasets paint --out painted --seeds 3\n" + shell(
    "cleanplate bench painted --by kind --no-sweep",
    f"--methods {DEFAULT} MOG2 KNN GSOC CNT --out bench",
    then="python tools/keep.py bench painted",
).removeprefix("```sh\n")
_HOLD = shell(
    "cleanplate bench FOLDER",
    "--hold cdnet/baseline/highway:1000:400 cdnet/baseline/highway:660:900",
    f"--methods {DEFAULT} MOG2 KNN GSOC CNT --protocol all halves --out held",
    then="python tools/keep.py held hold",
)
_SPEED = shell(
    "cleanplate bench FOLDER --sequences cdnet/baseline/highway --no-sweep",
    f"--methods {DEFAULT} CNT GSOC KNN MOG2 SuBSENSE --out speed",
    then="python tools/keep.py speed speed",
)
_DEVICE = shell(
    "python tools/device.py --recording HIGHWAY/input",
    "--batches 1 4 8 16 32 --frames 32",
    "--out benchmarks/device.json",
)
_METHODS = shell(
    f"cleanplate bench FOLDER --sequences {' '.join(_COMPARED)} --no-sweep",
    "--methods networks plates --out methods",
    then="python tools/keep.py methods methods",
)


def read_tables() -> dict[str, Table]:
    """What each JSON file of figures holds, by the file's name; figures that are not there miss."""
    return {
        name: json.loads(path.read_text(encoding="utf-8"))
        for name in _FILES
        if (path := BENCHMARKS / f"{name}.json").exists()
    }


def page(tables: Mapping[str, Table]) -> str:
    """All of docs/benchmarks.md."""
    newest = tables["main_job"]

    def section(title: str, name: str, text: Callable[[Table], str], again: str) -> str:
        if name in tables:
            table = tables[name]
            shown = f"{provenance(name, table, newest)}{text(table)}{paragraph('Measure again:')}"
        else:
            shown = paragraph("Not measured with this version. Measure it:")
        return f"## {title}\n\n{shown}{again.rstrip()}\n\n"

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
        + section("Accuracy on eight sequences", "main_job", accuracy, _FIGURES)
        + section(
            "Learned from the first half, scored on the second",
            "halves",
            lambda _: halves(tables),
            _halves_again(newest),
        )
        + section("By kind of scene", "kinds", recorded, _KINDS)
        + section("Painted kinds of scenes", "painted", painted, _PAINTED)
        + section("Stationary foreground", "hold", stationary, _HOLD)
        + section("Speed on a CPU", "speed", speed, _SPEED)
        + section("Speed on a GPU", "device", device, _DEVICE)
        + section("All methods", "methods", methods, _METHODS)
    ).rstrip() + "\n"


def provenance(name: str, table: Table, newest: Table) -> str:
    """Which file, when, at which commit, on which machine; and whether the first table is newer."""
    machine = table.get("machine") or next(
        cell["findings"]["environment"] for cell in table["cells"] if cell["findings"]
    )
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
    mean = [f"**{mean_of(rows, key):.3f}**" if key == "F" else "" for key in columns]
    titles = ("F", "recall", "precision", "wrong pixels, %", "plate AGE", "scored frames")
    text = head(["sequence", *titles]) + "".join(lines) + line(["**mean**", *mean])
    return (
        paragraph("Each scene is learned from all frames of its sequence, and segmented whole.")
        + f"{text}\n"
        + paragraph(
            "In Board and CaVignal people stand in most frames, in Foliage leaves cover the scene "
            "nearly always."
        )
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
    )


def _halves_again(newest: Table) -> str:
    sequences = " ".join(row["sequence"] for row in newest["rows"])
    return shell(
        f"cleanplate bench FOLDER --sequences {sequences}",
        f"--protocol halves --no-sweep --methods {DEFAULT} peers --out halves",
        then="python tools/keep.py halves halves",
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
            f"learned in {min(learned):.0f} to {max(learned):.0f} s."
        )
    )


def methods(table: Table) -> str:
    return paragraph(
        "Every method with all defaults and its own budget, learned from all frames. AGE is that "
        "of its background image, memory the most while learning."
    ) + all_methods(table)


def mean_of(rows: Sequence[Row], key: str) -> float:
    return float(sum(row[key] for row in rows) / len(rows))


def _number(value: float, key: str) -> str:
    return (
        f"{value:d}"
        if key == "frames"
        else f"{value:.2f}"
        if key in {"PWC", "plate_AGE"}
        else f"{value:.3f}"
    )
