"""The figures on the pages are those that were measured: nobody writes them by hand."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cleanplate.architectures import architecture_summaries

ROOT = Path(__file__).resolve().parents[1]
NETWORKS = tuple(architecture_summaries())
GOALS = {"learn_seconds": 180, "learn_peak_memory_bytes": 2e9}
"""Most that a method may take with its own budget, on two cores and 440 frames of 320x240."""


def tool(monkeypatch: pytest.MonkeyPatch, name: str) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "tools")
    return importlib.import_module(name)


@pytest.fixture
def readme(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return tool(monkeypatch, "readme_figures")


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return tool(monkeypatch, "benchmark_figures")


@pytest.fixture
def tables(benchmarks: ModuleType) -> dict[str, Any]:
    return dict(benchmarks.read_tables())


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def test_the_page_of_benchmarks_is_what_was_measured(
    benchmarks: ModuleType, tables: dict[str, Any]
) -> None:
    assert read("docs/benchmarks.md") == benchmarks.page(tables)


def test_readme_shows_what_was_measured(readme: ModuleType, tables: dict[str, Any]) -> None:
    text = read("README.md")
    assert f"{readme.readme(tables)}\n{readme.readme_note(tables)}" in text
    _, table, _ = text.partition(readme.readme(tables))
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
    readme: ModuleType,
) -> None:
    def row(method: str, first: float, second: float) -> dict[str, Any]:
        scores = {"a": {"mean": first}, "b": {"mean": second}}
        mean = {"mean": (first + second) / 2}
        return {"method": method, "mean_F": mean, "F_by_sequence": scores}

    halves = [row("MOG2", 0.1, 0.2), row("lowrank_ae", 0.5, 0.6), row("GMG", 0.3, 0.1)]
    whole = [{"sequence": "a", "F": 0.7}, {"sequence": "b", "F": 0.8}]
    text = readme.readme({"main_job": {"rows": whole}, "halves": {"rows": halves}})
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


@pytest.mark.parametrize("name", NETWORKS)
def test_with_its_own_budget_a_method_is_quick_and_as_good_as_the_median(
    name: str, tables: dict[str, Any]
) -> None:
    own = {row["method"]: row for row in tables.get("methods", {"rows": []})["rows"]}
    if name not in own:
        pytest.skip("not measured with this version")
    assert own[name]["mean_F"]["mean"] >= own["median"]["mean_F"]["mean"]
    for goal, most in GOALS.items():
        assert own[name][goal] <= most, goal
