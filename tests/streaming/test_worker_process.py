"""Layers that a worker process follows: the same results, and a process that leaves nothing."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import cleanplate
from changed_scenes import with_main
from cleanplate.errors import FrameSizeError, SegmentationError
from cleanplate.frames import Frame
from cleanplate.scene import Scene
from cleanplate.scene_model import StillPlate
from cleanplate.segmentation import Cut
from cleanplate.segmentation.worker_process import StreamFrame, WorkerProcess, WorkerStream
from cleanplate.segmentation.worker_process import process as process_module
from cleanplate.streaming import Result, tracking
from roads import CAR, road, seen
from scenes import write_image_folder

FRAMES = 120
LEAVES = 30
"""Frame at which the car drives off that the plate below still shows."""


@pytest.fixture(scope="module")
def second() -> Iterator[WorkerProcess]:
    with WorkerProcess() as process:
        yield process


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = []
    for at in range(FRAMES):
        cars = [(60 + 5 * max(0, at - LEAVES), 50, CAR), (4 * (at % 50) - 40, 10, (200, 60, 40))]
        cars.append((max(100, 200 - 6 * at), 88, (40, 60, 200)))  # it comes and waits
        frames.append(seen([car for car in cars if car[0] < 160], at=at))
    return write_image_folder(tmp_path_factory.mktemp("road"), np.stack(frames))


@pytest.fixture(scope="module")
def haunted(recording: Path) -> Scene:
    """A scene whose plate shows the car that leaves: a ghost to be corrected."""
    settings = {"sampling": {"registration": "off"}, "segmentation": {"shadows": "label"}}
    scene = cleanplate.learn(recording, method="median", settings=settings)
    plate = road()
    plate[50:74, 60:100] = CAR
    return replace(with_main(scene, plate=plate, estimator=StillPlate(plate)), plate=plate)


def same(ours: Result, theirs: Result) -> bool:
    pairs = (
        (ours.mask, theirs.mask),
        (ours.labels, theirs.labels),
        (ours.background, theirs.background),
        (ours.picture, theirs.picture),
    )
    return ours.objects == theirs.objects and all(np.array_equal(*pair) for pair in pairs)


def test_results_and_layers_are_those_of_one_process(
    haunted: Scene, recording: Path, second: WorkerProcess
) -> None:
    with haunted.open_stream(recording) as alone:
        expected = list(alone)
    with haunted.open_stream(recording, worker=second) as beside:
        found = list(beside)
    assert len(found) == FRAMES
    assert all(same(*pair) for pair in zip(found, expected, strict=True))
    assert alone.corrections.count == beside.corrections.count == 1
    assert np.array_equal(alone.corrections.changes[0], beside.corrections.changes[0])
    assert alone.statistics == beside.statistics
    assert any(result.objects for result in expected)


@pytest.mark.parametrize("waits", [True, False])
def test_who_cuts_the_frames_makes_no_difference(
    haunted: Scene,
    recording: Path,
    second: WorkerProcess,
    waits: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first process cuts what it can while it waits, until the background is corrected."""
    cuts: list[list[int]] = []
    cut_while_waiting = WorkerStream.cut_while_waiting

    def counted(self: WorkerStream, frames: list[StreamFrame]) -> list[Cut]:
        made = cut_while_waiting(self, frames)
        cuts.append([round(25 * frame.time) for frame, _ in zip(frames, made, strict=False)])
        return made

    monkeypatch.setattr(WorkerStream, "cut_while_waiting", counted)
    monkeypatch.setattr(WorkerStream, "has_results", not waits)
    monkeypatch.setattr(process_module, "_BATCHES", 1)  # so that it is known soon what is corrected
    expected = list(haunted.segment(recording))
    found = list(haunted.segment(recording, worker=second))
    assert all(same(*pair) for pair in zip(found, expected, strict=True))
    assert cuts
    if not waits:
        assert not any(cuts)
        return
    made = [frame for frames in cuts for frame in frames]
    assert made[:40] == list(range(made[0], made[0] + 40))
    assert not cuts[-1], "the background was corrected long before"


def test_frames_that_are_skipped_have_no_result(
    haunted: Scene, recording: Path, second: WorkerProcess
) -> None:
    skip = set(range(1, 41))
    found = list(haunted.segment(recording, skip=skip, worker=second))
    expected = list(haunted.segment(recording, skip=skip))
    assert [result.number for result in found] == list(range(41, FRAMES + 1))
    assert all(same(*pair) for pair in zip(found, expected, strict=True))


def test_results_stay_what_they_are_while_others_follow(
    haunted: Scene, recording: Path, second: WorkerProcess
) -> None:
    """The memory that both processes see is used again for later frames."""
    results = haunted.segment(recording, worker=second)
    first = next(results)
    mask, labels = first.mask.copy(), first.working_labels
    assert labels is not None
    labels = labels.copy()
    assert len(list(results)) == FRAMES - 1
    assert np.array_equal(first.mask, mask)
    assert np.array_equal(first.working_labels, labels)


