"""What learning found a scene to be, in words, with what is done about it.

Nothing is measured here: each sentence is about a figure that some stage has acted upon.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

import cv2
import numpy as np

from cleanplate.learning.calibration import Calibration
from cleanplate.learning.job import LearningJob
from cleanplate.learning.preparation.find_states import LEAST_FOR_STATES
from cleanplate.learning.preparation.stabilised_states import Stabilised
from cleanplate.scene_model import SceneModel
from cleanplate.scene_model.findings import FindingState, SceneFinding, SceneFindings
from cleanplate.scene_model.states import in_words
from cleanplate.segmentation import SegmentationPlan
from cleanplate.segmentation.difference import GREY_GAIN
from cleanplate.segmentation.layers import StationaryObject
from cleanplate.segmentation.settings import PARKED_SECONDS
from cleanplate.video import FrameCache, VideoSource

_SOME, _NEARLY_ALL = 0.05, 0.95
"""Share of the frames from which on a property is one of the scene, and of all of it."""
_LOW_CONTRAST = 64
"""Grey levels, a quarter of all, within which nearly all of a plate of low contrast lies."""
_ENDS = (1, 99)
"""Percentiles of the plate between which its contrast is measured."""
_NOISY = 0.5
"""Share of the threshold that noise adds to it in half of the pixels of a noisy scene."""
_PARKED_SHARE = 0.25
"""Share of a short recording for which a parked thing stands."""
_LEAST_PARKED = 0.001
"""Share of the picture below which what stands is a leaf or a piece of something, and not told."""
_NAMED, _MOST_PARKED = 3, 100
"""Parked things that are named in words, and that are kept at all."""
_LOW_RATE = 5.0
"""Frames a second below which a vehicle is somewhere else in the next one."""


def scene_findings(
    job: LearningJob,
    model: SceneModel,
    *,
    calibration: Calibration,
    stabilised: Stabilised,
    frames: FrameCache,
    parked: Sequence[StationaryObject],
) -> SceneFindings:
    """All of them, in the order of the way of a frame.

    Args:
        job: What was learned, and how.
        model: What was learned of it.
        calibration: What was measured of the main state.
        stabilised: What the frames were freed from.
        frames: Those that were kept.
        parked: What stood for a good part of the recording.
    """
    sampling = job.settings.sampling
    entries = [
        *_rate(job.source, frames, model.plan.wait_seconds),
        *_interlaced(job.source),
        *_values(job.source),
        _colours(calibration),
        _contrast(model, has_range=job.source.value_range is not None),
        _noise(model),
        _light(calibration),
        _flicker(stabilised),
        *_moves(stabilised),
        _camera(model, stabilised, len(frames)),
        _states(model, stabilised, sampling.max_states),
        _swaying(calibration, asked=sampling.swaying == "auto"),
        _shadows(model),
        *_ghosts(calibration),
        _parked(parked, frames, model.plan),
    ]
    return SceneFindings(tuple(entries))


def _rate(source: VideoSource, frames: FrameCache, wait_seconds: float) -> Iterator[SceneFinding]:
    span = frames.last_time - frames.first_time
    if span <= 0:
        return
    rate = (frames.frames_read - 1) / span
    if not source.has_times:
        reason = f"the pictures have no times, {rate:.0f} a second are assumed"
        yield SceneFinding("rate", FindingState.UNKNOWN, reason, value=rate)
        return
    is_low = rate < _LOW_RATE
    each = f"{rate:.3g} frames a second" if rate >= 1 else f"a frame in {1 / rate:.3g} s"
    done = ""
    if is_low:
        count = max(2, math.ceil(wait_seconds * rate) + 1)
        done = f"all times are in seconds: an object waits once {count} frames show it at a place"
    state = FindingState.SPECIAL if is_low else FindingState.USUAL
    yield SceneFinding("rate", state, f"low rate: {each}" if is_low else each, done, rate)


def _interlaced(source: VideoSource) -> Iterator[SceneFinding]:
    share = source.frames_interlaced / max(source.frames_passed, 1)
    if share >= _SOME:
        found = f"interlaced: {_percent(share)} of the frames are marked so"
        done = "both fields are kept as one picture, so that what moves has combed edges"
        yield SceneFinding("interlaced", FindingState.SPECIAL, found, done, share)


def _values(source: VideoSource) -> Iterator[SceneFinding]:
    used = source.value_range
    if used is not None:
        found = f"values of {source.dtype} from {used.low:,.6g} to {used.high:,.6g}"
        done = "they became the grey levels 0 to 255"
        yield SceneFinding("values", FindingState.SPECIAL, found, done)


def _colours(calibration: Calibration) -> SceneFinding:
    share = calibration.appearance.grey_share
    if share < _SOME:
        return SceneFinding("colours", FindingState.USUAL, "in colour", value=share)
    found = "no colours: a grey, infrared or thermal camera"
    if share < _NEARLY_ALL:
        found = f"no colours in {_percent(share)} of the frames"
    gain = Fraction(GREY_GAIN).limit_denominator(9)
    return SceneFinding(
        "colours",
        FindingState.SPECIAL,
        found,
        f"differences count {gain} of what they do in colour",
        share,
    )


def _contrast(model: SceneModel, *, has_range: bool) -> SceneFinding:
    grey = cv2.cvtColor(model.main.plate, cv2.COLOR_RGB2GRAY)
    low, high = (int(level) for level in np.percentile(grey, _ENDS).round())
    where = f"98 % of the plate lies within the grey levels {low} to {high}"
    if high - low >= _LOW_CONTRAST:
        return SceneFinding("contrast", FindingState.USUAL, where, value=high - low)
    done = "nothing by itself; --range LOW HIGH spreads them"
    if has_range:
        done = "nothing by itself; a narrower --range LOW HIGH spreads them"
    return SceneFinding(
        "contrast", FindingState.SPECIAL, f"low contrast: {where}", done, high - low
    )


def _noise(model: SceneModel) -> SceneFinding:
    plan, noise = model.plan, model.main.noise
    middle, high = (float(level) for level in np.percentile(noise, [50, 95]))
    found = f"half of the pixels vary by up to {middle:.0f} grey levels, 95 % by up to {high:.0f}"
    limit = float(np.median(plan.thresholds(noise)))
    done = f"half of the pixels count from a difference of {limit:.0f} on, summed over RGB"
    if plan.noise_factor * middle < _NOISY * max(plan.threshold, 1):
        return SceneFinding("noise", FindingState.USUAL, found, done, middle)
    return SceneFinding("noise", FindingState.SPECIAL, f"noisy or rippling: {found}", done, middle)


def _light(calibration: Calibration) -> SceneFinding:
    share = calibration.appearance.relit_share
    if share is None:
        return SceneFinding("light", FindingState.UNKNOWN, "segmentation.light=off")
    if share < _SOME:
        return SceneFinding("light", FindingState.ABSENT, "changing light", value=share)
    found = f"changing light in {_percent(share)} of the frames"
    done = "the background is brought into the light of each frame"
    return SceneFinding("light", FindingState.SPECIAL, found, done, share)


def _flicker(stabilised: Stabilised) -> SceneFinding:
    if not stabilised.flickers:
        return SceneFinding("flicker", FindingState.ABSENT, "rolling bands of lamps")
    done = "evened before learning, and followed in each frame"
    return SceneFinding(
        "flicker", FindingState.SPECIAL, "flicker: bands of lamps roll through", done
    )


def _moves(stabilised: Stabilised) -> Iterator[SceneFinding]:
    view = stabilised.view
    if view is not None:
        count = len(view.moves)
        found = f"the camera was moved {'once' if count == 1 else f'{count} times'}"
        done = f"learned from frames {view.first} to {view.last}"
        yield SceneFinding("view", FindingState.SPECIAL, found, done, count)


def _camera(model: SceneModel, stabilised: Stabilised, kept: int) -> SceneFinding:
    camera = model.camera
    if stabilised.unmeasured:
        return SceneFinding("camera", FindingState.UNKNOWN, stabilised.unmeasured)
    if camera.motion is None:
        return SceneFinding("camera", FindingState.ABSENT, "a shaking camera")
    reach = camera.reach * model.enlargement
    how = {"translation": "shifts", "homography": "homographies"}[camera.motion]
    done = f"frames are registered by {how}"
    if lost := camera.lost_frames:
        done += f"; {lost} of {kept + lost} could not be, and were left out"
    found = f"shakes by up to {reach:.1f} pixels"
    return SceneFinding("camera", FindingState.SPECIAL, found, done, reach)


def _states(model: SceneModel, stabilised: Stabilised, most: int) -> SceneFinding:
    parts = [len(part) for part in stabilised.parts]
    if len(parts) > 1:
        shares = [count / sum(parts) for count in parts]
        found = in_words(dict(zip(model.names, shares, strict=True)))
        main, *others = model.names
        done = f"the method learned {main}; a still plate for {' and '.join(others)}"
        return SceneFinding("states", FindingState.SPECIAL, found, done, len(parts))
    if most < 2:
        return SceneFinding("states", FindingState.UNKNOWN, f"sampling.max_states={most}")
    if sum(parts) < LEAST_FOR_STATES:
        return SceneFinding("states", FindingState.UNKNOWN, f"fewer than {LEAST_FOR_STATES} frames")
    return SceneFinding("states", FindingState.ABSENT, "other states, such as infrared", value=1)


def _swaying(calibration: Calibration, *, asked: bool) -> SceneFinding:
    share = calibration.swaying_share
    if share is None:
        reason = "the recording is too short, or its frames are too far apart"
        reason = reason if asked else "sampling.swaying=off"
        return SceneFinding("swaying", FindingState.UNKNOWN, reason)
    if share == 0:
        return SceneFinding("swaying", FindingState.ABSENT, "swaying leaves", value=share)
    found = f"{_percent(share)} of the picture sways"
    return SceneFinding("swaying", FindingState.SPECIAL, found, "the noise is raised there", share)


def _shadows(model: SceneModel) -> SceneFinding:
    shadow, plan = model.main.shadow, model.plan
    if shadow is None:
        return SceneFinding("shadows", FindingState.ABSENT, "cast shadows in colour")
    kept = math.exp(shadow.mean[0])
    done = {
        "drop": "such darkening is background in masks",
        "label": "such darkening is background in masks, with a label of its own",
        "keep": "nothing: segmentation.shadows=keep",
    }[plan.shadows]
    found = f"cast shadows that keep {_percent(kept)} of the light"
    return SceneFinding("shadows", FindingState.USUAL, found, done, kept)


def _ghosts(calibration: Calibration) -> Iterator[SceneFinding]:
    if count := calibration.ghosts:
        found = f"{count} ghost{'s' if count > 1 else ''}: backgrounds showed what had left"
        yield SceneFinding("ghosts", FindingState.SPECIAL, found, "corrected", count)


def _parked(
    things: Sequence[StationaryObject], frames: FrameCache, plan: SegmentationPlan
) -> SceneFinding:
    least = _least_dwell(frames)
    if not things:
        return SceneFinding(
            "parked", FindingState.ABSENT, f"things that stand for {least:.0f} s and come or leave"
        )
    named = [_named(each) for each in things[:_NAMED]]
    if rest := len(things) - len(named):
        named.append(f"{rest} more")
    count = "1 thing" if len(things) == 1 else f"{len(things)} things"
    found = f"{count} stood for {least:.0f} s or longer: {'; '.join(named)}"
    done = "foreground for as long as they stand; segmentation.parked=background changes that"
    if plan.settle_seconds is not None:
        done = f"background once they have stood for {plan.settle_seconds:g} s"
    return SceneFinding("parked", FindingState.SPECIAL, found, done, len(things))


def _named(thing: StationaryObject) -> str:
    left, top, width, height = thing.box
    times = f"{thing.first_seen:.0f} to {thing.last_seen:.0f} s"
    before = ", and before" if thing.began_before else ""
    return f"{width}x{height} pixels at ({left}, {top}), {times}{before}"


def parked_things(
    calibration: Calibration, frames: FrameCache, enlargement: float
) -> tuple[StationaryObject, ...]:
    """What stood for a good part of the recording, the longest first, boxes in pixels of the frame.

    Args:
        calibration: What was measured of the main state.
        frames: Those that were kept.
        enlargement: Pixels of a frame for each one of the working size.
    """
    least = _least_dwell(frames)
    area = _LEAST_PARKED * frames.size.pixels
    standing = calibration.standing
    things = [each for each in standing if each.dwell >= least and each.pixels >= area]
    things.sort(key=lambda each: (-each.dwell, each.number))
    return tuple(each.enlarged(enlargement, enlargement) for each in things[:_MOST_PARKED])


def _least_dwell(frames: FrameCache) -> float:
    return min(PARKED_SECONDS, _PARKED_SHARE * (frames.last_time - frames.first_time))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else f"{100 * share:.1f} %"
