"""Calls of the command line, inside this process and as a process of its own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Outcome:
    """What a call came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on stdout."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        assert value["schema_version"] == 1
        return value

    def is_refused_with(self, *words: str, code: int) -> bool:
        """One sentence on stderr that holds the words, nothing on stdout, no traceback."""
        assert self.code == code, self
        assert self.out == ""
        assert self.err.startswith("cleanplate: ")
        assert self.err.count("\n") == 1, self.err
        assert "Traceback" not in self.err
        for word in words:
            assert word in self.err, self.err
        return True


CommandLine: TypeAlias = Callable[..., Outcome]
"""Runs `cleanplate ARGUMENTS` in this process."""


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


def start(*arguments: object, patch: str = "") -> subprocess.Popen[str]:
    """Starts `cleanplate ARGUMENTS` as a process; `patch` is code that it runs before."""
    how = ["-m", "cleanplate"]
    if patch:
        how = ["-c", f"{patch}\nfrom cleanplate.cli import main\nmain()"]
    return subprocess.Popen(
        [sys.executable, *how, *map(str, arguments)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> Outcome:
    out, err = process.communicate(timeout=100)
    return Outcome(process.returncode, out, err)


def files_of(folder: Path) -> dict[str, str]:
    """SHA-256 of every file by its path in the folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
