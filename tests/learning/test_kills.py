"""Killed at any change of a file: there is the old scene or the new one, and resuming ends it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scenes import paint_scene, write_image_folder

KILLS = """
import os, shutil, signal, sys
from pathlib import Path
import cleanplate

source, place, step, *settings = sys.argv[1:]
step, place = int(step), Path(place)
old, out = place / "old", place / "out"
network = {"budget": "3steps", "training": {"checkpoint_seconds": 1e-6}} if settings else {}
CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.truncate"}


def learn(seed, **options):
    tree = {"method": "lowrank_ae" if settings else "median", "seed": seed, "device": "cpu"}
    options = cleanplate.LearnOptions(**options)
    cleanplate.learn(source, out=out, settings={**tree, **network}, options=options)


def killed_at(last):
    '''Whether a process that overwrites the scene was killed before its change of that number.'''
    count = 0

    def watch(event, arguments):
        nonlocal count
        writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT
        if event in CHANGES or (event == "open" and (arguments[2] or 0) & writes):
            count += 1
            if count == last:
                os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        sys.addaudithook(watch)
        try:
            learn(1, overwrite=True)
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


learn(0)
out.rename(old)
last, seeds = 1, []
while True:
    shutil.copytree(old, out)
    (out / "notes.txt").write_text("mine")
    was_killed = killed_at(last)
    seeds.append(cleanplate.load(out, device="cpu").settings.general.seed)
    try:
        learn(1, resume=True)
    except cleanplate.errors.SettingsError:
        # Killed before it had noted that the scene is to be replaced: nothing has happened yet.
        assert last < 12 and seeds[-1] == 0, last
        learn(1, overwrite=True)
    assert cleanplate.load(out, device="cpu").settings.general.seed == 1
    names = {path.name for path in out.iterdir()}
    assert names == {path.name for path in old.iterdir()} | {"notes.txt"}, names
    shutil.rmtree(out)
    if not was_killed:
        break
    last += step
assert seeds == sorted(seeds) and set(seeds) == {0, 1}, seeds
print(last)
"""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scene = paint_scene(16, 24, 6)
    return write_image_folder(tmp_path_factory.mktemp("recording"), scene.frames)


def changes(recording: Path, place: Path, *arguments: object) -> int:
    """How many changes of files there were; all kills were survived."""
    command = [sys.executable, "-c", KILLS, str(recording), str(place), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_at_some_moments(recording: Path, tmp_path: Path) -> None:
    assert changes(recording, tmp_path, 29) > 50


@pytest.mark.slow
def test_at_some_moments_of_a_network(recording: Path, tmp_path: Path) -> None:
    assert changes(recording, tmp_path, 41, "network") > 80


@pytest.mark.sweep
@pytest.mark.timeout(1800)
def test_at_every_moment(recording: Path, tmp_path: Path) -> None:
    assert changes(recording, tmp_path, 1) > 50


@pytest.mark.sweep
@pytest.mark.timeout(3600)
def test_at_every_moment_of_a_network(recording: Path, tmp_path: Path) -> None:
    assert changes(recording, tmp_path, 1, "network") > 80
