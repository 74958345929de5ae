"""When and at which commit figures were measured, for the JSON that holds them."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]


def measured() -> dict[str, str | bool | None]:
    """Date (UTC), commit (`None` outside a git checkout), and whether sources differ from it."""
    commit = _git("rev-parse", "--short=9", "HEAD")
    changes = _git("status", "--porcelain", "--", "src", "tools")
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit or None,
        "is_changed": bool(changes),
    }


def _git(*arguments: str) -> str:
    git = shutil.which("git")
    if git is None:
        return ""
    done = subprocess.run([git, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
