"""`cleanplate demo`."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cleanplate.cli.console import CommonOptions, Console
from cleanplate.cli.outputs import make_folder
from cleanplate.datasets import open_sequence
from cleanplate.datasets.painted import (
    PaintedIntersection,
    PaintedSettings,
    write_sequence,
    write_video,
)
from cleanplate.errors import OutputError
from cleanplate.evaluation import PlateMeasures, SequenceScore, score_masks, score_plate
from cleanplate.report import write_report
from cleanplate.scene import LearnOptions, Scene
from cleanplate.scene import learn as learn_scene
from cleanplate.scene_file import PLATE, REPORT
from cleanplate.settings import DEFAULT_METHOD, resolve
from cleanplate.video import MaskWriter

_VIDEO = "crossroads.avi"
_FOLDERS = ("sequence", "scene", "masks")


def demo(
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"])] = Path("demo"),
    seconds: float = 40.0,
    red_share: float = 0.4,
    seed: int = 0,
    method: str = DEFAULT_METHOD,
    budget: str = "auto",
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    common: CommonOptions | None = None,
) -> None:
    """Paint a crossroads with a red light, learn it, segment it, score it, report it.

    Args:
        out: Folder for the painted sequence, the scene, the masks and report.html.
        seconds: Length of the painted clip.
        red_share: Share of the time for which vehicles stand at the stop lines, 0.1 to 0.9.
        seed: Of the painting and the learning.
        method: Name of a method.
        budget: 600steps, 90s or 5min; auto is the method's own.
        overwrite: Replace a demo that is there.
    """
    with Console(common or CommonOptions()) as console:
        begin = time.monotonic()
        # A name or a budget that makes no sense must not cost the demo that is there.
        resolve({"method": method, "budget": budget})
        settings = {"seconds": seconds, "seed": seed, "red_share": red_share}
        painted = PaintedIntersection(PaintedSettings.parse(settings))
        _make_room(out, overwrite=overwrite)
        console.info(f"painting {len(painted)} frames of a crossroads")
        sequence = write_sequence(painted, out / "sequence", picture_format="jpg")
        video = write_video(painted, out / _VIDEO)
        scene = learn_scene(
            video,
            out=out / "scene",
            method=method,
            budget=budget,
            seed=seed,
            options=LearnOptions(),
            progress=console.progress,
        )
        _segment(scene, video, out / "masks", console)
        score = score_masks(out / "masks", open_sequence(sequence))
        plate = score_plate(out / "scene" / PLATE, sequence / "GT" / "GT_background.png")
        report = write_report(
            out / "scene",
            out / REPORT,
            source=video,
            scores=_shown(score, plate),
            progress=console.progress,
        )
        values = {
            "command": "demo",
            "report": str(report),
            **score.measures.as_json(),
            **plate.as_json(),
            "seconds": round(time.monotonic() - begin, 3),
        }
        text = f"F {score.measures.F:.3f}, plate AGE {plate.AGE:.2f}: open {report}"
        console.result(values, text)


def _make_room(out: Path, *, overwrite: bool) -> None:
    present = [name for name in (*_FOLDERS, _VIDEO, REPORT) if (out / name).exists()]
    if present and not overwrite:
        raise OutputError(
            f"{out} holds {present[0]} already; give another --out, or --overwrite to replace it"
        )
    for name in _FOLDERS:
        shutil.rmtree(out / name, ignore_errors=True)
    make_folder(out)


def _segment(scene: Scene, video: Path, masks: Path, console: Console) -> None:
    frames = scene.provenance["input"]["frames"]
    with MaskWriter(masks) as writer:
        for result in scene.segment(video):
            writer.write(result.number, result.mask)
            console.progress("segmenting", result.frame.index + 1, frames)


def _shown(score: SequenceScore, plate: PlateMeasures) -> dict[str, object]:
    names = ("F", "recall", "precision", "PWC", "F_all_foreground")
    measures = score.measures.as_json()
    return {**{name: measures[name] for name in names}, **plate.as_json()}
