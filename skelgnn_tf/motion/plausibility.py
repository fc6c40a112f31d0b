"""Whether a rise and fall of an exercise's signal can be a repetition of it, from how the body is held and moves.

A squat bends both knees with the feet side by side; a lunge has one foot in front; in a jumping jack the feet move
apart, in a lateral raise they stand. Whatever breaks one of these bounds is not counted, and speaks against the
exercise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from skelgnn_tf.motion.body_measures import BodyMeasures, larger, mean, smaller

# Share of the frames of a cycle that may be badly seen, at either end of a measure's range.
_OUTLIERS = 0.05


class Bound(NamedTuple):
    """What a measure must be in the middle third of a repetition, or how much it must change within it.

    Args:
        measure: A name of `MEASURES`.
        least: Smallest value.
        most: Largest value.
        changes: Whether the bound is for the range of the measure within the repetition; otherwise it is for its median
            in the middle.
    """

    measure: str
    least: float = -math.inf
    most: float = math.inf
    changes: bool = False


#: The measures of the bounds: degrees, or lengths relative to the trunk or the arm.
MEASURES: dict[str, Callable[[BodyMeasures], np.ndarray]] = {
    "knee": lambda body: mean(body.knee),
    "hip": lambda body: mean(body.hip),
    "curl": lambda body: mean(body.curl),
    "elbow": lambda body: larger(body.elbow),
    "straighter_elbow": lambda body: smaller(body.elbow),
    "shoulder": lambda body: larger(body.shoulder),
    "lower_shoulder": lambda body: smaller(body.shoulder),
    "hand_up": lambda body: larger(body.hand_up),
    "hand_forward": lambda body: mean(body.hand_forward),
    "lean": lambda body: body.lean,
    "feet_wide": lambda body: body.feet_wide,
    "stride": lambda body: body.stride,
}

#: The bounds of each exercise. Of the movements that its signal finds in lifted phone scenes of it (seeds 400, 401 and
#: 403), badly seen ones included, they keep 92 (sit-ups) to 100 % (burpees); there is room for people who move more.
BOUNDS = {
    "squat": (
        Bound("knee", least=20, changes=True),
        Bound("knee", least=30),
        Bound("stride", most=0.8),
        Bound("lean", most=70, changes=True),
    ),
    "lunge": (
        Bound("knee", least=22, changes=True),
        Bound("stride", least=0.4),
        Bound("hip", most=95),
        Bound("lean", most=45, changes=True),
        Bound("lower_shoulder", most=60, changes=True),
    ),
    "push_up": (
        Bound("lean", least=35),
        Bound("curl", most=50),
        Bound("curl", most=25, changes=True),
        Bound("lower_shoulder", most=70, changes=True),
    ),
    "sit_up": (
        Bound("knee", most=45, changes=True),
        Bound("knee", least=25),
        Bound("curl", least=50),
        Bound("lean", most=80),
        # The shoulders of a crunch hardly leave the floor.
        Bound("lean", least=15, changes=True),
    ),
    "jumping_jack": (
        Bound("feet_wide", least=0.45),
        Bound("feet_wide", least=0.15, changes=True),
        Bound("lower_shoulder", least=20, changes=True),
        Bound("hip", most=35, changes=True),
        Bound("knee", most=45),
    ),
    "deadlift": (
        Bound("straighter_elbow", most=35),
        Bound("hand_forward", least=0.3),
        Bound("knee", most=110),
        Bound("hip", least=35),
        Bound("lean", least=12, changes=True),
    ),
    "overhead_press": (
        Bound("shoulder", least=85),
        Bound("hand_up", least=0.15),
        Bound("hip", most=45, changes=True),
        Bound("curl", most=32, changes=True),
    ),
    "biceps_curl": (
        Bound("elbow", least=60),
        Bound("shoulder", most=70),
        Bound("lower_shoulder", most=30, changes=True),
        Bound("curl", most=22, changes=True),
        Bound("knee", most=25, changes=True),
    ),
    "high_knees": (
        Bound("curl", most=90),
        Bound("lean", most=20, changes=True),
        Bound("feet_wide", most=1.0),
    ),
    "side_bend": (
        Bound("knee", most=30),
        Bound("hand_forward", most=0.5),
        Bound("knee", most=20, changes=True),
        Bound("curl", most=35, changes=True),
    ),
    # From upright to a plank or a squat and back.
    "burpee": (Bound("curl", least=100, changes=True),),
}


def is_plausible(
    exercise: str, time_s: np.ndarray, measures: Mapping[str, np.ndarray], middle_s: tuple[float, float]
) -> bool:
    """Whether a rise and fall of the signal of an exercise can be a repetition of it.

    Args:
        exercise: Name of an exercise; one without bounds always can.
        time_s: Times (frames,) of the frames of the cycle, in seconds.
        measures: {measure: (frames,)} in these frames, as in `MEASURES`; NaN where a joint is missing, which excludes
            nothing.
        middle_s: First and last time of the middle third, in seconds.

    Returns:
        Whether all bounds of the exercise hold.
    """
    middle = (time_s >= middle_s[0] - 1e-6) & (time_s <= middle_s[1] + 1e-6)
    return all(_keeps(bound, measures[bound.measure], middle) for bound in BOUNDS.get(exercise, ()))


def _keeps(bound: Bound, values: np.ndarray, middle: np.ndarray) -> bool:
    seen = np.isfinite(values)
    if not bound.changes:
        seen &= middle
    if not seen.any():
        return True
    if bound.changes:
        low, high = np.quantile(values[seen], [_OUTLIERS, 1 - _OUTLIERS])
        return bool(bound.least <= high - low <= bound.most)
    return bool(bound.least <= np.median(values[seen]) <= bound.most)
