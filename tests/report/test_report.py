"""The report: one file, complete, and true to the scene it tells of."""

from __future__ import annotations

import base64
import html
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import cleanplate.report.report as module
from changed_scenes import with_model
from cleanplate.errors import FrameSizeError, OutputError, SceneFileError, SourceError
from cleanplate.frames import Frame, Picture
from cleanplate.learning import LearnOptions, learn
from cleanplate.report import write_report
from cleanplate.report.figures import foreground_chart, noise_figure
from cleanplate.report.foreground import MOMENTS, Foreground, _Moments, share
from cleanplate.report.wording import duration, percent
from cleanplate.scene import Scene, load
from cleanplate.scene_model import CameraMotion
from cleanplate.scene_model.findings import FindingState, SceneFinding, SceneFindings
from cleanplate.streaming import Result

FOUND = "What this scene is, and what was done"
HEADINGS = (
    "Clean plate",
    FOUND,
    "Coverage",
    "Frames",
    "Loss",
    "Foreground over time",
    "Key figures",
    "Settings",
    "Provenance",
)
COUNT = 24
HOW_TO_GET_MORE = "cleanplate report RUN --source VIDEO"


def paint(index: int) -> Picture:
    """A ramp with a square that moves right and doubles its height in one frame only."""
    picture = np.zeros((32, 48, 3), np.uint8)
    picture[..., 0] = np.linspace(40, 200, 48)
    picture[..., 1] = np.linspace(20, 120, 32)[:, None]
    bottom = 28 if index == 13 else 18
    left = 2 * index % 36
    picture[8:bottom, left : left + 10] = (0, 0, 240)
    return picture


