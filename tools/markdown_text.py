"""Paragraphs, commands and tables of Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

_WIDTH = 104


def paragraph(text: str) -> str:
    filled = textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return f"{filled}\n\n"


def head(titles: Sequence[str]) -> str:
    return line(titles) + "|" + "---|" * len(titles) + "\n"


def line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def shell(*parts: str, then: str = "") -> str:
    """A command, each part on a line of its own, and a second one after it."""
    command = " \\\n    ".join(parts)
    return f"```sh\n{command}\n{then}{chr(10) if then else ''}```\n\n"
