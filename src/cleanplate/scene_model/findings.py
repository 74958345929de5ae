"""What a scene was found to be while it was learned, and what was done about each of these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

_MOST, _LONGEST = 40, 600
"""Findings of a scene file that are read, and letters of each sentence."""


class FindingState(StrEnum):
    """What is known of one property of a scene.

    Attributes:
        SPECIAL: The scene has it, and a setting or a step of its own answers it.
        USUAL: It was measured, and is as in most scenes.
        ABSENT: It was looked for, and is not there.
        UNKNOWN: It was not measured.
    """

    SPECIAL = "special"
    USUAL = "usual"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class SceneFinding:
    """One property of a scene.

    Attributes:
        name: Its name: one word, the same in every scene.
        state: What is known of it.
        found: What was measured, in words; of what is unknown, why.
        done: What is done about it, in words; empty: nothing has to be.
        value: What was measured, as a number in the unit that `found` names; None: it is none.
    """

    name: str
    state: FindingState
    found: str
    done: str = ""
    value: float | None = None


@dataclass(frozen=True)
class SceneFindings:
    """All that was measured of a scene to choose how it is learned and segmented.

    Attributes:
        entries: In the order in which they are shown.
    """

    entries: tuple[SceneFinding, ...] = ()

    def __iter__(self) -> Iterator[SceneFinding]:
        return iter(self.entries)

    def __getitem__(self, name: str) -> SceneFinding:
        """The finding of a name.

        Raises:
            KeyError: There is none.
        """
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise KeyError(name)

    def of_state(self, *states: FindingState) -> tuple[SceneFinding, ...]:
        """Those of which so much is known."""
        return tuple(entry for entry in self.entries if entry.state in states)

    @property
    def sentence(self) -> str:
        """What is special about the scene, and what is done about it, in one line."""
        special = self.of_state(FindingState.SPECIAL)
        if not special:
            return "nothing special"
        return "; ".join(
            f"{entry.found} ({entry.done})" if entry.done else entry.found for entry in special
        )

    def as_values(self) -> list[dict[str, Any]]:
        """Plain values for the provenance of a scene."""
        return [asdict(entry) for entry in self.entries]

    @classmethod
    def of(cls, values: object) -> SceneFindings:
        """What `as_values` gave; what is of another form, as in a scene of strangers, is left out.

        Args:
            values: From the provenance of a scene; None: it is of an older version.
        """
        entries = values if isinstance(values, Sequence) and not isinstance(values, str) else ()
        found = (_entry(each) for each in entries[:_MOST])
        return cls(tuple(entry for entry in found if entry is not None))


def _entry(values: object) -> SceneFinding | None:
    if not isinstance(values, Mapping):
        return None
    texts = [values.get(key) for key in ("name", "found", "done")]
    state, value = values.get("state"), values.get("value")
    if state not in list(FindingState) or not all(isinstance(text, str) for text in texts):
        return None
    name, found, done = (str(text)[:_LONGEST] for text in texts)
    return SceneFinding(name, FindingState(state), found, done, _number(value))


def _number(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value)
