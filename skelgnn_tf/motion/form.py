"""The form of repetitions: how long their parts take, how far joints move, and what falls short of a target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from skelgnn_tf.motion.exercise_cycles import Repetition
from skelgnn_tf.motion.joint_angles import joint_angles
from skelgnn_tf.motion.targets import SIDES, Target
from skelgnn_tf.skeletons import Skeleton

#: Exercises without repetitions: a position that is held.
HOLDS = ("plank",)
#: The end position is held while the angle of depth is within this share of its range from its maximum.
_HELD = 0.05
#: With less than this share of the other side's range, a side does not take part, as in a curl with one arm.
_MOVES = 0.5


class RepetitionForm(NamedTuple):
    """What was measured in a repetition, or while a position was held. None is what could not be measured.

    Args:
        number: Number of the repetition among the complete ones of its exercise, from 1; None if it is partial.
        exercise: Name of the exercise.
        start_s: Start in seconds.
        end_s: End in seconds.
        complete: Whether it is counted; False for a partial repetition.
        there_s: Duration of the way to the end position, in seconds; None of `HOLDS`.
        hold_s: Time at the end position. `there_s`, `hold_s` and `back_s` add up to the whole repetition.
        back_s: Duration of the way back; None of `HOLDS`.
        range_deg: {angle of `joint_angles`: (smallest, largest) in degrees} of the target's angles.
        asymmetry_deg: {joint: by how many degrees the largest angle of the left side exceeds that of the right};
            None if only one side is seen or moves.
        depth_deg: Largest angle of depth, in degrees: the mean of both sides if both move. None of `HOLDS`.
        target_deg: The depth that it should reach; None for any.
        cues: What falls short of the target, such as "depth 78°, target 90°".
    """

    number: int | None
    exercise: str
    start_s: float
    end_s: float
    complete: bool
    there_s: float | None
    hold_s: float | None
    back_s: float | None
    range_deg: Mapping[str, tuple[float, float] | None]
    asymmetry_deg: Mapping[str, float | None]
    depth_deg: float | None
    target_deg: float | None
    cues: tuple[str, ...]


def measure_form(
    pose_m: np.ndarray,
    skeleton: Skeleton,
    time_s: np.ndarray,
    repetitions: Iterable[Repetition],
    targets: Mapping[str, Target],
) -> tuple[RepetitionForm, ...]:
    """Measures repetitions, and positions that are held. Nothing is invented: an angle that is not seen in every frame
    of a repetition is not measured in it.

    Args:
        pose_m: (frames, joints, 3) meters, filtered; NaN where a joint is not seen.
        skeleton: Skeleton of the poses.
        time_s: (frames,) seconds.
        repetitions: What a counter found. One of `HOLDS` is held from its start to its end.
        targets: Targets by exercise, as `default_targets` or `read_targets` return them. Without one, only times are
            known.

    Raises:
        ValueError: As `joint_angles`.

    Example:
        >>> measure_form(pose_m, H36M_17, time_s, repetitions, default_targets())[0].cues  # doctest: +SKIP
        ('depth 78°, target 90°',)
    """
    angles_deg = joint_angles(pose_m, skeleton)
    done: Counter[str] = Counter()
    forms = []
    for one in repetitions:
        target = targets.get(one.exercise, Target())
        inside = (time_s >= one.start_s - 1e-9) & (time_s <= one.end_s + 1e-9)
        wanted = {name: angles_deg[name][inside] for joint in target.angles for name in SIDES[joint]}
        seen = {name: values if len(values) and np.isfinite(values).all() else None for name, values in wanted.items()}
        done[one.exercise] += int(one.complete)
        form = _measured(one, done[one.exercise], target, seen, time_s[inside])
        forms.append(form._replace(cues=tuple(_cues(form, target))))
    return tuple(forms)


def _measured(
    one: Repetition, number: int, target: Target, seen: Mapping[str, np.ndarray | None], time_s: np.ndarray
) -> RepetitionForm:
    """The form of a repetition from the angles (frames,) that are seen in all of its frames; still without cues."""
    is_held = one.exercise in HOLDS
    depth = _depth(target, seen) if target.angles and not is_held else None
    parts: tuple[float | None, ...] = (None, one.end_s - one.start_s if is_held else None, None)
    if depth is not None:
        parts = _parts(depth, time_s, one.start_s, one.end_s)
    there_s, hold_s, back_s = parts
    return RepetitionForm(
        number=number if one.complete else None,
        exercise=one.exercise,
        start_s=one.start_s,
        end_s=one.end_s,
        complete=one.complete,
        there_s=there_s,
        hold_s=hold_s,
        back_s=back_s,
        range_deg={n: None if v is None else (float(v.min()), float(v.max())) for n, v in seen.items()},
        asymmetry_deg={joint: _asymmetry(joint, seen) for joint in target.angles if len(SIDES[joint]) == 2},
        depth_deg=None if depth is None else float(depth.max()),
        target_deg=target.depth_deg,
        cues=(),
    )


def _moving(joint: str, seen: Mapping[str, np.ndarray | None]) -> dict[str, np.ndarray]:
    """The sides of a joint that are seen and take part: {angle: (frames,)}."""
    sides = {name: values for name in SIDES[joint] if (values := seen[name]) is not None}
    least = _MOVES * max((np.ptp(values) for values in sides.values()), default=0.0)
    return {name: values for name, values in sides.items() if np.ptp(values) >= least}


def _depth(target: Target, seen: Mapping[str, np.ndarray | None]) -> np.ndarray | None:
    """The angle of depth (frames,): the mean of the sides that move."""
    sides = list(_moving(target.angles[0], seen).values())
    return np.mean(sides, axis=0) if sides else None


def _asymmetry(joint: str, seen: Mapping[str, np.ndarray | None]) -> float | None:
    sides = _moving(joint, seen)
    if len(sides) < 2:
        return None
    left, right = (sides[name] for name in SIDES[joint])
    return float(left.max() - right.max())


def _parts(depth: np.ndarray, time_s: np.ndarray, start_s: float, end_s: float) -> tuple[float, float, float]:
    """Durations of the way there, the hold and the way back, from the angle of depth (frames,)."""
    level = depth.max() - _HELD * np.ptp(depth)
    held = np.flatnonzero(depth >= level)
    first, last = held[0], held[-1]
    # Between two frames, where the angle crosses the level.
    begin_s = (
        start_s if not first else float(np.interp(level, depth[first - 1 : first + 1], time_s[first - 1 : first + 1]))
    )
    left = last + 1 == len(depth)
    until_s = end_s if left else float(np.interp(-level, -depth[last : last + 2], time_s[last : last + 2]))
    return begin_s - start_s, until_s - begin_s, end_s - until_s


def _cues(form: RepetitionForm, target: Target) -> Iterable[str]:
    """What falls short of the target, in whole degrees and tenths of a second."""
    if not form.complete:
        yield "partial repetition"
    if form.depth_deg is not None and target.depth_deg is not None and round(form.depth_deg) < target.depth_deg:
        yield f"depth {form.depth_deg:.0f}°, target {target.depth_deg:g}°"
    more = form.asymmetry_deg.get(target.angles[0]) if target.angles else None
    if more is not None and target.asymmetry_deg is not None and round(abs(more)) > target.asymmetry_deg:
        low, high = ("right", "left") if more > 0 else ("left", "right")
        yield f"{low} {abs(more):.0f}° less than {high}, at most {target.asymmetry_deg:g}°"
    if form.hold_s is not None and target.hold_s is not None and round(form.hold_s, 1) < target.hold_s:
        yield f"held {form.hold_s:.1f} s, target {target.hold_s:g} s"
