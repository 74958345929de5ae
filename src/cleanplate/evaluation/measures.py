"""CDnet's measures of a video, and their averages over videos and categories.

Each measure is computed from the counts of a whole video; a category has the mean of its videos,
and the overall figure is the mean of the categories (Goyette et al., "changedetection.net: A New
Change Detection Benchmark Dataset", CVPR Workshops 2012). So the F of a category is the mean of
F, not the F of mean precision and mean recall.

Undefined ratios (0/0): CDnet's own script divides by zero and stops. Here a measure is nan where
the *truth* does not define it: recall, FNR, precision and F need foreground in the truth,
specificity and FPR background, PWC any scored pixel. What a mask holds never makes a measure
undefined: a mask without foreground has precision 0. Averages leave nan out, hence the same
videos for every method, and are nan where nothing is left.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields

from cleanplate.errors import GroundTruthError
from cleanplate.evaluation.counts import Counts


@dataclass(frozen=True)
class Measures:
    """CDnet's measures; shares from 0 to 1 but for PWC, nan where the truth defines none.

    Attributes:
        recall: Share of the true foreground that was found.
        specificity: Share of the true background that was left alone.
        FPR: Share of the true background that was called foreground.
        FNR: Share of the true foreground that was missed.
        PWC: Percentage of wrong pixels, 0 to 100 (CDnet's script calls it PBC).
        precision: Share of the found foreground that is true.
        F: Harmonic mean of precision and recall.
        F_all_foreground: F of a mask that calls every pixel foreground: what F is worth here.
        shadow_error_rate: Share of the shadow pixels that were called foreground (CDnet's
            FPR-S); nan where no pixel is labelled shadow.
        frames: Number of scored frames.
    """

    recall: float
    specificity: float
    FPR: float
    FNR: float
    PWC: float
    precision: float
    F: float
    F_all_foreground: float
    shadow_error_rate: float
    frames: int

    def as_json(self) -> dict[str, float | None]:
        """Measures by name, None (JSON's null) where they are nan."""
        return {name: _finite_or_none(value) for name, value in asdict(self).items()}


def measure(counts: Counts, *, frames: int) -> Measures:
    """Measures of the counts of one video.

    Args:
        counts: Sum over the scored frames.
        frames: Number of scored frames.
    """
    found, missed = counts.true_positives, counts.false_negatives
    wrong, positives, negatives = counts.false_positives, counts.positives, counts.negatives
    precision = found / (found + wrong) if found + wrong else 0.0
    return Measures(
        recall=_ratio(found, positives),
        specificity=_ratio(counts.true_negatives, negatives),
        FPR=_ratio(wrong, negatives),
        FNR=_ratio(missed, positives),
        PWC=100.0 * _ratio(missed + wrong, counts.pixels),
        precision=precision if positives else math.nan,
        # equals 2 P R / (P + R), and is 0 where nothing true was found
        F=_ratio(2 * found, 2 * found + wrong + missed) if positives else math.nan,
        F_all_foreground=_ratio(2 * positives, 2 * positives + negatives)
        if positives
        else math.nan,
        shadow_error_rate=_ratio(counts.shadow_errors, counts.shadow_pixels),
        frames=frames,
    )


def average_over_videos(videos: Sequence[Measures]) -> Measures:
    """Measures of a category: the mean of its videos; frames are added up.

    Raises:
        GroundTruthError: There is no video.
    """
    if not videos:
        raise GroundTruthError("no video was scored, so there is nothing to average; give one")
    names = [field.name for field in fields(Measures) if field.name != "frames"]
    means = {name: _mean([getattr(video, name) for video in videos]) for name in names}
    return Measures(**means, frames=sum(video.frames for video in videos))


def average_over_categories(categories: Mapping[str, Sequence[Measures]]) -> Measures:
    """Overall measures: the mean of the categories, each the mean of its videos.

    Args:
        categories: Measures of the videos of each category.

    Raises:
        GroundTruthError: There is no category, or one without videos.
    """
    return average_over_videos([average_over_videos(videos) for videos in categories.values()])


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def _mean(values: Sequence[float]) -> float:
    defined = [value for value in values if not math.isnan(value)]
    return math.fsum(defined) / len(defined) if defined else math.nan


def _finite_or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
