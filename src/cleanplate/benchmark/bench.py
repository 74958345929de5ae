"""The whole benchmark: plan, measure what is not measured yet, write what was found."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2

from cleanplate._version import __version__
from cleanplate.baselines import PEERS, STILL_BASELINES, available_peers, open_peer
from cleanplate.baselines.bgslibrary import PACKAGE, library_version
from cleanplate.benchmark.cells import (
    PROTOCOLS,
    Cell,
    Hold,
    Protocol,
    method_kind,
    uses_seed,
)
from cleanplate.benchmark.pages.page import render_page
from cleanplate.benchmark.pool import run_tasks
from cleanplate.benchmark.results import BenchResult, CellResult, KindResult
from cleanplate.benchmark.scene_kinds import SceneKinds
from cleanplate.benchmark.sequences import BenchSequence, choose_sequences, find_sequences
from cleanplate.benchmark.store import CellStore
from cleanplate.benchmark.summaries.averages import held_rows, method_rows
from cleanplate.benchmark.summaries.kinds import kind_results
from cleanplate.benchmark.summaries.tables import as_csv, as_latex
from cleanplate.benchmark.worker import CellTask
from cleanplate.errors import CleanplateError, SettingsError, UnknownNameError
from cleanplate.learning.provenance import now
from cleanplate.progress import ProgressListener, silent
from cleanplate.settings import known_methods, resolve
from cleanplate.video import open_source
from cleanplate.writing import write_whole

RESULT, TABLE, LATEX, PAGE = "bench.json", "bench.csv", "bench.tex", "bench.html"
GROUPS = ("all", "networks", "plates", "peers")
"""Names that stand for several methods."""

RULES = (
    (
        "Masks are scored by the rules of CDnet 2014: labels 0 and 50 are background, 255 is "
        "foreground, 85 and 170 do not count; what a peer marks as shadow is background. Overall "
        "figures are means of categories, each the mean of its sequences."
    ),
    (
        "Every method has one set of defaults for all sequences: ours those of this version, peers "
        "those of their library. Best F is that of the one threshold that suits each sequence "
        "best, chosen with the truth: an upper limit, no result."
    ),
    (
        "Each cell has a process of its own. Speed is frames by wall time from the first frame "
        "that is decoded to the last mask that is written, for every method; start-up and learning "
        "are left out. Memory is the most that was resident, libraries included."
    ),
)


@dataclass(frozen=True)
class BenchPlan:
    """What is to be measured.

    Attributes:
        data: Folder that holds sequences.
        methods: Names of methods and peers, or of groups of them.
        seeds: Of whatever is random; what is not runs once, under the first.
        protocols: What is learned from and scored.
        sequences: Names or patterns; None: all.
        holds: Where vehicles are held still, by the name of a sequence.
        budget: Of networks.
        device: That networks run on.
        sweep: Whether the best F over thresholds is sought.
        kinds: Tells the kinds of scenes that the figures are shown by; None: not by kind.
    """

    data: Path
    methods: Sequence[str] = ("all",)
    seeds: Sequence[int] = (0,)
    protocols: Sequence[Protocol] = ("transductive",)
    sequences: Sequence[str] | None = None
    holds: Sequence[tuple[str, Hold]] = ()
    budget: str = "auto"
    device: str = "auto"
    sweep: bool = True
    kinds: SceneKinds | None = None


@dataclass(frozen=True)
class BenchFiles:
    """What a benchmark wrote.

    Attributes:
        result: All figures.
        measured: Cells that were measured now, failed ones included.
        kept: Cells that were there already.
    """

    result: BenchResult
    measured: int
    kept: int
    folder: Path = field(repr=False)


def run_bench(
    plan: BenchPlan, out: Path, *, jobs: int = 1, progress: ProgressListener = silent
) -> BenchFiles:
    """Measures all cells of a plan that a folder does not hold yet, and writes the tables and page.

    Args:
        plan: What is to be measured.
        out: Folder for everything; one that was broken off is gone on with.
        jobs: Cells that are measured at a time.
        progress: Told how the work goes on.

    Raises:
        UsageError: A name is unknown or a setting out of range.
        GroundTruthError: The data folder holds no sequence.
        OutputError: The folder is in the way or cannot be written.
        RunLockedError: Another benchmark runs into it.
    """
    if jobs < 1:
        raise SettingsError(f"--jobs {jobs} is too few; give at least 1")
    store = CellStore(out.absolute())
    methods, absent = choose_methods(plan.methods)
    sequences = find_sequences(plan.data)
    tasks = dict(_tasks(plan, methods, sequences, store))
    with store.locked():
        results, waiting = _kept(tasks, store)
        kept = len(results)
        progress("cells", kept, len(tasks))
        for result in run_tasks(waiting, store, jobs=jobs):
            results[result.identity] = result
            progress("cells", len(results), len(tasks), note=_note(result))
        cells = [results[task.result.identity] for task in tasks.values()]
        whole = _result(plan, cells, absent, sequences)
        write_bench(whole, store.folder)
    return BenchFiles(whole, len(waiting), kept, store.folder)


def write_bench(result: BenchResult, folder: Path) -> None:
    """Writes JSON, CSV, LaTeX and the page.

    Raises:
        OutputError: They cannot be written.
    """
    write_whole(folder / RESULT, result.model_dump_json(indent=1) + "\n")
    write_whole(folder / TABLE, as_csv(result))
    write_whole(folder / LATEX, as_latex(result))
    write_whole(folder / PAGE, render_page(result, folder))


def choose_methods(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names of methods, and of peers that groups mean but that are not installed.

    Raises:
        UnknownNameError: A name is unknown.
        SettingsError: A peer was asked for by name and is not installed.
    """
    networks = [name for name in known_methods() if name not in STILL_BASELINES]
    installed = available_peers()
    groups: dict[str, list[str]] = {
        "networks": networks,
        "plates": sorted(STILL_BASELINES),
        "peers": installed,
    }
    groups["all"] = [*groups["networks"], *groups["plates"], *groups["peers"]]
    chosen: list[str] = []
    for name in names:
        if name not in groups and name not in known_methods() and name not in PEERS:
            raise UnknownNameError("method", name, [*GROUPS, *known_methods(), *PEERS])
        if name in PEERS and name not in installed:
            open_peer(name)  # says what is missing
        chosen += groups.get(name, [name])
    means_peers = any(name in ("all", "peers") for name in names)
    absent = [name for name in PEERS if name not in installed] if means_peers else []
    return list(dict.fromkeys(chosen)), absent


