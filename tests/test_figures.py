"""The figures on the pages are those that were measured: nobody writes them by hand."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cleanplate.architectures import architecture_summaries
from cleanplate.baselines import STILL_BASELINES

ROOT = Path(__file__).resolve().parents[1]
NETWORKS = tuple(architecture_summaries())
GOALS = {"learn_seconds": 180, "learn_peak_memory_bytes": 2e9}
"""Most that a method may take with its own budget, on two cores and 440 frames of 320x240."""


def tool(monkeypatch: pytest.MonkeyPatch, name: str) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "tools")
    return importlib.import_module(name)


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return tool(monkeypatch, "method_figures")


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return tool(monkeypatch, "benchmark_figures")


@pytest.fixture
def tables(benchmarks: ModuleType) -> dict[str, Any]:
    return dict(benchmarks.read_tables())


@pytest.fixture
def rows(tables: dict[str, Any]) -> list[dict[str, Any]]:
    return list(tables["methods"]["rows"])


@pytest.fixture
def own(tables: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["method"]: row for row in tables["defaults"]["rows"]}


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def test_the_page_of_benchmarks_is_what_was_measured(
    benchmarks: ModuleType, tables: dict[str, Any]
) -> None:
    assert read("docs/benchmarks.md") == benchmarks.page(tables)


def test_readme_shows_what_was_measured(benchmarks: ModuleType, tables: dict[str, Any]) -> None:
    text = read("README.md")
    assert f"{benchmarks.readme(tables)}\n{benchmarks.readme_note(tables)}" in text
    _, table, _ = text.partition(benchmarks.readme(tables))
    assert table
    # A figure with decimals outside the table would be one that nobody measures again.
    assert not re.findall(r"\b0\.\d\d", text.replace(table, ""))


def test_every_file_of_figures_is_shown_with_its_date(
    benchmarks: ModuleType, tables: dict[str, Any]
) -> None:
    text = " ".join(read("docs/benchmarks.md").split())
    assert {path.stem for path in (ROOT / "benchmarks").glob("*.json")} == tables.keys()
    for name, table in tables.items():
        assert (
            f"[{name}.json](../benchmarks/{name}.json), measured {benchmarks.date(table)}" in text
        )


def test_figures_older_than_the_first_table_are_marked(benchmarks: ModuleType) -> None:
    def provenance(date: str) -> str:
        machine = {"processors": 2}
        table = {"measured": {"date": date, "commit": "abc1234"}, "machine": machine}
        newest = {"measured": {"date": "2026-05-02"}, "machine": machine}
        return str(benchmarks.provenance("halves", table, newest))

    assert "**Older than the first table (2026-05-02)" in provenance("2026-05-01")
    assert "Older" not in provenance("2026-05-02")
    assert "measured 2026-05-01, commit abc1234, 2 processors" in provenance("2026-05-01")


def test_the_table_of_readme_names_the_best_of_the_others_on_each_sequence(
    benchmarks: ModuleType,
) -> None:
    def row(method: str, first: float, second: float) -> dict[str, Any]:
        scores = {"a": {"mean": first}, "b": {"mean": second}}
        mean = {"mean": (first + second) / 2}
        return {"method": method, "mean_F": mean, "F_by_sequence": scores}

    halves = [row("MOG2", 0.1, 0.2), row("lowrank_ae", 0.5, 0.6), row("GMG", 0.3, 0.1)]
    whole = [{"sequence": "a", "F": 0.7}, {"sequence": "b", "F": 0.8}]
    text = benchmarks.readme({"main_job": {"rows": whole}, "halves": {"rows": halves}})
    assert text.splitlines()[2:] == [
        "| a | 0.700 | 0.500 | 0.300 (GMG) | 0.100 |",
        "| b | 0.800 | 0.600 | 0.200 (MOG2) | 0.200 |",
        "| **mean** | **0.750** | **0.550** | **0.200** (GMG) | **0.150** |",
    ]


def test_the_time_of_a_measurement_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    found = tool(monkeypatch, "measured").measured()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", found["date"])
    assert found["commit"] is None or re.fullmatch(r"[0-9a-f]{9,}", found["commit"])


@pytest.mark.parametrize("name", NETWORKS)
def test_the_page_of_a_method_has_its_picture_and_its_facts(name: str) -> None:
    text = read(f"docs/methods/{name}.md")
    assert text.startswith(f"# `{name}`: ")
    diagrams = re.findall(r"^```mermaid\nflowchart .*?^```$", text, re.MULTILINE | re.DOTALL)
    assert diagrams
    for said in ("**Objective.**", "**When to use it.**", "**Source.**", "**Figures.**"):
        assert said in text, said


def test_what_was_measured_was_measured_on_every_sequence(rows: list[dict[str, Any]]) -> None:
    assert not [row for row in rows if "failed" in row]
    measured = {(row["method"], row["recipe"], row["sequence"]) for row in rows}
    small = {"sbi/HighwayI", "sbi/Board"}
    assert small <= {sequence for _, _, sequence in measured}
    methods = {name for name, _, _ in measured}
    assert methods == {*NETWORKS, *STILL_BASELINES}
    assert measured == {
        *(
            (name, "robust", sequence)
            for name in methods
            for sequence in {sequence for _, _, sequence in measured}
        ),
        *(
            (name, "as_published", sequence)
            for name in methods - {*STILL_BASELINES}
            for sequence in small
        ),
    }


@pytest.mark.parametrize("name", NETWORKS)
def test_with_its_own_budget_a_method_is_quick_and_as_good_as_the_median(
    name: str, own: dict[str, dict[str, Any]]
) -> None:
    if name not in own:
        pytest.skip("a new method that was not measured yet")
    assert own[name]["F"] >= own["median"]["F"]
    for goal, most in GOALS.items():
        assert own[name][goal] <= most, goal


def test_ranges_and_means_are_those_of_a_slow_reckoning(figures: ModuleType) -> None:
    cells = [
        ("net_a", "robust", "sbi/HighwayI", 0.5, 2.0),
        ("net_a", "robust", "sbi/Board", 0.7, 0.0),
        ("net_a", "as_published", "sbi/HighwayI", 0.1, 9.0),
        ("net_a", "as_published", "sbi/Board", 0.2, 9.0),
        ("bootstrap_plate", "robust", "sbi/HighwayI", 0.6, 1.0),
        ("bootstrap_plate", "robust", "sbi/Board", 0.8, 1.0),
        ("bootstrap_plate", "as_published", "sbi/HighwayI", 0.4, 1.0),
        ("bootstrap_plate", "as_published", "sbi/Board", 0.3, 1.0),
        ("median", "robust", "sbi/HighwayI", 0.25, 0.0),
        ("median", "robust", "sbi/Board", 0.35, 0.0),
    ]
    rows = [
        {
            "method": method,
            "recipe": recipe,
            "sequence": sequence,
            "F": score,
            "network_share": share,
            "plate_AGE": 1.5,
            "learn_seconds": 3.0,
            "segment_frames_per_second": 40.0,
            "parameters": 10 * (method != "median"),
            "learn_peak_memory_bytes": 5e6,
        }
        for method, recipe, sequence, score, share in cells
    ]
    said = " ".join(figures.summary(rows).split())
    assert "F 0.500 to 0.600 on sbi/HighwayI and 0.700 to 0.800 on sbi/Board" in said
    assert "(`median`: 0.250 and 0.350)" in said
    assert "reach 0.100 to 0.100 on sbi/HighwayI and 0.200 to 0.200 on sbi/Board" in said
    assert "is the exception: 0.400 and 0.300" in said
    assert "0 on sbi/HighwayI, 1 on sbi/Board" in said
    lines = figures.compact(rows).splitlines()
    assert "| `net_a` | 0.600 | 0.150 | 1.50 | 1.00 | 3 | 40 | 10 |" in lines
    assert "| `median` | 0.300 |  | 1.50 | 0.00 | 3 | 40 | 0 |" in lines
    third = [
        {**row, "sequence": "sbi/CAVIAR2", "F": 0.9} for row in rows if row["recipe"] == "robust"
    ]
    lines = figures.compact([*rows, *third[::2]]).splitlines()
    assert lines[0].startswith("| method | F, 3 sequences | F, HighwayI and Board |")
    assert "| `net_a` | 0.700 | 0.600 | 0.150 | 1.50 | 1.33 | 3 | 40 | 10 |" in lines
