"""`cleanplate datasets list`, `fetch`, `paint` and `check`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.table import Table

from cleanplate.cli.console import CommonOptions, Console, cell
from cleanplate.datasets import find_places, known_datasets
from cleanplate.datasets.checking import SequenceCheck, check_place, unknown_tree
from cleanplate.datasets.fetching import fetch as fetch_dataset
from cleanplate.datasets.manifest import (
    MANIFEST,
    Manifest,
    files_of,
    read_manifest,
    sum_files,
)
from cleanplate.datasets.painted import KINDS, PaintedSettings, paint_scene, write_sequence
from cleanplate.errors import GroundTruthError, OutputError, UsageError

_NAMED = 5


def list_datasets(*, common: CommonOptions | None = None) -> None:
    """List the data sets that are recognised, with their form, terms and paper."""
    with Console(common or CommonOptions()) as console:
        rows = [
            {
                "name": name,
                "title": known.title,
                "form": known.form,
                "homepage": known.homepage or None,
                "terms": known.terms,
                "citation": known.citation or None,
                "can_be_fetched": known.archives is not None,
            }
            for name, known in known_datasets().items()
        ]
        table = Table(box=None, show_header=False)
        table.add_column(no_wrap=True)
        table.add_column()
        for row in rows:
            table.add_row(f"[bold]{cell(str(row['name']))}[/bold]", cell(str(row["title"])))
            for key in ("form", "homepage", "terms", "citation"):
                if row[key] is not None:
                    table.add_row("", cell(f"{key}: {row[key]}"))
            by = "cleanplate datasets fetch" if row["can_be_fetched"] else "hand"
            if row["homepage"] is not None:
                table.add_row("", f"download: by {by}")
        console.result({"command": "datasets list", "datasets": rows}, table)


def fetch(
    name: str,
    *,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    part: Annotated[list[str] | None, Parameter(negative="")] = None,
    common: CommonOptions | None = None,
) -> None:
    """Download a data set and unpack it; needs the extra datasets.

    Args:
        name: Name of a data set.
        out: Folder for it; default one of its name.
        part: Archive to fetch instead of all, for example baseline/highway; may be repeated.
    """
    with Console(common or CommonOptions()) as console:
        folder = out or Path(name)
        fetched = fetch_dataset(name, folder, parts=part or (), progress=console.progress)
        values = {
            "command": "datasets fetch",
            "dataset": name,
            "folder": str(folder),
            "archives": [one._asdict() for one in fetched],
        }
        text = f"{name}: {sum(one.files for one in fetched)} files in {folder}"
        there = sum(not one.is_new for one in fetched)
        if there:
            text += f"; {there} of {len(fetched)} archives had been fetched before"
        console.result(values, text)


def paint(
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"])] = Path("painted"),
    kind: Annotated[list[str] | None, Parameter(negative="")] = None,
    seeds: int = 1,
    seconds: float | None = None,
    common: CommonOptions | None = None,
) -> None:
    """Paint scenes of several kinds with exact truth, as sequences to score and to compare on.

    Args:
        out: Folder for them; a scene goes to KIND/seedN in it, which has to be empty.
        kind: Kind of scene, as for demo; may be repeated; default all of them.
        seeds: How many scenes of each kind, with the seeds from 0.
        seconds: Length of each; default the kind's own.
    """
    with Console(common or CommonOptions()) as console:
        if seeds < 1:
            raise UsageError(f"{seeds} scenes of a kind cannot be painted; give --seeds 1 or more")
        length = {} if seconds is None else {"seconds": seconds}
        scenes = [
            PaintedSettings.parse({"kind": name, "seed": seed, **length})
            for name in dict.fromkeys(kind or KINDS)
            for seed in range(seeds)
        ]
        painted = []
        for number, settings in enumerate(scenes, 1):
            folder = out / settings.kind / f"seed{settings.seed}"
            write_sequence(paint_scene(settings), folder, picture_format="avi")
            painted.append({"kind": settings.kind, "seed": settings.seed, "folder": str(folder)})
            console.progress("painting", number, len(scenes))
        values = {"command": "datasets paint", "folder": str(out), "scenes": painted}
        console.result(values, f"{len(painted)} scenes in {out}")


def check(
    folder: Path,
    *,
    manifest: Path | None = None,
    write_manifest: Annotated[bool, Parameter(negative="")] = False,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    common: CommonOptions | None = None,
) -> int:
    """Check the sequences of a tree: frames, sizes, labels, plates, checksums.

    Args:
        folder: Tree of sequences, of one data set or of several.
        manifest: File of checksums; default cleanplate-manifest.json in the tree.
        write_manifest: Write the checksums, to be verified by later checks.
        overwrite: Replace a manifest that is there.
    """
    with Console(common or CommonOptions()) as console:
        path = (manifest or folder / MANIFEST).resolve()
        if write_manifest and path.exists() and not overwrite:
            raise OutputError(f"{path} is in the way; --overwrite replaces it")
        places = find_places(folder)
        if not places:
            raise unknown_tree(folder)
        checks = [check_place(place, progress=console.progress) for place in places]
        state, problems = _checksums(folder.resolve(), path, console, write=write_manifest)
        count = sum(len(one.problems) for one in checks) + len(problems)
        values = {
            "command": "datasets check",
            "folder": str(folder),
            "sequences": [one.as_json() for one in checks],
            "checksums": state,
            "checksum_problems": problems,
            "problems": count,
        }
        for one in checks:
            for problem in one.problems:
                console.warn(f"{one.title}: {problem}")
        for problem in problems:
            console.warn(problem)
        summary = f"{len(checks)} sequences, {count} problems; {state}"
        console.result(values, _table(checks, summary))
        return 1 if count else 0


def _checksums(folder: Path, path: Path, console: Console, *, write: bool) -> tuple[str, list[str]]:
    """What became of the checksums, and what is wrong."""
    if write:
        sums = sum_files(files_of(folder, ignore=path), progress=console.progress)
        try:
            archives = read_manifest(path).archives
        except GroundTruthError:
            archives = {}
        Manifest(sums, archives).write(path)
        return f"checksums of {len(sums)} files written", []
    if not path.exists():
        return "checksums not verified: there is no manifest", []
    known = read_manifest(path)
    found = known.compare(folder, ignore=path, progress=console.progress)
    problems = [
        f"{len(names)} files {what} since the manifest was written: {_few(names)}"
        for what, names in (("have gone", found.missing), ("have changed", found.changed))
        if names
    ]
    state = f"checksums of {len(known.files)} files verified"
    if found.added:
        state += f", {len(found.added)} files are not in the manifest"
    return state, problems


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")


def _table(checks: Sequence[SequenceCheck], summary: str) -> Table:
    table = Table(box=None, caption=cell(summary), caption_justify="left")
    titles = ("data set", "sequence", "size", "frames", "scored", "labels", "plates", "problems")
    for title in titles:
        table.add_column(title, overflow="fold")
    for one in checks:
        cells: tuple[Any, ...] = (
            one.dataset,
            one.title,
            one.size or "unknown",
            one.frames,
            one.scored,
            " ".join(map(str, one.labels)),
            one.plates,
            len(one.problems),
        )
        table.add_row(*(cell(each) for each in cells))
    return table
