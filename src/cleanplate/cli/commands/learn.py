"""`cleanplate learn`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import yaml
from cyclopts import Parameter

from cleanplate.cli.console import CommonOptions, Console
from cleanplate.learning import LearnOptions
from cleanplate.learning import learn as learn_scene
from cleanplate.progress import ProgressListener
from cleanplate.scene import Scene
from cleanplate.scene.run_folder import RunFolder
from cleanplate.setting_trees import merge, overruled, parse_assignments, read_settings_file
from cleanplate.settings import (
    resolve,
    under_new_names,
)


def learn(
    source: str,
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"])],
    method: str | None = None,
    init: str | None = None,
    recipe: str | None = None,
    budget: str | None = None,
    device: str | None = None,
    seed: int | None = None,
    value_range: Annotated[
        tuple[float, float] | None,
        Parameter(name="--range", allow_leading_hyphen=True, negative=""),
    ] = None,
    assignments: Annotated[list[str] | None, Parameter(name="--set", negative="")] = None,
    config: Path | None = None,
    resume: Annotated[bool, Parameter(negative="")] = False,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    samples: bool = True,
    common: CommonOptions | None = None,
) -> None:
    """Learn the empty scene of a fixed camera from its own frames.

    Args:
        source: Video file, folder of pictures, or pattern of pictures or of a video's parts.
        out: Folder of the learned scene.
        method: Name of a method, see `cleanplate methods`; default lowrank_ae.
        init: Initial plate: candidates (default), median, mean, trimmed_mean, mode,
            low_motion, pooled or bootstrap.
        recipe: Named set of defaults of the method; default robust.
        budget: 600steps, 90s or 5min; default the method's own.
        device: auto, cpu, cuda or cuda:N; default auto.
        seed: Of everything that is random; default 0.
        value_range: Values that become black and white, LOW HIGH; default: 8 bits as they are,
            of 16 bits or floating point what the recording uses.
        assignments: KEY=VALUE, for example training.batch_size=16; may be repeated.
        config: YAML file of settings; the command line wins over it.
        resume: Go on with a run that was broken off.
        overwrite: Replace the scene that is in the folder.
        samples: Keep a few frames for the report; --no-samples for privacy.
    """
    given = {
        "method": method,
        "init": init,
        "recipe": recipe,
        "budget": budget,
        "device": device,
        "seed": seed,
    }
    assigned = under_new_names(parse_assignments(assignments or []))
    tree = merge(under_new_names(read_settings_file(config)) if config else {}, assigned)
    tree = overruled(tree, given, value_range)
    with Console(common or CommonOptions()) as console:
        options = LearnOptions(resume=resume, overwrite=overwrite, samples=samples)
        begin = time.monotonic()
        for line in yaml.safe_dump(resolve(tree).as_tree(), sort_keys=False).splitlines():
            console.detail(line)
        scene = run_learn(source, out, tree, options=options, progress=console.progress)
        warn_of_damage(console, scene)
        warn_of_moves(console, scene)
        warn_of_doubts(console, scene)
        report_scene(console, scene, out, time.monotonic() - begin)


def run_learn(
    source: str,
    out: Path,
    tree: dict[str, object],
    *,
    options: LearnOptions,
    progress: ProgressListener,
) -> Scene:
    """Learns with a whole tree of settings."""
    try:
        return learn_scene(source, out=out, settings=tree, options=options, progress=progress)
    except KeyboardInterrupt as interrupt:
        if options.overwrite and not RunFolder(out).is_begun:
            sentence = f"nothing of {out} was replaced so far; give the same command again"
            raise type(interrupt)(sentence) from interrupt
        raise


def warn_of_damage(console: Console, scene: Scene) -> None:
    """Warnings where the recording was not whole, or is to be looked at."""
    source = scene.provenance["input"]
    damaged, missing = source["damaged_frames"], source["missing_frames"]
    repaired = source["repaired_frames"]
    parts = []
    if repaired:
        parts.append(
            f"{damaged} frames are damaged: {damaged - repaired} were left out, "
            f"{repaired} used with parts that the decoder made up"
        )
    elif damaged:
        parts.append(f"{damaged} damaged frames were left out")
    if missing:
        parts.append(f"the recording ends {missing} frames before its promised end")
    if parts:
        console.warn(f"{source['name']}: {' and '.join(parts)}")
    for note in source.get("notes", ()):
        console.warn(f"{source['name']}: {note}")


def warn_of_moves(console: Console, scene: Scene) -> None:
    """One warning where the camera was moved while it recorded."""
    if view := scene.provenance.get("view"):
        console.warn(str(view["sentence"]))


def warn_of_doubts(console: Console, scene: Scene) -> None:
    """One warning where the recording did not show the empty scene."""
    if scene.coverage and scene.coverage["sentence"]:
        console.warn(str(scene.coverage["sentence"]))


def report_scene(console: Console, scene: Scene, out: Path, seconds: float) -> None:
    """The result of learning."""
    provenance = scene.provenance
    source = provenance["input"]
    values = {
        "command": "learn",
        "run": str(out),
        "method": scene.settings.method,
        "frames": source["frames"],
        "frames_learned_from": source["frames_learned_from"],
        "damaged_frames": source["damaged_frames"],
        "missing_frames": source["missing_frames"],
        "frame_size": list(scene.frame_size),
        "working_size": list(scene.working_size),
        "seconds": provenance["seconds"],
        "steps": provenance["steps"],
        "peak_memory_bytes": provenance["peak_memory_bytes"],
        "device": provenance["device"],
        "values": source.get("values"),
        "states": provenance["states"],
        "view": provenance["view"],
        "findings": scene.findings.as_values(),
        "coverage": scene.coverage,
    }
    text = (
        f"learned {source['name']} by {scene.settings.method} from "
        f"{source['frames_learned_from']} of {source['frames']} frames in {seconds:.1f} s: {out}"
    )
    text += f"\nthe scene: {scene.findings.sentence}"
    console.result(values, text)
