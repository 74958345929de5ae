"""The kinds of inputs: how seeds are made, one input is made of them, and what is done with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from fuzzing import media, scenes, settings


@dataclass(frozen=True)
class Kind:
    """One kind.

    Attributes:
        prepare: Makes the seeds in an empty folder, once.
        make: Makes an input in an empty folder from the folder of the seeds; says what it did.
        use: Does with it what users do; any error that is not ours is a finding.
    """

    prepare: Callable[[Path], None]
    make: Callable[[Path, Path, Random], str]
    use: Callable[[Path, Random], None]


KINDS = {
    "scenes": Kind(scenes.prepare, scenes.make, scenes.use),
    "settings": Kind(settings.prepare, settings.make, settings.use),
    "media": Kind(media.prepare, media.make, media.use),
}