def _tasks(
    plan: BenchPlan, methods: Sequence[str], sequences: Sequence[BenchSequence], store: CellStore
) -> Iterator[tuple[str, CellTask]]:
    """Name and task of each cell, sequence by sequence."""
    fingerprints = lru_cache(_fingerprint)
    settings = lru_cache(lambda method, seed: _settings(plan, method, seed))
    for sequence, hold in _scenes(plan, sequences):
        for protocol in plan.protocols:
            for method in methods:
                for seed in plan.seeds if uses_seed(method) else plan.seeds[:1]:
                    cell = Cell(
                        sequence=sequence.name,
                        category=sequence.category,
                        method=method,
                        seed=seed,
                        protocol=protocol,
                        hold=hold,
                        budget=plan.budget,
                        device=plan.device,
                        sweep=plan.sweep,
                    )
                    tree = settings(method, seed)
                    identity = cell.identity(settings=tree, fingerprint=fingerprints(sequence))
                    result = CellResult(
                        identity=identity,
                        cell=cell,
                        kind=method_kind(method),
                        settings=tree,
                        wall_seconds=0,
                    )
                    yield _task(result, sequence, store)


def _task(result: CellResult, sequence: BenchSequence, store: CellStore) -> tuple[str, CellTask]:
    name = result.cell.file_name(result.identity)
    task = CellTask(
        result=result,
        dataset=sequence.place.dataset,
        path=sequence.place.path,
        work=store.work_path(name),
        pictures=store.pictures(name),
        out=store.path(name),
    )
    return name, task


def _scenes(
    plan: BenchPlan, sequences: Sequence[BenchSequence]
) -> Iterator[tuple[BenchSequence, Hold | None]]:
    # An empty list of sequences asks for the holds alone.
    for sequence in choose_sequences(sequences, plan.sequences):
        yield sequence, None
    for name, hold in plan.holds:
        for sequence in choose_sequences(sequences, [name]):
            yield sequence, hold


