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
PAGES = ROOT / "docs" / "methods"
NETWORKS = tuple(architecture_summaries())
GOALS = {"learn_seconds": 180, "learn_peak_memory_bytes": 2e9}
"""Most that a method may take with its own budget, on two cores and 440 frames of 320x240."""


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "tools")
    return importlib.import_module("method_figures")


@pytest.fixture
def rows(figures: ModuleType) -> list[dict[str, Any]]:
    return list(figures.read_table()["rows"])


@pytest.fixture
def own(figures: ModuleType) -> dict[str, dict[str, Any]]:
    return {row["method"]: row for row in figures.read_table(figures.DEFAULTS)["rows"]}


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def test_readme_shows_what_was_measured(figures: ModuleType, rows: list[dict[str, Any]]) -> None:
    text = read("README.md")
    assert figures.summary(rows) in text
    assert figures.compact(rows) in text
    own = figures.own_budgets(figures.read_table(figures.DEFAULTS), "benchmarks/")
    assert own.strip() in text


def test_the_page_of_all_methods_has_every_cell(
    figures: ModuleType, rows: list[dict[str, Any]], own: dict[str, dict[str, Any]]
) -> None:
    text = read("docs/methods/README.md")
    assert figures.overview(rows) in text
    assert figures.by_sequence(rows).strip() in text
    assert figures.own_budget_table(list(own.values())) in text


@pytest.mark.parametrize("name", NETWORKS)
def test_the_page_of_a_method_has_its_picture_its_facts_and_its_figures(
    name: str, figures: ModuleType, rows: list[dict[str, Any]], own: dict[str, dict[str, Any]]
) -> None:
    text = read(f"docs/methods/{name}.md")
    assert text.startswith(f"# `{name}`: ")
    diagrams = re.findall(r"^```mermaid\nflowchart .*?^```$", text, re.MULTILINE | re.DOTALL)
    assert diagrams
    for said in ("**Objective.**", "**When to use it.**", "**Source.**"):
        assert said in text, said
    measured = figures.of_method(rows, list(own.values()), name)
    if measured:  # a new method is not, at first
        assert text.endswith(f"## Figures\n\n{measured}\n{figures.FOOTNOTE}\n")


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
