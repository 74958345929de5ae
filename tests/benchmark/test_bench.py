"""The whole benchmark by the command line: processes, resuming, files and the page."""

from __future__ import annotations

import csv
import json
import re
import signal
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path

import pytest
from bench_samples import write_sequence
from pydantic import ValidationError

from cleanplate.benchmark import pool
from cleanplate.benchmark.bench import BenchPlan, choose_methods, run_bench
from cleanplate.benchmark.pages.page import render_page
from cleanplate.benchmark.results import BenchResult
from cleanplate.benchmark.store import CellStore
from cleanplate.cli.main import run
from cleanplate.errors import OutputError, RunLockedError, SettingsError, UnknownNameError

SCHEMA = "bench.schema.json"


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sequences, the truth of one of them damaged."""
    folder = tmp_path_factory.mktemp("damaged")
    for name in ("gate", "yard"):
        write_sequence(folder / "still" / name)
    (folder / "still" / "yard" / "groundtruth" / "gt000030.png").write_bytes(b"no picture")
    return folder


@pytest.fixture(scope="module")
def out(damaged: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A benchmark of two methods; not to be changed."""
    folder = tmp_path_factory.mktemp("bench") / "out"
    arguments = [damaged, "--methods", "median", "CNT", "--out", folder, "--jobs", 2, "--quiet"]
    assert run(["bench", *map(str, arguments)]) == 0
    return folder


@pytest.fixture
def result(out: Path) -> BenchResult:
    return BenchResult.model_validate_json((out / "bench.json").read_text("utf-8"))


def plan(data: Path, *methods: str) -> BenchPlan:
    return BenchPlan(data, methods=methods or ("median", "CNT"))


def test_each_cell_is_measured_or_says_why_not(result: BenchResult) -> None:
    found = {(each.cell.method, each.cell.sequence): each for each in result.cells}
    assert len(found) == 4
    for method in ("median", "CNT"):
        assert found[method, "still/gate"].findings is not None
        failed = found[method, "still/yard"]
        assert failed.findings is None
        assert "gt000030.png" in (failed.failed or "")
        assert failed.wall_seconds > 0
    assert "2 of 4 cells failed" in " ".join(result.notes)


def test_the_result_fits_the_schema_that_the_package_ships(out: Path) -> None:
    shipped = json.loads(files("cleanplate.benchmark").joinpath(SCHEMA).read_text("utf-8"))
    made = BenchResult.model_json_schema()
    assert {key: value for key, value in shipped.items() if key != "$schema"} == made, (
        "run `python tools/bench_schema.py`"
    )
    values = json.loads((out / "bench.json").read_text("utf-8"))
    values["cells"][0]["cell"]["sead"] = 1
    with pytest.raises(ValidationError, match="sead"):
        BenchResult.model_validate(values)


def test_the_csv_has_a_line_for_each_cell(out: Path, result: BenchResult) -> None:
    lines = list(csv.DictReader((out / "bench.csv").read_text("utf-8").splitlines()))
    assert len(lines) == len(result.cells)
    by_name = {(line["method"], line["sequence"]): line for line in lines}
    cell = next(each for each in result.cells if each.findings and each.cell.method == "CNT")
    assert cell.findings is not None
    assert cell.findings.measures is not None
    line = by_name["CNT", "still/gate"]
    assert float(line["F"]) == cell.findings.measures.F
    assert line["best_F"] == ""
    assert by_name["CNT", "still/yard"]["failed"]


def test_the_latex_table_is_one_of_booktabs(out: Path, result: BenchResult) -> None:
    text = (out / "bench.tex").read_text("utf-8")
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == 1
    best = max(row.overall["F"].mean or 0 for row in result.rows)
    assert rf"\textbf{{{best:.3f}}}" in text
    columns = {line.count("&") for line in text.splitlines() if line.endswith(r"\\")}
    assert len(columns) == 1


def test_the_page_holds_everything_and_loads_nothing(out: Path) -> None:
    page = (out / "bench.html").read_text("utf-8")
    assert "<script" not in page
    assert not re.findall(r"""(?:src|href)=["'](?!data:|\#)""", page)
    assert page.count("data:image/jpeg") >= 1
    for words in ("median", "CNT", "still/gate", "Result, transductive", "gt000030.png"):
        assert words in page
    assert "cleanplate benchmark</title>" in page


def test_the_same_command_again_tries_only_what_failed(damaged: Path, out: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (out / "cells").iterdir()}
    files = run_bench(plan(damaged), out)
    assert (files.kept, files.measured) == (2, 2)
    measured = [each for each in files.result.cells if each.findings]
    kept = [
        path for path, when in before.items() if path.exists() and path.stat().st_mtime_ns == when
    ]
    assert len(kept) == len(measured) == 2


