"""A few mutated inputs of each kind; `tools/fuzz.py` tries 20,000 of them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from cleanplate import architectures
from cleanplate.errors import CleanplateError

ROOT = Path(__file__).resolve().parents[1]
MOST_MESSAGE = 1000
COUNT = 40


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "tools")


@pytest.mark.parametrize("kind", ["scenes", "settings", "media"])
def test_mutated_inputs_end_in_our_errors_or_are_fine(
    kind: str, tools: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fuzzing import KINDS, Trials, scenes

    seeds = tmp_path / "seeds"
    seeds.mkdir()
    if kind == "scenes":  # two of its methods: the others take longer to learn
        scenes.prepare(seeds, ("median", "lowrank_ae"), with_graphs=False)
    else:
        KINDS[kind].prepare(seeds)
    # Looking for other packages takes longer than all the rest.
    monkeypatch.setattr(architectures, "entry_points", cache(architectures.entry_points))
    trials = Trials(kind, 1, range(COUNT))
    refusals = []
    for number in trials.numbers:
        random = trials.random(number)
        place = tmp_path / str(number)
        place.mkdir()
        KINDS[kind].make(place, seeds, random)
        try:
            KINDS[kind].use(place, random)
        except CleanplateError as error:
            refusals.append(str(error))
        shutil.rmtree(place)
    assert 0 < len(refusals) < COUNT
    assert all(text.isprintable() and len(text) <= MOST_MESSAGE for text in refusals)


@pytest.mark.slow
def test_the_tool_tries_all_kinds() -> None:
    command = [sys.executable, str(ROOT / "tools" / "fuzz.py"), "--count", "15", "--seed", "2"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout
    assert run.stdout.count("15 tried") == 3