def test_a_stream_that_is_left_early_leaves_the_process_to_the_next_one(
    haunted: Scene, recording: Path, second: WorkerProcess
) -> None:
    left = haunted.segment(recording, worker=second)
    next(left)
    left.close()
    assert len(list(haunted.segment(recording, worker=second))) == FRAMES


def test_a_failure_of_the_frames_comes_after_the_results_before_it(
    haunted: Scene, second: WorkerProcess
) -> None:
    pictures = [seen([], at=at) for at in range(20)]
    frames = [Frame(at, at + 1, at / 25, picture) for at, picture in enumerate(pictures)]
    frames.append(Frame(20, 21, 0.8, np.zeros((40, 40, 3), np.uint8)))
    results = haunted.segment(iter(frames), worker=second)
    numbers = [result.number for result in itertools.islice(results, 20)]
    with pytest.raises(FrameSizeError, match="frame 21 is 40x40"):
        next(results)
    assert numbers == list(range(1, 21))
    assert len(list(haunted.segment(iter(frames[:20]), worker=second))) == 20


def test_without_frames_there_are_no_results(haunted: Scene, second: WorkerProcess) -> None:
    assert list(haunted.segment(iter(()), worker=second)) == []


def test_large_frames_are_followed_by_threads(
    haunted: Scene, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "_MOST_PIXELS_BESIDE", 100)
    with WorkerProcess() as process:
        process.close()  # it would fail if it were used
        assert len(list(haunted.segment(recording, worker=process))) == FRAMES


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_process_that_is_killed_is_told_in_one_sentence(haunted: Scene, recording: Path) -> None:
    with WorkerProcess() as process:
        results = haunted.segment(recording, worker=process)
        next(results)
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(SegmentationError, match="ended with code -9; the system may have"):
            list(results)


def test_an_error_of_the_other_process_is_raised_here(
    haunted: Scene, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = process_module.FrameTask
    monkeypatch.setattr(process_module, "FrameTask", lambda place, time, *_: real(place, time, 7))
    with WorkerProcess() as process, pytest.raises(IndexError):
        list(haunted.segment(recording, worker=process))


def test_no_process_and_no_file_are_left(
    haunted: Scene, recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    folders = [path for path in (Path("/dev/shm"), tmp_path) if path.is_dir()]
    before = {path for folder in folders for path in folder.iterdir()}
    with WorkerProcess() as process:
        results = haunted.segment(recording, worker=process)
        next(results)
        assert {path for folder in folders for path in folder.iterdir()} <= before
    with pytest.raises(SegmentationError):
        list(results)
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_streams_that_need_other_amounts_use_the_same_memory(
    haunted: Scene, recording: Path, second: WorkerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = list(haunted.segment(recording))
    for batches in (1, 4, 2):
        monkeypatch.setattr(process_module, "_BATCHES", batches)
        found = list(haunted.segment(recording, worker=second))
        assert all(same(*pair) for pair in zip(found, expected, strict=True))


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_it_leaves_signals_to_the_process_that_started_it(haunted: Scene, recording: Path) -> None:
    with WorkerProcess() as process:
        process.wait_until_ready()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(process.pid, number)
        assert len(list(haunted.segment(recording, worker=process))) == FRAMES


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks Linux who runs")
def test_it_ends_with_its_parent_though_another_process_holds_the_pipe() -> None:
    code = (
        "import os, time; from cleanplate.segmentation.worker_process import WorkerProcess; "
        "process = WorkerProcess(); process.wait_until_ready(); child = os.fork(); "
        "print(process.pid, child, flush=True) if child else None; time.sleep(60)"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid, child = map(int, parent.stdout.readline().split())
        parent.kill()
    try:
        assert has_ended(pid)
    finally:
        os.kill(child, signal.SIGKILL)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks Linux who runs")
def test_it_ends_with_the_process_that_started_it() -> None:
    code = (
        "import time; from cleanplate.segmentation.worker_process import WorkerProcess; "
        "process = WorkerProcess(); process.wait_until_ready(); "
        "print(process.pid, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert runs(pid)
        parent.kill()
    assert has_ended(pid)


def has_ended(pid: int) -> bool:
    until = time.monotonic() + 20
    while runs(pid) and time.monotonic() < until:
        time.sleep(0.05)
    return not runs(pid)


def runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def test_modules_of_the_working_directory_are_not_taken_for_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pickle.py").write_text("raise SystemExit('not this one')")
    monkeypatch.chdir(tmp_path)
    with WorkerProcess() as process:
        process.wait_until_ready()


def test_a_process_that_cannot_be_started_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "COMMAND", ("/no/such/python",))
    with pytest.raises(SegmentationError, match="no worker process could be started"):
        WorkerProcess()
