"""Writes the JSON schema of bench.json into the package, from the classes that it is made of.

Usage: python tools/bench_schema.py
"""

from __future__ import annotations

import json
from pathlib import Path

from cleanplate.benchmark.results import BenchResult

SCHEMA = Path(__file__).parents[1] / "src" / "cleanplate" / "benchmark" / "bench.schema.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def main() -> None:
    schema = {"$schema": DIALECT, **BenchResult.model_json_schema()}
    SCHEMA.write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