def write_frames(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for index in range(COUNT):
        cv2.imwrite(str(folder / f"in{index + 1:06d}.png"), paint(index)[..., ::-1])
    return folder


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_frames(tmp_path_factory.mktemp("camera") / "crossing")


@pytest.fixture(scope="module")
def run(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "median"
    learn(recording, method="median", out=folder)
    return folder


@pytest.fixture(scope="module")
def page(run: Path) -> str:
    return write_report(run).read_text(encoding="utf-8")


def saved(scene: Scene, folder: Path, **changes: Any) -> Path:
    replace(scene, **changes).save(folder)
    return folder


def in_provenance(scene: Scene, **changes: object) -> Mapping[str, object]:
    return {**scene.provenance, "input": {**scene.provenance["input"], **changes}}


def text_of(page: str) -> str:
    body = re.sub(r"<(style|svg)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def pictures_of(page: str) -> list[str]:
    return re.findall(r'<img[^>]* src="([^"]*)"', page)


def test_the_report_lies_in_the_folder_of_the_scene_unless_told_otherwise(
    run: Path, tmp_path: Path
) -> None:
    assert write_report(run) == run / "report.html"
    other = tmp_path / "new" / "page.html"
    assert write_report(run, other) == other
    assert [path.name for path in other.parent.iterdir()] == ["page.html"]


def test_the_report_is_one_file_that_needs_nothing_from_outside(page: str) -> None:
    links = re.findall(r"""(?:src|srcset|href|action|data)\s*=\s*["']([^"']*)""", page)
    assert links
    assert [link for link in links if not link.startswith(("data:image/", "#"))] == []
    style = "".join(re.findall(r"<style>.*?</style>", page, flags=re.DOTALL))
    assert "url(" not in style
    assert "@import" not in style
    assert "<script" not in page
    assert "<link" not in page


def test_every_picture_can_be_decoded(page: str) -> None:
    for uri in pictures_of(page):
        head, _, content = uri.partition(",")
        assert head in {"data:image/png;base64", "data:image/jpeg;base64"}
        decoded = cv2.imdecode(
            np.frombuffer(base64.b64decode(content), np.uint8), cv2.IMREAD_UNCHANGED
        )
        assert decoded is not None


def test_the_sections_come_in_their_order(page: str) -> None:
    assert tuple(re.findall(r"<h2>(.*?)</h2>", page)) == HEADINGS
    assert re.search(r"<h1>[^<]*/crossing</h1>", page)


def test_the_summary_says_in_words_how_the_scene_was_learned(page: str) -> None:
    assert re.search(r"Learned from 24 frames over 0\.9 s by median in \d+\.\d s", text_of(page))


def test_every_sample_is_shown_with_its_four_pictures(run: Path, page: str) -> None:
    samples = load(run).samples
    assert len(samples) == 8
    for sample in samples:
        for name in ("input", "background", "mask", "overlay"):
            assert f'alt="Frame {sample.number}: {name}"' in page
        assert f"{sample.time:.2f} s" in text_of(page)
    assert len(pictures_of(page)) == 4 + 4 * len(samples)


def test_every_setting_stands_in_the_report_with_its_meaning(run: Path, page: str) -> None:
    text = text_of(page)
    settings = load(run).settings
    for group in settings.groups().values():
        for name, field in type(group).model_fields.items():
            value = getattr(group, name)
            shown = f"{value:g}" if isinstance(value, float) else str(value)
            if isinstance(value, bool):
                shown = "yes" if value else "no"
            assert f"{name} {shown} {field.description}" in text


def test_the_origin_stands_in_the_report(run: Path, page: str) -> None:
    text = text_of(page)
    provenance = json.loads((run / "provenance.json").read_text())
    assert provenance["input"]["sha256"] in text
    for value in (provenance["started"], provenance["finished"], "seed 0"):
        assert value in text
    for value in provenance["versions"].values():
        assert str(value) in text


def test_a_baseline_says_that_it_has_no_loss(page: str) -> None:
    text = text_of(page)
    assert "It has no loss and does not follow light or weather" in text
    assert "There is no loss curve: the baseline median" in text
    assert page.count("<svg") == 2  # the points of the samples, wide and narrow


def test_without_source_the_samples_are_drawn_and_the_way_to_the_curve_told(page: str) -> None:
    text = text_of(page)
    assert "The sample frames alone" in text
    assert HOW_TO_GET_MORE in text
    assert "busiest" not in text


def test_with_source_the_whole_recording_is_told(
    run: Path, recording: Path, tmp_path: Path
) -> None:
    calls = []

    def listen(stage: str, done: float, total: float | None, note: str = "") -> None:
        calls.append((stage, done, total))

    path = write_report(run, tmp_path / "page.html", source=recording, progress=listen)
    page = path.read_text(encoding="utf-8")
    text = text_of(page)
    shares = [share(result.mask) for result in load(run).segment(recording)]
    assert int(np.argmax(shares)) == 13
    assert f"Over all 24 frames, {percent(float(np.mean(shares)))} of the pixels" in text
    assert f"{percent(max(shares))} at the busiest moment, 0.52 s" in text
    assert 'alt="Frame 14: mask"' in page
    assert len(pictures_of(page)) == 4 + 4 * MOMENTS
    assert text.count("busiest") == 3  # two sentences, one label
    assert HOW_TO_GET_MORE not in text
    assert calls[-1] == ("foreground over time", 24, 24)
    assert "is not the recording" not in text


def test_a_report_over_another_recording_says_so(run: Path, tmp_path: Path) -> None:
    other = write_frames(tmp_path / "other")
    (other / "in000024.png").unlink()
    page = write_report(run, tmp_path / "page.html", source=other).read_text(encoding="utf-8")
    assert "from “other”, which is not the recording" in text_of(page)


def test_without_samples_and_source_a_sentence_stands_in_their_place(
    recording: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    learn(recording, method="mean", out=run, options=LearnOptions(samples=False))
    page = write_report(run).read_text(encoding="utf-8")
    text = text_of(page)
    assert tuple(re.findall(r"<h2>(.*?)</h2>", page)) == HEADINGS
    assert text.count(HOW_TO_GET_MORE) == 2
    assert "Mean foreground" not in text
    assert "<svg" not in page
    assert len(pictures_of(page)) == 4


def test_without_samples_the_source_fills_the_strip(run: Path, recording: Path) -> None:
    folder = saved(load(run), run.parent / "bare", samples=())
    page = write_report(folder, source=recording).read_text(encoding="utf-8")
    assert len(pictures_of(page)) == 4 + 4 * MOMENTS


def test_names_from_outside_are_escaped(run: Path, tmp_path: Path) -> None:
    scene = load(run)
    name = '<b>"x".png'
    folder = saved(scene, tmp_path / "run", provenance=in_provenance(scene, name=name))
    page = write_report(folder, scores={"<i>": "<u>"}).read_text(encoding="utf-8")
    assert not re.search(r"<[biu]>", page)
    assert text_of(page).startswith(name)
    assert "<i> <u>" in text_of(page)


def test_damaged_and_missing_frames_are_told(run: Path, tmp_path: Path) -> None:
    scene = load(run)
    counts = in_provenance(scene, damaged_frames=1, missing_frames=12)
    text = text_of(write_report(saved(scene, tmp_path / "run", provenance=counts)).read_text())
    assert "1 frame could not be decoded" in text
    assert "12 frames that it promises are missing" in text


def test_what_is_odd_about_the_recording_is_told(run: Path, tmp_path: Path) -> None:
    scene = load(run)
    notes = in_provenance(
        scene,
        notes=["nothing was recorded for 9 h before frame 121"],
        damaged_frames=3,
        repaired_frames=3,
    )
    text = text_of(write_report(saved(scene, tmp_path / "run", provenance=notes)).read_text())
    assert "Nothing was recorded for 9 h before frame 121." in text
    assert "The decoder made up damaged parts of 3 frames." in text
    assert "could not be decoded" not in text


@pytest.mark.parametrize("provenance", [{}, {"input": "x", "seconds": None, "finished": "never"}])
def test_a_scene_that_says_little_of_its_origin_still_gets_a_report(
    run: Path, tmp_path: Path, provenance: Mapping[str, object]
) -> None:
    page = write_report(saved(load(run), tmp_path / "run", provenance=provenance)).read_text()
    assert "<h1>Learned scene</h1>" in page
    assert re.findall(r"<h2>(.*?)</h2>", page) == [name for name in HEADINGS if name != FOUND]


def test_what_the_scene_is_and_what_was_done_stands_in_a_table(
    run: Path, page: str, tmp_path: Path
) -> None:
    text = text_of(page)
    assert "Colours In colour" in text
    assert "Looked for and not found: changing light; rolling bands of lamps;" in text
    assert "Not measured: rate (the pictures have no times, 25 a second are assumed);" in text
    special = SceneFinding("swaying", FindingState.SPECIAL, "12 % sways <b>", "the noise is raised")
    findings = SceneFindings((*load(run).findings, special)).as_values()
    scene = saved(load(run), tmp_path / "sways", provenance={"findings": findings})
    told = write_report(scene).read_text(encoding="utf-8")
    assert "Swaying 12 % sways <b> The noise is raised Colours" in text_of(told)
    assert "12 % sways &lt;b&gt;" in told


def test_a_camera_that_shakes_is_told(run: Path, page: str, tmp_path: Path) -> None:
    assert "frames are compared as they are" in page
    moving = CameraMotion("translation", 4.26, lost_frames=3)
    shaky = saved(with_model(load(run), camera=moving), tmp_path / "shaky")
    told = write_report(shaky).read_text(encoding="utf-8")
    assert "shakes by 4.3 pixels" in told
    assert "taken out of every frame by shifts" in told
    assert "3 frames did not show enough of the scene to be registered." in told


def test_scores_are_explained(run: Path, tmp_path: Path) -> None:
    scores = {"shadow_error_rate": None, "PWC": 0.534, "F": 0.93123, "frames": 1700}
    nested = {"plate": {"AGE": 2.5, "PSNR": float("inf")}, "own": 7}
    page = write_report(run, tmp_path / "page.html", scores={**scores, **nested}).read_text()
    text = text_of(page)
    assert "Scores against the ground truth F 0.931 F-measure" in text
    assert "PWC 0.53 % percentage of wrong pixels" in text
    assert "shadow error rate — share" in text
    assert "frames 1,700" in text
    assert "plate / AGE 2.500 mean error" in text
    assert "plate / PSNR perfect" in text
    assert "own 7" in text


def test_a_network_shows_its_losses(recording: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    learn(recording, method="lowrank_ae", budget="3steps", device="cpu", out=run)
    page = write_report(run).read_text(encoding="utf-8")
    assert page.count("<svg") == 4
    assert "reconstruction/bootstrapped" in page
    assert "There is no loss curve" not in page
    assert "baseline" not in text_of(page)
    assert "Steps 3 of training" in text_of(page)
    assert not re.search(r"#0101\d\d", page)  # the stand-ins of the page's own colours
    (run / "metrics.jsonl").unlink()
    assert "this scene holds no log" in text_of(write_report(run).read_text(encoding="utf-8"))


def test_the_same_scene_gives_the_same_page(run: Path, page: str, tmp_path: Path) -> None:
    assert write_report(run, tmp_path / "page.html").read_text(encoding="utf-8") == page


def test_the_report_of_a_baseline_needs_no_torch(run: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from cleanplate.report import write_report;"
        "write_report(sys.argv[1], Path(sys.argv[2]));"
        "sys.exit('torch' in sys.modules or 'matplotlib.pyplot' in sys.modules)"
    )
    arguments = [sys.executable, "-c", program, str(run), str(tmp_path / "page.html")]
    assert subprocess.run(arguments).returncode == 0


def test_what_is_no_scene_is_refused_and_nothing_written(tmp_path: Path) -> None:
    with pytest.raises(SceneFileError, match="no scene"):
        write_report(tmp_path / "none")
    assert list(tmp_path.iterdir()) == []


def test_a_recording_that_does_not_fit_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        write_report(run, tmp_path / "page.html", source=tmp_path / "none.mp4")
    cv2.imwrite(str(tmp_path / "1.png"), np.zeros((40, 40, 3), np.uint8))
    with pytest.raises(FrameSizeError, match="40x40"):
        write_report(run, tmp_path / "page.html", source=tmp_path / "1.png")
    assert not (tmp_path / "page.html").exists()


def test_a_page_that_cannot_be_written_is_told_in_one_sentence(run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"the report could not be written to .*page\.html"):
        write_report(run, tmp_path / "file" / "page.html")
    with pytest.raises(OutputError, match=r"is a folder; give the name of a file"):
        write_report(run, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_disk_that_fills_up_leaves_nothing_half_written(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.Path, "replace", full)
    with pytest.raises(OutputError, match="the disk is full"):
        write_report(run, tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("length", [1, 2, 8, 9, 17, 18, 100, 1000])
@pytest.mark.parametrize("busiest", [0, 0.37, 1])
def test_the_moments_are_spread_over_a_stream_of_unknown_length(
    length: int, busiest: float
) -> None:
    moments = _Moments()
    top = round(busiest * (length - 1))
    picture, mask = np.zeros((16, 16, 3), np.uint8), np.zeros((16, 16), np.uint8)
    for index in range(length):
        result = Result(Frame(index, index + 1, index / 25, picture), mask, picture)
        moments.offer(result, 0.5 if index == top else 0.1)
    numbers = [sample.number for sample in moments.chosen()]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == min(length, MOMENTS)
    assert top + 1 in numbers
    assert moments.busiest.number == top + 1
    assert np.diff([0, *numbers, length + 1]).max() <= 0.35 * length + 2


def test_a_long_recording_makes_no_long_page() -> None:
    times = np.arange(100_000) / 25
    shares = np.random.default_rng(0).random(100_000) / 10
    chart = foreground_chart(Foreground(times, shares, (), busiest=1))
    assert len(chart.wide) < 200_000
    assert "time in hours" not in chart.wide
    assert "time in minutes" in chart.wide


def test_the_noise_colours_end_above_all_pixels_but_few() -> None:
    noise = np.full((100, 100), 9, np.uint8)
    noise[0, 0] = 255
    figure = noise_figure(noise, max_width=50)
    assert figure.ticks == (0, 3, 6, 9, 12)
    assert figure.is_cut
    assert not noise_figure(np.zeros((20, 20), np.uint8), max_width=50).is_cut


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.5, "0.5 s"), (9.96, "10 s"), (68, "68 s"), (100, "1 min 40 s"), (12000, "3 h 20 min")],
)
def test_durations_read_as_a_person_would_say_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words
