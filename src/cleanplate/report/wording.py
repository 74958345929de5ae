"""Numbers, settings and origins in words: the rows of the report's tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cleanplate.report.foreground import Foreground
from cleanplate.scene import Scene
from cleanplate.scene_model import CameraMotion
from cleanplate.settings import GeneralSettings, known_methods

SCORES = {
    "F": "F-measure: harmonic mean of precision and recall; 1 is perfect",
    "recall": "share of the true foreground that was found",
    "precision": "share of the found foreground that is true",
    "PWC": "percentage of wrong pixels, of 100; lower is better",
    "specificity": "share of the true background that was left alone",
    "FPR": "share of the true background that was called foreground",
    "FNR": "share of the true foreground that was missed",
    "F_all_foreground": "F of a mask that calls every pixel foreground: the bar to clear",
    "shadow_error_rate": "share of the cast shadows that were called foreground",
    "frames": "frames with ground truth that were scored",
    "AGE": "mean error of the plate in grey levels; lower is better",
    "pEPs": "share of the plate's pixels off by more than 20 grey levels",
    "pCEPs": "share of such pixels whose neighbours are wrong too",
    "MS_SSIM": "structural likeness of the plate to the true one; 1 is perfect",
    "PSNR": "signal-to-noise ratio of the plate in dB; higher is better",
    "CQM": "colour quality of the plate in dB; higher is better",
}
"""What each score means, the most telling first."""

_LABELS = {
    "sha256": "SHA-256",
    "name": "recording",
    "cleanplate": "cleanplate",
    "python": "Python",
    "numpy": "NumPy",
    "opencv-contrib-python-headless": "OpenCV",
    "torch": "PyTorch",
    "peak_memory_bytes": "peak memory",
    "frames": "frames read",
    "first_time": "first frame at",
    "last_time": "last frame at",
    "seconds": "time taken",
}


@dataclass(frozen=True)
class TableRow:
    """One line of a table.

    Attributes:
        name: What it is.
        value: Its value, with its unit.
        meaning: What that tells; may be empty.
    """

    name: str
    value: str
    meaning: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under one heading."""

    title: str
    rows: Sequence[TableRow]


_LONGEST_NOTE = 500
"""Letters of a sentence that the page shows."""


def recording_name(provenance: Mapping[str, object]) -> str:
    """Name of what was learned from."""
    return str(_inner(provenance, "input").get("name") or "Learned scene")


def fingerprint(provenance: Mapping[str, object]) -> str:
    """SHA-256 of the recording that was learned from; empty where it is unknown."""
    return str(_inner(provenance, "input").get("sha256") or "")


def summary(scene: Scene) -> str:
    """How the scene was learned, in one sentence."""
    recording = _inner(scene.provenance, "input")
    read, kept = _number(recording, "frames"), _number(recording, "frames_learned_from")
    words = ["Learned"]
    if kept is not None:
        of_all = f"{kept:,.0f} of {read:,.0f}" if read and read != kept else f"{kept:,.0f}"
        words.append(f"from {of_all} frames")
        if (span := _span(recording)) is not None:
            words.append(f"over {duration(span)}")
    words.append(f"by {scene.settings.method}")
    if (seconds := _number(scene.provenance, "seconds")) is not None:
        words.append(f"in {duration(seconds)}")
    return " ".join(words)


def warnings(scene: Scene) -> list[str]:
    """What a reader should know before trusting the scene."""
    recording = _inner(scene.provenance, "input")
    found = []
    repaired = _number(recording, "repaired_frames") or 0
    if (lost := (_number(recording, "damaged_frames") or 0) - repaired) > 0:
        found.append(f"{_frames(lost)} could not be decoded and took no part.")
    if repaired:
        found.append(f"The decoder made up damaged parts of {_frames(repaired)}.")
    if missing := _number(recording, "missing_frames"):
        found.append(
            f"The recording ends early: {_frames(missing)} that it promises "
            f"{'is' if missing == 1 else 'are'} missing."
        )
    if sentence := str(_inner(scene.provenance, "view").get("sentence", "")):
        found.append(f"{sentence_of(sentence)}.")
    notes = recording.get("notes")
    for note in notes if isinstance(notes, list) else []:
        sentence = str(note)[:_LONGEST_NOTE]
        found.append(f"{sentence_of(sentence)}.")
    if lost := scene.camera.lost_frames:
        found.append(f"{_frames(lost)} did not show enough of the scene to be registered.")
    if scene.coverage and (sentence := str(scene.coverage["sentence"])):
        found.append(f"{sentence}.")
    if scene.settings.is_baseline:
        found.append(
            f"“{scene.settings.method}” is a baseline: one still picture, computed and not "
            "trained. It has no loss and does not follow light or weather."
        )
    return found


