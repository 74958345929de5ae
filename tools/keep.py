"""Keeps the figures of a benchmark as benchmarks/NAME.json, with the commit that they belong to.

Usage: python tools/keep.py FOLDER NAME

FOLDER is what `cleanplate bench --out` wrote. Settings, sweeps and worst frames of the cells stay
there. Run it in the checkout that was measured; then `python tools/pages.py` rewrites the pages.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from measured import ROOT, measured

_LEFT_OUT = {"settings", "identity"}
_FINDINGS_LEFT_OUT = {"worst", "sweep"}


def main() -> None:
    folder, name = sys.argv[1:]
    table = json.loads((Path(folder) / "bench.json").read_text(encoding="utf-8"))
    path = ROOT / "benchmarks" / f"{name}.json"
    path.write_text(json.dumps(kept(table), indent=1) + "\n", encoding="utf-8")


def kept(table: dict[str, Any]) -> dict[str, Any]:
    """The same figures without what no page shows; date of the benchmark, commit of this moment."""
    when = {**measured(), "date": table["created"][:10]}
    return {"measured": when, **table, "cells": [kept_cell(cell) for cell in table["cells"]]}


def kept_cell(cell: dict[str, Any]) -> dict[str, Any]:
    found = cell["findings"]
    if found is not None:
        found = {key: value for key, value in found.items() if key not in _FINDINGS_LEFT_OUT}
    return {k: v for k, v in cell.items() if k not in _LEFT_OUT} | {"findings": found}


if __name__ == "__main__":
    main()