def test_a_cell_of_other_settings_is_measured_anew(out: Path, result: BenchResult) -> None:
    cell = result.cells[0].cell
    identity = cell.identity(settings={"a": 1}, fingerprint="f")
    assert identity == cell.identity(settings={"a": 1}, fingerprint="f")
    assert identity != cell.identity(settings={"a": 2}, fingerprint="f")
    assert identity != cell.identity(settings={"a": 1}, fingerprint="g")
    other = cell.model_copy(update={"seed": 7})
    assert identity != other.identity(settings={"a": 1}, fingerprint="f")


def test_a_half_written_or_foreign_result_does_not_count(out: Path, tmp_path: Path) -> None:
    store = CellStore(tmp_path)
    (tmp_path / "cells").mkdir()
    good = next((out / "cells").glob("*gate*"))
    whole = good.read_text("utf-8")
    identity = json.loads(whole)["identity"]
    for text, is_there in ((whole[:100], False), (whole, True)):
        store.path("cell").write_text(text, encoding="utf-8")
        assert (store.read("cell", identity) is not None) is is_there
    assert store.read("cell", "another") is None


def test_a_process_that_dies_is_a_failed_cell(
    damaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import os; os.kill(os.getpid(), 9)"
    monkeypatch.setattr(pool, "COMMAND", (sys.executable, "-c", code))
    files = run_bench(plan(damaged, "median"), tmp_path / "out")
    assert {each.failed for each in files.result.cells} == {
        "the process was ended by SIGKILL; the system may have run out of memory"
    }


def test_a_process_that_fails_says_its_last_line(
    damaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import sys; sys.exit('no such library')"
    monkeypatch.setattr(pool, "COMMAND", (sys.executable, "-c", code))
    files = run_bench(plan(damaged, "median"), tmp_path / "out")
    assert {each.failed for each in files.result.cells} == {
        "the process ended with code 1: no such library"
    }
    assert (tmp_path / "out" / "bench.html").exists()


def test_a_process_ends_when_whoever_started_it_has_ended() -> None:
    code = (
        "import threading, time\n"
        "from cleanplate.benchmark.worker import _end_with_parent\n"
        "threading.Thread(target=_end_with_parent, daemon=True).start()\n"
        "time.sleep(100)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=60) == 1


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_a_benchmark_that_was_ended_goes_on(data: Path, tmp_path: Path, end: int) -> None:
    methods = ["median", "CNT", "MOG2"]
    out = tmp_path / "out"
    command = [sys.executable, "-m", "cleanplate", "bench", data, "--out", out, "--quiet"]
    process = subprocess.Popen(
        [*map(str, command), "--methods", *methods], stderr=subprocess.PIPE, text=True
    )
    while not list((out / "cells").glob("*.json")):
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(0.2)  # while a process is cleared away, Python drops what a signal raises
    process.send_signal(end)
    _, said = process.communicate(timeout=60)
    if end == signal.SIGINT:
        assert process.returncode == 130
        assert "give the same command again to go on" in said
    files = run_bench(plan(data, *methods), out)
    assert files.kept >= 1
    assert files.kept + files.measured == 9
    assert not any(each.failed for each in files.result.cells)


def test_a_folder_of_something_else_is_left_alone(damaged: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(OutputError, match="is in the way"):
        run_bench(plan(damaged), tmp_path)


def test_two_benchmarks_do_not_share_a_folder(damaged: Path, tmp_path: Path) -> None:
    with CellStore(tmp_path / "out").locked(), pytest.raises(RunLockedError):
        run_bench(plan(damaged), tmp_path / "out")


def test_groups_stand_for_their_methods(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cleanplate.baselines.bgslibrary.is_installed", lambda: False)
    methods, absent = choose_methods(["plates", "MOG2", "median"])
    assert methods == ["candidates", "mean", "median", "MOG2"]
    assert absent == []
    everything, absent = choose_methods(["all"])
    assert {"lowrank_ae", "mean", "GSOC", "robust_pca"} <= set(everything)
    assert absent == ["SuBSENSE", "PAWCS", "LOBSTER", "ViBe"]
    with pytest.raises(UnknownNameError, match="did you mean 'MOG2'"):
        choose_methods(["MOG3"])
    with pytest.raises(SettingsError, match="pybgs"):
        choose_methods(["ViBe"])


def test_the_page_of_nothing_but_failures_can_be_made(result: BenchResult, tmp_path: Path) -> None:
    failed = tuple(each for each in result.cells if each.failed)
    empty = result.model_copy(update={"cells": failed, "rows": ()})
    assert "Failed cells" in render_page(empty, tmp_path)