def key_figures(scene: Scene, foreground: Foreground | None) -> list[TableRow]:
    """The numbers that sum the scene up."""
    provenance, recording = scene.provenance, _inner(scene.provenance, "input")
    rows = [
        _count_row("Frames", _number(recording, "frames"), "read from the recording"),
        _count_row(
            "Learned from",
            _number(recording, "frames_learned_from"),
            "frames, spread over the recording",
        ),
        TableRow("Frame size", size(scene.frame_size), "pixels, width and height"),
        TableRow(
            "Working size", size(scene.working_size), "in which background and mask are computed"
        ),
        _camera(scene.camera),
        _count_row("Steps", _number(provenance, "steps"), "of training"),
        _row("Time", _number(provenance, "seconds"), duration, "from opening to the noise map"),
        _row(
            "Peak memory",
            _number(provenance, "peak_memory_bytes"),
            file_size,
            "most that the process held",
        ),
    ]
    if scene.settings.is_baseline:
        rows = [row for row in rows if row is None or row.name != "Steps"]
    if foreground is not None:
        where = "the whole recording" if foreground.is_whole else "the sample frames"
        average = percent(float(foreground.shares.mean()))
        rows.append(TableRow("Mean foreground", average, f"share of the pixels, over {where}"))
    middle, high = np.percentile(scene.noise, [50, 95])
    rows += [
        TableRow("Noise, median", f"{middle:.0f}", "grey levels, half of the pixels have less"),
        TableRow(
            "Noise, 95th percentile", f"{high:.0f}", "grey levels, 95 % of the pixels have less"
        ),
    ]
    return [row for row in rows if row is not None]


def _camera(camera: CameraMotion) -> TableRow:
    if camera.motion is None:
        return TableRow("Camera", "still", "frames are compared as they are")
    what = "shifts" if camera.motion == "translation" else "homographies"
    meaning = f"farthest motion of a corner; taken out of every frame by {what}"
    return TableRow("Camera", f"shakes by {camera.reach:.1f} pixels", meaning)


def coverage_rows(coverage: Mapping[str, object]) -> list[TableRow]:
    """How often the empty scene was seen, and the places where it never was for certain."""
    rows = [
        _row(
            "Seen empty", _number(coverage, "mean_seen"), percent, "of the time, mean of all pixels"
        ),
        _row(
            "Never for certain",
            _number(coverage, "doubtful_share"),
            percent,
            "of the picture, outlined above",
        ),
    ]
    regions = coverage.get("regions")
    for region in regions if isinstance(regions, list) else []:
        where, reason = str(region.get("name", "")), str(region.get("reason", ""))
        rows.append(_row(where.capitalize(), _number(region, "share"), percent, reason))
    return [row for row in rows if row is not None]


def shares(values: object) -> Mapping[str, float]:
    """Those of the values that are numbers, by name; none of what is no mapping."""
    found = values if isinstance(values, Mapping) else {}
    return {str(n): s for n in found if (s := _number(found, n)) is not None}


def score_rows(scores: Mapping[str, object]) -> list[TableRow]:
    """Scores with what they mean; known ones first, names of nested ones joined by a stroke."""
    flat = dict(_flattened(scores, " / "))
    order = {name: place for place, name in enumerate(SCORES)}
    names = sorted(flat, key=lambda name: order.get(name.split(" / ")[-1], len(order)))
    return [
        TableRow(
            name.replace("_", " "),
            _score(name.split(" / ")[-1], flat[name]),
            SCORES.get(name.split(" / ")[-1], ""),
        )
        for name in names
    ]


