"""Every sequence stands under its kind of scene: from a file, from its category, or as painted."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from bench_samples import cell_result, write_sequence

from cleanplate.benchmark.pages.page import render_page
from cleanplate.benchmark.results import BenchResult, KindResult
from cleanplate.benchmark.scene_kinds import SceneKind, SceneKinds, read_scene_kinds
from cleanplate.benchmark.sequences import find_sequences
from cleanplate.benchmark.summaries.averages import method_rows
from cleanplate.benchmark.summaries.kinds import kind_results
from cleanplate.benchmark.summaries.published import published_figures
from cleanplate.cli.main import run
from cleanplate.errors import SettingsError

CDNET = {
    "baseline/highway": "traffic",
    "baseline/office": "people",
    "dynamicBackground/canoe": "water",
    "dynamicBackground/fall": "swaying",
    "nightVideos/tramStation": "night",
    "intermittentObjectMotion/sofa": "stationary",
}


def paint(folder: Path, scene: str | None = None) -> None:
    """A sequence with the objects' file of the painted data set, of that kind."""
    write_sequence(folder)
    line = {"frame": 1, "objects": []} | ({} if scene is None else {"scene": scene})
    (folder / "objects.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A night recording, two of a car park, and two painted ones; not to be changed."""
    folder = tmp_path_factory.mktemp("scenes")
    write_sequence(folder / "nightVideos" / "bridgeEntry", seed=1)
    write_sequence(folder / "mine" / "gate", seed=2)
    write_sequence(folder / "mine" / "yard", seed=3)
    paint(folder / "made" / "first", "night")
    paint(folder / "made" / "second")
    return folder


@pytest.fixture(scope="module")
def out(scenes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A benchmark by kind; not to be changed."""
    folder = tmp_path_factory.mktemp("bench")
    kinds = folder / "kinds.yaml"
    kinds.write_text("mine/*: car park\nmine/gat: never\n", encoding="utf-8")
    options = ["--by", "kind", "--kinds", kinds, "--methods", "median", "CNT", "--no-sweep"]
    arguments = [scenes, *options, "--out", folder / "out", "--jobs", 2, "--quiet"]
    assert run(["bench", *map(str, arguments)]) == 0
    return folder / "out"


@pytest.fixture
def result(out: Path) -> BenchResult:
    return BenchResult.model_validate_json((out / "bench.json").read_text("utf-8"))


def group(result: BenchResult, name: str, *, is_painted: bool = False) -> KindResult:
    (found,) = [
        each for each in result.by_kind if (each.scene_kind, each.is_painted) == (name, is_painted)
    ]
    return found


def test_categories_of_the_data_sets_tell_the_kind(tmp_path: Path) -> None:
    for name in CDNET:
        write_sequence(tmp_path / name, count=10)
    kinds = SceneKinds()
    found = {each.name: kinds.of(each) for each in find_sequences(tmp_path)}
    assert found == {name: SceneKind(kind) for name, kind in CDNET.items()}


def test_a_file_of_kinds_comes_before_the_category_and_the_first_fit_counts(scenes: Path) -> None:
    given = SceneKinds({"*/bridgeEntry": "bridge", "nightVideos/*": "dark", "nowhere/*": "x"})
    sequences = find_sequences(scenes)
    found = {each.name: given.of(each) for each in sequences}
    assert found["nightVideos/bridgeEntry"] == SceneKind("bridge")
    assert found["mine/gate"] == SceneKind("mine")
    assert found["made/first"] == SceneKind("night", is_painted=True)
    assert found["made/second"] == SceneKind("stationary", is_painted=True)
    assert given.unused(sequences) == ["nowhere/*"]


def test_recordings_and_painted_sequences_of_a_kind_are_never_averaged(
    result: BenchResult,
) -> None:
    shown = [(each.scene_kind, each.is_painted, each.sequences) for each in result.by_kind]
    assert shown == [
        ("stationary", True, ("made/second",)),
        ("night", False, ("nightVideos/bridgeEntry",)),
        ("night", True, ("made/first",)),
        ("car park", False, ("mine/gate", "mine/yard")),
    ]


def test_figures_of_a_kind_are_means_over_its_sequences(result: BenchResult) -> None:
    measured = {
        each.cell.sequence: each.findings.measures
        for each in result.cells
        if each.cell.method == "CNT" and each.findings and each.findings.measures
    }
    (row,) = [row for row in group(result, "car park").rows if row.method == "CNT"]
    assert row.kind == "peer"
    for name in ("F", "recall", "precision", "PWC"):
        values = [getattr(measured[each], name) for each in ("mine/gate", "mine/yard")]
        assert values[0] != values[1]
        assert row.overall[name].mean == pytest.approx(sum(values) / 2)
        assert row.by_sequence["mine/yard"][name].mean == values[1]


def test_a_pattern_that_fits_no_sequence_is_told(result: BenchResult) -> None:
    (note,) = result.notes
    assert note == "No sequence has a name that these patterns of kinds.yaml fit: 'mine/gat'."


def test_the_page_has_a_row_for_each_kind_with_its_worst_frames(
    out: Path, result: BenchResult
) -> None:
    page = (out / "bench.html").read_text("utf-8")
    for each in result.by_kind:
        anchor = f"transductive-{each.scene_kind.replace(' ', '-')}"
        anchor += "-painted" * each.is_painted
        assert f'<a href="#{anchor}">{each.scene_kind}</a>' in page
        (section,) = re.findall(
            rf'<section class="one-kind" id="{anchor}">.*?</section>', page, re.S
        )
        assert ('class="painted"' in section) is each.is_painted
        for sequence in each.sequences:
            shown = sequence.replace("/", "/<wbr>")
            assert f'<th scope="row">{shown}</th>' in re.sub(r">\s+|\s+<", strip, section)
            for picture in ("input", "truth", "mask"):
                assert re.search(rf'alt="{sequence}, frame \d+: {picture}"', section)
    assert "Ahead of every peer on 4 of 4 kinds." in page
    assert "nightVideos (1 of 6)" in page
    assert not re.findall(r"""(?:src|href)=["'](?!data:|\#)""", page)


def strip(match: re.Match[str]) -> str:
    return match.group().strip()


def test_a_method_that_lacks_a_sequence_is_no_rival_on_the_page(
    result: BenchResult, tmp_path: Path
) -> None:
    cells = [
        cell_result("a/x", 0.7),
        cell_result("a/y", 0.5),
        cell_result("a/x", 0.9, method="MOG2"),
        cell_result("a/y", None, method="MOG2"),
        cell_result("a/x", 0.5, method="KNN"),
        cell_result("a/y", 0.4, method="KNN"),
    ]
    rows = method_rows(cells)
    kinds = kind_results(cells, rows, dict.fromkeys(("a/x", "a/y"), SceneKind("night")))
    page = render_page(
        result.model_copy(update={"cells": tuple(cells), "rows": rows, "by_kind": kinds}), tmp_path
    )
    assert "+0.150 KNN" in page
    assert '<span class="detail">without 1</span>' in page
    assert "Ahead of every peer on 1 of 1 kinds." in page


def test_csv_and_latex_have_the_kinds(out: Path, result: BenchResult) -> None:
    lines = list(csv.DictReader((out / "bench.csv").read_text("utf-8").splitlines()))
    assert {(line["sequence"], line["scene_kind"], line["painted"]) for line in lines} == {
        (sequence, each.scene_kind, "yes" if each.is_painted else "no")
        for each in result.by_kind
        for sequence in each.sequences
    }
    latex = (out / "bench.tex").read_text("utf-8")
    mean = group(result, "car park").rows[0].overall["F"].mean
    assert rf"car park & 2 & \textbf{{{mean:.3f}}} & " in latex
    assert "night (painted) & 1 & " in latex


def test_the_console_prints_a_table_by_kind(
    scenes: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [scenes, "--by", "kind", "--methods", "median", "CNT", "--no-sweep", "--out", out]
    assert run(["bench", *map(str, arguments), "--quiet"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"^ ?night \(painted\) +1 +0\.\d{3} +0\.\d{3}", shown, re.M)
    assert re.search(r"^ ?mine +2 ", shown, re.M)  # without a file its category is the kind


def test_without_being_asked_nothing_is_shown_by_kind(result: BenchResult, tmp_path: Path) -> None:
    plain = result.model_copy(update={"by_kind": ()})
    assert "By kind of scene" not in render_page(plain, tmp_path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "cannot be read: No such file or directory"),
        ("", "names no kinds"),
        ("- mine/*\n", "names no kinds"),
        ("mine/*:\n", "has no kind for 'mine/*'"),
        ("mine/*: [a, b]\n", "has no kind for 'mine/*'"),
        ("mine: {x: [\n", "is not YAML that can be read"),
    ],
)
def test_a_file_of_kinds_that_is_none_is_refused_in_a_sentence(
    tmp_path: Path, scenes: Path, capsys: pytest.CaptureFixture[str], text: str | None, problem: str
) -> None:
    path = tmp_path / "kinds.yaml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=re.escape(problem)):
        read_scene_kinds(path)
    arguments = ["bench", scenes, "--kinds", path, "--methods", "CNT", "--out", tmp_path / "out"]
    assert run([*map(str, arguments)]) == 2
    said = capsys.readouterr().err.strip()
    assert "give lines like 'scenes/canoe: water'" in " ".join(said.split())
    assert not (tmp_path / "out").exists()


def test_a_failed_sequence_is_named_and_counts_for_no_mean() -> None:
    cells = [
        cell_result("a/x", 0.9),
        cell_result("a/y", None),
        cell_result("a/x", 0.3, method="MOG2"),
        cell_result("a/y", 0.5, method="MOG2"),
    ]
    kinds = {"a/x": SceneKind("night"), "a/y": SceneKind("night")}
    (night,) = kind_results(cells, method_rows(cells), kinds)
    found = {row.method: (row.failed, row.overall["F"].mean) for row in night.rows}
    assert found == {"lowrank_ae": (("a/y",), 0.9), "MOG2": ((), pytest.approx(0.4))}


def test_published_figures_stand_only_beside_the_same_sequences(result: BenchResult) -> None:
    names = ("continuousPan", "intermittentPan", "twoPositionPTZCam", "zoomInZoomOut")
    cells = [
        cell_result(f"PTZ/{name}", f) for name, f in zip(names, (0.2, 0.4, 0.6, 0.8), strict=True)
    ]
    cells = [
        each.model_copy(update={"cell": each.cell.model_copy(update={"category": "cdnet/PTZ"})})
        for each in cells
    ]

    def found(some: int) -> tuple[dict[str, float], tuple[str, ...]]:
        part = tuple(cells[:some])
        figures = published_figures(
            result.model_copy(update={"cells": part, "rows": method_rows(part)})
        )
        measured = [dict(each.measured) for each in figures.categories]
        return (measured[0] if measured else {}), figures.partly

    assert found(4) == ({"lowrank_ae": pytest.approx(0.5)}, ())
    assert found(3) == ({}, ("PTZ (3 of 4)",))
