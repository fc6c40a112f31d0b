"""Golden values of plausibility: the bounds of each exercise, and cycles that keep or break one of them."""

from __future__ import annotations

import numpy as np

from skelgnn_tf.motion.plausibility import BOUNDS, MEASURES, Bound, is_plausible

#: Replaces NaN, which JSON does not have.
MISSING = -1e9
_SEED, _CYCLES, _MIDDLE_S = 5, 20, (1.0, 2.0)


def bounds_and_cycles() -> dict:
    """The bounds of each exercise, and for each bound cycles with values about it."""
    rng = np.random.default_rng(_SEED)
    return {
        "bounds": {name: [_plain(bound) for bound in bounds] for name, bounds in BOUNDS.items()},
        "middle_s": _MIDDLE_S,
        "cycles": [
            _judged(rng, name, bound) for name, bounds in BOUNDS.items() for bound in bounds for _ in range(_CYCLES)
        ],
    }


def _plain(bound: Bound) -> dict:
    """A bound; an open end is None, because JSON has no infinity."""
    ends = {"least": bound.least, "most": bound.most}
    ends = {name: value if np.isfinite(value) else None for name, value in ends.items()}
    return {"measure": bound.measure, "changes": bound.changes, **ends}


def _judged(rng: np.random.Generator, exercise: str, bound: Bound) -> dict:
    """A cycle of an exercise in which only the measure of a bound is seen, and not in every frame."""
    limit, frames = bound.least if np.isfinite(bound.least) else bound.most, rng.integers(1, 60)
    # Some frames are at the very ends of the middle third.
    times = np.sort(np.round(rng.uniform(0, 3, frames), 1))
    if bound.changes:
        values = limit * rng.uniform(0, rng.uniform(0.6, 1.8), frames)
    else:
        values = limit * (rng.uniform(0.7, 1.3) + rng.uniform(-0.2, 0.2, frames))
    values[rng.random(frames) < rng.choice([0, 0.3, 0.9])] = np.nan
    measures = {name: np.full(frames, np.nan) for name in MEASURES} | {bound.measure: values}
    return {
        "exercise": exercise,
        "measure": bound.measure,
        "times_s": times.tolist(),
        "values": np.where(np.isfinite(values), values, MISSING).tolist(),
        "is_plausible": is_plausible(exercise, times, measures, _MIDDLE_S),
    }
