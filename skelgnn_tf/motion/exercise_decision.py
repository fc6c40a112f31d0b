"""Which exercise is done, from the decisions of a recognizer over time: live, and for a whole recording."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

#: A decision describes the seconds before it: what it shows for the first time began this long ago.
DECISION_LAG_S = 2.0
#: Belief from which a class is decided on, and from which a single cycle counts; several cycles confirm each other.
SURE, CLEAR = 0.5, 0.6
#: A repetition may reach this far beyond the span in which its exercise is recognized.
BEYOND_S = 1.5
#: Classes of people who do not exercise.
IDLE = ("rest", "other")
# Mean duration of an activity in seconds, after which any other one is as likely.
_STAYS_S = 20.0
# A recognizer's windows overlap: its decisions in this many seconds count as one independent observation.
_EVIDENCE_S = 1.2
# A probability that no decision falls below, so that one wrong window can be outweighed.
_LEAST = 0.02
# Whoever counts repetitions does other things less often than the recognizer's training says, and real people move in
# more ways than generated ones, which the recognizer then takes for something else. The lowest value at which generated
# phone scenes (seed 405) without an exercise have no more repetitions.
_OTHER_PRIOR = 0.07
# A given exercise does not count while the recognizer finds it this many times less likely than that nobody exercises.
_IDLE_ODDS = 10.0
_TINY = 1e-6


class ExerciseBelief:
    """Probabilities of the classes now, given all decisions so far: the forward filter of a hidden Markov model.

    Args:
        num_classes: Number of classes.

    Example:
        >>> belief = ExerciseBelief(2)
        >>> for t in range(8):
        ...     now = belief.push(np.array([0.9, 0.1]), t / 4)
        >>> bool(now[0] > 0.9)
        True
    """

    def __init__(self, num_classes: int) -> None:
        self._now = np.full(num_classes, 1 / num_classes)
        self._time_s = math.nan

    def push(self, probabilities: np.ndarray, time_s: float) -> np.ndarray:
        """Takes a decision of the recognizer and returns the probabilities of the classes now.

        Args:
            probabilities: float (classes,).
            time_s: Time of the decision in seconds.

        Raises:
            ValueError: Another number of classes.
        """
        if probabilities.shape != self._now.shape:
            raise ValueError(
                f"probabilities must have one entry for each of {len(self._now)} classes. Received: "
                f"{probabilities.shape}."
            )
        seconds = 0.25 if math.isnan(self._time_s) else min(time_s - self._time_s, _EVIDENCE_S)
        self._time_s = time_s
        self._now = _normalized(_mixed(self._now, seconds) * _evidence(probabilities, seconds))
        return self._now


def smoothed_beliefs(probabilities: np.ndarray, fps: float) -> np.ndarray:
    """Probabilities of the classes at every frame, given the whole recording: forwards and backwards.

    Args:
        probabilities: float (frames, classes), `Decisions.frame_probabilities`.
        fps: Frames per second.

    Returns:
        float64 (frames, classes).
    """
    # A tenth of a second is fine enough, and keeps the loop short at any frame rate.
    every = max(1, round(fps / 10))
    seen = _evidence(np.asarray(probabilities, np.float64)[::every], every / fps)
    forth, back = np.empty_like(seen), np.empty_like(seen)
    now = np.full(seen.shape[1], 1 / seen.shape[1])
    for t, evidence in enumerate(seen):
        forth[t] = now = _normalized(_mixed(now, every / fps) * evidence)
    now = np.ones(seen.shape[1])
    for t in range(len(seen) - 1, -1, -1):
        back[t] = now
        now = _normalized(_mixed(now * seen[t], every / fps))
    both = forth * back
    both /= both.sum(axis=1, keepdims=True)
    return np.repeat(both, every, axis=0)[: len(probabilities)]


def with_prior(probabilities: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """A recognizer's probabilities (..., classes) with other motion as likely as `_OTHER_PRIOR` says."""
    if probabilities.shape[-1:] != (len(classes),):
        raise ValueError(
            f"probabilities must have one entry for each of {len(classes)} classes. Received: {probabilities.shape}."
        )
    weighted = probabilities * [_OTHER_PRIOR if name == "other" else 1.0 for name in classes]
    return weighted / weighted.sum(axis=-1, keepdims=True)


def excluding(probabilities: np.ndarray, excluded: np.ndarray) -> np.ndarray:
    """A recognizer's probabilities (..., classes) where some classes cannot be: bool (..., classes).

    They are unchanged where no other class is possible.
    """
    left = probabilities * ~excluded
    total = left.sum(axis=-1, keepdims=True)
    return np.where(total > _TINY, left / np.maximum(total, _TINY), probabilities)


def is_idle(probabilities: np.ndarray, classes: Sequence[str], exercise: str | None) -> bool:
    """Whether a recognizer's probabilities (classes,) rule out that somebody does an exercise."""
    idle = sum(float(probabilities[i]) for i, name in enumerate(classes) if name in IDLE)
    own = next((float(p) for p, name in zip(probabilities, classes, strict=True) if name == exercise), 1.0)
    return own * _IDLE_ODDS < idle


def _mixed(belief: np.ndarray, seconds: float) -> np.ndarray:
    """Beliefs after some seconds without evidence."""
    stays = math.exp(-seconds / _STAYS_S)
    return stays * belief + (1 - stays) * belief.mean()


def _evidence(probabilities: np.ndarray, seconds: float) -> np.ndarray:
    return np.maximum(probabilities, _LEAST) ** (seconds / _EVIDENCE_S)


def _normalized(belief: np.ndarray) -> np.ndarray:
    return belief / belief.sum()
