"""Figures of a benchmark on the pages: by kind of scene, kept with their commit, or missing."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from bench_samples import cell_result

from cleanplate.benchmark.results import BenchResult
from cleanplate.benchmark.scene_kinds import SceneKind
from cleanplate.benchmark.summaries.averages import method_rows
from cleanplate.benchmark.summaries.kinds import kind_results

TOOLS = Path(__file__).resolve().parents[2] / "tools"


def tool(monkeypatch: pytest.MonkeyPatch, name: str) -> ModuleType:
    monkeypatch.syspath_prepend(TOOLS)
    return importlib.import_module(name)


def bench_table() -> dict[str, Any]:
    """What `cleanplate bench --by kind` writes of three methods on two kinds of scenes."""
    scores = {
        "lowrank_ae": {"a/x": 0.9, "b/y": 0.5},
        "MOG2": {"a/x": 0.6, "b/y": 0.7},
        "KNN": {"a/x": 0.8, "b/y": None},
    }
    cells = [
        cell_result(name, f, method=method)
        for method, found in scores.items()
        for name, f in found.items()
    ]
    kinds = {"a/x": SceneKind("water"), "b/y": SceneKind("night", is_painted=True)}
    rows = method_rows(cells)
    result = BenchResult(
        created="2026-05-01T10:00:00+00:00",
        cleanplate="1",
        data="d",
        protocols={"transductive": "all"},
        rules=(),
        notes=(),
        rows=rows,
        held=(),
        by_kind=kind_results(cells, rows, kinds),
        cells=tuple(cells),
    )
    return dict(json.loads(result.model_dump_json()))


def test_figures_by_kind_stand_under_their_kind_with_the_best_peer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = tool(monkeypatch, "kind_figures").recorded(bench_table())
    assert "| water | 1 | **0.900** | 0.600 | 0.800 | +0.100 |" in text
    assert "| night (painted) | 1 | 0.500 | **0.700** |  | -0.200 |" in text
    assert "| water | a/x | **0.900** | 0.500 | 0.500 | 50.00 | 0.600 | 0.800 |" in text
    assert "no category was measured whole" in " ".join(text.split())


def test_figures_that_are_kept_have_their_commit_and_no_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = tool(monkeypatch, "keep").kept(bench_table())
    assert kept["measured"]["date"] == "2026-05-01"
    assert kept["measured"].keys() == {"date", "commit", "is_changed"}
    assert "settings" in bench_table()["cells"][0]
    for cell in kept["cells"]:
        assert cell.keys().isdisjoint({"settings", "identity"})
        assert "worst" not in (cell["findings"] or {})
    figures = tool(monkeypatch, "kind_figures")
    assert figures.recorded(kept) == figures.recorded(bench_table())


def test_a_section_without_figures_says_how_to_measure_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    benchmarks = tool(monkeypatch, "benchmark_figures")
    tables = benchmarks.read_tables()
    text = benchmarks.page({name: each for name, each in tables.items() if name != "speed"})
    _, _, section = text.partition("## Speed on a CPU\n\n")
    assert section.startswith("Not measured with this version. Measure it:\n\n```sh\n")
    with_figures = {**tables, "methods": bench_table()}
    assert "| `lowrank_ae` | 0.900 | 0.500 |" in benchmarks.page(with_figures)
