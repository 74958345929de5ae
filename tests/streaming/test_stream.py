"""A stream as an object: what it found is asked of it, and nothing is left of it."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cleanplate
from changed_scenes import with_main, with_states
from cleanplate.errors import FrameSizeError, SourceError, UsageError
from cleanplate.frames import Frame, Picture
from cleanplate.scene import Scene
from cleanplate.scene_model import StillPlate
from cleanplate.segmentation.worker_process import WorkerProcess
from cleanplate.streaming import Result, Stream
from lights import infrared
from roads import CAR, road, seen
from scenes import paint_scene, write_image_folder

FRAMES = 110
LEFT = np.s_[52:72, 62:98]
"""Where the car stood that drives off at the sixth frame; the plate below still shows it."""


STILL = {"sampling": {"registration": "off"}}


def pictures() -> list[Picture]:
    """A car drives off that the plate shows too, and another one comes and stays."""
    frames = []
    for at in range(FRAMES):
        cars = [(60 + 5 * max(0, at - 5), 50, CAR), (max(100, 200 - 6 * at), 88, (40, 60, 200))]
        frames.append(seen([car for car in cars if car[0] < 160], at=at))
    return frames


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_image_folder(tmp_path_factory.mktemp("road"), np.stack(pictures()))


@pytest.fixture(scope="module")
def scene(recording: Path) -> Scene:
    """A scene whose plate shows a car that is not there: a ghost."""
    learned = cleanplate.learn(recording, method="median", settings=STILL)
    plate = road()
    plate[50:74, 60:100] = CAR
    return replace(with_main(learned, plate=plate, estimator=StillPlate(plate)), plate=plate)


def camera(step: float, log: list[tuple[str, int]], count: int = 12) -> Iterator[Frame]:
    for at, picture in enumerate(itertools.islice(itertools.cycle(pictures()), count)):
        log.append(("read", at + 1))
        yield Frame(at, at + 1, at * step, picture)


def threads() -> set[threading.Thread]:
    return {each for each in threading.enumerate() if each.is_alive()}


def test_segment_is_a_stream_of_which_nothing_else_is_asked(scene: Scene, recording: Path) -> None:
    with scene.open_stream(recording) as stream:
        found = list(stream)
    expected = list(scene.segment(recording))
    assert len(found) == FRAMES
    for one, two in zip(found, expected, strict=True):
        assert np.array_equal(one.mask, two.mask)
        assert np.array_equal(one.labels, two.labels)
        assert one.objects == two.objects


def test_a_stream_tells_the_ghosts_that_it_corrected(scene: Scene, recording: Path) -> None:
    with scene.open_stream(recording) as stream:
        assert stream.corrections.count == 0
        last = list(stream)[-1]
    assert stream.corrections.count == 1
    corrected = scene.corrected(stream.corrections)
    assert not last.mask[LEFT].any()
    assert at_frame(40, scene, recording).mask[LEFT].all()
    assert not at_frame(40, corrected, recording).mask[LEFT].any()
    assert np.abs(corrected.plate[50:74, 60:100].astype(int) - road()[50:74, 60:100]).mean() < 6
    assert corrected.provenance["ghosts_repaired_while_segmenting"] == 1


def at_frame(number: int, scene: Scene, recording: Path) -> Result:
    return next(result for result in scene.segment(recording) if result.number == number)


def test_without_corrections_a_scene_stays_itself(scene: Scene, recording: Path) -> None:
    settings = cleanplate.SegmentationSettings(correct_ghosts=False)
    with scene.open_stream(recording, segmentation=settings) as stream:
        list(stream)
    assert stream.corrections.count == 0
    assert scene.corrected(stream.corrections) is scene


def test_a_stream_tells_when_the_camera_was_moved() -> None:
    painted = paint_scene(120, 160, 40).frames
    textured = cleanplate.learn(painted, method="median", settings=STILL)
    shifted = np.roll(painted, (16, 24), (1, 2))
    frames = [*painted, *shifted, *shifted, *shifted, *shifted]
    with textured.open_stream(frames) as stream:
        moves = [(stream.camera_moved is not None) for _ in stream]
    assert stream.camera_moved is not None
    assert 40 < stream.camera_moved.number <= 40 + 11
    assert not any(moves[:40])
    assert moves[-1]
    with textured.open_stream(frames, watch_camera=False) as blind:
        list(blind)
    assert blind.camera_moved is None


def test_a_stream_counts_results_states_and_objects(scene: Scene) -> None:
    night = infrared(scene.plate[None])[0]
    both = with_states(scene, (night, scene.noise))
    frames = [*pictures(), *infrared(np.stack(pictures()[:5]))]
    with both.open_stream(frames, skip=range(1, 11)) as stream:
        assert stream.statistics.frames == 0
        next(stream)
        assert stream.statistics.frames == 1
        rest = list(stream)
    assert len(rest) == FRAMES - 10 + 5 - 1
    assert stream.statistics.frames == FRAMES - 10 + 5
    assert stream.statistics.states == {"state 1": FRAMES - 10, "state 2": 5}
    assert stream.statistics.objects == max(each.number for r in rest for each in r.objects)


@pytest.mark.parametrize("step", [1.0, 0.2, 0.04])
def test_with_batch_1_each_result_comes_before_the_next_frame_is_read(
    scene: Scene, step: float
) -> None:
    log: list[tuple[str, int]] = []
    with scene.open_stream(camera(step, log), batch=1) as stream:
        for result in stream:
            log.append(("result", result.number))
            assert result.time == pytest.approx((result.number - 1) * step)
    assert log == [(what, at) for at in range(1, 13) for what in ("read", "result")]


def test_in_batches_frames_are_read_ahead(scene: Scene) -> None:
    """What the test above could not see if nothing was ever read ahead."""
    log: list[tuple[str, int]] = []
    with scene.open_stream(camera(0.04, log), batch=4) as stream:
        next(stream)
    assert ("read", 4) in log


def test_with_batch_1_nothing_runs_beside(
    scene: Scene, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cleanplate.streaming.stream.WorkerProcess", fails)
    before = threads()
    with scene.open_stream(recording, batch=1, worker=True) as stream:
        for _ in stream:
            assert threads() == before


def fails() -> None:
    raise AssertionError("no process is wanted")


@pytest.mark.parametrize("batch", [1, 3, 8, 100])
@pytest.mark.parametrize("worker", [False, True])
def test_the_batch_changes_no_result(
    scene: Scene, recording: Path, batch: int, *, worker: bool
) -> None:
    expected = [result.mask for result in scene.segment(recording)]
    found = [result.mask for result in scene.segment(recording, batch=batch, worker=worker)]
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("batch", [0, -3])
def test_a_batch_of_no_frames_is_refused(scene: Scene, recording: Path, batch: int) -> None:
    with pytest.raises(UsageError, match=f"a batch of {batch} frames; give 1 or more"):
        scene.open_stream(recording, batch=batch)


class LeftError(Exception):
    """One reason to leave."""


def leave_by_break(stream: Stream) -> None:
    for _ in stream:
        break


def leave_by_end(stream: Stream) -> None:
    assert len(list(stream)) == FRAMES


def leave_by(error: type[BaseException]) -> Any:
    def leave(stream: Stream) -> None:
        next(stream)
        raise error

    return leave


WAYS = {
    "end": leave_by_end,
    "break": leave_by_break,
    "at once": lambda _: None,
    "exception": leave_by(LeftError),
    "generator": leave_by(GeneratorExit),
    "keyboard": leave_by(KeyboardInterrupt),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("worker", [False, True])
def test_leaving_in_any_way_ends_threads_and_process(
    scene: Scene, recording: Path, way: str, monkeypatch: pytest.MonkeyPatch, *, worker: bool
) -> None:
    started: list[WorkerProcess] = []

    def start() -> WorkerProcess:
        started.append(WorkerProcess())
        return started[-1]

    monkeypatch.setattr("cleanplate.streaming.stream.WorkerProcess", start)
    before = threads()
    held: list[BaseException] = []  # its traceback keeps all frames of the stack alive
    try:
        with scene.open_stream(recording, worker=worker) as stream:
            WAYS[way](stream)
    except (LeftError, GeneratorExit, KeyboardInterrupt) as error:
        held.append(error)
    assert bool(held) is (way in {"exception", "generator", "keyboard"})
    assert threads() == before
    assert len(started) == worker
    for process in started:
        with pytest.raises(ProcessLookupError):
            os.kill(process.pid, 0)


@pytest.mark.parametrize("worker", [False, True])
def test_a_failure_of_the_frames_ends_them_too(scene: Scene, *, worker: bool) -> None:
    before = threads()

    def frames() -> Iterator[Picture]:
        yield from pictures()[:20]
        raise LeftError

    with pytest.raises(LeftError) as held, scene.open_stream(frames(), worker=worker) as stream:
        assert len(list(stream)) == 0
    assert held.value is not None
    assert threads() == before


def test_a_generator_of_results_that_is_left_ends_its_threads(
    scene: Scene, recording: Path
) -> None:
    before = threads()
    results = scene.segment(recording)
    next(results)
    assert threads() > before
    results.close()
    assert threads() == before


def test_a_worker_that_was_given_goes_on(scene: Scene, recording: Path) -> None:
    with WorkerProcess() as worker:
        with scene.open_stream(recording, worker=worker) as stream:
            next(stream)
        os.kill(worker.pid, 0)
        assert len(list(scene.segment(recording, worker=worker))) == FRAMES


def test_a_closed_stream_is_not_read_any_further(scene: Scene, recording: Path) -> None:
    with scene.open_stream(recording) as stream:
        next(stream)
    with pytest.raises(UsageError, match="the stream is closed; open another one"):
        next(stream)


def test_an_ended_stream_stays_at_its_end(scene: Scene, recording: Path) -> None:
    with scene.open_stream(recording) as stream:
        assert len(list(stream)) == FRAMES
        assert list(stream) == []


def test_what_cannot_be_opened_is_told_at_once(scene: Scene, tmp_path: Path) -> None:
    before = threads()
    with pytest.raises(SourceError):
        scene.open_stream(tmp_path / "nothing.mp4", worker=True)
    other = write_image_folder(tmp_path / "other", np.zeros((2, 40, 40, 3), np.uint8))
    with pytest.raises(FrameSizeError):
        scene.open_stream(other, worker=True)
    assert threads() == before
