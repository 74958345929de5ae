"""What kind of scene a sequence shows, such as traffic, water or night.

A file of the user decides first, then the data set's own category; what neither knows is of the
kind that its category is called. Decision 45 tells why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from cleanplate.benchmark.sequences import BenchSequence
from cleanplate.errors import SettingsError, shortened
from cleanplate.untrusted import MOST_YAML, UntrustedError, parse_yaml, read_regular

PAINTED = "painted"
"""Name of the data set whose sequences the program has painted itself."""

ORDER = (
    "traffic",
    "stationary",
    "people",
    "animals",
    "swaying",
    "water",
    "jitter",
    "moving camera",
    "low rate",
    "night",
    "weather",
    "thermal",
    "low contrast",
    "light",
    "shadow",
    "turbulence",
)
"""Kinds in the order in which they are shown; others follow by their names."""

_BY_CATEGORY: Mapping[str, str] = {
    "cdnet/baseline/highway": "traffic",
    "cdnet/baseline/*": "people",
    "cdnet/cameraJitter/*": "jitter",
    "cdnet/dynamicBackground/fall": "swaying",
    "cdnet/dynamicBackground/overpass": "swaying",
    "cdnet/dynamicBackground/*": "water",
    "cdnet/intermittentObjectMotion/*": "stationary",
    "cdnet/lowFramerate/*": "low rate",
    "cdnet/nightVideos/*": "night",
    "cdnet/badWeather/*": "weather",
    "cdnet/PTZ/*": "moving camera",
    "bmc/street/*": "traffic",
    "bmc/rotary/*": "traffic",
    "lasiesta/camouflage/*": "low contrast",
    "lasiesta/illumination changes/*": "light",
    "lasiesta/modified background/*": "stationary",
    "lasiesta/moving camera, *": "moving camera",
    "lasiesta/simulated motion, *": "jitter",
    "lasiesta/rainy conditions/*": "weather",
    "lasiesta/snowy conditions/*": "weather",
    "lasiesta/*": "people",
    "painted/crossroads/*": "stationary",
    "painted/arena/*": "animals",
    "painted/lowrate/*": "low rate",
    "painted/snow/*": "weather",
    "painted/sunpatch/*": "light",
    "painted/sway/*": "swaying",
}
"""Kind by category and name of a sequence; where several fit, the first counts."""

_EXAMPLE = "give lines like 'scenes/canoe: water', a pattern of names and a kind"


class SceneKind(NamedTuple):
    """A kind of scene; what is painted is never counted together with recordings.

    Attributes:
        name: Such as `night`.
        is_painted: Whether the program painted it.
    """

    name: str
    is_painted: bool = False

    @property
    def place(self) -> tuple[int, str, bool]:
        """Where it stands among others."""
        known = ORDER.index(self.name) if self.name in ORDER else len(ORDER)
        return known, self.name, self.is_painted


@dataclass(frozen=True)
class SceneKinds:
    """Tells kinds of sequences.

    Attributes:
        patterns: Kind by a pattern of the sequence's name, such as `scenes/ucsd_*`; where several
            fit, the first counts.
        origin: File that they come from; empty without one.
    """

    patterns: Mapping[str, str] = field(default_factory=dict)
    origin: str = ""

    def of(self, sequence: BenchSequence) -> SceneKind:
        """Kind of a sequence."""
        is_painted = sequence.place.dataset == PAINTED
        given = _first(self.patterns, sequence.name)
        if given is not None:
            return SceneKind(given, is_painted)
        last = sequence.name.rpartition("/")[2]
        known = _first(_BY_CATEGORY, f"{sequence.category}/{last}")
        return SceneKind(known or sequence.category.rpartition("/")[2], is_painted)

    def unused(self, sequences: Sequence[BenchSequence]) -> list[str]:
        """Patterns that fit none of the sequences: a name may be misspelt."""
        return [
            pattern
            for pattern in self.patterns
            if not any(fnmatchcase(sequence.name, pattern) for sequence in sequences)
        ]


def read_scene_kinds(path: Path) -> SceneKinds:
    """Kinds of a file in YAML, a line `PATTERN: KIND` each.

    Raises:
        SettingsError: The file cannot be read or holds something else.
    """
    try:
        tree = parse_yaml(read_regular(path, MOST_YAML).decode("utf-8"))
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise _refused(path, "is no text in UTF-8") from error
    except UntrustedError as error:
        raise _refused(path, str(error)) from error
    if not isinstance(tree, dict) or not tree:
        raise _refused(path, "names no kinds")
    for pattern, kind in tree.items():
        if not (isinstance(pattern, str) and isinstance(kind, str) and kind.strip()):
            raise _refused(path, f"has no kind for '{shortened(pattern)}'")
    return SceneKinds({pattern: kind.strip() for pattern, kind in tree.items()}, path.name)


def _refused(path: Path, problem: str) -> SettingsError:
    return SettingsError(f"the file of kinds '{path}' {problem}; {_EXAMPLE}")


def _first(patterns: Mapping[str, str], name: str) -> str | None:
    return next((kind for pattern, kind in patterns.items() if fnmatchcase(name, pattern)), None)
