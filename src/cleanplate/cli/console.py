"""What a command says: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import re
import sys
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from cyclopts import Parameter
from rich.console import Console as RichConsole
from rich.console import Group
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from cleanplate.parameters import RenamedSettingWarning

SCHEMA_VERSION = 1
_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
"""What a terminal obeys instead of showing it, and halves of characters that it cannot show."""
_SECONDS_BETWEEN_LINES = 5.0


@Parameter(name="*")
@dataclass(frozen=True)
class CommonOptions:
    """Options of every command.

    Attributes:
        json: One JSON object on stdout instead of text.
        quiet: Nothing on stderr but errors.
        verbose: More on stderr.
        debug: The traceback of an error.
    """

    json: Annotated[bool, Parameter(negative="")] = False
    quiet: Annotated[bool, Parameter(negative="")] = False
    verbose: Annotated[bool, Parameter(negative="")] = False
    debug: Annotated[bool, Parameter(negative="")] = False


def plain(text: object, *, lines: bool = False) -> str:
    """Text in which what a terminal would obey is shown instead, as in names of files.

    Args:
        text: What is said.
        lines: Keep the ends of lines.
    """
    return _CONTROLS.sub(
        lambda found: found[0] if lines and found[0] == "\n" else _shown(found[0]), str(text)
    )


def cell(text: object) -> str:
    """The same for a cell of a table."""
    return escape(plain(text))


def _shown(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


class Console:
    """Speaks for one command.

    Attributes:
        warnings: What was warned of so far; part of the JSON object.
        options: The options of the command.
    """

    def __init__(self, options: CommonOptions) -> None:
        self.options = options
        self.warnings: list[str] = []
        self._out = RichConsole()
        self._err = RichConsole(stderr=True)
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._stage = ""
        self._said_at = 0.0
        self._begun_at = 0.0

    def __enter__(self) -> Self:
        self._python = warnings.catch_warnings()
        self._python.__enter__()
        warnings.simplefilter("always", RenamedSettingWarning)
        self._others = warnings.showwarning
        warnings.showwarning = self._show_warning
        return self

    def __exit__(self, *_: object) -> None:
        self._python.__exit__(*sys.exc_info())
        self._stop_bar()

    def _show_warning(
        self, message: Warning | str, category: type[Warning], *where: Any, **more: Any
    ) -> None:
        """What Python warns of, where it is for the user of a command: each sentence once."""
        if not issubclass(category, RenamedSettingWarning):
            self._others(message, category, *where, **more)
        elif str(message) not in self.warnings:
            self.warn(str(message))

    def info(self, message: str) -> None:
        """A line for the curious, unless quiet."""
        if not self.options.quiet:
            self._say(message)

    def detail(self, message: str) -> None:
        """A line only where more was asked for."""
        if self.options.verbose and not self.options.quiet:
            self._say(message)

    def warn(self, message: str) -> None:
        """A line that the user should read; kept for the JSON object."""
        self.warnings.append(message)
        if not self.options.quiet:
            self._say(f"warning: {message}")

    def result(self, values: Mapping[str, Any], text: str | Table | Group) -> None:
        """The result of the command, once: as JSON object or as text."""
        self._stop_bar()
        if self.options.json:
            write_json({"schema_version": SCHEMA_VERSION, **values, "warnings": self.warnings})
        elif isinstance(text, Table | Group):
            self._out.print(text)
        else:
            self._out.print(escape(plain(text, lines=True)), highlight=False, soft_wrap=True)

    def progress(self, stage: str, done: float, total: float | None, note: str = "") -> None:
        """A `ProgressListener`: a bar on a terminal, else a line now and then."""
        if self.options.quiet:
            return
        if self._err.is_terminal:
            self._draw(plain(stage), done, total, plain(note))
        else:
            self._print_line(stage, done, total, note)

    def _draw(self, stage: str, done: float, total: float | None, note: str) -> None:
        if stage != self._stage or self._bar is None:
            self._stop_bar()
            self._bar = Progress(
                TextColumn("{task.description:<14}", markup=False),
                BarColumn(),
                TextColumn("{task.completed:.0f}/{task.total:.0f}"),
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}", markup=False),
                console=self._err,
            )
            self._bar.start()
            self._stage = stage
            self._task = self._bar.add_task(stage, total=total or 1, note=note)
        assert self._task is not None
        self._bar.update(self._task, completed=done, total=total or max(done, 1), note=note)

    def _print_line(self, stage: str, done: float, total: float | None, note: str) -> None:
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._begun_at, self._said_at = stage, now, now
        is_last = total is not None and done >= total
        if now - self._said_at < _SECONDS_BETWEEN_LINES and not (is_last and note):
            return
        self._said_at = now
        line = f"{stage} {done:.0f}" + (f"/{total:.0f}" if total else "")
        if total and 0 < done < total:
            line += f", {(now - self._begun_at) * (total - done) / done:.0f} s left"
        self._say(f"{line}, {note}" if note else line)

    def _say(self, message: str) -> None:
        self._err.print(escape(plain(message)), highlight=False, soft_wrap=True)

    def _stop_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def write_json(values: Mapping[str, Any]) -> None:
    """One JSON object on stdout."""
    sys.stdout.write(json.dumps(values, indent=2, allow_nan=False) + "\n")
    sys.stdout.flush()
