"""The process of one cell: `python -m cleanplate.benchmark.worker`, its task on stdin.

Stdin stays open for as long as the process that gave the task lives; when that ends, this one does.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from pathlib import Path

import cv2

from cleanplate.benchmark.cells import Cell
from cleanplate.benchmark.measuring import measure_cell
from cleanplate.benchmark.results import CellResult, Findings
from cleanplate.benchmark.sequences import BenchSequence
from cleanplate.datasets.registry import DatasetPlace
from cleanplate.errors import CleanplateError
from cleanplate.parameters import Parameters
from cleanplate.segmentation.worker_process.parent import end_with
from cleanplate.writing import write_whole


class CellTask(Parameters):
    """What a process has to do.

    Attributes:
        result: The result so far: a cell without findings.
        dataset: Name of the data set whose form the sequence has.
        path: Where the sequence is.
        work: An empty folder, where the process works.
        pictures: Folder for the worst frames.
        out: File of the result.
    """

    result: CellResult
    dataset: str
    path: Path
    work: Path
    pictures: Path
    out: Path

    @property
    def cell(self) -> Cell:
        """What is measured."""
        return self.result.cell


def main() -> None:
    """Does one task and ends."""
    begin = time.monotonic()
    task = CellTask.model_validate_json(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    end_with(int(sys.argv[1]))
    cv2.setNumThreads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
    # Where a library reads files of the working directory, it must find none.
    os.chdir(task.work)
    findings, failed = _measure(task)
    wall = time.monotonic() - begin
    values = {"findings": findings, "failed": failed, "wall_seconds": round(wall, 3)}
    result = task.result.model_copy(update=values)
    write_whole(task.out, result.model_dump_json(indent=1) + "\n")


def _measure(task: CellTask) -> tuple[Findings | None, str | None]:
    cell = task.cell
    sequence = BenchSequence(cell.sequence, cell.category, DatasetPlace(task.dataset, task.path))
    try:
        return measure_cell(cell, sequence, work=task.work, pictures=task.pictures), None
    except CleanplateError as error:
        return None, str(error)
    except MemoryError:
        return None, "out of memory"
    except Exception as error:  # noqa: BLE001 - whatever happens here must not stop the others
        traceback.print_exc()
        return None, f"{type(error).__name__}: {error}"


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main()