def setting_tables(scene: Scene) -> list[Table]:
    """All settings in their groups, with their descriptions."""
    general = scene.settings.general
    methods = known_methods()
    first = [
        TableRow(
            name,
            _plain(value),
            methods.get(general.method, "").rstrip(".")
            if name == "method"
            else GeneralSettings.model_fields[name].description or "",
        )
        for name, value in general.model_dump(mode="json").items()
        if not (scene.settings.is_baseline and name in {"recipe", "init", "budget"})
    ]
    tables = [Table("General", first)]
    for title, group in scene.settings.groups().items():
        fields = type(group).model_fields
        rows = [
            TableRow(
                name, _plain(value), (fields[name].description or "") if name in fields else ""
            )
            for name, value in _flattened(group.model_dump(mode="json"), ".")
        ]
        tables.append(Table(title.capitalize(), rows))
    return tables


def provenance_tables(provenance: Mapping[str, object]) -> list[Table]:
    """Where the scene comes from: the run, its input, versions and machine."""
    top = {
        key: value
        for key, value in provenance.items()
        if not isinstance(value, Mapping) and key not in {"findings", "parked"}
    }
    groups = {key: value for key, value in provenance.items() if isinstance(value, Mapping)}
    tables = [Table("Run", _origin_rows(top))]
    tables += [Table(key.capitalize(), _origin_rows(group)) for key, group in groups.items()]
    return [table for table in tables if table.rows]


def duration(seconds: float) -> str:
    """Seconds as `0.5 s`, `68 s`, `2 min 5 s` or `3 h 20 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def file_size(count: float) -> str:
    """Bytes as `519 MB` or `1.2 GB`."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def percent(part: float) -> str:
    """A share from 0 to 1 as `3.4 %`."""
    return f"{100 * part:.2f} %" if 0 < part < 0.001 else f"{100 * part:.1f} %"


def size(pixels: Sequence[object]) -> str:
    """A size, height first, as width times height."""
    height, width = pixels
    return f"{width} \u00d7 {height}"


def sentence_of(text: str) -> str:
    """A text with a capital at its beginning."""
    return f"{text[:1].upper()}{text[1:]}"


def _origin_rows(values: Mapping[str, object]) -> list[TableRow]:
    return [
        TableRow(_LABELS.get(name, name.replace("_", " ")), _origin(name, value))
        for name, value in _flattened(values, ".")
    ]


def _origin(name: str, value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if name == "peak_memory_bytes":
            return file_size(value)
        if name in {"seconds", "first_time", "last_time"}:
            return f"{value:,.2f} s"
    if name == "frame_size" and isinstance(value, list) and len(value) == 2:
        return size(value)
    return _plain(value)


def _score(name: str, value: object) -> str:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return _plain(value)
    if not math.isfinite(value):
        return "perfect" if value == math.inf else _plain(None)
    if name == "PWC":
        return f"{value:.2f} %"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def _plain(value: object) -> str:
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_plain(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _flattened(values: Mapping[str, object], stroke: str) -> Iterator[tuple[str, object]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            for inner, deeper in _flattened(value, stroke):
                yield f"{name}{stroke}{inner}", deeper
        else:
            yield str(name), value


def _row(
    name: str, value: float | None, words: Callable[[float], str], meaning: str
) -> TableRow | None:
    return None if value is None else TableRow(name, words(value), meaning)


def _count_row(name: str, value: float | None, meaning: str) -> TableRow | None:
    return _row(name, value, "{:,.0f}".format, meaning)


def _inner(values: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = values.get(key)
    return value if isinstance(value, Mapping) else {}


def _number(values: Mapping[str, object], key: str) -> float | None:
    value = values.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _span(recording: Mapping[str, object]) -> float | None:
    first, last = _number(recording, "first_time"), _number(recording, "last_time")
    return last - first if first is not None and last is not None else None


def _frames(count: float) -> str:
    return "1 frame" if count == 1 else f"{count:,.0f} frames"