def _settings(plan: BenchPlan, method: str, seed: int) -> Mapping[str, Any]:
    if method_kind(method) == "peer":
        return {"defaults_of": "its library", "opencv": cv2.__version__, PACKAGE: library_version()}
    general = {"method": method, "seed": seed, "budget": plan.budget, "device": plan.device}
    return resolve(general).as_tree()


def _fingerprint(sequence: BenchSequence) -> str:
    try:
        truth = sequence.open()
        assert truth.source is not None
        digest = hashlib.sha256(open_source(truth.source).fingerprint().encode())
        digest.update(repr((truth.size, truth.numbers, truth.region is None)).encode())
        if truth.numbers:
            middle = truth.numbers[len(truth.numbers) // 2]
            digest.update(truth.read_labels(middle).tobytes())
        for plate in truth.plates:
            digest.update(plate.picture.read_bytes())
    except CleanplateError as error:
        return f"damaged: {error}"  # its cells will say so, and stop no others
    return digest.hexdigest()


def _kept(
    tasks: Mapping[str, CellTask], store: CellStore
) -> tuple[dict[str, CellResult], list[tuple[str, CellTask]]]:
    """Results that are there, by identity, and the tasks that are left."""
    results: dict[str, CellResult] = {}
    waiting = []
    for name, task in tasks.items():
        result = store.read(name, task.result.identity)
        # What stood in the way may be gone: a failed cell is tried again.
        if result is not None and result.failed is None:
            results[result.identity] = result
        else:
            waiting.append((name, task))
    return results, waiting


def _result(
    plan: BenchPlan,
    cells: Sequence[CellResult],
    absent: Sequence[str],
    sequences: Sequence[BenchSequence],
) -> BenchResult:
    rows = method_rows(cells)
    notes = [*_notes(cells, absent)]
    by_kind: tuple[KindResult, ...] = ()
    if plan.kinds is not None:
        notes += _kind_notes(plan.kinds, sequences)
        kinds = {sequence.name: plan.kinds.of(sequence) for sequence in sequences}
        by_kind = kind_results(cells, rows, kinds)
    return BenchResult(
        created=now(),
        cleanplate=__version__,
        data=plan.data.resolve().name,
        protocols={name: PROTOCOLS[name] for name in dict.fromkeys(plan.protocols)},
        rules=RULES,
        notes=tuple(notes),
        rows=rows,
        held=held_rows(cells),
        by_kind=by_kind,
        cells=tuple(cells),
    )


def _kind_notes(kinds: SceneKinds, sequences: Sequence[BenchSequence]) -> Iterator[str]:
    unused = kinds.unused(sequences)
    if unused:
        shown = ", ".join(f"'{pattern}'" for pattern in unused)
        yield f"No sequence has a name that these patterns of {kinds.origin} fit: {shown}."


def _notes(cells: Sequence[CellResult], absent: Sequence[str]) -> Iterator[str]:
    if absent:
        yield f"Not installed, so not measured: {', '.join(absent)}."
    failed = [each for each in cells if each.failed]
    if failed:
        yield f"{len(failed)} of {len(cells)} cells failed; why stands at the end."
    threads = {each.findings.environment.threads for each in cells if each.findings}
    if len(threads) > 1:
        shown = ", ".join(map(str, sorted(threads)))
        yield f"Cells were measured with different numbers of threads ({shown}): mind the times."
    machines = {each.findings.environment.platform for each in cells if each.findings}
    if len(machines) > 1:
        yield "Cells were measured on different machines: mind the times."


def _note(result: CellResult) -> str:
    cell = result.cell
    where = f"{cell.method} on {cell.sequence}"
    if result.failed or result.findings is None:
        return f"{where} failed: {result.failed}"
    found = result.findings
    if found.held is not None:
        return f"{where}: {100 * found.held.marked:.1f} % marked"
    figure = found.measures.F if found.measures else None
    return f"{where}: no F" if figure is None else f"{where}: F {figure:.3f}"
