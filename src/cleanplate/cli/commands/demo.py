"""`cleanplate demo`."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cleanplate.cli.console import CommonOptions, Console
from cleanplate.datasets import open_sequence
from cleanplate.datasets.painted import (
    DEFAULT_KIND,
    KINDS,
    PaintedSettings,
    paint_scene,
    write_sequence,
    write_video,
)
from cleanplate.errors import OutputError
from cleanplate.evaluation import PlateMeasures, SequenceScore, score_masks, score_plate
from cleanplate.learning import LearnOptions
from cleanplate.learning import learn as learn_scene
from cleanplate.report import write_report
from cleanplate.scene import Scene
from cleanplate.scene.run_folder import RunFolder
from cleanplate.scene_file import PLATE, REPORT
from cleanplate.settings import DEFAULT_METHOD, resolve
from cleanplate.video import MaskWriter
from cleanplate.writing import Own, foreign_in, locked, remove_own, require_own, write_whole

_MARK = ".cleanplate-demo"
"""Name of the empty file by which a demo is known."""
_SEQUENCE = Own(
    re.compile(r"objects\.jsonl|ROI\.bmp|temporalROI\.txt"),
    {
        "input": Own(re.compile(r"in[0-9]{6,}\.jpg")),
        "groundtruth": Own(re.compile(r"gt[0-9]{6,}\.png")),
        "GT": Own.named("GT_background.png"),
    },
)
_VIDEOS = tuple(f"{kind}.avi" for kind in KINDS)
_MASKS = Own(re.compile(r"bin[0-9]{6,}\.png"))
_OWN = Own.named(
    *(REPORT, _MARK, *_VIDEOS), folders={"sequence": _SEQUENCE, "masks": _MASKS, "scene": Own()}
)


def demo(
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"])] = Path("demo"),
    kind: str = DEFAULT_KIND,
    seconds: float | None = None,
    red_share: float = 0.4,
    seed: int = 0,
    method: str = DEFAULT_METHOD,
    budget: str = "auto",
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    common: CommonOptions | None = None,
) -> None:
    """Paint a scene of a kind, learn it, segment it, score it, report it.

    Args:
        out: Folder for the painted sequence, the scene, the masks and report.html.
        kind: crossroads, night, snow, sway, water, thermal, lowrate, jitter, arena or sunpatch.
        seconds: Length of the painted clip; the kind's own is 40, 60 or 640 (lowrate).
        red_share: Share of the time for which vehicles stand at the stop lines, 0.1 to 0.9.
        seed: Of the painting and the learning.
        method: Name of a method.
        budget: 600steps, 90s or 5min; auto is the method's own.
        overwrite: Replace a demo that is there.
    """
    with Console(common or CommonOptions()) as console, ExitStack() as stack:
        begin = time.monotonic()
        # A name or a budget that makes no sense must not cost the demo that is there.
        resolve({"method": method, "budget": budget})
        length = {} if seconds is None else {"seconds": seconds}
        settings = {"kind": kind, "seed": seed, "red_share": red_share, **length}
        painted = paint_scene(PaintedSettings.parse(settings))
        stack.enter_context(_room(out, overwrite=overwrite))
        console.info(f"painting {len(painted)} frames: {kind}")
        sequence = write_sequence(painted, out / "sequence", picture_format="jpg")
        video = write_video(painted, out / f"{kind}.avi")
        scene = learn_scene(
            video,
            out=out / "scene",
            method=method,
            budget=budget,
            seed=seed,
            options=LearnOptions(overwrite=overwrite),
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
            "kind": kind,
            "report": str(report),
            **score.measures.as_json(),
            **plate.as_json(),
            "seconds": round(time.monotonic() - begin, 3),
        }
        text = f"F {score.measures.F:.3f}, plate AGE {plate.AGE:.2f}: open {report}"
        console.result(values, text)


@contextmanager
def _room(out: Path, *, overwrite: bool) -> Iterator[None]:
    """The folder, locked, and without what a demo before left in it; its scene stays for now."""
    busy = f"another process works in {out}; wait for it or give another --out"
    with locked(out, busy=busy, what="the demo"):
        _require_own(out, overwrite=overwrite)
        for name in ("sequence", "masks"):
            remove_own(out / name, _OWN.folders[name])
        remove_own(out, Own.named(*_VIDEOS))
        write_whole(out / _MARK, "")
        yield


def _require_own(out: Path, *, overwrite: bool) -> None:
    """Refuses to replace unasked, and to replace what is not of a demo."""
    names = [name for name in (*_OWN.folders, *_VIDEOS, REPORT) if os.path.lexists(out / name)]
    if not names:
        return
    if not overwrite:
        raise OutputError(
            f"{out} holds {names[0]} already; give another --out, or --overwrite to replace it"
        )
    require_own(out, _OWN)
    # Earlier versions left no mark.
    marks = ((_MARK,), (f"{DEFAULT_KIND}.avi", "sequence/objects.jsonl"))
    if not any(all((out / name).is_file() for name in mark) for mark in marks):
        raise OutputError(f"{out} holds {names[0]}, which is not of a demo; give another --out")
    for folder in ("sequence", "masks"):
        for name in foreign_in(out / folder, _OWN.folders[folder]):
            raise OutputError(
                f"{out / folder} holds {name}, which is not of a demo; give another --out"
            )
    if (out / "scene").is_dir():
        RunFolder(out / "scene").require_replaceable()


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
