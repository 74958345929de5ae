"""The report of a learned scene: gathers what there is and fills the page."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cleanplate._version import __version__
from cleanplate.errors import OutputError
from cleanplate.progress import ProgressListener, silent
from cleanplate.report import wording
from cleanplate.report.figures import (
    Chart,
    encoded_uri,
    foreground_chart,
    jpeg_uri,
    loss_chart,
    mask_uri,
    noise_figure,
)
from cleanplate.report.foreground import (
    Foreground,
    follow_foreground,
    foreground_of_samples,
    share,
)
from cleanplate.report.pages import page_environment
from cleanplate.report.scene_table import finding_rows, not_found
from cleanplate.scene import Scene, load
from cleanplate.scene_file import COVERAGE_PICTURE, REPORT, Sample
from cleanplate.scene_model.states import in_words
from cleanplate.video import VideoSource, draw_overlay, open_source
from cleanplate.writing import PartialFile, output_error, write_whole

_PLATE_WIDTH = 1600
_NOISE_WIDTH = 800
_COVERAGE_WIDTH = 960
_STRIP_WIDTH = 560
_TEMPLATE = "template.html"


@dataclass(frozen=True)
class _Moment:
    """One row of the strip; pictures are data URIs."""

    number: int
    time: str
    share: str
    is_busiest: bool
    pictures: Mapping[str, str]


def write_report(
    run: str | Path,
    path: Path | None = None,
    *,
    source: str | Path | None = None,
    scores: Mapping[str, object] | None = None,
    progress: ProgressListener = silent,
) -> Path:
    """Writes one self-contained page of HTML about a learned scene.

    All pictures are inside the file; nothing is loaded from outside and no script runs. A report
    that is already there is replaced.

    Args:
        run: Folder of the scene.
        path: The page; None: `report.html` in the folder of the scene.
        source: The recording, to show the foreground over all of it; None: the samples in the
            folder of the scene are shown.
        scores: Measures by name, as `Measures.as_json` gives them, for the table of figures.
        progress: Told how the pass over the recording goes on.

    Returns:
        Path of the page.

    Raises:
        SceneFileError: The folder is no scene, or one that is damaged or of another format.
        SourceError: The recording cannot be read.
        FrameSizeError: Its frames are not of the scene's size.
        OutputError: The page cannot be written.
    """
    path = Path(run) / REPORT if path is None else Path(path)
    scene = load(run)
    _require_writable(path)  # before a long pass over the recording
    recording = None if source is None else open_source(source)
    foreground = _foreground(scene, recording, progress)
    page = _page(scene, foreground, warnings=_warnings(scene, recording), scores=scores or {})
    write_whole(path, page, "the report")
    return path


def _foreground(
    scene: Scene, recording: VideoSource | None, progress: ProgressListener
) -> Foreground | None:
    if recording is not None:
        return follow_foreground(scene, recording, progress=progress)
    return foreground_of_samples(scene.samples) if scene.samples else None


def _warnings(scene: Scene, recording: VideoSource | None) -> list[str]:
    found = wording.warnings(scene)
    learned_from = wording.fingerprint(scene.provenance)
    if recording is None or not learned_from or recording.fingerprint() == learned_from:
        return found
    other = (
        f"Frames and curve below are from “{Path(recording.name).name}”, which is not the "
        "recording that the scene was learned from."
    )
    return [*found, other]


def _page(
    scene: Scene,
    foreground: Foreground | None,
    *,
    warnings: list[str],
    scores: Mapping[str, object],
) -> str:
    template = page_environment().get_template(_TEMPLATE)
    segmentation = scene.settings.segmentation
    return template.render(
        title=wording.recording_name(scene.provenance),
        summary=wording.summary(scene),
        facts=_facts(scene),
        warnings=warnings,
        plate=jpeg_uri(scene.plate, max_width=_PLATE_WIDTH),
        frame_size=scene.frame_size,
        noise=noise_figure(scene.noise, max_width=_NOISE_WIDTH),
        threshold=segmentation.threshold,
        noise_factor=segmentation.noise_factor,
        moments=[] if foreground is None else _moments(foreground),
        is_baseline=scene.settings.is_baseline,
        method=scene.settings.method,
        losses=loss_chart(scene.metrics) if scene.metrics else None,
        foreground=foreground,
        shares=None if foreground is None else _shares(foreground),
        curve=_curve(foreground),
        findings=finding_rows(scene.findings),
        not_found=not_found(scene.findings),
        coverage=_coverage_uri(scene),
        coverage_rows=wording.coverage_rows(scene.coverage or {}),
        figures=wording.key_figures(scene, foreground),
        scores=wording.score_rows(scores),
        settings=wording.setting_tables(scene),
        provenance=wording.provenance_tables(scene.provenance),
        version=__version__,
    )


def _coverage_uri(scene: Scene) -> str | None:
    picture = scene.plots.get(COVERAGE_PICTURE)
    return None if picture is None else encoded_uri(picture, max_width=_COVERAGE_WIDTH)


def _facts(scene: Scene) -> list[str]:
    """Short facts under the summary."""
    facts = [f"{wording.size(scene.frame_size)} pixels"]
    with suppress(ValueError):  # no time, or one that some other program wrote
        finished = datetime.fromisoformat(str(scene.provenance.get("finished")))
        facts.append(f"{finished.day} {finished:%B %Y}")
    facts.append(f"seed {scene.settings.general.seed}")
    states = scene.provenance.get("states")
    shares = wording.shares(states)
    if len(shares) > 1:
        facts.append(in_words(shares))
    return facts


def _moments(foreground: Foreground) -> list[_Moment]:
    return [_moment(sample, foreground.busiest) for sample in foreground.moments]


def _moment(sample: Sample, busiest: int | None) -> _Moment:
    pictures = {
        "Input": sample.picture,
        "Background": sample.background,
        "Overlay": draw_overlay(sample.picture, sample.mask),
    }
    uris = {name: jpeg_uri(shown, max_width=_STRIP_WIDTH) for name, shown in pictures.items()}
    uris["Mask"] = mask_uri(sample.mask, max_width=_STRIP_WIDTH)
    return _Moment(
        number=sample.number,
        time=f"{sample.time:,.2f} s",
        share=wording.percent(share(sample.mask)),
        is_busiest=sample.number == busiest,
        pictures={name: uris[name] for name in ("Input", "Background", "Mask", "Overlay")},
    )


def _shares(foreground: Foreground) -> Mapping[str, str]:
    """Mean, most and its time in words."""
    top = int(foreground.shares.argmax())
    return {
        "mean": wording.percent(float(foreground.shares.mean())),
        "most": wording.percent(float(foreground.shares[top])),
        "time": f"{foreground.times[top]:,.2f} s",
        "count": f"{len(foreground.times):,}",
    }


def _curve(foreground: Foreground | None) -> Chart | None:
    return None if foreground is None else foreground_chart(foreground)


def _require_writable(path: Path) -> None:
    if path.is_dir():
        raise OutputError(f"{path} is a folder; give the name of a file, as in {path / REPORT}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        PartialFile(path).discard()
    except OSError as error:
        raise output_error(error, path, "the report") from error
