"""Everything that cleanplate raises on purpose; the message is one sentence for the user.

::

    CleanplateError                 exit code 1
    ├── SourceError                 video or pictures that cannot be read
    │   └── FrameSizeError          frames whose size does not fit
    ├── OutputError                 an output in the way, not writable, or a full disk
    ├── SceneFileError              a learned scene that is damaged, foreign or of another format
    ├── RunLockedError              another process is learning into the same folder
    ├── TrainingError               learning that went wrong (values that are not finite, …)
    ├── SegmentationError           a process that cuts masks out and has ended
    ├── FetchError                  a data set that could not be fetched
    ├── GroundTruthError            truth that is missing or does not fit what is scored
    ├── ModalityError               a batch that lacks what a model reads
    └── UsageError                  exit code 2: the command or the call itself is wrong
        ├── SettingsError           a setting that is unknown or out of range
        └── UnknownNameError        a method, plate or loss that does not exist
"""

from __future__ import annotations

import difflib
import re
import reprlib
from collections.abc import Iterable

_MOST_CHARACTERS = 300
"""Of a text from outside the program, within a message."""
_MOST_OF_A_VALUE = 60
_MOST_OF_A_NAME = 80
_MOST_BITS = 64


class CleanplateError(Exception):
    """Base of all errors of this package.

    Attributes:
        exit_code: What the command line returns for it.
    """

    exit_code = 1


class SourceError(CleanplateError, ValueError):
    """Video or pictures that cannot be read."""


class FrameSizeError(SourceError):
    """Frames whose size does not fit: too small, changing, or not those of the scene."""


class OutputError(CleanplateError, OSError):
    """An output that is in the way or cannot be written."""


class SceneFileError(CleanplateError, ValueError):
    """A learned scene on disk that is damaged, foreign or of another format."""


class RunLockedError(CleanplateError, RuntimeError):
    """Another process is learning into the same folder."""


class TrainingError(CleanplateError, RuntimeError):
    """Learning that went wrong."""


class SegmentationError(CleanplateError, RuntimeError):
    """A process that cuts masks out, and has ended."""


class FetchError(CleanplateError, OSError):
    """A data set that could not be fetched."""


class GroundTruthError(CleanplateError, ValueError):
    """Truth that is missing or does not fit what is scored."""


class ModalityError(CleanplateError, KeyError):
    """A batch that lacks a modality which the model reads."""

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would show the sentence in quotes


class UsageError(CleanplateError, ValueError):
    """The command or the call itself is wrong."""

    exit_code = 2


class SettingsError(UsageError):
    """A setting that is unknown or out of range."""


class UnknownNameError(UsageError):
    """A name that is not among the known ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        given = shortened(name, _MOST_OF_A_NAME)
        super().__init__(
            f"unknown {kind} '{given}'{nearest(given, names)}; known: {', '.join(names)}"
        )


def nearest(name: str, known: Iterable[str]) -> str:
    """``" (did you mean 'NAME'?)"`` for the known name nearest to a wrong one, else ``""``."""
    matches = difflib.get_close_matches(name[:_MOST_OF_A_NAME], list(known), n=1, cutoff=0.5)
    return f" (did you mean '{matches[0]}'?)" if matches else ""


def shortened(text: object, most: int = _MOST_CHARACTERS) -> str:
    """The beginning of a text in one line; what does not print is shown as an escape.

    Args:
        text: From outside the program: a name, the message of a library.
        most: Characters that are kept.
    """
    start = re.sub(r"\s*\n\s*", " ", str(text)[: 2 * most])
    plain = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in start)
    return plain if len(plain) <= most else plain[: most - 3] + "..."


def shown(value: object) -> str:
    """A value as Python would write it, cut before it is written: it may be of any size."""
    return shortened(_BRIEF.repr(value), _MOST_OF_A_VALUE)


class _Brief(reprlib.Repr):
    """Writes the beginning of values."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 3
        self.maxstring = self.maxother = _MOST_OF_A_VALUE

    def repr_int(self, x: int, level: int) -> str:  # noqa: ARG002 - as the class calls it
        bits = x.bit_length()  # Python refuses to write more than some thousands of digits
        return f"a number of {bits} bits" if bits > _MOST_BITS else repr(x)


_BRIEF = _Brief()
